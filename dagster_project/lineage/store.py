"""Column lineage as Parquet tables: written after each build, read again by the page and by partial builds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.lineage.column_origins import (
    ROWS,
    Column,
    Condition,
    LineageError,
    Origin,
    Relation,
    Schemas,
    Table,
)
from dagster_project.lineage.compiled import ModelColumns
from dagster_project.lineage.declared import indicator_cells, python_tables
from dagster_project.lineage.graph import ColumnGraph, Reach
from dagster_project.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

LINEAGE_COLUMNS = (
    "table_schema", "table_name", "column_name", "reach", "kind", "clause",
    "upstream_schema", "upstream_table", "upstream_column", "constant",
)  # fmt: skip
SQL_COLUMNS = ("table_schema", "table_name", "column_name", "sql")
Row = tuple[str | None, ...]


def lineage_path(settings: Settings) -> Path:
    """Where the edges of the last build are."""
    return settings.derived_dir / "column_lineage.parquet"


def sql_path(settings: Settings) -> Path:
    """Where the SQL of each column of the last build is."""
    return settings.derived_dir / "column_sql.parquet"


def write_column_lineage(
    settings: Settings, manifest: Mapping[str, Any], read: ModelColumns, columns: Schemas
) -> pa.Table:
    """Write the edges of all models, and the SQL of their columns.

    A partial build reads some models only: the others are as the last build left them.

    Args:
        settings: where derived files are.
        manifest: dbt's, for the models that there are and the indicators of their columns.
        read: the models of this build, without failures.
        columns: columns of every relation.

    Returns:
        What was written: one row per edge, sorted by all columns.
            table_schema, table_name, column_name: the column; `*` when the edge holds for every column of the table.
            reach: `direct`, an edge of the table's own query, or `source`, what a mart reaches through all others.
            kind: `value`, `condition` or `constant`.
            clause: what reads a condition, in lower case, such as `where`; null for other kinds and for `source`.
            upstream_schema, upstream_table, upstream_column: the column read; `*` for the rows of a table, whatever
            they hold. Null for a constant.
            constant: SQL text of the literal, or where a declaration stands; null for other kinds.

    Raises:
        LineageError: a model is neither in this build nor in the file of an earlier one.
    """
    models = {(n["schema"], n["name"]) for n in manifest["nodes"].values() if n["resource_type"] == "model"}
    earlier = read_relations(lineage_path(settings)) if models - set(read.relations) else {}
    relations = {table: known for table, known in {**earlier, **read.relations}.items() if table in models}
    if models - set(relations):
        names = ", ".join(sorted(name for _, name in models - set(relations)))
        raise LineageError(f"no column lineage for {names}: run the whole graph once, without --select")
    graph = ColumnGraph({**python_tables(manifest, columns), **relations}, indicator_columns(manifest))
    table = _table(LINEAGE_COLUMNS, {*_direct(graph.relations), *_sources(graph)})
    texts = {key: sql for key, sql in _known_sql(settings).items() if key[:2] in set(relations) - set(read.relations)}
    sql = _table(SQL_COLUMNS, {(*key, text) for key, text in {**texts, **read.slices}.items()})
    _write(lineage_path(settings), table)
    _write(sql_path(settings), sql)
    return table


def indicator_columns(manifest: Mapping[str, Any]) -> dict[Column, frozenset[Column]]:
    """Mart columns that hold one indicator, and the source columns of its formula."""
    found = {}
    for node in manifest["nodes"].values():
        for name, column in node.get("columns", {}).items():
            code = column.get("config", {}).get("meta", {}).get("indicator")
            if code:
                found[(node["schema"], node["name"], name)] = indicator_cells(code)
    return found


def read_relations(path: Path) -> dict[Table, Relation]:
    """Relations of the edges that a file holds; none when there is no file."""
    if not path.exists():
        return {}
    rows = _rows(path, "select * exclude (reach) from read_parquet(?) where reach = 'direct'")
    names: dict[Table, dict[str, Origin]] = {}
    conditions: dict[Table, set[Condition]] = {}
    for schema, table, name, kind, clause, *upstream, constant in rows:
        key, read = (schema, table), tuple(upstream)
        if name == ROWS:
            conditions.setdefault(key, set()).add((read, clause))
            continue
        edge = {
            "value": Origin(values=frozenset({read})),
            "condition": Origin(conditions=frozenset({(read, clause)})),
            "constant": Origin(constants=frozenset({constant})),
        }[kind]
        columns = names.setdefault(key, {})
        columns[name] = columns.get(name, Origin()) | edge
    return {key: Relation(tuple(origins.items()), frozenset(conditions.get(key, ()))) for key, origins in names.items()}


def read_sql(path: Path) -> dict[Column, str]:
    """SQL of each column of an intermediate model or mart."""
    return {(schema, table, name): sql for schema, table, name, sql in _rows(path, "from read_parquet(?)")}


def _known_sql(settings: Settings) -> dict[Column, str]:
    return read_sql(sql_path(settings)) if sql_path(settings).exists() else {}


def _rows(path: Path, query: str) -> list[Any]:
    import duckdb

    with duckdb.connect() as connection:
        return connection.execute(query, [str(path)]).fetchall()


def _direct(relations: Mapping[Table, Relation]) -> Iterator[Row]:
    for table, relation in relations.items():
        for upstream, clause in relation.rows:
            yield (*table, ROWS, "direct", "condition", clause, *upstream, None)
        for name, origin in relation.columns:
            start = (*table, name, "direct")
            for upstream in origin.values:
                yield (*start, "value", None, *upstream, None)
            for upstream, clause in origin.conditions:
                yield (*start, "condition", clause, *upstream, None)
            for constant in origin.constants:
                yield (*start, "constant", None, None, None, None, constant)


def _sources(graph: ColumnGraph) -> Iterator[Row]:
    """What each mart reaches; what all columns of a table share is said once."""
    for table, relation in graph.relations.items():
        if table[0] != "marts":
            continue
        shared = graph.reach((*table, ROWS))
        yield from _reached(table, ROWS, shared)
        for name in relation.names:
            own = graph.reach((*table, name))
            yield from _reached(table, name, Reach(own.values, own.conditions - shared.conditions, own.constants))


def _reached(table: Table, name: str, reach: Reach) -> Iterator[Row]:
    start = (*table, name, "source")
    for upstream in reach.values:
        yield (*start, "value", None, *upstream, None)
    for upstream in reach.conditions:
        yield (*start, "condition", None, *upstream, None)
    for constant in reach.constants:
        yield (*start, "constant", None, None, None, None, constant)


def _table(names: tuple[str, ...], rows: set[Row]) -> pa.Table:
    import pyarrow as pa

    ordered = sorted(rows, key=lambda row: tuple((cell is not None, cell or "") for cell in row))
    return pa.table({name: pa.array([row[i] for row in ordered], pa.string()) for i, name in enumerate(names)})


def _write(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    pq.write_table(table, temporary, compression="zstd")
    temporary.replace(path)
