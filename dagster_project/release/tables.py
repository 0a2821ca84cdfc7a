"""The tables of a release: one copy in DuckDB, from which Parquet, CSV and JSON are written cell for cell.

An empty cell without a declared reason (`absence`) stops the release. Rows are sorted by their key, Parquet has fixed
row groups: the same build gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.release.absence import COMPANION_SUFFIX, Reason
from dagster_project.release.contract import ColumnDoc, TableDoc
from dagster_project.release.errors import ReleaseError
from dagster_project.release.plan import Plan
from dagster_project.sql import identifier, identifiers, literals

if TYPE_CHECKING:
    import duckdb

ROW_GROUP = 122_880
JSON_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Column:
    """A column as Parquet holds it. `companion` is True for the status of the column before it."""

    name: str
    kind: str
    doc: ColumnDoc
    reason: Reason | None = None
    companion: bool = False

    @property
    def label(self) -> str:
        """SQL that gives the label of an empty cell."""
        if self.reason and self.reason.companion:
            return identifier(self.name + COMPANION_SUFFIX)
        return self.reason.label if self.reason else "null"


@dataclass(frozen=True)
class ReleasedTable:
    """A table of the release and the formats it is written in."""

    name: str
    doc: TableDoc
    columns: tuple[Column, ...]
    formats: tuple[str, ...]
    rows: int

    @property
    def flat_columns(self) -> tuple[Column, ...]:
        """Columns of CSV and JSON: contours cannot be read there, and a label stands in its cell."""
        return tuple(column for column in self.columns if not column.companion and column.kind != "BLOB")

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Columns that name a row; none when one of them may be empty, which a primary key may not."""
        optional = {column.name for column in self.columns if column.reason}
        return () if optional & set(self.doc.key) else self.doc.key

    def file(self, suffix: str) -> str:
        """Name of the file that holds the table in a format."""
        return f"{self.name}.{suffix}"


def store(connection: duckdb.DuckDBPyConnection, plan: Plan, docs: Mapping[str, TableDoc]) -> ReleasedTable:
    """Copy a table into the release's database, sorted, with the status columns that explain its empty cells.

    Args:
        connection: the release's database, with what dbt built attached.
        plan: the table.
        docs: documentation by name.

    Raises:
        ReleaseError: a column is not documented, or a cell is empty without a declared reason.
    """
    doc = docs.get(plan.documented_as)
    if doc is None:
        raise ReleaseError(f"{plan.name}: not described, neither by dbt nor in dagster_project/release/contents.yml")
    columns = tuple(_columns(connection, plan, doc))
    selected = ",\n".join(
        f"{_status_of(column)} as {identifier(column.name)}" if column.companion else identifier(column.name)
        for column in columns
    )
    order = identifiers(doc.key) or "all"
    connection.execute(
        f"create table {plan.name} as select {selected} from {_relation(plan, columns)} order by {order}"
    )
    (rows,) = connection.execute(f"select count(*) from {plan.name}").fetchone() or (0,)
    table = ReleasedTable(plan.name, doc, columns, plan.formats, rows)
    _check_absences(connection, table)
    return table


def _columns(connection: duckdb.DuckDBPyConnection, plan: Plan, doc: TableDoc) -> Iterator[Column]:
    for name, kind, *_ in connection.execute(f"describe select * from {plan.relation}").fetchall():
        described = doc.columns.get(name)
        if described is None:
            raise ReleaseError(f"{plan.name}.{name}: this column is described nowhere; add it to the table's contract")
        reason = described.reason
        yield Column(name, kind, described, reason)
        if reason and reason.companion:
            text = f"Statut de {name} : ok, estime, ou le motif pour lequel la cellule est vide."
            status = ColumnDoc(name + COMPANION_SUFFIX, text, "code", described.indicator)
            yield Column(status.name, "VARCHAR", status, reason, companion=True)


def _status_of(companion: Column) -> str:
    """SQL of a status column: that of the figure, or `ok` where the cell is filled."""
    if companion.doc.indicator:
        return f"coalesce({identifier(companion.name)}, 'non_publie')"
    name, reason = companion.name.removesuffix(COMPANION_SUFFIX), companion.reason
    return f"case when {identifier(name)} is not null then 'ok' else {reason.label if reason else 'null'} end"


