"""Small worlds for the statistical models: zones with components, and a square town cut into zones and quarters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.models.parameters import COMPONENTS, SANTE, SOCIO

SEED_CLAIM = {
    "claim_id": "principale",
    "statement_fr": "Tous les quartiers sont dans des zones sensibles.",
    "generation": "QN2024",
    "mesh": "IRIS",
    "index_code": SANTE,
    "cut_quantile": 0.75,
    "share_required": 0.5,
    "is_primary": True,
    "alpha": 0.05,
    "draws": 199,
    "seed": 1,
}


def components(
    values: Mapping[str, np.ndarray],
    *,
    population: Sequence[float] | None = None,
    errors: float = 0.0,
    absent: Mapping[str, str] | None = None,
    others: Mapping[str, Mapping[str, float]] | None = None,
) -> pa.Table:
    """A long table of components.

    Args:
        values: component to (IRIS,) values.
        population: of each IRIS; 1,000 each by default.
        errors: standard error of every value.
        absent: index code to the status of an index without any value.
        others: QPV code to component values, beside the IRIS.
    """
    zones = len(next(iter(values.values())))
    people = [1000.0] * zones if population is None else list(population)
    rows = []
    for index_code, expected in COMPONENTS.items():
        missing = (absent or {}).get(index_code)
        for component in expected:
            cells = [("IRIS", f"I{z:04d}", "COG", people[z], values[component][z]) for z in range(zones)]
            cells += [("QPV", code, "QN2024", 500.0, found[component]) for code, found in (others or {}).items()]
            for level, code, generation, count, value in cells:
                hole = missing is not None or np.isnan(value)
                rows.append(
                    {
                        "zone_level": level,
                        "zone_code": code,
                        "generation": generation,
                        "mesh": level,
                        "population": count,
                        "component": component,
                        "index_code": index_code,
                        "value": None if hole else float(value),
                        "error_sd": None if hole else errors,
                        "status": missing or ("secret_primaire" if hole else "ok"),
                    }
                )
    return pa.Table.from_pylist(rows)


def random_values(zones: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Correlated components, positive and skewed as shares are."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=zones)
    return {
        name: np.exp(2 + 0.5 * common + 0.4 * generator.normal(size=zones))
        for expected in COMPONENTS.values()
        for name in expected
    }


class Town:
    """A square town of `side` × `side` zones of 1,000 people, one commune per 3 × 3 block, one EPCI.

    The index rises from west to east. `quarters` names the zones of each QPV, in equal shares of its population.
    """

    def __init__(self, side: int, quarters: Mapping[str, Sequence[tuple[int, int]]]) -> None:
        self.side = side
        self.cells = [(x, y) for x in range(side) for y in range(side)]
        self.value: dict[tuple[int, int], float | None] = {cell: self.gradient(cell) for cell in self.cells}
        self.quarters = quarters
        self.status = "ok"
        self.population = 1000.0

    def gradient(self, cell: tuple[int, int]) -> float:
        """Position from 0, west, to 100, east; the second coordinate breaks ties."""
        return 100.0 * (cell[0] + (cell[1] + 0.5) / self.side) / self.side

    @staticmethod
    def code(cell: tuple[int, int]) -> str:
        return f"Z{cell[0]:02d}{cell[1]:02d}"

    def zones(self) -> pa.Table:
        return pa.Table.from_pylist(
            [
                {
                    "mesh": "IRIS",
                    "zone_code": self.code(cell),
                    "commune": f"C{cell[0] // 3}{cell[1] // 3}",
                    "epci": "E1",
                    "population": 1000.0,
                    "index_code": index_code,
                    "value": self.value[cell] if self.status == "ok" else None,
                    "status": self.status,
                }
                for cell in self.cells
                for index_code in (SANTE, SOCIO)
            ],
            pa.schema(
                [
                    *((name, pa.string()) for name in ("mesh", "zone_code", "commune", "epci")),
                    ("population", pa.float64()),
                    ("index_code", pa.string()),
                    ("value", pa.float64()),
                    ("status", pa.string()),
                ]
            ),
        )

    def shares(self) -> pa.Table:
        rows = [
            {
                "mesh": "IRIS",
                "generation": "QN2024",
                "qpv_code": quarter,
                "zone_code": self.code(cell),
                "share": 1 / len(cells),
            }
            for quarter, cells in self.quarters.items()
            for cell in cells
        ]
        return pa.Table.from_pylist(rows)

    def neighbours(self) -> pa.Table:
        return pa.Table.from_pylist(
            [
                {"mesh": "IRIS", "zone_code": self.code((x, y)), "neighbour_code": self.code((x + dx, y + dy))}
                for x, y in self.cells
                for dx, dy in ((1, 0), (0, 1))
                if x + dx < self.side and y + dy < self.side
            ]
        )

    def qpv(self) -> pa.Table:
        return pa.Table.from_pylist(
            [
                {"generation": "QN2024", "qpv_code": quarter, "name": quarter.title(), "population": self.population}
                for quarter in self.quarters
            ]
        )

    def income(self) -> pa.Table:
        return pa.Table.from_pylist(
            [
                {"zone_code": self.code(cell), "median_income": 25000.0 - 100.0 * self.gradient(cell)}
                for cell in self.cells
            ]
        )

    def tables(self) -> tuple[pa.Table, ...]:
        """Arguments of `judge` after the claims."""
        return self.zones(), self.shares(), self.neighbours(), self.qpv(), self.income()


def claims(*changes: Mapping[str, Any]) -> pa.Table:
    """The seed claim, and one changed copy of it for each mapping."""
    copies = [SEED_CLAIM | {"claim_id": f"variante_{n}", "is_primary": False} | dict(c) for n, c in enumerate(changes)]
    return pa.Table.from_pylist([SEED_CLAIM, *copies])


def shuffled(table: pa.Table, seed: int = 3) -> pa.Table:
    """The same rows in another order."""
    return table.take(np.random.default_rng(seed).permutation(table.num_rows))


def by(table: pa.Table, *keys: str, where: Mapping[str, Any] | None = None) -> dict[Any, dict[str, Any]]:
    """Rows by key, of those that match."""
    rows: Iterable[dict[str, Any]] = table.to_pylist()
    kept = [row for row in rows if all(row[name] == value for name, value in (where or {}).items())]
    return {tuple(row[key] for key in keys) if len(keys) > 1 else row[keys[0]]: row for row in kept}
