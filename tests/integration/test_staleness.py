"""What Dagster calls stale after a run: what has another code or stands on other contents, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

# The UI and GraphQL show this status; the class that computes it is the one they use, and is not exported.
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from dagster_project.settings import Settings
from tests.graph_runs import Finished

pytestmark = pytest.mark.end_to_end

SEED = dg.AssetKey(["reference", "indicator_term"])
MODEL = dg.AssetKey(["marts", "dim_zone"])
RAW = dg.AssetKey(["raw", "insee_revn"])
DATA_VERSION, CODE_VERSION = "dagster/data_version", "dagster/code_version"


@pytest.fixture
def history(finished: Finished, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster's memory of the finished run, copied."""
    original, copy = finished.home.settings.dagster_home, tmp_path / "dagster"
    shutil.copytree(original, copy)
    configuration = copy / "dagster.yaml"
    text = configuration.read_text(encoding="utf-8")
    assert str(original) in text
    configuration.write_text(text.replace(str(original), str(copy)), encoding="utf-8")
    with dg.DagsterInstance.from_config(str(copy)) as instance:
        yield instance


def graph_of(settings: Settings) -> Any:
    from dagster_project.definitions import build_definitions

    return build_definitions(settings).resolve_asset_graph()


@pytest.fixture(scope="module")
def graph(finished: Finished) -> Any:
    return graph_of(finished.home.settings)


def stale(graph: Any, history: dg.DagsterInstance) -> set[dg.AssetKey]:
    """Assets that are not up to date; all must have been made once."""
    resolver = CachingStaleStatusResolver(history, graph, LoadingContextForTest(history))
    status = {key: resolver.get_status(key) for key in graph.get_all_asset_keys()}
    assert StaleStatus.MISSING not in status.values()
    return {key for key, value in status.items() if value == StaleStatus.STALE}


def last_tags(history: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, str]:
    event = history.get_latest_materialization_event(key)
    assert event is not None
    assert event.asset_materialization is not None
    return dict(event.asset_materialization.tags or {})


def made_again(history: dg.DagsterInstance, key: dg.AssetKey, **tags: str) -> None:
    """The same materialisation once more, with these tags changed."""
    same = last_tags(history, key)
    history.report_runless_asset_event(dg.AssetMaterialization(key, tags=same | tags))


def test_after_a_run_everything_is_up_to_date(graph: Any, history: dg.DagsterInstance) -> None:
    """dbt's tables are one step: each must have recorded its parents as this same step made them."""
    assert stale(graph, history) == set()
    for key in graph.get_all_asset_keys():
        assert last_tags(history, key)[CODE_VERSION] == graph.get(key).code_version, key


@pytest.mark.parametrize("key", [SEED, MODEL, RAW], ids=str)
def test_a_table_made_again_with_the_same_rows_changes_nothing_below(
    graph: Any, history: dg.DagsterInstance, key: dg.AssetKey
) -> None:
    made_again(history, key)
    assert stale(graph, history) == set()


@pytest.mark.parametrize("key", [SEED, MODEL, RAW], ids=str)
def test_other_rows_make_stale_what_reads_them_and_nothing_else(
    graph: Any, history: dg.DagsterInstance, key: dg.AssetKey
) -> None:
    made_again(history, key, **{DATA_VERSION: "autre"})
    children = graph.get(key).child_keys
    assert children
    assert stale(graph, history) == children


def test_other_code_makes_stale_what_it_writes_and_nothing_else(
    finished: Finished, history: dg.DagsterInstance
) -> None:
    """Another territory is another value of the one variable that figures read, in the one model that reads it."""
    west = Settings(home=finished.home.path, sources="demo", territory="west")
    assert stale(graph_of(west), history) == {MODEL}


def test_each_table_has_the_version_of_its_rows(finished: Finished, graph: Any, history: dg.DagsterInstance) -> None:
    """Recorded versions are digests of contents, not of what tables were made from."""
    import duckdb

    from dagster_project.identity.content import content_version

    with duckdb.connect() as connection:
        # Views name the database that they were made in.
        connection.execute(f"attach '{finished.home.settings.warehouse}' as warehouse (read_only)")
        connection.execute("use warehouse")
        columns: dict[str, dict[str, str]] = {}
        query = (
            "select schema_name || '/' || table_name, column_name, data_type from duckdb_columns() where not internal"
        )
        for table, column, kind in connection.sql(query).fetchall():
            columns.setdefault(table, {})[column] = kind
        keys = {key.to_user_string(): key for key in graph.get_all_asset_keys()}
        assert len(columns) > 50
        for table, kinds in columns.items():
            version = content_version(connection, table.replace("/", "."), kinds)
            assert last_tags(history, keys[table])[DATA_VERSION] == version, table
