"""True incomes: each place is a lognormal distribution, each zone a mixture of the places it holds.

So quantiles, poverty rate, Gini and S80/S20 of a zone come from one distribution, and QPV, communes, EPCI,
départements, régions and the whole territory agree with each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from dagster_project.demo_territory.population import POP_CENSUS, Counts, Floats, Latent, census
from dagster_project.demo_territory.territory import STRADDLE_SHARE, Commune, Territory, stream

YEARS = (2013, 2014, 2015, 2016, 2017, 2018, 2019)
POVERTY_LINE = 0.6  # of the median of the whole territory
COMMUNES_YEAR = 2021  # geography of the Filosofi files of 2018 and 2019
COVERED = 0.97  # persons in tax households, over inhabitants
UNITS, HOUSEHOLD = 0.66, 2.2  # consumption units and households, from persons

# Shares of disposable income, percent; activity takes what the others leave of 100.
SOURCES = ("PCHO", "PBEN", "PPEN", "PPAT", "PPFAM", "PPMINI", "PPLOGT", "PIMPOT")
IN_QPV = (5.9, 1.4, 24.0, 2.9, 6.6, 9.4, 6.5, -9.2)
ELSEWHERE = (2.9, 4.6, 28.0, 9.8, 2.2, 1.7, 1.0, -16.5)


@dataclass(frozen=True)
class Distributions:
    """Incomes of a set of zones in one year, on a common grid of euros per consumption unit."""

    grid: Floats
    below: Floats  # zones x grid, share of persons under each income

    @cached_property
    def mean(self) -> Floats:
        mean: Floats = self.grid[0] + np.trapezoid(1 - self.below, self.grid, axis=1)
        return mean

    def quantile(self, level: float) -> Floats:
        return np.array([np.interp(level, row, self.grid) for row in self.below])

    def share_below(self, income: float) -> Floats:
        return np.array([np.interp(income, self.grid, row) for row in self.below])

    def gini(self) -> Floats:
        above = 1 - self.below
        gini: Floats = 1 - (self.grid[0] + np.trapezoid(above**2, self.grid, axis=1)) / self.mean
        return gini

    def s80_s20(self) -> Floats:
        """Income of the richest fifth over income of the poorest fifth."""
        middle = (self.grid[1:] + self.grid[:-1]) / 2
        mass = np.cumsum(np.diff(self.below, axis=1) * middle, axis=1)
        low = np.array([np.interp(0.2, row[1:], line) for row, line in zip(self.below, mass, strict=True)])
        high = np.array([np.interp(0.8, row[1:], line) for row, line in zip(self.below, mass, strict=True)])
        ratio: Floats = (mass[:, -1] - high) / low
        return ratio


@dataclass(frozen=True)
class Zones:
    """Rows are zones, columns are places: persons of each place that live in each zone."""

    codes: tuple[str, ...]
    levels: tuple[str, ...]
    persons: Floats

    def rows(self, level: str) -> list[int]:
        return [number for number, found in enumerate(self.levels) if found == level]


class Incomes:
    """Incomes of every QPV, commune, EPCI, département, région and of the whole territory."""

    def __init__(self, territory: Territory, latent: Latent) -> None:
        self.territory = territory
        self.communes = territory.communes(COMMUNES_YEAR)
        self.latent = latent
        rng = stream(territory.seed, "incomes")
        self._drift = rng.normal(0, 0.006, (len(latent.poverty) + len(self.communes), len(YEARS)))
        self._draw_places(rng)
        self.zones = _zones(territory, self.communes, latent)
        self._known: dict[int, Distributions] = {}

    def _draw_places(self, rng: np.random.Generator) -> None:
        qpv, rest = len(self.latent.poverty), len(self.communes)
        level = np.concatenate([9.53 - 0.075 * self.latent.poverty, rng.normal(10.0, 0.07, rest)])
        self._level = level
        self._spread = np.concatenate([rng.normal(0.415, 0.025, qpv), rng.normal(0.45, 0.025, rest)])
        base = np.vstack([np.tile(IN_QPV, (qpv, 1)), np.tile(ELSEWHERE, (rest, 1))])
        self._sources = base * np.exp(rng.normal(0, 0.08, base.shape))

    def disposable(self, year: int) -> Distributions:
        """Disposable income of every zone of `zones` in a year."""
        if year not in self._known:
            centre = self._centre(year)
            self._known[year] = self._mix(centre, self._spread, np.zeros_like(centre))
        return self._known[year]

    def declared(self, year: int) -> Distributions:
        """Declared income, before benefits: wider, and nothing at all for some."""
        poor = np.clip((9.75 - self._level) / 0.25, 0, 2.5)
        return self._mix(self._centre(year) - 0.02 - 0.22 * poor, self._spread + 0.12 + 0.1 * poor, 0.01 + 0.085 * poor)

    def places(self, year: int) -> tuple[Floats, Floats]:
        """Logarithm of the median disposable income of each place in a year, and its logarithmic spread."""
        return self._centre(year), self._spread

    def _centre(self, year: int) -> Floats:
        """Logarithm of the median income of each place: a common rise, and a walk of its own."""
        centre: Floats = self._level + 0.011 * (year - 2013) + np.cumsum(self._drift, axis=1)[:, YEARS.index(year)]
        return centre

    def _mix(self, centre: Floats, spread: Floats, nothing: Floats) -> Distributions:
        grid = np.concatenate([[0.0], np.exp(np.linspace(math.log(10), math.log(600_000), 900))])
        with np.errstate(divide="ignore"):
            steps = (np.log(grid)[None, :] - centre[:, None]) / spread[:, None]
        places = nothing[:, None] + (1 - nothing[:, None]) * normal_below(steps)
        weights = self.zones.persons / self.zones.persons.sum(axis=1, keepdims=True)
        # einsum rather than @, whose last bits depend on the machine's BLAS.
        return Distributions(grid, np.einsum("zp,pg->zg", weights, places))

    def poverty_line(self, year: int) -> float:
        """Euros a year per consumption unit."""
        median = self.disposable(year).quantile(0.5)[self.zones.rows("FRM")[0]]
        return float(POVERTY_LINE * median)

    def sources(self, year: int) -> Counts:
        """Shares of disposable income of every zone, percent, that add up to 100; weighted by income."""
        rank = YEARS.index(year)
        mean = np.exp(self._level + 0.011 * (year - 2013) + self._spread**2 / 2)
        trend = np.ones(len(SOURCES))
        trend[SOURCES.index("PPMINI")] += 0.02 * rank
        trend[SOURCES.index("PPLOGT")] -= 0.015 * rank
        mass = self.zones.persons * mean
        table = (mass @ (self._sources * trend)) / mass.sum(axis=1, keepdims=True)
        found = {name: table[:, number] for number, name in enumerate(SOURCES)}
        found["PPSOC"] = found["PPFAM"] + found["PPMINI"] + found["PPLOGT"]
        found["PTSA"] = 100 - table.sum(axis=1)
        found["PACT"] = found["PTSA"] + found["PCHO"] + found["PBEN"]
        return found


@lru_cache(maxsize=1)
def _normal_table() -> tuple[Floats, Floats]:
    steps = np.linspace(-8, 8, 6_401)
    return steps, np.array([0.5 * (1 + math.erf(step / math.sqrt(2))) for step in steps])


def normal_below(steps: Floats) -> Floats:
    """Normal distribution function by table: numpy has none, and scipy is not needed for anything else."""
    known, values = _normal_table()
    found: Floats = np.interp(steps, known, values)
    return found


def persons_at(commune: Commune, year: int) -> int:
    """Inhabitants of a commune in a year."""
    return round(commune.pop * (1 + commune.growth) ** (year - 2013))


def location(territory: Territory, communes: tuple[Commune, ...], year: int) -> Floats:
    """QPV (2015) x communes: the share of a QPV's inhabitants that lives in each commune."""
    rank = {commune.code: number for number, commune in enumerate(communes)}
    found = np.zeros((len(territory.qpv2015), len(communes)))
    for row, qpv in enumerate(territory.qpv2015):
        parts = (STRADDLE_SHARE, 1 - STRADDLE_SHARE) if len(qpv.cells) > 1 else (1.0,)
        for cell, share in zip(qpv.cells, parts, strict=True):
            found[row, rank[territory.commune_at(cell, year).code]] += share
    return found


