"""Promotion on a disk that fills, in a process that dies: `current` is whole, the previous release untouched."""

from __future__ import annotations

import errno
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dagster_project.audit.release_folder import is_current
from dagster_project.identity.lock import load_lock
from dagster_project.release.errors import ReleaseError
from dagster_project.release.places import building_path
from dagster_project.release.promote import promote
from dagster_project.settings import Settings
from dagster_project.sources import disk
from tests.crashes import assert_whole, hidden, small_package, start, tree, write_building
from tests.draws import KILLS
from tests.release_home import NOON, lock, write_home


@pytest.fixture
def small() -> Iterator[None]:
    """Where the steps count and not the content: two files, and a build that is not a database."""
    with small_package():
        yield


@pytest.mark.usefixtures("small")
def test_a_full_disk_at_any_write_keeps_current(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the n-th effect on the disk, for n = 1, 2, … until promotion succeeds."""
    write_building(settings, b"first")
    first = promote(settings, lock("a"), {})
    before = tree(first)
    attachment = settings.home / "r.html"
    attachment.write_text("rapport", encoding="utf-8")
    n, outcomes = 0, [""]
    while outcomes[-1] != "published":
        n += 1
        now = NOON + timedelta(hours=n)
        write_building(settings, b"second")
        with monkeypatch.context() as patch:
            fail_on_call(patch, n)
            outcomes.append(attempt(settings, attachment, now))
        assert hidden(settings) == []
        assert tree(first) == before
        current = assert_whole(settings)
        if outcomes[-1] == "unchanged":
            assert current == first
            assert settings.warehouse.read_bytes() == b"first"
        elif settings.warehouse.read_bytes() == b"first":
            assert not is_current(settings, "b" * 64), "the next run builds the warehouse anew"
    assert outcomes.count("unchanged") > 12
    assert outcomes.count("behind") == 3
    assert settings.warehouse.read_bytes() == b"second"


def attempt(settings: Settings, attachment: Path, now: datetime) -> str:
    try:
        promote(settings, lock("b", at=now), {"qualite.html": attachment})
    except ReleaseError as error:
        return "unchanged" if "is unchanged" in str(error) else "behind"
    return "published"


def fail_on_call(patch: pytest.MonkeyPatch, n: int) -> None:
    calls = iter(range(1, 1000))

    def failing(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            if next(calls) == n:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*args, **kwargs)

        return call

    for name in ("sync", "rename"):
        patch.setattr(disk, name, failing(getattr(disk, name)))
    for name in ("write_text", "symlink_to", "mkdir"):
        patch.setattr(Path, name, failing(getattr(Path, name)))
    patch.setattr(shutil, "copyfile", failing(shutil.copyfile))


def test_a_disk_that_fills_under_duckdb_keeps_current(settings: Settings) -> None:
    """DuckDB raises errors of its own: here no file may grow beyond a megabyte."""
    write_home(settings)
    first = promote(settings, lock("a"), {})
    write_home(settings, shift=1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(ReleaseError, match="current release is unchanged"):
            promote(settings, lock("b"), {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert assert_whole(settings) == first
    assert hidden(settings) == []


def test_a_kill_at_every_touch_of_the_disk_leaves_whole_releases(settings: Settings) -> None:
    """SIGKILL before the n-th touch, for n = 1, 2, … until the promotion ends; then another one, which ends well."""
    with small_package():
        write_building(settings, b"0")
        previous = promote(settings, lock("a"), {})
        n, killed = 0, True
        while killed:
            n += 1
            before = tree(previous)
            content = str(n).encode()
            write_building(settings, content)
            process = start(settings, "b", NOON + timedelta(minutes=2 * n), die_at=n, small=True)
            process.join()
            killed = process.exitcode == -signal.SIGKILL
            assert killed or process.exitcode == 0
            assert tree(previous) == before
            switched = assert_whole(settings) != previous
            followed = settings.warehouse.read_bytes() == content
            assert followed or not is_current(settings, "b" * 64), "a stale warehouse is not taken for that of current"
            assert switched or not followed
            previous = recovered(settings, NOON + timedelta(minutes=2 * n + 1))
    assert n > 25


def recovered(settings: Settings, now: datetime) -> Path:
    """The next promotion succeeds and sweeps what the killed one left."""
    write_building(settings, b"next")
    release = promote(settings, lock("c", at=now), {})
    assert hidden(settings) == []
    assert assert_whole(settings) == release
    assert is_current(settings, load_lock(release).build_id)
    return release


def test_kills_at_random_instants_of_a_whole_promotion_leave_whole_releases(settings: Settings) -> None:
    write_home(settings)
    kept = settings.home / "build.duckdb"
    shutil.copyfile(building_path(settings), kept)
    started = time.monotonic()
    process = start(settings, "a", NOON, small=False)
    process.join()
    assert process.exitcode == 0
    lasted = time.monotonic() - started
    first = assert_whole(settings)
    before = tree(first)
    draw = random.Random(20260102)  # noqa: S311 (instants, not secrets)
    ends = []
    for n in range(1, KILLS + 1):
        shutil.copyfile(kept, building_path(settings))
        process = start(settings, "b", NOON + timedelta(minutes=n), small=False)
        process.join(timeout=draw.uniform(0, 1.2 * lasted))
        process.kill()
        process.join()
        ends.append(process.exitcode)
        assert_whole(settings)
        assert tree(first) == before
    assert -signal.SIGKILL in ends
    shutil.copyfile(kept, building_path(settings))
    last = promote(settings, lock("c", at=NOON + timedelta(days=1)), {})
    assert hidden(settings) == []
    assert assert_whole(settings) == last
    assert is_current(settings, load_lock(last).build_id)
