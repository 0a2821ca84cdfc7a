"""Persons of each household: sex, age, origin, and their place in the family."""
# ruff: noqa: PLR2004 - odds of a model, and persons of a household

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dagster_project.demo_territory.estates import Estate
from dagster_project.demo_territory.households import Households, Places, most
from dagster_project.demo_territory.population import Bools, Floats, Ints
from dagster_project.demo_territory.settlement import Settlement
from dagster_project.demo_territory.territory import Territory, stream

OLDEST = 101
GROWN = 31  # children live at home until then at most
COUPLE = 2  # persons
LONE, LONE_PARENT, ALONE_TOGETHER, WITH_CHILDREN = 0, 1, 2, 3  # kinds of family, as CAF counts them


@dataclass(frozen=True)
class Persons:
    """One entry per person, household by household; `family` has one entry per household."""

    household: Ints
    age: Ints
    woman: Bools
    child: Bools
    immigrant: Bools
    foreign: Bools
    family: Ints


def describe_persons(
    territory: Territory, settlement: Settlement, places: Places, households: Households, estates: Sequence[Estate]
) -> Persons:
    """Draw everybody; immigrants and foreigners of an estate add up to its counts."""
    rng = stream(territory.seed, "persons")
    size = settlement.size
    household = np.repeat(np.arange(len(size)), size)
    place = np.arange(len(household)) - np.repeat(np.cumsum(size) - size, size)
    inside = settlement.estate >= 0
    family = _families(rng, size, inside)
    head = _heads(rng, family, inside, ~places.city[settlement.home])
    child = place >= np.array([1, 1, 2, 2])[family][household]
    partner = ~child & (place == 1)
    age = _ages(rng, head[household], child, partner)
    head_woman = rng.random(len(size)) < np.array([0.55, 0.83, 0.15, 0.2])[family]
    woman = np.where(child, rng.random(len(age)) < 0.49, head_woman[household] ^ partner)
    group = settlement.estate[household]
    immigrant, foreign = _origins(rng, household, group, households.immigrant, estates)
    return Persons(household, age, woman, child, immigrant, foreign, family)


def _families(rng: np.random.Generator, size: Ints, inside: Bools) -> Ints:
    lone = rng.random(len(size)) < np.where(inside, 0.36, 0.2)
    with_parent = np.where(lone & (size <= 5), LONE_PARENT, WITH_CHILDREN)
    pair = np.where(lone, LONE_PARENT, ALONE_TOGETHER)
    return np.asarray(np.select([size == 1, size == COUPLE], [LONE, pair], with_parent))


def _heads(rng: np.random.Generator, family: Ints, inside: Bools, rural: Bools) -> Ints:
    """Age of the first adult: QPV are younger, villages older."""
    count = len(family)
    shift = np.where(inside, -2.0, np.where(rural, 4.0, 0.0))
    parents = 24 + 40 * rng.beta(2.2, 2.3, count)
    young = rng.random(count) < np.where(inside, 0.3, 0.24)
    alone = np.where(young, rng.uniform(19, 34, count), 34 + 62 * rng.beta(1.9, 1.6, count) + shift)
    together = np.where(young, rng.uniform(22, 36, count), 40 + 50 * rng.beta(2.0, 1.7, count) + shift)
    found = np.select([family == LONE, family == ALONE_TOGETHER], [alone, together], parents)
    return np.clip(np.floor(found), 18, OLDEST).astype(np.int64)


def _ages(rng: np.random.Generator, head: Ints, child: Bools, partner: Bools) -> Ints:
    top = np.clip(head - 19, 1, GROWN)
    young = np.floor(rng.random(len(head)) * top)
    beside = np.clip(head + np.rint(rng.normal(0, 3, len(head))), 18, OLDEST)
    found: Floats = np.where(child, young, np.where(partner, beside, head))
    return found.astype(np.int64)


def _origins(
    rng: np.random.Generator, household: Ints, group: Ints, odds: Floats, estates: Sequence[Estate]
) -> tuple[Bools, Bools]:
    count = len(household)
    shared = rng.random(len(odds))[household]  # members of a household come from the same place
    here = rng.random(count)
    inside = group >= 0
    key = 1.6 * rng.normal(0, 1, len(odds))[household] + rng.logistic(0, 0.7, count)
    immigrant = most(key, group, np.array([estate.counts["IMMI"] for estate in estates]))
    immigrant |= ~inside & (shared < 1.25 * odds[household]) & (here < 0.8)
    second = key + 2.5 * immigrant + rng.logistic(0, 0.7, count)
    foreign = most(second, group, np.array([estate.counts["ET"] for estate in estates]))
    drawn = rng.random(count)
    foreign |= ~inside & np.where(immigrant, drawn < 0.62, (shared < 1.25 * odds[household]) & (drawn < 0.3))
    return immigrant, foreign
