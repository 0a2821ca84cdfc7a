"""Where the bytes of a source file come from: the inbox, the demonstration, a mirror or the official address.

A rebuild looks in none of these: it takes the bytes that its lock names, from its own archive.
"""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate
from functools import cache
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

import requests

from dagster_project.settings import Settings
from dagster_project.sources import disk
from dagster_project.sources.archive import Archive, ArchivedFile
from dagster_project.sources.catalogue import Dataset, SourceFile, Vintage
from dagster_project.sources.http import FetchError, download, open_session
from dagster_project.sources.locked import LockedBytesError, locked_file

_UNFINISHED = (".part", ".crdownload", ".download", ".tmp")
_SMALLEST_CEILING = 64 << 20
_NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


class SourceMissing(FetchError):  # noqa: N818  the name is part of the modules' contract
    """There is no way to get this file from here; the message says what a person can do."""


def fetch_file(dataset: Dataset, vintage: Vintage, file: SourceFile, settings: Settings) -> tuple[ArchivedFile, ...]:
    """Bring one source file into the archive.

    A file dropped in the inbox comes first; then the place that `settings.sources` names. The demonstration
    never looks in the inbox: fictitious and real figures must not meet.

    Returns:
        The archived file; for a shapefile in several files, all of them, the .shp first.

    Raises:
        SourceMissing: this place does not have it; the message names the page, the inbox and the file name.
        FetchError: it could not be fetched; `transient` tells whether trying again may help.
        ArchiveError: the archive could not keep it.
    """
    fetcher = _Fetcher(dataset, vintage, file, settings)
    if settings.rebuild_lock:
        return fetcher.from_lock(settings.rebuild_lock)
    if settings.sources == "demo":
        return fetcher.from_folder(settings.demo_mirror, "demo")
    dropped = inbox_files(dataset, file, settings)
    if dropped:
        return fetcher.from_paths([(path, f"inbox:{path.name}") for path in dropped], "inbox")
    if settings.sources == "live":
        return fetcher.from_live()
    return fetcher.from_mirror()


def references(
    dataset: Dataset, vintage: Vintage, file: SourceFile, parts: tuple[ArchivedFile, ...], settings: Settings
) -> tuple[ArchivedFile, ...]:
    """What the size of a fetched file is compared with.

    Returns:
        The last different bytes received under the same key, then the same file of the previous vintage;
        each only where the archive has it, from the same origin. In a rebuild, what the lock says was compared.
    """
    archive, first = open_archive(settings.archive_dir), parts[0]
    if settings.rebuild_lock:
        locked = locked_file(settings.rebuild_lock, dataset.id, vintage.vintage, file.name)
        return tuple(reference.received(archive) for reference in locked.references)
    earlier = [
        entry
        for entry in archive.history(first.key)
        if entry.origin == first.origin and entry.sha256 != first.sha256 and entry.fetched_at <= first.fetched_at
    ]
    found = earlier[-1:]
    before = [other for other in dataset.vintages if other.vintage < vintage.vintage]
    if before and dataset.format != "bundle":  # editions of a bundle need not cover the same place
        neighbour, position = max(before, key=lambda other: other.vintage), vintage.files.index(file)
        if len(neighbour.files) == len(vintage.files):
            last = archive.latest(file_key(dataset, neighbour, neighbour.files[position]), first.origin)
            found += [last] if last is not None else []
    return tuple(found)


def file_key(dataset: Dataset, vintage: Vintage, file: SourceFile, companion: str = "") -> str:
    """Stable key of a file in the archive log.

    `companion` names the other files of a source in several: the suffix (.dbf) in a shapefile, the name in a bundle.
    """
    return f"{dataset.id}/{vintage.vintage}/{file.name}" + (f"/{companion.lstrip('.').lower()}" if companion else "")


@cache
def open_archive(root: Path) -> Archive:
    """One archive per folder and process, so that its log is read once."""
    return Archive(root)


