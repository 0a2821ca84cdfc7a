"""Raw tables: fetch, check and read every vintage of a dataset into one Parquet of verbatim text.

`raw/<id>.parquet` is the table, `raw/<id>.rejects.parquet` the rows that could not be read, `raw/<id>.json`
the manifest. They change together or not at all, and only when bytes, catalogue entry or reading code did.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dagster_project.settings import Settings
from dagster_project.sources.archive import ArchivedFile
from dagster_project.sources.catalogue import Dataset, SourceFile, Vintage
from dagster_project.sources.code import raw_code_version
from dagster_project.sources.fetch import fetch_file, references
from dagster_project.sources.raw_files import (
    is_intact,
    load_manifest,
    publish,
    rejects_table,
    union_by_name,
)
from dagster_project.sources.readers import ReadError, ReadResult, read_file
from dagster_project.sources.validation import VALIDATION_NAMES, Validation, validate_file

ROW_COUNT = "nombre_lignes"
REJECTED_ROWS = "lignes_rejetees"
RAW_VALIDATION_NAMES: tuple[str, ...] = (*VALIDATION_NAMES, ROW_COUNT, REJECTED_ROWS)

_REJECTS_SHOWN = 5
Progress = Callable[[str], None]
FileValidation = tuple[str, Validation]


class RawError(RuntimeError):
    """A raw table cannot be built. The previous one is as it was.

    Attributes:
        validations: every check that ran, with the name of the file (or vintage, or dataset) it is about.
    """

    def __init__(self, message: str, validations: Sequence[FileValidation]) -> None:
        super().__init__(message)
        self.validations = list(validations)


@dataclass(frozen=True)
class RawResult:
    """A raw table, built or found up to date.

    Attributes:
        data_version: digest of the source bytes, the catalogue entry and the reading code: what it is made from.
        content_version: digest of the rows and of the rejects: what came of it.
        rows: rows of all vintages; `vintages` gives them by vintage.
        files: one entry per source file: what was received, its original header, rows and rejects.
        validations: (file, vintage or dataset it is about, result).
        changed: False when nothing had to be read again.
    """

    dataset_id: str
    path: Path
    data_version: str
    content_version: str
    rows: int
    rejects: int
    columns: list[str]
    files: list[dict[str, Any]]
    validations: list[FileValidation]
    changed: bool
    vintages: dict[str, int]
    origin: str


@dataclass(frozen=True)
class _Received:
    """One source file, fetched, and what its size is compared with."""

    vintage: Vintage
    file: SourceFile
    parts: tuple[ArchivedFile, ...]
    references: tuple[ArchivedFile, ...]


def build_raw(dataset: Dataset, settings: Settings, *, progress: Progress | None = None) -> RawResult:
    """Bring the raw table of a dataset up to date.

    Raises:
        FetchError: a file could not be fetched (`transient` tells whether trying again may help).
        ArchiveError: the archive could not keep a file.
        RawError: a required check failed, a file cannot be read, too many rows were rejected, or the table
            cannot be written.
    """
    tell = progress or _silent
    origin = "demo" if settings.sources == "demo" else "real"
    received = _fetch_all(dataset, settings, tell)
    data_version = _data_version(dataset, received, origin)
    manifest = load_manifest(settings.raw_dir / f"{dataset.id}.json")
    if manifest and manifest.get("data_version") == data_version and is_intact(settings.raw_dir, manifest):
        tell(f"{dataset.id}: unchanged, {manifest['rows']} rows")
        return _result(dataset, settings, manifest, changed=False)
    validations = _validate_all(dataset, received)
    _stop_on_failure(dataset, validations)
    results = _read_all(dataset, received, validations, tell)
    validations += _count_checks(dataset, received, results, origin)
    _stop_on_failure(dataset, validations)
    identity = {"data_version": data_version, "origin": origin}
    return _write(dataset, settings, received, results, validations=validations, identity=identity)


def _silent(message: str) -> None:
    """Progress nobody listens to."""


def _fetch_all(dataset: Dataset, settings: Settings, tell: Progress) -> list[_Received]:
    """Every file, in the order of the raw table's rows: vintage, then file name."""
    received = []
    for vintage in sorted(dataset.vintages, key=lambda v: v.vintage):
        for file in sorted(vintage.files, key=lambda f: f.name):
            tell(f"{dataset.id} {vintage.vintage}: fetching {file.name}")
            parts = fetch_file(dataset, vintage, file, settings)
            received.append(_Received(vintage, file, parts, references(dataset, vintage, file, parts, settings)))
    return received


def _data_version(dataset: Dataset, received: Sequence[_Received], origin: str) -> str:
    content = {
        "origin": origin,
        "parts": [[r.vintage.vintage, r.file.name, [[p.name, p.sha256] for p in r.parts]] for r in received],
        "code": raw_code_version(dataset),
    }
    return _digest(content)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8")).hexdigest()


def _validate_all(dataset: Dataset, received: Sequence[_Received]) -> list[FileValidation]:
    return [
        (r.file.name, validation)
        for r in received
        for validation in validate_file(dataset, r.vintage, r.file, r.parts, r.references)
    ]


def _stop_on_failure(dataset: Dataset, validations: list[FileValidation]) -> None:
    failed = [(where, check) for where, check in validations if check.required and not check.passed]
    if failed:
        lines = "\n".join(f"  - {where} [{check.name}] {check.message}" for where, check in failed)
        raise RawError(f"{dataset.id}: {len(failed)} required check(s) failed\n{lines}", validations)


