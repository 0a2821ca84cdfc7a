"""What each household is like: social housing, poverty, income, benefits; exact counts in estates, odds elsewhere."""
# ruff: noqa: PLR2004 - odds of a model, and persons of a household

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dagster_project.demo_territory.estates import Estate
from dagster_project.demo_territory.ground import CITY, Ground, waves
from dagster_project.demo_territory.income import Incomes
from dagster_project.demo_territory.population import Bools, Floats, Ints
from dagster_project.demo_territory.settlement import Settlement
from dagster_project.demo_territory.territory import Territory, stream

INCOME_YEAR = 2019  # poverty line and incomes; other years follow from it
NEAR_QPV = 650.0  # metres over which the character of a QPV fades around it


@dataclass(frozen=True)
class Places:
    """Character of each building: standard scales and odds for a household that stands there outside estates."""

    near: Floats  # closeness to QPV, 0 to about 1
    rich: Floats  # smooth field
    built: Floats  # another one, where social housing was built
    city: Bools


@dataclass(frozen=True)
class Households:
    """One entry per household."""

    social: Bools
    poor: Bools
    caf: Bools
    owner: Bools
    immigrant: Floats  # odds that a member is an immigrant
    income: Floats  # euros a year per consumption unit, 2019
    surface: Ints  # square metres
    period: Ints  # of construction: before 1945, 1945-1969, 1970-1989, since 1990, unknown
    vacant_social: Ints  # per building, social dwellings where nobody lives


def describe_places(territory: Territory, ground: Ground, settlement: Settlement, people: Floats) -> Places:
    """Smooth character of the ground: neighbours of QPV resemble them, so IRIS around are mixed.

    Args:
        territory: seed and QPV.
        ground: their contours.
        settlement: buildings.
        people: inhabitants of each commune of `settlement.cells`.
    """
    rng = stream(territory.seed, "places")
    rich, built = waves(rng, settlement.points), waves(rng, settlement.points)
    near = np.zeros(len(settlement.points))
    for qpv in territory.qpv2015 + tuple(qpv for qpv in territory.qpv2024 if qpv.statut == "N"):
        middle = ground.qpv[qpv.code].centroid
        apart = ((settlement.points - np.array([middle.x, middle.y])) ** 2).sum(axis=1)
        near = np.maximum(near, np.exp(-apart / (2 * NEAR_QPV**2)))
    return Places(near, rich, built, people[settlement.cell] > CITY)


def describe_households(
    territory: Territory, settlement: Settlement, places: Places, estates: Sequence[Estate], incomes: Incomes
) -> Households:
    """Draw every household; those of an estate add up to its counts."""
    rng = stream(territory.seed, "households")
    home, estate, count = settlement.home, settlement.estate, len(settlement.home)
    near, rich, city = places.near[home], places.rich[home], places.city[home]
    block = settlement.block[home] == 1
    inside = estate >= 0
    odds = np.where(settlement.block == 1, 0.13 + 0.25 * places.near, 0.012 + 0.02 * places.near)
    built_social = rng.random(len(settlement.points)) < odds * np.exp(0.7 * places.built - 0.15)
    wanted = _wanted(estates, "SOCIAL")
    held = np.minimum(wanted, _wanted(estates, "MEN"))
    social_key = rng.normal(0, 1, len(settlement.points))[home] + rng.logistic(0, 0.5, count)
    social = most(social_key, estate, held) | (~inside & built_social[home] & (rng.random(count) < 0.93))

    poor_odds = np.clip(0.055 + 0.14 * near - 0.035 * rich + 0.11 * social + 0.012 * city, 0.012, 0.7)
    poor_key = 1.2 * social + 0.25 * (settlement.size > 3) + rng.logistic(0, 1, count)
    poor = _poor(poor_key, settlement, _wanted(estates, "POOR")) | (~inside & (rng.random(count) < poor_odds))
    caf_odds = np.clip(0.14 + 0.5 * poor + 0.1 * (settlement.size > 2) + 0.06 * near, 0, 1)
    caf_key = 2.2 * poor + 0.5 * (settlement.size > 2) + rng.logistic(0, 1, count)
    caf = most(caf_key, estate, _wanted(estates, "CAF")) | (~inside & (rng.random(count) < caf_odds))

    owner = ~social & ~inside & (rng.random(count) < np.where(block, 0.38, 0.82) - 0.25 * poor)
    owner |= inside & ~social & ~poor & (rng.random(count) < 0.35)
    immigrant = np.clip(0.01 + 0.025 * city + 0.1 * near - 0.012 * rich + 0.03 * poor + 0.05 * social, 0.004, 0.6)
    return Households(
        social=social,
        poor=poor,
        caf=caf,
        owner=owner,
        immigrant=immigrant,
        income=_incomes(rng, poor, inside, rich, incomes.poverty_line(INCOME_YEAR)),
        surface=np.rint(np.clip(28 + 14 * settlement.size - 12 * block + rng.normal(0, 12, count), 16, 220)).astype(
            int
        ),
        period=_periods(rng, settlement, inside),
        vacant_social=_vacant(rng, settlement, estates, wanted - held),
    )


