"""Which households have the C2S: in each place, from the poorest, until as many persons as truly take it up."""

from __future__ import annotations

import numpy as np

from dagster_project.demo_territory.eligibility import TIERS, Eligibility
from dagster_project.demo_territory.households import Households
from dagster_project.demo_territory.income import COMMUNES_YEAR
from dagster_project.demo_territory.persons import Persons
from dagster_project.demo_territory.population import Bools, Floats, Ints
from dagster_project.demo_territory.settlement import Settlement
from dagster_project.demo_territory.territory import stream

YEAR = 2022
# On the scale of the logarithm of income: chance, and the old, whose minimum income exceeds the lower ceiling.
NOISE = 0.12
OLD, OLDER = 60, {"np": 0.2, "p": -0.1}


def places(eligibility: Eligibility, settlement: Settlement, qp2015: Ints) -> Ints:
    """Place of each building, by its rank in `eligibility`; `qp2015` is the rank of its QPV of 2015, or -1."""
    count = len(eligibility.territory.qpv2015)
    return np.where(qp2015 >= 0, qp2015, count + communes(eligibility, settlement))


def communes(eligibility: Eligibility, settlement: Settlement) -> Ints:
    """Commune of each building, by its rank in the incomes."""
    rank = {commune.code: number for number, commune in enumerate(eligibility.incomes.communes)}
    of_cells = [rank[eligibility.territory.commune_at(cell, COMMUNES_YEAR).code] for cell in settlement.cells]
    return np.array(of_cells)[settlement.cell]


def helped_households(
    eligibility: Eligibility, settlement: Settlement, households: Households, persons: Persons, place: Ints
) -> dict[str, Bools]:
    """Households that have the C2S, by tier; nobody has it without the others of the household.

    Args:
        eligibility: how many persons take it up in each place.
        settlement: buildings, and persons of each household.
        households: their incomes.
        persons: their ages.
        place: of each building.
    """
    rng = stream(eligibility.territory.seed, "cover")
    of_household, size = place[settlement.home], settlement.size
    people = np.bincount(of_household, weights=size, minlength=len(eligibility.where))
    wanted = eligibility.draw(people, str(YEAR))
    oldest = np.zeros(len(size), dtype=np.int64)
    np.maximum.at(oldest, persons.household, persons.age)
    free = np.ones(len(size), dtype=np.bool_)
    found = {}
    for tier in TIERS:
        key = np.log(households.income) + OLDER[tier] * (oldest >= OLD) + rng.logistic(0, NOISE, len(size))
        found[tier] = _first(key, of_household, np.where(free, size, 0), wanted[tier])
        free &= ~found[tier]
    return found


def _first(key: Floats, group: Ints, size: Ints, wanted: Ints) -> Bools:
    """Households of lowest key in each group, until their persons are as close to `wanted` as they come."""
    order = np.lexsort((key, group))
    reached = np.cumsum(size[order])
    starts = np.concatenate([[0], np.cumsum(np.bincount(group, weights=size, minlength=len(wanted)))[:-1]])
    middle = reached - starts[group[order]] - size[order] / 2
    chosen = np.zeros(len(key), dtype=np.bool_)
    chosen[order] = (middle <= wanted[group[order]]) & (size[order] > 0)
    return chosen
