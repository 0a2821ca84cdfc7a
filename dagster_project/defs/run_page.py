"""What Dagster's event log says of a run, for the audit page; written whether the run succeeds or fails."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.audit.release_folder import current_release
from dagster_project.closure import code_version
from dagster_project.defs import OWNER
from dagster_project.defs.comparison import changes_of
from dagster_project.defs.reasons import broken_steps
from dagster_project.identity.build import code_digest
from dagster_project.pages.files import template_files
from dagster_project.quality.run_page import Audit, Check, Input, Step, write_audit
from dagster_project.settings import Settings

AUDIT = "reports__audit"
PLANNED, EVALUATED = "ASSET_CHECK_EVALUATION_PLANNED", "ASSET_CHECK_EVALUATION"
STATUSES = {"STEP_SUCCESS": "reussie", "STEP_FAILURE": "echouee", "STEP_SKIPPED": "non executee"}


def audit_asset(settings: Settings, deps: Iterable[dg.AssetKey]) -> dg.AssetsDefinition:
    """The page of a run that came to its end: the last asset, after the release."""

    @dg.asset(
        key=["reports", "audit"],
        deps=list(deps),
        group_name="publication",
        kinds={"python"},
        owners=[OWNER],
        description="Journal d’audit : ce qui a tourné, sur quelles entrées, quels contrôles, ce qui a été refusé.",
        code_version=code_version(write_audit.__module__, own=[__name__], files=template_files("run")),
    )
    def audit(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        page = write_run_audit(settings, context.instance, context.run_id, succeeded=True)
        return dg.MaterializeResult(metadata={"page": dg.MetadataValue.path(str(page))})

    return audit


def write_run_audit(settings: Settings, instance: dg.DagsterInstance, run_id: str, *, succeeded: bool) -> Path:
    """Write the page of a run from its events.

    Args:
        settings: where reports and releases are.
        instance: the Dagster instance that holds the event log.
        run_id: the run.
        succeeded: whether the run succeeded, which its own log does not say before it has ended.
    """
    entries = instance.all_logs(run_id)
    events = [entry.dagster_event for entry in entries if entry.dagster_event is not None]
    times = [entry.timestamp for entry in entries]
    release = current_release(settings)
    released = next((_release_of(event) for event in events if _release_of(event)), None)
    audit = Audit(
        run_id=run_id,
        started_at=_moment(min(times)),
        ended_at=_moment(max(times)),
        succeeded=succeeded,
        sources=settings.sources,
        territory=settings.territory,
        real=settings.sources != "demo",
        code_version=code_digest()[:12],
        released=released,
        current=release.release_id if release else None,
        steps=_steps(events),
        inputs=_inputs(events),
        checks=_checks(events),
        changes=changes_of(settings, released),
    )
    return write_audit(settings.reports_dir, audit)


def _steps(events: Sequence[Any]) -> list[Step]:
    """Steps in the order in which they ended; the audit itself is still running."""
    found, reasons = {}, broken_steps(events)
    for event in events:
        if event.event_type_value in STATUSES and event.step_key != AUDIT:
            data = event.event_specific_data
            failed = event.event_type_value == "STEP_FAILURE"
            found[event.step_key] = Step(
                name=event.step_key,
                status=STATUSES[event.event_type_value],
                seconds=None if failed else round(getattr(data, "duration_ms", 0) / 1000, 2),
                error=reasons.get(event.step_key),
            )
    return list(found.values())


def _inputs(events: Iterable[Any]) -> list[Input]:
    found = []
    for event in events:
        key = event.asset_key if event.event_type_value == "ASSET_MATERIALIZATION" else None
        if key and key.path[0] == "raw":
            materialization = event.step_materialization_data.materialization
            values = {name: value.value for name, value in materialization.metadata.items()}
            found.append(
                Input(
                    dataset=key.path[-1],
                    data_version=materialization.tags.get("dagster/data_version", ""),
                    rows=values["dagster/row_count"],
                    rejects=values["rejets"],
                    new_bytes=values["octets_nouveaux"],
                )
            )
    return sorted(found, key=lambda entry: entry.dataset)


def _checks(events: Iterable[Any]) -> list[Check]:
    """Checks that the run planned, each with what came of it; one without a trace stays unjudged."""
    found: dict[tuple[str, str], Check] = {}
    for event in events:
        if event.event_type_value == PLANNED:
            data = event.event_specific_data
            key = (data.asset_key.to_user_string(), data.check_name)
            found[key] = Check(asset=key[0], name=key[1])
        elif event.event_type_value == EVALUATED:
            data = event.asset_check_evaluation_data
            key = (data.asset_key.to_user_string(), data.check_name)
            blocking = data.severity == dg.AssetCheckSeverity.ERROR
            found[key] = Check(
                asset=key[0], name=key[1], blocking=blocking, passed=data.passed, description=data.description or ""
            )
    return [found[key] for key in sorted(found)]


def _release_of(event: Any) -> str | None:
    """The release that this event says was promoted."""
    if event.event_type_value != "ASSET_MATERIALIZATION" or event.asset_key.path != ["releases", "current"]:
        return None
    return str(event.step_materialization_data.materialization.metadata["version"].value)


def _moment(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="seconds")
