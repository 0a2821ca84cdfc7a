"""What the archive holds against what the catalogue asks for: `dq sources check` and `dq sources status`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from dagster_project.settings import Settings
from dagster_project.sources.absence import absence_reason
from dagster_project.sources.archive import Archive
from dagster_project.sources.catalogue import Dataset, SourceFile, Vintage, load_catalogue
from dagster_project.sources.fetch import SourceMissing, fetch_file
from dagster_project.sources.http import FetchError
from dagster_project.sources.presence import absent_vintages
from dagster_project.sources.validation import validate_file

Row = dict[str, str]


def check_sources(settings: Settings, progress: Callable[[str], None]) -> list[Row]:
    """Fetch and validate every file of the catalogue: new, unchanged, refused (with the reason), absent.

    A file that may be absent (`when_absent`) is not missing: its state is `convention` or `non_couvert`.
    """
    rows = []
    for dataset in load_catalogue().values():
        progress(dataset.id)
        rows += [_check(dataset, vintage, file, settings) for vintage in dataset.vintages for file in vintage.files]
    return rows


def _check(dataset: Dataset, vintage: Vintage, file: SourceFile, settings: Settings) -> Row:
    label = f"{dataset.id}/{vintage.vintage}/{file.name}"
    try:
        parts = fetch_file(dataset, vintage, file, settings)
    except SourceMissing as error:
        if not dataset.may_lack(vintage, demo=settings.sources == "demo"):
            return {"file": label, "state": "absent", "detail": str(error)}
        return {"file": label, "state": dataset.absence, "detail": absence_reason(dataset, vintage)}
    except FetchError as error:
        return {"file": label, "state": "absent", "detail": str(error)}
    failed = [v for v in validate_file(dataset, vintage, file, parts, None) if not v.passed]
    if any(validation.required for validation in failed):
        return {"file": label, "state": "refused", "detail": " ; ".join(v.message for v in failed)}
    state = "unchanged" if all(part.unchanged for part in parts) else "new"
    return {"file": label, "state": state, "detail": " ; ".join(v.message for v in failed) or parts[0].sha256[:12]}


def source_status(settings: Settings, now: datetime | None = None) -> list[Row]:
    """One row per dataset: present, partial, absent, never fetched or late against the producer's rhythm."""
    archive = Archive(settings.archive_dir)
    moment = now or datetime.now(UTC)
    absent: dict[str, list[str]] = {}
    for dataset, vintage in absent_vintages(settings):
        absent.setdefault(dataset.id, []).append(absence_reason(dataset, vintage))
    return [
        _absent(dataset, absent[dataset.id])
        if dataset.id in absent
        else _status(dataset, archive, settings.sources, moment)
        for dataset in load_catalogue().values()
    ]


def _absent(dataset: Dataset, reasons: list[str]) -> Row:
    state = f"absent ({dataset.absence})"
    return {"dataset": dataset.id, "state": state, "last_fetched": "", "detail": " ; ".join(reasons)}


def _status(dataset: Dataset, archive: Archive, origin: str, now: datetime) -> Row:
    keys = [f"{dataset.id}/{v.vintage}/{file.name}" for v in dataset.vintages for file in v.files]
    found = [entry for key in keys if (entry := archive.latest(key, origin))]
    last = max((entry.fetched_at for entry in found), default="")
    newest = max(int(vintage.vintage) for vintage in dataset.vintages)
    due = datetime(newest, 12, 31, tzinfo=UTC) + timedelta(days=dataset.rhythm_days * 2)
    state = "present" if len(found) == len(keys) else "partial" if found else "never fetched"
    detail = f"{len(found)}/{len(keys)} fichiers"
    if now > due:
        detail += f" ; un millésime postérieur à {newest} est attendu"
    return {"dataset": dataset.id, "state": state, "last_fetched": last, "detail": detail}
