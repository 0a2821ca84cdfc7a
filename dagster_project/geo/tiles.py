"""INSEE tiles: squares of EPSG:3035 that their identifier places, so that none has to be drawn.

Shares are computed in EPSG:3035, where tiles are squares and areas are true. A straight side of a contour in
EPSG:2154 is not straight there: contours are given a point every DENSIFY_M before they move. Without, a tile's share is
wrong by up to 2e-6 on QPV, whose longest side is 534 m, but by 2e-3 on sides of 18 km, which IRIS have.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dagster_project.geo.grid import cell_shares
from dagster_project.geo.inputs import latest, number, refuse_text, refuse_where
from dagster_project.geo.polygons import Index, Shapes
from dagster_project.sources.crs import TARGET_CRS, transformer

TILE_CRS = "EPSG:3035"
DENSIFY_M = 200.0
# Table and identifier column of each mesh.
MESHES = {
    "200m": ("insee_filosofi_carreaux", "idcar_200m"),
    "naturel": ("insee_filosofi_carreaux_nat", "idcar_nat"),
}
PEOPLE = "ind"
IDENTIFIER = r"CRS3035RES(\d+)mN(\d+)E(\d+)"


class Tiles(NamedTuple):
    """Tiles of one mesh, sorted by size, row and column.

    Attributes:
        ids: identifiers.
        size: side in metres.
        column, row: number of the cell: south-west corner divided by the size (EPSG:3035).
        people: inhabitants, nan where the cell is empty.
    """

    ids: Shapes
    size: Index
    column: Index
    row: Index
    people: npt.NDArray[np.float64]


class TileShares(NamedTuple):
    """Zones that cover a part of a tile: position of the zone, of the tile, and that part of the tile's area."""

    zone: Index
    tile: Index
    share: npt.NDArray[np.float64]


def read_tiles(raw_dir: Path, mesh: str) -> Tiles | None:
    """Tiles of a mesh, last vintage; None when the source is absent (its table is empty).

    Raises:
        GeoInputError: an identifier that places no tile, a tile given twice, a population that is no number.
    """
    import duckdb

    table, identifier = MESHES[mesh]
    relation = latest(raw_dir, table)
    with duckdb.connect() as connection:
        refuse_where(
            connection,
            relation,
            table,
            column=identifier,
            wrong=_misplaced(identifier),
            expected="an identifier such as CRS3035RES200mN2850600E4038400, whose corner is a multiple of its size",
        )
        twice = (
            f"(select * from {relation} qualify row_number() over (partition by {identifier} order by _source_row) > 1)"
        )
        refuse_where(connection, twice, table, column=identifier, wrong="true", expected="each tile once")
        refuse_text(connection, relation, table, PEOPLE)
        found = connection.execute(
            f"""with placed as (
                    select {identifier} as id, {number(PEOPLE)} as people,
                           regexp_extract({identifier}, '{IDENTIFIER}', ['size', 'north', 'east']) as place
                    from {relation}
                )
                select id, place.size::bigint as size, place.east::bigint // place.size::bigint as "column",
                       place.north::bigint // place.size::bigint as "row", people
                from placed order by size, "row", "column" """
        ).to_arrow_table()
    if not found.num_rows:
        return None
    size, column, row = (found[name].to_numpy() for name in ("size", "column", "row"))
    ids = found["id"].to_numpy(zero_copy_only=False)
    return Tiles(ids, size, column, row, found["people"].to_numpy(zero_copy_only=False))


def _misplaced(identifier: str) -> str:
    """SQL condition: the identifier does not say where its tile is."""
    size, north, east = (f"regexp_extract({identifier}, '{IDENTIFIER}', {i})" for i in (1, 2, 3))
    number_of = "coalesce(try_cast({} as bigint), 0)".format
    return f"""not coalesce(regexp_full_match({identifier}, '{IDENTIFIER}'), false) or {number_of(size)} = 0
               or {number_of(north)} % {number_of(size)} <> 0 or {number_of(east)} % {number_of(size)} <> 0"""


def in_tile_system(shapes: Shapes) -> Shapes:
    """Contours of EPSG:2154 as they are in EPSG:3035."""
    import shapely

    transform = transformer(TARGET_CRS, TILE_CRS).transform
    dense = shapely.segmentize(shapes, DENSIFY_M)
    moved: Shapes = shapely.transform(dense, lambda x, y: np.stack(transform(x, y)), interleaved=False)
    return moved


def tile_shares(shapes: Shapes, tiles: Tiles) -> TileShares:
    """Share of each tile that each zone covers.

    Args:
        shapes: valid polygons in EPSG:3035 (see `in_tile_system`).
        tiles: of one mesh, whatever their sizes.

    Returns:
        Every zone and tile that share a surface, sorted by zone then tile.
    """
    found = []
    for size in np.unique(tiles.size):
        shares = cell_shares(shapes, float(size))
        start, end = np.searchsorted(tiles.size, [size, size + 1])
        place = _position(tiles, slice(start, end), shares.row, shares.column)
        known = place >= 0
        found.append((shares.polygon[known], place[known], shares.share[known]))
    zone, tile, share = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((tile, zone))
    return TileShares(zone[order], tile[order], share[order])


def _position(tiles: Tiles, among: slice, row: Index, column: Index) -> Index:
    """Position of the tile in each cell, among tiles of one size; -1 where no tile is."""
    keys, wanted = _cell_key(tiles.row[among], tiles.column[among]), _cell_key(row, column)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    position: Index = np.where(keys[at] == wanted, among.start + at, -1)
    return position


def _cell_key(row: Index, column: Index) -> Index:
    """One number per cell, in the order of rows and columns (a grid has fewer than 2^31 columns)."""
    key: Index = (row << 32) + column
    return key


def tile_of_points(tiles: Tiles, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Index:
    """Position of the tile in which each point of EPSG:2154 lies, -1 where there is none.

    A point on a side belongs to the tile to the north or the east of it. The smallest tile wins, for meshes whose
    tiles lie within one another.
    """
    east, north = transformer(TARGET_CRS, TILE_CRS).transform(x, y)
    owner = np.full(len(x), -1, dtype=np.int64)
    for size in np.unique(tiles.size)[::-1]:
        start, end = np.searchsorted(tiles.size, [size, size + 1])
        column, row = (np.floor(values / size).astype(np.int64) for values in (east, north))
        place = _position(tiles, slice(start, end), row, column)
        owner = np.where(place >= 0, place, owner)
    return owner
