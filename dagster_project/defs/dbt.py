"""All tabular work: one dbt build, beside the warehouse that readers use, skipped when nothing changed."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from dagster_project.defs.dbt_project import (
    DBT_DIR,
    DBT_EXECUTABLE,
    Translator,
    dbt_environment,
    ensure_manifest,
    load_manifest,
)
from dagster_project.provenance.build import describe_build
from dagster_project.release.promote import building_path, current_release
from dagster_project.settings import Settings

FAILING_ROWS_SHOWN = 20
INDICATOR_VALUE = dg.AssetKey(["marts", "indicator_value"])


def dbt_target(settings: Settings) -> Path:
    """Where the last dbt run leaves its artifacts (compiled SQL, results)."""
    return settings.derived_dir / "dbt"


def dbt_definitions(settings: Settings) -> tuple[dg.AssetsDefinition, dg.AssetsDefinition]:
    """The dbt assets with their tests as checks, and the check that shows dbt's unit tests."""
    manifest_path = ensure_manifest(settings)
    manifest = load_manifest(manifest_path)

    @dbt_assets(
        manifest=manifest_path,
        dagster_dbt_translator=Translator(manifest),
        name="dbt_models",
        pool="duckdb_writer",
    )
    def dbt_models(context: dg.AssetExecutionContext) -> Iterator[Any]:
        build = describe_build(settings)
        known = current_release(settings)
        if known and known.build_id == build.build_id and settings.warehouse.exists():
            context.log.info(f"sources and code are those of release {known.release_id}: nothing to build")
            return
        yield from _build(context, settings, manifest, build.build_id)

    @dg.asset_check(
        asset=INDICATOR_VALUE,
        name="tests_unitaires_dbt",
        description="Tests unitaires des formules et des statuts, joués par dbt avant de construire les modèles.",
    )
    def unit_tests() -> dg.AssetCheckResult:
        results = json.loads((dbt_target(settings) / "run_results.json").read_text(encoding="utf-8"))["results"]
        outcome = {r["unique_id"]: r["status"] for r in results if r["unique_id"].startswith("unit_test.")}
        failed = sorted(name for name, status in outcome.items() if status != "pass")
        return dg.AssetCheckResult(
            passed=bool(outcome) and not failed,
            description=f"{len(outcome)} tests unitaires, {len(failed)} en échec",
            metadata={"tests": dg.MetadataValue.json(outcome), "en_echec": ", ".join(failed) or "aucun"},
        )

    return dbt_models, unit_tests


def _build(
    context: dg.AssetExecutionContext, settings: Settings, manifest: Mapping[str, Any], build_id: str
) -> Iterator[Any]:
    building = building_path(settings)
    building.parent.mkdir(parents=True, exist_ok=True)
    building.unlink(missing_ok=True)
    target = dbt_target(settings)
    shutil.rmtree(target, ignore_errors=True)
    # dbt reads its paths from the environment; it inherits this process's.
    os.environ.update(dbt_environment(settings, build_id))
    dbt = DbtCliResource(project_dir=str(DBT_DIR), profiles_dir=str(DBT_DIR), dbt_executable=str(DBT_EXECUTABLE))
    run = dbt.cli(["build"], context=context, raise_on_error=False, target_path=target)
    relations = {id_: node["relation_name"] for id_, node in manifest["nodes"].items() if node.get("relation_name")}
    events = list(run.stream().fetch_row_counts().fetch_column_metadata())
    for event in events:
        yield _with_failing_rows(event, run, relations)
    _release_file(run)
    error = run.get_error()
    if error:
        building.unlink(missing_ok=True)
        raise dg.Failure(description=_why(target), allow_retries=False) from error


def _with_failing_rows(event: Any, run: Any, relations: Mapping[str, str]) -> Any:
    """A failed check shows the first rows that failed it."""
    if not isinstance(event, dg.AssetCheckResult | dg.AssetCheckEvaluation) or event.passed:
        return event
    relation = relations.get(str(event.metadata["unique_id"].value))
    if relation is None:
        return event
    with run.adapter.connection_named("audit"):
        rows = run.adapter.execute(f"select * from {relation} limit {FAILING_ROWS_SHOWN}", fetch=True)[1]
    records = [dg.TableRecord({n: _plain(v) for n, v in zip(rows.column_names, row, strict=True)}) for row in rows.rows]
    return dg.AssetCheckResult(
        asset_key=event.asset_key,
        check_name=event.check_name,
        passed=False,
        severity=event.severity,
        metadata={**event.metadata, "lignes_en_echec": dg.MetadataValue.table(records)},
    )


def _plain(value: Any) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _release_file(run: Any) -> None:
    """dbt's adapter keeps the database open in this process; the next step opens it read-only."""
    run.adapter.cleanup_connections()
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _why(target: Path) -> str:
    """What failed, in dbt's words: one line per node."""
    path = target / "run_results.json"
    if not path.exists():
        return "dbt stopped before it ran anything; see its log in the step's output"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    lines = [
        f"{result['unique_id']}: {' '.join((result['message'] or result['status']).split())}"
        for result in results
        if result["status"] in {"error", "fail"}
    ]
    return "dbt build failed; the warehouse and the current release are unchanged.\n" + "\n".join(lines)
