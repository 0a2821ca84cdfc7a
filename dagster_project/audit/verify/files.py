"""Bytes: those of the archive under the digests they are named after, those of the release under SHA256SUMS."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.audit.release_folder import ReleaseFolder, records
from dagster_project.audit.verify.result import Chapter

if TYPE_CHECKING:
    import duckdb

SUMS = "SHA256SUMS"
SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
DIGEST = re.compile(r"[0-9a-f]{64}")
# Its bytes differ from one writing to the next: it is compared with the Parquet tables, cell by cell.
WITHOUT_DIGEST = {SUMS, "quartiers.duckdb"}
RECEIVED = ("name", "size", "url", "fetched_at", "origin")
_BLOCK = 1 << 20


@dataclass
class _Log:
    """The log of the archive: receptions by digest, and lines that cannot be read."""

    receptions: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    damaged: list[int] = field(default_factory=list)


def verify_sums(release: ReleaseFolder) -> Chapter:
    """Every file of the release is listed in SHA256SUMS, and has the bytes it is listed with."""
    chapter = Chapter(
        "fichiers", "Fichiers de la version", "Chaque fichier a été haché de nouveau et comparé à SHA256SUMS."
    )
    path = release.path / SUMS
    if not path.is_file():
        chapter.found(SUMS, "ce fichier manque : rien ne dit quels octets la version avait")
        return chapter
    listed: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if match := SUM_LINE.fullmatch(line):
            listed[match[2]] = match[1]
        else:
            chapter.found(SUMS, f"la ligne {number} n’est pas « empreinte  nom »")
    present = {file.name for file in release.path.iterdir() if file.is_file()}
    for name, expected in sorted(listed.items()):
        if name not in present:
            chapter.found(name, "ce fichier manque à la version")
        elif (actual := _sha256(release.path / name)) != expected:
            chapter.found(name, f"ce fichier a changé : SHA256SUMS dit {expected}, ses octets ont {actual}")
    for name in sorted(present - listed.keys() - WITHOUT_DIGEST):
        chapter.found(name, "ce fichier n’est pas dans SHA256SUMS : il a été ajouté")
    chapter.counts = {"fichiers": len(listed)}
    return chapter


def verify_archive(connection: duckdb.DuckDBPyConnection, release: ReleaseFolder) -> Chapter:
    """Every object that the release or the archive's log names is there, under the digest it is named after."""
    chapter = Chapter(
        "archive",
        "Archive des sources",
        "Chaque fichier reçu, cité par la version ou par le journal de l’archive, a été haché de nouveau.",
    )
    log = _read_log(release.archive)
    for number in log.damaged:
        chapter.found("log.jsonl", f"la ligne {number} du journal de l’archive est illisible")
    named = _named(connection)
    for sha256, name in sorted({**{sha: _label(lines[-1]) for sha, lines in log.receptions.items()}, **named}.items()):
        _verify_object(release, sha256, name, log, chapter)
    _verify_receptions(connection, log, chapter)
    objects = {path.name for path in (release.archive / "objects").glob("*/*")}
    unlogged = sorted(objects - log.receptions.keys() - named.keys())
    if unlogged:
        chapter.notes.append(
            f"{len(unlogged)} objet(s) de l’archive que ni le journal ni la version ne citent (réception interrompue, "
            f"ou octets mis de côté) : {', '.join(unlogged[:5])}{'…' if unlogged[5:] else ''}"
        )
    chapter.counts = {
        "fichiers cités par la version": len(named),
        "fichiers du journal": len(log.receptions),
    }
    return chapter


def _named(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Objects that the release names, with how to speak of them."""
    rows = records(
        connection,
        "select source_sha256, any_value(name || ' (' || dataset || ', ' || vintage || ')') as label from source_file "
        "group by all union select distinct source_sha256, source_member || ' (' || dataset || ')' "
        "from (select source_sha256, source_member, dataset from lineage union select source_sha256, source_member, "
        "dataset from zone_input) anti join source_file using (source_sha256)",
    )
    return {row["source_sha256"]: row["label"] for row in rows}


def _label(reception: Mapping[str, Any]) -> str:
    return f"{reception.get('name', '?')} ({reception.get('key', '?')})"


def _verify_object(release: ReleaseFolder, sha256: str, name: str, log: _Log, chapter: Chapter) -> None:
    if not DIGEST.fullmatch(sha256):
        chapter.found(name, f"{sha256!r} n’est pas une empreinte SHA-256")
        return
    path = release.object_path(sha256)
    if not path.is_file():
        chapter.found(name, f"l’archive n’a pas l’objet {sha256}")
        return
    actual, size = _sha256(path), path.stat().st_size
    if actual != sha256:
        expected = {line["size"] for line in log.receptions.get(sha256, []) if "size" in line}
        cut = f" ; {size} octets au lieu de {min(expected)}" if expected and size not in expected else ""
        chapter.found(name, f"l’objet d’archive {sha256} est altéré : ses octets ont l’empreinte {actual}{cut}")


def _verify_receptions(connection: duckdb.DuckDBPyConnection, log: _Log, chapter: Chapter) -> None:
    """What the release says of each file is what the archive's log says of its reception."""
    for row in records(connection, "select * from source_file order by dataset, vintage, file, name"):
        lines = log.receptions.get(row["source_sha256"], [])
        subject = f"{row['name']} ({row['dataset']}, {row['vintage']})"
        if not lines:
            chapter.found(subject, "le journal de l’archive ne dit rien de la réception de ce fichier")
        elif not any(all(line.get(name) == row[name] for name in RECEIVED) for line in lines):
            differing = [name for name in RECEIVED if all(line.get(name) != row[name] for line in lines)] or RECEIVED
            said = ", ".join(f"{name} = {row[name]!r}" for name in differing)
            chapter.found(
                subject, f"source_file.parquet et le journal de l’archive ne disent pas la même chose : {said}"
            )


def _read_log(archive: Path) -> _Log:
    log, path = _Log(), archive / "log.jsonl"
    if not path.is_file():
        return log
    for number, line in enumerate(_lines(path), start=1):
        try:
            reception = json.loads(line)
            log.receptions.setdefault(reception["sha256"], []).append(reception)
        except (ValueError, KeyError, TypeError):
            log.damaged.append(number)
    return log


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from (line for line in file if line.strip())


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
