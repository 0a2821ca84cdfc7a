"""Components of the indices as arrays: zones in rows, components in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.models.arrow_tables import Mask, Vector, floats, rows_of, unique_keys
from dagster_project.models.parameters import Parameters

KEYS = ("zone_level", "zone_code", "generation", "mesh")
# Reasons for a value that is not there, the strongest first: one that a partner could lift, then secrecy, then scope.
ABSENT = ("convention", "secret_primaire", "secret_secondaire", "non_couvert", "nd")


@dataclass(frozen=True)
class Index:
    """Components of one index; every array is (zones, components). `values` are directed: higher is worse."""

    components: tuple[str, ...]
    values: Vector
    errors: Vector
    statuses: tuple[tuple[str, ...], ...]
    nominal: Vector


@dataclass(frozen=True)
class Panel:
    """Zones sorted by key, their population (0 when unknown) and which of them are the reference."""

    keys: tuple[tuple[str, str, str, str], ...]
    population: Vector
    reference: Mask
    indices: dict[str, Index]

    @property
    def reference_weights(self) -> Vector:
        """Population of reference zones, 0 elsewhere."""
        return np.where(self.reference, self.population, 0.0)


def read_panel(components: pa.Table, reference_level: str, parameters: Parameters) -> Panel:
    """Pivot the long table of components.

    Raises:
        ValueError: a column is missing, a row is repeated, a component is not one of its index, an error is negative,
            one zone has two populations, or no zone of the reference level has a population.
    """
    rows = rows_of(
        components,
        "components",
        [*KEYS, "population", "component", "index_code", "value", "error_sd", "status"],
    )
    unique_keys([(*(row[key] for key in KEYS), row["index_code"], row["component"]) for row in rows], "components")
    people: dict[tuple[str, str, str, str], float] = {}
    for row in rows:
        key = (row["zone_level"], row["zone_code"], row["generation"], row["mesh"])
        count = float(row["population"] or 0.0)
        if people.setdefault(key, count) != count:
            raise ValueError(f"Table `components`: zone {key} has two populations, {people[key]} and {count}.")
    keys = tuple(sorted(people))
    population = np.array([people[key] for key in keys], dtype=np.float64)
    reference = np.array([key[0] == reference_level for key in keys], dtype=bool)
    if not population[reference].sum() > 0:
        raise ValueError(f"Table `components`: no zone of level {reference_level} has a population to refer to.")
    position = {key: number for number, key in enumerate(keys)}
    return Panel(
        keys,
        population,
        reference,
        {
            code: _index(code, [row for row in rows if row["index_code"] == code], position, parameters)
            for code in sorted(parameters.components)
        },
    )


def absence(statuses: Sequence[str]) -> str:
    """Why an index is not there: the reason that all its missing components share, else `nd`."""
    return statuses[0] if len(set(statuses)) == 1 and statuses[0] in ABSENT else "nd"


def _index(code: str, rows: list[dict[str, Any]], position: dict[Any, int], parameters: Parameters) -> Index:
    expected = parameters.components[code]
    unknown = sorted({row["component"] for row in rows} - set(expected))
    if unknown:
        raise ValueError(f"Table `components`: {', '.join(unknown)} is not a component of {code} ({expected}).")
    shape = (len(position), len(expected))
    values, errors = np.full(shape, np.nan), np.zeros(shape)
    statuses = [["nd"] * len(expected) for _ in position]
    number = {component: k for k, component in enumerate(expected)}
    columns = [number[row["component"]] for row in rows]
    lines = [position[tuple(row[key] for key in KEYS)] for row in rows]
    signs = np.array([float(parameters.directions.get(row["component"], 1)) for row in rows])
    values[lines, columns] = floats(row["value"] for row in rows) * signs
    errors[lines, columns] = floats(row["error_sd"] for row in rows)
    if np.any(errors < 0):
        raise ValueError(f"Table `components`: an error_sd of {code} is negative; it is a standard deviation.")
    for line, column, row in zip(lines, columns, rows, strict=True):
        # a value whose status says nothing is as good as published; a hole whose status says nothing is not available
        given = row["status"] or ("nd" if row["value"] is None else "ok")
        statuses[line][column] = "nd" if row["value"] is None and given not in ABSENT else given
    nominal = np.array([float(parameters.weights.get(component, 1.0)) for component in expected])
    return Index(expected, values, errors, tuple(map(tuple, statuses)), nominal / nominal.sum())
