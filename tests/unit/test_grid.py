"""Shares of grid cells, against the intersection of each cell one by one."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dagster_project.geo.grid import CellShares, cell_shares
from dagster_project.geo.polygons import mended

SIZE = 200.0


def array(*shapes: shapely.Geometry | None) -> np.ndarray:
    held = np.empty(len(shapes), dtype=object)
    held[:] = shapes
    return held


def one_by_one(shape: shapely.Geometry, size: float) -> dict[tuple[int, int], float]:
    """Share of every cell of the box, each cell drawn and intersected."""
    west, south, east, north = np.floor(np.array(shape.bounds) / size).astype(int)
    found = {}
    for column in range(west, east + 1):
        for row in range(south, north + 1):
            cell = shapely.box(column * size, row * size, (column + 1) * size, (row + 1) * size)
            found[column, row] = shape.intersection(cell).area / size**2
    return found


def by_cell(shares: CellShares) -> dict[tuple[int, int], float]:
    found = dict(zip(zip(shares.column.tolist(), shares.row.tolist(), strict=True), shares.share.tolist(), strict=True))
    assert len(found) == len(shares.share)
    return found


# Places on the lines of the grid, and off them by a millimetre or more, as drawings are.
coordinate = st.integers(-3, 6).map(float) | st.integers(-600_000, 1_200_000).map(lambda mm: mm / 200_000)
rings = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=12)


@st.composite
def surfaces(draw: st.DrawFn) -> shapely.Geometry:
    """Valid surfaces: several parts, holes, sides on the lines of the grid."""
    drawn = [shapely.Polygon(ring) for ring in draw(st.lists(rings, min_size=1, max_size=3))]
    solid = shapely.union_all(mended(np.array(drawn, dtype=object)).shapes)
    assume(solid.is_valid)  # a union of sides a millimetre apart may not be
    hole = draw(st.tuples(coordinate, coordinate, coordinate, coordinate))
    return solid.difference(shapely.box(min(hole[::2]), min(hole[1::2]), max(hole[::2]), max(hole[1::2])))


@given(surfaces(), st.sampled_from([(0.0, 0.0), (19_000.0, 14_000.0)]))
@settings(max_examples=200, deadline=None)
def test_shares_are_those_of_each_cell_drawn(shape: shapely.Geometry, shift: tuple[float, float]) -> None:
    placed = shapely.transform(shape, lambda points: (points + shift) * SIZE)
    if placed.is_empty or not placed.is_valid:
        return
    found = by_cell(cell_shares(array(placed), SIZE))
    expected = one_by_one(placed, SIZE)
    assert set(found) <= set(expected)
    for cell, share in expected.items():
        assert found.get(cell, 0.0) == pytest.approx(share, abs=1e-8), cell
    assert all(0 < share <= 1 for share in found.values())
    assert sum(found.values()) * SIZE**2 == pytest.approx(placed.area, rel=1e-9, abs=1e-3)


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=2, max_size=8, unique=True))
@settings(deadline=None)
def test_zones_that_make_up_a_whole_share_each_cell_of_it(points: list[tuple[int, int]]) -> None:
    whole = shapely.box(0, 0, 1800, 1800)
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=shapely.box(0, 0, 900, 900))
    )
    zones = shapely.intersection(shapely.transform(cells, lambda xy: xy * 2), whole)
    shares = cell_shares(zones, SIZE)
    total = np.zeros((9, 9))
    np.add.at(total, (shares.row, shares.column), shares.share)
    covered = shapely.area(zones).sum() / whole.area
    assert total.sum() / 81 == pytest.approx(covered, rel=1e-9)
    if covered == pytest.approx(1, rel=1e-9):
        np.testing.assert_allclose(total, 1, atol=1e-8)


def test_cells_wholly_inside_are_exactly_one() -> None:
    shares = cell_shares(array(shapely.box(100, 100, 1100, 700)), SIZE)
    found = by_cell(shares)
    assert found[2, 1] == 1.0
    assert found[0, 0] == pytest.approx(0.25)
    assert len(found) == 6 * 4


def test_a_zone_on_the_lines_of_the_grid_covers_only_its_own_cells() -> None:
    found = by_cell(cell_shares(array(shapely.box(400, 200, 800, 400)), SIZE))
    assert found == {(2, 1): 1.0, (3, 1): 1.0}


def test_missing_and_empty_zones_cover_nothing_and_keep_the_place_of_others() -> None:
    shares = cell_shares(array(None, shapely.Polygon(), shapely.box(0, 0, 200, 200)), SIZE)
    assert shares.polygon.tolist() == [2]
    assert len(cell_shares(array(None), SIZE).share) == 0
    assert len(cell_shares(array(), SIZE).share) == 0


def test_a_hole_is_not_covered() -> None:
    ring = shapely.box(0, 0, 1000, 1000).difference(shapely.box(200, 200, 800, 800))
    found = by_cell(cell_shares(array(ring), SIZE))
    assert len(found) == 16
    assert set(found.values()) == {1.0}
