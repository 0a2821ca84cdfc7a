"""Shared fixtures. No test reaches beyond loopback; tests on real files skip where those are absent."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

from dagster_project.settings import PROJECT_ROOT, Settings
from tests.graph_runs import Finished, first_run

REAL_DATA = Path(os.environ.get("DQ_TEST_REAL_DATA", PROJECT_ROOT.parent / "shared" / "data"))

# The same cases at each run: a suite turns red when something changed. `HYPOTHESIS_PROFILE=search` draws new ones.
hypothesis.settings.register_profile("repeated", derandomize=True)
hypothesis.settings.register_profile("search")
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeated"))


@pytest.fixture(autouse=True)
def _no_inherited_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own DQ_* variables must not change what is tested."""
    for name in [name for name in os.environ if name.startswith("DQ_") and name != "DQ_TEST_REAL_DATA"]:
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
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """One run of the whole graph on the demonstration territory, shared: read it, or work on a copy of its home.

    It takes about a minute, so that its tests carry `xdist_group("graph")`: one worker runs it, once.
    """
    return first_run(tmp_path_factory.mktemp("graph") / "home")


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
