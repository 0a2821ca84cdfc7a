"""When each offer was first and last received: every live harvest that the archive holds, played again in order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from dagster_project.sources.clients.snapshot import WHOLE_HEADER, SnapshotError, State, merge
from dagster_project.sources.fetch import file_key, open_archive

if TYPE_CHECKING:
    import pyarrow as pa

    from dagster_project.settings import Settings
    from dagster_project.sources.archive import ArchivedFile
    from dagster_project.sources.catalogue import Dataset

DATASET = "francetravail_offres"
TEXTS = ("offre_id", "departement")
DAYS = ("premiere_vue", "derniere_vue", "disparue_le")


def live_receptions(dataset: Dataset, settings: Settings) -> list[ArchivedFile]:
    """Harvests of the API that the archive holds, oldest first.

    None unless sources are live: the demonstration and a mirror know no yesterday. None in a rebuild: its lock names
    the bytes of one day, and what else the archive may hold must not count.
    """
    if settings.sources != "live" or settings.rebuild_lock:
        return []
    keys = {
        file_key(dataset, vintage, file)
        for vintage in dataset.vintages
        for file in vintage.files
        if file.live.client is not None
    }
    logged = open_archive(settings.archive_dir).history()
    return sorted(
        (entry for entry in logged if entry.key in keys and entry.origin == "live"), key=lambda entry: entry.fetched_at
    )


def reception_facts(receptions: Iterable[ArchivedFile]) -> str:
    """All that the table depends on: bytes, days, and the départements received whole."""
    return json.dumps([(entry.sha256, _day(entry), _whole(entry)) for entry in receptions])


def build_offers_seen(receptions: Iterable[ArchivedFile]) -> pa.Table:
    """One row per offer ever received.

    Args:
        receptions: harvests, oldest first; the day of each is that of its reception (UTC).

    Returns:
        Columns `offre_id` and `departement` (text; null for a whole region or abroad), `premiere_vue`,
        `derniere_vue` and `disparue_le` (dates; the last is null while the offer may be open), sorted by `offre_id`.

    Raises:
        SnapshotError: the archive no longer has the bytes of a harvest, or they are not one.
    """
    import pyarrow as pa

    state = State()
    for entry in receptions:
        state = merge(state, _offers(entry), _whole(entry), _day(entry))
    rows = [
        (identifier, seen.departement, *(_date(getattr(seen, name)) for name in DAYS))
        for identifier, seen in sorted(state.offers.items())
    ]
    schema = pa.schema([*((name, pa.string()) for name in TEXTS), *((name, pa.date32()) for name in DAYS)])
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)


def _offers(entry: ArchivedFile) -> list[dict[str, Any]]:
    label = f"{entry.key}, received {entry.fetched_at} ({entry.path})"
    try:
        content = entry.path.read_bytes()
    except OSError as error:
        raise SnapshotError(f"{label}: cannot be read ({error.strerror}); put the object back from a copy") from error
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise SnapshotError(f"{label}: its bytes have another digest; put a sound copy of the object back")
    try:
        offers: list[dict[str, Any]] = json.loads(content)["resultats"]
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"{label}: not offers, {{'resultats': […]}} ({type(error).__name__}: {error})") from error
    return offers


def _whole(entry: ArchivedFile) -> list[str]:
    """Départements received whole; none when the harvest does not say: then no absence means anything."""
    return [code for code in entry.headers.get(WHOLE_HEADER, "").split(",") if code]


def _day(entry: ArchivedFile) -> str:
    return entry.fetched_at[:10]


def _date(day: str | None) -> date | None:
    return date.fromisoformat(day) if day else None
