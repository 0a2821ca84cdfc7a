"""Geometry shared by the geographic readers: coordinate systems, reprojection, WKB columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_project.sources.readers.arrow import binary_array, constant_array
from dagster_project.sources.readers.base import ReadError, Source

if TYPE_CHECKING:
    from pyproj import CRS, Transformer

TARGET_CRS = "EPSG:2154"
_LON_LAT = {"OGC:CRS84", "EPSG:4326"}  # the same coordinates in files, always written longitude first
Geometries = npt.NDArray[np.object_]  # shapely geometries or None


@cache
def _crs(name: str) -> CRS:
    from pyproj import CRS
    from pyproj.network import set_network_enabled  # type: ignore[attr-defined]  # public, missing from its __all__

    set_network_enabled(active=False)  # no grid is fetched: same result everywhere, no third party asked
    return CRS.from_user_input(name)


@cache
def _transformer(origin: str, target: str) -> Transformer:
    from pyproj import Transformer

    return Transformer.from_crs(_crs(origin), _crs(target), always_xy=True)


def declared_crs(source: Source) -> str:
    """The CRS of the catalogue: the only one that is trusted."""
    if source.file.crs is None:
        raise ReadError(f"{source.where}: the catalogue entry of {source.file.name} needs a `crs`")
    return source.file.crs


def check_named_crs(source: Source, named: str | None, found_in: str) -> None:
    """Raise ReadError when the file itself names an authority code that is not the catalogue's."""
    declared = declared_crs(source)
    if named is None or named == declared or {named, declared} <= _LON_LAT:
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
    projected = _crs(declared_crs(source)).is_projected
    start = wkt.lstrip("\ufeff \t\r\n").upper()
    contradiction = start.startswith(("GEOGCS", "GEOGCRS")) if projected else start.startswith(("PROJCS", "PROJCRS"))
    if contradiction:
        raise ReadError(
            f"{source.where}: the .prj describes a {'geographic' if projected else 'projected'} system "
            f"({wkt.strip()[:60]}…), the catalogue says {declared_crs(source)}; correct `crs` of {source.file.name}"
        )


def geometry_columns(source: Source, geometries: Geometries, sha256: str) -> dict[str, pa.Array]:
    """The four geometry columns.

    Args:
        source: the file they come from, and its declared CRS.
        geometries: shapely geometries in the catalogue's CRS; None where a row has none.
        sha256: digest of the file they come from.

    Returns:
        `geometry`: WKB in EPSG:2154 (metres), null where a geometry leaves the area in which that CRS is
        defined (overseas); `geometry_original`: WKB as received; `_geometry_crs`; `_geometry_sha256`.

    Raises:
        ReadError: the coordinates cannot be in the declared CRS.
    """
    crs = declared_crs(source)
    bounds = _lon_lat_bounds(source, geometries, crs)
    return {
        "geometry": _wkb(_to_target(geometries, bounds, crs)),
        "geometry_original": _wkb(geometries),
        "_geometry_crs": constant_array(crs, len(geometries)),
        "_geometry_sha256": constant_array(sha256, len(geometries)),
    }


def _wkb(geometries: Geometries) -> pa.Array:
    import shapely

    encoded: Sequence[bytes | None] = shapely.to_wkb(geometries, byte_order=1).tolist()
    return binary_array(encoded)


def _lon_lat_bounds(source: Source, geometries: Geometries, crs: str) -> npt.NDArray[np.float64]:
    """Bounds of each geometry in degrees (nan where there is none), once they are known to make sense."""
    import shapely

    bounds: npt.NDArray[np.float64] = shapely.bounds(geometries)
    if crs not in _LON_LAT:
        corners = _transformer(crs, "OGC:CRS84").transform(bounds[:, [0, 2]].ravel(), bounds[:, [1, 3]].ravel())
        bounds = np.stack(corners, axis=1).reshape(-1, 4)
    present = ~shapely.is_missing(geometries) & ~shapely.is_empty(geometries)
    wrong = present & ~_within(bounds, (-180.0, -90.0, 180.0, 90.0))
    area = _crs(crs).area_of_use
    if area and present.any() and not (present & _within(bounds, area.bounds)).any():
        wrong |= present  # not one of them where this CRS is meant to be used
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        point = shapely.bounds(geometries[first])[:2]
        raise ReadError(
            f"{source.where}: geometry {first + 1} is at ({point[0]:g}, {point[1]:g}), which is not possible in {crs}; "
            f"correct `crs` of {source.file.name} in the catalogue"
        )
    return bounds


def _within(bounds: npt.NDArray[np.float64], area: tuple[float, float, float, float]) -> npt.NDArray[np.bool_]:
    west, south, east, north = area
    inside: npt.NDArray[np.bool_] = (
        (bounds[:, 0] >= west) & (bounds[:, 1] >= south) & (bounds[:, 2] <= east) & (bounds[:, 3] <= north)
    )
    return inside


def _to_target(geometries: Geometries, bounds: npt.NDArray[np.float64], crs: str) -> Geometries:
    import shapely

    if crs == TARGET_CRS:
        return geometries
    area = _crs(TARGET_CRS).area_of_use
    if area is None:
        raise RuntimeError(f"this PROJ database gives no area of use for {TARGET_CRS}")
    inside = _within(bounds, area.bounds) | shapely.is_empty(geometries)
    projected: Geometries = np.full(len(geometries), None, dtype=object)
    transform = _transformer(crs, TARGET_CRS).transform
    projected[inside] = shapely.transform(geometries[inside], lambda x, y: np.stack(transform(x, y)), interleaved=False)
    return projected
