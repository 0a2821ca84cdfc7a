"""IRIS: cities are cut into pieces of about 2,400 inhabitants, other communes are one IRIS each.

The geography is that of 2022, as in the contours of the mirror: communes that merged on 1 January 2024 are still apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dagster_project.demo_territory import names
from dagster_project.demo_territory.geometry import Geometry, Points, to_degrees, to_metres
from dagster_project.demo_territory.ground import CITY, Ground, points_in, scattered
from dagster_project.demo_territory.income import persons_at
from dagster_project.demo_territory.territory import Cell, Commune, Territory, stream

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

CONTOURS_YEAR = 2022
LEGAL_YEAR = 2021
TARGET = 2_400  # inhabitants of an IRIS
SAMPLE = 25  # inhabitants that a drawn point stands for when a city is cut
PER_GROUP = 4  # IRIS of a « grand quartier »
LARGE = 30_000  # cities above have an IRIS of activities
APART = 250.0  # metres between a QPV and an IRIS where few people live
DECIMALS = 9


@dataclass(frozen=True)
class Iris:
    """One IRIS: `kind` is INSEE's TYP_IRIS (H habitat, A activités, D divers, Z a whole commune)."""

    code: str
    name: str
    kind: str
    cell: Cell
    commune: Commune
    contour: BaseGeometry  # degrees, as published

    @cached_property
    def metres(self) -> BaseGeometry:
        """The published contour in EPSG:2154."""
        from shapely import transform

        return transform(self.contour, lambda ring: to_metres([ring])[0])


def build_iris(territory: Territory, geometry: Geometry, ground: Ground, inhabitants: dict[str, float]) -> list[Iris]:
    """Every IRIS, sorted by code.

    Args:
        territory: the communes.
        geometry: contours of communes, in degrees.
        ground: the same in metres, and the QPV.
        inhabitants: by code of QPV of 2024; dense places get smaller IRIS.
    """
    rng = stream(territory.seed, "iris")
    largest = max(territory.communes(CONTOURS_YEAR), key=lambda commune: commune.pop).code
    found: list[Iris] = []
    for rank, commune in enumerate(territory.communes(CONTOURS_YEAR)):
        if persons_at(commune, LEGAL_YEAR) <= CITY:
            (cell,) = commune.cells
            contour = _polygon(geometry.tiles[cell])
            found.append(Iris(f"{commune.code}0000", commune.name, "Z", cell, commune, contour))
            continue
        pieces = [
            (cell, piece)
            for cell in commune.cells
            for piece in _cut(territory, geometry, ground, cell, rng, inhabitants)
        ]
        kinds = _kinds(pieces, ground, activities=commune.pop > LARGE, empty=commune.code == largest)
        for number, ((cell, contour), kind) in enumerate(zip(pieces, kinds, strict=True)):
            group, place = divmod(number, PER_GROUP)
            name = f"{names.IRIS_PLACES[(group + 5 * rank) % len(names.IRIS_PLACES)]} {names.IRIS_SIDES[place]}"
            code = f"{commune.code}{group + 1:02d}{place + 1:02d}"
            found.append(Iris(code, name, kind, cell, commune, contour))
    return sorted(found, key=lambda iris: iris.code)


def _polygon(ring: Points) -> BaseGeometry:
    from shapely import Polygon

    return Polygon(ring)


def _cut(
    territory: Territory,
    geometry: Geometry,
    ground: Ground,
    cell: Cell,
    rng: np.random.Generator,
    inhabitants: dict[str, float],
) -> list[BaseGeometry]:
    """Cells around seeds drawn among inhabitants, cut along the border of the commune; turning around its centre."""
    base = next(commune for commune in territory.base if commune.cells == (cell,))
    people, tile = persons_at(base, LEGAL_YEAR), ground.tiles[cell]
    count = max(1, round(people / TARGET))
    if count == 1:
        return [_polygon(geometry.tiles[cell])]
    here = {qpv.code: inhabitants[qpv.code] for qpv in territory.qpv2024 if qpv.cells[0] == cell}
    points = [points_in(rng, ground.safe[code], round(number / SAMPLE)) for code, number in here.items()]
    points.append(scattered(rng, tile, people, round((people - sum(here.values())) / SAMPLE)))
    seeds = _seeds(rng, np.concatenate(points), count)
    middle = np.array([tile.centroid.x, tile.centroid.y])
    order = np.argsort(np.arctan2(*(seeds - middle).T[::-1]), kind="stable")
    return _voronoi(_polygon(geometry.tiles[cell]), seeds[order])


def _seeds(rng: np.random.Generator, points: Points, count: int) -> Points:
    """Inhabitants chosen at random, moved twice towards the middle of those they are nearest to."""
    seeds = points[rng.choice(len(points), count, replace=False)]
    for _ in range(2):
        nearest = ((points[:, None, :] - seeds[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
        held = np.bincount(nearest, minlength=count)
        sums = np.column_stack([np.bincount(nearest, weights=points[:, axis], minlength=count) for axis in (0, 1)])
        seeds = np.where(held[:, None] > 0, sums / np.maximum(held, 1)[:, None], seeds)
    return seeds


def _voronoi(tile: BaseGeometry, seeds: Points) -> list[BaseGeometry]:
    """In degrees, so that pieces follow the published border exactly; width is scaled to look right on the ground."""
    import shapely

    scale = np.array([np.cos(np.deg2rad(tile.centroid.y)), 1.0])
    flat = to_degrees([seeds], 12)[0] * scale
    around = shapely.transform(tile, lambda ring: ring * scale)
    cells = shapely.voronoi_polygons(shapely.multipoints(flat), extend_to=around.buffer(0.1), ordered=True)
    pieces = [shapely.transform(cell, lambda ring: ring / scale).intersection(tile) for cell in cells.geoms]
    return [shapely.transform(piece, lambda ring: np.round(ring, DECIMALS)) for piece in pieces]


def _kinds(pieces: list[tuple[Cell, BaseGeometry]], ground: Ground, *, activities: bool, empty: bool) -> list[str]:
    """H, but for the remotest piece away from any QPV (A), and the next one (D) of the largest city."""
    from shapely import transform

    kinds = ["H"] * len(pieces)
    if not activities:
        return kinds
    away = []
    for rank, (cell, piece) in enumerate(pieces):
        metres = transform(piece, lambda ring: to_metres([ring])[0])
        if metres.distance(ground.taken) > APART:
            away.append((-metres.centroid.distance(ground.tiles[cell].centroid), rank))
    remote = [rank for _, rank in sorted(away)]
    for kind, rank in zip("AD" if empty else "A", remote, strict=False):
        kinds[rank] = kind
    return kinds
