"""Filosofi at the levels that QPV are compared with: commune, EPCI, département, région, whole territory."""
# ruff: noqa: PLR2004 - an edition is known by its year

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.demo_territory import names
from dagster_project.demo_territory.income import COMMUNES_YEAR, HOUSEHOLD, UNITS, Incomes
from dagster_project.demo_territory.population import Counts, Floats
from dagster_project.demo_territory.writers import csv_bytes, number, words

LEVELS = {"COM": "COM", "EPCI": "EPCI", "DEP": "DEP", "REG": "REG", "METROPOLE": "FRM"}
YEARS = (2018, 2019)
# Below both, a commune gets its counts and its median only; below the smallest ones, no line at all.
FULL_PERSONS, FULL_HOUSEHOLDS = 2_000, 1_000
LISTED_PERSONS, LISTED_HOUSEHOLDS = 100, 50

_COUNTS = ("NBMEN", "NBPERS", "NBUC")
_DECILES = tuple(f"D{rank}" for rank in (1, 2, 3, 4, 6, 7, 8, 9))
_PARTS = words("PACT PTSA PCHO PBEN PPEN PPAT PPSOC PPFAM PPMINI PPLOGT PIMPOT")
_UNDATED = {"Q3_Q1", "RD"}  # two columns carry no year


@dataclass
class FilosofiTable:
    """True values of one file; `full` tells the zones published in full."""

    level: str
    year: int
    codes: list[str]
    labels: list[str]
    truth: Counts
    full: list[bool]

    @property
    def dataset(self) -> str:
        return f"insee_filosofi_{self.level.lower()}"

    @property
    def path(self) -> str:
        return f"insee/FILO{self.year}_DISP_{self.level}.csv"

    def hidden(self, column: str, row: int) -> bool:
        kept = column.startswith(("NB", f"Q2{self.year - 2000}"))
        return not kept and not self.full[row]

    def to_bytes(self) -> bytes:
        """The file as INSEE's sheet saved as CSV: BOM, no line end after the last line."""
        header = filosofi_columns(self.year)
        rows = [
            [code, label, *(self._cell(column, row) for column in header[2:])]
            for row, (code, label) in enumerate(zip(self.codes, self.labels, strict=True))
        ]
        return csv_bytes(header, rows, bom=True, last_line_end=False)

    def _cell(self, column: str, row: int) -> str:
        if self.hidden(column, row):
            return ""
        value = self.truth[column][row]
        if column.startswith("NB"):
            return number(value, 1 if column.startswith("NBUC") else 0)
        if column == "Q3_Q1":  # a difference of published figures
            low, high = (round(self.truth[f"Q{rank}{self.year - 2000}"][row] / 10) for rank in (1, 3))
            return number(10 * (high - low), 0)
        if column.startswith(("Q", "D")):
            return number(value, 0, step=10)
        if column.startswith("GI"):
            return number(value, 3)
        text = number(value, 1)
        return f"{text}00" if column == "S80S2019" else text  # « 4,200 » in that edition


def filosofi_columns(year: int) -> tuple[str, ...]:
    """Header of the DISP sheets of a year."""
    stems = (*_COUNTS, "Q1", "Q2", "Q3", "Q3_Q1", *_DECILES, "RD", "S80S20", "GI", *_PARTS)
    return ("CODGEO", "LIBGEO", *(stem if stem in _UNDATED else f"{stem}{year - 2000}" for stem in stems))


def filosofi_tables(incomes: Incomes) -> list[FilosofiTable]:
    """Every level for every year."""
    found = []
    for year in YEARS:
        values = _values(incomes, year)
        found += [_table(incomes, level, year, values) for level in LEVELS]
    return found


def _table(incomes: Incomes, level: str, year: int, values: Counts) -> FilosofiTable:
    zones = incomes.zones
    persons = np.rint(zones.persons.sum(axis=1) * (1.0 if year == 2018 else 1.004))
    households = np.rint(persons / HOUSEHOLD)
    listed = (persons >= LISTED_PERSONS) & (households >= LISTED_HOUSEHOLDS)
    rows = [row for row in zones.rows(LEVELS[level]) if listed[row]]
    every = values | {"NBMEN": households, "NBPERS": persons, "NBUC": np.round(persons * UNITS, 1)}
    names_of = _labels(incomes)
    truth = {
        column: every[column if column in _UNDATED else column.removesuffix(str(year - 2000))][rows]
        for column in filosofi_columns(year)[2:]
    }
    codes = [zones.codes[row] for row in rows]
    full = [bool(persons[row] > FULL_PERSONS or households[row] > FULL_HOUSEHOLDS) for row in rows]
    return FilosofiTable(level, year, codes, [names_of[code, LEVELS[level]] for code in codes], truth, full)


def _values(incomes: Incomes, year: int) -> Counts:
    zones = incomes.disposable(year)
    found: dict[str, Floats] = {f"D{rank}": zones.quantile(rank / 10) for rank in range(1, 10)}
    found |= {f"Q{rank}": zones.quantile(rank / 4) for rank in (1, 2, 3)}
    found["Q3_Q1"] = found["Q3"] - found["Q1"]
    found["RD"] = found["D9"] / found["D1"]
    return found | {"S80S20": zones.s80_s20(), "GI": zones.gini()} | incomes.sources(year)


def _labels(incomes: Incomes) -> dict[tuple[str, str], str]:
    territory = incomes.territory
    found = {(commune.code, "COM"): commune.name for commune in territory.communes(COMMUNES_YEAR)}
    found |= {(row[0], "EPCI"): row[2] for row in territory.epci}
    found |= {(code, "DEP"): name for code, name in names.DEPARTEMENTS.items()}
    found |= {(code, "REG"): name for code, name in names.REGIONS.items()}
    return found | {("1", "FRM"): names.PAYS}
