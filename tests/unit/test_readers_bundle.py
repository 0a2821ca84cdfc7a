"""Bundles: checked whole, listed member by member, kept in the archive under addresses that do not collide."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dagster_project.settings import Settings
from dagster_project.sources.archive import ArchivedFile
from dagster_project.sources.catalogue import Dataset
from dagster_project.sources.fetch import SourceMissing, fetch_file, inbox_files, open_archive, references
from dagster_project.sources.http import FetchError
from dagster_project.sources.raw import RawError, build_raw
from dagster_project.sources.readers import ReadError
from dagster_project.sources.validation import Validation, validate_file
from tests.readers_support import archived, cells, make_dataset, make_file, read

COLUMNS = ("membre", "octets", "empreinte", "lignes")
TIMETABLE = {
    "agency.txt": b"agency_id\nA\n",
    "calendar_dates.txt": b"service_id,date,exception_type\nS,20250101,1\n",
    "routes.txt": b"route_id\nR\n",
    "stop_times.txt": b"trip_id,arrival_time\nT,08:00:00\n",
    "stops.txt": "stop_id,stop_name\nP,Église inventée\n".encode(),
    "transfers.txt": b"from_stop_id,to_stop_id",
    "trips.txt": b"trip_id\nT\n",
}
OSM = b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6">\n<node id="1"/>\n</osm>\n'
PBF = b"\x00\x00\x00\x0e\x0a\x09OSMHeader\x18\x7c" + b"\x00\x01\xff" * 40
GEOJSON = b'{"type": "FeatureCollection", "features": []}'


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def bundle(*paths: str, **more: Any) -> Dataset:
    mirror = {"paths": list(paths or ("gtfs/lot.zip",)), "copy_of": "producer_bytes"}
    return make_dataset("bundle", COLUMNS, files=[make_file("lot", mirror=mirror)], **more)


def written(folder: Path, members: dict[str, bytes]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in members.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in members]


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    path.write_bytes(buffer.getvalue())
    return path


def checked(*paths: Path) -> dict[str, Validation]:
    dataset = bundle()
    vintage = dataset.vintages[0]
    parts = tuple(archived(path) for path in paths)
    return {v.name: v for v in validate_file(dataset, vintage, vintage.files[0], parts, None)}


def refusals(*paths: Path) -> dict[str, str]:
    return {name: result.message for name, result in checked(*paths).items() if not result.passed}


# --- the inventory ------------------------------------------------------------------------------------------------


def test_each_file_of_a_folder_is_a_row_with_its_own_address(tmp_path: Path) -> None:
    result = read(bundle(), *written(tmp_path, TIMETABLE))
    expected = [(name, str(len(c)), sha256(c), str(c.count(b"\n"))) for name, c in TIMETABLE.items()]
    assert cells(result, *COLUMNS) == expected
    assert cells(result, "_source_sha256", "_source_member", "_source_row") == [
        (sha256(content), name, row) for row, (name, content) in enumerate(TIMETABLE.items(), 1)
    ]


def test_members_of_a_zip_have_their_own_digest_and_the_address_of_the_zip(tmp_path: Path) -> None:
    path = zipped(tmp_path / "lot.zip", {"horaires/": b"", **TIMETABLE})
    result = read(bundle(), path)
    assert cells(result, "membre", "empreinte") == [(name, sha256(c)) for name, c in TIMETABLE.items()]
    assert set(cells(result, "_source_sha256")) == {(sha256(path.read_bytes()),)}
    assert cells(result, "_source_member") == cells(result, "membre")


@pytest.mark.parametrize(("name", "content", "lines"), [("e.osm", OSM, "4"), ("e.osm.pbf", PBF, "")])
def test_an_extract_is_one_row(tmp_path: Path, name: str, content: bytes, lines: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert cells(read(bundle(), tmp_path / name), *COLUMNS) == [(name, str(len(content)), sha256(content), lines)]


def test_a_hostile_zip_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="sort du dossier"):
        read(bundle(), zipped(tmp_path / "lot.zip", {"../stops.txt": b"x"}))
    bomb = zipped(tmp_path / "bombe.zip", {"stops.txt": b"\0" * (12 << 20)})
    with pytest.raises(ReadError, match="comprimé"):
        read(bundle(), bomb)


# --- what is refused before ----------------------------------------------------------------------------------------


def test_sound_bundles_pass(tmp_path: Path) -> None:
    sound: list[list[Path]] = [written(tmp_path, TIMETABLE), [zipped(tmp_path / "lot.zip", TIMETABLE)]]
    for name, content in (("a.osm", OSM), ("b.osm.pbf", PBF), ("c.geojson", GEOJSON)):
        sound.append(written(tmp_path, {name: content}))
    assert [refusals(*paths) for paths in sound] == [{}] * 5


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.osm", b"<gpx></gpx>", "n'est pas un extrait OpenStreetMap"),
        ("a.osm", OSM[:60], "tronqué"),
        ("a.osm.pbf", b"\x00\x00\x00\x0e\x0a\x07OSMData", "n'est pas un extrait OpenStreetMap"),
        ("a.geojson", GEOJSON[:-1], "tronqué"),
        ("a.zip", b"stop_id\n", "n'est pas une archive zip"),
        ("a.txt", PBF, "n'est pas un fichier .txt"),
        ("a.exe", b"MZ", "suffixe inattendu"),
    ],
)
def test_a_part_begins_and_ends_as_its_suffix_says(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    found = refusals(*written(tmp_path, {name: content}))
    assert problem in found["signature"]


def test_a_web_page_is_no_bundle(tmp_path: Path) -> None:
    page = b"<!doctype html><html><title>Maintenance</title></html>"
    assert "Maintenance" in refusals(*written(tmp_path, {"lot.osm": page}))["page_html"]


@pytest.mark.parametrize("lost", ["stops.txt", "stop_times.txt", "calendar_dates.txt"])
def test_a_timetable_without_a_file_it_needs_is_refused(tmp_path: Path, lost: str) -> None:
    kept = {name: content for name, content in TIMETABLE.items() if name != lost}
    for paths in (written(tmp_path / "folder", kept), [zipped(tmp_path / "lot.zip", kept)]):
        assert lost in refusals(*paths)["signature"]


def test_an_empty_part_and_undecodable_text_are_named(tmp_path: Path) -> None:
    assert "routes.txt est vide" in refusals(*written(tmp_path, {**TIMETABLE, "routes.txt": b""}))["fichier_vide"]
    latin = {**TIMETABLE, "stops.txt": "stop_id,stop_name\nP,Église\n".encode("cp1252")}
    for paths in (written(tmp_path, latin), [zipped(tmp_path / "lot.zip", latin)]):
        assert "stops.txt ne se décode pas en utf-8" in refusals(*paths)["texte_decodable"]


def test_a_truncated_zip_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "lot.zip", TIMETABLE)
    path.write_bytes(path.read_bytes()[:-40])
    assert set(refusals(path)) == {"archive_zip"}


def test_the_files_of_a_bundle_count_together(tmp_path: Path) -> None:
    details = checked(*written(tmp_path, TIMETABLE))["taille"].details
    assert details["octets"] == sum(map(len, TIMETABLE.values()))


# --- how it comes --------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "mirror").mkdir()
    return Settings(home=tmp_path / "home", sources="mirror", mirror=str(tmp_path / "mirror"))


def fetched(dataset: Dataset, settings: Settings) -> tuple[ArchivedFile, ...]:
    vintage = dataset.vintages[0]
    return fetch_file(dataset, vintage, vintage.files[0], settings)


def test_a_folder_is_archived_file_by_file_and_found_again(tmp_path: Path, settings: Settings) -> None:
    dataset = bundle(*(f"gtfs/{name}" for name in TIMETABLE), rows={"minimum": 1, "maximum": 20})
    written(tmp_path / "mirror" / "gtfs", TIMETABLE)
    parts = fetched(dataset, settings)
    companions = [f"/{name}" for name in TIMETABLE][1:]
    assert [part.key.removeprefix("essai_table/2021/lot") for part in parts] == ["", *companions]
    result = build_raw(dataset, settings)
    assert (result.rows, result.changed, build_raw(dataset, settings).changed) == (len(TIMETABLE), True, False)
    archive = open_archive(settings.archive_dir)
    for row in pq.read_table(result.path).to_pylist():
        assert sha256(archive.object_path(row["_source_sha256"]).read_bytes()) == row["empreinte"]


def test_half_a_folder_is_missing(tmp_path: Path, settings: Settings) -> None:
    written(tmp_path / "mirror" / "gtfs", {"agency.txt": b"agency_id\n"})
    with pytest.raises(SourceMissing, match=r"stops\.txt.*lot\.zip"):
        fetched(bundle("gtfs/agency.txt", "gtfs/stops.txt"), settings)


def test_one_zip_in_the_inbox_stands_for_the_folder(tmp_path: Path, settings: Settings) -> None:
    dataset = bundle("gtfs/agency.txt", "gtfs/stops.txt", rows={"minimum": 1, "maximum": 20})
    settings.inbox_dir.mkdir(parents=True)
    (settings.inbox_dir / "stops.txt").write_bytes(b"stop_id\n")  # of which timetable? not taken
    assert inbox_files(dataset, dataset.vintages[0].files[0], settings) == []
    zipped(settings.inbox_dir / "lot.zip", TIMETABLE)
    assert build_raw(dataset, settings).rows == len(TIMETABLE)


@pytest.mark.parametrize("name", ["lot.osm.pbf", "lot.osm", "extrait.geojson"])
def test_an_extract_in_the_inbox_may_be_of_another_kind(settings: Settings, name: str) -> None:
    dataset = bundle("roads/extrait.geojson")
    settings.inbox_dir.mkdir(parents=True)
    (settings.inbox_dir / name).write_bytes(PBF)
    assert [path.name for path in inbox_files(dataset, dataset.vintages[0].files[0], settings)] == [name]
    (settings.inbox_dir / "lot.zip").write_bytes(PBF)
    with pytest.raises(FetchError, match="leave only one there"):
        inbox_files(dataset, dataset.vintages[0].files[0], settings)


def test_editions_of_a_bundle_are_not_compared(tmp_path: Path, settings: Settings) -> None:
    vintages = [
        {"vintage": year, "files": [make_file(name, mirror={"paths": [f"{name}.osm"], "copy_of": "producer_bytes"})]}
        for year, name in (("2013", "rennes"), ("2019", "redon"))
    ]
    dataset = make_dataset("bundle", COLUMNS, vintages=vintages)
    written(tmp_path / "mirror", {"rennes.osm": OSM, "redon.osm": OSM + b"\n" * 999})
    parts = [fetch_file(dataset, v, v.files[0], settings) for v in dataset.vintages]
    assert references(dataset, dataset.vintages[1], dataset.vintages[1].files[0], parts[1], settings) == ()


def test_a_bundle_that_is_no_archive_leaves_no_table(tmp_path: Path, settings: Settings) -> None:
    written(tmp_path / "mirror" / "gtfs", {"lot.zip": b"<html><title>Erreur 503</title>"})
    with pytest.raises(RawError, match="Erreur 503"):
        build_raw(bundle(), settings)
    assert not (settings.raw_dir / "essai_table.parquet").exists()
