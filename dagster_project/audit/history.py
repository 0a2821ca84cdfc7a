"""Releases that a home holds: which, since when, made of what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from dagster_project.identity.lock import LOCK_NAME
from dagster_project.release.errors import ReleaseError

STAMP = "%Y%m%dT%H%M%SZ"
STAMP_LENGTH = 16
LIBRARY = "library "
# Code that does not shape a figure: it checks, describes or publishes. Seeds and corrections are compared as data.
NOT_OF_FIGURES = (
    "corrections/",
    *(f"dagster_project/defs/{name}.py" for name in ("run_page", "checks", "lineage", "lock", "reasons", "release")),
    "dagster_project/identity/",
    "dagster_project/lineage/",
    "dagster_project/audit/",
    "dagster_project/pages/",
    "dagster_project/quality/",
    "dagster_project/release/",
    "dbt_models/tests/",
)


@dataclass(frozen=True)
class Published:
    """A release folder and what it says of its making.

    Attributes:
        path: the folder; its name is the release's.
        build_id: digest of all that it is made of.
        sources_kind: demo, mirror or live.
        territory: france, west or dep:35,44.
        program: digest of each file of code, version of each library, that figures depend on.
    """

    path: Path
    build_id: str
    sources_kind: str
    territory: str
    program: dict[str, str]

    @property
    def release_id(self) -> str:
        return self.path.name

    @property
    def fictitious(self) -> bool:
        return self.sources_kind == "demo"

    @cached_property
    def published_at(self) -> datetime | None:
        """UTC; None when the folder does not bear a release's name."""
        try:
            return datetime.strptime(self.release_id[:STAMP_LENGTH], STAMP).replace(tzinfo=UTC)
        except ValueError:
            return None


def read_published(folder: Path) -> Published:
    """What a release says of its making; raises ReleaseError when the folder is not a release.

    A lock of any version will do: releases of older programs are listed and compared too.
    """
    path = folder / LOCK_NAME
    if not path.is_file():
        raise ReleaseError(f"{folder} is not a release: it has no {LOCK_NAME}; see `dq release list`")
    try:
        lock = json.loads(path.read_text(encoding="utf-8"))
        settings = lock["settings"]
        return Published(folder.resolve(), lock["build_id"], settings["sources"], settings["territory"], _program(lock))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReleaseError(f"{path} cannot be read ({error!r}): take the release from another copy") from error


def _program(lock: dict[str, Any]) -> dict[str, str]:
    files = {name: digest for name, digest in lock["code"]["files"].items() if not name.startswith(NOT_OF_FIGURES)}
    libraries = {f"{LIBRARY}{name}": version for name, version in lock["libraries"].items()}
    return {**files, **libraries, "Python": lock["python"]}


def differing_program(old: Published, new: Published) -> list[str]:
    """Names of the files and libraries that are not the same in the two; empty when the program is one."""
    names = old.program.keys() | new.program.keys()
    return sorted(name for name in names if old.program.get(name) != new.program.get(name))


def published_releases(releases_dir: Path) -> list[Published]:
    """Every whole release of a home, oldest first."""
    if not releases_dir.is_dir():
        return []
    folders = [path for path in releases_dir.iterdir() if path.is_dir() and not path.is_symlink()]
    whole = [path for path in sorted(folders) if not path.name.startswith(".") and (path / LOCK_NAME).is_file()]
    return [read_published(path) for path in whole]


def current_id(releases_dir: Path) -> str | None:
    """Name of the release that readers use; None when there is none."""
    link = releases_dir / "current"
    return link.resolve().name if link.is_symlink() and link.exists() else None


def previous_release(releases_dir: Path, release_id: str) -> Published | None:
    """The release that came just before another one; None when it is the first."""
    earlier = [release for release in published_releases(releases_dir) if release.release_id < release_id]
    return earlier[-1] if earlier else None


def find_release(releases_dir: Path, name: str) -> Published:
    """The release that a person names.

    Args:
        releases_dir: the home's releases.
        name: `current`, `previous` (the one before it), an id or the beginning of one, or a release folder.

    Raises:
        ReleaseError: none or several bear this name.
    """
    if name in {"current", "previous"}:
        return _relative(releases_dir, name)
    known = published_releases(releases_dir)
    matching = [release for release in known if release.release_id.startswith(name)] if name else []
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise ReleaseError(f"{name!r} begins the names of {len(matching)} releases; write more of the one meant")
    if name and Path(name).is_dir():
        return read_published(Path(name))
    ids = ", ".join(release.release_id for release in known) or "none yet: `dq run` publishes the first"
    raise ReleaseError(f"no release {name!r} in {releases_dir} ({ids})")


def _relative(releases_dir: Path, name: str) -> Published:
    current = current_id(releases_dir)
    if current is None:
        raise ReleaseError(f"{releases_dir} has no current release: `dq run` publishes the first")
    if name == "current":
        return read_published(releases_dir / current)
    found = previous_release(releases_dir, current)
    if found is None:
        raise ReleaseError(f"{current} is the first release of {releases_dir}: there is none before it")
    return found
