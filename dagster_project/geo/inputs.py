"""What the geometry of zones takes from raw tables, whose cells are text: refused where a cell cannot be meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


class GeoInputError(ValueError):
    """A raw table holds something geometry cannot be made of; the message names file, row, column and what to do."""


def latest(raw_dir: Path, table: str) -> str:
    """SQL relation: the last vintage of a raw table, for contours and places are not added up over the years."""
    relation = f"read_parquet('{raw_dir / table}.parquet')"
    return f"(select * from {relation} where _vintage = (select max(_vintage) from {relation}))"


def number(column: str) -> str:
    """SQL expression: a cell as a number, whichever the decimal mark; null when it is empty or no number."""
    return f"try_cast(replace(\"{column}\", ',', '.') as double)"


def refuse_where(
    connection: duckdb.DuckDBPyConnection, relation: str, table: str, *, column: str, wrong: str, expected: str
) -> None:
    """Raise GeoInputError for the first row, in the order of files, where the condition `wrong` (SQL) holds."""
    found = connection.execute(
        f"""select _source_member, _source_row, "{column}", count(*) over () from {relation}
            where {wrong} order by _source_member, _source_row limit 1"""
    ).fetchone()
    if found:
        member, row, cell, count = found
        raise GeoInputError(
            f"{table}, {member} row {row}, column {column}: {cell!r} ({count} such row(s)); expected {expected}; "
            "check the file against the producer's page, or correct the cell in corrections/"
        )


def refuse_text(connection: duckdb.DuckDBPyConnection, relation: str, table: str, *columns: str) -> None:
    """Raise GeoInputError where one of these columns has a cell that is neither empty nor a number."""
    for column in columns:
        wrong = f"nullif(trim(\"{column}\"), '') is not null and {number(column)} is null"
        refuse_where(connection, relation, table, column=column, wrong=wrong, expected="a number")
