"""Valid contours of every zone, in EPSG:2154, with what had to be repaired.

Perimeters come as their producers drew them, some self-intersecting. A repaired contour keeps its area to the
precision of the drawing; that it was repaired, and why, stays beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# Level, generation, raw table and code column of each layer of contours.
LAYERS = (
    ("QPV", "QP2015", "anct_qpv_2015", "CODE_QP"),
    ("QPV", "QN2024", "anct_qpv_2024", "code_qp"),
    ("COM", "COG", "etalab_contours_communes", "code"),
    ("EPCI", "COG", "etalab_contours_epci", "code"),
    ("DEP", "COG", "etalab_contours_departements", "code"),
)
SURFACES = {"Polygon", "MultiPolygon"}
RAW_TABLES = (*(table for _, _, table, _ in LAYERS), "insee_cog_departements")


def build_zone_geometries(raw_dir: Path) -> pa.Table:
    """Contours of all zones.

    Args:
        raw_dir: folder of raw tables; those named in `RAW_TABLES` are read.

    Returns:
        zone_level, zone_code, generation (text), geometry_wkb (binary, EPSG:2154; null when the contour encloses
        nothing), repaired (bool), repair_reason (text or null), area_m2 (double); sorted by the first three.
        A zone outside the area of use of EPSG:2154 has no row.
    """
    import duckdb
    import numpy as np
    import pyarrow as pa
    import shapely

    connection = duckdb.connect()
    raw = _layers(connection, raw_dir)
    shapes = shapely.from_wkb(raw["geometry"].to_numpy(zero_copy_only=False))
    valid = shapely.is_valid(shapes)
    reasons = np.where(valid, None, shapely.is_valid_reason(shapes))
    shapes[~valid] = _polygons_only(shapely.make_valid(shapes[~valid]))
    # A contour flattened to a line has no surface to give: the zone stays, without a contour, and it is said.
    flat = shapely.is_empty(shapes)
    shapes[flat] = None
    table = pa.table(
        {
            "zone_level": raw["zone_level"],
            "zone_code": raw["zone_code"],
            "generation": raw["generation"],
            "geometry_wkb": pa.array(shapely.to_wkb(shapes), pa.binary()),
            "repaired": pa.array(~valid),
            "repair_reason": pa.array(reasons, pa.string()),
            "area_m2": pa.array(shapely.area(shapes), from_pandas=True),
        }
    )
    regions = _regions(connection, raw_dir, table)
    return pa.concat_tables([table, regions]).sort_by(
        [("zone_level", "ascending"), ("zone_code", "ascending"), ("generation", "ascending")]
    )


def _layers(connection: duckdb.DuckDBPyConnection, raw_dir: Path) -> pa.Table:
    """One row per zone: a zone present in two files keeps the one drawn in EPSG:2154, else the first."""
    union = "\nunion all\n".join(
        f"""select '{level}' as zone_level, trim("{code}") as zone_code, '{generation}' as generation, geometry,
                   _geometry_crs = 'EPSG:2154' as native, _source_member, _source_row
            from read_parquet('{raw_dir / table}.parquet') where geometry is not null"""
        for level, generation, table, code in LAYERS
    )
    table: pa.Table = connection.sql(
        f"""select zone_level, zone_code, generation, geometry from ({union})
            qualify row_number() over (
                partition by zone_level, zone_code, generation order by native desc, _source_member, _source_row
            ) = 1
            order by zone_level, zone_code, generation"""
    ).to_arrow_table()
    return table


def _regions(connection: duckdb.DuckDBPyConnection, raw_dir: Path, zones: pa.Table) -> pa.Table:
    """Régions as the union of their départements, where all of these are drawn."""
    import pyarrow as pa
    import shapely

    connection.register("zones", zones)
    members: list[tuple[str, list[bytes]]] = connection.sql(
        f"""select departement."REG", list(zones.geometry_wkb order by departement."DEP")
            from read_parquet('{raw_dir / "insee_cog_departements"}.parquet') as departement
            left join zones on zones.zone_level = 'DEP' and zones.zone_code = departement."DEP"
            group by departement."REG" having bool_and(zones.zone_code is not null) order by departement."REG" """
    ).fetchall()
    shapes = [shapely.union_all(shapely.from_wkb(parts)) for _, parts in members]
    return pa.table(
        {
            "zone_level": pa.array(["REG"] * len(members), pa.string()),
            "zone_code": pa.array([code for code, _ in members], pa.string()),
            "generation": pa.array(["COG"] * len(members), pa.string()),
            "geometry_wkb": pa.array([shapely.to_wkb(shape) for shape in shapes], pa.binary()),
            "repaired": pa.array([False] * len(members), pa.bool_()),
            "repair_reason": pa.array([None] * len(members), pa.string()),
            "area_m2": pa.array([float(shape.area) for shape in shapes], pa.float64()),
        }
    )


def _polygons_only(shapes: Iterable[Any]) -> list[Any]:
    """Repairing may leave stray lines or points beside the polygons; only surfaces are a perimeter."""
    import shapely

    def surface(shape: Any) -> Any:
        if shape.geom_type in SURFACES:
            return shape
        return shapely.union_all([part for part in shapely.get_parts(shape) if part.geom_type in SURFACES])

    return [surface(shape) for shape in shapes]
