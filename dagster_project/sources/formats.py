"""How files of each format begin and end, and whether their text decodes. Messages are in French."""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dagster_project.sources.catalogue import Dataset
from dagster_project.sources.disk import file_chunks

SUFFIXES = {
    "csv": ".csv",
    "xlsx": ".xlsx",
    "shapefile": ".shp",
    "geojson": ".geojson",
    "json": ".json",
    "parquet": ".parquet",
    "bundle": ".zip",  # or the suffix of a single part: see `bundle`
}
_KEPT = 1 << 16
_HTML = re.compile(
    # atomic groups: a hostile file of many comments must not make the search exponential
    rb"(?>\s+|<!--(?>.*?-->)|<\?xml[^>]*>)*+<(?:!doctype\s+html|html|head|body|script|title|meta)\b",
    re.IGNORECASE | re.DOTALL,
)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_OTHERS = {
    b"PK\x03\x04": "une archive zip",
    b"\x1f\x8b": "un fichier gzip",
    b"%PDF": "un PDF",
    b"\xd0\xcf\x11\xe0": "un ancien classeur Excel (.xls) ou un classeur protégé par mot de passe",
    b"PAR1": "un fichier Parquet",
    b"7z\xbc\xaf": "une archive 7z",
    b"Rar!": "une archive RAR",
    b"\x00\x00\x27\x0a": "un shapefile",
}
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SINGLE_BYTE = ("cp1252", "iso8859-1", "iso8859-15")
_SHP_HEADER, _DBF_HEADER = 100, 32  # bytes
_NULS_TOLERATED = 8  # a stray NUL in text is for `undecodable`, which names its line
_NO_BREAKS = bytes.maketrans(b"\0\n", b"  ")
_DBF_VERSIONS = {0x02, 0x03, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8B, 0x8C, 0xCB, 0xF5, 0xFB}


@dataclass(frozen=True)
class Ends:
    """The first and last bytes of a file, and its size."""

    head: bytes
    tail: bytes
    size: int

    @classmethod
    def of(cls, chunks: Iterable[bytes]) -> Ends:
        """From a stream, read to its end."""
        head, tail, size = b"", b"", 0
        for chunk in chunks:
            if len(head) < _KEPT:
                head = (head + chunk)[:_KEPT]
            tail = (tail + chunk)[-_KEPT:]
            size += len(chunk)
        return cls(head, tail, size)

    @classmethod
    def of_file(cls, path: Path) -> Ends:
        """From a file, whose middle is not read."""
        with path.open("rb") as handle:
            head = handle.read(_KEPT)
            size = handle.seek(0, 2)
            handle.seek(max(0, size - _KEPT))
            return cls(head, handle.read(), size)


@dataclass(frozen=True)
class TextProblem:
    """Where a text does not decode: byte offset from 0, line from 1 (record, for a dbf)."""

    message: str
    offset: int
    line: int


def suffix_of(name: str) -> str:
    """Lower-case suffix of a file or member name, with its dot."""
    return PurePosixPath(name).suffix.lower()


def web_page_title(head: bytes) -> str | None:
    """Title of a web page; None when the bytes are not the beginning of one."""
    if not _HTML.match(head.removeprefix(codecs.BOM_UTF8)):
        return None
    found = _TITLE.search(head)
    return (" ".join(found[1].decode("utf-8", "replace").split())[:120] if found else "") or "sans titre"


def wrong_signature(kind: str, suffix: str, ends: Ends, dataset: Dataset) -> str | None:
    """What is wrong with the first and last bytes of a file; None when they are as expected.

    Args:
        kind: format in the catalogue.
        suffix: which file of a shapefile this is.
        ends: what the file begins and ends with.
        dataset: whose declared encoding text is held to.
    """
    if kind == "shapefile":
        return _wrong_shapefile(suffix, ends)
    expected = {"xlsx": b"PK\x03\x04", "parquet": b"PAR1"}.get(kind)
    if expected is None:
        return (not_text if kind == "csv" else not_json)(kind, ends, dataset.encoding)
    if not ends.head.startswith(expected):
        return f"n'est pas un fichier {kind} : {seen(ends.head)}"
    if kind == "parquet" and not ends.tail.endswith(b"PAR1"):
        return f"est un fichier Parquet tronqué ({ends.size} octets, sans fin de fichier)"
    return None


def undecodable(chunks: Iterable[bytes], encoding: str, first_line: int = 1) -> TextProblem | None:
    """The first place where a text does not decode in the declared encoding, or holds a NUL byte."""
    decoder, utf8 = codecs.getincrementaldecoder(encoding)(), codecs.getincrementaldecoder("utf-8")()
    name = codecs.lookup(encoding).name
    perhaps_utf8, ascii_only = name in _SINGLE_BYTE, True
    position, line, pending = 0, first_line, b""  # absolute offset and line of the first pending byte
    for chunk in _then_end(chunks):
        block = pending + chunk
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            at = len(block) - len(error.object) + error.start
            return _text_problem(block, at, position, line, encoding)
        if not name.startswith(("utf-16", "utf-32")) and (at := block.find(b"\0")) >= 0:
            found = line + block[:at].count(b"\n")
            message = f"contient un octet nul (position {position + at}, ligne {found}) : texte abîmé."
            return TextProblem(message, position + at, found)
        ascii_only = ascii_only and chunk.isascii()
        perhaps_utf8 = perhaps_utf8 and _decodes(utf8, chunk)
        done = len(block) - len(decoder.getstate()[0])
        line += block[:done].count(b"\n")
        position, pending = position + done, block[done:]
    if perhaps_utf8 and not ascii_only:
        return TextProblem(
            f"est en UTF-8 alors que le catalogue le déclare en {encoding} : ses accents seraient abîmés. Corriger "
            "`encoding` au catalogue.",
            0,
            first_line,
        )
    return None


