"""The bytes that a lock names: as data, taken from the archive that holds them, given again to a run.

`sources` in `build.lock.json` has one entry per source file. A rebuild brings these bytes into its own archive,
each checked against its digest while it is read, and fetches from nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from dagster_project.sources import disk
from dagster_project.sources.archive import Archive, ArchivedFile

_PROBLEMS_SHOWN = 5


class LockedBytesError(RuntimeError):
    """Bytes that a lock names are missing or damaged; the message names dataset, file and digest."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LockedReception(_Strict):
    """What a received file was compared with: the size of other bytes under the same or a neighbouring key."""

    key: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0, description="bytes")
    origin: str = Field(min_length=1)
    fetched_at: str = Field(description="UTC, ISO 8601")

    def received(self, archive: Archive, name: str = "", url: str = "") -> ArchivedFile:
        """The reception as the archive knows it; headers and redirects are not locked."""
        return ArchivedFile(
            **self.model_dump(include=set(LockedReception.model_fields)),
            path=archive.object_path(self.sha256),
            name=name,
            url=url,
            final_url=url,
            headers={},
            unchanged=True,
        )


class LockedPart(LockedReception):
    """One received file, under the name and the address that the archive's log gives it."""

    name: str = Field(min_length=1, description="file name as received, without folders")
    url: str = Field(description="address asked, secrets masked; `demo:` or `mirror:` and a relative path for folders")


class LockedFile(_Strict):
    """One source file of the catalogue: the parts read (several for a shapefile) and what they were compared with."""

    dataset: str
    vintage: str
    file: str
    parts: tuple[LockedPart, ...] = Field(min_length=1)
    references: tuple[LockedReception, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.dataset} {self.vintage}, {self.file}"


_SOURCES = TypeAdapter(tuple[LockedFile, ...])


def lock_sources(manifests: Iterable[dict[str, Any]]) -> tuple[LockedFile, ...]:
    """What raw tables were made of, from their manifests, sorted by dataset, vintage and file."""
    files = [{**_kept(file), "dataset": manifest["dataset"]} for manifest in manifests for file in manifest["files"]]
    return tuple(sorted(_SOURCES.validate_python(files), key=lambda locked: locked.label))


def _kept(file: dict[str, Any]) -> dict[str, Any]:
    return {name: file[name] for name in LockedFile.model_fields if name in file}


@cache
def _by_label(lock: Path) -> dict[tuple[str, str, str], LockedFile]:
    sources = _SOURCES.validate_python(json.loads(lock.read_text(encoding="utf-8"))["sources"])
    return {(locked.dataset, locked.vintage, locked.file): locked for locked in sources}


def locked_file(lock: Path, dataset: str, vintage: str, file: str) -> LockedFile:
    """The entry of one source file; raises LockedBytesError when the lock has none."""
    locked = _by_label(lock).get((dataset, vintage, file))
    if locked is None:
        raise LockedBytesError(
            f"{dataset} {vintage}, {file}: {lock} names no bytes for this file of the catalogue; "
            "rebuild with the code that the lock names"
        )
    return locked


def restore(files: Iterable[LockedFile], source: Path, target: Path, release_id: str) -> int:
    """Bring locked bytes into an archive, under the receptions that the lock records.

    Args:
        files: what the lock names.
        source: archive that holds the bytes; it is only read.
        target: archive to bring them to; the same folder when the home is rebuilt in place.
        release_id: noted in the log of `target`.

    Returns:
        How many bytes were verified.

    Raises:
        LockedBytesError: some are missing or no longer have their digest; nothing was written.
        ArchiveError: `target` cannot be written.
    """
    held, brought = Archive(source), Archive(target)
    named = [(file, part) for file in files for part in file.parts]
    problems = [
        f"{file.label} ({part.name}): {held.root} {problem}" for file, part in named if (problem := _damage(held, part))
    ]
    if problems:
        more = f"\n… {len(problems) - _PROBLEMS_SHOWN} more" if len(problems) > _PROBLEMS_SHOWN else ""
        raise LockedBytesError("\n".join(problems[:_PROBLEMS_SHOWN]) + more)
    for _, part in named:
        if not _has(brought, part):
            entry = part.received(held, part.name, part.url)
            brought.restore(entry, disk.file_chunks(entry.path), restored_from=release_id)
    return sum(part.size for _, part in named)


def _damage(archive: Archive, part: LockedPart) -> str | None:
    path = archive.object_path(part.sha256)
    if not path.is_file():
        return f"has no object {part.sha256}; give the archive that does with --archive"
    found = disk.sha256_of(path)
    if found != part.sha256:
        return f"has the object {part.sha256} with other bytes (their digest is {found}); put back a sound copy"
    return None


def _has(archive: Archive, part: LockedPart) -> bool:
    same = (part.sha256, part.origin, part.fetched_at)
    logged = any((entry.sha256, entry.origin, entry.fetched_at) == same for entry in archive.history(part.key))
    return logged and archive.is_intact(part.sha256)
