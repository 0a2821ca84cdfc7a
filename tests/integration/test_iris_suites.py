"""IRIS codes that lost their zeros and IRIS that stand twice are refused, in words that say so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dagster_project.quality.messages import refusals
from dagster_project.quality.suite_runner import ExpectationResult, run_suites
from dagster_project.quality.suites import load_suites
from dagster_project.settings import Settings
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.sources.raw import build_raw
from tests.geography_files import write_contours

SUITES = load_suites()
REFERENCE = "CODE_IRIS;LIB_IRIS;TYP_IRIS;GRD_QUART;DEPCOM;LIBCOM;UU2020;REG;DEP"
ZERO = "010040101;Les Pérouses;H;0100401;01004;Ambérieu;01302;84;01"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", sources="demo")


def checked(home: Settings, mirror: Path, name: str) -> list[ExpectationResult]:
    """What the suite finds on a table read from a small mirror; as a demonstration it has no row bounds."""
    shutil.copytree(mirror, home.demo_mirror, dirs_exist_ok=True)
    path = build_raw(load_catalogue()[name], home).path
    results = run_suites([SUITES[name]], {name: path}, real=False, cache_dir=home.home / "cache")
    return [result for result in results if not result.passed]


def reference(folder: Path, *rows: str) -> Path:
    path = folder / "iris" / "iris_2021.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([REFERENCE, *rows]) + "\n", encoding="utf-8")
    return folder


def test_a_code_that_lost_its_zero_blocks_and_is_named(home: Settings, tmp_path: Path) -> None:
    mirror = reference(tmp_path / "mirror", ZERO, "10040102;Longeray-Gare;H;100401;1004;Ambérieu;1302;84;1")
    failed = checked(home, mirror, "insee_iris_reference")
    found = {result.id: result for result in failed}["code-iris-bien-forme"]
    assert found.blocking
    assert [(row["CODE_IRIS"], row["_source_row"]) for row in found.failing_rows] == [("10040102", 3)]
    message = refusals(SUITES["insee_iris_reference"], [found])
    assert "zéro de tête" in message
    assert "10040102" in message


def test_the_same_codes_with_their_zeros_pass(home: Settings, tmp_path: Path) -> None:
    overseas = "971010101;Belle Plaine;H;9710101;97101;Les Abymes;9A701;01;971"
    corsica = "2A0040101;Ajaccio centre;H;2A00401;2A004;Ajaccio;2A501;94;2A"
    mirror = reference(tmp_path / "mirror", ZERO, overseas, corsica)
    assert checked(home, mirror, "insee_iris_reference") == []


def test_an_iris_that_stands_twice_blocks(home: Settings, tmp_path: Path) -> None:
    mirror = reference(tmp_path / "mirror", ZERO, ZERO)
    [failed] = checked(home, mirror, "insee_iris_reference")
    assert (failed.id, failed.blocking) == ("iris-unique-par-edition", True)
    assert {row["CODE_IRIS"] for row in failed.failing_rows} == {"010040101"}


def test_a_contour_that_stands_in_two_files_blocks(home: Settings, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    first = write_contours(mirror)
    assert checked(home, mirror, "ign_contours_iris") == []
    other = first.with_name("85.geojson")
    content = json.loads(other.read_text(encoding="utf-8"))
    content["features"] += json.loads(first.read_text(encoding="utf-8"))["features"][:1]
    other.write_text(json.dumps(content), encoding="utf-8")
    [failed] = checked(home, mirror, "ign_contours_iris")
    assert (failed.id, failed.blocking) == ("iris-unique-par-edition", True)
    assert {row["_source_member"] for row in failed.failing_rows} == {"22.geojson", "85.geojson"}
