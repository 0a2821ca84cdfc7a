"""Statistical secrecy as the producers apply it: which cells of a table of QPV figures are left empty."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dagster_project.demo_territory import editions
from dagster_project.demo_territory.editions import Edition
from dagster_project.demo_territory.population import Bools, Counts
from dagster_project.sources.catalogue import load_catalogue

SEX_THRESHOLD = 120  # job seekers under which nothing is published by sex

# Census shares come from a sample: they are hidden when they stand on too few persons or households.
SAMPLE = {
    "TX_F": (("F",), 110),
    "TX_TOT_0A24": (("0A24_F", "0A24_H"), 150),
    "TX_F_0A24": (("0A24_F",), 120),
    "TX_TOT_60ETPLUS": (("60P_F", "60P_H"), 230),
    "TX_F_60ETPLUS": (("60P_F",), 150),
    "IND_JEUNE": (("60P_F", "60P_H"), 230),
    "TX_TOT_MEN1": (("MEN1",), 60),
    "TX_TOT_MEN6": (("MEN6",), 36),
    "TX_TOT_ET": (("ET_F", "ET_H"), 150),
    "TX_F_ET": (("ET_F",), 90),
    "TX_TOT_EMPL": (("EMPL_F", "EMPL_H"), 100),
    "TX_F_EMPL": (("EMPL_F",), 80),
    "TX_ET_EMPL": (("EMPL_ET",), 50),
    "TX_TOT_PREC": (("PREC_F", "PREC_H"), 60),
    "TX_F_PREC": (("PREC_F",), 45),
    "TX_ET_PREC": (("PREC_ET",), 28),
}

_PAIRS = ("ABCDE", "ABC", "ABC_RSA", "A", *editions.BY_DIPLOMA[:4], *editions.BY_LENGTH[:4])
JOBS_GROUPS: tuple[tuple[str, ...], ...] = (
    *((f"{name}_F", f"{name}_H") for name in _PAIRS),
    ("ABC_25", "ABC_2649", "ABC_50"),
    ("ABC_FR", "ABC_E"),
    *(tuple(editions.BY_DIPLOMA[start : start + 4]) for start in (0, 4, 8)),
    *(tuple(editions.BY_LENGTH[start : start + 4]) for start in (0, 4, 8)),
    editions.BY_SKILL,
)
HELPED_GROUPS: tuple[tuple[str, ...], ...] = (
    ("CUI", "EAV"),
    ("CIE", "CAE"),
    ("CIE_HS", "CIE_S"),
    ("CA_F", "CA_H"),
    ("CUI_F", "CUI_H"),
    ("EAV_F", "EAV_H"),
    ("CUI_F", "EAV_F"),
    ("CUI_H", "EAV_H"),
    ("CUI_25", "CUI_26A49", "CUI_50"),
    ("CUI_INFCAP", "CUI_CAP", "CUI_BAC", "CUI_SUPBAC"),
    ("EAV_INFCAP", "EAV_CAP", "EAV_SUPCAP"),
)
CAF_GROUPS: tuple[tuple[str, ...], ...] = (("AI", "AM", "ACSSENF", "ACAVENF"), editions.CAF[10:])


def least_shown(dataset: str) -> int:
    """Least count, zero apart, that a producer shows, as the catalogue says it."""
    least = load_catalogue()[dataset].least_shown
    if least is None:
        raise ValueError(f"{dataset}: the catalogue does not say under which count its cells are masked")
    return least


def hide_small(
    truth: Counts, columns: Iterable[str], groups: tuple[tuple[str, ...], ...], rows: int, least: int
) -> dict[str, Bools]:
    """Primary secrecy (small counts) then secondary: never one hidden cell alone among those of a known total."""
    hidden = {name: truth[name][:rows] < least for name in columns if name in truth}
    present = [tuple(name for name in group if name in hidden) for group in groups]
    settled = False
    while not settled:
        settled = True
        for group in (group for group in present if len(group) > 1):
            flags = np.array([hidden[name] for name in group])
            values = np.where(flags, np.inf, [truth[name][:rows] for name in group])
            for row in np.flatnonzero(flags.sum(axis=0) == 1):
                hidden[group[int(values[:, row].argmin())]][row] = True
                settled = False
    return hidden


def hide_by_sex(truth: Counts, hidden: dict[str, Bools], rows: int) -> None:
    """Nothing by sex where there are few job seekers; the totals by sex of category ABCDE stay."""
    few = truth["ABC"][:rows] < SEX_THRESHOLD
    for name in hidden:
        if name.endswith(("_F", "_H")) and not name.startswith("ABCDE"):
            hidden[name] |= few


def hide_sample(counts: Counts, columns: Iterable[str], precarious: str = "EPREC") -> dict[str, Bools]:
    """Census shares that stand on too few persons."""
    hidden = {}
    for name in columns:
        key = name.replace(precarious, "PREC")
        if key in SAMPLE:
            parts, least = SAMPLE[key]
            hidden[name] = np.sum([counts[part] for part in parts], axis=0) < least
    return hidden


def apply_notes(
    edition: Edition, codes: list[str], hidden: dict[str, Bools], columns: dict[str, tuple[str, ...]]
) -> None:
    """Hide what a source does not diffuse for a QPV; `columns` maps each note column to those that it explains."""
    for note, explained in columns.items():
        refused = {code for code, value in edition.notes.get(note, {}).items() if value != "1"}
        flags = np.array([code in refused for code in codes])
        for name in explained:
            hidden[name] = hidden.get(name, np.zeros(len(codes), dtype=np.bool_)) | flags
