"""Write, audit, publish: `current` is always a whole release, whatever happens."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.audit.release_folder import current_release, is_current
from dagster_project.identity.lock import LOCK_NAME, load_lock
from dagster_project.release.database import DATABASE
from dagster_project.release.errors import ReleaseError
from dagster_project.release.places import building_path
from dagster_project.release.promote import promote
from dagster_project.release.sums import read_sums
from dagster_project.settings import Settings
from dagster_project.sources import disk
from tests.crashes import assert_whole, hidden, small_package, tree, write_building
from tests.release_home import lock, write_home


@pytest.fixture
def small() -> Iterator[None]:
    """Where the steps count and not the content: two files, and a build that is not a database."""
    with small_package():
        yield


def test_a_release_holds_its_attachments_and_its_sums(settings: Settings, tmp_path: Path) -> None:
    write_home(settings)
    report = tmp_path / "r.html"
    report.write_text("rapport", encoding="utf-8")
    release = promote(settings, lock(), {"qualite.html": report})
    assert (settings.releases_dir / "current").resolve() == release
    assert (release / "qualite.html").read_text(encoding="utf-8") == "rapport"
    written = tree(release)
    assert read_sums(release / "SHA256SUMS") == {n: d for n, d in written.items() if n not in {"SHA256SUMS", DATABASE}}
    assert load_lock(release) == lock()
    assert (release / LOCK_NAME).read_text(encoding="utf-8") == lock().canonical()
    assert release.name == lock().release_id
    assert settings.warehouse.exists()
    assert not building_path(settings).exists()
    assert current_release(settings).path == release
    assert is_current(settings, load_lock(release).build_id)
    assert hidden(settings) == []


def test_the_same_build_gives_the_same_bytes_in_another_home(tmp_path: Path) -> None:
    sums = []
    for name in ("one", "other"):
        settings = Settings(home=tmp_path / name, sources="demo")
        write_home(settings)
        sums.append((promote(settings, lock(), {}) / "SHA256SUMS").read_text(encoding="utf-8"))
    assert sums[0] == sums[1]


@pytest.mark.usefixtures("small")
def test_the_next_release_leaves_the_previous_one_whole(settings: Settings) -> None:
    write_building(settings, b"first")
    first = promote(settings, lock("a"), {})
    before = tree(first)
    write_building(settings, b"second")
    second = promote(settings, lock("b"), {})
    assert tree(first) == before
    assert (settings.releases_dir / "current").resolve() == second


@pytest.mark.usefixtures("small")
def test_all_of_a_release_is_on_the_disk_before_it_bears_its_name(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_building(settings, b"first")
    synced: set[int] = set()
    missing: dict[str, list[str]] = {}
    fsync, rename = os.fsync, disk.rename

    def spy_on_disk(descriptor: int) -> None:
        fsync(descriptor)
        synced.add(os.fstat(descriptor).st_ino)

    def spy_on_name(source: Path, target: Path) -> None:
        files = [source, *source.iterdir()] if source.is_dir() and not source.is_symlink() else []
        missing[target.name] = [path.name for path in files if path.stat().st_ino not in synced]
        rename(source, target)

    monkeypatch.setattr(os, "fsync", spy_on_disk)
    monkeypatch.setattr(disk, "rename", spy_on_name)
    release = promote(settings, lock(), {})
    assert missing == {release.name: [], "current": [], settings.warehouse.name: []}
    assert settings.releases_dir.stat().st_ino in synced


def test_nothing_built_is_an_error(settings: Settings) -> None:
    with pytest.raises(ReleaseError, match="dbt step"):
        promote(settings, lock(), {})


@pytest.mark.parametrize("missing", ["derived/dbt/manifest.json", "reports/qualite.json"])
def test_a_missing_input_is_named_and_changes_nothing(settings: Settings, missing: str) -> None:
    write_home(settings)
    (settings.home / missing).unlink()
    with pytest.raises(ReleaseError, match=Path(missing).name):
        promote(settings, lock(), {})
    assert current_release(settings) is None
    assert list(settings.releases_dir.iterdir()) == []


@pytest.mark.usefixtures("small")
def test_two_promotions_do_not_mix(settings: Settings) -> None:
    write_building(settings, b"x")
    settings.releases_dir.mkdir(parents=True)
    descriptor = os.open(settings.releases_dir, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(ReleaseError, match="another promotion"):
            promote(settings, lock(), {})
    finally:
        os.close(descriptor)
    assert promote(settings, lock(), {}).is_dir()


@pytest.mark.usefixtures("small")
def test_a_release_is_never_written_over(settings: Settings) -> None:
    """The same name comes back after a crash before the switch: same content is taken, other content refused."""
    write_building(settings, b"x")
    release = promote(settings, lock(), {})
    before = tree(release)
    write_building(settings, b"x")
    assert promote(settings, lock(), {}) == release
    write_building(settings, b"another size")
    with pytest.raises(ReleaseError, match="other content"):
        promote(settings, lock(), {})
    assert tree(release) == before
    assert hidden(settings) == []


@pytest.mark.usefixtures("small")
def test_bytes_that_are_not_read_as_written_are_not_published(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flip(descriptor: int) -> None:
        for path in settings.releases_dir.glob(".*.partial/table.csv"):
            path.write_text("autre", encoding="utf-8")
        os.fsync(descriptor)

    monkeypatch.setattr(disk, "sync", flip)
    write_building(settings, b"x")
    with pytest.raises(ReleaseError, match=r"read otherwise: table\.csv"):
        promote(settings, lock(), {})
    assert current_release(settings) is None
    assert hidden(settings) == []


@pytest.mark.usefixtures("small")
def test_a_damaged_pointer_is_no_release(settings: Settings) -> None:
    settings.releases_dir.mkdir(parents=True)
    (settings.releases_dir / "current").symlink_to("gone")
    assert current_release(settings) is None
    write_building(settings, b"x")
    release = promote(settings, lock(), {})
    assert assert_whole(settings) == release
