"""Changing one cell of a producer's file, in its own format, and nothing else of it.

Used to prove lineage by mutation: these writers share no code with the readers.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dagster_project.sources.catalogue import Dataset


@dataclass(frozen=True)
class Cell:
    """A cell of a source file: `row` counts lines of text files from 1, records of others as the raw tables do."""

    dataset: str
    path: str
    row: int
    column: str
    text: str


Change = tuple[Cell, str]


def change_cells(folder: Path, dataset: Dataset, changes: Iterable[Change]) -> None:
    """Write new texts into the files of a mirror folder; raises ValueError where a cell does not read as expected."""
    by_path: dict[str, list[Change]] = {}
    for change in changes:
        by_path.setdefault(change[0].path, []).append(change)
    for path, found in by_path.items():
        target = folder / path
        target.write_bytes(_WRITERS[target.suffix.lower()](target.read_bytes(), dataset, found))


def _csv(content: bytes, dataset: Dataset, changes: list[Change]) -> bytes:
    """Only the lines concerned are written anew; a line without a quote keeps its form."""
    encoding = dataset.encoding.removesuffix("-sig")
    text = content.decode(encoding)
    lines = text.split("\n")  # not splitlines: a cell may hold other line separators
    header = [
        name.strip("\ufeff").strip()
        for name in next(csv.reader([lines[dataset.header_row - 1]], delimiter=dataset.delimiter))
    ]
    positions = {name.casefold(): i for i, name in enumerate(header)}
    for cell, new in changes:
        line = lines[cell.row - 1]
        end = "\r" if line.endswith("\r") else ""
        cells = next(csv.reader([line.removesuffix("\r")], delimiter=dataset.delimiter))
        position = positions[cell.column.casefold()]
        _expect(cell, cells[position])
        cells[position] = new
        lines[cell.row - 1] = _line(cells, dataset.delimiter) + end
    return "\n".join(lines).encode(encoding)


def _line(cells: list[str], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(cells)
    return out.getvalue()


def _dbf(content: bytes, dataset: Dataset, changes: list[Change]) -> bytes:
    """Fixed-width records: the new text must fit the field."""
    data = bytearray(content)
    header_size, record_size = int.from_bytes(data[8:10], "little"), int.from_bytes(data[10:12], "little")
    fields, offset = {}, 1  # the first byte of a record says whether it is deleted
    for start in range(32, header_size - 1, 32):
        name = bytes(data[start : start + 11]).split(b"\0")[0].decode("ascii")
        fields[name.casefold()] = (offset, data[start + 16])
        offset += data[start + 16]
    for cell, new in changes:
        shift, width = fields[cell.column.casefold()]
        start = header_size + (cell.row - 1) * record_size + shift
        _expect(cell, bytes(data[start : start + width]).decode(dataset.encoding).strip())
        encoded = new.encode(dataset.encoding)
        if len(encoded) > width:
            raise ValueError(f"{cell}: {new!r} does not fit {width} bytes")
        data[start : start + width] = encoded.ljust(width)
    return bytes(data)


def _geojson(content: bytes, _: Dataset, changes: list[Change]) -> bytes:
    collection = json.loads(content)
    for cell, new in changes:
        properties = collection["features"][cell.row - 1]["properties"]
        _expect(cell, str(properties[cell.column]))
        properties[cell.column] = new
    return json.dumps(collection, ensure_ascii=False).encode()


def _xlsx(content: bytes, dataset: Dataset, changes: list[Change]) -> bytes:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book[dataset.sheet] if dataset.sheet else book.worksheets[0]
    names = {str(c.value).strip().casefold(): c.column for c in sheet[dataset.header_row]}
    for cell, new in changes:
        found = sheet.cell(cell.row, names[cell.column.casefold()])
        _expect(cell, str(found.value))
        found.value = new
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _parquet(content: bytes, _: Dataset, changes: list[Change]) -> bytes:
    """The cell takes the type of its column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content))
    for cell, new in changes:
        place = table.column_names.index(cell.column)
        column = table.column(place).to_pylist()
        held = column[cell.row - 1]
        whole = isinstance(held, float) and held.is_integer()
        _expect(cell, "" if held is None else f"{held:.0f}" if whole else str(held))
        kind = table.schema.field(place).type
        column[cell.row - 1] = pa.scalar(new).cast(kind).as_py()
        table = table.set_column(place, table.schema.field(place), pa.array(column, kind))
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def _expect(cell: Cell, found: str) -> None:
    if found.strip() != cell.text.strip():
        raise ValueError(f"{cell}: the file reads {found!r}")


_WRITERS: dict[str, Callable[[bytes, Dataset, list[Change]], bytes]] = {
    ".csv": _csv,
    ".dbf": _dbf,
    ".geojson": _geojson,
    ".parquet": _parquet,
    ".xlsx": _xlsx,
}
