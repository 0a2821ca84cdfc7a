"""The sensor that reports failed runs of the schedule and of the UI: same reasons as on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator

import dagster as dg
import pytest

from dagster_project.defs.automation import failure_sensor
from dagster_project.release.failures import report_failure, report_file
from dagster_project.settings import Settings


@dg.asset
def unreadable() -> None:
    raise dg.Failure(description="REVN_2021.csv ligne 3 : octet illisible")


@dg.asset
def broken() -> None:
    raise ValueError("a message of the error itself")


@dg.asset_check(asset=dg.AssetKey(["marts", "table"]), blocking=True)
def attentes() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, description="REVN_2021.csv ligne 5 : TP60 = 468")


@dg.asset_check(asset=dg.AssetKey(["marts", "table"]))
def alerte() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description="à regarder")


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec("refus", asset=dg.AssetKey(["marts", "table"]), blocking=True),
        dg.AssetCheckSpec("reserve", asset=dg.AssetKey(["marts", "table"])),
    ]
)
def ensemble() -> Iterator[dg.AssetCheckResult]:
    yield dg.AssetCheckResult(check_name="reserve", passed=False, severity=dg.AssetCheckSeverity.WARN, description="?")
    yield dg.AssetCheckResult(check_name="refus", passed=False, description="une zone figure deux fois")


@dg.asset(key=["marts", "table"])
def table() -> None:
    """Sound, but refused by a check."""


@pytest.fixture
def failed_run(settings: Settings):
    """Run everything above, then the sensor on what failed."""
    instance = dg.DagsterInstance.ephemeral()
    definitions = dg.Definitions(assets=[unreadable, broken, table], asset_checks=[attentes, alerte, ensemble])
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, raise_on_error=False
    )
    (event,) = (event for event in result.all_events if event.event_type_value == "PIPELINE_FAILURE")
    context = dg.build_run_status_sensor_context(
        sensor_name="failure_report", dagster_instance=instance, dagster_run=result.dagster_run, dagster_event=event
    ).for_run_failure()
    return result.run_id, lambda: failure_sensor(settings)(context)


def test_each_failed_step_has_its_reason(settings: Settings, failed_run) -> None:
    run_id, sense = failed_run
    sense()
    report = json.loads(report_file(settings, run_id).read_text(encoding="utf-8"))
    reasons = {step["step"]: step["error"] for step in report["steps"]}
    assert reasons == {
        "unreadable": "REVN_2021.csv ligne 3 : octet illisible",
        "broken": "ValueError: a message of the error itself",
        "marts__table_attentes": "marts/table, attentes: REVN_2021.csv ligne 5 : TP60 = 468",
        "ensemble": "marts/table, refus: une zone figure deux fois",
    }


def test_a_run_that_has_reported_itself_is_not_reported_again(settings: Settings, failed_run) -> None:
    run_id, sense = failed_run
    report_failure(settings, run_id=run_id, job="nightly", message="run failed", steps=[])
    before = report_file(settings, run_id).read_bytes()
    sense()
    assert report_file(settings, run_id).read_bytes() == before
