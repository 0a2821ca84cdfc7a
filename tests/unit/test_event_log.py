"""Dagster really keeps its connections: the class that `dagster.yaml` names is the one that writes, and it fits."""

from __future__ import annotations

import inspect
import os
import shutil
from pathlib import Path
from unittest import mock

import dagster as dg
import pytest
import yaml
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from sqlalchemy import NullPool

from dagster_project import event_log
from dagster_project.event_log import SHARDS_KEPT, KeptSqliteEventLogStorage
from dagster_project.runner import _end_killed_runs, prepare_home
from dagster_project.settings import Settings


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DAGSTER_HOME", "")  # `prepare_home` exports it: put back at the end
    settings = Settings(home=tmp_path / "home")
    prepare_home(settings)
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as made:
        yield made


@dg.asset
def one_table() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 3})


def types_of(storage: SqliteEventLogStorage, run: str) -> list[str]:
    return [entry.dagster_event.event_type_value for entry in storage.get_logs_for_run(run) if entry.dagster_event]


def test_the_class_named_in_dagster_yaml_is_the_one_that_writes(instance: dg.DagsterInstance) -> None:
    assert type(instance.event_log_storage) is KeptSqliteEventLogStorage


def test_a_run_makes_one_engine_per_file_however_many_events_it_writes(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    real = event_log.create_engine
    theirs: list[str] = []
    monkeypatch.setattr(sqlite_event_log, "create_engine", lambda url, **kw: (theirs.append(url), real(url, **kw))[1])
    monkeypatch.setattr(event_log, "create_engine", lambda url, **kw: (made.append(url), real(url, **kw))[1])
    result = dg.materialize([one_table], instance=instance)
    assert result.success
    assert len(made) == 1  # the file of the run; that of the index is open since the instance is made
    assert len(theirs) <= 1  # does the table of tags stand?


def test_history_is_read_back_by_the_stock_storage(instance: dg.DagsterInstance) -> None:
    run = dg.materialize([one_table], instance=instance).run_id
    ours = instance.event_log_storage
    kept, read = types_of(ours, run), types_of(SqliteEventLogStorage(ours._base_dir), run)
    assert read == kept
    assert "ASSET_MATERIALIZATION" in read


def test_few_files_are_held_open(instance: dg.DagsterInstance) -> None:
    storage = instance.event_log_storage
    for number in range(SHARDS_KEPT + 3):
        with storage._connect(f"run-{number}"):
            pass
    assert len(storage._kept_engines) == SHARDS_KEPT
    storage.dispose()
    assert "_kept_engines" not in storage.__dict__


def test_inner_parts_of_dagster_stand_where_they_are_overridden(tmp_path: Path) -> None:
    stock = SqliteEventLogStorage(str(tmp_path))
    for name in ("_db_lock", "_initialized_dbs", "_initdb", "conn_string_for_shard", "_connect", "dispose"):
        assert hasattr(stock, name), f"dagster_project/event_log.py leans on {name}, which Dagster no longer has"
    assert list(inspect.signature(stock._connect).parameters) == ["shard"]
    # what makes ours worth having; where the stock storage keeps its engines too, ours may go
    source = inspect.getsource(SqliteEventLogStorage._connect)
    assert NullPool.__name__ in source


@pytest.mark.parametrize("name", ["copie", "l’été à Évry # 2", "deux: points 'et' \"guillemets\""])
def test_a_home_that_was_copied_writes_to_its_own_log(tmp_path: Path, name: str) -> None:
    first, copy = Settings(home=tmp_path / "un"), Settings(home=tmp_path / name)
    with mock.patch.dict(os.environ):
        prepare_home(first)
        shutil.copytree(first.home, copy.home)
        prepare_home(copy)
    stated = yaml.safe_load((copy.dagster_home / "dagster.yaml").read_text(encoding="utf-8"))
    assert stated["event_log_storage"]["config"]["base_dir"] == str(copy.dagster_home / "history" / "runs")


def test_what_a_person_set_in_the_instance_file_stays(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    file = settings.dagster_home / "dagster.yaml"
    file.parent.mkdir()
    own = "storage:\n  postgres:\n    postgres_url: postgresql://localhost/dq\n"
    file.write_text(own, encoding="utf-8")
    with mock.patch.dict(os.environ):
        prepare_home(settings)
    assert file.read_text(encoding="utf-8") == own


def test_a_killed_run_is_said_to_have_failed_and_holds_nothing(instance: dg.DagsterInstance) -> None:
    """Without this the next run waits for ever for the right to write, which the dead one keeps."""
    job = dg.Definitions(assets=[one_table]).resolve_implicit_global_asset_job_def()
    log = instance.event_log_storage
    log.set_concurrency_slots("duckdb_writer", 1)
    ended = dg.materialize([one_table], instance=instance).run_id
    killed = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED).run_id
    waiting = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED).run_id
    assert log.claim_concurrency_slot("duckdb_writer", killed, "dbt_models").is_claimed
    assert not log.claim_concurrency_slot("duckdb_writer", waiting, "dbt_models").is_claimed
    _end_killed_runs(instance)
    assert log.claim_concurrency_slot("duckdb_writer", "next", "dbt_models").is_claimed
    statuses = {run.run_id: run.status for run in instance.get_runs()}
    failed = dg.DagsterRunStatus.FAILURE
    assert statuses == {ended: dg.DagsterRunStatus.SUCCESS, killed: failed, waiting: failed}


def test_a_run_of_the_ui_is_left_alone(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    job = dg.Definitions(assets=[one_table]).resolve_implicit_global_asset_job_def()
    instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    monkeypatch.setattr(dg.DagsterRun, "remote_job_origin", "of the UI")
    _end_killed_runs(instance)
    assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.STARTED]
