"""What lies in which tile: share of each INSEE tile, and of its dwellings, in each zone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.geo.dwellings import DWELLINGS, read_dwellings, zone_of_points
from dagster_project.geo.polygons import Shapes
from dagster_project.geo.tiles import MESHES, in_tile_system, read_tiles, tile_of_points, tile_shares
from dagster_project.geo.zones import IRIS, QN2024, QP2015, read_layers

if TYPE_CHECKING:
    import pyarrow as pa

RAW_TABLES = (DWELLINGS, *(table for table, _ in MESHES.values()))
KEY = ("tile_id", "mesh", "zone_level", "zone_code", "generation")
LAYERS = (IRIS, QP2015, QN2024)


def build_tile_overlaps(zone_geometries: Path, raw_dir: Path) -> pa.Table:
    """Parts of tiles in QPV of both generations and in IRIS.

    Args:
        zone_geometries: `derived/zone_geometries.parquet`, whose contours are valid.
        raw_dir: folder of raw tables; those named in `RAW_TABLES` are read, and may be empty.

    Returns:
        tile_id, mesh ('200m' or 'naturel'), zone_level, zone_code, generation (text); area_share (double): part of the
        tile's area, over 0 unless the tile only touches the zone at a dwelling; dwelling_share (double): part of the
        tile's dwellings, null when it has none or there is no file of dwellings. Sorted by the first five.

    Raises:
        GeoInputError: a raw table holds cells that are no numbers or place no tile.
    """
    import pyarrow as pa

    empty = pa.table({name: pa.nulls(0, kind) for name, kind in _columns()})
    given = {mesh: tiles for mesh in MESHES if (tiles := read_tiles(raw_dir, mesh)) is not None}
    if not given:
        return empty
    layers = read_layers(zone_geometries, LAYERS)
    moved = [in_tile_system(layer.shapes) for layer in layers]
    dwellings = read_dwellings(raw_dir)
    homes = [None if dwellings is None else zone_of_points(layer.shapes, dwellings.x, dwellings.y) for layer in layers]
    found = [empty]
    for mesh, tiles in given.items():
        tile = None if dwellings is None else tile_of_points(tiles, dwellings.x, dwellings.y)
        for named, layer, shapes, zone in zip(LAYERS, layers, moved, homes, strict=True):
            shares = tile_shares(shapes, tiles)
            parts = pa.table({"tile": shares.tile, "zone": shares.zone, "area_share": shares.share})
            places = None
            if dwellings is not None:
                places = pa.table({"tile": tile, "zone": zone, "dwellings": dwellings.dwellings})
            shared = _with_dwellings(parts, places)
            found.append(_named(shared, tiles.ids, mesh, layer.codes, named))
    return pa.concat_tables(found).sort_by([(name, "ascending") for name in KEY])


def _columns() -> list[tuple[str, pa.DataType]]:
    import pyarrow as pa

    return [*((name, pa.string()) for name in KEY), ("area_share", pa.float64()), ("dwelling_share", pa.float64())]


def _with_dwellings(parts: pa.Table, places: pa.Table | None) -> pa.Table:
    """Positions of tile and zone, share of the area, share of the dwellings."""
    import duckdb

    with duckdb.connect() as connection:
        connection.register("parts", parts)
        if places is None:
            query = "select tile, zone, area_share, null::double as dwelling_share from parts"
        else:
            connection.register("places", places)
            query = _COUNTED
        shared: pa.Table = connection.sql(query).to_arrow_table()
    return shared


# -1 is the position of no tile and of no zone.
_COUNTED = """
    with in_tile as (
        select tile, sum(dwellings) as dwellings from places where tile >= 0 group by tile having sum(dwellings) > 0
    ),
    in_both as (
        select tile, zone, sum(dwellings) as dwellings from places where tile >= 0 and zone >= 0
        group by tile, zone having sum(dwellings) > 0
    )
    select tile, zone, coalesce(area_share, 0.0) as area_share,
           case when in_tile.dwellings > 0 then coalesce(in_both.dwellings, 0) / in_tile.dwellings end as dwelling_share
    from parts full join in_both using (tile, zone) left join in_tile using (tile)
"""


def _named(shared: pa.Table, ids: Shapes, mesh: str, codes: Shapes, named: tuple[str, str]) -> pa.Table:
    import pyarrow as pa

    level, generation = named
    rows = shared.num_rows
    columns = (
        pa.array(ids, pa.string()).take(shared["tile"]),
        pa.array([mesh] * rows, pa.string()),
        pa.array([level] * rows, pa.string()),
        pa.array(codes, pa.string()).take(shared["zone"]),
        pa.array([generation] * rows, pa.string()),
        shared["area_share"],
        shared["dwelling_share"],
    )
    return pa.table(dict(zip((name for name, _ in _columns()), columns, strict=True)))
