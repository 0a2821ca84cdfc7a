"""What can be wrong with a zip (an xlsx is one) before anything is extracted from it. Messages are in French."""

from __future__ import annotations

import fnmatch
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_MEMBERS = 10_000
MAX_TOTAL = 4 << 30
MAX_RATIO = 500  # deflate reaches 1,032 on zeros; INSEE's rows of empty cells, 13
_RATIO_FROM = 10 << 20  # a small member is no threat, whatever its ratio
_CHUNK = 1 << 20
_LONGEST_NAME = 255  # bytes, of what file systems take
_SHOWN = 5
_LARGEST_ENTRY = 512  # bytes of directory per member, more than any real one: a count may lie, a size cannot
_END = b"PK\x05\x06"


class ZipProblemError(Exception):
    """The zip cannot be used; the message says why, in French."""


class UnreadableZipError(ZipProblemError):
    """Not even the directory of the zip can be read."""


@dataclass(frozen=True)
class ZipSummary:
    """What the directory of a zip announces. Sizes are in bytes."""

    members: int
    total: int
    compressed: int


def is_zip(head: bytes) -> bool:
    """Whether a file that begins so claims to be a zip (an empty one included)."""
    return head.startswith((b"PK\x03\x04", _END))


def check_bomb(path: Path) -> ZipSummary:
    """Refuse a zip that would fill memory or disk. Only its directory is read.

    Raises:
        ZipProblemError: too many members, too large once extracted, or a ratio no data file has.
    """
    announced = _announced_members(path)
    if announced > MAX_MEMBERS:
        raise ZipProblemError(f"{announced} membres annoncés, au plus {MAX_MEMBERS} acceptés")
    with opened(path) as archive:
        members = archive.infolist()
    summary = ZipSummary(len(members), sum(m.file_size for m in members), sum(m.compress_size for m in members))
    if summary.members > MAX_MEMBERS:
        raise ZipProblemError(f"{summary.members} membres, au plus {MAX_MEMBERS} acceptés")
    if summary.total > MAX_TOTAL:
        raise ZipProblemError(f"{summary.total} octets une fois extraite, au plus {MAX_TOTAL} acceptés")
    if summary.compressed > path.stat().st_size:
        raise ZipProblemError("ses membres se recouvrent : ils totalisent plus d'octets que l'archive")
    for member in members:
        if member.file_size > max(_RATIO_FROM, MAX_RATIO * member.compress_size):
            ratio = member.file_size // max(1, member.compress_size)
            raise ZipProblemError(
                f"le membre {member.filename!r} est comprimé {ratio} fois, au plus {MAX_RATIO} accepté"
            )
    return summary


def check_names(path: Path) -> int:
    """Refuse member names that would be written outside the folder they are extracted to.

    Returns:
        The number of members.

    Raises:
        ZipProblemError: names the first unsafe member.
    """
    with opened(path) as archive:
        members = archive.infolist()
    for member in members:
        if reason := _unsafe(member):
            raise ZipProblemError(f"le membre {member.orig_filename!r} {reason}")
    return len(members)


def check_layout(path: Path, pattern: str | None) -> str | None:
    """Check that every member can be read and that exactly one is the table.

    Args:
        path: the zip.
        pattern: glob of the member that is read; None when the whole file is (xlsx).

    Returns:
        The name of that member.

    Raises:
        ZipProblemError: truncated, encrypted, duplicate members, false CRC, no or several matching members.
    """
    with opened(path) as archive:
        members = archive.infolist()
        if not members:
            raise ZipProblemError("elle ne contient aucun membre")
        twice = [name for name, count in Counter(member.filename for member in members).items() if count > 1]
        if twice:
            raise ZipProblemError(f"le membre {twice[0]!r} y figure deux fois : on ne sait lequel lire")
        secret = next((member.filename for member in members if member.flag_bits & 0x1), None)
        if secret is not None:
            raise ZipProblemError(
                f"le membre {secret!r} est chiffré ; demander au producteur une version sans mot de passe"
            )
        chosen = matching_member(archive, pattern) if pattern else None
        for member in members:
            _read_through(archive, member)
    return chosen


