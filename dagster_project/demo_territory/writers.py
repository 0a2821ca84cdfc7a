"""Bytes of each format, written so that the same figures give the same bytes on any machine."""

from __future__ import annotations

import io
import json
import math
import struct
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]


def words(text: str) -> tuple[str, ...]:
    """Column names written as one text."""
    return tuple(text.split())


def number(value: float, decimals: int, *, step: int = 1, thousands: str = "", plain: bool = False) -> str:
    """A French number: decimal comma; `plain` drops trailing zeros; nothing for nan.

    Args:
        value: what to write.
        decimals: figures after the comma.
        step: rounded to a multiple of it, for counts and euros.
        thousands: separator of thousands.
        plain: « 37 » rather than « 37,0 ».
    """
    if math.isnan(value):
        return ""
    if decimals == 0:
        return f"{round(value / step) * step:,}".replace(",", thousands)
    text = f"{value:.{decimals}f}"
    if plain:
        text = text.rstrip("0").rstrip(".")
    return {"-0": "0", "-0.0": "0.0"}.get(text, text).replace(".", ",")


def csv_bytes(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    separator: str = ";",
    line_end: str = "\r\n",
    bom: bool = False,
    quoted: bool = False,
    last_line_end: bool = True,
) -> bytes:
    """Lines of cells that need no escaping; a cell that holds the separator is put in quotes."""
    names = [f'"{name}"' if quoted and name else name for name in header]
    lines = [separator.join(_cell(cell, separator) for cell in row) for row in (names, *rows)]
    text = line_end.join(lines) + (line_end if last_line_end else "")
    return text.encode("utf-8-sig" if bom else "utf-8")


def _cell(cell: str, separator: str) -> str:
    return f'"{cell}"' if separator in cell else cell


def json_records(records: Sequence[dict[str, Any]]) -> bytes:
    """An array on one line, without spaces, with a final line end."""
    return (json.dumps(records, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def geojson(
    features: Sequence[tuple[dict[str, Any], dict[str, Any]]],
    *,
    name: str = "",
    crs: str = "",
    ascii_only: bool = False,
) -> bytes:
    """A collection on one line; `features` are (properties, geometry). No crs member when `crs` is empty."""
    head: dict[str, Any] = {"type": "FeatureCollection"}
    if name:
        head["name"] = name
    if crs:
        head["crs"] = {"type": "name", "properties": {"name": crs}}
    head["features"] = [
        {"type": "Feature", "properties": properties, "geometry": geometry} for properties, geometry in features
    ]
    return json.dumps(head, ensure_ascii=ascii_only).encode()


def shapefile(
    rings: Sequence[Points], fields: Sequence[tuple[str, int]], rows: Sequence[Sequence[str]]
) -> dict[str, bytes]:
    """Polygons of one ring each: the .shp, .shx and .dbf parts, the last in cp1252 without .cpg, as ANCT did."""
    closed = [_clockwise(ring) for ring in rings]
    records = [_polygon(ring) for ring in closed]
    everything = np.concatenate(closed)
    box = struct.pack("<4d", *everything.min(axis=0), *everything.max(axis=0))
    body, index, position = b"", b"", 50
    for rank, record in enumerate(records, start=1):
        length = len(record) // 2
        body += struct.pack(">2i", rank, length) + record
        index += struct.pack(">2i", position, length)
        position += 4 + length
    return {
        "shp": _shape_header(50 + len(body) // 2, box) + body,
        "shx": _shape_header(50 + len(index) // 2, box) + index,
        "dbf": _dbf(fields, rows),
    }


def _clockwise(ring: Points) -> Points:
    closed = np.vstack([ring, ring[:1]])
    area = np.sum((closed[1:, 0] - closed[:-1, 0]) * (closed[1:, 1] + closed[:-1, 1]))
    return closed if area > 0 else closed[::-1]


def _polygon(ring: Points) -> bytes:
    box = struct.pack("<4d", *ring.min(axis=0), *ring.max(axis=0))
    return struct.pack("<i", 5) + box + struct.pack("<3i", 1, len(ring), 0) + ring.astype("<f8").tobytes()


def _shape_header(words: int, box: bytes) -> bytes:
    return struct.pack(">i5ii", 9994, 0, 0, 0, 0, 0, words) + struct.pack("<2i", 1000, 5) + box + bytes(32)


def _dbf(fields: Sequence[tuple[str, int]], rows: Sequence[Sequence[str]]) -> bytes:
    # The date is that of the real file (12 August 2015) and 0x57 its « ANSI » language driver.
    head_size, row_size = 32 + 32 * len(fields) + 1, 1 + sum(width for _, width in fields)
    head = struct.pack("<4BIHH17xBxx", 3, 115, 8, 12, len(rows), head_size, row_size, 0x57)
    for name, width in fields:
        head += name.encode("ascii").ljust(11, b"\0") + b"C" + bytes(4) + bytes([width]) + bytes(15)
    lines = b"".join(
        b" " + b"".join(cell.encode("cp1252").ljust(width) for cell, (_, width) in zip(row, fields, strict=True))
        for row in rows
    )
    return head + b"\r" + lines + b"\x1a"


_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def xlsx(sheet: str, rows: Sequence[Sequence[str | int]]) -> bytes:
    """A workbook of one sheet with shared strings; whole numbers are numbers."""
    known: dict[str, int] = {}
    lines = []
    for line, row in enumerate(rows, start=1):
        cells = []
        for rank, value in enumerate(row):
            place = f"{chr(65 + rank)}{line}"
            if isinstance(value, int):
                cells.append(f'<c r="{place}"><v>{value}</v></c>')
            else:
                cells.append(f'<c r="{place}" t="s"><v>{known.setdefault(value, len(known))}</v></c>')
        lines.append(f'<row r="{line}">{"".join(cells)}</row>')
    strings = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in known)
    return _zip(
        {
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPES}.sharedStrings+xml"/></Types>',
            "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name="{escape(sheet)}" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": _relations(
                ("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")
            ),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEET}"><sheetData>'
            f"{''.join(lines)}</sheetData></worksheet>",
            "xl/sharedStrings.xml": f'<sst xmlns="{_SHEET}" uniqueCount="{len(known)}">{strings}</sst>',
        }
    )


def _relations(*targets: tuple[str, str]) -> str:
    links = "".join(
        f'<Relationship Id="rId{rank}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for rank, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'


def _zip(parts: dict[str, str]) -> bytes:
    # Stored, not deflated: compressed bytes depend on the machine's zlib, and the same seed must give the same bytes.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), _XML + text)
    return buffer.getvalue()
