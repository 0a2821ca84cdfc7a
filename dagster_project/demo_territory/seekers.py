"""Job seekers by occupation: exact counts of QPV, what the convention shows of them, and those of larger areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.demo_territory import rome
from dagster_project.demo_territory.dwellings import Dwellings
from dagster_project.demo_territory.iris_files import building_dwellings
from dagster_project.demo_territory.population import Ints, split
from dagster_project.demo_territory.secrecy import least_shown
from dagster_project.demo_territory.territory import STRADDLE_SHARE, Qpv, Territory, stream
from dagster_project.demo_territory.truth import FOLDER
from dagster_project.demo_territory.writers import csv_bytes, json_records, words

QPV_PATH, MARKET_PATH = "jobs/demande_rome_qpv.csv", "jobs/marche_travail_demandeurs.json"
QPV_COLUMNS = words("code_qpv generation code_rome n_demandeurs categorie date_obs")
TRUTH_COLUMNS = words("zone_code generation code_rome n_demandeurs")
PER_INHABITANT, ELSEWHERE = 0.085, 0.048  # seekers per inhabitant of a QPV, and outside
LEAST_DWELLINGS = 500  # decree of 19 March 2008
HIDDEN = "ns"
CATEGORY, OBSERVED, PERIOD = "ABC", "2026-09-30", "2026T3"
YEAR = 2024
TILT = 0.5  # how much places differ


@dataclass(frozen=True)
class Seekers:
    """True counts: one row per zone in the order given, one column per code of `rome.CODES` (version 3)."""

    qpv: dict[str, Ints]  # by code, both generations
    communes: dict[str, Ints]  # by code
    dwellings: dict[str, int]  # of each QPV


def build_seekers(dwellings: Dwellings) -> Seekers:
    """Seekers live where people live; a QPV that did not change has the same in both generations."""
    territory = dwellings.territory
    homes = building_dwellings(dwellings).astype(np.float64)
    qpv: dict[str, Ints] = {}
    held: dict[str, int] = {}
    for qpvs, zone in ((territory.qpv2015, dwellings.qp2015), (territory.qpv2024, dwellings.qn2024)):
        people = dwellings.by_zone(dwellings.counts["persons"], zone, len(qpvs))
        found = dwellings.by_zone(homes, zone, len(qpvs))
        for one, persons, count in zip(qpvs, people, found, strict=True):
            qpv[one.code] = _drawn(territory, one.parent or one.code, float(persons) * PER_INHABITANT)
            held[one.code] = int(count)
    return Seekers(qpv, _communes(dwellings, qpv), held)


def _drawn(territory: Territory, place: str, expected: float) -> Ints:
    """A place has its own mix of occupations, hence its own stream."""
    rng = stream(territory.seed, f"seekers {place}")
    usual = np.array([rome.WEIGHT if code in rome.SOUGHT else 1.0 for code in rome.CODES])
    mix = usual * np.exp(TILT * rng.normal(0, 1, len(usual)))
    return np.asarray(rng.multinomial(round(expected), mix / mix.sum()))


def _communes(dwellings: Dwellings, qpv: dict[str, Ints]) -> dict[str, Ints]:
    """Those of its QPV of 2024, and those elsewhere in it."""
    territory = dwellings.territory
    outside = np.where(dwellings.qn2024 < 0, dwellings.counts["persons"], 0.0)
    people = dwellings.by_zone(outside, dwellings.settlement.cell, len(dwellings.settlement.cells))
    found: dict[str, Ints] = {}
    for cell, persons in zip(dwellings.settlement.cells, people, strict=True):
        code = territory.commune_at(cell, YEAR).code
        drawn = _drawn(territory, f"{cell}", float(persons) * ELSEWHERE)
        found[code] = found.get(code, np.zeros_like(drawn)) + drawn
    for one in territory.qpv2024:
        for cell, part in zip(one.cells, _parts(one, qpv[one.code]), strict=True):
            found[territory.commune_at(cell, YEAR).code] += part
    return found


def _parts(one: Qpv, counts: Ints) -> list[Ints]:
    """Seekers of a QPV by commune."""
    if len(one.cells) == 1:
        return [counts]
    shares = np.tile([STRADDLE_SHARE, 1 - STRADDLE_SHARE], (len(counts), 1))
    return list(split(counts, shares).T)


def files(territory: Territory, seekers: Seekers) -> dict[str, bytes]:
    """The convention's file, the market's, and demande_rome.csv: true counts of QPV, those of 0 left out."""
    truth = [
        [code, generation, job, str(count)]
        for code, generation, counts in _qpv_rows(territory, seekers)
        for job, count in zip(rome.CODES, counts.tolist(), strict=True)
        if count
    ]
    return {
        QPV_PATH: _convention(territory, seekers),
        MARKET_PATH: _market(_areas(territory, seekers)),
        f"{FOLDER}/demande_rome.csv": csv_bytes(TRUTH_COLUMNS, truth, separator=",", line_end="\n"),
    }


def _qpv_rows(territory: Territory, seekers: Seekers) -> list[tuple[str, str, Ints]]:
    return [(one.code, one.generation, seekers.qpv[one.code]) for one in territory.qpv2015 + territory.qpv2024]


def _areas(territory: Territory, seekers: Seekers) -> list[tuple[str, str, Ints]]:
    """Communes, then the EPCI and départements that they add up to."""
    sums: dict[tuple[str, str], Ints] = {}
    for commune in territory.communes(YEAR):
        counts = seekers.communes[commune.code]
        for level, code in (("COM", commune.code), ("EPCI", commune.epci), ("DEP", commune.departement)):
            if code:
                sums[level, code] = sums.get((level, code), np.zeros_like(counts)) + counts
    order = {"COM": 0, "EPCI": 1, "DEP": 2}
    return [(*key, sums[key]) for key in sorted(sums, key=lambda key: (order[key[0]], key[1]))]


def _convention(territory: Territory, seekers: Seekers) -> bytes:
    """QPV of fewer than 500 dwellings are absent; small counts are not shown."""
    rows, least = [], least_shown("partenaire_demande_rome")
    for code, generation, counts in _qpv_rows(territory, seekers):
        if seekers.dwellings[code] >= LEAST_DWELLINGS:
            for job, count in zip(rome.CODES, counts.tolist(), strict=True):
                shown = HIDDEN if 0 < count < least else str(count)
                rows.append([code, generation, job, shown, CATEGORY, OBSERVED])
    return csv_bytes(QPV_COLUMNS, rows)


def _market(areas: list[tuple[str, str, Ints]]) -> bytes:
    """Small counts are absent."""
    least = least_shown("francetravail_marche")
    return json_records(
        [
            {"codeTypeTerritoire": level, "codeTerritoire": code, "codeRome": job, "valeur": count, "periode": PERIOD}
            for level, code, counts in areas
            for job, count in zip(rome.CODES, counts.tolist(), strict=True)
            if count >= least
        ]
    )