def matching_member(archive: zipfile.ZipFile, pattern: str) -> str:
    """The only member that a glob matches, on its path or its base name, whatever the case."""
    names = [name for name in archive.namelist() if not name.endswith("/")]
    wanted = pattern.lower()
    found = [n for n in names if any(fnmatch.fnmatchcase(m, wanted) for m in (n.lower(), n.lower().rsplit("/", 1)[-1]))]
    if len(found) == 1:
        return found[0]
    if found:
        raise ZipProblemError(f"plusieurs membres répondent à {pattern!r} : {_listed(found)} ; préciser `member`")
    raise ZipProblemError(f"aucun membre ne répond à {pattern!r} ; elle contient {_listed(names)}")


def member_names(path: Path) -> list[str]:
    """Names of the members, folders apart, in the order of the directory."""
    with opened(path) as archive:
        return [name for name in archive.namelist() if not name.endswith("/")]


def member_chunks(path: Path, member: str) -> Iterator[bytes]:
    """The bytes of one member, extracted as they are read."""
    with opened(path) as archive, archive.open(member) as handle:
        while chunk := handle.read(_CHUNK):
            yield chunk


def member_size(path: Path, member: str) -> int:
    """Size of one member once extracted, in bytes."""
    with opened(path) as archive:
        return archive.getinfo(member).file_size


def is_workbook(path: Path) -> bool:
    """Whether a zip is an Excel workbook (False when its directory cannot be read)."""
    try:
        with opened(path) as archive:
            return {"[Content_Types].xml", "xl/workbook.xml"} <= set(archive.namelist())
    except ZipProblemError:
        return False


def opened(path: Path) -> zipfile.ZipFile:
    """The zip, or UnreadableZipError when its directory cannot be read."""
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, EOFError) as error:
        raise UnreadableZipError(
            f"sa table des matières est illisible ({error}) : archive tronquée ou abîmée pendant le transfert, "
            f"{path.stat().st_size} octets reçus ; la télécharger de nouveau"
        ) from error


def _read_through(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    try:
        with archive.open(member) as handle:
            while handle.read(_CHUNK):
                pass
    except zipfile.BadZipFile as error:
        if "CRC" not in str(error):
            raise ZipProblemError(
                f"le membre {member.filename!r} est abîmé ({error}) ; la télécharger de nouveau"
            ) from error
        raise ZipProblemError(
            f"la somme de contrôle (CRC-32) du membre {member.filename!r} est fausse : ses octets ne sont pas ceux qui "
            "ont été comprimés. Télécharger de nouveau ; si l'erreur demeure, elle vient du producteur (certains "
            "outils, dont unzip, lisent quand même) : extraire à la main, comparer, puis déposer le fichier extrait "
            "dans la boîte de dépôt"
        ) from error
    except (zlib.error, EOFError, OSError) as error:
        raise ZipProblemError(
            f"le membre {member.filename!r} est tronqué ou abîmé ({error}) ; la télécharger de nouveau"
        ) from error
    except (NotImplementedError, RuntimeError) as error:
        raise ZipProblemError(
            f"le membre {member.filename!r} ne peut être lu ({error}) ; demander un zip ordinaire"
        ) from error


def _unsafe(member: zipfile.ZipInfo) -> str | None:
    name = member.orig_filename
    reasons = {
        "a un chemin absolu": name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name),
        "sort du dossier d'extraction (..)": ".." in re.split(r"[/\\]", name),
        "contient une barre oblique inverse": "\\" in name,
        "a un nom vide ou avec un caractère de contrôle": not name or re.search(r"[\x00-\x1f\x7f]", name),
        "a un nom trop long": max(len(part.encode()) for part in name.split("/")) > _LONGEST_NAME,
        "est un lien symbolique": stat.S_ISLNK(member.external_attr >> 16),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _announced_members(path: Path) -> int:
    """Number of members in the end record, read before the directory is (a million of them would fill memory)."""
    with path.open("rb") as handle:
        handle.seek(0, 2)
        handle.seek(max(0, handle.tell() - (1 << 16) - 22))
        tail = handle.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        return 0  # no end record: `opened` says so
    count, directory_size = struct.unpack_from("<HI", tail, at + 10)
    at64 = tail.rfind(b"PK\x06\x06", 0, at)
    if at64 >= 0 and len(tail) >= at64 + 40:
        return int(struct.unpack_from("<Q", tail, at64 + 32)[0])
    return max(int(count), int(directory_size) // _LARGEST_ENTRY)


def _listed(names: list[str]) -> str:
    more = f" et {len(names) - _SHOWN} autres" if len(names) > _SHOWN else ""
    return ", ".join(repr(name) for name in names[:_SHOWN]) + more
