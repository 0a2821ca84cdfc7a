"""A city of straight streets whose shortest paths are known, and its network, made once per test session.

A square grid of two-way streets, 100 m apart, whose southernmost street is one-way, eastwards; a footpath runs from
its south-west corner nearly to its north-east one, and touches no other corner. A second grid, 5 km to the east, is
joined to nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from dagster_project.routing.roads.engine import LonLat, Mode, crow_metres
from dagster_project.routing.roads.tiles import RoadNetwork, network_for

SIDE, ISLAND_SIDE, STEP_M = 12, 8, 100.0
METRES_PER_DEGREE = 111_195.08
SOUTH_WEST = (-2.0, 47.5)


@dataclass(frozen=True)
class City:
    """Corners of streets, (lon, lat), and the arcs between them by mode."""

    corners: LonLat
    streets: list[tuple[list[int], dict[str, str]]]

    def true_metres(self, mode: Mode) -> np.ndarray:
        """Shortest distances between all corners, by Dijkstra on the streets as they were drawn."""
        arcs: list[tuple[int, int]] = []
        for nodes, tags in self.streets:
            if mode == "voiture" and tags["highway"] == "footway":
                continue
            steps = list(pairwise(nodes))
            arcs += steps
            if mode != "voiture" or tags.get("oneway") != "yes":
                arcs += [(after, before) for before, after in steps]
        start, end = np.array(arcs).T
        metres = crow_metres(self.corners[start], self.corners[end])
        return dijkstra(coo_array((metres, (start, end)), shape=(len(self.corners),) * 2).tocsr())


def corner(column: int, row: int) -> int:
    """Rank of a corner of the main grid."""
    return row * SIDE + column


def build_city() -> City:
    main, island = _grid(0, 0.0, SIDE), _grid(SIDE * SIDE, 5000.0, ISLAND_SIDE)
    corners = np.array(main[0] + island[0]).round(7)
    streets = main[1] + island[1]
    streets[0] = (streets[0][0], {"highway": "residential", "oneway": "yes"})
    streets.append(([corner(0, 0), corner(SIDE - 1, SIDE - 2)], {"highway": "footway"}))
    return City(corners, streets)


def _grid(first: int, east_m: float, side: int) -> tuple[list, list]:
    lon, lat = SOUTH_WEST
    across = METRES_PER_DEGREE * np.cos(np.radians(lat))
    corners = [
        (lon + (east_m + STEP_M * column) / across, lat + STEP_M * row / METRES_PER_DEGREE)
        for row in range(side)
        for column in range(side)
    ]
    rows = [[first + row * side + column for column in range(side)] for row in range(side)]
    lines = rows + [list(line) for line in zip(*rows, strict=True)]
    return corners, [(line, {"highway": "residential"}) for line in lines]


def write_osm(city: City, path: Path, *, mark: bool = False) -> Path:
    """The city as `.osm` XML; `mark` puts a byte order mark before the declaration."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6">']
    lines += [f'<node id="{i + 1}" lon="{lon:.7f}" lat="{lat:.7f}"/>' for i, (lon, lat) in enumerate(city.corners)]
    for rank, (nodes, tags) in enumerate(city.streets, 1):
        lines.append(f'<way id="{rank}">')
        lines += [f'<nd ref="{node + 1}"/>' for node in nodes]
        lines += [f'<tag k="{key}" v="{value}"/>' for key, value in tags.items()] + ["</way>"]
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8-sig" if mark else "utf-8")
    return path


def network_of(path: Path, cache: Path) -> RoadNetwork:
    return network_for(path, hashlib.sha256(path.read_bytes()).hexdigest(), cache)
