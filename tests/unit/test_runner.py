"""One run at a time in a home."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.runner import RunError, sole_run
from dagster_project.settings import Settings


def test_a_second_run_in_the_same_home_is_refused(settings: Settings, tmp_path: Path) -> None:
    elsewhere = Settings(home=tmp_path / "elsewhere", sources="demo")
    for home in (settings.home, elsewhere.home):
        home.mkdir()
    with sole_run(settings):
        with pytest.raises(RunError, match="another run is under way"), sole_run(settings):
            pytest.fail("two runs in one home")
        with sole_run(elsewhere):
            assert (elsewhere.home / "run.lock").exists()
    with sole_run(settings):
        assert (settings.home / "run.lock").exists()
