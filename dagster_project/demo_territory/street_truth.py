"""True distances over the fictitious streets, by a plain search that shares nothing with the routers they judge."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator

from dagster_project.demo_territory.ground import Ground
from dagster_project.demo_territory.streets import (
    ONE_WAY_COLUMN,
    ONE_WAY_ROW,
    PATH_LENGTH,
    Network,
    Node,
)
from dagster_project.demo_territory.territory import Territory
from dagster_project.demo_territory.truth import FOLDER
from dagster_project.demo_territory.writers import csv_bytes

COLUMNS = (
    *("cas", "reseau", "mode", "origine", "destination", "lon_o", "lat_o", "lon_d", "lat_d"),
    *("atteignable", "metres_grille", "metres", "secondes_min"),
)
MODES = ("voiture", "velo", "marche")
KMH = 3.6

Edges = dict[Node, list[tuple[Node, float, float, float]]]  # to, metres of the grid, true metres, seconds at the limit


def file(territory: Territory, ground: Ground, networks: tuple[Network, Network], estate: Node) -> dict[str, bytes]:
    """rues_distances.csv: one row per case and mode.

    `metres_grille` is the shortest length on the lattice (EPSG:2154), `metres` the same way measured on the ellipsoid
    from the published coordinates, `secondes_min` the least time by car at the limits of speed, turns costing nothing
    (a router may only be slower); all three are empty where no way leads.

    Args:
        territory: its QPV are the origins.
        ground: where QPV stand.
        networks: the city, the town.
        estate: the node of the city's industrial estate.
    """
    rows: list[list[str]] = []
    for network, name in zip(networks, ("rennes", "redon"), strict=True):
        graphs = {mode: edges(network, mode) for mode in MODES}
        work = estate if name == "rennes" else (network.columns - 1, network.rows - 1)
        for rank, (start, end, a, b) in enumerate(_cases(territory, ground, network, work), start=1):
            places = [f"{value:.7f}" for node in (a, b) for value in network.degrees[node]]
            for mode, graph in graphs.items():
                found = [shortest(graph, a, b, kind) for kind in range(3)]
                shown = [f"{value:.3f}" if value is not None else "" for value in found]
                if mode != "voiture":
                    shown[2] = ""
                reached = "0" if found[0] is None else "1"
                rows.append([f"{name}-{rank:02d}", name, mode, start, end, *places, reached, *shown])
    return {f"{FOLDER}/rues_distances.csv": csv_bytes(COLUMNS, rows, separator=",", line_end="\n")}


def edges(network: Network, mode: str) -> Edges:
    """Steps that a mode may take: walkers go everywhere both ways, others neither on paths nor against one-ways."""
    from pyproj import Geod

    ellipsoid = Geod(ellps="WGS84")
    found: Edges = defaultdict(list)
    for street in network.streets:
        if street.walkers_only and mode != "marche":
            continue
        way = street.tags.get("oneway", "no") if mode != "marche" else "no"
        for a, b in zip(street.nodes, street.nodes[1:], strict=False):
            grid = network.step * float(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5)
            true = float(ellipsoid.inv(*network.degrees[a], *network.degrees[b])[2])
            seconds = true / (float(street.tags.get("maxspeed", "30")) / KMH)
            if way != "-1":
                found[a].append((b, grid, true, seconds))
            if way != "yes":
                found[b].append((a, grid, true, seconds))
    return found


def shortest(graph: Edges, start: Node, end: Node, kind: int) -> float | None:
    """Dijkstra's search; `kind` chooses grid metres, true metres or seconds; None where no way leads."""
    best = {start: 0.0}
    queue = [(0.0, start)]
    while queue:
        length, node = heapq.heappop(queue)
        if node == end:
            return length
        if length > best[node]:
            continue
        for to, *costs in graph[node]:
            if length + costs[kind] < best.get(to, float("inf")):
                best[to] = length + costs[kind]
                heapq.heappush(queue, (best[to], to))
    return None


def _cases(territory: Territory, ground: Ground, network: Network, work: Node) -> Iterator[tuple[str, str, Node, Node]]:
    cell = territory.cell_of[network.name]
    column, row = centre = network.centre
    for qpv in territory.qpv2015 + territory.qpv2024:
        if cell in qpv.cells:
            middle = ground.qpv[qpv.code].centroid
            home = network.nearest(middle.x, middle.y)
            yield qpv.code, "centre", home, centre
            yield qpv.code, "zone d'activités", home, work
            yield qpv.code, "île", home, network.island
    north, south = (column - 4, network.bank), (column - 4, network.bank - 1)
    yield "rive nord", "rive sud", north, south
    line = row + ONE_WAY_ROW
    yield "sens unique, dans le sens", "chemin", (column - 2, line), (column + 2, line)
    yield "sens unique, à contresens", "chemin", (column + 2, line), (column - 2, line)
    lane = column + ONE_WAY_COLUMN
    yield "sens unique, dans le sens", "rue", (lane, network.rows - 1), (lane, row)
    yield "sens unique, à contresens", "rue", (lane, row), (lane, network.rows - 1)
    yield "allée piétonne", "centre", (column - PATH_LENGTH, row + PATH_LENGTH), centre
    yield "dans l'île", "dans l'île", network.island, (network.island[0] + 2, network.island[1] + 2)
