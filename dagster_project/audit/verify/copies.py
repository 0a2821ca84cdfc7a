"""The same table in several formats says the same thing, cell by cell: CSV and DuckDB against Parquet.

Someone who changes a Parquet file and its line of SHA256SUMS is seen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagster_project.audit.release_folder import ReleaseFolder, ask, records
from dagster_project.audit.verify.result import Chapter

if TYPE_CHECKING:
    import duckdb

DATABASE = "quartiers.duckdb"
SHOWN_PER_COLUMN = 5


def verify_copies(connection: duckdb.DuckDBPyConnection, release: ReleaseFolder) -> Chapter:
    """Compare each CSV of the release, and each table of its database, with the Parquet file of the same name."""
    chapter = Chapter(
        "formats",
        "Mêmes tables, plusieurs formats",
        "Chaque table CSV, et chaque table de la base DuckDB, a été comparée au fichier Parquet, cellule par cellule.",
    )
    tables = sorted(path.stem for path in release.path.glob("*.parquet"))
    csv = [name for name in tables if (release.path / f"{name}.csv").is_file()]
    for name in csv:
        _compare_csv(connection, release, name, chapter)
    stored = _attach(connection, release)
    for name in sorted(stored & set(tables)):
        _compare_stored(connection, name, chapter)
    for name in sorted(set(tables) - stored) if stored else ():
        chapter.found(DATABASE, f"la table {name} y manque")
    chapter.counts = {"tables CSV": len(csv)}
    if stored:
        chapter.counts["tables DuckDB"] = len(stored & set(tables))
    return chapter


def _attach(connection: duckdb.DuckDBPyConnection, release: ReleaseFolder) -> set[str]:
    path = release.path / DATABASE
    if not path.is_file():
        return set()
    ask(connection, "attach ? as quartiers (read_only)", [path])
    rows = ask(connection, "select table_name from duckdb_tables() where database_name = 'quartiers'").fetchall()
    return {name for (name,) in rows}


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {row["column_name"]: row["column_type"] for row in records(connection, f"describe from {relation}")}


def _compare_csv(connection: duckdb.DuckDBPyConnection, release: ReleaseFolder, name: str, chapter: Chapter) -> None:
    """A CSV holds the text of each cell, or where it is empty nothing or the word that says why."""
    ask(
        connection,
        f'create or replace view "{name}_csv" as from '
        "read_csv(?, all_varchar = true, header = true, delim = ';', quote = '\"', escape = '\"')",
        [release.path / f"{name}.csv"],
    )
    types = _columns(connection, f'"{name}"')
    labels = "select label from absence"
    common = [column for column in _columns(connection, f'"{name}_csv"') if column in types]
    differs = {}
    for column in common:
        held = f'a."{column}"'
        text = f"array_to_string({held}, ' ')" if types[column].endswith("[]") else f"cast({held} as varchar)"
        written = f"coalesce(b.\"{column}\", '')"
        absent = f"{written} != '' and {written} not in ({labels})"
        differs[column] = f"case when {held} is null then {absent} else {text} != {written} end"
    _compare(connection, chapter, name, f"{name}.csv", f'"{name}_csv"', differs)


def _compare_stored(connection: duckdb.DuckDBPyConnection, name: str, chapter: Chapter) -> None:
    here, there = _columns(connection, f'"{name}"'), _columns(connection, f'quartiers."{name}"')
    common = [column for column, kind in here.items() if there.get(column) == kind]
    differs = {column: f'a."{column}" is distinct from b."{column}"' for column in common}
    _compare(connection, chapter, name, DATABASE, f'quartiers."{name}"', differs)


def _compare(
    connection: duckdb.DuckDBPyConnection,
    chapter: Chapter,
    name: str,
    other: str,
    relation: str,
    differs: dict[str, str],
) -> None:
    """Rows are in the same order everywhere: they are compared one by one."""
    (rows,) = ask(connection, f'select count(*) from "{name}"').fetchone() or (0,)
    (others,) = ask(connection, f"select count(*) from {relation}").fetchone() or (0,)
    if rows != others:
        chapter.found(f"{name}.parquet", f"{rows} lignes, mais {others} dans {other}")
        return
    pair = f'"{name}" as a positional join {relation} as b'
    counted = ", ".join(f"count(*) filter (where {condition})" for condition in differs.values())
    counts: Sequence[int] = ask(connection, f"select {counted} from {pair}").fetchone() or ()
    for (column, condition), count in zip(differs.items(), counts, strict=True):
        if count:
            _say(connection, chapter, name, other, pair, column, condition, count)


def _say(
    connection: duckdb.DuckDBPyConnection,
    chapter: Chapter,
    name: str,
    other: str,
    pair: str,
    column: str,
    condition: str,
    count: int,
) -> None:
    """The first cells of a column that differ, with the figure of their row where the table has one."""
    figure = "a.figure_id" if "figure_id" in _columns(connection, f'"{name}"') else "null"
    cells = ask(
        connection,
        f"select row, figure, cast(here as varchar), cast(there as varchar) from (select row_number() over () as row, "
        f'{figure} as figure, a."{column}" as here, b."{column}" as there, {condition} as differs from {pair}) '
        "where differs limit ?",
        [SHOWN_PER_COLUMN],
    ).fetchall()
    for row, figure_id, here, there in cells:
        place = f"ligne {row} ({figure_id})" if figure_id else f"ligne {row}"
        chapter.found(f"{name}.parquet", f"{place}, colonne {column} : {here!r}, mais {there!r} dans {other}")
    chapter.more += count - len(cells)
