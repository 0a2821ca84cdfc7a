"""Derived Parquet files: written aside, moved in place, and not made again while their inputs are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.sources.catalogue import Dataset

if TYPE_CHECKING:
    import pyarrow as pa

DIGEST_KEY = b"dq_inputs"


def cached_table(path: Path, inputs: Iterable[Path], salt: str, make: Callable[[], pa.Table]) -> tuple[str, int]:
    """Make the table unless the file at `path` was made from the same inputs and `salt` (code, parameters).

    Returns:
        The digest of inputs and salt, which the file carries in its footer, and the number of rows.
    """
    import pyarrow.parquet as pq

    digest = hashlib.sha256(salt.encode())
    for source in inputs:
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    wanted = digest.hexdigest()
    if path.exists():
        known = pq.read_metadata(path)
        if (known.metadata or {}).get(DIGEST_KEY) == wanted.encode():
            return wanted, known.num_rows
    table = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    pq.write_table(table.replace_schema_metadata({DIGEST_KEY: wanted.encode()}), temporary, compression="zstd")
    temporary.replace(path)
    return wanted, table.num_rows


def catalogue_table(datasets: dict[str, Dataset]) -> pa.Table:
    """One row per dataset: dataset, producer, title, citation, page, licence, licence_url, rhythm_days."""
    import pyarrow as pa

    rows = [
        {
            "dataset": dataset.id,
            "producer": dataset.origin.producer,
            "title": dataset.origin.title,
            "citation": dataset.origin.citation,
            "page": dataset.origin.page,
            "licence": dataset.origin.licence.name,
            "licence_url": dataset.origin.licence.url,
            "rhythm_days": dataset.rhythm_days,
        }
        for dataset in datasets.values()
    ]
    return pa.Table.from_pylist(rows)
