"""Streets of the fictitious city and of a small town: grids along the axes of Lambert-93, so that truth stays simple.

Each network has a river with one bridge, one-way streets, a path for walkers only, and streets that no way reaches.
A network has one class of street and one limit of speed: the fastest way is then the shortest, and every router must
find its length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dagster_project.demo_territory import city_names
from dagster_project.demo_territory.geometry import Points, to_degrees
from dagster_project.demo_territory.ground import Ground
from dagster_project.demo_territory.territory import Territory

Node = tuple[int, int]  # column from the west, row from the south
CITY_STEP, TOWN_STEP, TOWN_NODES = 250.0, 400.0, 9
CITY_LIMIT, TOWN_LIMIT = 50, 30  # km/h
DEGREES = 7  # as OpenStreetMap publishes
BANK = -1  # the river runs south of this row, counted from the centre
ONE_WAY_ROW, ONE_WAY_COLUMN = 2, 3  # from the centre
PATH_LENGTH = 4  # blocks that the path of walkers crosses
ISLAND_APART, ISLAND_NODES = 4, 3  # columns between the grid and the island, nodes of its side


@dataclass(frozen=True)
class Street:
    """Nodes in the order of drawing; `tags` are OpenStreetMap's."""

    nodes: tuple[Node, ...]
    tags: dict[str, str]

    @property
    def walkers_only(self) -> bool:
        return self.tags["highway"] == "footway"


@dataclass(frozen=True)
class Network:
    """A street network whose nodes all lie on a lattice of `step` metres from `origin` (EPSG:2154).

    Attributes:
        name: of the commune.
        origin: coordinates of node (0, 0).
        step: metres between neighbouring nodes, in projection.
        columns: nodes from west to east.
        rows: nodes from south to north.
        limit: of speed, km/h, the same in every street.
        centre: the crossing of avenue and boulevard, north of the river; the avenue has the only bridge.
    """

    name: str
    origin: tuple[float, float]
    step: float
    columns: int
    rows: int
    limit: int
    centre: Node
    streets: tuple[Street, ...] = ()

    @property
    def bank(self) -> int:
        """First row north of the river."""
        return self.centre[1] + BANK

    @property
    def island(self) -> Node:
        """South-west corner of the streets that nothing links to the others."""
        return self.columns - 1 + ISLAND_APART, self.centre[1]

    def metres(self, node: Node) -> tuple[float, float]:
        """EPSG:2154."""
        return self.origin[0] + self.step * node[0], self.origin[1] + self.step * node[1]

    def nearest(self, x: float, y: float) -> Node:
        """The node of the grid nearest to a point."""
        column, row = round((x - self.origin[0]) / self.step), round((y - self.origin[1]) / self.step)
        return min(max(column, 0), self.columns - 1), min(max(row, 0), self.rows - 1)

    @cached_property
    def degrees(self) -> dict[Node, tuple[float, float]]:
        """Longitude and latitude of every node, as published."""
        nodes = sorted({node for street in self.streets for node in street.nodes})
        rounded = to_degrees([np.array([self.metres(node) for node in nodes])], DEGREES)[0]
        return {node: (float(lon), float(lat)) for node, (lon, lat) in zip(nodes, rounded, strict=True)}

    @property
    def river(self) -> Points:
        """The middle of the river, EPSG:2154."""
        y = self.metres((0, self.bank))[1] - self.step / 2
        return np.array([(self.metres((column, 0))[0], y) for column in (-1, self.columns)])


def build_city(territory: Territory, ground: Ground) -> Network:
    """The largest commune: the grid covers it and its QPV of both generations."""
    cell = territory.cell_of[city_names.CITY]
    held = [ground.qpv[qpv.code] for qpv in territory.qpv2015 + territory.qpv2024 if cell in qpv.cells]
    bounds = np.array([shape.bounds for shape in (ground.tiles[cell], *held)])
    low = np.floor(bounds[:, :2].min(axis=0) / CITY_STEP)
    high = np.ceil(bounds[:, 2:].max(axis=0) / CITY_STEP)
    columns, rows = (high - low + 1).astype(int).tolist()
    middle = ground.tiles[cell].centroid
    place = np.rint((np.array([middle.x, middle.y]) - low * CITY_STEP) / CITY_STEP).astype(int).tolist()
    origin = tuple((low * CITY_STEP).tolist())
    return _with_streets(Network(city_names.CITY, origin, CITY_STEP, columns, rows, CITY_LIMIT, (place[0], place[1])))


def build_town(territory: Territory, ground: Ground) -> Network:
    """A smaller network, around the middle of a commune that has two QPV."""
    middle = ground.tiles[territory.cell_of[city_names.TOWN]].centroid
    half = TOWN_NODES // 2
    origin = (round(middle.x) - half * TOWN_STEP, round(middle.y) - half * TOWN_STEP)
    return _with_streets(Network(city_names.TOWN, origin, TOWN_STEP, TOWN_NODES, TOWN_NODES, TOWN_LIMIT, (half, half)))


def _with_streets(plan: Network) -> Network:
    streets = (*_columns(plan), *_rows(plan), _path(plan), *_island(plan))
    return replace(plan, streets=streets)


def _tags(plan: Network, name: str, **others: str) -> dict[str, str]:
    return {"highway": "residential", "name": name, "maxspeed": str(plan.limit)} | others


def _columns(plan: Network) -> list[Street]:
    """From south to north; the river cuts all but the avenue."""
    found = []
    for column in range(plan.columns):
        south = tuple((column, row) for row in range(plan.bank))
        north = tuple((column, row) for row in range(plan.bank, plan.rows))
        tags = _tags(plan, f"Rue {city_names.STREETS[column]}")
        if column == plan.centre[0]:
            tags = _tags(plan, city_names.AVENUE, oneway="no")
            bridge = _tags(plan, city_names.BRIDGE, bridge="yes", layer="1")
            found.append(Street((south[-1], north[0]), bridge))
        elif column == plan.centre[0] + ONE_WAY_COLUMN:
            tags |= {"oneway": "-1"}  # drawn northwards, driven southwards
        found += [Street(south, tags), Street(north, tags)]
    return found


def _rows(plan: Network) -> list[Street]:
    """From west to east."""
    found = []
    for row in range(plan.rows):
        tags = _tags(plan, f"Chemin {city_names.STREETS[row]}")
        if row == plan.centre[1]:
            tags = _tags(plan, city_names.BOULEVARD)
        elif row == plan.centre[1] + ONE_WAY_ROW:
            tags |= {"oneway": "yes"}
        found.append(Street(tuple((column, row) for column in range(plan.columns)), tags))
    return found


def _path(plan: Network) -> Street:
    """Across blocks, down to the centre from the north-west: only walkers save the corner."""
    column, row = plan.centre
    nodes = tuple((column - back, row + back) for back in range(PATH_LENGTH, -1, -1))
    return Street(nodes, {"highway": "footway", "name": city_names.PATH, "foot": "yes"})


def _island(plan: Network) -> list[Street]:
    west, south = plan.island
    side = range(ISLAND_NODES)
    lines = [tuple((west + i, south + j) for j in side) for i in side]
    lines += [tuple((west + i, south + j) for i in side) for j in side]
    return [Street(line, _tags(plan, city_names.ISLAND)) for line in lines]
