"""What lies in what: surface, dwellings and inhabitants shared by IRIS and the two generations of QPV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dagster_project.geo.dwellings import DWELLINGS, Dwellings, read_dwellings, zone_of_points
from dagster_project.geo.overlay import area_overlaps
from dagster_project.geo.polygons import Index, Shapes, surfaces
from dagster_project.geo.tiles import MESHES, in_tile_system, read_tiles, tile_shares
from dagster_project.geo.zones import Layer, read_layers

if TYPE_CHECKING:
    import pyarrow as pa

RAW_TABLES = (DWELLINGS, MESHES["200m"][0])
CODES = ("iris_code", "qp2015_code", "qn2024_code")
NOT_BOUND = -1  # position of no zone: the layer does not constrain the row


class _Rows(NamedTuple):
    """Rows of the table: position in each layer or NOT_BOUND, and the surface common to the zones named."""

    iris: Index
    qp: Index
    qn: Index
    shapes: Shapes


def build_overlaps(zone_geometries: Path, raw_dir: Path) -> pa.Table:
    """Common parts of the zones of three layers: IRIS, QPV 2015, QPV 2024.

    Args:
        zone_geometries: `derived/zone_geometries.parquet`, whose contours are valid.
        raw_dir: folder of raw tables; those named in `RAW_TABLES` are read, and may be empty.

    Returns:
        iris_code, qp2015_code, qn2024_code (text; null = not constrained by that layer): one zone, or two or three
        that share a surface. area_m2 (double): the shared area in EPSG:2154. dwellings (bigint): dwellings inside;
        null without a file of dwellings. tile_population (double): inhabitants of 200 m tiles, spread evenly over
        each tile; null without tiles. Sorted by the three codes, nulls last.
        A dwelling on the line between two zones counts in one only (the first code), so that a row whose zones merely
        touch may exist for it, with an area of 0.

    Raises:
        GeoInputError: a raw table holds cells that are no numbers or place no tile.
    """
    layers = read_layers(zone_geometries)
    rows = _rows(*layers)
    return _table(layers, rows, _dwellings(layers, read_dwellings(raw_dir)), _population(rows, raw_dir))


def _rows(iris: Layer, qp: Layer, qn: Layer) -> _Rows:
    """The zones themselves, then what they share two by two, then three by three."""
    in_qp, in_qn = area_overlaps(qp.shapes, iris.shapes), area_overlaps(qn.shapes, iris.shapes)
    both = area_overlaps(qp.shapes, qn.shapes)
    of_both = surfaces(both.shapes)
    three = area_overlaps(of_both, iris.shapes)
    parts = [
        _part(iris.shapes, iris=np.arange(len(iris.codes))),
        _part(qp.shapes, qp=np.arange(len(qp.codes))),
        _part(qn.shapes, qn=np.arange(len(qn.codes))),
        _part(in_qp.shapes, qp=in_qp.left, iris=in_qp.right),
        _part(in_qn.shapes, qn=in_qn.left, iris=in_qn.right),
        _part(of_both, qp=both.left, qn=both.right),
        _part(three.shapes, qp=both.left[three.left], qn=both.right[three.left], iris=three.right),
    ]
    iris_at, qp_at, qn_at, shapes = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return _Rows(iris_at, qp_at, qn_at, shapes)


def _part(shapes: Shapes, **positions: Index) -> _Rows:
    unbound = np.full(len(shapes), NOT_BOUND, dtype=np.int64)
    iris, qp, qn = (positions.get(name, unbound) for name in ("iris", "qp", "qn"))
    return _Rows(iris, qp, qn, shapes)


def _population(rows: _Rows, raw_dir: Path) -> pa.Array:
    """Inhabitants of each row, from 200 m tiles."""
    import pyarrow as pa

    tiles = read_tiles(raw_dir, "200m")
    if tiles is None:
        return pa.nulls(len(rows.shapes), pa.float64())
    shares = tile_shares(in_tile_system(surfaces(rows.shapes)), tiles)
    people = np.nan_to_num(tiles.people)[shares.tile] * shares.share
    return pa.array(np.bincount(shares.zone, people, len(rows.shapes)))


def _dwellings(layers: list[Layer], dwellings: Dwellings | None) -> pa.Table | None:
    """Places of dwellings as positions in each layer, NOT_BOUND outside all of its zones; None without dwellings."""
    import pyarrow as pa

    if dwellings is None:
        return None
    iris, qp, qn = (zone_of_points(layer.shapes, dwellings.x, dwellings.y) for layer in layers)
    return pa.table({"iris": iris, "qp": qp, "qn": qn, "dwellings": dwellings.dwellings})


def _table(layers: list[Layer], rows: _Rows, dwellings: pa.Table | None, population: pa.Array) -> pa.Table:
    import duckdb
    import pyarrow as pa
    import shapely

    areas = pa.table({**dict(zip(("iris", "qp", "qn"), rows, strict=False)), "area_m2": shapely.area(rows.shapes)})
    areas = areas.append_column("tile_population", population)
    with duckdb.connect() as connection:
        connection.register("areas", areas)
        if dwellings is None:
            query = "select iris, qp, qn, area_m2, null::bigint as dwellings, tile_population from areas"
        else:
            connection.register("places", dwellings)
            query = _COUNTED
        for code, layer, name in zip(CODES, layers, ("iris", "qp", "qn"), strict=True):
            names = pa.table({"at": np.arange(len(layer.codes)), code: pa.array(layer.codes, pa.string())})
            connection.register(f"names_{name}", names)
        table: pa.Table = connection.sql(
            f"""select {", ".join(CODES)}, area_m2, dwellings, tile_population from ({query}) as found
                left join names_iris on names_iris.at = iris
                left join names_qp on names_qp.at = qp
                left join names_qn on names_qn.at = qn
                order by {", ".join(f"{code} nulls last" for code in CODES)}"""
        ).to_arrow_table()
    return table


# Every place counts once in each combination of zones that hold it; one not in any QPV counts in its IRIS alone.
_COUNTED = f"""
    with counted as (
        select coalesce(iris, {NOT_BOUND}) as iris, coalesce(qp, {NOT_BOUND}) as qp, coalesce(qn, {NOT_BOUND}) as qn,
               sum(dwellings)::bigint as dwellings
        from (select nullif(iris, {NOT_BOUND}) as iris, nullif(qp, {NOT_BOUND}) as qp, nullif(qn, {NOT_BOUND}) as qn,
                     dwellings from places where dwellings > 0) as inside
        group by grouping sets ((iris), (qp), (qn), (iris, qp), (iris, qn), (qp, qn), (iris, qp, qn))
        having (grouping(iris) = 1 or iris is not null) and (grouping(qp) = 1 or qp is not null)
           and (grouping(qn) = 1 or qn is not null)
    )
    select iris, qp, qn, coalesce(area_m2, 0.0) as area_m2, coalesce(dwellings, 0) as dwellings,
           case when tiled.there then coalesce(tile_population, 0.0) end as tile_population
    from areas full join counted using (iris, qp, qn)
    cross join (select count(tile_population) > 0 as there from areas) as tiled
"""
