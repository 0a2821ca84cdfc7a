"""All files of a dataset, fetched: what a raw table is read from, and the vintages of which there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dagster_project.settings import Settings
from dagster_project.sources.archive import ArchivedFile
from dagster_project.sources.catalogue import Dataset, SourceFile, Vintage
from dagster_project.sources.fetch import SourceMissing, fetch_file, references

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Received:
    """One source file, fetched, and what its size is compared with."""

    vintage: Vintage
    file: SourceFile
    parts: tuple[ArchivedFile, ...]
    references: tuple[ArchivedFile, ...]


@dataclass(frozen=True)
class Fetched:
    """Every file that could be had, and the vintages that have none."""

    received: list[Received]
    absent: list[Vintage]


def fetch_all(dataset: Dataset, settings: Settings, tell: Progress) -> Fetched:
    """Every file, in the order of the raw table's rows: vintage, then file name.

    Raises:
        SourceMissing: a file is not to be had, of a dataset that may not be absent or of a vintage that is there in
            part: half an edition is a mistake, not an absence.
        FetchError: it could not be fetched.
        ArchiveError: the archive could not keep it.
    """
    received: list[Received] = []
    absent: list[Vintage] = []
    for vintage in sorted(dataset.vintages, key=lambda v: v.vintage):
        missing: list[SourceMissing] = []
        for file in sorted(vintage.files, key=lambda f: f.name):
            tell(f"{dataset.id} {vintage.vintage}: fetching {file.name}")
            try:
                parts = fetch_file(dataset, vintage, file, settings)
            except SourceMissing as error:
                if not dataset.may_lack(vintage, demo=settings.sources == "demo"):
                    raise
                missing.append(error)
                continue
            received.append(Received(vintage, file, parts, references(dataset, vintage, file, parts, settings)))
        if missing and len(missing) < len(vintage.files):
            raise missing[0]
        absent += [vintage] if missing else []
    return Fetched(received, absent)
