"""Shared fixtures, and how tests are shared out between workers.

No test reaches beyond loopback; tests on real files skip where those are absent.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from dagster_project.settings import PROJECT_ROOT, Settings
from tests import grouping
from tests.graph_runs import Changed, Finished, Home, changed_run, finished_run, first_run, read_changed_run, west_run
from tests.once import common_folder, made_once

pytest_plugins = ["tests.costs", "tests.collected"]

REAL_DATA = Path(os.environ.get("DQ_TEST_REAL_DATA", PROJECT_ROOT.parent / "shared" / "data"))

# The same cases at each run: a suite turns red when something changed. `HYPOTHESIS_PROFILE=search` draws new ones.
# How long a case takes on a busy machine is no fault.
hypothesis.settings.register_profile("repeated", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeated"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest groups of tests first."""
    grouping.arrange(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """`-n 2` gives each worker whole groups."""
    return grouping.scheduler(config, log)


@pytest.fixture(autouse=True)
def _no_inherited_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own DQ_* variables must not change what is tested."""
    for name in [name for name in os.environ if name.startswith("DQ_") and not name.startswith("DQ_TEST_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", sources="demo")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real public files, read in place."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"real files not found at {REAL_DATA}: set DQ_TEST_REAL_DATA to a mirror folder")
    return REAL_DATA


@pytest.fixture(scope="session")
def demo_world(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Folder of the demonstration's files from a seed, made once in a session; nothing may change it."""
    from dagster_project.demo_territory import write_demo

    common = common_folder(tmp_path_factory)
    return lambda seed: made_once(common / f"demo-{seed}", lambda folder: write_demo(folder, seed))


@pytest.fixture(scope="session")
def dbt_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parsed dbt project, of the code as it is; parsed once, before two workers need it."""

    def parse(folder: Path) -> None:
        from dagster_project.defs.dbt_project import ensure_manifest

        manifest = ensure_manifest(Settings(home=folder / "home", sources="mirror", mirror="/nowhere"))
        folder.mkdir()
        (folder / "manifest").symlink_to(manifest)

    return (made_once(common_folder(tmp_path_factory) / "parsed", parse) / "manifest").resolve()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, dbt_manifest: Path) -> Finished:
    """One run of the whole graph on the demonstration territory, made once in a session, about a minute.

    Workers share it: read it, or work on a copy of its home.
    """
    return finished_run(made_once(common_folder(tmp_path_factory) / "finished", first_run))


@pytest.fixture(scope="session")
def changed(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Changed:
    """A second run of the graph, after one byte of a source changed, made once in a session; only to be read."""
    folder = common_folder(tmp_path_factory) / "changed"
    return read_changed_run(made_once(folder, lambda folder: changed_run(folder, finished)))


@pytest.fixture(scope="session")
def west(real_data: Path, dbt_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One run on the real files of Bretagne and Pays de la Loire, made once in a session; only to be read."""
    folder = made_once(common_folder(tmp_path_factory) / "west", lambda folder: west_run(folder, real_data))
    return Home(folder / "home")


@pytest.fixture(scope="session")
def small_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of a few invented rows, which nothing may change."""
    from dagster_project.release.promote import promote
    from tests.release_home import lock, write_home

    settings = Settings(home=tmp_path_factory.mktemp("small") / "home", sources="demo")
    write_home(settings)
    report = settings.reports_dir / "qualite.html"
    report.write_text("<p>rapport</p>", encoding="utf-8")
    versions = {"dim_zone": "c" * 64}
    return promote(settings, lock(), {"qualite.html": report}, code_versions=versions)
