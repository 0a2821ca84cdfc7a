"""Promotions that die: in a process of their own, killed from within at a chosen touch of the disk, or from without.

`SIGKILL` runs no handler and no `finally`: what is on the disk is what the process left.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from dagster_project.audit.release_folder import current_release
from dagster_project.release import promote as promotion
from dagster_project.release.edition import Edition
from dagster_project.release.places import building_path
from dagster_project.release.promote import promote
from dagster_project.release.sums import damaged_files, digest_files, write_sums
from dagster_project.settings import Settings
from tests.release_home import lock

# Audit events by which Python touches the disk; the first argument is a path.
TOUCHES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.truncate", "shutil.copyfile"}

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.crashes", "duckdb", "pyproj", "pyarrow", "shapely"])


def write_two_files(
    folder: Path, settings: Settings, building: Path, edition: Edition, code_versions: Mapping[str, str]
) -> None:
    """In place of the whole package, where only the steps of the promotion count."""
    (folder / "table.csv").write_text(f"zone;valeur\nQP;{building.stat().st_size}\n", encoding="utf-8")
    (folder / "note.txt").write_text(
        f"{edition.release_id} {settings.sources} {len(code_versions)}\n", encoding="utf-8"
    )
    write_sums(folder, digest_files(folder, {}))


@contextmanager
def small_package() -> Iterator[None]:
    """Promotions write two files."""
    whole = promotion.write_package
    promotion.write_package = write_two_files
    try:
        yield
    finally:
        promotion.write_package = whole


def start(settings: Settings, code: str, now: datetime, *, die_at: int | None = None, small: bool) -> ForkServerProcess:
    """A promotion in a process of its own, started.

    Args:
        settings: its home.
        code: letter of the build.
        now: time of publication.
        die_at: the process kills itself when it is about to touch the disk for the n-th time, from 1.
        small: write two files in place of the whole package.
    """
    process = _processes.Process(target=_promote, args=(settings.home, code, now, die_at, small))
    process.start()
    return process


def _promote(home: Path, code: str, now: datetime, die_at: int | None, small: bool) -> None:
    settings = Settings(home=home, sources="demo")
    if die_at is not None:
        _die_at(die_at, str(home))
    if small:
        promotion.write_package = write_two_files
    promote(settings, lock(code, at=now), {})


def _die_at(n: int, home: str) -> None:
    touched = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal touched
        if event in TOUCHES and str(arguments[0]).startswith(home):
            touched += 1
            if touched == n:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def write_building(settings: Settings, content: bytes) -> None:
    path = building_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def hidden(settings: Settings) -> list[str]:
    return [path.name for path in settings.releases_dir.glob(".*")]


def assert_whole(settings: Settings) -> Path:
    """Every release there is whole, `current` points to one of them: which one."""
    folders = [path for path in settings.releases_dir.iterdir() if path.name[0] != "." and not path.is_symlink()]
    for folder in folders:
        assert damaged_files(folder) == []
    current = (settings.releases_dir / "current").resolve()
    assert current in folders
    assert current_release(settings) is not None
    return current
