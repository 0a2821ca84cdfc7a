"""Where two layers of polygons meet: one pass over the pairs that do, whatever the number of those that do not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dagster_project.geo.polygons import Index, Shapes, mended_among


class Overlaps(NamedTuple):
    """Pairs that share a surface, sorted by the first member then the second.

    Attributes:
        left, right: positions of the two members.
        area: of what they share, in the square of the coordinates' unit, over 0.
        shapes: what they share; it may bear lines and points besides.
    """

    left: Index
    right: Index
    area: npt.NDArray[np.float64]
    shapes: Shapes


def area_overlaps(left: Shapes, right: Shapes) -> Overlaps:
    """Common part of every two polygons that meet, one of each layer, and its area.

    Args:
        left: polygons of one layer, in a planar system; better the smaller layer. Missing and empty ones meet nothing.
        right: polygons of the other layer, in the same system.

    Returns:
        Every pair that shares a surface, however small. Invalid polygons are repaired first, but only those that meet
        another: to check all would cost more than the rest.
    """
    import shapely

    # A tree over the smaller layer, whose members are prepared: each of them is asked about several times.
    at_right, at_left = shapely.STRtree(left).query(right)
    shapely.prepare(left)
    # The predicate sees an invalid polygon as its repair will be: what its lines enclose an odd number of times.
    meeting = shapely.intersects(left[at_left], right[at_right])
    at_left, at_right = at_left[meeting], at_right[meeting]
    left, right = mended_among(left, np.unique(at_left)), mended_among(right, np.unique(at_right))
    order = np.lexsort((at_right, at_left))
    at_left, at_right = at_left[order].astype(np.int64), at_right[order].astype(np.int64)
    shapes: Shapes = shapely.intersection(left[at_left], right[at_right])
    area = shapely.area(shapes)
    # Neighbours that only touch meet along a line: no surface is exactly 0, and nothing else is dropped.
    shared = area > 0
    return Overlaps(at_left[shared], at_right[shared], area[shared], shapes[shared])
