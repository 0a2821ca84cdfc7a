"""Where things stand: published contours in EPSG:2154, and points drawn over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dagster_project.demo_territory.geometry import (
    QPV_DECIMALS,
    SIDE,
    Geometry,
    Points,
    bow_tie,
    is_bow_tie,
    to_degrees,
    to_metres,
)
from dagster_project.demo_territory.population import Bools, Floats, Ints
from dagster_project.demo_territory.territory import Cell, Territory

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

# Nobody lives nearer to a perimeter: contours rounded by their producers still hold the same dwellings.
MARGIN = 3.0
CITY = 10_000  # inhabitants above which a commune has a dense centre, and IRIS

# Settlement of a city: share around its centre, the rest anywhere; of a village: share around it, the rest in hamlets.
CITY_CENTRE, CITY_REACH = 0.86, 1_150.0  # reach in metres for 50,000 inhabitants
VILLAGE_CENTRE, VILLAGE_REACH, HAMLETS, HAMLET_REACH = 0.6, 260.0, 5, 110.0


@dataclass(frozen=True)
class Ground:
    """Contours as a reader of the published files finds them: rounded, then repaired."""

    tiles: dict[Cell, BaseGeometry]
    qpv: dict[str, BaseGeometry]
    safe: dict[str, BaseGeometry]  # inside the perimeter as drawn and as published, MARGIN away from both
    taken: BaseGeometry  # every QPV of both generations, with MARGIN around


def build_ground(territory: Territory, geometry: Geometry) -> Ground:
    """Contours of communes and QPV in metres."""
    from shapely import Polygon, make_valid, union_all

    tiles = dict(zip(geometry.tiles, map(Polygon, to_metres(list(geometry.tiles.values()))), strict=True))
    drawn = {code: Polygon(ring) for code, ring in geometry.qpv.items()}
    rounded = to_degrees([geometry.qpv[qpv.code] for qpv in territory.qpv2024], QPV_DECIMALS)
    shown = [bow_tie(ring) if is_bow_tie(qpv) else ring for qpv, ring in zip(territory.qpv2024, rounded, strict=True)]
    published = {qpv.code: drawn[qpv.code] for qpv in territory.qpv2015}
    for qpv, ring in zip(territory.qpv2024, to_metres(shown), strict=True):
        published[qpv.code] = make_valid(Polygon(ring))
    safe = {code: shape.intersection(drawn[code]).buffer(-MARGIN) for code, shape in published.items()}
    return Ground(tiles, published, safe, union_all([*drawn.values(), *published.values()]).buffer(MARGIN))


def points_in(rng: np.random.Generator, shape: BaseGeometry, count: int) -> Points:
    """Points evenly drawn inside a shape."""
    from shapely import contains_xy

    west, south, east, north = shape.bounds
    factor = 1.2 * (east - west) * (north - south) / shape.area
    found: list[Points] = []
    missing = count
    while missing > 0:
        drawn = rng.uniform((west, south), (east, north), (int(factor * missing) + 10, 2))
        inside = drawn[contains_xy(shape, drawn[:, 0], drawn[:, 1])][:missing]
        found.append(inside)
        missing -= len(inside)
    return np.concatenate(found) if found else np.empty((0, 2))


def scattered(rng: np.random.Generator, tile: BaseGeometry, people: float, count: int) -> Points:
    """About `count` points where people live in a commune: towards the centre of a city, by villages elsewhere."""
    from shapely import contains_xy

    middle = np.array([tile.centroid.x, tile.centroid.y])
    if people > CITY:
        reach = CITY_REACH * (people / 50_000) ** 0.25
        near = rng.random(count) < CITY_CENTRE
        anywhere = rng.uniform(-SIDE / 2, SIDE / 2, (count, 2))
        points = middle + np.where(near[:, None], rng.normal(0, reach, (count, 2)), anywhere)
    else:
        places = np.vstack([middle, middle + rng.uniform(-0.4 * SIDE, 0.4 * SIDE, (HAMLETS, 2))])
        reaches = np.array([VILLAGE_REACH] + [HAMLET_REACH] * HAMLETS)
        weights = np.array([VILLAGE_CENTRE] + [(1 - VILLAGE_CENTRE) / HAMLETS] * HAMLETS)
        place = rng.choice(HAMLETS + 1, size=count, p=weights)
        points = places[place] + reaches[place][:, None] * rng.normal(0, 1, (count, 2))
    inside: Bools = contains_xy(tile.buffer(-MARGIN), points[:, 0], points[:, 1])
    return np.asarray(points[inside])


def holder(points: Points, shapes: Sequence[BaseGeometry]) -> Ints:
    """For each point, the rank of the shape that holds it; -1 for none. Shapes do not overlap."""
    import shapely

    tree = shapely.STRtree(shapes)
    found = np.full(len(points), -1, dtype=np.int64)
    where, which = tree.query(shapely.points(points), predicate="intersects")
    found[where] = which
    return found


def waves(rng: np.random.Generator, points: Points) -> Floats:
    """A smooth field of mean 0 and deviation 1: nearby places resemble each other."""
    count = 8
    lengths = rng.uniform(1_800, 7_000, count)
    angles, phases = rng.uniform(0, 2 * np.pi, (2, count))
    field: Floats = np.zeros(len(points))
    for length, angle, phase in zip(lengths, angles, phases, strict=True):
        along = (points[:, 0] * np.cos(angle) + points[:, 1] * np.sin(angle)) / length
        field += np.sqrt(2 / count) * np.cos(2 * np.pi * along + phase)
    return field