def text_chunks(path: Path, kind: str) -> Iterator[bytes]:
    """The text of a file: all of it or, of a dbf, blanks for its header then one line per record.

    Offsets stay those of the file: each record's deletion flag becomes the line feed before it.
    """
    if kind != "shapefile":
        yield from file_chunks(path)
        return
    with path.open("rb") as handle:
        header = handle.read(_DBF_HEADER)
        if len(header) < _DBF_HEADER:
            return
        start, length = struct.unpack("<HH", header[8:12])
        handle.seek(start)
        yield b" " * start
        while length and len(record := handle.read(length)) == length:
            yield b"\n" + record[1:].translate(_NO_BREAKS)


def _then_end(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks without empty ones, then an empty one that says that the text is over."""
    yield from (chunk for chunk in chunks if chunk)
    yield b""


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk, final=not chunk)
    except UnicodeDecodeError:
        return False
    return True


def _text_problem(block: bytes, at: int, base: int, line: int, encoding: str) -> TextProblem:
    found = line + block[:at].count(b"\n")
    byte = block[at : at + 1]
    hint = ""
    if encoding.lower().startswith("utf"):
        guess = byte.decode("cp1252", "replace")
        hint = f" (« {guess} » en cp1252 : si le reste se lit ainsi, corriger `encoding` au catalogue)"
    return TextProblem(
        f"ne se décode pas en {encoding} : octet 0x{byte.hex().upper()} à la position {base + at}, ligne {found}"
        f"{hint}.",
        base + at,
        found,
    )


def not_text(kind: str, ends: Ends, encoding: str) -> str | None:
    """Why a file cannot be text in the declared encoding; None when its first bytes are those of one."""
    for bom, name in _BOMS.items():
        if ends.head.startswith(bom) and not encoding.lower().startswith("utf-16"):
            return f"est en {name.upper()} alors que le catalogue le déclare en {encoding}"
    if any(ends.head.startswith(magic) for magic in _OTHERS) or _binary(ends.head, encoding):
        return f"n'est pas un fichier {kind} : {seen(ends.head)}"
    return None


def not_json(kind: str, ends: Ends, encoding: str) -> str | None:
    """Why a file cannot be JSON (an object only, for geojson), or is truncated; None when it seems whole."""
    if problem := not_text(kind, ends, encoding):
        return problem
    start, end = ends.head.removeprefix(codecs.BOM_UTF8).lstrip()[:1], ends.tail.rstrip()[-1:]
    wanted = {b"{": b"}"} if kind == "geojson" else {b"{": b"}", b"[": b"]"}
    if start not in wanted:
        return f"n'est pas un fichier {kind} : il commence par {start.decode('utf-8', 'replace')!r}"
    if end != wanted[start]:
        return f"est un fichier {kind} tronqué : il ne finit pas par {wanted[start].decode()!r} ({ends.size} octets)"
    return None


def _wrong_shapefile(suffix: str, ends: Ends) -> str | None:
    if suffix in (".shp", ".shx"):
        if len(ends.head) < _SHP_HEADER or not ends.head.startswith(b"\x00\x00\x27\x0a"):
            return f"n'est pas un {suffix} de shapefile : {seen(ends.head)}"
        announced = 2 * int(struct.unpack(">I", ends.head[24:28])[0])  # counted in 16-bit words
        if announced != ends.size:
            return f"annonce {announced} octets mais en compte {ends.size} : fichier tronqué ou abîmé"
    if suffix == ".dbf":
        if len(ends.head) < _DBF_HEADER or ends.head[0] not in _DBF_VERSIONS:
            return f"n'est pas un .dbf de shapefile : {seen(ends.head)}"
        records, start, length = struct.unpack("<IHH", ends.head[4:12])
        if ends.size < start + records * length:
            expected = start + records * length
            return f"annonce {records} lignes, soit {expected} octets, mais en compte {ends.size} : tronqué"
    if suffix == ".prj" and not re.match(rb"\s*(PROJ|GEOG|BOUND|COMPD)", ends.head, re.IGNORECASE):
        return f"ne décrit pas un système de coordonnées : {seen(ends.head)}"
    return None


def _binary(head: bytes, encoding: str) -> bool:
    return not encoding.lower().startswith(("utf-16", "utf-32")) and head[:512].count(0) > _NULS_TOLERATED


def seen(head: bytes) -> str:
    """What the first bytes look like."""
    known = next((name for magic, name in _OTHERS.items() if head.startswith(magic)), None)
    return f"c'est {known}" if known else f"il commence par les octets {head[:8].hex(' ')}"
