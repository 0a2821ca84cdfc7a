"""The files of a raw table: how tables of several vintages become one Parquet, and how it is put in place.

The same tables give the same bytes: fixed order, fixed writer settings, no date inside.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.sources import disk
from dagster_project.sources.catalogue import Dataset
from dagster_project.sources.readers import GEOMETRY_COLUMNS, LINEAGE_COLUMNS
from dagster_project.sources.readers.arrow import int64_array, text_array

_ROW_GROUP = 122_880  # what DuckDB reads at a time
_TYPES = {"_source_row": pa.int64(), "geometry": pa.binary(), "geometry_original": pa.binary()}
REJECT_COLUMNS = ("vintage", "file", "source_sha256", "source_member", "row", "reason", "content")


def union_by_name(tables: Sequence[pa.Table]) -> pa.Table:
    """Rows of all tables one after the other; a column that a table lacks is null there.

    Names that differ only by case are one column, spelt as in the last table that has it: SQL engines read
    them as one, and producers change the case from one edition to the next.
    """
    spelling: dict[str, str] = {}
    for table in tables:
        spelling.update({name.lower(): name for name in table.column_names})
    last = [name for name in (*GEOMETRY_COLUMNS, *LINEAGE_COLUMNS) if name in spelling]
    order = [key for key in spelling if key not in last] + last
    columns = {spelling[key]: _stack(tables, key, _TYPES.get(key, pa.string())) for key in order}
    return pa.table(columns)


def _stack(tables: Sequence[pa.Table], key: str, kind: pa.DataType) -> pa.ChunkedArray:
    chunks: list[pa.Array] = []
    for table in tables:
        position = {name.lower(): i for i, name in enumerate(table.column_names)}.get(key)
        chunks += [pa.nulls(len(table), kind)] if position is None else table.column(position).chunks
    return pa.chunked_array(chunks, type=kind)


def empty_table(dataset: Dataset) -> pa.Table:
    """No row, with the columns of the catalogue, as if a file had been read."""
    names = [column.name for column in dataset.columns]
    lineage = [*(GEOMETRY_COLUMNS if dataset.is_geographic else ()), *LINEAGE_COLUMNS]
    return pa.table({name: pa.nulls(0, _TYPES.get(name, pa.string())) for name in [*names, *lineage]})


def rejects_table(rows: Iterable[tuple[str, str, str, str, int, str, str]]) -> pa.Table:
    """The rejects of a dataset, one row each, in the columns of REJECT_COLUMNS."""
    columns = list(zip(*rows, strict=True)) or [()] * len(REJECT_COLUMNS)
    return pa.table(
        {
            name: int64_array(np.array(values, dtype=np.int64)) if name == "row" else text_array(values)
            for name, values in zip(REJECT_COLUMNS, columns, strict=True)
        }
    )


def publish(folder: Path, tables: dict[str, pa.Table], manifest_name: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write tables and manifest aside, then move them into place, the manifest last.

    Returns:
        The manifest as written, with the digest of each table under `outputs`: if the move is interrupted,
        `is_intact` says so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as name:
        aside = Path(name)
        for file_name, table in tables.items():
            pq.write_table(table, aside / file_name, compression="zstd", compression_level=3, row_group_size=_ROW_GROUP)
        outputs = {file_name: _fingerprint(aside / file_name) for file_name in tables}
        written = {**manifest, "outputs": outputs}
        (aside / manifest_name).write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        for file_name in (*tables, manifest_name):
            (aside / file_name).replace(folder / file_name)
    return written


def load_manifest(path: Path) -> dict[str, Any] | None:
    """The manifest of a raw table; None when there is none or it cannot be read (the table is then rebuilt)."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None


def is_intact(folder: Path, manifest: dict[str, Any]) -> bool:
    """Whether every table of a manifest is there with the digest it was written with."""
    outputs = manifest.get("outputs", {})
    return bool(outputs) and all(
        (folder / name).is_file() and _fingerprint(folder / name) == expected for name, expected in outputs.items()
    )


def _fingerprint(path: Path) -> dict[str, Any]:
    return {"sha256": disk.sha256_of(path), "size": path.stat().st_size}
