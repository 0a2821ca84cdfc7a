"""The archived bytes of networks and timetables: which files a run received, and where they are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dagster_project.sources.archive import Archive
from dagster_project.sources.catalogue import Dataset

# How the catalogue names datasets of each kind.
STREETS, TIMETABLES = "osm_", "_gtfs"


@dataclass(frozen=True)
class Bundle:
    """One file of a vintage, as received: a zip, an extract, or the text files of a feed.

    Attributes:
        dataset, vintage, file: of the catalogue.
        parts: name, sha256 and place of each part.
    """

    dataset: str
    vintage: str
    file: str
    parts: tuple[tuple[str, str, Path], ...]

    @property
    def name(self) -> str:
        """How messages and identifiers call it."""
        return f"{self.dataset if self.is_timetable else self.file}_{self.vintage}"

    @property
    def is_timetable(self) -> bool:
        """Whether it is a feed; the others are street networks."""
        return self.dataset.endswith(TIMETABLES)

    @property
    def digest(self) -> str:
        """Everything that its content depends on."""
        return "+".join(sha256 for _, sha256, _ in self.parts)


def road_datasets(catalogue: Iterable[Dataset]) -> tuple[str, ...]:
    """Datasets of the catalogue that hold street networks."""
    return tuple(dataset.id for dataset in catalogue if dataset.format == "bundle" and dataset.id.startswith(STREETS))


def transit_datasets(catalogue: Iterable[Dataset]) -> tuple[str, ...]:
    """Datasets of the catalogue that hold timetables."""
    return tuple(dataset.id for dataset in catalogue if dataset.format == "bundle" and dataset.id.endswith(TIMETABLES))


def received_bundles(raw_dir: Path, archive_dir: Path, datasets: Iterable[str]) -> list[Bundle]:
    """What the raw tables of these datasets were made from, newest vintage first within a dataset.

    Args:
        raw_dir: folder of raw tables, whose manifests tell what was received.
        archive_dir: folder of the archive.
        datasets: identifiers of the catalogue.
    """
    archive = Archive(archive_dir)
    found = []
    for dataset in datasets:
        manifest = json.loads((raw_dir / f"{dataset}.json").read_text(encoding="utf-8"))
        for file in sorted(manifest["files"], key=lambda each: (-int(each["vintage"]), each["file"])):
            parts = tuple((part["name"], part["sha256"], archive.object_path(part["sha256"])) for part in file["parts"])
            found.append(Bundle(dataset, file["vintage"], file["file"], parts))
    return found
