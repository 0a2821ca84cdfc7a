"""Non-take-up of the C2S: the national reference as DREES would publish it, and the true rates of every zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dagster_project.demo_territory import cover
from dagster_project.demo_territory.dwellings import Dwellings
from dagster_project.demo_territory.eligibility import TIERS, Eligibility, Zone
from dagster_project.demo_territory.population import Counts, Floats
from dagster_project.demo_territory.truth import FOLDER
from dagster_project.demo_territory.writers import csv_bytes

NATIONAL_COLUMNS = ("annee", "mesure", "beneficiaires", "non_recours_pct", "population", "source")
TRUTH_COLUMNS = (
    *("zone_level", "zone_code", "generation", "vintage", "population", "eligible_np", "eligible_p"),
    *("non_recours", "non_recours_np", "non_recours_p"),
)
LARGE = 1_000_000  # persons: national figures from there on are in thousands, smaller ones in tens
SOURCE = "Territoire fictif, référence nationale inventée pour la démonstration, fin {year}"


@dataclass(frozen=True)
class Count:
    """Persons and beneficiaries by tier at a date: tables of places by communes."""

    vintage: int
    persons: Floats
    helped: Counts


def files(eligibility: Eligibility, dwellings: Dwellings) -> dict[str, bytes]:
    """c2s_national.csv, and non_recours.csv of the truth: UTF-8, comma, decimal point."""
    counts = (_of_tables(eligibility), _of_dwellings(eligibility, dwellings))
    truth = [row for count in counts for zone in eligibility.zones() for row in _true(eligibility, zone, count)]
    return {
        "health/c2s_national.csv": csv_bytes(
            NATIONAL_COLUMNS, [row for count in counts for row in _national(eligibility, count)]
        ),
        f"{FOLDER}/non_recours.csv": csv_bytes(TRUTH_COLUMNS, truth, separator=",", line_end="\n"),
    }


def _of_tables(eligibility: Eligibility) -> Count:
    """The count behind REVN_2021."""
    where = eligibility.where
    helped = {tier: where * eligibility.beneficiaries[tier][:, None] for tier in TIERS}
    return Count(2021, where * eligibility.persons[:, None], helped)


def _of_dwellings(eligibility: Eligibility, dwellings: Dwellings) -> Count:
    """The count behind the IRIS of 2022."""
    settlement, health = dwellings.settlement, dwellings.health
    place = cover.places(eligibility, settlement, dwellings.qp2015)
    shape = eligibility.where.shape
    cell = place * shape[1] + cover.communes(eligibility, settlement)

    def table(of_buildings: Floats) -> Floats:
        return np.bincount(cell, weights=of_buildings, minlength=shape[0] * shape[1]).reshape(shape)

    helped = {tier: table(dwellings.persons_by_building(health.helped[tier])) for tier in TIERS}
    return Count(cover.YEAR, table(dwellings.counts["persons"]), helped)


def _rates(eligibility: Eligibility, zone: Zone, count: Count) -> tuple[dict[str, float], dict[str, float]]:
    """Persons entitled and persons helped, by tier, and `total`."""
    entitled = {tier: zone.total(count.persons * eligibility.eligible[tier][:, None]) for tier in TIERS}
    helped = {tier: zone.total(count.helped[tier]) for tier in TIERS}
    return entitled | {"total": sum(entitled.values())}, helped | {"total": sum(helped.values())}


def _true(eligibility: Eligibility, zone: Zone, count: Count) -> Iterator[list[str]]:
    persons = zone.total(count.persons)
    entitled, helped = _rates(eligibility, zone, count)
    shares = [f"{entitled[tier] / persons:.9f}" for tier in TIERS]
    rates = [f"{100 * (1 - helped[name] / entitled[name]):.6f}" for name in ("total", *TIERS)]
    yield [zone.level, zone.code, zone.generation, str(count.vintage), f"{persons:.0f}", *shares, *rates]


def _national(eligibility: Eligibility, count: Count) -> Iterator[list[str]]:
    whole = next(zone for zone in eligibility.zones() if zone.level == "FRM")
    entitled, helped = _rates(eligibility, whole, count)
    for name in ("total", *TIERS):
        rate = 100 * (1 - helped[name] / entitled[name])
        shown = [_rounded(helped[name]), f"{rate:.0f}", f"{whole.total(count.persons):.0f}"]
        yield [str(count.vintage), name, *shown, SOURCE.format(year=count.vintage)]


def _rounded(persons: float) -> str:
    step = 1_000 if persons >= LARGE else 10
    return str(round(persons / step) * step)
