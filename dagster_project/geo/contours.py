"""Valid contours of every zone, in EPSG:2154, with what had to be repaired.

Perimeters come as their producers drew them, some self-intersecting. A repaired contour keeps its area to the
precision of the drawing; that it was repaired, and why, stays beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.geo.inputs import refuse_where
from dagster_project.geo.polygons import mended
from dagster_project.sources.crs import TARGET_CRS

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# Level, generation, raw table and code column of each layer of contours.
LAYERS = (
    ("QPV", "QP2015", "anct_qpv_2015", "CODE_QP"),
    ("QPV", "QN2024", "anct_qpv_2024", "code_qp"),
    ("IRIS", "COG", "ign_contours_iris", "code_iris"),
    ("COM", "COG", "etalab_contours_communes", "code"),
    ("EPCI", "COG", "etalab_contours_epci", "code"),
    ("DEP", "COG", "etalab_contours_departements", "code"),
)
# Drawn once, each in the file of its département; perimeters of QPV stand in two official layers.
DRAWN_ONCE = {"ign_contours_iris": "code_iris"}
NOT_RECEIVED = "No geometry received"
EMPTY = "Empty geometry"
RAW_TABLES = (*(table for _, _, table, _ in LAYERS), "insee_cog_departements")


def build_zone_geometries(raw_dir: Path) -> pa.Table:
    """Contours of all zones.

    Args:
        raw_dir: folder of raw tables; those named in `RAW_TABLES` are read.

    Returns:
        zone_level, zone_code, generation (text), geometry_wkb (binary, EPSG:2154; null when none was received or
        it encloses nothing), repaired (bool), repair_reason (text: what was wrong with the contour, or null),
        area_m2 (double); sorted by the first three. A zone outside the area of use of EPSG:2154 has no row.

    Raises:
        GeoInputError: an IRIS is drawn twice.
    """
    import duckdb
    import pyarrow as pa
    import shapely

    with duckdb.connect() as connection:
        _refuse_twice(connection, raw_dir)
        raw = _layers(connection, raw_dir)
        shapes = shapely.from_wkb(raw["geometry"].to_numpy(zero_copy_only=False))
        received = ~shapely.is_missing(shapes)
        shapes, valid, reasons = mended(shapes)
        reasons[~received] = NOT_RECEIVED
        reasons[shapely.is_empty(shapes) & valid] = EMPTY
        # A contour flattened to a line has no surface to give: the zone stays, without a contour, and it is said.
        shapes[shapely.is_empty(shapes)] = None
        table = pa.table(
            {
                "zone_level": raw["zone_level"],
                "zone_code": raw["zone_code"],
                "generation": raw["generation"],
                "geometry_wkb": pa.array(shapely.to_wkb(shapes), pa.binary()),
                "repaired": pa.array(received & ~valid),
                "repair_reason": pa.array(reasons, pa.string()),
                "area_m2": pa.array(shapely.area(shapes), from_pandas=True),
            }
        )
        regions = _regions(connection, raw_dir, table)
    return pa.concat_tables([table, regions]).sort_by(
        [("zone_level", "ascending"), ("zone_code", "ascending"), ("generation", "ascending")]
    )


def _refuse_twice(connection: duckdb.DuckDBPyConnection, raw_dir: Path) -> None:
    """Raise GeoInputError for a zone drawn twice where each is drawn once: which contour is right cannot be guessed."""
    for table, code in DRAWN_ONCE.items():
        relation = f"read_parquet('{raw_dir / table}.parquet')"
        numbered = f"row_number() over (partition by trim({code}) order by _source_member, _source_row)"
        twice = f"(select * from {relation} qualify {numbered} > 1)"
        refuse_where(connection, twice, table, column=code, wrong="true", expected="each zone once, in all files")


def _layers(connection: duckdb.DuckDBPyConnection, raw_dir: Path) -> pa.Table:
    """One row per zone: a zone present in two files keeps the one drawn in EPSG:2154, else the first."""
    union = "\nunion all\n".join(
        f"""select '{level}' as zone_level, trim("{code}") as zone_code, '{generation}' as generation, geometry,
                   _geometry_crs = '{TARGET_CRS}' as native, _source_member, _source_row
            from read_parquet('{raw_dir / table}.parquet') where geometry is not null or geometry_original is null"""
        for level, generation, table, code in LAYERS
    )
    table: pa.Table = connection.sql(
        f"""select zone_level, zone_code, generation, geometry from ({union})
            qualify row_number() over (
                partition by zone_level, zone_code, generation order by
                    geometry is null, native desc, _source_member, _source_row
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
