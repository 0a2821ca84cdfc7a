"""Shapefiles: attributes from the .dbf in the declared encoding, geometry from the .shp in the declared CRS.

The .prj, the .cpg and the language driver of the .dbf are never trusted: real files lack them or have them
wrong. A .prj that names another authority code than the catalogue is an error, not a choice.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from dagster_project.sources.readers.arrow import RowBuilder
from dagster_project.sources.readers.base import Parsed, Part, ReadError, Reject, Source
from dagster_project.sources.readers.columns import check_names, clean
from dagster_project.sources.readers.dbf import DbfTable, Field
from dagster_project.sources.readers.geometry import (
    Geometries,
    check_kind_of_wkt,
    check_named_crs,
    geometry_columns,
    named_crs_of_wkt,
)

_ALTERNATIVES = "the catalogue lists it in `mirror.paths`, or the zip must hold it beside the .shp"


def read(source: Source) -> Parsed:
    """Read a shapefile; raises ReadError (companion missing or cut short, CRS in contradiction, columns)."""
    shp, shx, dbf = (_companion(source, suffix) for suffix in (".shp", ".shx", ".dbf"))
    _check_prj(source)
    table = DbfTable(dbf.path, f"{source.where} ({dbf.member})", source.dataset.encoding)
    header = tuple(field.name for field in table.fields)
    names = [clean(name) for name in header]
    check_names(source, names)
    shapes, unreadable = _shapes(source, shp, shx)
    if len(shapes) != table.count:
        raise ReadError(
            f"{source.where}: {len(shapes)} shapes in {shp.member} for {table.count} records in {dbf.member}: the "
            "files do not belong together; take all of them from the same download"
        )
    builder, rejects = RowBuilder(names), list[Reject]()
    for number, record in table.records():
        cells, reason = _cells(table.fields, record, source.dataset.encoding)
        if number - 1 in unreadable:
            reason = "géométrie illisible"
        if reason:
            rejects.append(Reject.of(number, reason, record.decode("ascii", "backslashreplace").rstrip()))
        else:
            builder.add(cells, number)
    columns, rows = builder.finish()
    geometry = geometry_columns(source, shapes[rows - 1], shp.sha256, rows)
    return Parsed(header, columns, rows, rejects, dbf, geometry)


def _companion(source: Source, suffix: str) -> Part:
    for part in source.parts:
        if part.suffix == suffix:
            return part
    received = ", ".join(part.member for part in source.parts)
    raise ReadError(f"{source.where}: the {suffix} of the shapefile is missing (received: {received}); {_ALTERNATIVES}")


def _check_prj(source: Source) -> None:
    for part in source.parts:
        if part.suffix == ".prj":
            wkt = part.path.read_text(encoding="utf-8", errors="replace")
            check_named_crs(source, named_crs_of_wkt(wkt), part.member)
            check_kind_of_wkt(source, wkt)


def _cells(fields: tuple[Field, ...], record: bytes, encoding: str) -> tuple[list[str], str | None]:
    """Cells of a record, and why it must be rejected if it must."""
    cells: list[str] = []
    for field in fields:
        raw = field.cell(record)
        try:
            cells.append(raw.decode(encoding))
        except UnicodeDecodeError as error:
            return [], f"octet 0x{raw[error.start]:02X} non décodable en {encoding}, colonne {field.name}"
    return cells, None


def _shapes(source: Source, shp: Part, shx: Part) -> tuple[Geometries, set[int]]:
    """Every shape in file order, None where there is none, and the positions of those that cannot be read."""
    import shapely
    from pyogrio.errors import DataSourceError
    from pyogrio.raw import read as read_layer

    # GDAL finds the files of a layer by name. It is shown neither the .dbf nor the .prj, so that no
    # encoding and no CRS can be guessed, and no deleted record hides its shape.
    with tempfile.TemporaryDirectory(prefix="dq-shapefile-") as folder:
        for part in (shp, shx):
            (Path(folder) / f"layer{part.suffix}").symlink_to(part.path.absolute())
        try:
            _, numbers, wkb, _ = read_layer(str(Path(folder) / "layer.shp"), columns=[], return_fids=True)
        except DataSourceError as error:
            raise ReadError(
                f"{source.where}: the shapes cannot be read ({error}); fetch the files again or put a complete copy "
                "in the inbox"
            ) from error
    shapes: Geometries = shapely.from_wkb(wkb, on_invalid="ignore")
    if not np.array_equal(numbers, np.arange(len(shapes))):
        raise ReadError(f"{source.where}: {shp.member} and {shx.member} do not belong together")
    given = np.array([value is not None for value in wkb], dtype=bool)
    return shapes, set(np.flatnonzero(given & shapely.is_missing(shapes)).tolist())
