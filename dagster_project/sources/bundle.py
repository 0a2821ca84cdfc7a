"""Bundles: files kept whole for a program that reads them itself (timetables, road networks). Messages are in French.

A bundle is a zip, a few text files of one folder, or a single extract of OpenStreetMap.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from dagster_project.sources import zip_layout
from dagster_project.sources.disk import file_chunks
from dagster_project.sources.formats import Ends, not_json, not_text, seen

TEXTS = (".txt", ".csv", ".geojson", ".json", ".osm")
SUFFIXES = (*TEXTS, ".pbf", ".zip")
# what a timetable cannot do without (GTFS Schedule Reference, "Dataset Files"); the calendar has two forms
_TIMETABLE = ("agency.txt", "stops.txt", "routes.txt", "trips.txt", "stop_times.txt")
_CALENDARS = ("calendar.txt", "calendar_dates.txt")
_PBF = re.compile(rb"\A\x00\x00..\x0a\x09OSMHeader", re.DOTALL)  # length, then the type of the first block
_OSM = re.compile(rb"\A\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.{0,4096}?-->\s*)?<osm\b", re.DOTALL)


def wrong_part(name: str, ends: Ends) -> str | None:
    """What is wrong with the first and last bytes of a part, after its suffix; None when they are as expected."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in SUFFIXES:
        return f"a un suffixe inattendu ; attendu : {', '.join(SUFFIXES)}"
    if suffix == ".zip":
        return None if zip_layout.is_zip(ends.head) else f"n'est pas une archive zip : {seen(ends.head)}"
    if suffix == ".pbf":
        return None if _PBF.match(ends.head) else f"n'est pas un extrait OpenStreetMap (.osm.pbf) : {seen(ends.head)}"
    if suffix == ".osm":
        return _wrong_osm(ends)
    if suffix in (".geojson", ".json"):
        return not_json(suffix.lstrip("."), ends, "utf-8")
    return not_text(suffix, ends, "utf-8")


def missing_members(names: Iterable[str]) -> list[str]:
    """Files that a timetable lacks, among the names of a bundle; none when it is no timetable."""
    found = {PurePosixPath(name).name.lower() for name in names}
    if not found & set(_TIMETABLE):
        return []
    lacking = [name for name in _TIMETABLE if name not in found]
    return lacking + ([] if found & set(_CALENDARS) else [" ou ".join(_CALENDARS)])


def is_text(name: str) -> bool:
    """Whether a member is text, by its suffix."""
    return PurePosixPath(name).suffix.lower() in TEXTS


def members(path: Path, name: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Name and bytes of each member: those of a zip in the order of its directory, or the file itself.

    Raises:
        ZipProblemError: the zip must not be read (see `zip_layout.check_bomb`), or cannot be.
    """
    with path.open("rb") as handle:
        zipped = zip_layout.is_zip(handle.read(4))
    if not zipped:
        yield name, file_chunks(path)
        return
    zip_layout.check_bomb(path)
    zip_layout.check_names(path)
    for member in zip_layout.member_names(path):
        yield member, zip_layout.member_chunks(path, member)


def member_names(parts: Sequence[tuple[Path, str]]) -> list[str]:
    """Names of all the members of all the parts."""
    return [name for path, part in parts for name, _ in members(path, part)]


def _wrong_osm(ends: Ends) -> str | None:
    head = ends.head.removeprefix(codecs.BOM_UTF8)
    if not _OSM.match(head):
        return f"n'est pas un extrait OpenStreetMap (.osm) : {seen(ends.head)}"
    if not ends.tail.rstrip().endswith(b"</osm>"):
        return f"est un extrait OpenStreetMap tronqué : il ne finit pas par </osm> ({ends.size} octets)"
    return None
