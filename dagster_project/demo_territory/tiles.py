"""INSEE's tiles: 200 metres with imputed values, and natural level, in the official format of Filosofi 2021."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from dagster_project.demo_territory.dwellings import Column, Dwellings
from dagster_project.demo_territory.geometry import to_tiles
from dagster_project.demo_territory.persons import LONE_PARENT
from dagster_project.demo_territory.population import Floats, Ints
from dagster_project.demo_territory.secrecy import least_shown
from dagster_project.demo_territory.writers import csv_bytes, words

TILES = "insee_filosofi_carreaux"
POOREST = 0.8  # of households, at most, are said to be poor
TRIMMED = 0.01  # of standards of living at each end, by département
MESHES = (32_000, 16_000, 8_000, 4_000, 2_000, 1_000, 200)  # metres
COUNTS = words(
    "ind men men_pauv men_1ind men_5ind men_prop men_fmp ind_snv men_surf men_coll men_mais log_av45 log_45_70 "
    "log_70_90 log_ap90 log_inc log_soc ind_0_3 ind_4_5 ind_6_10 ind_11_17 ind_18_24 ind_25_39 ind_40_54 ind_55_64 "
    "ind_65_79 ind_80p ind_inc"
)
COLUMNS = (*words("idcar_200m idcar_1km idcar_nat i_est_200 i_est_1km lcog_geo"), *COUNTS)
NATURAL_COLUMNS = ("idcar_nat", "tmaille", "lcog_geo", *COUNTS)
AGES = (0, 4, 6, 11, 18, 25, 40, 55, 65, 80, 999)
PERIODS = words("log_av45 log_45_70 log_70_90 log_ap90 log_inc")
GEOGRAPHY = 2021

_TENTHS = 10  # values are printed to one decimal


class Tiles:
    """Tiles where somebody lives. Totals over a natural tile are the same in both files."""

    def __init__(self, dwellings: Dwellings) -> None:
        self.dwellings = dwellings
        corners = np.floor(to_tiles(dwellings.settlement.points) / MESHES[-1]).astype(np.int64) * MESHES[-1]
        self.corners, self.tile = np.unique(corners, axis=0, return_inverse=True)
        self.counts = self._counts()
        self.mesh = self._natural()
        self.natural = self.corners // self.mesh[:, None] * self.mesh[:, None]

    def _counts(self) -> dict[str, Floats]:
        """True counts by tile of 200 metres."""
        dwellings, homes, everyone = self.dwellings, self.dwellings.households, self.dwellings.persons
        size, home, block = dwellings.settlement.size, dwellings.settlement.home, dwellings.settlement.block
        columns: dict[str, Column] = {
            "ind": size,
            "men": np.ones(len(size)),
            "men_pauv": homes.poor,
            "men_1ind": size == 1,
            "men_5ind": size >= 5,  # noqa: PLR2004 - persons
            "men_prop": homes.owner,
            "men_fmp": everyone.family == LONE_PARENT,
            "ind_snv": size * self._winsorised(),
            "men_surf": homes.surface,
            "men_coll": block[home] == 1,
            "men_mais": block[home] == 0,
            "log_soc": homes.social,
            "ind_inc": np.zeros(len(size)),
        }
        columns |= {name: homes.period == rank for rank, name in enumerate(PERIODS)}
        for name, low, high in zip(COUNTS[17:27], AGES[:-1], AGES[1:], strict=True):
            columns[name] = dwellings.by_household((everyone.age >= low) & (everyone.age < high))
        found = {name: self._by_tile(dwellings.by_building(columns[name])) for name in COUNTS}
        found["log_soc"] += self._by_tile(homes.vacant_social)
        return found

    def _winsorised(self) -> Floats:
        dwellings = self.dwellings
        codes = np.array([iris.commune.departement for iris in dwellings.zones])[dwellings.iris]
        departement = codes[dwellings.settlement.home]
        income = dwellings.households.income.copy()
        for code in np.unique(departement):
            rows = departement == code
            income[rows] = np.clip(income[rows], *np.quantile(income[rows], (TRIMMED, 1 - TRIMMED)))
        return np.rint(income)

    def _by_tile(self, of_buildings: Floats | Ints) -> Floats:
        return np.bincount(self.tile, weights=of_buildings, minlength=len(self.corners))

    def _natural(self) -> Ints:
        """Mesh of the natural tile of each tile: a square is cut when every inhabited part keeps enough households."""
        least = least_shown(TILES)
        mesh = np.full(len(self.corners), MESHES[0])
        whole = np.ones(len(self.corners), dtype=np.bool_)  # still being cut
        for side, smaller in pairwise(MESHES):
            parents, parts = _groups(self.corners, side), _groups(self.corners, smaller)
            held = np.bincount(parts, weights=self.counts["men"])
            few = np.zeros(parents.max() + 1, dtype=np.bool_)
            few[parents[held[parts] < least]] = True
            whole &= ~few[parents]
            mesh[whole] = smaller
        return mesh

    def communes(self, group: Ints, count: int) -> list[str]:
        """Codes of the communes of each group of tiles, joined, the one with most persons first."""
        dwellings = self.dwellings
        by_cell = [dwellings.territory.commune_at(cell, GEOGRAPHY).code for cell in dwellings.settlement.cells]
        codes = np.array(by_cell)[dwellings.settlement.cell]
        held: list[Counter[str]] = [Counter() for _ in range(count)]
        people = dwellings.counts["persons"].astype(int)
        for place, code, persons in zip(group[self.tile].tolist(), codes.tolist(), people.tolist(), strict=True):
            held[place][code] += persons
        return ["".join(code for code, _ in sorted(one.items(), key=lambda item: (-item[1], item[0]))) for one in held]

    def csv(self) -> bytes:
        """Tiles of 200 metres: those of few households share what their natural tile holds, in proportion of `ind`."""
        count = len(self.corners)
        least = least_shown(TILES)
        masked = self.counts["men"] < least
        kilometre = self.corners // 1_000 * 1_000
        of_kilometre = np.bincount(_groups(self.corners, 1_000), weights=self.counts["men"])[
            _groups(self.corners, 1_000)
        ]
        columns = [
            _names(np.full(count, 200), self.corners),
            _names(np.full(count, 1_000), kilometre),
            _names(self.mesh, self.natural),
            [str(int(flag)) for flag in masked],
            [str(int(few)) for few in of_kilometre < least],
            self.communes(np.arange(count), count),
        ]
        values = self._imputed(masked)
        columns += [_tenths(values[name]) for name in COUNTS]
        return csv_bytes(COLUMNS, list(zip(*columns, strict=True)), separator=",", line_end="\n")

    def _imputed(self, masked: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> dict[str, Ints]:
        """Tenths to print; persons stay true, and totals of each natural tile are kept to the tenth."""
        _, natural = np.unique(np.column_stack([self.mesh, self.natural])[masked], axis=0, return_inverse=True)
        natural = natural.reshape(-1)
        weights = self.counts["ind"][masked]
        found = {}
        for name in COUNTS:
            tenths = np.rint(_TENTHS * _capped(self.counts, name)).astype(np.int64)
            if name != "ind" and masked.any():
                tenths[masked] = _spread(tenths[masked], natural, weights)
            found[name] = tenths
        return found

    def natural_csv(self) -> bytes:
        """Tiles of natural level: true values, enough households each."""
        keys, group = np.unique(np.column_stack([self.mesh, self.natural]), axis=0, return_inverse=True)
        group = group.reshape(-1)
        counts = {name: np.bincount(group, weights=self.counts[name]) for name in COUNTS}
        columns = [
            _names(keys[:, 0], keys[:, 1:]),
            [str(mesh) for mesh in keys[:, 0]],
            self.communes(group, len(keys)),
            *(_tenths(np.rint(_TENTHS * _capped(counts, name)).astype(np.int64)) for name in COUNTS),
        ]
        return csv_bytes(NATURAL_COLUMNS, list(zip(*columns, strict=True)), separator=",", line_end="\n")


def _groups(corners: Ints, side: int) -> Ints:
    """Rank of the square of a given side that holds each tile."""
    _, group = np.unique(corners // side, axis=0, return_inverse=True)
    return np.asarray(group.reshape(-1))


def _capped(counts: dict[str, Floats], name: str) -> Floats:
    return np.minimum(counts[name], np.round(POOREST * counts["men"], 1)) if name == "men_pauv" else counts[name]


def _spread(tenths: Ints, group: Ints, weights: Floats) -> Ints:
    """Share the total of each group among its members in proportion to weights, exactly."""
    total = np.bincount(group, weights=tenths)
    exact = total[group] * weights / np.bincount(group, weights=weights)[group]
    low = np.floor(exact).astype(np.int64)
    missing = np.rint(total).astype(np.int64) - np.bincount(group, weights=low).astype(np.int64)
    order = np.lexsort((low - exact, group))
    starts = np.concatenate([[0], np.cumsum(np.bincount(group))[:-1]])
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - starts[group[order]]
    return np.asarray(low + (rank < missing[group]))


def _names(sides: Ints, corners: Ints) -> list[str]:
    """Inspire identifiers: projection, side, northing and easting of the south-west corner."""
    lines: Sequence[tuple[int, int, int]] = np.column_stack([sides, corners]).tolist()
    return [f"CRS3035RES{side}mN{north}E{east}" for side, east, north in lines]


def _tenths(values: Ints) -> list[str]:
    """« 12 », « 12.5 »."""
    return [
        f"{whole}.{tenth}" if tenth else str(whole)
        for whole, tenth in zip(*map(np.ndarray.tolist, np.divmod(values, 10)), strict=True)
    ]
