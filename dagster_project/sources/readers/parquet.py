"""Parquet: every column as text, so that a raw table looks the same whatever its source."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from dagster_project.sources.readers.base import Parsed, ReadError, Source
from dagster_project.sources.readers.columns import read_header

if TYPE_CHECKING:
    import pyarrow as pa


def read(source: Source) -> Parsed:
    """Read a Parquet file; raises ReadError (not Parquet, missing columns, a type that has no text)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(source.path) as opened:
            header = read_header(source, opened.schema_arrow.names)
            columns = {
                name: _as_text(source, name, opened.read(columns=[cell]).column(0))
                for name, cell in zip(header.named, header.kept_cells, strict=True)
            }
            count = opened.metadata.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise ReadError(
            f"{source.where}: not a readable Parquet file ({error}); fetch it again or put a complete copy in the inbox"
        ) from error
    rows = np.arange(1, count + 1, dtype=np.int64)
    return Parsed(header.kept_cells, columns, rows, [], source.parts[0])


def _as_text(source: Source, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Nulls stay null, text stays as it is, numbers and dates are written out, nested values become JSON.

    Row numbers being those of records, and texts those of the shortest decimal, a cell can be found again and read by
    any other Parquet library.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(source, name, pc.cast(column, kind.value_type))
    if pa.types.is_nested(kind):
        values = [None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in column.to_pylist()]
        return pa.chunked_array([pa.array(values, type=pa.string())])
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        values = [None if v is None else v.hex() for v in column.to_pylist()]
        return pa.chunked_array([pa.array(values, type=pa.string())])
    try:
        text = pc.cast(column, pa.string())
        return _plain_numbers(column, text) if pa.types.is_floating(kind) else text
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ReadError(
            f"{source.where}: column {name!r} of type {kind} cannot be written as text ({error})"
        ) from error


def _plain_numbers(column: pa.ChunkedArray, text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Shortest decimal text that gives the same double back, never with an exponent; NaN is an empty cell."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.if_else(pc.is_nan(column), "", text)
    if not pc.any(pc.match_substring(text, "e")).as_py():
        return text
    cells = [format(Decimal(cell), "f") if cell and "e" in cell else cell for cell in text.to_pylist()]
    return pa.chunked_array([pa.array(cells, type=pa.string())])
