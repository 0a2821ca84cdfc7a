"""From archived files to files on disk: as they are, or a member of a zip streamed out of it."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dagster_project.sources.catalogue import Dataset, SourceFile
from dagster_project.sources.readers.base import Part, ReadError

if TYPE_CHECKING:
    from dagster_project.sources.archive import ArchivedFile

_SUFFIX = {
    "csv": ".csv",
    "xlsx": ".xlsx",
    "shapefile": ".shp",
    "geojson": ".geojson",
    "json": ".json",
    "parquet": ".parquet",
}
_COPY_BYTES = 1 << 20


@contextmanager
def open_parts(dataset: Dataset, file: SourceFile, parts: Sequence[ArchivedFile]) -> Iterator[tuple[Part, ...]]:
    """The parts to read, the main one first.

    A member is copied to a temporary file block by block, so that every reader may seek in it without
    holding it in memory; `sha256` stays that of the archived zip, `member` is the name inside it.

    Raises:
        ReadError: no member, or several, answer to the pattern; the zip is damaged.
    """
    if not parts:
        raise ReadError(f"{dataset.id}, {file.name}: no file was received")
    archived = parts[0]
    if not _is_container(archived.path):
        yield tuple(Part(part.path, part.sha256, part.name) for part in parts)
        return
    with tempfile.TemporaryDirectory(prefix="dq-member-") as folder:
        yield _extract(dataset, file, archived, Path(folder))


def _is_container(path: Path) -> bool:
    """A zip, unless it is itself an Excel workbook."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as container:
            return "[Content_Types].xml" not in container.namelist()
    except zipfile.BadZipFile:
        return True  # _extract says what is wrong


def _extract(dataset: Dataset, file: SourceFile, archived: ArchivedFile, folder: Path) -> tuple[Part, ...]:
    try:
        with zipfile.ZipFile(archived.path) as container:
            chosen = _choose(dataset, file, archived, container)
            return tuple(_copy(container, info, archived, folder) for info in chosen)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ReadError(
            f"{dataset.id}, {archived.name}: the zip cannot be read ({error}); fetch it again, or replace it "
            "by a complete copy in the inbox folder"
        ) from error


def _copy(container: zipfile.ZipFile, info: zipfile.ZipInfo, archived: ArchivedFile, folder: Path) -> Part:
    target = folder / f"member{PurePosixPath(info.filename).suffix.lower()}"  # never a name chosen by the zip
    with container.open(info) as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, _COPY_BYTES)
    return Part(target, archived.sha256, info.filename)


def _choose(
    dataset: Dataset, file: SourceFile, archived: ArchivedFile, container: zipfile.ZipFile
) -> list[zipfile.ZipInfo]:
    """The member to read, followed by its companions when it is a shapefile."""
    pattern = _pattern(dataset, file, archived)
    members = [info for info in container.infolist() if not info.is_dir()]
    found = [info for info in members if _matches(info.filename, pattern)]
    if len(found) != 1:
        names = ", ".join(repr(info.filename) for info in members[:20]) or "nothing"
        raise ReadError(
            f"{dataset.id}, {archived.name}: expected one member like {pattern!r} in the zip, found {len(found)}; "
            f"it holds {names}. Set `member` in the catalogue entry of {file.name}"
        )
    if dataset.format != "shapefile":
        return found
    main = PurePosixPath(found[0].filename)
    companions = [
        info
        for info in members
        if info is not found[0]
        and PurePosixPath(info.filename).with_suffix("") == main.with_suffix("")
        and PurePosixPath(info.filename).suffix.lower() in {".dbf", ".shx", ".prj"}
    ]
    return found + companions


def _matches(name: str, pattern: str) -> bool:
    return fnmatch(name.lower(), pattern.lower()) or fnmatch(PurePosixPath(name).name.lower(), pattern.lower())


def _pattern(dataset: Dataset, file: SourceFile, archived: ArchivedFile) -> str:
    of_mirror = file.mirror.member if file.mirror else None
    declared = (of_mirror, file.live.member) if archived.origin in ("mirror", "demo") else (file.live.member, of_mirror)
    return next((pattern for pattern in declared if pattern), f"*{_SUFFIX[dataset.format]}")
