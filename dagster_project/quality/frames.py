"""From a Parquet file to what a suite needs: its columns, empty cells as nulls, columns derived by DuckDB."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb

from dagster_project import sql
from dagster_project.quality.suites import Expectation, Suite
from dagster_project.sources.absence import absence_of

if TYPE_CHECKING:
    import pandas as pd

# `nombre`: a number as French producers write it. `illisibles`: how many cells of a row are neither empty nor such a
# number (`_point`: with a decimal point); `hors_bornes`: how many lie out of bounds; `desordonnes`: 1 when those
# present do not increase.
MACROS = r"""
create macro nombre(cell) as
    try_cast(replace(translate(cell, ' ' || chr(160) || chr(8239), ''), ',', '.') as double);
create macro count_unlike(cells, pattern) as case
    when regexp_full_match(
        array_to_string(cells, chr(31)), '(' || pattern || ')?(\x1F(' || pattern || ')?)*'
    ) then 0 -- one pass over the row: the common case
    else len(list_filter(cells, lambda cell : cell != '' and not regexp_full_match(cell, pattern)))
end;
create macro illisibles(cells) as count_unlike(cells, '-?\d{1,3}([ \x{00A0}\x{202F}]?\d{3})*(,\d+)?');
create macro illisibles_point(cells) as count_unlike(cells, '-?\d+(\.\d+)?');
create macro hors_bornes(cells, low, high) as len(list_filter(cells, lambda cell :
    nombre(cell) < low or nombre(cell) > high));
create macro desordonnes(numbers) as
    (list_sort(list_filter(numbers, lambda n : n is not null)) != list_filter(numbers, lambda n : n is not null))::int;
"""
_ADDRESS = ("_vintage", "_source_member", "_source_row")
_POSITION = "__position"
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
        self.absence = absence_of(path)  # why the table is empty on purpose, if it is
        self._suite = suite
        self._db = duckdb.connect()
        self._db.execute(MACROS)
        # Derived columns may be window functions, which reorder rows: each row carries its position from the start.
        parquet = f"read_parquet({sql.literal(str(path))}, file_row_number = true)"
        self._db.execute(f"create view source as select * rename (file_row_number as {_POSITION}) from {parquet}")
        if suite.query:
            numbered = f"select *, row_number() over () - 1 as {_POSITION} from ({suite.query})"
            self._db.execute(f"create table step_0 as {numbered}")  # a table: a dear query is run once
        else:
            self._db.execute("create view step_0 as select * from source")
        self._own = self._describe("step_0")
        del self._own[_POSITION]
        self._missing: dict[str, str] = {}
        self._refusal({})
        self._derive()
        self._types = self._describe("derived")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def frame(self) -> Frame:
        """Columns the rules name; one that cannot be had is reported in `missing`, the others are still checked."""
        present = [column for column in self._suite.columns if column in self._types and column not in self._missing]
        absent = {column: self._missing.get(column, "colonne absente de la table") for column in self._suite.columns}
        selected = "".join(f", {self._expression(column)} as {sql.identifier(column)}" for column in present)
        data = self._db.execute(f"select {_POSITION}{selected} from derived order by {_POSITION}").df()
        return Frame(data, {column: why for column, why in absent.items() if column not in present})

    def rows(self, numbers: list[int], expectation: Expectation) -> list[dict[str, Any]]:
        """Whole rows by position: columns of the rule first, then the address in the source, then filled cells."""
        if not numbers:
            return []
        first = [name for name in (*expectation.columns, *_ADDRESS) if name in self._types]
        names = list(dict.fromkeys((*first, *(name for name in self._own if name not in _GEOMETRY))))
        positions = ", ".join(map(str, sorted(numbers)))
        found = self._db.execute(
            f"select {', '.join(map(sql.identifier, names))} from derived"
            f" where {_POSITION} in ({positions}) order by {_POSITION}"
        ).fetchall()
        # The same columns in every row: what shows rows as a table wants it so.
        filled = {name for row in found for name, cell in zip(names, row, strict=True) if cell not in (None, "")}
        shown = {*first, *filled}
        return [
            {name: plain_value(cell) for name, cell in zip(names, row, strict=True) if name in shown} for row in found
        ]

    def _derive(self) -> None:
        """Create the view with the derived columns, each able to use those before it."""
        taken = {name.lower() for name in self._own}
        derive = {name: expression for name, expression in self._suite.derive.items() if name.lower() not in taken}
        clash = "une colonne de la table porte déjà ce nom : en donner un autre à la colonne dérivée de la suite"
        self._missing.update(dict.fromkeys(self._suite.derive.keys() - derive.keys(), clash))
        # One view binds them all at once; only when one is wrong are they tried in turn, to say which.
        if self._refusal(derive) is not None:
            kept: dict[str, str] = {}
            for name, expression in derive.items():
                why = self._refusal({**kept, name: expression})
                if why is None:
                    kept[name] = expression
                else:
                    self._missing[name] = why

    def _refusal(self, derive: dict[str, str]) -> str | None:
        """Create the view `derived`; why it cannot be, when it cannot."""
        columns = "".join(f", ({expression}) as {sql.identifier(name)}" for name, expression in derive.items())
        try:
            self._db.execute(f"create or replace view derived as select *{columns} from step_0")
        except duckdb.Error as error:
            return str(error).splitlines()[0]
        return None

    def _describe(self, relation: str) -> dict[str, str]:
        return {str(name): str(kind) for name, kind, *_ in self._db.execute(f"describe {relation}").fetchall()}

    def _expression(self, column: str) -> str:
        return f"nullif({sql.identifier(column)}, '')" if self._types[column] == "VARCHAR" else sql.identifier(column)


def plain_value(cell: object) -> Any:
    """A cell as JSON can hold it."""
    if cell is None or isinstance(cell, (str, int, bool)):
        return cell
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else str(cell)
    if isinstance(cell, (list, tuple)):
        return [plain_value(item) for item in cell]
    return f"({len(cell)} octets)" if isinstance(cell, bytes) else str(cell)
