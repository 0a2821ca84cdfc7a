"""Figures made of other units than their zone: which units, under which weights, and what their interval rests on."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.audit.explain.figure import Figure, Input
from dagster_project.audit.explain.model import Reported, UnitInfo
from dagster_project.audit.release_folder import Record
from dagster_project.pages.french import BASES, ROLES, UNITS
from dagster_project.pages.numbers import number
from dagster_project.release.verifier_preuve import ECARTEE, NIVEAUX, nom_du_terme

SCOPE = (
    "Le lignage couvre les cellules des sommes, leurs poids et les unités écartées. Les cellules de population qui ne "
    "servent qu’à fonder les poids sont à part, dans crosswalk_input.parquet ; les contours n’y sont pas."
)
NO_INTERVAL = "Pas d’intervalle : la zone est faite d’unités entières, ou aucune erreur mesurée ne lui va."


def crossed_of(figure: Figure) -> Reported | None:
    """What a figure made of other units says of them; None for a figure of its zone's own cells."""
    if not figure.crossed:
        return None
    counted, aside = _by_unit(figure, aside=False), _by_unit(figure, aside=True)
    units = tuple(
        _unit(unit, counted.get(unit["code"], []), aside.get(unit["code"], []))
        for unit in sorted(figure.units, key=lambda unit: (-unit["weight"], -(unit["population"] or 0), unit["code"]))
    )
    level = NIVEAUX[figure.row["method"]]
    return Reported(
        level=level,
        level_fr=UNITS[level][1],
        counted=len(counted),
        set_aside=len(aside),
        without_cell=sum(unit.state == "without_cell" for unit in units),
        units=units,
        interval_basis=_interval(figure.row),
        scope=SCOPE,
    )


def _by_unit(figure: Figure, *, aside: bool) -> dict[str, list[Input]]:
    found: dict[str, list[Input]] = {}
    for entry in figure.inputs:
        if entry.cell["term"] and entry.status is not None and (entry.cell["role"] == ECARTEE) == aside:
            found.setdefault(nom_du_terme(entry.cell["term"])[0], []).append(entry)
    return found


def _unit(unit: Record, counted: Sequence[Input], aside: Sequence[Input]) -> UnitInfo:
    return UnitInfo(
        code=unit["code"],
        name=unit["name"],
        weight=unit["weight"],
        basis=unit["basis"],
        basis_fr=BASES.get(unit["basis"], unit["basis"]),
        population=unit["population"],
        state="counted" if counted else "set_aside" if aside else "without_cell",
        cells=_cells(counted or aside),
    )


def _cells(entries: Sequence[Input]) -> str:
    """« numérateur : part 22,88 × base 1 984 ; dénominateur : base 1 984 »."""
    terms: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        cell = entry.cell
        value = number(entry.value) if entry.value is not None else f"({(entry.status or 'nd').replace('_', ' ')})"
        terms.setdefault((cell["role"], cell["term"]), []).append(f"{cell['variable']} {value}")
    return " ; ".join(f"{ROLES[role]} : {' × '.join(cells)}" for (role, _), cells in terms.items())


def _interval(row: Record) -> str:
    return f"Intervalle à 90 % : {row['interval_basis']}." if row["ci_low"] is not None else NO_INTERVAL
