"""Cells read again from archived bytes, by a path of its own.

It shares nothing with `sources/readers`: the csv and json modules of Python, a few lines for dBASE, calamine for
workbooks, DuckDB for Parquet. If a reader misplaced a row or altered a text, this path finds another text at the
address that the release gives. Rows are numbered as in `lineage.parquet`: physical line of a CSV record's start, sheet
row, record.
"""

from __future__ import annotations

import codecs
import datetime as dt
import io
import json
import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project import sql
from dagster_project.release.verifier_preuve import LectureError, lignes_csv, octets_du_membre, position

_BATCH = 2_000  # rows of a Parquet file held at a time

# The number of a row, and the text of the columns asked for, None where the row has no such cell.
Row = tuple[int, tuple[str | None, ...]]


@dataclass(frozen=True)
class FileForm:
    """How an archived file is read, as `source_file.parquet` says."""

    format: str
    encoding: str
    delimiter: str
    header_row: int


def read_cells(data: bytes, member: str, form: FileForm, columns: Sequence[str]) -> Iterator[Row]:
    """Every row of an archived file, in file order.

    Args:
        data: the archived bytes, whose digest the caller has checked.
        member: `source_member`: the file's own name, a member of a zip, `<workbook>#<sheet>`.
        form: how to read it.
        columns: names of columns, as in the file's header (case aside, when only one answers).

    Raises:
        LectureError: the file cannot be read, or lacks a column. The message is in French: auditors read it.
    """
    reader = _FORMATS.get(form.format)
    if reader is None:
        raise LectureError(f"le format {form.format} n’est pas relu par la vérification")
    name, _, sheet = member.rpartition("#") if form.format == "xlsx" else (member, "", "")
    try:
        yield from reader(octets_du_membre(data, name), form, columns, sheet)
    except (UnicodeDecodeError, LookupError, json.JSONDecodeError, struct.error) as error:
        raise LectureError(f"les octets ne peuvent être lus comme {form.format} ({error})") from error


def _csv(data: bytes, form: FileForm, columns: Sequence[str], _sheet: str) -> Iterator[Row]:
    yield from lignes_csv(data, form.encoding, form.delimiter, form.header_row, columns)


def _xlsx(data: bytes, form: FileForm, columns: Sequence[str], sheet: str) -> Iterator[Row]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(sheet).iter_rows()
    except CalamineError as error:
        raise LectureError(f"la feuille « {sheet} » ne peut être lue ({error})") from error
    places: list[int] = []
    for number, cells in enumerate(rows, start=1):
        if number == form.header_row:
            places = [position([_sheet_text(cell) for cell in cells], column) for column in columns]
        elif number > form.header_row:
            yield number, tuple(_sheet_text(cells[place]) for place in places)


