"""Every suite holds on sound tables, and every expectation of every suite refuses a broken one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.quality.frames import Table
from dagster_project.quality.suite_runner import run_suites
from dagster_project.quality.suites import Suite, load_suites
from dagster_project.settings import PROJECT_ROOT, Settings
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.sources.raw import build_raw
from tests.quality_breaks import breaking_sql, sound_sql
from tests.quality_marts import write_marts

SUITES = load_suites()
(SHIFTED_DECIMAL,) = (
    rule.broken_by for rule in SUITES["insee_revn"].expectations if rule.id == "taux-de-pauvrete-plausible"
)
RAW = [name for name, suite in SUITES.items() if suite.layer == "raw"]


@pytest.fixture(scope="module")
def tables(demo_world: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Raw tables of the demonstration territory, through the real fetch and readers, and two small marts."""
    settings = Settings(home=tmp_path_factory.mktemp("suites") / "home", sources="demo")
    shutil.copytree(demo_world(settings.demo_seed), settings.demo_mirror)
    found = {dataset.id: build_raw(dataset, settings).path for dataset in load_catalogue().values()}
    return {**found, **write_marts(settings.derived_dir)}


@pytest.fixture(scope="module")
def engine() -> Any:
    from dagster_project.quality.engine import Engine  # Great Expectations: seconds, for every worker that collects

    return Engine()


def _altered(path: Path, sql: str, to: Path) -> Path:
    with duckdb.connect() as db:
        db.execute(f"create table t as from read_parquet('{path}')")
        db.execute(sql)
        db.execute(f"copy t to '{to}' (format parquet)")
    return to


@pytest.mark.parametrize("name", SUITES)
def test_a_sound_table_passes(name, tables, tmp_path):
    results = run_suites([SUITES[name]], tables, real=False, cache_dir=tmp_path)
    assert {r.id: (r.observed, r.error) for r in results if not r.passed} == {}
    assert [r.id for r in results] == [rule.id for rule in SUITES[name].expectations]


@pytest.mark.parametrize("name", SUITES)
def test_every_expectation_refuses_a_broken_table(name, tables, engine, tmp_path):
    suite = SUITES[name]
    deaf, unsure, mute = [], [], []
    for rule in suite.expectations:
        sql = breaking_sql(suite, rule)
        if sql is None:
            mute.append(rule.id)
            continue
        alone: Suite = suite.model_copy(update={"expectations": (rule,)})
        cases = [(sql, deaf, False)]
        if rule.scope == "real":  # the others are shown to pass by the test above
            cases.append((sound_sql(suite, rule), unsure, True))
        for change, wrong, expected in cases:
            with Table(alone, _altered(tables[suite.table], change, tmp_path / "table.parquet")) as table:
                (result,), _ = engine.check(alone, table, real=True)
            if result.passed is not expected or result.error:
                wrong.append((rule.id, result.observed, result.error))
    assert mute == [], "say in `broken_by` how to break these expectations"
    assert deaf == [], "these expectations cannot fail"
    assert unsure == [], "these expectations fail on a sound table"


def test_every_dataset_and_the_two_marts_have_a_suite():
    assert set(RAW) == set(load_catalogue())
    assert set(SUITES) - set(RAW) == {"dim_zone", "indicator_value"}


def test_one_shifted_decimal_blocks_and_names_its_row(tables, tmp_path):
    broken = _altered(tables["insee_revn"], SHIFTED_DECIMAL, tmp_path / "b.parquet")
    results = run_suites([SUITES["insee_revn"]], {"insee_revn": broken}, real=False, cache_dir=tmp_path / "cache")
    (failed,) = [r for r in results if not r.passed]
    assert (failed.id, failed.blocking) == ("taux-de-pauvrete-plausible", True)
    (row,) = failed.failing_rows
    assert (row["taux_pauvrete"], row["TP60"], row["_source_row"], row["_vintage"]) == (468, "468", 4, "2021")


def test_running_suites_leaves_the_tree_as_it_was(tables, tmp_path):
    def tree() -> str:
        command = [
            "git",
            "status",
            "--porcelain",
            "--untracked-files=all",
            "--",
            "expectations",
            "dagster_project/quality",
        ]
        return subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout

    before = (tree(), {path.name: path.read_bytes() for path in (PROJECT_ROOT / "expectations").iterdir()})
    run_suites([SUITES["insee_cog_regions"]], tables, real=False, cache_dir=tmp_path)
    assert (tree(), {path.name: path.read_bytes() for path in (PROJECT_ROOT / "expectations").iterdir()}) == before
    assert not (PROJECT_ROOT / "gx").exists()


@pytest.mark.real_data
def test_the_real_files_pass_every_raw_suite(real_data, tmp_path):
    settings = Settings(home=tmp_path / "home", sources="mirror", mirror=str(real_data))
    built = {dataset.id: build_raw(dataset, settings) for dataset in load_catalogue().values()}
    tables = {name: result.path for name, result in built.items()}
    results = run_suites([SUITES[name] for name in RAW], tables, real=True, cache_dir=tmp_path / "cache")
    assert [(r.suite, r.id, r.observed, r.error) for r in results if not r.passed] == []
    assert {r.suite for r in results if r.skipped} == {name for name, result in built.items() if not result.rows}
