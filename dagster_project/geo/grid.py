"""Exact share of each cell of a regular grid that polygons cover, without building a single cell.

A polygon's area is the sum of x·dy along its boundary, counter-clockwise. Cut at the grid's lines, each piece of
boundary lies in one cell: it gives that cell the area between the cell's west side and itself, and gives all the
cells to the west of it, in the same row, its whole height. Cells that no boundary crosses are wholly in or out.
The cost is that of the boundary, not of the cells times the vertices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dagster_project.geo.polygons import Index, Shapes

Floats = npt.NDArray[np.float64]
# Share of a cell that the precision of coordinates cannot tell from none: 4 mm² of a 200 m square.
ROUNDING = 1e-10


class CellShares(NamedTuple):
    """Cells that polygons cover, sorted by polygon, row and column.

    Attributes:
        polygon: position of the polygon.
        column, row: number of the cell: its south-west corner is at (column, row) times the size.
        share: part of the cell that the polygon covers, over 0 and at most 1.
    """

    polygon: Index
    column: Index
    row: Index
    share: Floats


class _Pieces(NamedTuple):
    """Straight pieces of boundary, each in one cell, in cells from the corner of their polygon's box."""

    polygon: Index
    column: Index
    row: Index
    middle: Floats  # mean x, from the cell's west side
    height: Floats  # signed dy


def cell_shares(polygons: Shapes, size: float) -> CellShares:
    """Cells of the grid of this size, through the origin, that each polygon covers.

    Args:
        polygons: valid polygons or multipolygons; missing and empty ones cover nothing. Other parts are ignored.
        size: side of a cell, in the coordinates' unit.
    """
    boundary, corners = _boundary(polygons, size)
    pieces = _cut(*boundary)
    shares = _sweep(pieces)
    east, north = corners[shares.polygon].T
    return CellShares(shares.polygon, shares.column + east, shares.row + north, shares.share)


def _boundary(polygons: Shapes, size: float) -> tuple[tuple[Index, Floats, Floats], Index]:
    """Edges (polygon, start, end) of all rings, interiors to the left, and the cell at the corner of each box."""
    import shapely

    # Counting from the box keeps the coordinates small: no digit is lost to the distance from the origin.
    corners = np.floor(np.nan_to_num(shapely.bounds(polygons)[:, :2]) / size).astype(np.int64)
    parts, owner = shapely.get_parts(polygons, return_index=True)
    areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    rings, part = shapely.get_rings(shapely.orient_polygons(parts[areal]), return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    polygon = owner[areal][part][ring]
    local = (points - corners[polygon] * size) / size
    joined = np.flatnonzero(ring[1:] == ring[:-1])
    return (polygon[joined].astype(np.int64), local[joined], local[joined + 1]), corners


def _cut(polygon: Index, start: Floats, end: Floats) -> _Pieces:
    """Edges cut wherever they cross a line of the grid."""
    edges = [np.arange(len(polygon)), np.arange(len(polygon))]
    along = [np.zeros(len(polygon)), np.ones(len(polygon))]
    for axis in (0, 1):
        edge, line = _between(np.minimum(start, end)[:, axis], np.maximum(start, end)[:, axis])
        edges.append(edge)
        along.append((line - start[edge, axis]) / (end - start)[edge, axis])
    edge, at = np.concatenate(edges), np.concatenate(along)
    order = np.lexsort((at, edge))
    edge, at = edge[order], at[order]
    first = np.flatnonzero(edge[1:] == edge[:-1])
    edge, origin = edge[first], start[edge[first]]
    vector = end[edge] - origin
    one, other = origin + at[first, None] * vector, origin + at[first + 1, None] * vector
    middle = (one + other) / 2
    cell = np.floor(middle).astype(np.int64)
    return _Pieces(polygon[edge], cell[:, 0], cell[:, 1], middle[:, 0] - cell[:, 0], other[:, 1] - one[:, 1])


def _between(low: Floats, high: Floats) -> tuple[Index, Floats]:
    """Integers strictly between two bounds, for each pair of bounds: position of the pair, integer."""
    first = np.floor(low) + 1
    counts = np.maximum(np.ceil(high) - first, 0).astype(np.int64)
    owner = np.repeat(np.arange(len(low)), counts)
    return owner, first[owner] + _rank(counts)


def _rank(counts: Index) -> Index:
    """0, 1, 2… within each run of the given lengths."""
    rank: Index = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return rank


def _sweep(pieces: _Pieces) -> CellShares:
    """From pieces of boundary to shares, row by row from the east."""
    order = np.lexsort((pieces.column, pieces.row, pieces.polygon))
    polygon, row, column = (values[order] for values in (pieces.polygon, pieces.row, pieces.column))
    new_row = np.ones(len(order), dtype=bool)
    new_row[1:] = (polygon[1:] != polygon[:-1]) | (row[1:] != row[:-1])
    new_cell = new_row.copy()
    new_cell[1:] |= column[1:] != column[:-1]
    starts = np.flatnonzero(new_cell)
    if not len(starts):
        return CellShares(polygon, column, row, np.empty(0))
    height = np.add.reduceat(pieces.height[order], starts)
    inside = np.add.reduceat((pieces.height * pieces.middle)[order], starts)
    polygon, row, column, new_row = polygon[starts], row[starts], column[starts], new_row[starts]
    line = np.cumsum(new_row) - 1
    passed = np.cumsum(height)
    total = np.add.reduceat(height, np.flatnonzero(new_row))
    before = passed - height - (np.cumsum(total) - total)[line]  # heights to the west of this cell, in its row
    east = total[line] - before - height
    # Between two crossed cells of a row, all or nothing: what is passed to the east of them is 0 or 1 but for rounding.
    gap = np.zeros(len(starts), dtype=np.int64)
    gap[1:] = np.where(new_row[1:], 0, column[1:] - column[:-1] - 1)
    full = np.where(np.rint(total[line] - before) > 0, gap, 0)
    filled = np.repeat(np.arange(len(starts)), full)
    share = np.concatenate([inside + east, np.ones(len(filled))])
    polygon, row = np.concatenate([polygon, polygon[filled]]), np.concatenate([row, row[filled]])
    column = np.concatenate([column, column[filled] - 1 - _rank(full)])
    kept = np.flatnonzero(share > ROUNDING)
    kept = kept[np.lexsort((column[kept], row[kept], polygon[kept]))]
    return CellShares(polygon[kept], column[kept], row[kept], np.minimum(share[kept], 1.0))