def _read_all(
    dataset: Dataset, received: Sequence[_Received], validations: list[FileValidation], tell: Progress
) -> list[ReadResult]:
    results = []
    for r in received:
        tell(f"{dataset.id} {r.vintage.vintage}: reading {r.file.name} ({sum(p.size for p in r.parts) / 1e6:.1f} MB)")
        try:
            results.append(read_file(dataset, r.vintage, r.file, r.parts))
        except ReadError as error:
            raise RawError(str(error), validations) from error
    return results


def _rows_by_vintage(received: Sequence[_Received], results: Sequence[ReadResult]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for r, result in zip(received, results, strict=True):
        rows[r.vintage.vintage] = rows.get(r.vintage.vintage, 0) + result.table.num_rows
    return rows


def _count_checks(
    dataset: Dataset, received: Sequence[_Received], results: Sequence[ReadResult], origin: str
) -> list[FileValidation]:
    checks = [
        (vintage, _row_count(dataset, vintage, count, origin))
        for vintage, count in _rows_by_vintage(received, results).items()
    ]
    return [*checks, (dataset.id, _rejected_rows(dataset, received, results))]


def _row_count(dataset: Dataset, vintage: str, count: int, origin: str) -> Validation:
    low, high = dataset.rows.minimum, dataset.rows.maximum
    details: dict[str, str | int | float] = {"lignes": count, "minimum": low, "maximum": high}
    if origin == "demo":
        message = f"{count} lignes ; bornes non appliquées au territoire de démonstration"
        return Validation(ROW_COUNT, True, True, message, details)
    passed = low <= count <= high
    message = f"millésime {vintage} : {count} lignes, attendu entre {low} et {high}"
    if not passed:
        message += (
            " ; comparer le fichier à celui de la page du producteur, ou corriger `rows` dans le catalogue"
            f" ({dataset.id}) si la table a vraiment changé de taille"
        )
    return Validation(ROW_COUNT, passed, True, message, details)


def _rejected_rows(dataset: Dataset, received: Sequence[_Received], results: Sequence[ReadResult]) -> Validation:
    listed = [(r, reject) for r, result in zip(received, results, strict=True) for reject in result.rejects]
    tolerated = dataset.rejects_tolerated
    message = f"{len(listed)} ligne(s) illisible(s), {tolerated} tolérée(s)"
    if listed:
        shown = [f"{r.parts[0].name} ligne {reject.row} : {reject.reason}" for r, reject in listed[:_REJECTS_SHOWN]]
        message += " — " + " ; ".join(shown) + (" ; …" if len(listed) > _REJECTS_SHOWN else "")
    passed = len(listed) <= tolerated
    if not passed:
        message += (
            ". Corriger l'encodage ou le séparateur dans le catalogue, ou relever `rejects_tolerated` en le motivant"
        )
    return Validation(REJECTED_ROWS, passed, True, message, {"rejets": len(listed), "toleres": tolerated})


def _write(
    dataset: Dataset,
    settings: Settings,
    received: Sequence[_Received],
    results: Sequence[ReadResult],
    *,
    validations: list[FileValidation],
    identity: dict[str, str],
) -> RawResult:
    table = union_by_name([result.table for result in results])
    rejected = [
        (r.vintage.vintage, r.file.name, r.parts[0].sha256, r.parts[0].name, reject.row, reject.reason, reject.content)
        for r, result in zip(received, results, strict=True)
        for reject in result.rejects
    ]
    manifest = {
        "dataset": dataset.id,
        **identity,
        "rows": table.num_rows,
        "rejects": len(rejected),
        "columns": table.column_names,
        "vintages": _rows_by_vintage(received, results),
        "files": [_describe(r, result) for r, result in zip(received, results, strict=True)],
        "validations": [{"file": where, **asdict(validation)} for where, validation in validations],
    }
    outputs = {f"{dataset.id}.parquet": table, f"{dataset.id}.rejects.parquet": rejects_table(rejected)}
    try:
        written = publish(settings.raw_dir, outputs, f"{dataset.id}.json", manifest)
    except OSError as error:
        raise RawError(
            f"{dataset.id}: cannot write to {settings.raw_dir} ({error.strerror or error}); free some space or check "
            "the rights of this folder, then run again",
            validations,
        ) from error
    return _result(dataset, settings, written, changed=True)


def _describe(received: _Received, result: ReadResult) -> dict[str, Any]:
    compared = ("key", "sha256", "size", "fetched_at", "origin")
    kept = ("name", "url", *compared)
    return {
        "vintage": received.vintage.vintage,
        "file": received.file.name,
        "parts": [{name: getattr(part, name) for name in kept} for part in received.parts],
        "references": [{name: getattr(part, name) for name in compared} for part in received.references],
        "header": list(result.header),
        "rows": result.table.num_rows,
        "rejects": len(result.rejects),
    }


def _result(dataset: Dataset, settings: Settings, manifest: dict[str, Any], *, changed: bool) -> RawResult:
    validations = [
        (entry["file"], Validation(**{name: value for name, value in entry.items() if name != "file"}))
        for entry in manifest["validations"]
    ]
    return RawResult(
        dataset_id=dataset.id,
        path=settings.raw_dir / f"{dataset.id}.parquet",
        data_version=manifest["data_version"],
        content_version=_digest(manifest["outputs"]),
        rows=manifest["rows"],
        rejects=manifest["rejects"],
        columns=manifest["columns"],
        files=manifest["files"],
        validations=validations,
        changed=changed,
        vintages=manifest["vintages"],
        origin=manifest["origin"],
    )
