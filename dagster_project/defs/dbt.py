"""All tabular work: one dbt build, beside the warehouse that readers use, skipped when nothing changed."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from dagster_project.audit.release_folder import is_current
from dagster_project.defs.dbt_project import (
    PARTIAL_PARSE,
    UNIT_TESTS,
    Translator,
    ensure_manifest,
    invoke_dbt,
    node_versions,
)
from dagster_project.defs.dbt_tables import BuiltTables
from dagster_project.identity.build import code_digest, describe_build
from dagster_project.release.places import building_path
from dagster_project.release.plan import Published, published
from dagster_project.settings import Settings
from dagster_project.text_files import read_json, replace_text

UNIQUE_ID = "dagster_dbt/unique_id"
INDICATOR_VALUE = dg.AssetKey(["marts", "indicator_value"])


def dbt_target(settings: Settings) -> Path:
    """Where the last dbt run leaves its artifacts (compiled SQL, results)."""
    return settings.derived_dir / "dbt"


def published_tables(settings: Settings) -> tuple[Published, ...]:
    """What a release holds of dbt's tables, as the project is now."""
    return published(read_json(ensure_manifest(settings)))


def dbt_definitions(settings: Settings) -> tuple[dg.AssetsDefinition, dg.AssetsDefinition]:
    """The dbt assets with their tests as checks, and the check that shows dbt's unit tests."""
    manifest_path = ensure_manifest(settings)
    manifest = read_json(manifest_path)

    @dbt_assets(
        manifest=manifest_path,
        dagster_dbt_translator=Translator(node_versions(manifest, settings)),
        name="dbt_models",
        pool="duckdb_writer",
    )
    def dbt_models(context: dg.AssetExecutionContext) -> Iterator[Any]:
        build = describe_build(settings)
        if is_current(settings, build.build_id):
            context.log.info("sources and code are those of the current release: nothing to build")
            return
        yield from _build(context, settings, manifest, build.build_id)

    @dg.asset_check(
        asset=INDICATOR_VALUE,
        name="tests_unitaires_dbt",
        description="Tests unitaires des formules et des statuts, joués par dbt avant de construire les modèles.",
    )
    def unit_tests() -> dg.AssetCheckResult:
        outcome = {result["unique_id"]: result["status"] for result in read_json(unit_tests_path(settings))["results"]}
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
    building, target = building_path(settings), dbt_target(settings)
    _start_aside(building, settings.warehouse if context.is_subset else None)
    _prepare_target(target)
    command = _arguments(settings) + (["--select", *_selected(context)] if context.is_subset else [])
    stopped = invoke_dbt(command, settings, target, build_id)
    if stopped:
        building.unlink(missing_ok=True)
        raise dg.Failure(description=f"dbt could not start: {stopped}", allow_retries=False) from stopped
    results = read_json(target / "run_results.json")["results"]
    with BuiltTables(settings, manifest, target, build_id) as tables:
        yield from _events(context, results, tables)
        broken = [tables.reason(result) for result in results if result["status"] in {"error", "fail"}]
        # A model whose columns cannot be followed is not published: nobody could say what its figures are made of.
        broken += tables.lineage_failures
        broken += [] if broken else tables.write_lineage()
    _keep_unit_tests(settings, results)
    if broken:
        building.unlink(missing_ok=True)
        summary = "dbt build failed; the warehouse and the current release are unchanged."
        raise dg.Failure(description="\n".join([summary, *broken]), allow_retries=False)


def _start_aside(building: Path, base: Path | None) -> None:
    """An empty file to build in; a partial build starts from the last warehouse."""
    building.parent.mkdir(parents=True, exist_ok=True)
    building.unlink(missing_ok=True)
    building.with_suffix(".duckdb.wal").unlink(missing_ok=True)
    if base and base.exists():
        shutil.copyfile(base, building)


def _prepare_target(target: Path) -> None:
    """Yesterday's results go; what spares dbt a full parse stays."""
    target.mkdir(parents=True, exist_ok=True)
    (target / "run_results.json").unlink(missing_ok=True)
    shutil.rmtree(target / "compiled", ignore_errors=True)
    known = target / PARTIAL_PARSE.name
    if PARTIAL_PARSE.exists() and not known.exists():
        shutil.copyfile(PARTIAL_PARSE, known)


def _selected(context: dg.AssetExecutionContext) -> list[str]:
    specs = {spec.key: spec for spec in context.assets_def.specs}
    return sorted(str(specs[key].metadata[UNIQUE_ID]).split(".")[-1] for key in context.selected_asset_keys)


def _events(
    context: dg.AssetExecutionContext, results: list[dict[str, Any]], tables: BuiltTables
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """What happened to each table and each test, in dbt's order."""
    assets = {spec.metadata[UNIQUE_ID]: spec.key for spec in context.assets_def.specs}
    checks = {(spec.metadata or {})[UNIQUE_ID]: spec for spec in context.assets_def.check_specs}
    for result in results:
        unique_id = result["unique_id"]
        if unique_id in assets and result["status"] == "success":
            yield dg.MaterializeResult(
                asset_key=assets[unique_id],
                data_version=dg.DataVersion(tables.data_version(unique_id)),
                metadata={"duree_s": result["execution_time"], **tables.metadata(unique_id)},
            )
        elif unique_id in checks and result["status"] in {"pass", "warn", "fail", "error"}:
            spec = checks[unique_id]
            passed = result["status"] == "pass"
            yield dg.AssetCheckResult(
                asset_key=spec.asset_key,
                check_name=spec.name,
                passed=passed,
                severity=dg.AssetCheckSeverity.WARN if result["status"] == "warn" else dg.AssetCheckSeverity.ERROR,
                description=result["message"],
                metadata={} if passed else tables.failing_rows(unique_id),
            )


def _arguments(settings: Settings) -> list[str]:
    """Unit tests speak of the code alone: once passed, in this home or in another, only a change plays them again."""
    for known in (unit_tests_path(settings), UNIT_TESTS):
        if (content := _unit_tests(known)) and content.get("code") == code_digest():
            replace_text(unit_tests_path(settings), json.dumps(content, indent=1))
            return ["build", "--exclude-resource-type", "unit_test"]
    return ["build"]


def _unit_tests(path: Path) -> dict[str, Any]:
    """Results kept, or nothing where there are none to read: they are played again then."""
    try:
        return read_json(path)
    except (OSError, ValueError):
        return {}


def unit_tests_path(settings: Settings) -> Path:
    """Results of the unit tests when they were last played, in the form of dbt's `run_results.json`."""
    return settings.derived_dir / "dbt_unit_tests.json"


def _keep_unit_tests(settings: Settings, results: list[dict[str, Any]]) -> None:
    kept = ("unique_id", "status", "failures", "message")
    played = [{name: r[name] for name in kept} for r in results if r["unique_id"].startswith("unit_test.")]
    if played:
        passed = all(result["status"] == "pass" for result in played)
        content = json.dumps({"code": code_digest() if passed else "", "results": played}, indent=1)
        for path in (unit_tests_path(settings), UNIT_TESTS) if passed else (unit_tests_path(settings),):
            replace_text(path, content)
