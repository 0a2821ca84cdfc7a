"""Filosofi by IRIS: quantiles, poverty and shares of income of the persons who live there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.demo_territory.dwellings import Dwellings
from dagster_project.demo_territory.households import INCOME_YEAR
from dagster_project.demo_territory.income import ELSEWHERE, IN_QPV, SOURCES
from dagster_project.demo_territory.population import Counts, Floats, Ints
from dagster_project.demo_territory.territory import stream
from dagster_project.demo_territory.writers import csv_bytes, number, words

FILOSOFI_YEARS = (2017, 2018, 2019)
SUMMARY_YEAR = 2021
PADDED = 99  # columns of the sheet of 2017, most of them empty
LISTED = 200  # persons under which an IRIS has no line
MASKED = 0.18  # share of IRIS whose poverty rate stays hidden because few of their households are poor
QUANTILES = {"Q1": 0.25, "MED": 0.5, "Q3": 0.75} | {f"D{rank}": rank / 10 for rank in (1, 2, 3, 4, 6, 7, 8, 9)}
STEMS = words(
    "TP60 Q1 MED Q3 EQ D1 D2 D3 D4 D6 D7 D8 D9 RD S80S20 GI PACT PTSA PCHO PBEN PPEN PPAT PPSOC PPFAM PPMINI PPLOGT "
    "PIMPOT NOTE"
)


@dataclass
class IrisIncomes:
    """Incomes by IRIS of the contours; nan where INSEE gives nothing."""

    dwellings: Dwellings

    def __post_init__(self) -> None:
        dwellings = self.dwellings
        self.count = len(dwellings.zones)
        home_iris = dwellings.iris[dwellings.settlement.home]
        order = np.lexsort((dwellings.households.income, home_iris))
        self._income = dwellings.households.income[order]
        self._persons = dwellings.settlement.size[order].astype(np.float64)
        self._ends = np.searchsorted(home_iris[order], np.arange(self.count + 1))
        self._line = float(self._income[dwellings.households.poor[order]].max())
        self.people = dwellings.by_zone(dwellings.counts["persons"], dwellings.iris, self.count)
        cut = np.array([iris.kind != "Z" for iris in dwellings.zones])
        self.listed = cut & (self.people >= LISTED)

    def year(self, year: int) -> Counts:
        """True values of a year by the names of the file, without its suffix."""
        rng = stream(self.dwellings.territory.seed, f"iris incomes {year}")
        noise = 0.0 if year == INCOME_YEAR else 0.006  # the truth is that of one year
        rise = np.exp(0.011 * (year - INCOME_YEAR) + rng.normal(0, noise, self.count))
        line = self._line * np.exp(0.011 * (year - INCOME_YEAR))
        found: Counts = {name: np.full(self.count, np.nan) for name in STEMS if name != "NOTE"}
        for rank in np.flatnonzero(self.listed):
            rows = slice(self._ends[rank], self._ends[rank + 1])
            for name, value in _distribution(self._income[rows] * rise[rank], self._persons[rows], line).items():
                found[name][rank] = value
        return found | self._sources(found["TP60"])

    def _sources(self, poverty: Floats) -> Counts:
        """Shares of income between those of QPV and those of elsewhere, by poverty; they add up to 100."""
        near = np.clip((poverty - 8) / 38, 0, 1)
        table = {
            name: elsewhere + near * (inside - elsewhere)
            for name, inside, elsewhere in zip(SOURCES, IN_QPV, ELSEWHERE, strict=True)
        }
        table["PPSOC"] = table["PPFAM"] + table["PPMINI"] + table["PPLOGT"]
        table["PTSA"] = 100 - sum((table[name] for name in SOURCES), np.zeros(self.count))
        return table | {"PACT": table["PTSA"] + table["PCHO"] + table["PBEN"]}

    def hidden(self, poverty: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Where the poverty rate is left empty: few poor households, or nearly all."""
        limit = np.nanquantile(poverty, MASKED)
        return np.asarray(~self.listed | (poverty <= limit) | (poverty > 60))  # noqa: PLR2004 - percent

    def csv(self, year: int) -> bytes:
        """The DISP sheet of a year saved as CSV."""
        values, suffix = self.year(year), str(year - 2000)
        hidden = self.hidden(values["TP60"])
        pad = [""] * (PADDED - 4 - len(STEMS)) if year == FILOSOFI_YEARS[0] else []
        rows = []
        for rank in np.flatnonzero(self.listed):
            iris = self.dwellings.zones[rank]
            cells = [_cell(name, values[name][rank], year) for name in STEMS[1:-1]]
            poverty = "" if hidden[rank] else _cell("TP60", values["TP60"][rank], year)
            rows.append([iris.code, iris.name, iris.commune.code, iris.commune.name, poverty, *cells, "0", *pad])
        header = ["IRIS", "LIBIRIS", "COM", "LIBCOM", *(f"DISP_{name}{suffix}" for name in STEMS), *pad]
        return csv_bytes(header, rows, bom=True)

    def summary(self) -> Counts:
        """Median and poverty of the compilation, 2021."""
        values = self.year(SUMMARY_YEAR)
        poverty = np.where(self.hidden(values["TP60"]), np.nan, np.round(values["TP60"], 0))
        return {"rev_disp_txpauv_21": poverty, "rev_disp_med_21": np.round(values["MED"] / 10) * 10}

    def first_of(self, values: Floats, row: Ints, count: int) -> Floats:
        """Values by row of another list, in which some IRIS became one: none of these is in the file."""
        found = np.full(count, np.nan)
        found[row] = values
        return found


def _distribution(income: Floats, persons: Floats, line: float) -> dict[str, float]:
    """Quantiles, poverty and inequality of persons who share sorted incomes."""
    below = np.cumsum(persons)
    whole = below[-1]
    found = {name: float(income[np.searchsorted(below, level * whole)]) for name, level in QUANTILES.items()}
    found["TP60"] = 100 * float(persons[income <= line].sum()) / whole
    found["EQ"] = (found["Q3"] - found["Q1"]) / found["MED"]
    found["RD"] = found["D9"] / found["D1"]
    mass = np.cumsum(persons * income)
    low, high = (float(np.interp(level * whole, below, mass)) for level in (0.2, 0.8))
    found["S80S20"] = (float(mass[-1]) - high) / low
    lorenz = np.concatenate([[0.0], mass]) / mass[-1]
    found["GI"] = 1 - float(np.sum(persons / whole * (lorenz[1:] + lorenz[:-1])))
    return found


def _cell(name: str, value: float, year: int) -> str:
    if name in QUANTILES:
        return number(value, 0, step=10)
    if name == "GI":
        return number(value, 2 if year == FILOSOFI_YEARS[0] else 3)
    return number(value, 2 if name == "EQ" else 1)