def most(key: Floats, group: Ints, wanted: Ints) -> Bools:
    """The `wanted[g]` entries of highest key in each group g; none where the group is -1."""
    chosen = np.zeros(len(key), dtype=np.bool_)
    rows = np.flatnonzero(group >= 0)
    order = rows[np.lexsort((-key[rows], group[rows]))]
    starts = np.concatenate([[0], np.cumsum(np.bincount(group[rows], minlength=len(wanted)))[:-1]])
    rank = np.arange(len(order)) - starts[group[order]]
    chosen[order] = rank < wanted[group[order]]
    return chosen


def _poor(key: Floats, settlement: Settlement, wanted: Ints) -> Bools:
    """Households of highest key whose persons add up to `wanted` in each estate, one by one at the end."""
    poor = np.zeros(len(key), dtype=np.bool_)
    for rank, persons in enumerate(wanted):
        rows = np.flatnonzero(settlement.estate == rank)
        left = int(persons)
        order = rows[np.argsort(-key[rows], kind="stable")]
        kept = np.cumsum(settlement.size[order]) <= left
        poor[order[kept]] = True
        left -= int(settlement.size[order[kept]].sum())
        single = order[~kept & (settlement.size[order] == 1)][:left]
        poor[single] = True
    return poor


def _wanted(estates: Sequence[Estate], name: str) -> Ints:
    return np.array([estate.counts[name] for estate in estates])


def _incomes(rng: np.random.Generator, poor: Bools, inside: Bools, rich: Floats, line: float) -> Floats:
    below = 0.42 + 0.58 * rng.beta(3, 1.1, len(poor))
    above = 1 + rng.gamma(1.7, np.where(inside, 0.3, 0.52 * np.exp(0.18 * rich)))
    found: Floats = np.round(line * np.where(poor, below, above))
    return found


def _periods(rng: np.random.Generator, settlement: Settlement, inside: Bools) -> Ints:
    shares = np.where(inside[:, None], [0.03, 0.55, 0.3, 0.1, 0.02], [0.2, 0.2, 0.28, 0.3, 0.02])
    by_building = rng.random(len(settlement.points))[settlement.home]
    return np.asarray((by_building[:, None] > np.cumsum(shares, axis=1)[:, :-1]).sum(axis=1))


def _vacant(rng: np.random.Generator, settlement: Settlement, estates: Sequence[Estate], count: Ints) -> Ints:
    """Social dwellings beyond households stand vacant, in the buildings of their estate."""
    vacant = np.zeros(len(settlement.points), dtype=np.int64)
    for rank in range(len(estates)):
        buildings = np.unique(settlement.home[settlement.estate == rank])
        if count[rank]:
            np.add.at(vacant, rng.choice(buildings, int(count[rank])), 1)
    return vacant
