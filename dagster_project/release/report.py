"""The quality report of a build: what was received, expected and tested, in one page that opens offline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.identity.lock import BuildLock
from dagster_project.quality.access import access_of
from dagster_project.quality.downscaling import downscaling_errors
from dagster_project.quality.nonrecours import nonrecours_of
from dagster_project.quality.report import build_report
from dagster_project.quality.report_inputs import dataset_infos, dbt_tests
from dagster_project.quality.report_model import QualityReport, RunInfo
from dagster_project.quality.suite_runner import run_suites
from dagster_project.quality.suites import load_suites
from dagster_project.release.places import building_path
from dagster_project.release.suite_tables import expectation_cache, suite_tables
from dagster_project.settings import Settings
from dagster_project.sources.catalogue import load_catalogue

if TYPE_CHECKING:
    import duckdb

FAILING_ROWS_SHOWN = 20


def report_path(settings: Settings) -> Path:
    """The page; its data is beside it, with the suffix `.json`."""
    return settings.reports_dir / "qualite.html"


def write_quality_report(
    settings: Settings, lock: BuildLock, dbt_target: Path, unit_tests: Path
) -> dict[str, str | int]:
    """Write the report of the build that waits for promotion.

    Args:
        settings: where raw tables, caches and reports are.
        lock: when, in which run and by which code: the page says nothing that the lock does not decide.
        dbt_target: folder of dbt's `run_results.json` and `manifest.json`.
        unit_tests: results of dbt's unit tests when they were last played, which may be an earlier run of this code.

    Returns:
        The verdict and the counts of checks.
    """
    suites = list(load_suites().values())
    real = settings.sources != "demo"
    results = run_suites(suites, suite_tables(settings, suites), real=real, cache_dir=expectation_cache(settings))
    with _warehouse(settings) as connection:
        downscaling, access, nonrecours = (
            downscaling_errors(connection),
            access_of(connection),
            nonrecours_of(connection),
        )
    report = QualityReport(
        run=RunInfo(
            run_id=lock.run_id,
            built_at=lock.built_at.isoformat(timespec="seconds"),
            real=real,
            sources=lock.settings.sources,
            territory=lock.settings.territory,
            code_version=lock.code_label,
        ),
        datasets=dataset_infos(settings.raw_dir, load_catalogue().values()),
        expectations=results,
        dbt_tests=dbt_tests(
            [dbt_target / "run_results.json", unit_tests],
            dbt_target / "manifest.json",
            _failing_rows(settings, dbt_target),
        ),
        downscaling=downscaling,
        access=access,
        nonrecours=nonrecours,
    )
    return build_report(report_path(settings), report)


def _warehouse(settings: Settings) -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(str(building_path(settings)), read_only=True)


def _failing_rows(settings: Settings, dbt_target: Path) -> dict[str, list[dict[str, Any]]]:
    """First rows of each test that found something."""
    results = json.loads((dbt_target / "run_results.json").read_text(encoding="utf-8"))["results"]
    nodes = json.loads((dbt_target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    with _warehouse(settings) as connection:
        return {
            result["unique_id"]: failing_rows(connection, dbt_target, nodes.get(result["unique_id"], {}))
            for result in results
            if result["unique_id"].startswith("test.") and result["failures"]
        }


def failing_rows(
    connection: duckdb.DuckDBPyConnection, dbt_target: Path, test: Mapping[str, Any]
) -> list[dict[str, str | int | float | bool | None]]:
    """First rows that a dbt test selects, in their own order; none when it did not compile.

    They are asked again from the compiled query: storing the failures of every test would cost a table per test at
    each run, nearly always empty. Sorted, so that the same build shows the same ones.
    """
    if "original_file_path" not in test:
        return []
    compiled = dbt_target / "compiled" / "data_et_quartiers" / test["original_file_path"] / test["path"]
    if not compiled.exists():
        return []
    query = compiled.read_text(encoding="utf-8")
    relation = connection.sql(f"select * from ({query}) order by all limit {FAILING_ROWS_SHOWN}")
    return [
        {name: plain_cell(value) for name, value in zip(relation.columns, row, strict=True)}
        for row in relation.fetchall()
    ]


def plain_cell(value: object) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
