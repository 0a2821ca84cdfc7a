"""Bytes that a lock names: taken from an archive, and a raw table made again from them, manifest included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.settings import Settings
from dagster_project.sources.archive import Archive
from dagster_project.sources.catalogue import Dataset
from dagster_project.sources.http import FetchError
from dagster_project.sources.locked import LockedBytesError, LockedFile, lock_sources, restore
from dagster_project.sources.raw import build_raw
from tests.fetch_samples import CSV, sample_dataset, sample_file
from tests.http_server import Reply, ScriptedServer
from tests.locks import make_lock

RELEASE = "20260102T120000Z-aaaaaaaaaaaa"
YEARS = ("2019", "2021")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror" / "insee"
    folder.mkdir(parents=True)
    for year in YEARS:
        (folder / f"TABLE_{year}.csv").write_bytes(CSV + year.encode() + b";x;1\n")
    return folder


@pytest.fixture
def settings(tmp_path: Path, mirror: Path) -> Settings:
    return Settings(home=tmp_path / "home", sources="mirror", mirror=str(mirror.parent))


@pytest.fixture
def dataset() -> Dataset:
    return sample_dataset({year: (sample_file(f"TABLE_{year}"),) for year in YEARS})


def manifest(settings: Settings, dataset: Dataset) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((settings.raw_dir / f"{dataset.id}.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture
def locked(settings: Settings, dataset: Dataset, mirror: Path) -> tuple[LockedFile, ...]:
    """A table whose last edition was received twice: its size is compared with the first reception."""
    build_raw(dataset, settings)
    (mirror / "TABLE_2021.csv").write_bytes(CSV)
    build_raw(dataset, settings)
    return lock_sources([manifest(settings, dataset)])


def rebuilding(tmp_path: Path, locked: tuple[LockedFile, ...]) -> Settings:
    """Settings of a rebuild elsewhere, without a mirror."""
    lock = tmp_path / "elsewhere.lock.json"
    lock.write_text(make_lock(sources=locked).canonical(), encoding="utf-8")
    return Settings(home=tmp_path / "elsewhere", sources="mirror", rebuild_lock=lock)


def test_a_raw_table_and_its_manifest_are_the_same_from_the_lock(
    tmp_path: Path, settings: Settings, dataset: Dataset, locked: tuple[LockedFile, ...]
) -> None:
    there = rebuilding(tmp_path, locked)
    size = restore(locked, settings.archive_dir, there.archive_dir, RELEASE)
    build_raw(dataset, there)
    assert size == sum(part.size for file in locked for part in file.parts)
    for name in (f"{dataset.id}.json", f"{dataset.id}.parquet"):
        assert (there.raw_dir / name).read_bytes() == (settings.raw_dir / name).read_bytes()
    compared = {check["message"] for check in manifest(there, dataset)["validations"] if "variation" in check["name"]}
    assert any("la réception précédente" in message for message in compared), "what it was compared with is locked too"


def test_receptions_are_logged_as_they_were_and_from_where_they_come(
    tmp_path: Path, settings: Settings, locked: tuple[LockedFile, ...]
) -> None:
    target = tmp_path / "other"
    for _ in range(2):
        restore(locked, settings.archive_dir, target, RELEASE)
    lines = [json.loads(line) for line in (target / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == len(YEARS), "what is there already is not brought again"
    assert {line["restored_from"] for line in lines} == {RELEASE}
    for file in locked:
        (part,) = file.parts
        entry = Archive(target).latest(part.key, "mirror")
        assert entry is not None
        assert (entry.name, entry.url, entry.fetched_at) == (part.name, part.url, part.fetched_at)


def test_missing_and_altered_objects_are_named_and_nothing_is_written(
    tmp_path: Path, settings: Settings, locked: tuple[LockedFile, ...]
) -> None:
    held = Archive(settings.archive_dir)
    missing, altered = (file.parts[0].sha256 for file in locked)
    held.object_path(missing).unlink()
    held.object_path(altered).chmod(0o644)
    held.object_path(altered).write_bytes(CSV.replace(b"1200", b"1201"))
    with pytest.raises(LockedBytesError) as refusal:
        restore(locked, settings.archive_dir, tmp_path / "other", RELEASE)
    first, second = str(refusal.value).splitlines()
    assert first.startswith("insee_exemple 2019, TABLE_2019 (TABLE_2019.csv): ")
    assert f"has no object {missing}" in first
    assert second.startswith("insee_exemple 2021, TABLE_2021 (TABLE_2021.csv): ")
    assert f"has the object {altered} with other bytes" in second
    assert not (tmp_path / "other").exists()


def test_a_rebuild_fetches_nothing_the_lock_does_not_name(
    tmp_path: Path, settings: Settings, dataset: Dataset, locked: tuple[LockedFile, ...]
) -> None:
    there = rebuilding(tmp_path, locked[:1])
    restore(locked, settings.archive_dir, there.archive_dir, RELEASE)
    there.inbox_dir.mkdir()
    (there.inbox_dir / "TABLE_2021.csv").write_bytes(CSV)
    with pytest.raises(FetchError, match=r"insee_exemple 2021, TABLE_2021: .* names no bytes for this file"):
        build_raw(dataset, there.model_copy(update={"mirror": settings.mirror}))


def test_a_rebuild_refuses_bytes_that_were_not_brought(
    tmp_path: Path, dataset: Dataset, locked: tuple[LockedFile, ...]
) -> None:
    with pytest.raises(FetchError, match=rf"TABLE_2019: .* has no sound object {locked[0].parts[0].sha256}"):
        build_raw(dataset, rebuilding(tmp_path, locked))


def test_what_a_lock_says_of_a_source_holds_no_secret_and_no_folder(tmp_path: Path) -> None:
    dataset = sample_dataset()
    with ScriptedServer() as server:
        server.script("/insee/TABLE_2021.csv", Reply(body=CSV))
        address = server.url("/").replace("http://", "http://agent:motdepasse@") + "?token=SESAME"
        home = Settings(home=tmp_path / "home", sources="mirror", mirror=address)
        build_raw(dataset, home)
    text = make_lock(sources=lock_sources([manifest(home, dataset)])).canonical()
    assert "TABLE_2021.csv" in text
    assert not [secret for secret in ("SESAME", "motdepasse", "agent", str(tmp_path)) if secret in text]
