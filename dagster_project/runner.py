"""A run of the graph in this process, on the same Dagster instance that the UI shows."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from dagster_project.settings import Settings, export_environment, remember
from dagster_project.text_files import replace_text

if TYPE_CHECKING:
    from dagster import DagsterInstance

INSTANCE_TEMPLATE = Path(__file__).parent / "dagster.yaml"
OWN_LOG = re.compile(r"(class: KeptSqliteEventLogStorage\n +config:\n +base_dir: ).*")


class RunError(RuntimeError):
    """A run could not start or failed; the message says why and what is unchanged."""


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended. `released` is None when nothing had changed."""

    run_id: str
    succeeded: bool
    released: str | None
    errors: tuple[str, ...]


def prepare_home(settings: Settings) -> None:
    """Folders, the memory of what this home is for, and Dagster's instance file.

    Raises:
        RunError: the home cannot be written.
    """
    try:
        remember(settings)
        for folder in (settings.dagster_home, settings.inbox_dir, settings.reports_dir, settings.releases_dir):
            folder.mkdir(parents=True, exist_ok=True)
        _write_instance_file(settings.dagster_home)
    except OSError as error:
        raise RunError(f"{settings.home} cannot be written ({error}): name another folder by DQ_HOME") from error
    export_environment(settings)


def _write_instance_file(folder: Path) -> None:
    """Dagster's instance file, once; what a person set in it stays.

    The event log is that of this home: a home that was copied or moved must not write to the one it came from.
    """
    file, history = folder / "dagster.yaml", json.dumps(str(folder / "history" / "runs"), ensure_ascii=False)
    if file.exists():
        known = file.read_text(encoding="utf-8")
        text = OWN_LOG.sub(lambda found: f"{found[1]}{history}", known)
    else:
        known, text = None, Template(INSTANCE_TEMPLATE.read_text(encoding="utf-8")).substitute(HISTORY=history)
    if text != known:
        replace_text(file, text)


@contextmanager
def sole_run(settings: Settings) -> Iterator[None]:
    """One `dq run` at a time in a home; the lock goes with the process, however it ends."""
    with (settings.home / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(f"another run is under way in {settings.home}; wait for it to end") from error
        yield


def run_graph(settings: Settings, select: str | None = None, *, force: bool = False) -> RunOutcome:
    """Run the nightly job, or the assets that `select` names in Dagster's selection syntax.

    Without a selection nothing runs when nothing changed, unless `force` is set.

    Raises:
        RunError: another run holds the home, or the selection names nothing.
    """
    prepare_home(settings)
    with sole_run(settings):
        if select is None and not force and nothing_changed(settings):
            return RunOutcome(run_id="", succeeded=True, released=None, errors=())
        return _execute(settings, select)


def nothing_changed(settings: Settings) -> bool:
    """True when sources and code are those of the current release: bytes are fetched, and only compared.

    Spares the start of Dagster and dbt. A source that fails here, or a release that cannot be
    read, is left to the run, which reports it or makes another.
    """
    from dagster_project.audit.release_folder import UnknownReleaseError, current_release, is_current
    from dagster_project.demo_territory import ensure_demo
    from dagster_project.identity.build import describe_build
    from dagster_project.sources.catalogue import load_catalogue
    from dagster_project.sources.http import FetchError
    from dagster_project.sources.raw import RawError, build_raw

    known = current_release(settings)
    try:
        if known is None or not is_current(settings, known.build_id):
            return False
        ensure_demo(settings)
        for dataset in load_catalogue().values():
            if build_raw(dataset, settings).changed:
                return False
    except (FetchError, RawError, UnknownReleaseError):
        return False
    return describe_build(settings).build_id == known.build_id


def _end_killed_runs(instance: DagsterInstance) -> None:
    """Say that runs of `dq run` that a kill cut short have failed, and free what they held.

    Dagster would keep for ever the right to write that such a run had, and the next run would wait for it. We hold the
    lock of the home, so no other run of this kind lives; those that the UI launched have an origin, and are its own.
    """
    from dagster import DagsterRunStatus, RunsFilter

    cut_short = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
    for run in instance.get_runs(RunsFilter(statuses=cut_short)):
        if run.remote_job_origin is None:
            instance.report_run_failed(run, message="The process of this run was killed.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _execute(settings: Settings, select: str | None) -> RunOutcome:
    import dagster as dg

    from dagster_project.audit.release_folder import current_release
    from dagster_project.definitions import defs
    from dagster_project.defs.automation import NIGHTLY
    from dagster_project.defs.reasons import broken_steps
    from dagster_project.defs.run_page import write_run_audit
    from dagster_project.release.failures import report_failure

    before = current_release(settings)
    job = defs.resolve_job_def(NIGHTLY)
    keys = None
    if select:
        keys = sorted(dg.AssetSelection.from_string(select).resolve(defs.resolve_asset_graph()))
        if not keys:
            raise RunError(f"--select {select!r} names no asset; `dg list defs` shows them all")
    with dg.DagsterInstance.get() as instance:
        _end_killed_runs(instance)
        result = job.execute_in_process(
            instance=instance,
            asset_selection=keys,
            raise_on_error=False,
            run_config={"loggers": {"dq": {}}},
        )
        broken = broken_steps(result.all_events)
        if not result.success:
            steps = [{"step": step, "error": reason} for step, reason in broken.items()]
            write_run_audit(settings, instance, result.run_id, succeeded=False)
            report_failure(settings, run_id=result.run_id, job=NIGHTLY, message="run failed", steps=steps)
    after = current_release(settings)
    released = after.release_id if after and after != before else None
    errors = tuple(f"{step}: {reason}" for step, reason in broken.items())
    return RunOutcome(result.run_id, result.success, released, errors)
