"""CSV of any producer: verbatim cells, physical line numbers, nothing repaired.

Regular files (no quote character, every line with the same number of cells) are parsed by Arrow at once.
Anything else goes through the csv module, which is slower and says exactly what is wrong and where. Both
ways give the same table for a file that both can read; a test holds them to it.
"""

from __future__ import annotations

import codecs
import csv
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

import numpy as np
import pyarrow as pa

from dagster_project.sources.readers.arrow import RowBuilder
from dagster_project.sources.readers.base import Parsed, ReadError, Reject, Source
from dagster_project.sources.readers.columns import Header, read_header

_LONGEST_CELL = 1 << 24  # a contour written in a cell is longer than the csv module's 128 KiB
_UTF8 = {"utf-8", "utf-8-sig", "ascii"}
_ONE_BYTE = {"cp1252", "iso8859-1", "iso8859-15"}


def read(source: Source) -> Parsed:
    """Read a CSV file; raises ReadError (empty, header, unnamed column with data)."""
    if source.path.stat().st_size == 0:
        raise ReadError(f"{source.where}: the file is empty; fetch it again or put a complete copy in the inbox folder")
    return read_regular(source) or read_any(source)


def read_regular(source: Source) -> Parsed | None:
    """The fast way. None when the file is not regular: then `read_any` must be used."""
    import pyarrow.compute as pc
    from pyarrow import csv as arrow_csv

    encoding = codecs.lookup(source.dataset.encoding).name
    if encoding not in _UTF8 | _ONE_BYTE:
        return None
    cells = _plain_header(source, encoding)
    if cells is None:
        return None
    header = read_header(source, cells)
    positions = [str(i) for i in range(len(cells))]
    try:
        table = arrow_csv.read_csv(
            str(source.path),
            read_options=arrow_csv.ReadOptions(
                column_names=positions,
                skip_rows=source.dataset.header_row,
                use_threads=False,
                encoding="utf8" if encoding in _UTF8 else encoding,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=source.dataset.delimiter, quote_char=False, double_quote=False, ignore_empty_lines=False
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(positions, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None  # ragged, undecodable or without rows: the other way says which and where
    widths = [pc.max(pc.binary_length(column)).as_py() for column in table.columns]
    if any(width and header.names[i] is None for i, width in enumerate(widths)):
        return None  # an unnamed column with data: the other way names the line
    rows = np.arange(len(table), dtype=np.int64) + source.dataset.header_row + 1
    table, rows = _without_empty_rows(table.select(header.positions), rows)
    columns = dict(zip(header.named, table.columns, strict=True))
    return Parsed(header.kept_cells, columns, rows, [], source.parts[0])


def _plain_header(source: Source, encoding: str) -> list[str] | None:
    """Header cells of a file without any quote character; None when quotes or odd line ends are there."""
    with source.path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data.find(b'"') >= 0:
            return None
        start = 0
        for _ in range(source.dataset.header_row - 1):
            start = data.find(b"\n", start) + 1
            if start == 0:
                return None
        end = data.find(b"\n", start)
        line = data[start : end if end >= 0 else len(data)].rstrip(b"\r")
    if b"\r" in line:
        return None
    try:
        return line.decode("utf-8-sig" if encoding in _UTF8 and start == 0 else encoding).split(
            source.dataset.delimiter
        )
    except UnicodeDecodeError:
        return None


def _without_empty_rows(table: pa.Table, rows: np.ndarray) -> tuple[pa.Table, np.ndarray]:
    """Drop rows whose every cell is empty: blank lines, or lines of separators at the end of an export."""
    import pyarrow.compute as pc

    if pc.min(pc.binary_length(table.column(0))).as_py() != 0:
        return table, rows  # the usual case: a code in the first column of every row
    filled = np.zeros(len(table), dtype=bool)
    for column in table.columns:
        filled |= pc.binary_length(column).to_numpy() > 0
    return (table, rows) if filled.all() else (table.filter(pa.array(filled)), rows[filled])


@dataclass
class _Lines:
    """Physical lines of a text file; remembers those of the record being read."""

    handle: TextIO
    number: int = 0

    def __post_init__(self) -> None:
        self.record: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.handle)
        self.number += 1
        self.record.append(line)
        return line

    def start_record(self) -> int:
        """Forget the lines of the last record; returns the line on which the next one begins."""
        self.record = []
        return self.number + 1


def read_any(source: Source) -> Parsed:
    """The careful way: quotes, line breaks inside cells, ragged and undecodable rows."""
    csv.field_size_limit(_LONGEST_CELL)
    encoding = codecs.lookup(source.dataset.encoding).name
    with source.path.open(
        encoding="utf-8-sig" if encoding in _UTF8 else encoding,
        errors="surrogateescape",  # an undecodable byte is carried along, then found in its row
        newline="",
    ) as handle:
        lines = _Lines(handle)
        records = csv.reader(lines, delimiter=source.dataset.delimiter, strict=True)
        header = _header(source, lines, records)
        builder, rejects = RowBuilder(header.named), list[Reject]()
        checker = _RowChecker(source, header, encoding)
        while True:
            first = lines.start_record()
            try:
                cells = next(records)
            except StopIteration:
                break
            except csv.Error as error:
                rejects.extend(_unreadable(first, lines.record, error))
                continue
            if not any(cells):
                continue
            reason = checker.reason_to_reject(cells, lines.record)
            if reason:
                rejects.append(Reject.of(first, reason, "".join(lines.record).rstrip("\r\n")))
            else:
                builder.add(checker.kept(cells, first), first)
    columns, rows = builder.finish()
    return Parsed(header.kept_cells, columns, rows, rejects, source.parts[0])


def _header(source: Source, lines: _Lines, records: Iterator[list[str]]) -> Header:
    try:
        for _ in range(source.dataset.header_row - 1):
            next(lines)
        cells = next(records)
    except StopIteration:
        raise ReadError(
            f"{source.where}: the file ends before line {source.dataset.header_row}, where the catalogue expects "
            "the column names (`header_row`)"
        ) from None
    except csv.Error as error:
        raise ReadError(f"{source.where}: line {lines.number}: the column names cannot be read ({error})") from error
    if byte := _undecodable("".join(cells)):
        raise ReadError(
            f"{source.where}: line {lines.number}: byte {byte} of the column names is not {source.dataset.encoding}; "
            "correct `encoding` in the catalogue (files from French offices are often cp1252)"
        )
    return read_header(source, cells)


def _unreadable(first: int, record: list[str], error: csv.Error) -> Iterator[Reject]:
    """One reject per physical line: an unclosed quote may swallow many rows, and each counts."""
    reason = f"guillemets mal formés dans l'enregistrement qui commence à la ligne {first} ({error})"
    for offset, line in enumerate(record):
        yield Reject.of(first + offset, reason, line.rstrip("\r\n"))


def _undecodable(text: str) -> str | None:
    """The first undecodable byte of a text read with surrogateescape, as 0xE9; None when there is none."""
    if text.isascii():
        return None
    return next((f"0x{ord(c) - 0xDC00:02X}" for c in text if "\udc80" <= c <= "\udcff"), None)


class _RowChecker:
    """Decides whether the cells of a record fit the header."""

    def __init__(self, source: Source, header: Header, encoding: str) -> None:
        self._source = source
        self._header = header
        self._encoding = encoding
        self._positions = header.positions
        self._needed = self._positions[-1] + 1
        self._unnamed = [i for i, name in enumerate(header.names) if name is None]
        self._leading = self._positions == list(range(self._needed))

    def reason_to_reject(self, cells: list[str], record: list[str]) -> str | None:
        if len(cells) < self._needed:
            missing = self._header.named[sum(i < len(cells) for i in self._positions)]
            return f"{len(cells)} cellules au lieu de {self._needed} : la première manquante est {missing}"
        if any(cells[len(self._header.names) :]):
            return (
                f"{len(cells)} cellules au lieu de {len(self._header.names)} : du contenu dépasse la dernière colonne"
            )
        if not all(map(str.isascii, record)):
            for i in self._positions:
                if byte := _undecodable(cells[i]):
                    name, encoding = self._header.names[i], self._source.dataset.encoding
                    return f"octet {byte} non décodable en {encoding}, colonne {name}"
        return None

    def kept(self, cells: list[str], line: int) -> list[str]:
        """Cells of the named columns; raises ReadError when an unnamed one holds data."""
        for i in self._unnamed:
            if i < len(cells) and cells[i]:
                raise ReadError(
                    f"{self._source.where}: line {line}: column {i + 1} has no name in the header and holds "
                    f"{cells[i]!r}; check `delimiter` and `header_row` in the catalogue, or ask the producer"
                )
        return cells[: self._needed] if self._leading else [cells[i] for i in self._positions]
