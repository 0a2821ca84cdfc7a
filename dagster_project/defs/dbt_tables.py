"""What dbt built, read once after it ended: rows, columns, column lineage, and the rows that failed a test.

dagster-dbt can fetch the same through dbt's adapter, table by table, in some ten seconds here; one read-only
connection answers in less than one. Its column lineage has no conditions and drops what it cannot parse; ours has them
and fails.
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import dagster as dg

from dagster_project.defs.dbt_project import COLUMN_SLICES
from dagster_project.identity.content import content_version
from dagster_project.lineage.column_origins import ROWS, Condition, LineageError, Relation, Table
from dagster_project.lineage.compiled import read_models
from dagster_project.lineage.store import write_column_lineage
from dagster_project.release.places import building_path
from dagster_project.release.report import failing_rows
from dagster_project.settings import Settings

ROWS_IN_MESSAGE = 3
ADVICE = (
    "    What to do: compare these rows with the producer's file; if it is wrong, tell the producer and drop a mended "
    "copy in the inbox (DQ_HOME/inbox); if it is right, the model or the rule must change."
)


class BuiltTables:
    """The finished build, open for reading; use it as a context manager."""

    def __init__(self, settings: Settings, manifest: Mapping[str, Any], target: Path, build_id: str) -> None:
        self._settings, self._manifest, self._target, self._build_id = settings, manifest, target, build_id

    def __enter__(self) -> Self:
        import duckdb

        building = building_path(self._settings)
        self._connection = duckdb.connect(str(building), read_only=True)
        self._columns = {**self._source_columns(), **self._all_columns()}
        self._rows = self._all_rows()
        compiled = self._target / "compiled" / self._manifest["metadata"]["project_name"]
        self._lineage = read_models(
            self._manifest,
            compiled,
            self._columns,
            catalog=building.stem,
            build_id=self._build_id,
            cache=COLUMN_SLICES,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def metadata(self, unique_id: str) -> dict[str, Any]:
        """Columns, rows and column lineage of a model or seed, as Dagster shows them."""
        node = self._manifest["nodes"][unique_id]
        table = (node["schema"], node["name"])
        described = {name.lower(): column for name, column in node["columns"].items()}
        schema = [
            dg.TableColumn(name, kind, description=described.get(name.lower(), {}).get("description") or None)
            for name, kind in self._columns.get(table, {}).items()
        ]
        metadata: dict[str, Any] = {"dagster/column_schema": dg.TableSchema(schema)}
        if table in self._rows:
            metadata["dagster/row_count"] = self._rows[table]
        if table in self._lineage.relations:
            metadata |= lineage_metadata(self._lineage.relations[table])
        return metadata

    def data_version(self, unique_id: str) -> str:
        """Digest of what a model or seed holds: built anew with the same rows, it is the same."""
        node = self._manifest["nodes"][unique_id]
        relation = (node["schema"], node["name"])
        return content_version(self._connection, f'"{relation[0]}"."{relation[1]}"', self._columns[relation])

    @property
    def lineage_failures(self) -> list[str]:
        """One line for each model whose columns could not be followed."""
        return [f"column lineage of {model}: {why}" for model, why in sorted(self._lineage.failures.items())]

    def write_lineage(self) -> list[str]:
        """Write the column lineage of this build; what prevents it, if anything does."""
        try:
            write_column_lineage(self._settings, self._manifest, self._lineage, self._columns)
        except LineageError as error:
            return [str(error)]
        return []

    def rows_in_fault(self, unique_id: str) -> list[dict[str, str | int | float | bool | None]]:
        """The first rows that failed a test: its own query, asked again now that it has found something."""
        return failing_rows(self._connection, self._target, self._manifest["nodes"].get(unique_id, {}))

    def failing_rows(self, unique_id: str) -> dict[str, Any]:
        """The same rows, as metadata of the check."""
        rows = self.rows_in_fault(unique_id)
        return {"lignes_en_echec": dg.MetadataValue.table([dg.TableRecord(row) for row in rows])} if rows else {}

    def reason(self, result: Mapping[str, Any]) -> str:
        """Why a node failed, from its entry in `run_results.json`: for a test, the first rows it refused."""
        unique_id = result["unique_id"]
        message = " ".join((result["message"] or result["status"]).split())
        if result["status"] != "fail" or unique_id not in self._manifest["nodes"]:
            return f"{unique_id}: {message}"
        test = self._manifest["nodes"][unique_id]
        model = (test.get("attached_node") or unique_id).rsplit(".", 1)[-1]
        rows = [
            "    " + ", ".join(f"{name}={value}" for name, value in row.items())
            for row in self.rows_in_fault(unique_id)[:ROWS_IN_MESSAGE]
        ]
        head = (
            f"{model}: {result['failures']} row(s) refused by {test['name']} (dbt_models/{test['original_file_path']})"
        )
        return "\n".join([head, *rows, ADVICE])

    def _all_columns(self) -> dict[Table, dict[str, str]]:
        query = "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal"
        return _by_table(self._connection.sql(query).fetchall())

    def _source_columns(self) -> dict[Table, dict[str, str]]:
        """Columns of the Parquet files that are dbt's sources."""
        folders = {"raw": self._settings.raw_dir, "derived": self._settings.derived_dir}
        found = {}
        for source in self._manifest["sources"].values():
            path = folders[source["source_name"]] / f"{source['name']}.parquet"
            if path.exists():
                described = self._connection.execute("describe select * from read_parquet(?)", [str(path)]).fetchall()
                found[(source["source_name"], source["name"])] = {row[0]: row[1] for row in described}
        return found

    def _all_rows(self) -> dict[Table, int]:
        """Row counts of tables, as DuckDB keeps them; views are not computed for the sake of a count."""
        query = "select schema_name, table_name, estimated_size from duckdb_tables() where not internal"
        return {(schema, table): int(size) for schema, table, size in self._connection.sql(query).fetchall()}


def _by_table(rows: list[tuple[str, str, str, str]]) -> dict[Table, dict[str, str]]:
    found: dict[Table, dict[str, str]] = {}
    for schema, table, column, kind in rows:
        found.setdefault((schema, table), {})[column] = kind
    return found


def lineage_metadata(relation: Relation) -> dict[str, Any]:
    """Value edges as Dagster draws them, and a table of conditions; those of all columns stand there once."""
    values = {
        name: [
            dg.TableColumnDep(dg.AssetKey([schema, table]), column) for schema, table, column in sorted(origin.values)
        ]
        for name, origin in relation.columns
    }
    records = _condition_records("toutes", relation.rows)
    for name, origin in relation.columns:
        records += _condition_records(name, origin.conditions - relation.rows)
    return {
        "dagster/column_lineage": dg.TableColumnLineage(values),
        "conditions": dg.MetadataValue.table(records),
    }


def _condition_records(column: str, conditions: frozenset[Condition]) -> list[dg.TableRecord]:
    """One row per table and clause, the columns read side by side."""
    read: dict[tuple[str, str], list[str]] = {}
    for (schema, table, name), clause in sorted(conditions):
        read.setdefault((f"{schema}/{table}", clause), []).append("(lignes)" if name == ROWS else name)
    return [
        dg.TableRecord({"colonne": column, "table_lue": table, "clause": clause, "colonnes_lues": ", ".join(names)})
        for (table, clause), names in read.items()
    ]