def _zones(territory: Territory, communes: tuple[Commune, ...], latent: Latent) -> Zones:
    qpv = COVERED * census(latent, POP_CENSUS[2021], territory.seed, "QP2015")["POP"]
    inside = location(territory, communes, COMMUNES_YEAR) * qpv[:, None]
    people = COVERED * np.array([persons_at(commune, 2018) for commune in communes])
    towns = np.hstack([inside.T, np.diag(people - inside.sum(axis=0))])
    alone = np.hstack([np.diag(qpv), np.zeros((len(qpv), len(communes)))])
    codes = [*(zone.code for zone in territory.qpv2015), "Ensemble"]
    levels = ["QPV"] * len(qpv) + ["ENSEMBLE"]
    rows = [alone, alone.sum(axis=0, keepdims=True)]
    for level, keys in (
        ("COM", [commune.code for commune in communes]),
        ("EPCI", [commune.epci for commune in communes]),
        ("DEP", [commune.departement for commune in communes]),
        ("REG", [commune.region for commune in communes]),
        ("FRM", ["1"] * len(communes)),
    ):
        for code in sorted({key for key in keys if key}):
            codes.append(code)
            levels.append(level)
            rows.append(towns[[key == code for key in keys]].sum(axis=0, keepdims=True))
    return Zones(tuple(codes), tuple(levels), np.vstack(rows))