def inbox_files(dataset: Dataset, file: SourceFile, settings: Settings) -> list[Path]:
    """Files a person dropped for this source: `<name>.<suffix>`, or the base name of its mirror or live path.

    Raises:
        FetchError: several files could be meant.
    """
    folder = settings.inbox_dir
    if not folder.is_dir():
        return []
    base_names = {PurePosixPath(path).name.casefold() for path in (file.mirror.paths if file.mirror else ())}
    if dataset.format == "bundle" and len(base_names) > 1:
        base_names = set()  # every timetable has a stops.txt: only one zip of them says whose they are
    if file.live.url:
        base_names.add(PurePosixPath(unquote(urlsplit(file.live.url).path)).name.casefold())
    stem = file.name.casefold()
    found = sorted(
        path
        for path in folder.iterdir()
        if path.is_file()
        and not path.name.startswith((".", "~"))
        and path.suffix.lower() not in _UNFINISHED
        and (path.name.casefold() in base_names or stem in _stems(path))
    )
    if dataset.format == "shapefile":
        main = [path for path in found if path.suffix.lower() in (".shp", ".zip")]
        companions = [path for path in found if path not in main]
        if len(main) == 1:
            return main if main[0].suffix.lower() == ".zip" else main + companions
        if companions and not main:
            raise FetchError(
                f"{folder} holds {companions[0].name} but no .shp; add the other files, or one zip of them"
            )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise FetchError(f"{folder} holds several files for {dataset.id} {file.name}: {names}; leave only one there")
    return found


def _stems(path: Path) -> set[str]:
    """What a dropped file may be called: its name, without its suffix, or without both (.osm.pbf)."""
    name = path.name.casefold()
    return {name, path.stem.casefold(), name.removesuffix(".osm.pbf")}


