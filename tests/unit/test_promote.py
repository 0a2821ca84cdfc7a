"""Write, audit, publish: `current` is always a whole release, whatever happens."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dagster_project.provenance.lock import LOCK_NAME, load_lock
from dagster_project.release import promote as promotion
from dagster_project.release.promote import MARTS, REFERENCE, ReleaseError, building_path, current_release, promote
from dagster_project.settings import Settings
from tests.locks import make_lock


def write_building(settings: Settings, value: float) -> None:
    path = building_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        for schema, names in (("marts", MARTS), ("reference", REFERENCE)):
            connection.sql(f"create schema {schema}")
            for name in names:
                extra = ", ['96001'] as communes, 'x'::blob as geometry" if name == "dim_zone" else ""
                connection.sql(
                    f"create table {schema}.{name} as select 'QP096001' as zone_code, {value} as value{extra}"
                )


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_release_holds_every_table_and_its_sums(settings: Settings, tmp_path: Path) -> None:
    write_building(settings, 1)
    report = tmp_path / "r.html"
    report.write_text("rapport", encoding="utf-8")
    release = promote(settings, make_lock(), {"qualite.html": report})
    assert (settings.releases_dir / "current").resolve() == release.path
    assert {f"{name}.parquet" for name in MARTS} <= {path.name for path in release.path.iterdir()}
    sums = dict(reversed(line.split("  ")) for line in (release.path / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: digest for name, digest in tree(release.path).items() if name != "SHA256SUMS"}
    assert "FICTIVES" in (release.path / "LISEZMOI.txt").read_text(encoding="utf-8")
    assert load_lock(release.path) == make_lock()
    assert (release.path / LOCK_NAME).read_text(encoding="utf-8") == make_lock().canonical()
    assert release.release_id == make_lock().release_id
    assert settings.warehouse.exists()
    assert not building_path(settings).exists()
    assert current_release(settings) == release


def test_the_next_release_leaves_the_previous_one_whole(settings: Settings) -> None:
    write_building(settings, 1)
    first = promote(settings, make_lock("a"), {})
    before = tree(first.path)
    write_building(settings, 2)
    second = promote(settings, make_lock("b"), {})
    assert tree(first.path) == before
    assert (settings.releases_dir / "current").resolve() == second.path


def test_nothing_built_is_an_error(settings: Settings) -> None:
    with pytest.raises(ReleaseError, match="dbt step"):
        promote(settings, make_lock(), {})


def test_a_full_disk_at_any_write_keeps_current(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the n-th call that can run out of space, for n = 1, 2, … until promotion succeeds."""
    monkeypatch.setattr(promotion, "_export", lambda _, folder: (folder / "mart.csv").write_text("a;b\n"))
    write_building(settings, 1)
    first = promote(settings, make_lock("a"), {})
    before, warehouse = tree(first.path), settings.warehouse.read_bytes()
    write_building(settings, 2)
    n, published = 0, False
    while not published:
        n += 1
        with monkeypatch.context() as patch:
            fail_on_call(patch, n)
            published = attempt(settings)
        if not published:
            assert (settings.releases_dir / "current").resolve() == first.path
            assert settings.warehouse.read_bytes() == warehouse
            assert [path.name for path in settings.releases_dir.glob(".*")] == []
        assert tree(first.path) == before
    assert n > 5


def attempt(settings: Settings) -> bool:
    try:
        promote(settings, make_lock("b"), {})
    except ReleaseError as error:
        if "unchanged" not in str(error):
            raise
        return False
    return True


def fail_on_call(patch: pytest.MonkeyPatch, n: int) -> None:
    calls = iter(range(1, 1000))

    def failing(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            if next(calls) == n:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*args, **kwargs)

        return call

    patch.setattr(os, "fsync", failing(os.fsync))
    for name in ("write_text", "rename"):
        patch.setattr(Path, name, failing(getattr(Path, name)))


def test_a_damaged_pointer_is_no_release(settings: Settings) -> None:
    settings.releases_dir.mkdir(parents=True)
    (settings.releases_dir / "current").symlink_to("gone")
    assert current_release(settings) is None
