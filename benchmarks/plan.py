"""What a finished run did, as a list of bare steps: files to read, SQL to run, tables to export.

`python -m benchmarks.plan OUT` writes the plan of the run in DQ_HOME; a process of its own, so that it reads the same
snapshot of the project as what it plans for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from benchmarks.bare import OUT
from dagster_project.audit.release_folder import current_release
from dagster_project.release.plan import published
from dagster_project.settings import Settings, load_settings
from dagster_project.sources.archive import Archive
from dagster_project.sources.catalogue import load_catalogue

Node = dict[str, Any]


class PlanError(RuntimeError):
    """A finished run lacks something that the bare program needs."""


def make_plan(settings: Settings) -> dict[str, Any]:
    """The plan of the bare program, as JSON holds it.

    Args:
        settings: those of a run that has ended well.

    Returns:
        `datasets`: catalogue entries with the archived files of each; `steps`: seeds, tables and views in the order
        of their dependencies, with the SQL that dbt compiled (paths under `OUT`); `nodes`: number of dbt
        nodes of each kind that the run played; `released`: dbt's tables that a release holds in CSV;
        `rows`: rows of raw tables; `environment`: dbt's, to build the same.
    """
    from dagster_project.defs.dbt_project import dbt_environment

    target = settings.derived_dir / "dbt"
    manifest, results = _json(target / "manifest.json"), _json(target / "run_results.json")["results"]
    raw = [_json(settings.raw_dir / f"{name}.json") for name in load_catalogue()]
    return {
        "datasets": list(_datasets(settings, raw)),
        "steps": [_step(settings, manifest["nodes"][name], target) for name in _in_order(manifest["nodes"])],
        "nodes": _kinds(results),
        "released": [asdict(table) for table in published(manifest) if "csv" in table.formats],
        "rows": sum(table["rows"] for table in raw),
        "environment": dbt_environment(settings, _build_id(settings)),
    }


def _datasets(settings: Settings, raw: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    archive = Archive(settings.archive_dir)
    catalogue = load_catalogue()
    for table in raw:
        files = [
            {
                "vintage": file["vintage"],
                "file": file["file"],
                "parts": [{**part, "path": str(archive.object_path(part["sha256"]))} for part in file["parts"]],
            }
            for file in table["files"]
        ]
        yield {"entry": catalogue[table["dataset"]].model_dump(mode="json"), "files": files}


def _in_order(nodes: dict[str, Node]) -> list[str]:
    built = {name: node for name, node in nodes.items() if node["resource_type"] in {"model", "seed"}}
    parents = {
        name: sorted(set(node["depends_on"].get("nodes", ())) & built.keys()) for name, node in sorted(built.items())
    }
    return list(TopologicalSorter(parents).static_order())


def _step(settings: Settings, node: Node, target: Path) -> dict[str, Any]:
    step = {"name": node["name"], "schema": node["schema"], "relation": node["relation_name"]}
    if node["resource_type"] == "seed":
        path = (Path(node["root_path"]) / node["original_file_path"]).resolve()
        return {**step, "kind": "seed", "csv": str(path), "columns": _columns(settings, node)}
    kind = node["config"]["materialized"]
    if kind not in {"table", "view"}:
        raise PlanError(f"{node['name']} is materialised as {kind!r}, which the bare program does not know")
    compiled = target / "compiled" / node["package_name"] / node["original_file_path"]
    sql = compiled.read_text(encoding="utf-8")
    for folder in (settings.raw_dir, settings.derived_dir):
        sql = sql.replace(f"{folder}/", f"{OUT}/{folder.name}/")
    if str(settings.home) in sql:
        raise PlanError(f"{compiled} reads from {settings.home}: the bare program would not read its own tables")
    return {**step, "kind": kind, "sql": sql}


def _columns(settings: Settings, seed: Node) -> dict[str, str]:
    """Types that dbt gave the seed's columns."""
    import duckdb

    query = """select column_name, data_type from duckdb_columns()
               where schema_name = ? and table_name = ? order by column_index"""
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        return dict(connection.execute(query, [seed["schema"], seed["name"]]).fetchall())


def _kinds(results: list[dict[str, Any]]) -> dict[str, int]:
    kinds = [result["unique_id"].split(".", 1)[0] for result in results]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def _build_id(settings: Settings) -> str:
    release = current_release(settings)
    if release is None:
        raise PlanError(f"{settings.home} holds no release: run `dq run` there first")
    return release.build_id


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(make_plan(load_settings())), encoding="utf-8")
