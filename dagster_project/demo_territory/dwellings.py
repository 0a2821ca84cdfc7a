"""The people of the territory, dwelling by dwelling: the truth behind every file of IRIS, tiles and health."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dagster_project.demo_territory import cover, health, households, persons
from dagster_project.demo_territory.eligibility import Eligibility
from dagster_project.demo_territory.estates import build_estates
from dagster_project.demo_territory.geometry import Geometry
from dagster_project.demo_territory.ground import Ground, build_ground, holder
from dagster_project.demo_territory.health import Health
from dagster_project.demo_territory.households import Households
from dagster_project.demo_territory.iris import Iris, build_iris
from dagster_project.demo_territory.persons import Persons
from dagster_project.demo_territory.population import Bools, Floats, Ints, Latent
from dagster_project.demo_territory.qpv_files import Digest
from dagster_project.demo_territory.settlement import Settlement, settle
from dagster_project.demo_territory.territory import Territory

Column = Floats | Ints | Bools


@dataclass(frozen=True)
class Dwellings:
    """Everybody, and the zones of each building: `iris`, `qp2015`, `qn2024` are ranks, -1 for none."""

    territory: Territory
    ground: Ground
    settlement: Settlement
    households: Households
    persons: Persons
    health: Health
    zones: list[Iris]
    iris: Ints
    qp2015: Ints
    qn2024: Ints

    def by_building(self, of_households: Column) -> Floats:
        """Sum of a column of households by building."""
        values = np.asarray(of_households, dtype=np.float64)
        return np.bincount(self.settlement.home, weights=values, minlength=len(self.settlement.points))

    def persons_by_building(self, of_persons: Column) -> Floats:
        """Sum of a column of persons by building."""
        values = np.asarray(of_persons, dtype=np.float64)
        return self.by_building(self.by_household(values))

    def by_household(self, of_persons: Column) -> Floats:
        """Sum of a column of persons by household."""
        values = np.asarray(of_persons, dtype=np.float64)
        return np.bincount(self.persons.household, weights=values, minlength=len(self.settlement.home))

    @cached_property
    def counts(self) -> dict[str, Floats]:
        """True counts by building, under the names of the truth files."""
        social = self.by_building(self.households.social)
        size = self.settlement.size
        found = {
            "persons": self.by_building(size),
            "households": self.by_building(np.ones(len(size))),
            "social_dwellings": social + self.households.vacant_social,
            "social_households": social,
            "social_persons": self.by_building(size * self.households.social),
            "immigrants": self.persons_by_building(self.persons.immigrant),
            "foreigners": self.persons_by_building(self.persons.foreign),
            "poor_persons": self.by_building(size * self.households.poor),
            "poor_households": self.by_building(self.households.poor),
            "caf_households": self.by_building(self.households.caf),
            "covered": self.persons_by_building(self.health.covered),
            "c2s_free": self.persons_by_building(self.health.c2s_free),
            "c2s_paid": self.persons_by_building(self.health.c2s_paid),
        }
        return found | {name: self.persons_by_building(flags) for name, flags in self.health.treated.items()}

    def by_zone(self, of_buildings: Floats, zone: Ints, count: int) -> Floats:
        """Sum of a column of buildings by zone; buildings in none are left out."""
        held = zone >= 0
        return np.bincount(zone[held], weights=of_buildings[held], minlength=count)

    @cached_property
    def person_iris(self) -> Ints:
        """IRIS of each person."""
        return np.asarray(self.iris[self.settlement.home][self.persons.household])


def build_dwellings(
    territory: Territory, geometry: Geometry, latent: dict[str, Latent], eligibility: Eligibility, digest: Digest
) -> Dwellings:
    """Draw the whole population."""
    incomes = eligibility.incomes
    ground = build_ground(territory, geometry)
    inhabitants = dict(zip((qpv.code for qpv in territory.qpv2024), digest.truth["popMuniQPV"].tolist(), strict=True))
    zones = build_iris(territory, geometry, ground, inhabitants)
    estates = build_estates(territory, latent, incomes, digest, ground)
    settlement = settle(territory, ground, zones, estates)
    people = np.bincount(settlement.home, weights=settlement.size, minlength=len(settlement.points))
    whole = np.bincount(settlement.cell, weights=people, minlength=len(settlement.cells))
    places = households.describe_places(territory, ground, settlement, whole)
    homes = households.describe_households(territory, settlement, places, estates, incomes)
    everybody = persons.describe_persons(territory, settlement, places, homes, estates)
    where = holder(settlement.points, [iris.metres for iris in zones])
    old, new = (
        holder(settlement.points, [ground.qpv[qpv.code] for qpv in qpvs])
        for qpvs in (territory.qpv2015, territory.qpv2024)
    )
    hazard = health.hazards(territory, zones, where, new, people, places)
    place = cover.places(eligibility, settlement, old)
    helped = cover.helped_households(eligibility, settlement, homes, everybody, place)
    cared = health.describe_health(territory, settlement, everybody, helped, hazard)
    return Dwellings(territory, ground, settlement, homes, everybody, cared, zones, where, old, new)
