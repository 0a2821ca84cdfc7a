"""Excel workbooks through python-calamine: one sheet, cell text, sheet row numbers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from dagster_project.sources.readers.arrow import RowBuilder
from dagster_project.sources.readers.base import Parsed, Part, ReadError, Source
from dagster_project.sources.readers.columns import Header, read_header

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def read(source: Source) -> Parsed:
    """Read the sheet that the catalogue names, or the only one.

    `_source_member` is `<file>#<sheet>`, so that with `_source_row` it is the address of a cell. An Excel
    error value (#N/A, #REF!) comes out of the library as an empty cell.

    Raises:
        ReadError: not a workbook, no such sheet, bad header, unnamed column with data.
    """
    sheet = _open_sheet(source)
    rows = enumerate(sheet.iter_rows(), start=1)
    header = _header(source, sheet, rows)
    builder = RowBuilder(header.named)
    positions = header.positions
    unnamed = [i for i, name in enumerate(header.names) if name is None]
    for number, cells in rows:
        for i in unnamed:
            if cells[i] != "":
                raise ReadError(
                    f"{source.where}, sheet {sheet.name!r}: row {number}: column {i + 1} of the table has no name in "
                    f"row {source.dataset.header_row} and holds {cells[i]!r}; check `header_row` and `sheet` in the "
                    "catalogue"
                )
        values = [as_text(cells[i]) for i in positions]
        if any(values):
            builder.add(values, number)
    columns, numbers = builder.finish()
    part = source.parts[0]
    origin = Part(part.path, part.sha256, f"{part.member}#{sheet.name}")
    return Parsed(header.kept_cells, columns, numbers, [], origin)


def as_text(cell: Cell) -> str:
    """Text of a cell. Excel stores every number as a float: 1053.0 is the number 1053."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


def _open_sheet(source: Source) -> CalamineSheet:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_filelike(source.path.open("rb"))
        names = workbook.sheet_names
        wanted = source.dataset.sheet or (names[0] if len(names) == 1 else None)
        if wanted in names:
            return workbook.get_sheet_by_name(wanted)
    except (CalamineError, OSError) as error:
        raise ReadError(
            f"{source.where}: not a readable Excel workbook ({error}); fetch it again or put a complete copy in the "
            "inbox"
        ) from error
    asked = f"no sheet {wanted!r}" if wanted else "several sheets and none chosen"
    raise ReadError(f"{source.where}: {asked}; the workbook holds {names}. Set `sheet` in the catalogue")


def _header(source: Source, sheet: CalamineSheet, rows: enumerate[list[Cell]]) -> Header:
    for number, cells in rows:
        if number == source.dataset.header_row:
            return read_header(source, [as_text(cell) for cell in cells])
    raise ReadError(
        f"{source.where}, sheet {sheet.name!r}: it ends before row {source.dataset.header_row}, where the catalogue "
        "expects the column names (`header_row`)"
    )
