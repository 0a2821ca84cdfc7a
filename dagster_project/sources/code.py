"""Code version of a raw table, and the catalogue as a fact in the versions of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster_project.closure import code_version
from dagster_project.sources import readers
from dagster_project.sources.catalogue import Dataset

# How bytes travel and are kept, and how a run is told what to do, change nothing to a table: the digests of the
# bytes and whether they are fictitious are among its inputs.
CARRIERS = (
    "dagster_project.settings",
    "dagster_project.sources.archive",
    "dagster_project.sources.fetch",
    "dagster_project.sources.http",
)
# Only files delivered under a convention pass it.
DOOR = "dagster_project.sources.partner"


def raw_code_version(dataset: Dataset) -> str:
    """Digest of the catalogue entry and of the code that reads and checks files of its format."""
    return code_version(
        "dagster_project.sources.raw",
        readers.module_of(dataset.format),
        facts=dataset.model_dump(mode="json"),
        without=CARRIERS if dataset.convention else (*CARRIERS, DOOR),
        narrowed=[readers.__name__],
    )


def catalogue_facts(datasets: Mapping[str, Dataset]) -> dict[str, Any]:
    """All entries of the catalogue, for the version of what tells of each of them."""
    return {name: dataset.model_dump(mode="json") for name, dataset in datasets.items()}
