"""Are the figures of two releases the same, row by row? A faster program that gives other figures is worthless."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

# What names the run that made a row, not what the row says.
IGNORED = {"run_id"}
# A release adds the status of each cell beside it: why it is empty, when it is.
STATUS = "_statut"


class DifferenceError(RuntimeError):
    """Two releases differ; the message says in which table and by how many rows."""


def assert_same(one: Path, other: Path, tables: Sequence[str]) -> dict[str, int]:
    """Compare the Parquet tables of two folders as bags of rows (EXCEPT ALL both ways).

    Returns:
        Rows of each table.

    Raises:
        DifferenceError: columns or rows differ, or a table is empty (nothing would have been compared).
    """
    with duckdb.connect() as connection:
        # A contour is compared by its bytes, whether or not the file says that it is one.
        connection.execute("set enable_geoparquet_conversion = false")
        return {
            table: _same(connection, table, [f"read_parquet('{folder / table}.parquet')" for folder in (one, other)])
            for table in tables
        }


def _same(connection: duckdb.DuckDBPyConnection, table: str, sides: Sequence[str]) -> int:
    columns = [_columns(connection, side) for side in sides]
    if columns[0] != columns[1]:
        raise DifferenceError(f"{table}: columns differ: {sorted(set(columns[0]) ^ set(columns[1]))}")
    names = ", ".join(f'"{name}"' for name, _ in columns[0] if name not in IGNORED)
    selects = [f"select {names} from {side}" for side in sides]
    only = [
        _count(connection, f"select count(*) from ({first} except all {second})")
        for first, second in (selects, reversed(selects))
    ]
    if any(only):
        raise DifferenceError(f"{table}: {only[0]} rows only in the first release, {only[1]} only in the second")
    rows = _count(connection, f"select count(*) from {sides[0]}")
    if not rows:
        raise DifferenceError(f"{table} is empty in both releases")
    return rows


def _columns(connection: duckdb.DuckDBPyConnection, side: str) -> list[tuple[str, str]]:
    described = connection.execute(f"describe select * from {side}").fetchall()
    return [(str(row[0]), str(row[1])) for row in described if not str(row[0]).endswith(STATUS)]


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
