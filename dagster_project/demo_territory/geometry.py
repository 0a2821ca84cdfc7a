"""Contours: a tessellation of communes with irregular shared edges, and QPV polygons, at sea in EPSG:2154."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dagster_project.demo_territory.territory import BOW_TIE_2024, COLUMNS, ROWS, Cell, Qpv, Territory, stream

if TYPE_CHECKING:
    from pyproj import Transformer

Points = npt.NDArray[np.float64]

# South-west corner and side of a tile, metres: off the Atlantic coast, where nobody lives.
WEST, SOUTH, SIDE = -90_000.0, 6_530_000.0, 6_000.0
NODE_JITTER, EDGE_JITTER, EDGE_POINTS = 0.10, 0.035, 3
RING_RADIUS = 1_300.0  # where the QPV of a commune stand, around the middle of its tile
CONTOUR_DECIMALS = 4  # degrees, as in the published contours
QPV_DECIMALS = 5


@dataclass(frozen=True)
class Geometry:
    """Rings without their closing point. Tiles are in degrees, already rounded, so that neighbours match exactly."""

    tiles: dict[Cell, Points]  # longitude, latitude
    qpv: dict[str, Points]  # by code of both generations, EPSG:2154, metres


def build_geometry(territory: Territory) -> Geometry:
    """Contours of a territory; the same seed gives the same coordinates."""
    rng = stream(territory.seed, "geometry")
    edges = _edges(rng)
    tiles = {(column, row): _tile(edges, column, row) for column in range(COLUMNS) for row in range(ROWS)}
    degrees = dict(zip(tiles, to_degrees(list(tiles.values()), CONTOUR_DECIMALS), strict=True))
    return Geometry(degrees, _qpv(territory, tiles, edges, rng))


def to_degrees(rings: list[Points], decimals: int) -> list[Points]:
    """EPSG:2154 to longitude, latitude, rounded."""
    return [ring.round(decimals) for ring in _projected(rings, "EPSG:2154", "EPSG:4326")]


def to_metres(rings: list[Points]) -> list[Points]:
    """Longitude, latitude to EPSG:2154: where a published contour really lies, after its rounding."""
    return _projected(rings, "EPSG:4326", "EPSG:2154")


def to_tiles(points: Points) -> Points:
    """EPSG:2154 to EPSG:3035, the projection of INSEE's tiles."""
    return _projected([points], "EPSG:2154", "EPSG:3035")[0]


def _projected(rings: list[Points], source: str, target: str) -> list[Points]:
    together = np.concatenate(rings)
    projected = np.column_stack(_transformer(source, target).transform(together[:, 0], together[:, 1]))
    return np.split(projected, np.cumsum([len(ring) for ring in rings])[:-1])


@cache
def _transformer(source: str, target: str) -> Transformer:  # setting up a projection is slow
    from pyproj import Transformer

    return Transformer.from_crs(source, target, always_xy=True)


def bow_tie(ring: Points) -> Points:
    """The ring with two neighbouring points exchanged, the first two that make it cross itself."""
    from shapely import Polygon

    def exchanged(rank: int) -> Points:
        crossed = ring.copy()
        crossed[[rank, rank + 1]] = crossed[[rank + 1, rank]]
        return crossed

    return next(crossed for crossed in map(exchanged, range(len(ring) - 1)) if not Polygon(crossed).is_valid)


def is_bow_tie(qpv: Qpv) -> bool:
    """Whether the published 2024 perimeter is deliberately invalid, as 85 of the real ones are."""
    return qpv.generation == "QN2024" and qpv.name == BOW_TIE_2024


Edge = tuple[Cell, Cell]


def _edges(rng: np.random.Generator) -> dict[Edge, Points]:
    """Each edge once, from its lower or left node, so that both neighbours use the same points."""
    grid = np.stack(np.meshgrid(np.arange(COLUMNS + 1), np.arange(ROWS + 1), indexing="ij"), axis=-1)
    nodes = np.array([WEST, SOUTH]) + SIDE * (grid + rng.uniform(-NODE_JITTER, NODE_JITTER, grid.shape))
    edges = {}
    steps = np.linspace(0, 1, EDGE_POINTS + 2)[:, None]
    for column in range(COLUMNS + 1):
        for row in range(ROWS + 1):
            for to in ((column + 1, row), (column, row + 1)):
                if to[0] > COLUMNS or to[1] > ROWS:
                    continue
                start, end = nodes[column, row], nodes[to]
                line = start + steps * (end - start)
                across = np.array([start[1] - end[1], end[0] - start[0]])
                line[1:-1] += rng.uniform(-EDGE_JITTER, EDGE_JITTER, (EDGE_POINTS, 1)) * across
                edges[((column, row), to)] = line
    return edges


def _tile(edges: dict[Edge, Points], column: int, row: int) -> Points:
    here, right = (column, row), (column + 1, row)
    above, across = (column, row + 1), (column + 1, row + 1)
    sides = (
        edges[(here, right)],
        edges[(right, across)],
        edges[(above, across)][::-1],
        edges[(here, above)][::-1],
    )
    return np.concatenate([side[:-1] for side in sides])


def _qpv(
    territory: Territory, tiles: dict[Cell, Points], edges: dict[Edge, Points], rng: np.random.Generator
) -> dict[str, Points]:
    found: dict[str, Points] = {}
    for qpv in territory.qpv2015 + territory.qpv2024:
        centre = _centre(qpv, tiles, edges)
        if qpv.parent is None:
            found[qpv.code] = _blob(centre, rng)
        elif qpv.statut == "I":
            found[qpv.code] = found[qpv.parent]
        else:
            found[qpv.code] = _changed(found[qpv.parent], centre, rng)
    return found


def _centre(qpv: Qpv, tiles: dict[Cell, Points], edges: dict[Edge, Points]) -> Points:
    if len(qpv.cells) > 1:  # on the middle of the edge that its two communes share
        upper = max(qpv.cells)
        edge = edges[(upper, (upper[0] + 1, upper[1]))]
        shared: Points = edge[len(edge) // 2]
        return shared
    middle: Points = tiles[qpv.cells[0]].mean(axis=0)
    angle = 2 * np.pi * (qpv.slot + 0.3) / max(qpv.slots, 1)
    return middle + RING_RADIUS * np.array([np.cos(angle), np.sin(angle)])


def _blob(centre: Points, rng: np.random.Generator) -> Points:
    """A star-shaped polygon, hence valid, of 10 to 17 points and 150 to 420 m."""
    count = int(rng.integers(10, 18))
    angles = 2 * np.pi * (np.arange(count) + rng.uniform(-0.3, 0.3, count)) / count
    radii = rng.uniform(180, 420) * rng.uniform(0.85, 1.15, count)
    ring: Points = centre + radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    return np.round(ring, 1)


def _changed(ring: Points, centre: Points, rng: np.random.Generator) -> Points:
    """A modified perimeter: some streets in, some out, seen from the same centre."""
    factors = np.ones(len(ring))
    moved = rng.choice(len(ring), size=len(ring) // 2, replace=False)
    factors[moved] = rng.uniform(0.75, 1.25, len(moved))
    changed: Points = np.round(centre + factors[:, None] * (ring - centre), 1)
    return changed
