"""Small catalogue entries with invented content, for tests of fetching and validation."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from dagster_project.sources.archive import ArchivedFile
from dagster_project.sources.catalogue import Dataset, SourceFile, Vintage

CSV = "CODGEO;LIBGEO;POP\nQP096001;Les Essarts fictifs;1200\nQP096002;Clairvue inventée;800\n".encode()


def sample_file(name: str = "TABLE_2021", **changes: Any) -> SourceFile:
    fields: dict[str, Any] = {
        "name": name,
        "live": {"url": f"https://exemple.invalid/{name}.csv"},
        "mirror": {"paths": [f"insee/{name}.csv"], "copy_of": "producer_bytes"},
    }
    return SourceFile.model_validate({**fields, **changes})


def sample_dataset(files: dict[str, tuple[SourceFile, ...]] | None = None, **changes: Any) -> Dataset:
    """A dataset with one vintage, 2021, unless `files` gives them by vintage."""
    files = files or {"2021": (sample_file(),)}
    fields: dict[str, Any] = {
        "id": "insee_exemple",
        "producer": "insee",
        "role": "geography",
        "origin": {
            "producer": "Institut fictif",
            "title": "Table d'exemple",
            "description": "Une table inventée, qui ne sert qu'aux tests de ce dépôt.",
            "citation": "Institut fictif, table d'exemple, 2021",
            "page": "https://exemple.invalid/page",
            "licence": {"name": "Licence Ouverte 2.0", "url": "https://exemple.invalid/licence"},
            "access": "open",
        },
        "format": "csv",
        "key": ["CODGEO"],
        "columns": [{"name": "CODGEO", "type": "code", "meaning": "code du quartier"}],
        "rows": {"minimum": 1, "maximum": 10},
        "bytes": {"minimum": 10, "maximum": 1_000_000},
        "rhythm_days": 365,
        "secrecy": "cellule vide",
        "vintages": [{"vintage": year, "files": list(of_year)} for year, of_year in files.items()],
    }
    return Dataset.model_validate({**fields, **changes})


def first(dataset: Dataset) -> tuple[Dataset, Vintage, SourceFile]:
    """The dataset, its first vintage and the first file of it: what most calls take."""
    vintage = dataset.vintages[0]
    return dataset, vintage, vintage.files[0]


def received(path: Path, **changes: Any) -> ArchivedFile:
    """A file as the archive would describe it."""
    content = path.read_bytes()
    fields: dict[str, Any] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "path": path,
        "name": path.name,
        "key": "insee_exemple/2021/TABLE_2021",
        "url": f"mirror:{path.name}",
        "final_url": f"https://exemple.invalid/{path.name}",
        "fetched_at": "2026-01-01T00:00:00+00:00",
        "headers": {},
        "origin": "mirror",
        "unchanged": False,
    }
    return ArchivedFile(**{**fields, **changes})
