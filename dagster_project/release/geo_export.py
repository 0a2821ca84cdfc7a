"""Contours of a release: GeoParquet 1.1 in EPSG:2154, GeoJSON in WGS84 (RFC 7946), and the extent of the territory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.release.tables import ReleasedTable

if TYPE_CHECKING:
    import duckdb
    import numpy as np

CRS = "EPSG:2154"
# A ten-millionth of a degree is a centimetre: neighbouring vertices of a perimeter stay apart.
DECIMALS = 7
EXTENT_DECIMALS = 4
LAYERS = {"QP2015": "zones_qpv_2015.geojson", "QN2024": "zones_qpv_2024.geojson"}

Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class Shapes:
    """Contours of the zones that have one, in EPSG:2154."""

    contours: np.ndarray[Any, Any]

    def geoparquet(self) -> str:
        """The `geo` metadata of GeoParquet 1.1 for the column `geometry`."""
        import pyproj
        import shapely

        column = {
            "encoding": "WKB",
            "geometry_types": sorted({shape.geom_type for shape in self.contours}),
            "crs": pyproj.CRS(CRS).to_json_dict(),
            "edges": "planar",
        }
        if len(self.contours):
            column["bbox"] = shapely.total_bounds(self.contours).tolist()
        geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
        return json.dumps(geo, sort_keys=True, ensure_ascii=False)

    def extent(self) -> Extent | None:
        """West, south, east, north in WGS84; None when no zone has a contour."""
        import shapely

        if not len(self.contours):
            return None
        west, south, east, north = shapely.total_bounds(to_wgs84(self.contours)).round(EXTENT_DECIMALS).tolist()
        return west, south, east, north


def read_shapes(connection: duckdb.DuckDBPyConnection, zones: str) -> Shapes:
    """Contours of a table or query that has a `geometry` column of WKB."""
    import shapely

    found = connection.execute(f"select geometry from {zones} where geometry is not null").to_arrow_table()
    return Shapes(shapely.from_wkb(found["geometry"].to_numpy(zero_copy_only=False)))


def write_geojson(connection: duckdb.DuckDBPyConnection, zones: ReleasedTable, folder: Path) -> None:
    """One file for each generation of QPV: contours in WGS84, exterior rings counter-clockwise, no crs member.

    A zone without a contour keeps its attributes with a null geometry; an absent attribute is its reason's label, as
    in JSON.
    """
    for generation, name in LAYERS.items():
        _write_layer(connection, zones, folder / name, f"zone_level = 'QPV' and generation = '{generation}'")


def _write_layer(connection: duckdb.DuckDBPyConnection, zones: ReleasedTable, path: Path, where: str) -> None:
    import shapely

    attributes = ", ".join(
        f"'{column.name}', coalesce(to_json({column.name}), to_json({column.label}))" for column in zones.flat_columns
    )
    table = connection.execute(
        f"""select zone_code, geometry,
                   cast(json_object({attributes}, 'geometry_statut', geometry_statut) as varchar) as properties
            from {zones.name} where {where}"""
    ).to_arrow_table()
    shapes = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
    drawn = to_wgs84(shapes)
    # Written again by Python: GEOS prints some rounded numbers with all the digits of their binary form.
    geometries = [json.dumps(json.loads(text or "null"), separators=(",", ":")) for text in shapely.to_geojson(drawn)]
    features = [
        f'{{"type": "Feature", "id": {json.dumps(code)}, "geometry": {geometry}, "properties": {properties}}}'
        for code, geometry, properties in zip(
            table["zone_code"].to_pylist(), geometries, table["properties"].to_pylist(), strict=True
        )
    ]
    bbox = ""
    if (~shapely.is_missing(drawn)).any():
        bbox = f'"bbox": {json.dumps(shapely.total_bounds(drawn).round(DECIMALS).tolist())}, '
    rows = ",\n".join(features)
    path.write_text(f'{{"type": "FeatureCollection", {bbox}"features": [\n{rows}\n]}}\n', encoding="utf-8")


def to_wgs84(shapes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Longitudes and latitudes, rounded, rings by the right-hand rule."""
    import numpy as np
    import pyproj
    import shapely

    project = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform

    def degrees(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.column_stack(project(points[:, 0], points[:, 1])).round(DECIMALS)

    drawn: np.ndarray[Any, Any] = shapely.orient_polygons(shapely.transform(shapely.force_2d(shapes), degrees))
    return drawn
