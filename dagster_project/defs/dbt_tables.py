"""What dbt built, read once after it ended: rows, columns, column lineage, and the rows that failed a test.

dagster-dbt can fetch the same through dbt's adapter, table by table, in some ten seconds here; one read-only
connection answers in less than one.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import dagster as dg

from dagster_project.provenance.columns import Column, column_lineage, observation_lineage
from dagster_project.provenance.content import content_version
from dagster_project.release.report import failing_rows

LOG = logging.getLogger(__name__)
ROWS_IN_MESSAGE = 3
ADVICE = (
    "    What to do: compare these rows with the producer's file; if it is wrong, tell the producer and drop a mended "
    "copy in the inbox (DQ_HOME/inbox); if it is right, the model or the rule must change."
)
Relation = tuple[str, str]


class BuiltTables:
    """The finished build, open for reading; use it as a context manager."""

    def __init__(self, building: Path, manifest: Mapping[str, Any], target: Path) -> None:
        self._building, self._manifest, self._target = building, manifest, target

    def __enter__(self) -> Self:
        import duckdb

        self._connection = duckdb.connect(str(self._building), read_only=True)
        self._columns = self._all_columns()
        self._rows = self._all_rows()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def metadata(self, unique_id: str) -> dict[str, Any]:
        """Columns, rows and column lineage of a model or seed, as Dagster shows them."""
        node = self._manifest["nodes"][unique_id]
        relation = (node["schema"], node["name"])
        described = {name.lower(): column for name, column in node["columns"].items()}
        schema = [
            dg.TableColumn(name, kind, description=described.get(name.lower(), {}).get("description") or None)
            for name, kind in self._columns.get(relation, {}).items()
        ]
        metadata: dict[str, Any] = {"dagster/column_schema": dg.TableSchema(schema)}
        if relation in self._rows:
            metadata["dagster/row_count"] = self._rows[relation]
        lineage = self._lineage(node)
        if lineage:
            metadata["dagster/column_lineage"] = dg.TableColumnLineage(lineage)
        return metadata

    def data_version(self, unique_id: str) -> str:
        """Digest of what a model or seed holds: built anew with the same rows, it is the same."""
        node = self._manifest["nodes"][unique_id]
        relation = (node["schema"], node["name"])
        return content_version(self._connection, f'"{relation[0]}"."{relation[1]}"', self._columns[relation])

    def _lineage(self, node: Mapping[str, Any]) -> dict[str, list[dg.TableColumnDep]]:
        if node["resource_type"] != "model":
            return {}
        name = node["name"]
        if name.startswith("obs_"):
            staging = next(
                parent
                for parent in node["depends_on"]["nodes"]
                if self._manifest["nodes"].get(parent, {}).get("schema") == "staging"
            )
            return _deps(observation_lineage(name.removeprefix("obs_"), ("staging", staging.rsplit(".", 1)[-1])))
        return _deps(self._parsed(node))

    def _parsed(self, node: Mapping[str, Any]) -> dict[str, set[Column]]:
        from sqlglot.errors import SqlglotError

        path = self._target / "compiled" / "data_et_quartiers" / node["original_file_path"]
        sql = path.read_text(encoding="utf-8") if path.exists() else ""
        schemas: dict[Relation, Mapping[str, str]] = {}
        for parent in node["depends_on"]["nodes"]:
            if parent.startswith("source."):
                source = self._manifest["sources"][parent]
                relation = (source["source_name"], source["name"])
                location = next(part for part in sql.split("'") if part.endswith(f"/{relation[1]}.parquet"))
                sql = sql.replace(f"'{location}'", f'"{self._building.stem}"."{relation[0]}"."{relation[1]}"')
                schemas[relation] = self._parquet_columns(location)
            else:
                parent_node = self._manifest["nodes"][parent]
                relation = (parent_node["schema"], parent_node["name"])
                schemas[relation] = self._columns[relation]
        try:
            return column_lineage(sql, schemas, self._building.stem)
        except SqlglotError as error:
            LOG.warning("no column lineage for %s: %s", node["name"], error)
            return {}

    def _parquet_columns(self, location: str) -> dict[str, str]:
        rows = self._connection.execute("describe select * from read_parquet(?)", [location]).fetchall()
        return {row[0]: row[1] for row in rows}

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

    def _all_columns(self) -> dict[Relation, dict[str, str]]:
        found: dict[Relation, dict[str, str]] = {}
        query = "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal"
        for schema, table, column, kind in self._connection.sql(query).fetchall():
            found.setdefault((schema, table), {})[column] = kind
        return found

    def _all_rows(self) -> dict[Relation, int]:
        """Row counts of tables, as DuckDB keeps them; views are not computed for the sake of a count."""
        query = "select schema_name, table_name, estimated_size from duckdb_tables() where not internal"
        return {(schema, table): int(size) for schema, table, size in self._connection.sql(query).fetchall()}


def _deps(lineage: Mapping[str, set[Column]]) -> dict[str, list[dg.TableColumnDep]]:
    return {
        name: [dg.TableColumnDep(dg.AssetKey([schema, table]), column) for schema, table, column in sorted(sources)]
        for name, sources in lineage.items()
    }
