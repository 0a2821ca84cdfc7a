"""Readers: one archived file becomes one table of verbatim text with the address of every row.

Adding a file of a known shape needs a catalogue entry only; adding a new shape is one module here.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import pyarrow as pa

from dagster_project.sources.catalogue import Dataset, SourceFile, Vintage
from dagster_project.sources.readers.arrow import constant_array, int64_array, text_array
from dagster_project.sources.readers.base import Parsed, Reader, ReadError, ReadResult, Reject, Source
from dagster_project.sources.readers.columns import GEOMETRY_COLUMNS, LINEAGE_COLUMNS
from dagster_project.sources.readers.container import open_parts

if TYPE_CHECKING:
    from dagster_project.sources.archive import ArchivedFile

__all__ = ["GEOMETRY_COLUMNS", "LINEAGE_COLUMNS", "ReadError", "ReadResult", "Reject", "module_of", "read_file"]

_MODULES = {
    "csv": "csv",
    "xlsx": "excel",
    "shapefile": "shapefile",
    "geojson": "geojson",
    "json": "json_records",
    "parquet": "parquet",
    "bundle": "bundle",
}
_WITHHELD = "[retiré]"


def module_of(kind: str) -> str:
    """Dotted name of the module that reads a format of the catalogue."""
    return f"{__name__}.{_MODULES[kind]}"


def read_file(dataset: Dataset, vintage: Vintage, file: SourceFile, parts: Sequence[ArchivedFile]) -> ReadResult:
    """Read one file of a vintage.

    Args:
        dataset: its catalogue entry.
        vintage: the edition the file belongs to.
        file: the file of that edition.
        parts: what `fetch_file` returned; for a shapefile the `.shp` first, then its companions; for a bundle all
            its files.

    Returns:
        All source columns as text, as the producer wrote it (an empty cell is '', JSON null is null), without
        those that the catalogue drops; for
        geographic formats `geometry` (WKB, EPSG:2154, metres; null where that CRS has no meaning),
        `geometry_original` (WKB), `_geometry_crs`, `_geometry_sha256`; then `_vintage, _source_sha256,
        _source_member, _source_row` (CSV: physical line of the record's start; Excel: sheet row; others:
        record, from 1).

    Raises:
        ReadError: the file cannot be read at all, or lacks a column of the catalogue.
    """
    try:
        codecs.lookup(dataset.encoding)
    except LookupError as error:
        raise ReadError(f"{dataset.id}: unknown encoding {dataset.encoding!r} in the catalogue") from error
    read: Reader = import_module(module_of(dataset.format)).read
    with open_parts(dataset, file, parts) as opened:
        source = Source(dataset, vintage, file, opened)
        try:
            parsed = read(source)
        except (OverflowError, UnicodeError) as error:
            raise ReadError(f"{source.where}: its text cannot be read as {dataset.encoding} ({error})") from error
    if dataset.dropped_columns:
        parsed = _without_dropped(parsed, {name.lower() for name in dataset.dropped_columns})
    return ReadResult(_with_lineage(parsed, source), parsed.rejects, parsed.header)


def _without_dropped(parsed: Parsed, dropped: set[str]) -> Parsed:
    """Neither the columns that are never kept nor, in rejects, the text that may hold their cells."""
    columns = {name: column for name, column in parsed.columns.items() if name.lower() not in dropped}
    return replace(parsed, columns=columns, rejects=[replace(reject, content=_WITHHELD) for reject in parsed.rejects])


def _with_lineage(parsed: Parsed, source: Source) -> pa.Table:
    count, several = len(parsed.rows), parsed.origins
    lineage = {
        "_vintage": constant_array(source.vintage.vintage, count),
        "_source_sha256": text_array([part.sha256 for part in several])
        if several
        else constant_array(parsed.origin.sha256, count),
        "_source_member": text_array([part.member for part in several])
        if several
        else constant_array(parsed.origin.member, count),
        "_source_row": int64_array(parsed.rows),
    }
    return pa.table({**parsed.columns, **parsed.extra, **lineage})
