"""Households and the buildings they live in: estates hold their exact counts, communes their legal population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dagster_project.demo_territory.admin import LEGAL_GEOGRAPHY, legal_population
from dagster_project.demo_territory.estates import Estate
from dagster_project.demo_territory.geometry import Points
from dagster_project.demo_territory.ground import CITY, Ground, holder, points_in, scattered
from dagster_project.demo_territory.iris import Iris
from dagster_project.demo_territory.population import Ints, split
from dagster_project.demo_territory.territory import Cell, Territory, stream

BLOCK = 24  # households of a building of a QPV
IN_A = 0.06  # share of the settlement that an IRIS of activities keeps
SHARES = np.array([0.365, 0.33, 0.14, 0.115, 0.04, 0.01])  # households of 1 to 6 persons outside QPV
HOUSEHOLD = float(SHARES @ np.arange(1, 7))
CITY_BLOCKS = 0.4  # share of collective buildings in a city


@dataclass(frozen=True)
class Settlement:
    """Buildings, then households: `home` is the building of each, `estate` its rank among estates or -1."""

    points: Points  # EPSG:2154, to the decimetre as published
    cell: Ints  # rank of the commune in `cells`
    block: Ints  # 1 for a collective building
    home: Ints
    size: Ints  # persons
    estate: Ints
    cells: tuple[Cell, ...]


class _Builder:
    def __init__(self) -> None:
        self.points: list[Points] = []
        self.cell: list[Ints] = []
        self.block: list[Ints] = []
        self.home: list[Ints] = []
        self.size: list[Ints] = []
        self.estate: list[Ints] = []
        self.buildings = 0

    def add(self, points: Points, cell: int, block: Ints, homes: Ints, sizes: Ints, estate: int) -> None:
        self.points.append(points)
        self.cell.append(np.full(len(points), cell))
        self.block.append(block)
        self.home.append(homes + self.buildings)
        self.size.append(sizes)
        self.estate.append(np.full(len(sizes), estate))
        self.buildings += len(points)

    def finish(self, cells: tuple[Cell, ...]) -> Settlement:
        home = np.concatenate(self.home)
        held, home = np.unique(home, return_inverse=True)  # a building where nobody lives is not one
        points = np.round(np.concatenate(self.points), 1)[held]
        cell, block = np.concatenate(self.cell)[held], np.concatenate(self.block)[held]
        return Settlement(points, cell, block, home, np.concatenate(self.size), np.concatenate(self.estate), cells)


def settle(territory: Territory, ground: Ground, iris: Sequence[Iris], estates: Sequence[Estate]) -> Settlement:
    """Everybody has a home: persons of a commune are its legal population, those of a QPV of 2024 its digest's."""
    rng = stream(territory.seed, "settlement")
    cells = tuple(ground.tiles)
    builder = _Builder()
    housed = np.zeros(len(cells), dtype=np.int64)
    for rank, estate in enumerate(estates):
        sizes = rng.permutation(_estate_sizes(rng, estate))
        shares = np.array([[plot.share for plot in estate.plots]])
        ends = np.cumsum(split(np.array([len(sizes)]), shares)[0])
        for plot, part in zip(estate.plots, np.split(sizes, ends[:-1]), strict=True):
            count = max(1, round(len(part) / BLOCK))
            homes = np.sort(rng.integers(0, count, len(part)))
            where = cells.index(plot.cell)
            builder.add(points_in(rng, plot.ground, count), where, np.ones(count, np.int64), homes, part, rank)
            housed[where] += part.sum()
    for where, cell in enumerate(cells):
        people = _people(territory)[cell]
        _settle_around(rng, builder, ground, iris, where=where, people=people - int(housed[where]), whole=people)
    return builder.finish(cells)


def _people(territory: Territory) -> dict[Cell, int]:
    """Legal population of each tile; that of a merged commune is shared as before its merger."""
    found: dict[Cell, int] = {}
    before = {commune.cells[0]: commune.pop for commune in territory.base}
    for commune in territory.communes(LEGAL_GEOGRAPHY):
        parts = np.array([[before[cell] for cell in commune.cells]], dtype=np.float64)
        shared = split(np.array([legal_population(commune)[0]]), parts)[0]
        found |= dict(zip(commune.cells, shared.tolist(), strict=True))
    return found


def _estate_sizes(rng: np.random.Generator, estate: Estate) -> Ints:
    """Persons of each household of an estate, that add up to its population."""
    counts = estate.counts
    sizes = np.repeat([1, 2, 3, 4, 6], [counts[name] for name in ("MEN1", "MEN2", "MEN3", "MEN45", "MEN6")])
    left = max(0, counts["POP"] - int(sizes.sum()))
    fours, sixes = np.flatnonzero(sizes == 4), np.flatnonzero(sizes == 6)  # noqa: PLR2004 - persons
    five = min(len(fours), left // 2)
    sizes[rng.choice(fours, five, replace=False)] += 1
    large = sixes if len(sixes) else np.arange(len(sizes))
    sizes[large] += rng.multinomial(left - five, np.full(len(large), 1 / len(large)))
    return sizes


def _settle_around(
    rng: np.random.Generator,
    builder: _Builder,
    ground: Ground,
    iris: Sequence[Iris],
    *,
    where: int,
    people: int,
    whole: int,
) -> None:
    """The commune outside QPV: `people` of its `whole` population."""
    cell = tuple(ground.tiles)[where]
    sizes = _sizes(rng, people)
    city = whole > CITY
    tile = ground.tiles[cell]
    count = max(8, round(len(sizes) / (8.7 if city else 4.0)))
    points = _outside(rng, scattered(rng, tile, whole, 2 * count), ground, [i for i in iris if i.cell == cell])[:count]
    block = (rng.random(len(points)) < (CITY_BLOCKS if city else 0.03)).astype(np.int64)
    room = np.where(block == 1, rng.integers(8, 30, len(points)), rng.integers(1, 5 if city else 8, len(points)))
    homes = np.sort(rng.choice(len(points), len(sizes), p=room / room.sum()))
    builder.add(points, where, block, homes, sizes, -1)


def _sizes(rng: np.random.Generator, people: int) -> Ints:
    """Persons of each household, that add up to `people`."""
    sizes = 1 + rng.choice(len(SHARES), max(1, round(people / HOUSEHOLD)), p=SHARES)
    gap = people - int(sizes.sum())
    while gap:
        able = np.flatnonzero(sizes > 1) if gap < 0 else np.arange(len(sizes))
        moved = rng.choice(able, min(abs(gap), len(able)), replace=False)
        sizes[moved] += np.sign(gap)
        gap = people - int(sizes.sum())
    return sizes


def _outside(rng: np.random.Generator, points: Points, ground: Ground, here: Sequence[Iris]) -> Points:
    """Points outside every QPV, where an IRIS of activities keeps few and one of type D none."""
    from shapely import contains_xy

    kept = ~contains_xy(ground.taken, points[:, 0], points[:, 1])
    kinds = np.array([iris.kind for iris in here])[holder(points, [iris.metres for iris in here])]
    kept &= (kinds != "D") & ((kinds != "A") | (rng.random(len(points)) < IN_A))
    return np.asarray(points[kept])