def _relation(plan: Plan, columns: tuple[Column, ...]) -> str:
    """The table itself; a wide one beside the statuses of its figures."""
    companions = [column for column in columns if column.companion and column.doc.indicator]
    if not companions:
        return plan.relation
    keys = "zone_level, zone_code, generation, vintage"
    statuses = ", ".join(
        f"max(status) filter (where indicator_code = '{column.doc.indicator}') as {identifier(column.name)}"
        for column in companions
    )
    figures = f"select {keys}, {statuses} from {plan.built}.marts.indicator_value group by all"
    return f"{plan.relation} left join ({figures}) using ({keys})"


def _check_absences(connection: duckdb.DuckDBPyConnection, table: ReleasedTable) -> None:
    """Every empty cell has a declared label; no text is empty, and none could be taken for a label."""
    checked = [column for column in table.columns if not column.companion]
    counts = ", ".join(f"count(*) filter (where {_unexplained(column, table)})" for column in checked)
    found = connection.execute(f"select {counts} from {table.name}").fetchone() or ()
    faults = [f"{column.name} ({count} cells)" for column, count in zip(checked, found, strict=True) if count]
    if faults:
        raise ReleaseError(
            f"{table.name}: cells that are empty without a declared reason, or whose text is a reason's label: "
            f"{', '.join(faults)}. Say why in the column's contract (`meta: absence`), or mend the model"
        )


def _unexplained(column: Column, table: ReleasedTable) -> str:
    name = identifier(column.name)
    if column.reason is None:
        empty = f" or {name} = ''" if column.kind == "VARCHAR" else ""
        return f"{name} is null{empty}"
    labels = literals(column.reason.labels)
    unexplained = f"({name} is null and not coalesce({column.label} in ({labels}), false))"
    if column.kind == "VARCHAR" and "csv" in table.formats:
        return f"{unexplained} or {name} = '' or {name} in ({labels})"
    return unexplained


def write(
    connection: duckdb.DuckDBPyConnection, table: ReleasedTable, folder: Path, footer: Mapping[str, str] | None = None
) -> None:
    """Write the stored table in its formats.

    Args:
        connection: the release's database.
        table: what `store` returned.
        folder: the release folder.
        footer: key-value metadata of the Parquet file.
    """
    metadata = ", ".join(f"{key}: ?" for key in footer or {})
    options = f", kv_metadata {{{metadata}}}" if footer else ""
    connection.execute(
        f"copy {table.name} to '{folder / table.file('parquet')}' "
        f"(format parquet, compression zstd, row_group_size {ROW_GROUP}{options})",
        list((footer or {}).values()),
    )
    if "csv" in table.formats:
        cells = ", ".join(f"{_text(column)} as {identifier(column.name)}" for column in table.flat_columns)
        target = folder / table.file("csv")
        connection.execute(f"copy (select {cells} from {table.name}) to '{target}' (header, delimiter ';')")
    if "json" in table.formats:
        _write_json(connection, table, folder / table.file("json"))


def _text(column: Column) -> str:
    """The CSV cell: the value, or the label of its absence."""
    name = identifier(column.name)
    text = f"array_to_string({name}, ' ')" if column.kind.endswith("[]") else f"cast({name} as varchar)"
    return f"coalesce({text}, {column.label})" if column.reason else text


def _write_json(connection: duckdb.DuckDBPyConnection, table: ReleasedTable, path: Path) -> None:
    """`{"columns": […], "rows": [[…], …]}`, a row a line, with the cells of the CSV."""
    cells = ", ".join(
        f"coalesce(cast(to_json({identifier(column.name)}) as varchar), cast(to_json({column.label}) as varchar))"
        for column in table.flat_columns
    )
    cursor = connection.execute(f"select concat('[', concat_ws(',', {cells}), ']') from {table.name}")
    names = json.dumps([column.name for column in table.flat_columns], ensure_ascii=False)
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"columns": {names},\n"rows": [')
        separator = "\n"
        while rows := cursor.fetchmany(JSON_ROWS_AT_ONCE):
            file.write(separator + ",\n".join(row for (row,) in rows))
            separator = ",\n"
        file.write("\n]}\n")
