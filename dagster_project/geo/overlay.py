"""Where two layers of polygons meet: one pass over the pairs that do, whatever the number of those that do not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dagster_project.geo.polygons import Index, Shapes, mended_among


class Pairs(NamedTuple):
    """Positions of the two members of each pair, sorted by the first then the second."""

    left: Index
    right: Index


class AreaOverlaps(NamedTuple):
    """Pairs that share a surface, with its area in the square of the coordinates' unit."""

    left: Index
    right: Index
    area: npt.NDArray[np.float64]


def intersections(left: Shapes, right: Shapes) -> tuple[Pairs, Shapes]:
    """Common part of every two polygons that meet, one of each layer.

    Args:
        left: polygons of one layer, in a planar system; the smaller layer is the better choice, for each of these is
            prepared once. Missing and empty ones meet nothing.
        right: polygons of the other layer, in the same system.

    Returns:
        The pairs that share a surface, however small, and that surface (it may bear lines and points besides).
        Invalid polygons are repaired first, but only those that meet another: checking validity has a cost.
    """
    import shapely

    # A tree over the smaller layer, whose members are prepared: each of them is asked about several times.
    at_right, at_left = shapely.STRtree(left).query(right)
    shapely.prepare(left)
    # The predicate sees an invalid polygon as its repair will be: what its lines enclose an odd number of times.
    meeting = shapely.intersects(left[at_left], right[at_right])
    at_left, at_right = at_left[meeting], at_right[meeting]
    left, right = (mended_among(shapes, np.unique(at)) for shapes, at in ((left, at_left), (right, at_right)))
    pairs = np.stack([at_left, at_right])
    pairs = pairs[:, np.lexsort(pairs[::-1])].astype(np.int64)
    common: Shapes = shapely.intersection(left[pairs[0]], right[pairs[1]])
    # Neighbours that only touch meet along a line: no surface is exactly 0, and nothing else is dropped.
    shared = shapely.area(common) > 0
    return Pairs(*pairs[:, shared]), common[shared]


def area_overlaps(left: Shapes, right: Shapes) -> AreaOverlaps:
    """Area shared by every two polygons that meet: see `intersections`."""
    import shapely

    pairs, common = intersections(left, right)
    return AreaOverlaps(*pairs, shapely.area(common))
