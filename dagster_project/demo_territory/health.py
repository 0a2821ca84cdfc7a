"""Who is covered and who is treated: odds by age and sex, raised or lowered by the IRIS.

The effect planted here: every QPV of 2024 but one lives mostly in IRIS whose health is worse than the others'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dagster_project.demo_territory import names
from dagster_project.demo_territory.ground import waves
from dagster_project.demo_territory.households import Places
from dagster_project.demo_territory.iris import Iris
from dagster_project.demo_territory.persons import Persons
from dagster_project.demo_territory.population import Bools, Floats, Ints
from dagster_project.demo_territory.settlement import Settlement
from dagster_project.demo_territory.territory import Qpv, Territory, stream

COVERED = 0.93  # persons of the régime général
# Hazard of each condition: in the IRIS of QPV, more of it where the QPV (younger people) fills the IRIS; in those of
# the counter-example; in a few IRIS far from any QPV, because fragile zones are not all QPV.
RAISED, FILLED, LOWERED, ELSEWHERE = 2.2, 1.0, 0.72, 2.3
HOSTED = 0.62  # least share of the persons of a QPV that live in its raised IRIS
WORSE = 0.215  # share of everybody who lives in raised IRIS: less than the quarter above the third quartile
FAR = 0.03  # at most, of everybody, in raised IRIS far from any QPV
# Logarithm of the hazard of a QPV against the rest of its IRIS: its mean and spread over QPV.
CONTRAST, CONTRAST_SPREAD = 0.5, 0.35
CONDITIONS = ("asthme", "diabete", "ald")

# Share of persons treated by age, before the effect of the place.
_AGES = np.array([0, 10, 20, 40, 55, 70, 85, 101])
_BASE = {
    "asthme": np.array([0.05, 0.055, 0.035, 0.04, 0.05, 0.06, 0.055, 0.05]),
    "diabete": np.array([0.001, 0.002, 0.004, 0.018, 0.07, 0.15, 0.15, 0.12]),
    "ald": np.array([0.012, 0.018, 0.022, 0.055, 0.15, 0.33, 0.52, 0.6]),
}
_MEN = {"asthme": 0.92, "diabete": 1.25, "ald": 1.12}


@dataclass(frozen=True)
class Health:
    """One entry per person; nobody outside the régime général is counted in any of the others, but `helped`."""

    covered: Bools
    helped: dict[str, Bools]  # has the C2S, by tier, whatever the scheme that covers the person
    c2s_free: Bools  # without participation
    c2s_paid: Bools
    treated: dict[str, Bools]  # by condition


def hazards(
    territory: Territory, iris: Sequence[Iris], where: Ints, qpv: Ints, people: Floats, places: Places
) -> Floats:
    """What the place does to health, by building: 1 is neutral.

    Inside an IRIS, people of a QPV are in worse health than their neighbours, more so in some QPV than in others; the
    IRIS as a whole keeps its level. Without this, IRIS would tell all there is to know of the QPV that they host.

    Args:
        territory: seed and QPV of 2024.
        iris: the IRIS that `where` counts.
        where: IRIS of each building.
        qpv: rank of the QPV of 2024 of each building, or -1.
        people: persons of each building.
        places: closeness of buildings to QPV.
    """
    rng = stream(territory.seed, "hazards")
    count = len(iris)
    total = np.bincount(where, weights=people, minlength=count)
    middles = np.array([[piece.metres.centroid.x, piece.metres.centroid.y] for piece in iris])
    found: Floats = np.exp(0.05 * waves(rng, middles) + rng.normal(0, 0.02, count))
    near = np.bincount(where, weights=people * places.near, minlength=count) / np.maximum(total, 1)
    hosts = np.zeros(count, dtype=np.bool_)
    filled = np.bincount(where, weights=people * (qpv >= 0), minlength=count) / np.maximum(total, 1)
    for rank, of in enumerate(territory.qpv2024):
        inside = np.bincount(where[qpv == rank], weights=people[qpv == rank], minlength=count)
        if is_counter_example(of):
            found[inside > 0] = LOWERED
        else:
            hosts[_lightest(inside, total)] = True
    found[hosts] = RAISED + FILLED * filled[hosts]
    far = rng.permutation(np.flatnonzero((near < 0.02) & (total > 0)))  # noqa: PLR2004 - out of reach of any QPV
    room = min(FAR * total.sum(), WORSE * total.sum() - total[hosts].sum())
    found[far[np.cumsum(total[far]) <= room]] = ELSEWHERE
    return _contrasted(found, where, qpv, people, _contrasts(territory))


def _contrasts(territory: Territory) -> Floats:
    """How much worse the health of each QPV is than its neighbours'; the counter-example's is the same."""
    rng = stream(territory.seed, "contrasts")
    drawn: Floats = np.exp(rng.normal(CONTRAST, CONTRAST_SPREAD, len(territory.qpv2024)))
    return np.where([is_counter_example(of) for of in territory.qpv2024], 1.0, drawn)


def _contrasted(levels: Floats, where: Ints, qpv: Ints, people: Floats, contrasts: Floats) -> Floats:
    """Hazard by building: those of QPV raised by their contrast, then all scaled to the level of their IRIS."""
    relative = np.where(qpv >= 0, contrasts[qpv], 1.0)
    count = len(levels)
    mean = np.bincount(where, weights=people * relative, minlength=count) / np.maximum(
        np.bincount(where, weights=people, minlength=count), 1
    )
    raised: Floats = levels[where] * relative / np.where(mean > 0, mean, 1.0)[where]
    return raised


def _lightest(inside: Floats, total: Floats) -> Ints:
    """The least populated set of IRIS that holds the share HOSTED of a QPV."""
    ranks = np.flatnonzero(inside > 0)
    enough = HOSTED * inside.sum()
    sets = [list(chosen) for size in range(1, len(ranks) + 1) for chosen in combinations(ranks.tolist(), size)]
    able = [chosen for chosen in sets if inside[chosen].sum() >= enough]
    return np.array(min(able, key=lambda chosen: float(total[chosen].sum())))


def is_counter_example(qpv: Qpv) -> bool:
    """Whether the QPV is the one that refutes the claim."""
    return qpv.name == names.COUNTER_EXAMPLE


def describe_health(
    territory: Territory, settlement: Settlement, persons: Persons, helped: dict[str, Bools], hazard: Floats
) -> Health:
    """Draw cover and care; `hazard` is by building, `helped` the households that have the C2S."""
    rng = stream(territory.seed, "health")
    count = len(persons.age)
    covered = rng.random(count) < COVERED
    effect = hazard[settlement.home][persons.household]
    treated = {}
    for name, base in _BASE.items():
        risk = np.interp(persons.age, _AGES, base) * np.where(persons.woman, 1.0, _MEN[name])
        treated[name] = covered & (rng.random(count) < 1 - (1 - np.minimum(risk, 0.9)) ** effect)
    found = {tier: flags[persons.household] for tier, flags in helped.items()}
    return Health(covered, found, covered & found["np"], covered & found["p"], treated)
