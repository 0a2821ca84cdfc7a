"""Arrow tables at the doors of the models: columns checked on the way in, sorted on the way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
_TYPES = {"": pa.string(), "f": pa.float64(), "i": pa.int64(), "b": pa.bool_()}


def schema_of(described: str) -> pa.Schema:
    """A schema from its columns, in order: `name` holds text, `name:f` numbers, `name:i` counts, `name:b` yes or no."""
    named = (word.partition(":") for word in described.split())
    return pa.schema([(name, _TYPES[kind]) for name, _, kind in named])


def rows_of(table: pa.Table, name: str, needed: Iterable[str]) -> list[dict[str, Any]]:
    """The rows of an input table as records of the columns that a model reads.

    Raises:
        ValueError: when a column is missing; names the table and the columns.
    """
    wanted = list(needed)
    missing = [column for column in wanted if column not in table.column_names]
    if missing:
        raise ValueError(
            f"Table `{name}`: column(s) {', '.join(missing)} missing; it holds {', '.join(table.column_names)}. "
            "See the docstring of the model for the columns it reads."
        )
    records: list[dict[str, Any]] = table.select(wanted).to_pylist()
    return records


def unique_keys(keys: Sequence[Any], name: str) -> None:
    """Refuse a table in which two rows bear the same key.

    Raises:
        ValueError: names the table and the first repeated key.
    """
    seen: set[Any] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"Table `{name}`: {key} appears twice; give one row per key.")
        seen.add(key)


def table_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema, sort: Sequence[str]) -> pa.Table:
    """Rows as an Arrow table of fixed columns and order; not-a-number becomes null."""
    filled = {
        field.name: pa.array([_plain(row[field.name]) for row in rows], field.type, from_pandas=True)
        for field in schema
    }
    return pa.table(filled, schema=schema).sort_by([(column, "ascending") for column in sort])


def floats(values: Iterable[float | None]) -> Vector:
    """Numbers as a vector; null becomes not-a-number."""
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)


def _plain(value: Any) -> Any:
    """A Python scalar for a numpy one: Arrow infers no null from numpy's not-a-number otherwise."""
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and np.isnan(plain) else plain
