"""Employer establishments by IRIS: many in city centres and in one estate per city, few elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dagster_project.demo_territory import city_names
from dagster_project.demo_territory.dwellings import Dwellings
from dagster_project.demo_territory.ground import CITY_REACH
from dagster_project.demo_territory.iris import Iris
from dagster_project.demo_territory.population import Floats
from dagster_project.demo_territory.streets import Network, Node
from dagster_project.demo_territory.territory import Commune, Territory, stream

# INSEE's zones d'emploi (2020), by key of EPCI; the commune outside any EPCI belongs to the last.
EMPLOYMENT_ZONES = {"E1": 9801, "E2": 9802, "E3": 9802, "E4": 9803, "E5": 9804, "E6": 9901}
EMPLOYMENT_ZONE_NAMES = {
    9801: "Port-Brumelle",
    9802: "Lisse-et-Confins",
    9803: "Fontvelaine",
    9804: "Noirvau",
    9901: "Castelombre",
}
PER_1000 = 12.0  # employer establishments per 1,000 inhabitants of an IRIS, before the pull of the centre
PULL = 5.0  # how much denser the very centre is
IN_ESTATE, IN_ESTATE_OF_CITY = 160, 520  # of an IRIS of activities; of the estate of the largest city
IN_EMPTY = 6  # of an IRIS where nobody lives
EMPLOYERS = (0.12, 0.19)  # share of establishments that employ


def zone_of(territory: Territory, commune: Commune) -> int:
    """Zone d'emploi of a commune."""
    keys = {row[0]: row[4] for row in territory.epci}
    return EMPLOYMENT_ZONES[keys[commune.epci]] if commune.epci else max(EMPLOYMENT_ZONES.values())


def establishments(dwellings: Dwellings, zones: Sequence[Iris], people: Floats) -> dict[str, Floats]:
    """Columns of Sirene in the compilation by IRIS; nan for a commune that is not cut, as published.

    Args:
        dwellings: the territory.
        zones: one IRIS per row of the table.
        people: inhabitants of each row.
    """
    rng = stream(dwellings.territory.seed, "establishments")
    employers = np.full(len(zones), np.nan)
    for rank, iris in enumerate(zones):
        if iris.kind != "Z":
            employers[rank] = rng.poisson(_expected(dwellings, iris, float(people[rank])))
    every = np.rint(employers / rng.uniform(*EMPLOYERS, len(zones)))
    return {"ecosi_emp_vol_26": employers, "ecosi_etab_vol_26": every}


def _expected(dwellings: Dwellings, iris: Iris, people: float) -> float:
    if iris.kind == "A":
        return IN_ESTATE_OF_CITY if is_city(dwellings, iris) else IN_ESTATE
    if iris.kind == "D":
        return IN_EMPTY
    away = iris.metres.centroid.distance(dwellings.ground.tiles[iris.cell].centroid)
    return PER_1000 * people / 1_000 * (1 + PULL * float(np.exp(-((away / CITY_REACH) ** 2))))


def is_city(dwellings: Dwellings, iris: Iris) -> bool:
    """Whether an IRIS lies in the city that has streets and transit."""
    return iris.cell == dwellings.territory.cell_of[city_names.CITY]


def estate_node(dwellings: Dwellings, city: Network) -> Node:
    """The crossing nearest to the middle of the city's industrial estate."""
    estate = next(iris for iris in dwellings.zones if iris.kind == "A" and is_city(dwellings, iris))
    middle = estate.metres.centroid
    return city.nearest(middle.x, middle.y)


def suburb_node(dwellings: Dwellings, city: Network, estate: Node) -> Node:
    """The crossing nearest to the largest QPV of the city that the boulevard parts from the estate."""
    territory, ground = dwellings.territory, dwellings.ground
    people = dwellings.by_zone(dwellings.counts["persons"], dwellings.qn2024, len(territory.qpv2024))
    cell, row = territory.cell_of[city_names.CITY], city.centre[1]
    found = []
    for qpv, count in zip(territory.qpv2024, people.tolist(), strict=True):
        middle = ground.qpv[qpv.code].centroid
        node = city.nearest(middle.x, middle.y)
        if cell in qpv.cells and (node[1] - row) * (estate[1] - row) <= 0:
            found.append((count, node))
    return max(found)[1]
