"""Small datasets and files for the tests of the readers. Everything in them is invented."""

from __future__ import annotations

import hashlib
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dagster_project.sources.archive import ArchivedFile
from dagster_project.sources.catalogue import Dataset
from dagster_project.sources.readers import ReadResult, read_file

LICENCE = {"name": "Licence Ouverte 2.0", "url": "https://www.etalab.gouv.fr/licence-ouverte-open-licence/"}


def make_file(name: str = "table", **more: Any) -> dict[str, Any]:
    """A file entry without live address."""
    return {"name": name, "live": {"note": "written by a test"}, **more}


def make_dataset(
    kind: str,
    columns: Sequence[str],
    *,
    vintages: list[dict[str, Any]] | None = None,
    files: list[dict[str, Any]] | None = None,
    columns_absent: Sequence[str] = (),
    **more: Any,
) -> Dataset:
    """A dataset whose catalogue relies on `columns`, the first being its key."""
    one = {"vintage": "2021", "files": files or [make_file()], "columns_absent": list(columns_absent)}
    entry = {
        "id": "essai_table",
        "producer": "essai",
        "role": "geography",
        "origin": {
            "producer": "Producteur d'essai",
            "title": "Table d'essai",
            "description": "Table inventée pour éprouver les lecteurs de fichiers.",
            "citation": "Producteur d'essai, table d'essai",
            "page": "https://example.org/table",
            "licence": LICENCE,
            "access": "open",
        },
        "format": kind,
        "key": [columns[0]],
        "columns": [{"name": name, "type": "text", "meaning": f"colonne {name}"} for name in columns],
        "rows": {"minimum": 1, "maximum": 1000},
        "bytes": {"minimum": 1, "maximum": 10_000_000},
        "rhythm_days": 365,
        "secrecy": "aucun secret",
        "vintages": vintages or [one],
        **more,
    }
    return Dataset.model_validate(entry)


def archived(path: Path, name: str | None = None, origin: str = "mirror") -> ArchivedFile:
    """A file as `fetch_file` would give it."""
    data = path.read_bytes()
    return ArchivedFile(
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        path=path,
        name=name or path.name,
        key="essai_table/2021/table",
        url="mirror:x",
        final_url="mirror:x",
        fetched_at="2021-01-01T00:00:00+00:00",
        headers={},
        origin=origin,
        unchanged=False,
    )


def read(dataset: Dataset, *paths: Path) -> ReadResult:
    """Read the first file of the first vintage."""
    vintage = dataset.vintages[0]
    return read_file(dataset, vintage, vintage.files[0], [archived(path) for path in paths])


def cells(result: ReadResult, *names: str) -> list[tuple[Any, ...]]:
    """Rows of a result, as tuples of the named columns."""
    return list(zip(*(result.table.column(name).to_pylist() for name in names), strict=True))


def dbf_bytes(fields: Sequence[tuple[str, str, int]], records: Sequence[Sequence[bytes]], deleted: int = 0) -> bytes:
    """A dBASE table. `fields`: name, type, width. The first `deleted` records are marked as deleted."""
    width = 1 + sum(size for _, _, size in fields)
    header = 32 + 32 * len(fields) + 1
    out = struct.pack("<BBBBIHH20x", 3, 124, 1, 1, len(records), header, width)
    for name, kind, size in fields:
        out += struct.pack("<11sc4xBB14x", name.encode(), kind.encode(), size, 0)
    out += b"\x0d"
    for number, record in enumerate(records):
        out += b"*" if number < deleted else b" "
        for value, (_, kind, size) in zip(record, fields, strict=True):
            out += value.rjust(size) if kind == "N" else value.ljust(size)
    return out + b"\x1a"


def write_shapes(folder: Path, wkt: Sequence[str | None], name: str = "zones") -> Path:
    """A .shp and its .shx, without attributes and without .prj; returns the .shp."""
    import shapely
    from pyogrio.raw import write

    path = folder / f"{name}.shp"
    geometry = np.array([None if w is None else shapely.to_wkb(shapely.from_wkt(w)) for w in wkt], dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a missing .prj is what we want
        write(str(path), geometry=geometry, field_data=[], fields=[], geometry_type="Polygon", crs=None)
    for suffix in (".dbf", ".cpg", ".prj"):
        path.with_suffix(suffix).unlink(missing_ok=True)
    return path
