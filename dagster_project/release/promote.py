"""Promotion of a checked build to a release.

    derived/building/ ─▶ releases/.<id>.partial/ ─▶ releases/<id>/ ─▶ releases/current ─▶ warehouse.duckdb

Written aside, synced, read again and only then published: every step is a rename on one file system, and a crash
between any two leaves `current` on a whole release. The warehouse follows last; until it has, the build still waits
(`is_current`), and the next run makes it anew.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dagster_project.identity.lock import LOCK_NAME, BuildLock
from dagster_project.release import verifier_preuve
from dagster_project.release.edition import Edition
from dagster_project.release.errors import ReleaseError
from dagster_project.release.package import write_package
from dagster_project.release.places import CURRENT, building_path
from dagster_project.release.sums import SUMS, damaged_files
from dagster_project.settings import Settings
from dagster_project.sources import disk

CURRENT_ASIDE = ".current.tmp"
# The program that checks the proof of a figure goes with the figures: it needs nothing but Python.
VERIFIER = Path(verifier_preuve.__file__)


def promote(
    settings: Settings,
    lock: BuildLock,
    attachments: Mapping[str, Path],
    *,
    code_versions: Mapping[str, str] | None = None,
) -> Path:
    """Publish the checked build; returns the folder of the release.

    Args:
        settings: where releases live.
        lock: what the release is made of, and its name.
        attachments: further files by their name in the release, such as the quality report.
        code_versions: digest of all that shapes a model, by the model's name.

    Raises:
        ReleaseError: nothing was built, the content is not fit to publish, or the disk refuses the files: `current`
            is then as it was. Or the warehouse could not follow: the message says so.
    """
    building = building_path(settings)
    if not building.exists():
        raise ReleaseError(f"{building} does not exist: run the dbt step before the release")
    release_id, shaping = lock.release_id, lock.settings
    edition = Edition(release_id, lock.built_at, shaping.sources, shaping.territory, shaping.public_base_url)
    releases = settings.releases_dir
    partial = releases / f".{release_id}.partial"
    with _nothing_published(release_id, releases):
        releases.mkdir(parents=True, exist_ok=True)
    with _sole_promotion(releases):
        with _nothing_published(release_id, releases):
            _sweep(releases)
            try:
                _fill(partial, attachments, lock)
                write_package(partial, settings, building, edition, code_versions or {})
                _audit(partial)
                _publish(partial, releases / release_id)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
            _switch(releases, release_id)
        _follow(settings, building, release_id)
    return releases / release_id


@contextmanager
def _nothing_published(release_id: str, releases: Path) -> Iterator[None]:
    """Turn an error of the disk, before the switch, into one a person can act on."""
    import duckdb

    try:
        yield
    except (OSError, duckdb.IOException) as error:
        raise ReleaseError(
            f"release {release_id} not written ({error}); the current release is unchanged. "
            f"Free space or mend the folder {releases}, then run again"
        ) from error


@contextmanager
def _sole_promotion(releases: Path) -> Iterator[None]:
    """One promotion at a time in a folder; the lock goes with the process, however it ends."""
    descriptor = os.open(releases, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ReleaseError(f"another promotion is under way in {releases}; wait for it to end") from error
        yield
    finally:
        os.close(descriptor)


def _sweep(releases: Path) -> None:
    """Remove what killed promotions left: nobody has read it."""
    for path in releases.glob(".*.partial"):
        shutil.rmtree(path)
    (releases / CURRENT_ASIDE).unlink(missing_ok=True)


def _fill(folder: Path, attachments: Mapping[str, Path], lock: BuildLock) -> None:
    """What the release is given, before what it makes: its descriptions list the lot."""
    folder.mkdir()
    for name, source in {**attachments, VERIFIER.name: VERIFIER}.items():
        shutil.copyfile(source, folder / name)
    (folder / LOCK_NAME).write_text(lock.canonical(), encoding="utf-8")


def _audit(folder: Path) -> None:
    """Bytes on the disk, then read again: what is published is what was meant."""
    for path in sorted(folder.iterdir()):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            disk.sync(descriptor)
        finally:
            os.close(descriptor)
    disk.sync_folder(folder)
    damaged = damaged_files(folder)
    if damaged:
        raise ReleaseError(f"{folder.name}: written, but read otherwise: {', '.join(damaged)}. Check this disk")


def _publish(partial: Path, folder: Path) -> None:
    """Give the folder its name. A release of this name may stand there, from a crash before the switch."""
    if folder.exists():
        if (folder / SUMS).read_bytes() != (partial / SUMS).read_bytes() or damaged_files(folder):
            raise ReleaseError(f"{folder} exists with other content: releases do not change. Remove it, or run later")
        return
    disk.rename(partial, folder)
    disk.sync_folder(folder.parent)


def _switch(releases: Path, release_id: str) -> None:
    aside = releases / CURRENT_ASIDE
    try:
        aside.symlink_to(release_id)
        disk.rename(aside, releases / CURRENT)
    finally:
        aside.unlink(missing_ok=True)


def _follow(settings: Settings, building: Path, release_id: str) -> None:
    """The warehouse becomes that of the release, which is published whatever happens here."""
    try:
        disk.sync_folder(settings.releases_dir)
        disk.rename(building, settings.warehouse)
        disk.sync_folder(settings.warehouse.parent)
    except OSError as error:
        raise ReleaseError(
            f"release {release_id} is current, but {settings.warehouse} could not follow ({error}): mend this disk and "
            "run again, it will be built anew"
        ) from error
