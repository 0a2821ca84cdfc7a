"""Raw tables: fetch, check and read every vintage of a dataset into one Parquet of verbatim text.

`raw/<id>.parquet` is the table, `raw/<id>.rejects.parquet` the rows that could not be read, `raw/<id>.json`
the manifest. They change together or not at all, and only when bytes, catalogue entry or reading code did.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.settings import Settings
from dagster_project.sources import partner
from dagster_project.sources.absence import ABSENT_KEY
from dagster_project.sources.catalogue import Dataset
from dagster_project.sources.code import raw_code_version
from dagster_project.sources.raw_checks import (
    PRESENCE,
    REJECTED_ROWS,
    ROW_COUNT,
    presence_checks,
    rejected_rows,
    row_count,
)
from dagster_project.sources.raw_files import (
    empty_table,
    is_intact,
    load_manifest,
    publish,
    rejects_table,
    union_by_name,
)
from dagster_project.sources.readers import ReadError, ReadResult, read_file
from dagster_project.sources.received import Fetched, Progress, Received, fetch_all
from dagster_project.sources.validation import VALIDATION_NAMES, Validation, validate_file

if TYPE_CHECKING:
    import pyarrow as pa

RAW_VALIDATION_NAMES: tuple[str, ...] = (*VALIDATION_NAMES, ROW_COUNT, REJECTED_ROWS, PRESENCE)

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
        absent: vintages of which there is no file, each with why (`absence` of the catalogue).
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
    absent: dict[str, str]


def build_raw(dataset: Dataset, settings: Settings, *, progress: Progress | None = None) -> RawResult:
    """Bring the raw table of a dataset up to date.

    Raises:
        FetchError: a file could not be fetched (`transient` tells whether trying again may help).
        ArchiveError: the archive could not keep a file.
        RawError: a required check failed, a file cannot be read, too many rows were rejected, or the table
            cannot be written.
    """
    tell = progress or _silent
    fetched = fetch_all(dataset, settings, tell)
    received = fetched.received
    data_version = _data_version(dataset, received, settings)
    manifest = load_manifest(settings.raw_dir / f"{dataset.id}.json")
    if manifest and manifest.get("data_version") == data_version and is_intact(settings.raw_dir, manifest):
        tell(f"{dataset.id}: unchanged, {manifest['rows']} rows")
        return _result(dataset, settings, manifest, changed=False)
    validations = _validate_all(dataset, received)
    _stop_on_failure(dataset, validations)
    results = _read_all(dataset, received, validations, tell)
    validations += _content_checks(dataset, fetched, results, settings)
    _stop_on_failure(dataset, validations)
    identity = {"data_version": data_version, "origin": _origin(settings)}
    return _write(dataset, settings, fetched, results, validations=validations, identity=identity)


def _origin(settings: Settings) -> str:
    return "demo" if settings.sources == "demo" else "real"


def _silent(message: str) -> None:
    """Progress nobody listens to."""


def _data_version(dataset: Dataset, received: Sequence[Received], settings: Settings) -> str:
    content = {
        "origin": _origin(settings),
        "parts": [[r.vintage.vintage, r.file.name, [[p.name, p.sha256] for p in r.parts]] for r in received],
        "code": raw_code_version(dataset),
        # what the file is held against is among what decides whether it may pass
        **({"lists": partner.lists_version(dataset, settings.raw_dir)} if dataset.convention and received else {}),
    }
    return _digest(content)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8")).hexdigest()


def _validate_all(dataset: Dataset, received: Sequence[Received]) -> list[FileValidation]:
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
    dataset: Dataset, received: Sequence[Received], validations: list[FileValidation], tell: Progress
) -> list[ReadResult]:
    results = []
    for r in received:
        tell(f"{dataset.id} {r.vintage.vintage}: reading {r.file.name} ({sum(p.size for p in r.parts) / 1e6:.1f} MB)")
        try:
            results.append(read_file(dataset, r.vintage, r.file, r.parts))
        except ReadError as error:
            raise RawError(str(error), validations) from error
    return results


def _rows_by_vintage(received: Sequence[Received], results: Sequence[ReadResult]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for r, result in zip(received, results, strict=True):
        rows[r.vintage.vintage] = rows.get(r.vintage.vintage, 0) + result.table.num_rows
    return rows


def _content_checks(
    dataset: Dataset, fetched: Fetched, results: Sequence[ReadResult], settings: Settings
) -> list[FileValidation]:
    """What the rows say: how many, how many unreadable, and the terms of the convention where there is one."""
    origin = _origin(settings)
    rows = _rows_by_vintage(fetched.received, results)
    checks = [(vintage, row_count(dataset, vintage, count, origin)) for vintage, count in rows.items()]
    listed = [
        (r.parts[0].name, reject)
        for r, result in zip(fetched.received, results, strict=True)
        for reject in result.rejects
    ]
    checks += [(dataset.id, rejected_rows(dataset, listed)), *presence_checks(dataset, fetched.absent)]
    for r, result in zip(fetched.received, results, strict=True):
        checks += [(r.file.name, check) for check in partner.validate(dataset, result.table, settings.raw_dir)]
    return checks


def _write(
    dataset: Dataset,
    settings: Settings,
    fetched: Fetched,
    results: Sequence[ReadResult],
    *,
    validations: list[FileValidation],
    identity: dict[str, str],
) -> RawResult:
    received = fetched.received
    table = _table(dataset, fetched, results)
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
        "absent": {vintage.vintage: dataset.absence for vintage in fetched.absent},
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


def _table(dataset: Dataset, fetched: Fetched, results: Sequence[ReadResult]) -> pa.Table:
    """Rows of all files; where a vintage is absent, the columns of the catalogue stand even if no file has them."""
    if not fetched.absent:
        return union_by_name([result.table for result in results])
    table = union_by_name([empty_table(dataset), *(result.table for result in results)])
    return table if results else table.replace_schema_metadata({ABSENT_KEY: dataset.absence.encode()})


def _describe(received: Received, result: ReadResult) -> dict[str, Any]:
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
        absent=manifest["absent"],
    )
