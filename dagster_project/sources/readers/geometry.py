"""Geometry shared by the geographic readers: coordinate systems, reprojection, WKB columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_project.sources.crs import LON_LAT, TARGET_CRS, Box, area_of_use, home_areas, system, transformer
from dagster_project.sources.readers.arrow import binary_array, constant_array
from dagster_project.sources.readers.base import ReadError, Source

Geometries = npt.NDArray[np.object_]  # shapely geometries or None
Bounds = npt.NDArray[np.float64]  # one row per geometry: the least and greatest coordinates


def declared_crs(source: Source) -> str:
    """The CRS of the catalogue: the only one that is trusted."""
    if source.file.crs is None:
        raise ReadError(f"{source.where}: the catalogue entry of {source.file.name} needs a `crs`")
    return source.file.crs


def check_named_crs(source: Source, named: str | None, found_in: str) -> None:
    """Raise ReadError when the file itself names an authority code that is not the catalogue's."""
    declared = declared_crs(source)
    if named is None or named == declared or {named, declared} <= LON_LAT:
        return
    raise ReadError(
        f"{source.where}: {found_in} says {named}, the catalogue says {declared}; check which is right on the "
        f"producer's page, then correct `crs` of {source.file.name} in the catalogue"
    )


def named_crs_of_wkt(wkt: str) -> str | None:
    """Authority code that a .prj gives to the whole system, as EPSG:2154; None when it gives none."""
    match = re.search(r'(?:AUTHORITY|ID)\s*\[\s*"(\w+)"\s*,\s*"?(\w+)"?\s*\]\s*\]\s*$', wkt.strip())
    return f"{match[1].upper()}:{match[2]}" if match else None


def check_kind_of_wkt(source: Source, wkt: str) -> None:
    """Raise ReadError when a .prj is in degrees and the catalogue in metres, or the reverse."""
    projected = system(declared_crs(source)).is_projected
    start = wkt.lstrip("\ufeff \t\r\n").upper()
    contradiction = start.startswith(("GEOGCS", "GEOGCRS")) if projected else start.startswith(("PROJCS", "PROJCRS"))
    if contradiction:
        raise ReadError(
            f"{source.where}: the .prj describes a {'geographic' if projected else 'projected'} system "
            f"({wkt.strip()[:60]}…), the catalogue says {declared_crs(source)}; correct `crs` of {source.file.name}"
        )


def geometry_columns(
    source: Source, geometries: Geometries, sha256: str, rows: npt.NDArray[np.int64]
) -> dict[str, pa.Array]:
    """The four geometry columns.

    Args:
        source: the file they come from, and its declared CRS.
        geometries: shapely geometries in the catalogue's CRS; None where a row has none.
        sha256: digest of the file they come from.
        rows: `_source_row` of each geometry, for messages.

    Returns:
        `geometry`: WKB in EPSG:2154 (metres), null where a geometry leaves the area in which that CRS is
        defined (overseas); `geometry_original`: WKB as received; `_geometry_crs`; `_geometry_sha256`.

    Raises:
        ReadError: coordinates that cannot be in the declared CRS, or whose axes are swapped.
    """
    import shapely

    declared = declared_crs(source)
    bounds = _lon_lat(shapely.bounds(geometries), declared)
    _refuse_misplaced(source, geometries, bounds, rows)
    return {
        "geometry": _wkb(_to_target(geometries, bounds, declared)),
        "geometry_original": _wkb(geometries),
        "_geometry_crs": constant_array(declared, len(geometries)),
        "_geometry_sha256": constant_array(sha256, len(geometries)),
    }


def _wkb(geometries: Geometries) -> pa.Array:
    import shapely

    encoded: Sequence[bytes | None] = shapely.to_wkb(geometries, byte_order=1).tolist()
    return binary_array(encoded)


def _lon_lat(bounds: Bounds, declared: str) -> Bounds:
    """Bounds (west, south, east, north) in degrees: nan without a geometry, infinite where one has no meaning."""
    if declared in LON_LAT:
        return bounds
    transform = transformer(declared, "OGC:CRS84").transform
    corners = transform(bounds[:, [0, 2]].ravel(), bounds[:, [1, 3]].ravel())
    return np.stack(corners, axis=1).reshape(-1, 4)


def _refuse_misplaced(source: Source, geometries: Geometries, bounds: Bounds, rows: npt.NDArray[np.int64]) -> None:
    """Raise ReadError for the first geometry that is not where its declared CRS is used."""
    import shapely

    declared = declared_crs(source)
    present = ~shapely.is_missing(geometries) & ~shapely.is_empty(geometries)
    homes = home_areas(declared)
    lost = present & ~_within_any(bounds, homes)
    if not lost.any():
        return
    swapped = np.zeros_like(lost)
    turned = _lon_lat(shapely.bounds(geometries[lost])[:, [1, 0, 3, 2]], declared)
    swapped[lost] = _within_any(turned, homes)
    # Longitude and latitude reach around the world: data may lie outside France, but not off the globe.
    outside = present & ~_within(bounds, area_of_use(declared))
    if not (swapped | outside).any():
        return
    first = int(np.flatnonzero(swapped if swapped.any() else outside)[0])
    x, y = shapely.bounds(geometries[first])[:2]
    where = f"{source.where}: row {rows[first]} is at ({x:g}, {y:g})"
    if swapped.any():
        raise ReadError(
            f"{where}, outside the area of {declared}, but at ({y:g}, {x:g}) it would be inside: its axes are swapped "
            f"(expected x, or longitude, first); ask for a file with its axes in order, or swap them with a note of it"
        )
    raise ReadError(
        f"{where}, which is not possible in {declared} (area of use, in degrees: {_shown(area_of_use(declared))}); "
        f"check the CRS on the producer's page, then correct `crs` of {source.file.name} in the catalogue"
    )


def _shown(box: Box) -> str:
    west, south, east, north = box
    return f"longitude {west:g} to {east:g}, latitude {south:g} to {north:g}"


def _within(bounds: Bounds, area: Box) -> npt.NDArray[np.bool_]:
    west, south, east, north = area
    inside: npt.NDArray[np.bool_] = (
        (bounds[:, 0] >= west) & (bounds[:, 1] >= south) & (bounds[:, 2] <= east) & (bounds[:, 3] <= north)
    )
    return inside


def _within_any(bounds: Bounds, areas: Sequence[Box]) -> npt.NDArray[np.bool_]:
    inside = np.zeros(len(bounds), dtype=bool)
    for area in areas:
        inside |= _within(bounds, area)
    return inside


def _to_target(geometries: Geometries, bounds: Bounds, declared: str) -> Geometries:
    import shapely

    if declared == TARGET_CRS:
        return geometries
    inside = _within(bounds, area_of_use(TARGET_CRS)) | shapely.is_empty(geometries)
    projected: Geometries = np.full(len(geometries), None, dtype=object)
    transform = transformer(declared, TARGET_CRS).transform
    projected[inside] = shapely.transform(geometries[inside], lambda x, y: np.stack(transform(x, y)), interleaved=False)
    return projected
