"""From archived files to files on disk: as they are, or a member of a zip streamed out of it."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dagster_project.sources import formats, zip_layout
from dagster_project.sources.catalogue import Dataset, SourceFile
from dagster_project.sources.readers.base import Part, ReadError

if TYPE_CHECKING:
    from dagster_project.sources.archive import ArchivedFile

_COPY_BYTES = 1 << 20


@contextmanager
def open_parts(dataset: Dataset, file: SourceFile, parts: Sequence[ArchivedFile]) -> Iterator[tuple[Part, ...]]:
    """The parts to read, the main one first; those of a bundle as they are, its reader goes through the zip.

    A member is copied to a temporary file block by block, so that every reader may seek in it without
    holding it in memory; `sha256` stays that of the archived zip, `member` is the name inside it.

    Raises:
        ReadError: no member, or several, answer to the pattern; the zip is damaged.
    """
    if not parts:
        raise ReadError(f"{dataset.id}, {file.name}: no file was received")
    archived = parts[0]
    if dataset.format == "bundle" or not _is_container(archived.path):
        yield tuple(Part(part.path, part.sha256, part.name) for part in parts)
        return
    with tempfile.TemporaryDirectory(prefix="dq-member-") as folder:
        yield _extract(dataset, file, archived, Path(folder))


def _is_container(path: Path) -> bool:
    """A zip, unless it is itself an Excel workbook."""
    with path.open("rb") as handle:
        head = handle.read(4)
    return zip_layout.is_zip(head) and not zip_layout.is_workbook(path)


def _extract(dataset: Dataset, file: SourceFile, archived: ArchivedFile, folder: Path) -> tuple[Part, ...]:
    try:
        with zipfile.ZipFile(archived.path) as container:
            chosen = _choose(dataset, file, archived, container)
            return tuple(_copy(container, info, archived, folder) for info in chosen)
    except zip_layout.ZipProblemError as error:
        raise ReadError(
            f"{dataset.id}, {archived.name}: {error}. Set `member` in the catalogue entry of {file.name}"
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
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
    members = [info for info in container.infolist() if not info.is_dir()]
    name = zip_layout.matching_member(container, _pattern(dataset, file, archived))
    found = [info for info in members if info.filename == name][:1]
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


def _pattern(dataset: Dataset, file: SourceFile, archived: ArchivedFile) -> str:
    of_mirror = file.mirror.member if file.mirror else None
    declared = (of_mirror, file.live.member) if archived.origin in ("mirror", "demo") else (file.live.member, of_mirror)
    return next((pattern for pattern in declared if pattern), f"*{formats.SUFFIXES[dataset.format]}")
