"""Results of dbt's unit tests: kept for the code that passed them, whichever home played them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.defs import dbt
from dagster_project.settings import Settings

PASSED = {"unique_id": "unit_test.data_et_quartiers.a.b", "status": "pass", "failures": 0, "message": None}
ALL, WITHOUT = ["build"], ["build", "--exclude-resource-type", "unit_test"]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose code has the digest `a`, and where nothing was played yet."""
    kept = tmp_path / "target" / "unit_tests.json"
    kept.parent.mkdir()
    monkeypatch.setattr(dbt, "UNIT_TESTS", kept)
    monkeypatch.setattr(dbt, "code_digest", lambda: "a")
    return kept


def home(tmp_path: Path, name: str) -> Settings:
    settings = Settings(home=tmp_path / name)
    settings.derived_dir.mkdir(parents=True)
    return settings


def play(settings: Settings, **changes: Any) -> None:
    dbt._keep_unit_tests(settings, [{**PASSED, **changes}])


@pytest.mark.usefixtures("checkout")
def test_what_passed_in_one_home_is_not_played_in_another(tmp_path: Path) -> None:
    first, second = home(tmp_path, "first"), home(tmp_path, "second")
    assert dbt._arguments(first) == ALL
    play(first)
    assert (dbt._arguments(first), dbt._arguments(second)) == (WITHOUT, WITHOUT)
    assert json.loads(dbt.unit_tests_path(second).read_text(encoding="utf-8"))["results"] == [PASSED]


@pytest.mark.usefixtures("checkout")
def test_other_code_plays_them_in_every_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = home(tmp_path, "first"), home(tmp_path, "second")
    play(first)
    monkeypatch.setattr(dbt, "code_digest", lambda: "b")
    assert (dbt._arguments(first), dbt._arguments(second)) == (ALL, ALL)


def test_a_failure_is_played_again_and_never_shared(tmp_path: Path, checkout: Path) -> None:
    first, second = home(tmp_path, "first"), home(tmp_path, "second")
    play(first, status="fail", failures=1)
    assert not checkout.exists()
    assert (dbt._arguments(first), dbt._arguments(second)) == (ALL, ALL)


@pytest.mark.parametrize("torn", ["", '{"code": "a"', "{}"])
def test_a_torn_file_is_no_result(tmp_path: Path, checkout: Path, torn: str) -> None:
    checkout.write_text(torn, encoding="utf-8")
    assert dbt._arguments(home(tmp_path, "first")) == ALL
