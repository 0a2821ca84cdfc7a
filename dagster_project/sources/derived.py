"""Derived Parquet files: written aside, moved in place, and not made again while their inputs are the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.sources.absence import absence_reason

if TYPE_CHECKING:
    import pyarrow as pa

    from dagster_project.sources.catalogue import Dataset

DIGEST_KEY = b"dq_inputs"
ROW_GROUP = 250_000


def cached_table(path: Path, inputs: Iterable[Path], salt: str, make: Callable[[], pa.Table]) -> int:
    """Make the table unless the file at `path` was made from the same inputs and `salt` (code, parameters).

    Returns:
        The number of rows. The file carries the digest of inputs and salt in its footer.
    """
    wanted = _digest(inputs, salt)
    known = _rows_made_from(path, wanted)
    if known is not None:
        return known
    table = make()
    return _write(path, wanted, table.schema, [table])


def cached_tables(
    path: Path, inputs: Iterable[Path], salt: str, schema: pa.Schema, make: Callable[[], Iterable[pa.Table]]
) -> int:
    """The same file from tables that come one by one, of which a few are held at a time.

    Args:
        path: of the file.
        inputs: files that it is made from.
        salt: what else it is made from.
        schema: of each table and of the file, even when there is no table.
        make: gives the tables.
    """
    wanted = _digest(inputs, salt)
    known = _rows_made_from(path, wanted)
    return _write(path, wanted, schema, make()) if known is None else known


def _digest(inputs: Iterable[Path], salt: str) -> str:
    digest = hashlib.sha256(salt.encode())
    for source in inputs:
        with source.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _rows_made_from(path: Path, wanted: str) -> int | None:
    """Number of rows of a file that was made from these inputs."""
    import pyarrow.parquet as pq

    if not path.exists():
        return None
    known = pq.read_metadata(path)
    made = (known.metadata or {}).get(DIGEST_KEY) == wanted.encode()
    return int(known.num_rows) if made else None


def _write(path: Path, digest: str, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write tables aside, move them in place, and count their rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, rows = path.with_suffix(".tmp"), 0
    with pq.ParquetWriter(temporary, schema.with_metadata({DIGEST_KEY: digest.encode()}), compression="zstd") as file:
        for group in _row_groups(tables):
            table = pa.concat_tables(group).replace_schema_metadata({DIGEST_KEY: digest.encode()})
            file.write_table(table)
            rows += table.num_rows
    temporary.replace(path)
    return rows


def _row_groups(tables: Iterable[pa.Table]) -> Iterator[list[pa.Table]]:
    """Tables put together until they are worth a row group; readers skip and share out by groups."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(each.num_rows for each in waiting) >= ROW_GROUP:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def catalogue_rows(datasets: Mapping[str, Dataset]) -> list[dict[str, str | int | None]]:
    """One row per dataset: dataset, attribution (producer … licence_url), rhythm_days, masked_below."""
    return [
        {
            "dataset": dataset.id,
            **_attribution(dataset),
            "rhythm_days": dataset.rhythm_days,
            "masked_below": dataset.least_shown,
        }
        for dataset in datasets.values()
    ]


def catalogue_table(datasets: Mapping[str, Dataset]) -> pa.Table:
    """The rows of `catalogue_rows` as a table."""
    import pyarrow as pa

    return pa.Table.from_pylist(catalogue_rows(datasets))


def _attribution(dataset: Dataset) -> dict[str, str]:
    origin = dataset.origin
    return {
        "producer": origin.producer,
        "title": origin.title,
        "citation": origin.citation,
        "page": origin.page,
        "licence": origin.licence.name,
        "licence_url": origin.licence.url,
    }


SOURCE_FILE_COLUMNS = (
    *("dataset", "vintage", "file", "source_sha256", "name", "size", "url", "fetched_at", "origin"),
    *("producer", "title", "citation", "page", "licence", "licence_url", "copy_of"),
    *("format", "encoding", "delimiter", "header_row", "rejects"),
)


def source_file_table(datasets: dict[str, Dataset], raw_dir: Path) -> pa.Table:
    """One row per archived file that a release may be made of, with who made it and how it came.

    Args:
        datasets: the catalogue.
        raw_dir: folder of raw tables, whose manifests tell what was received.

    Returns:
        Text columns of SOURCE_FILE_COLUMNS (size, header_row and rejects are integers), sorted by the first five.
        `url` names a place without any folder of this machine; `copy_of` is `demo` for fictitious files.
    """
    import pyarrow as pa

    rows = []
    for dataset in datasets.values():
        path = raw_dir / f"{dataset.id}.json"
        if dataset.context_only or not path.exists():
            continue
        files = {file.name: file for vintage in dataset.vintages for file in vintage.files}
        for received in json.loads(path.read_text(encoding="utf-8"))["files"]:
            mirror = files[received["file"]].mirror
            for part in received["parts"]:
                copies = {"demo": "demo", "mirror": mirror.copy_of if mirror else "third_party"}
                rows.append(
                    {
                        "dataset": dataset.id,
                        "vintage": received["vintage"],
                        "file": received["file"],
                        "source_sha256": part["sha256"],
                        **{name: part[name] for name in ("name", "size", "url", "fetched_at", "origin")},
                        **_attribution(dataset),
                        "copy_of": copies.get(part["origin"], "producer_bytes"),
                        "format": dataset.format,
                        "encoding": dataset.encoding,
                        "delimiter": dataset.delimiter,
                        "header_row": dataset.header_row,
                        "rejects": received["rejects"],
                    }
                )
    integers = {"size", "header_row", "rejects"}
    schema = pa.schema([(name, pa.int64() if name in integers else pa.string()) for name in SOURCE_FILE_COLUMNS])
    return pa.Table.from_pylist(rows, schema).sort_by([(name, "ascending") for name in SOURCE_FILE_COLUMNS[:5]])


SOURCE_PRESENCE_COLUMNS = ("dataset", "vintage", "present", "status", "reason_fr")


def source_presence_table(datasets: Mapping[str, Dataset], raw_dir: Path) -> pa.Table:
    """One row per vintage of the catalogue: whether its files were there.

    Args:
        datasets: the catalogue.
        raw_dir: folder of raw tables, whose manifests tell what was absent.

    Returns:
        Columns of SOURCE_PRESENCE_COLUMNS: `present` is a boolean, `status` is null, `convention` or `non_couvert`,
        `reason_fr` is null where the vintage is present; sorted by dataset and vintage.
    """
    import pyarrow as pa

    rows = []
    for dataset in datasets.values():
        path = raw_dir / f"{dataset.id}.json"
        if dataset.context_only or not path.exists():
            continue
        absent = json.loads(path.read_text(encoding="utf-8"))["absent"]
        for vintage in dataset.vintages:
            status = absent.get(vintage.vintage)
            reason = absence_reason(dataset, vintage) if status else None
            rows.append((dataset.id, vintage.vintage, status is None, status, reason))
    kinds = {"present": pa.bool_()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in SOURCE_PRESENCE_COLUMNS])
    records = [dict(zip(SOURCE_PRESENCE_COLUMNS, row, strict=True)) for row in sorted(rows, key=lambda row: row[:2])]
    return pa.Table.from_pylist(records, schema)
