"""Polygons that can be computed with: valid ones are left alone, invalid ones are repaired and it is said why."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Shapes = npt.NDArray[np.object_]  # shapely geometries, None where there is none
Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Mended(NamedTuple):
    """Shapes after repair; `valid` tells which were so as received, `reasons` why not (None where valid)."""

    shapes: Shapes
    valid: Mask
    reasons: Shapes


def mended(shapes: Shapes) -> Mended:
    """Repair what is invalid, in one call for all, and only that.

    A missing shape stays missing: it is neither valid nor repaired, and its reason is None.
    """
    import shapely

    valid: Mask = shapely.is_valid(shapes)
    broken = ~valid & ~shapely.is_missing(shapes)
    reasons: Shapes = np.full(len(shapes), None, dtype=object)
    if not broken.any():
        return Mended(shapes, valid, reasons)
    reasons[broken] = shapely.is_valid_reason(shapes[broken])
    repaired = shapes.copy()
    repaired[broken] = surfaces(shapely.make_valid(shapes[broken]))
    return Mended(repaired, valid, reasons)


def mended_among(shapes: Shapes, members: Index) -> Shapes:
    """The same shapes, those at the positions `members` repaired where invalid: checking all would cost more."""
    import shapely

    broken = members[~shapely.is_valid(shapes[members])]
    if not len(broken):
        return shapes
    copy = shapes.copy()
    copy[broken] = mended(shapes[broken]).shapes
    return copy


def surfaces(shapes: Shapes) -> Shapes:
    """Polygons and multipolygons as they are; of a collection, only its surfaces.

    Repairing or intersecting may leave stray lines or points beside the polygons; only surfaces are a perimeter.
    """
    import shapely

    kinds = shapely.get_type_id(shapes)
    areal = (kinds == shapely.GeometryType.POLYGON) | (kinds == shapely.GeometryType.MULTIPOLYGON)
    mixed = np.flatnonzero(~areal & ~shapely.is_missing(shapes))
    kept: Shapes = shapes.copy()
    for at in mixed:  # rare, and of a few parts each
        parts = shapely.get_parts(shapely.get_parts(shapes[at]))
        kept[at] = shapely.union_all(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON])
    return kept
