"""From a Parquet file to what a suite needs: only its columns, empty cells as nulls, derived columns computed by DuckDB."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from dagster_project.quality.suites import Expectation, Suite

if TYPE_CHECKING:
    import pandas as pd

# `nombre`: a number as French producers write it. `illisibles`: how many cells of a row are neither empty nor such a
# number; the `_point` variants are for the few files with a decimal point.
MACROS = r"""
create macro nombre(cell) as
    try_cast(replace(translate(cell, ' ' || chr(160) || chr(8239), ''), ',', '.') as double);
create macro illisibles(cells) as len(list_filter(cells, lambda cell :
    cell != '' and not regexp_full_match(cell, '-?\d{1,3}([ \x{00A0}\x{202F}]?\d{3})*(,\d+)?')));
create macro illisibles_point(cells) as len(list_filter(cells, lambda cell :
    cell != '' and not regexp_full_match(cell, '-?\d+(\.\d+)?')));
create macro hors_bornes(cells, low, high) as len(list_filter(cells, lambda cell :
    nombre(cell) < low or nombre(cell) > high));
"""
_LINEAGE = ("_vintage", "_source_member", "_source_row", "_source_sha256")
_GEOMETRY = ("geometry", "geometry_original")


@dataclass(frozen=True)
class Frame:
    """What a suite is checked on.

    Attributes:
        data: the columns that the rules name; row n of it is row n of the table (or of the suite's query).
        missing: why a named column could not be had, by column.
    """

    data: pd.DataFrame
    missing: dict[str, str]


class Table:
    """A Parquet file opened for one suite."""

    def __init__(self, suite: Suite, path: Path) -> None:
        self._suite = suite
        self._db = duckdb.connect()
        self._db.execute(MACROS)
        self._db.execute(f"create view source as select * from read_parquet({_literal(str(path))})")
        if suite.query:
            self._db.execute(f"create table checked as {suite.query}")
        else:
            self._db.execute("create view checked as select * from source")
        described = self._db.execute("describe checked").fetchall()
        self._types: dict[str, str] = {str(name): str(kind) for name, kind, *_ in described}

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def frame(self) -> Frame:
        """Columns the rules name. A column that cannot be had is reported in `missing`, the others are still checked."""
        expressions, missing = {}, {}
        for column in self._suite.columns:
            expression = self._expression(column)
            if reason := self._refused(expression):
                missing[column] = reason
            else:
                expressions[column] = expression
        selected = ", ".join(f"{expression} as {_name(column)}" for column, expression in expressions.items())
        return Frame(self._db.execute(f"select {selected or '1 as nothing'} from checked").df(), missing)

    def rows(self, numbers: list[int], expectation: Expectation) -> list[dict[str, Any]]:
        """Whole rows by position: the columns of the rule first, then the address in the source, then what is filled."""
        if not numbers:
            return []
        first = {name: self._expression(name) for name in expectation.columns if name in self._suite.derive}
        others = [name for name in self._types if name not in _GEOMETRY]
        plain = [name for name in (*expectation.columns, *_LINEAGE) if name in others]
        ordered = {**first, **{name: _name(name) for name in (*plain, *others) if name not in first}}
        selected = ", ".join(f"{expression} as {_name(name)}" for name, expression in ordered.items())
        positions = ", ".join(map(str, sorted(numbers)))
        # Derived columns may be window functions: they are computed over the whole table, then rows are picked.
        query = (
            f"select * exclude (position) from (select {selected}, row_number() over () - 1 as position from checked)"
            f" where position in ({positions}) order by position"
        )
        found = self._db.execute(query).fetchall()
        kept = set(first) | set(plain)
        return [
            {name: plain_value(cell) for name, cell in zip(ordered, row, strict=True) if name in kept or cell not in (None, "")}
            for row in found
        ]

    def _expression(self, column: str) -> str:
        if column in self._suite.derive:
            return f"({self._suite.derive[column]})"
        if self._types.get(column) == "VARCHAR":
            return f"nullif({_name(column)}, '')"
        return _name(column)

    def _refused(self, expression: str) -> str | None:
        try:
            self._db.execute(f"select {expression} from checked limit 0")
        except duckdb.Error as error:
            return str(error).splitlines()[0]
        return None


def plain_value(cell: Any) -> Any:
    """A cell as JSON can hold it."""
    if cell is None or isinstance(cell, (str, int, bool)):
        return cell
    if isinstance(cell, float):
        return cell if cell == cell and abs(cell) != float("inf") else str(cell)
    if isinstance(cell, (list, tuple)):
        return [plain_value(item) for item in cell]
    return f"({len(cell)} octets)" if isinstance(cell, bytes) else str(cell)


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
