"""Building Arrow columns from Python text without `pa.array`, which imports pandas (1 s) for any Python value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

BATCH_ROWS = 20_000  # rows held as Python objects before they become Arrow columns


def _offsets(lengths: npt.NDArray[np.int64]) -> pa.Buffer:
    offsets = np.zeros(len(lengths) + 1, dtype=np.int32)
    if (total := int(lengths.sum())) > np.iinfo(np.int32).max:
        raise OverflowError(f"{total} bytes in one batch of {len(lengths)} cells")
    np.cumsum(lengths, out=offsets[1:])
    return pa.py_buffer(offsets)


def _variable_width(values: Sequence[bytes | None], kind: pa.DataType) -> pa.Array:
    lengths = np.fromiter((0 if v is None else len(v) for v in values), dtype=np.int64, count=len(values))
    present = np.fromiter((v is not None for v in values), dtype=bool, count=len(values))
    nulls = len(values) - int(present.sum())
    validity = pa.py_buffer(np.packbits(present, bitorder="little")) if nulls else None
    data = pa.py_buffer(b"".join(v for v in values if v is not None))
    return pa.Array.from_buffers(kind, len(values), [validity, _offsets(lengths), data], nulls)


def text_array(values: Sequence[str | None]) -> pa.Array:
    """Text column; None is null and '' stays ''."""
    given = [v for v in values if v is not None]
    joined = "".join(given)
    if len(given) == len(values) and joined.isascii():  # one character is one byte: no need to encode each cell
        lengths = np.fromiter(map(len, given), dtype=np.int64, count=len(given))
        buffers = [None, _offsets(lengths), pa.py_buffer(joined.encode("ascii"))]
        return pa.Array.from_buffers(pa.string(), len(given), buffers, 0)
    return _variable_width([None if v is None else v.encode("utf-8") for v in values], pa.string())


def binary_array(values: Sequence[bytes | None]) -> pa.Array:
    """Binary column; None is null."""
    return _variable_width(values, pa.binary())


def int64_array(values: npt.NDArray[np.int64]) -> pa.Array:
    """Integer column without nulls."""
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))], 0)


def constant_array(value: str, count: int) -> pa.Array:
    """The same text `count` times."""
    data = value.encode("utf-8")
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(len(data))
    return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(data * count)], 0)


class RowBuilder:
    """Rows of known columns, turned into Arrow columns batch by batch."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._pending: list[Sequence[str | None]] = []
        self._chunks: list[list[pa.Array]] = [[] for _ in names]
        self._rows: list[int] = []

    def add(self, cells: Sequence[str | None], row: int) -> None:
        """Add one row: as many cells as there are columns, and its `_source_row`."""
        self._pending.append(cells)
        self._rows.append(row)
        if len(self._pending) >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            for chunks, values in zip(self._chunks, zip(*self._pending, strict=True), strict=True):
                chunks.append(text_array(values))
            self._pending = []

    def finish(self) -> tuple[dict[str, pa.ChunkedArray], npt.NDArray[np.int64]]:
        """The columns by name and the row numbers."""
        self._flush()
        columns = {
            name: pa.chunked_array(chunks, type=pa.string())
            for name, chunks in zip(self._names, self._chunks, strict=True)
        }
        return columns, np.fromiter(self._rows, dtype=np.int64, count=len(self._rows))


class RecordBuilder:
    """Records whose columns are discovered while reading; a column that a record lacks is null."""

    def __init__(self) -> None:
        self._pending: list[dict[str, str | None]] = []
        self._chunks: dict[str, list[pa.Array]] = {}
        self._rows: list[int] = []
        self._flushed = 0

    def add(self, record: dict[str, str | None], row: int) -> None:
        """Add one record and its `_source_row`."""
        for name in record:
            if name not in self._chunks:
                self._chunks[name] = [pa.nulls(self._flushed, pa.string())] if self._flushed else []
        self._pending.append(record)
        self._rows.append(row)
        if len(self._pending) >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            for name, chunks in self._chunks.items():
                chunks.append(text_array([record.get(name) for record in self._pending]))
            self._flushed += len(self._pending)
            self._pending = []

    def finish(self) -> tuple[dict[str, pa.ChunkedArray], npt.NDArray[np.int64]]:
        """The columns by name, in order of first appearance, and the row numbers."""
        self._flush()
        columns = {name: pa.chunked_array(chunks, type=pa.string()) for name, chunks in self._chunks.items()}
        return columns, np.fromiter(self._rows, dtype=np.int64, count=len(self._rows))