def _sheet_text(cell: Any) -> str:
    """Excel stores whole numbers as floats, and dates as dates."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.0f}"
    return cell.isoformat(sep=" ") if isinstance(cell, dt.datetime) else str(cell)


def _dbf(data: bytes, form: FileForm, columns: Sequence[str], _sheet: str) -> Iterator[Row]:
    """The attributes of a shapefile. Records marked as deleted keep their number and are left out."""
    count, start, width = struct.unpack_from("<IHH", data, 4)
    names, spans, at = [], [], 1
    for offset in range(32, start - 31, 32):
        if data[offset : offset + 1] == b"\r":  # end of the list of fields
            break
        names.append(data[offset : offset + 11].split(b"\0")[0].decode(form.encoding))
        spans.append((at, at + data[offset + 16], data[offset + 11] == ord("C")))
        at += data[offset + 16]
    if len(data) < start + count * width:
        raise LectureError("la table dBASE est tronquée")
    wanted = [spans[position(names, column)] for column in columns]
    for number in range(1, count + 1):
        record = data[start + (number - 1) * width : start + number * width]
        if not record.startswith(b"*"):
            yield number, tuple(_dbf_text(record[a:b], form.encoding, text=text) for a, b, text in wanted)


def _dbf_text(cell: bytes, encoding: str, *, text: bool) -> str | None:
    """Cell without its padding: on the right of text, on both sides of numbers. None when it cannot be decoded."""
    cell = cell.rstrip(b"\0")
    try:
        return (cell.rstrip(b" ") if text else cell.strip(b" ")).decode(encoding)
    except UnicodeDecodeError:
        return None


class _Number(str):
    """A number as it is written in a JSON text."""

    __slots__ = ()


def _json_document(data: bytes, form: FileForm) -> Any:
    encoding = "utf-8-sig" if codecs.lookup(form.encoding).name == "utf-8" else form.encoding
    return json.loads(data.decode(encoding), parse_int=_Number, parse_float=_Number, parse_constant=_Number)


def _json_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {_nested(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_nested, value)) + "]"
    return json.dumps(value)


def _nested(value: Any) -> str:
    quoted = value is None or (isinstance(value, str) and not isinstance(value, _Number))
    return json.dumps(value, ensure_ascii=False) if quoted else _json_text(value) or ""


def _json(data: bytes, form: FileForm, columns: Sequence[str], _sheet: str) -> Iterator[Row]:
    yield from _records(_array(_json_document(data, form), columns), columns)


def _array(document: Any, columns: Sequence[str]) -> Any:
    """The records: the document, or the one array in it whose records carry the columns asked for."""
    if not isinstance(document, dict):
        return document
    asked = {column.lower() for column in columns}
    arrays = [
        value
        for value in document.values()
        if isinstance(value, list)
        and asked <= {name.lower() for record in value if isinstance(record, dict) for name in record}
    ]
    if len(arrays) != 1:
        raise LectureError(f"{len(arrays)} listes de l’objet JSON portent les colonnes {', '.join(columns)}")
    return arrays[0]


def _geojson(data: bytes, form: FileForm, columns: Sequence[str], _sheet: str) -> Iterator[Row]:
    """Properties of features; a feature may carry its identifier beside them."""
    document = _json_document(data, form)
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise LectureError("ce n’est pas une collection d’entités GeoJSON")
    yield from _records(({"id": f.get("id"), **(f.get("properties") or {})} for f in features), columns)


def _records(records: Any, columns: Sequence[str]) -> Iterator[Row]:
    for number, record in enumerate(records, start=1):
        if isinstance(record, dict):
            lower = {name.lower(): name for name in record}
            yield (
                number,
                tuple(
                    _json_text(record.get(column, record.get(lower.get(column.lower(), column)))) for column in columns
                ),
            )


def _parquet(data: bytes, _form: FileForm, columns: Sequence[str], _sheet: str) -> Iterator[Row]:
    """Columns of numbers, texts, dates and booleans; numbers in the shortest decimal form, without exponent."""
    import duckdb

    with tempfile.NamedTemporaryFile(suffix=".parquet") as file, duckdb.connect() as connection:
        file.write(data)
        file.flush()
        try:
            table = connection.read_parquet(file.name)
            names = [table.columns[position(table.columns, column)] for column in columns]
            selected = sql.identifiers(names)
            cursor = connection.execute(f"select {selected} from read_parquet(?)", [file.name])
            writers = [_writer(name, str(kind)) for name, kind, *_ in cursor.description or ()]
            number = 0
            while batch := cursor.fetchmany(_BATCH):
                for cells in batch:
                    number += 1
                    yield (
                        number,
                        tuple(None if c is None else write(c) for c, write in zip(cells, writers, strict=True)),
                    )
        except duckdb.Error as error:
            raise LectureError(f"les octets ne peuvent être lus comme parquet ({error})") from error


def _writer(name: str, kind: str) -> Callable[[Any], str]:
    """How a value of a DuckDB type is written."""
    import numpy as np

    def decimal(value: Any) -> str:
        number = np.float32(value) if kind == "FLOAT" else np.float64(value)
        return "" if np.isnan(number) else np.format_float_positional(number, trim="-")

    if kind in ("DOUBLE", "FLOAT"):
        return decimal
    if kind.endswith("INTEGER") or kind.endswith("INT") or kind in ("VARCHAR", "DATE"):
        return str
    if kind == "BOOLEAN":
        return lambda value: str(value).lower()
    raise LectureError(f"la colonne {name} est de type {kind}, qui n’est pas relu par la vérification")


_FORMATS: dict[str, Callable[[bytes, FileForm, Sequence[str], str], Iterator[Row]]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "shapefile": _dbf,
    "geojson": _geojson,
    "json": _json,
    "parquet": _parquet,
}
