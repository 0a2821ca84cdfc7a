"""INSEE's tables of the demonstration territory, read and written back cell by cell to spoil or vary them."""

from __future__ import annotations

from pathlib import Path

Cells = list[list[str]]


def read_table(path: Path) -> Cells:
    """Rows of cells, the header first: row n of the list is line n + 1 of the file."""
    return [line.split(";") for line in path.read_bytes().decode("utf-8-sig").split("\r\n")]


def write_table(path: Path, rows: Cells, encoding: str = "utf-8-sig") -> None:
    """The inverse of `read_table`: same cells, same bytes."""
    path.write_bytes("\r\n".join(";".join(row) for row in rows).encode(encoding, "xmlcharrefreplace"))


def set_cell(path: Path, line: int, column: str, text: str) -> str:
    """Write one cell of a table; what it held."""
    rows = read_table(path)
    position = rows[0].index(column)
    before, rows[line - 1][position] = rows[line - 1][position], text
    write_table(path, rows)
    return before
