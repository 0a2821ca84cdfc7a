"""When things run: one nightly job over the whole graph, and what happens when a run fails."""

from typing import Any

import dagster as dg

from dagster_project.defs.reasons import broken_steps
from dagster_project.defs.run_page import write_run_audit
from dagster_project.release.failures import report_failure, report_file
from dagster_project.settings import Settings

NIGHTLY = "nightly"


def nightly_job() -> Any:
    """Everything, as a unit: figures of one night come from one set of bytes."""
    return dg.define_asset_job(
        NIGHTLY,
        selection=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
        description="Toute la chaîne, des fichiers des producteurs à la version publiée.",
        tags={"owner": "data-et-quartiers"},
    )


def nightly_schedule() -> dg.ScheduleDefinition:
    """02:30 in Paris, summer and winter: after the producers' own nightly updates."""
    return dg.ScheduleDefinition(
        name="nightly_schedule",
        job_name=NIGHTLY,
        cron_schedule="30 2 * * *",
        execution_timezone="Europe/Paris",
        description="Chaque nuit à 2 h 30, heure de Paris.",
    )


def failure_sensor(settings: Settings) -> dg.SensorDefinition:
    """A failed run leaves a report and calls the webhook, when one is set."""

    @dg.run_failure_sensor(
        name="failure_report",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Écrit un rapport de panne et appelle le webhook DQ_WEBHOOK_URL s’il est défini.",
    )
    def failure_report(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        if report_file(settings, run.run_id).exists():
            return  # `dq run` has reported its own failure
        logged = context.instance.all_logs(run.run_id)
        broken = broken_steps(entry.dagster_event for entry in logged if entry.dagster_event)
        path = report_failure(
            settings,
            run_id=run.run_id,
            job=run.job_name,
            message=context.failure_event.message or "",
            steps=[{"step": step, "error": reason} for step, reason in broken.items()],
        )
        page = write_run_audit(settings, context.instance, context.dagster_run.run_id, succeeded=False)
        context.log.info(f"failure report: {path}; audit: {page}")

    return failure_report