class _Fetcher:
    """Brings one source file from a given place."""

    def __init__(self, dataset: Dataset, vintage: Vintage, file: SourceFile, settings: Settings) -> None:
        self.dataset, self.vintage, self.file, self.settings = dataset, vintage, file, settings
        self.archive = open_archive(settings.archive_dir)
        # a zip may carry more than the table: the ceiling stops endless bodies, the validation `taille` is exact
        self.max_bytes = max(_SMALLEST_CEILING, 8 * dataset.bytes.maximum)

    def from_lock(self, lock: Path) -> tuple[ArchivedFile, ...]:
        """The bytes of a rebuild: those of the lock, which `restore` brought into this archive."""
        try:
            locked = locked_file(lock, self.dataset.id, self.vintage.vintage, self.file.name)
        except LockedBytesError as error:
            # a lock names no bytes of a dataset that was absent: it is absent again
            lacking = self.dataset.may_lack(self.vintage, demo=self.settings.sources == "demo")
            kind = SourceMissing if lacking else FetchError
            raise kind(str(error)) from error
        for part in locked.parts:
            if not self.archive.is_intact(part.sha256):
                raise FetchError(f"{locked.label}: {self.archive.root} has no sound object {part.sha256}")
        return tuple(part.received(self.archive, part.name, part.url) for part in locked.parts)

    def from_mirror(self) -> tuple[ArchivedFile, ...]:
        place = self.settings.mirror
        if not place:
            raise FetchError("sources=mirror needs a mirror: pass --mirror DIR or set DQ_MIRROR")
        try:
            scheme = urlsplit(place).scheme if "://" in place else ""
        except ValueError as error:
            raise FetchError(f"{place}: not an address ({error}); check --mirror or DQ_MIRROR") from error
        if scheme in ("http", "https"):
            return self._from_http_mirror(place)
        if scheme:
            raise FetchError(f"{place}: a mirror is a folder or an http(s) address, not {scheme}://")
        return self.from_folder(Path(place).expanduser(), "mirror")

    def _from_http_mirror(self, address: str) -> tuple[ArchivedFile, ...]:
        places = [(_joined(address, path), path) for path in self._mirror_paths()]
        try:
            return self._over_http(places, "mirror")
        except FetchError as error:
            if error.status in _NOT_THERE and self.dataset.when_absent != "stop":
                raise self._missing(str(error)) from None
            raise

    def from_live(self) -> tuple[ArchivedFile, ...]:
        if self.file.live.client is not None:
            return (self._through_client(self.file.live.client),)
        if self.file.live.url is None:
            raise self._missing(f"no direct address ({self.file.live.note})")
        try:
            return self._over_http([(self.file.live.url, "")], "live")
        except FetchError as error:
            raise FetchError(f"{self._label()}: {error}. {self._by_hand()}", error.transient) from None

    def _through_client(self, client: str) -> ArchivedFile:
        """A table that an API hands over by pages, archived as one file with the counts of its collection."""
        from dagster_project.sources.clients import api, collect  # needed for these sources only

        if not self.settings.has_francetravail_key:
            raise self._missing(api.NO_KEY)
        try:
            table = collect.collect(client, self.settings)
        except FetchError as error:
            raise FetchError(f"{self._label()}: {error}. {self._by_hand()}", error.transient, error.status) from None
        return self.archive.store(
            [table.content],
            key=file_key(self.dataset, self.vintage, self.file),
            name=f"{self.file.name}.{self.dataset.format}",
            url=table.address,
            final_url=table.address,
            headers=table.notes,
            origin="live",
            max_bytes=self.max_bytes,
        )

    def from_folder(self, folder: Path, origin: str) -> tuple[ArchivedFile, ...]:
        paths = self._mirror_paths()
        if not folder.is_dir():
            raise FetchError(f"{folder}: no such folder; pass the folder that holds the copies with --mirror DIR")
        for path in paths:
            if not (folder / path).is_file():
                raise self._missing(f"{folder} has no {path}")
        return self.from_paths([(folder / path, f"{origin}:{path}") for path in paths], origin)

    def from_paths(self, places: list[tuple[Path, str]], origin: str) -> tuple[ArchivedFile, ...]:
        """Files of this machine, each with the address it is logged under (no folder of this machine in it)."""
        keys = self._keys([path.name for path, _ in places])
        return tuple(self._local(path, url, key, origin) for (path, url), key in zip(places, keys, strict=True))

    def _local(self, path: Path, url: str, key: str, origin: str) -> ArchivedFile:
        """Read a local file again each time (a changed byte must be seen), write it only when it is new."""
        try:
            stat = path.stat()
            if stat.st_size > self.max_bytes:
                raise FetchError(
                    f"{path}: {stat.st_size} bytes, more than the {self.max_bytes} allowed; check the file, "
                    f"or raise bytes.maximum of {self.dataset.id} in the catalogue"
                )
            last, sha256 = self.archive.latest(key, origin), disk.sha256_of(path)
            if last is not None and last.sha256 == sha256 and self.archive.is_intact(sha256):
                return replace(last, unchanged=True)
            return self.archive.store(
                disk.file_chunks(path),
                key=key,
                name=path.name,
                url=url,
                final_url=path.absolute().as_uri(),
                headers={"last-modified": formatdate(stat.st_mtime, usegmt=True)},
                origin=origin,
                max_bytes=self.max_bytes,
            )
        except OSError as error:
            raise FetchError(
                f"{path} cannot be read ({error.strerror or error}); check the file and its rights"
            ) from error

    def _over_http(self, places: list[tuple[str, str]], origin: str) -> tuple[ArchivedFile, ...]:
        keys = self._keys([PurePosixPath(path).name for _, path in places])
        with open_session(self.settings) as session:
            return tuple(self._download(url, key, origin, session) for (url, _), key in zip(places, keys, strict=True))

    def _download(self, url: str, key: str, origin: str, session: requests.Session) -> ArchivedFile:
        return download(url, self.archive, self.settings, session, key=key, origin=origin, max_bytes=self.max_bytes)

    def _keys(self, names: list[str]) -> list[str]:
        """The main file bears the key itself, its companions the key and their suffix, or name in a bundle."""
        whole = self.dataset.format == "bundle"
        companions = ["", *(name if whole else PurePosixPath(name).suffix for name in names[1:])]
        return [file_key(self.dataset, self.vintage, self.file, companion) for companion in companions]

    def _mirror_paths(self) -> tuple[str, ...]:
        if self.file.mirror is None:
            raise self._missing("the catalogue names no copy of it in a mirror")
        return self.file.mirror.paths

    def _missing(self, reason: str) -> SourceMissing:
        return SourceMissing(f"{self._label()}: {reason}. {self._by_hand()}")

    def _label(self) -> str:
        return f"{self.dataset.id} {self.vintage.vintage}, {self.file.name}"

    def _by_hand(self) -> str:
        if self.settings.sources == "demo":
            return f"Delete {self.settings.demo_mirror} and run again"
        where = self.settings.inbox_dir / f"{self.file.name}{self._inbox_suffix()}"
        return f"Get it by hand from {self.dataset.origin.page} and put it at {where}, then run again"

    def _inbox_suffix(self) -> str:
        paths = self.file.mirror.paths if self.file.mirror else ()
        if self.dataset.format == "bundle":
            return PurePosixPath(paths[0]).suffix if len(paths) == 1 else ".zip"
        zipped = self.file.live.member or self.dataset.format == "shapefile"
        return ".zip" if zipped else f".{self.dataset.format}"


def _joined(address: str, path: str) -> str:
    """A mirror path under an http(s) address, whose query (a token) is kept."""
    parts = urlsplit(address)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{quote(path)}").geturl()
