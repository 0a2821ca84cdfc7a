"""dBASE tables (the attributes of a shapefile), read as text in the declared encoding.

GDAL would turn numbers into floats and guess the encoding; the cells here are what the file holds, less
the padding of fixed-width fields.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dagster_project.sources.readers.base import ReadError

_HEADER_BYTES = 32
_END_OF_FIELDS = 0x0D
_DELETED = b"*"


@dataclass(frozen=True)
class Field:
    """A column: its name as written, its type letter, and where its cell stands in a record."""

    name: str
    kind: str
    start: int
    width: int

    def cell(self, record: bytes) -> bytes:
        """Cell without its padding: spaces after text, spaces around numbers and dates."""
        raw = record[self.start : self.start + self.width].rstrip(b"\x00")
        return raw.rstrip(b" ") if self.kind == "C" else raw.strip(b" ")


class DbfTable:
    """A .dbf held in memory; raises ReadError when it is not one or is cut short."""

    def __init__(self, path: Path, where: str, encoding: str) -> None:
        self._data = path.read_bytes()
        if len(self._data) < _HEADER_BYTES + 1:
            raise ReadError(f"{where}: not a dBASE table: only {len(self._data)} bytes")
        self.count, self._header, self._width = struct.unpack("<IHH", self._data[4:12])
        expected = self._header + self.count * self._width
        if self._width == 0 or len(self._data) < expected:
            raise ReadError(
                f"{where}: {self.count} records need {expected} bytes and the file has {len(self._data)}: "
                "it is cut short; fetch it again or put a complete copy in the inbox"
            )
        self.fields = tuple(self._read_fields(where, encoding))

    def _read_fields(self, where: str, encoding: str) -> Iterator[Field]:
        at, start = _HEADER_BYTES, 1
        while at + _HEADER_BYTES <= self._header and self._data[at] != _END_OF_FIELDS:
            name = self._data[at : at + 11].split(b"\x00")[0]
            width = self._data[at + 16]
            try:
                yield Field(name.decode(encoding), chr(self._data[at + 11]), start, width)
            except UnicodeDecodeError as error:
                raise ReadError(f"{where}: the column name {name!r} is not {encoding}; correct `encoding`") from error
            start += width
            at += _HEADER_BYTES

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Number (from 1) and bytes of each record that the producer has not marked as deleted."""
        for number in range(1, self.count + 1):
            at = self._header + (number - 1) * self._width
            record = self._data[at : at + self._width]
            if record[:1] != _DELETED:
                yield number, record
