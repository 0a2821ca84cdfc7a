"""Datasets that may be absent: over http, in part, in a rebuild, and as `dq` tells of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dagster_project.commands.doctor import examine
from dagster_project.quality.suite_runner import run_suites
from dagster_project.quality.suites import load_suites
from dagster_project.settings import Settings
from dagster_project.sources import presence, status
from dagster_project.sources.catalogue import Dataset, load_catalogue
from dagster_project.sources.derived import SOURCE_PRESENCE_COLUMNS, source_presence_table
from dagster_project.sources.fetch import SourceMissing
from dagster_project.sources.http import FetchError
from dagster_project.sources.locked import lock_sources
from dagster_project.sources.raw import build_raw
from dagster_project.sources.raw_files import load_manifest
from tests.fetch_samples import CSV, sample_dataset, sample_file
from tests.geography_files import ORS, write_ors
from tests.http_server import Reply, ScriptedServer
from tests.locks import make_lock

MAY_BE_ABSENT = {name for name, dataset in load_catalogue().items() if dataset.when_absent != "stop"}


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    (folder / "insee").mkdir(parents=True)
    return folder


@pytest.fixture
def settings(tmp_path: Path, mirror: Path) -> Settings:
    return Settings(home=tmp_path / "home", sources="mirror", mirror=str(mirror), max_retries=0)


def dataset(*years: str, **changes: Any) -> Dataset:
    files = {year: (sample_file(f"TABLE_{year}", live={"note": "À demander."}),) for year in years or ("2021",)}
    return sample_dataset(files, **({"when_absent": "non_couvert"} | changes))


# --- one vintage, one file, one answer ------------------------------------------------------------------------------


def test_an_absent_vintage_stands_beside_those_that_are_there(settings: Settings, mirror: Path) -> None:
    (mirror / "insee" / "TABLE_2019.csv").write_bytes(CSV)
    result = build_raw(dataset("2019", "2021"), settings)
    assert (result.vintages, result.absent) == ({"2019": 2}, {"2021": "non_couvert"})
    assert pq.read_table(result.path).column("_vintage").to_pylist() == ["2019", "2019"]


def test_half_a_vintage_is_an_error(settings: Settings, mirror: Path) -> None:
    (mirror / "insee" / "NORD.csv").write_bytes(CSV)
    files = tuple(sample_file(name, live={"note": "À demander."}) for name in ("NORD", "SUD"))
    with pytest.raises(SourceMissing, match="SUD"):
        build_raw(sample_dataset({"2021": files}, when_absent="non_couvert"), settings)


def test_a_dataset_that_may_not_be_absent_stops(settings: Settings) -> None:
    with pytest.raises(SourceMissing, match="insee_exemple 2021, TABLE_2021"):
        build_raw(dataset(when_absent="stop"), settings)


def test_a_folder_that_is_not_there_is_no_absence(settings: Settings) -> None:
    with pytest.raises(FetchError, match="no such folder"):
        build_raw(dataset(), settings.model_copy(update={"mirror": "/nowhere"}))


def test_an_absent_layer_has_the_columns_of_a_contour(settings: Settings) -> None:
    file = sample_file(live={"note": "À demander."}, crs="EPSG:2154")
    layer = sample_dataset({"2021": (file,)}, when_absent="non_couvert", format="geojson")
    schema = pq.read_schema(build_raw(layer, settings).path)
    assert {name: str(schema.field(name).type) for name in ("CODGEO", "geometry", "_geometry_crs", "_source_row")} == {
        "CODGEO": "string",
        "geometry": "binary",
        "_geometry_crs": "string",
        "_source_row": "int64",
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedServer() as started:
        yield started


@pytest.mark.parametrize(("code", "absent"), [(404, True), (410, True), (403, False)])
def test_an_http_mirror_without_the_file(settings: Settings, server: ScriptedServer, code: int, absent: bool) -> None:
    server.script("/insee/TABLE_2021.csv", Reply(status=code))
    over_http = settings.model_copy(update={"mirror": server.address})
    if absent:
        assert build_raw(dataset(), over_http).absent == {"2021": "non_couvert"}
    else:
        with pytest.raises(FetchError, match=f"HTTP {code}"):
            build_raw(dataset(), over_http)


def test_a_rebuild_finds_absent_what_was_absent(settings: Settings, mirror: Path, tmp_path: Path) -> None:
    (mirror / "insee" / "TABLE_2019.csv").write_bytes(CSV)
    some = dataset("2019", "2021")
    first = build_raw(some, settings)
    manifest = load_manifest(settings.raw_dir / f"{some.id}.json")
    assert manifest is not None
    lock = tmp_path / "build.lock.json"
    lock.write_text(make_lock(sources=lock_sources([manifest])).canonical(), encoding="utf-8")
    again = build_raw(some, settings.model_copy(update={"rebuild_lock": lock}))
    assert (again.absent, again.data_version) == (first.absent, first.data_version)


# --- what is told of it ---------------------------------------------------------------------------------------------


def test_presence_has_a_row_for_each_vintage_that_was_looked_for(settings: Settings, mirror: Path) -> None:
    (mirror / "insee" / "TABLE_2019.csv").write_bytes(CSV)
    some, other = dataset("2019", "2021"), dataset(id="insee_autre")
    build_raw(some, settings)
    table = source_presence_table({found.id: found for found in (some, other)}, settings.raw_dir)
    assert tuple(table.column_names) == SOURCE_PRESENCE_COLUMNS
    reason = "Table d'exemple, millésime 2021 : jeu dont aucune copie n’est fournie. À demander."
    assert table.to_pylist() == [
        dict(zip(SOURCE_PRESENCE_COLUMNS, row, strict=True))
        for row in (
            ("insee_exemple", "2019", True, None, None),
            ("insee_exemple", "2021", False, "non_couvert", reason),
        )
    ]


@pytest.mark.parametrize("sources", ["mirror", "live"])
def test_an_absent_table_breaks_no_expectation(settings: Settings, tmp_path: Path, sources: str) -> None:
    settings = settings.model_copy(update={"sources": sources})
    result = build_raw(load_catalogue()["ors_sante_iris"], settings)
    suite = load_suites()["ors_sante_iris"]
    results = run_suites([suite], {suite.table: result.path}, real=True, cache_dir=tmp_path / "cache")
    assert len(results) == len(suite.expectations)
    assert {(r.passed, r.skipped, r.observed) for r in results} == {(True, True, "jeu absent (convention)")}


def test_an_empty_table_that_is_not_absent_is_checked(tmp_path: Path, settings: Settings) -> None:
    path = build_raw(load_catalogue()["ors_sante_iris"], settings).path
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), tmp_path / "empty.parquet")
    suite = load_suites()["ors_sante_iris"]
    results = run_suites([suite], {suite.table: tmp_path / "empty.parquet"}, real=True, cache_dir=tmp_path / "cache")
    assert not any(result.skipped for result in results)


def test_status_and_doctor_name_what_is_absent(settings: Settings, mirror: Path) -> None:
    rows = {row["dataset"]: row for row in status.source_status(settings)}
    assert {name for name, row in rows.items() if row["state"].startswith("absent")} == MAY_BE_ABSENT
    assert rows["ors_sante_iris"]["state"] == "absent (convention)"
    assert "docs/partenaires.md" in rows["ors_sante_iris"]["detail"]
    [found] = [finding for finding in examine(settings) if finding.subject == "jeux facultatifs"]
    assert (found.ok, found.optional) == (False, True)
    assert "ors_sante_iris (convention)" in found.advice
    write_ors(mirror / ORS)
    rows = {row["dataset"]: row for row in status.source_status(settings)}
    assert rows["ors_sante_iris"]["state"] == "never fetched"


def test_what_is_at_hand_depends_on_the_place(settings: Settings, mirror: Path) -> None:
    def absent(**changes: Any) -> set[str]:
        return {found.id for found, _ in presence.absent_vintages(settings.model_copy(update=changes))}

    with_address = {"insee_filosofi_carreaux", "insee_filosofi_carreaux_nat"}
    assert absent(sources="live") == MAY_BE_ABSENT - with_address
    assert absent(sources="demo") == set()
    assert absent(mirror="https://miroir.invalid") == set()  # it is asked when a run fetches
    write_ors(settings.inbox_dir / "ors_sante_iris.csv")
    assert absent() == MAY_BE_ABSENT - {"ors_sante_iris"}


def test_check_tells_absence_from_a_failure(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = {found.id: found for found in (dataset(), dataset(id="insee_autre", when_absent="stop"))}
    monkeypatch.setattr(status, "load_catalogue", lambda: catalogue)
    states = {row["file"]: row["state"] for row in status.check_sources(settings, progress=lambda _: None)}
    assert states == {"insee_exemple/2021/TABLE_2021": "non_couvert", "insee_autre/2021/TABLE_2021": "absent"}


def test_doctor_says_that_two_files_could_be_meant(settings: Settings) -> None:
    for name in ("ors_sante_iris.csv", "ORS_SANTE_IRIS.csv"):
        write_ors(settings.inbox_dir / name)
    [found] = [finding for finding in examine(settings) if finding.subject == "jeux facultatifs"]
    assert (found.ok, found.optional) == (False, True)
    assert "leave only one there" in found.advice
