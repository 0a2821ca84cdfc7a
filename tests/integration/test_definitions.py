"""What Dagster sees: every asset, check, job, schedule and sensor, as text that a reviewer can read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from syrupy.assertion import SnapshotAssertion

from dagster_project.defs.automation import NIGHTLY
from dagster_project.settings import Settings
from tests.graph_runs import run
from tests.release_home import MARTS


@pytest.fixture(scope="module")
def definitions(dbt_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    from dagster_project.definitions import build_definitions

    return build_definitions(Settings(home=tmp_path_factory.mktemp("definitions") / "home", sources="demo"))


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> Any:
    return definitions.resolve_asset_graph()


def name(key: dg.AssetKey) -> str:
    return key.to_user_string()


def days(policy: Any) -> str:
    return f"{policy.fail_window.to_timedelta().days} days" if policy else "none"


def asset_lines(graph: Any) -> Iterator[str]:
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        yield f"asset {name(key)}"
        yield f"  group {node.group_name}; kinds {', '.join(sorted(node.kinds))}; owners {', '.join(node.owners)}"
        yield f"  tags {', '.join(f'{k}={v}' for k, v in sorted(node.tags.items()) if not k.startswith('dagster/'))}"
        yield f"  freshness {days(node.freshness_policy)}; pools {', '.join(sorted(node.pools or ())) or 'none'}"
        yield f"  deps {', '.join(sorted(map(name, node.parent_keys))) or 'none'}"
        for check in sorted(node.check_keys):
            yield f"  check {check.name}{' (blocking)' if graph.get(check).blocking else ''}"


def automation_lines(definitions: dg.Definitions) -> Iterator[str]:
    job: Any = definitions.resolve_job_def(NIGHTLY)
    layer = job.asset_layer
    yield f"job {job.name}: {len(layer.selected_asset_keys)} assets, {len(layer.asset_graph.asset_check_keys)} checks"
    for schedule in definitions.schedules or ():
        assert isinstance(schedule, dg.ScheduleDefinition)
        when = f"{schedule.cron_schedule} {schedule.execution_timezone}"
        yield f"schedule {schedule.name}: {schedule.job_name} at {when}, {schedule.default_status.value}"
    for sensor in definitions.sensors or ():
        yield f"sensor {sensor.name}: {sensor.default_status.value}"


def test_the_graph_is_the_one_that_was_reviewed(
    definitions: dg.Definitions, graph: Any, snapshot: SnapshotAssertion
) -> None:
    """After a wanted change: `pytest tests/integration/test_definitions.py --snapshot-update`, and read the diff."""
    assert "\n".join([*automation_lines(definitions), "", *asset_lines(graph)]) == snapshot


def test_the_nightly_job_reaches_every_asset_and_every_check(definitions: dg.Definitions, graph: Any) -> None:
    job: Any = definitions.resolve_job_def(NIGHTLY)
    assert set(job.asset_layer.selected_asset_keys) == set(graph.get_all_asset_keys())
    assert set(job.asset_layer.asset_graph.asset_check_keys) == set(graph.asset_check_keys)
    reached: set[dg.AssetKey | dg.AssetCheckKey] = set()
    for node in job.graph.nodes:  # what the steps themselves say they produce
        reached |= set(job.asset_layer.get_selected_entity_keys_for_node(_handle(node.name)))
    assert reached == {*graph.get_all_asset_keys(), *graph.asset_check_keys}


def test_the_tables_of_dbt_are_built_by_one_step(definitions: dg.Definitions) -> None:
    """A raw table that waits for another through the checks of both makes Dagster cut the dbt build in parts."""
    job: Any = definitions.resolve_job_def(NIGHTLY)
    assert [node.name for node in job.graph.nodes if node.name.startswith("dbt_models")] == ["dbt_models"]


def _handle(step: str) -> Any:
    from dagster._core.definitions.dependency import NodeHandle

    return NodeHandle(step, None)


def test_the_schedule_runs_the_nightly_job_at_half_past_two_in_paris(definitions: dg.Definitions) -> None:
    (schedule,) = definitions.schedules or ()
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert (schedule.job_name, schedule.cron_schedule) == (NIGHTLY, "30 2 * * *")
    assert schedule.execution_timezone == "Europe/Paris"


def test_every_asset_says_who_what_where(graph: Any) -> None:
    incomplete = {}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        lacks = [what for what in ("owners", "group_name", "description", "kinds") if not getattr(node, what)]
        if lacks or node.group_name == "default" or len(node.description) < 15:
            incomplete[name(key)] = lacks or [node.group_name, node.description]
    assert incomplete == {}


def test_every_check_is_described(graph: Any) -> None:
    generated = {key for key in graph.asset_check_keys if key.asset_key.path[0] not in {"raw", "marts"}}
    assert [key.name for key in graph.asset_check_keys - generated if graph.get(key).description == ""] == []


def test_every_mart_descends_from_raw_tables_and_so_does_the_release(graph: Any) -> None:
    marts = [key for key in graph.get_all_asset_keys() if key.path[0] == "marts"]
    assert {key.path[1] for key in marts} == set(MARTS)
    for key in [*marts, dg.AssetKey(["releases", "current"])]:
        assert [up for up in graph.get_ancestor_asset_keys(key) if up.path[0] == "raw"], name(key)


def test_every_raw_table_has_a_freshness_policy_and_its_checks(graph: Any) -> None:
    raw = [key for key in graph.get_all_asset_keys() if key.path[0] == "raw"]
    for key in raw:
        node = graph.get(key)
        assert node.freshness_policy is not None, name(key)
        blocking = {check.name for check in node.check_keys if graph.get(check).blocking}
        assert {"validations_critiques", "attentes_critiques"} <= blocking, name(key)


def test_nothing_is_released_but_after_the_blocking_checks_of_raw_tables_and_marts(graph: Any) -> None:
    direct = graph.get_ancestor_asset_keys(dg.AssetKey(["releases", "current"]))
    steps = {graph.get(key).assets_def for key in direct}  # dbt's models are one step: it waits for all its inputs
    before = direct.union(*(graph.get_ancestor_asset_keys(key) for step in steps for key in step.keys))
    blocking = {key for key in graph.asset_check_keys if graph.get(key).blocking}
    assert {key.asset_key.path[0] for key in blocking} >= {"raw", "marts"}
    assert {key.asset_key for key in blocking} <= before


def test_only_fetching_is_retried(graph: Any) -> None:
    ops = [op for d in graph.assets_defs for op in d.node_def.iterate_op_defs()]
    policies = {op.name: op.retry_policy for op in ops if op.retry_policy is not None}
    assert policies == {}, "raw assets ask for their own retries, on transient errors alone"


def test_one_writer_at_a_time_on_the_warehouse(graph: Any) -> None:
    for key in graph.get_all_asset_keys():
        if key.path[0] in {"staging", "intermediate", "marts", "reference"} or name(key) == "releases/current":
            assert graph.get(key).pools == {"duckdb_writer"}, name(key)


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    "command",
    [["dg", "check", "defs"], ["dagster", "definitions", "validate", "-w", "workspace.yaml"]],
    ids=["dg", "workspace"],
)
def test_both_ways_of_loading_the_project_succeed(command: list[str], tmp_path: Path) -> None:
    tool = Path(sys.executable).parent / command[0]
    done = run([str(tool), *command[1:]], DQ_HOME=str(tmp_path / "home"))
    assert done.code == 0, done.err + done.out
    assert not (tmp_path / "home").exists(), "loading writes nothing"
