"""Which zones touch: the contiguity that spatial statistics need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# Levels that are tested as meshes.
MESHES = ("COM", "IRIS")
# Contours of neighbours are simplified each on its own: within this distance, they touch.
TOLERANCE_M = 1.0


def build_neighbours(geometries: Path) -> pa.Table:
    """Pairs of zones of one mesh that touch, both ways (queen contiguity).

    Args:
        geometries: `derived/zone_geometries.parquet`.

    Returns:
        mesh, zone_code, neighbour_code (text), sorted. A zone that touches none has no row.
    """
    import duckdb
    import pyarrow as pa

    with duckdb.connect() as connection:
        tables = [
            _pairs(
                mesh,
                connection.execute(
                    """select zone_code, geometry_wkb from read_parquet(?)
                       where zone_level = ? and geometry_wkb is not null order by zone_code""",
                    [str(geometries), mesh],
                ).to_arrow_table(),
            )
            for mesh in MESHES
        ]
    return pa.concat_tables(tables)


def _pairs(mesh: str, zones: pa.Table) -> pa.Table:
    import pyarrow as pa
    import shapely

    shapes = shapely.from_wkb(zones["geometry_wkb"].to_numpy(zero_copy_only=False))
    left, right = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=TOLERANCE_M)
    other = left != right
    codes = zones["zone_code"]
    table = pa.table(
        {
            "mesh": pa.array([mesh] * int(other.sum()), pa.string()),
            "zone_code": codes.take(pa.array(left[other])).combine_chunks(),
            "neighbour_code": codes.take(pa.array(right[other])).combine_chunks(),
        }
    )
    return table.sort_by([("zone_code", "ascending"), ("neighbour_code", "ascending")])
