"""Areas that two layers share, against shapely one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.geo.overlay import area_overlaps
from dagster_project.geo.polygons import mended, surfaces

BOW_TIE = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])


def array(*shapes: shapely.Geometry | None) -> np.ndarray:
    held = np.empty(len(shapes), dtype=object)
    held[:] = shapes
    return held


points = st.tuples(st.integers(0, 40), st.integers(0, 40))
triangles = st.tuples(points, points, points).map(shapely.Polygon).filter(lambda shape: shape.area > 0)
boxes = st.tuples(points, points).map(lambda c: shapely.box(*c[0], *c[1])).filter(lambda shape: shape.area > 0)
layers = st.lists(triangles | boxes, max_size=8)


@given(layers, layers)
@settings(deadline=None)
def test_areas_are_those_of_each_pair(left: list[shapely.Geometry], right: list[shapely.Geometry]) -> None:
    found = area_overlaps(array(*left), array(*right))
    areas = dict(zip(zip(found.left.tolist(), found.right.tolist(), strict=True), found.area.tolist(), strict=True))
    pairs = itertools.product(range(len(left)), range(len(right)))
    expected = {(i, j): left[i].intersection(right[j]).area for i, j in pairs}
    assert areas == pytest.approx({pair: area for pair, area in expected.items() if area > 0}, rel=1e-9, abs=1e-12)
    assert list(areas) == sorted(areas)
    for (i, _), area in areas.items():
        assert 0 < area <= left[i].area * (1 + 1e-9)


@given(layers.filter(bool), st.lists(st.integers(1, 39), min_size=1, max_size=4, unique=True))
@settings(deadline=None)
def test_parts_of_a_whole_add_up_to_it(zones: list[shapely.Geometry], cuts: list[int]) -> None:
    lines = [0, *sorted(cuts), 40]
    strips = array(*(shapely.box(west, 0, east, 40) for west, east in itertools.pairwise(lines)))
    found = area_overlaps(array(*zones), strips)
    total = np.bincount(found.left, found.area, len(zones))
    np.testing.assert_allclose(total / shapely.area(zones), 1, rtol=1e-9)


def test_neighbours_that_only_touch_share_nothing() -> None:
    found = area_overlaps(array(shapely.box(0, 0, 1, 1)), array(shapely.box(1, 0, 2, 1), shapely.box(1, 1, 2, 2)))
    assert len(found.area) == 0


def test_a_sliver_is_kept_however_thin() -> None:
    found = area_overlaps(array(shapely.box(0, 0, 1, 1)), array(shapely.box(1 - 1e-9, 0, 2, 1)))
    assert found.area.tolist() == [pytest.approx(1e-9, rel=1e-6)]


def test_an_invalid_member_is_repaired_before_it_is_measured() -> None:
    found = area_overlaps(array(BOW_TIE), array(shapely.box(0, 0, 10, 5)))
    assert found.area.tolist() == [pytest.approx(25)]


@given(st.lists(st.lists(points, min_size=4, max_size=7).map(shapely.Polygon), min_size=1, max_size=4), layers)
@settings(deadline=None)
def test_repairing_what_meets_is_repairing_all(left: list[shapely.Geometry], right: list[shapely.Geometry]) -> None:
    crossed = array(*left)
    found, wanted = area_overlaps(crossed, array(*right)), area_overlaps(mended(crossed).shapes, array(*right))
    assert found.left.tolist() == wanted.left.tolist()
    assert found.right.tolist() == wanted.right.tolist()
    np.testing.assert_array_equal(found.area, wanted.area)


def test_missing_and_empty_members_meet_nothing() -> None:
    found = area_overlaps(array(None, shapely.Polygon(), shapely.box(0, 0, 2, 2)), array(shapely.box(1, 1, 3, 3), None))
    assert (found.left.tolist(), found.right.tolist()) == ([2], [0])
    assert len(area_overlaps(array(), array()).area) == 0


def test_the_layers_given_are_left_as_they_were() -> None:
    left = array(BOW_TIE)
    area_overlaps(left, array(shapely.box(0, 0, 10, 5)))
    assert left[0] is BOW_TIE
    assert not left[0].is_valid


def test_only_what_is_invalid_is_repaired_and_it_is_said_why() -> None:
    square = shapely.box(0, 0, 1, 1)
    shapes, valid, reasons = mended(array(square, BOW_TIE, None))
    assert shapes[0] is square
    assert shapes[1].is_valid
    assert shapes[1].area == pytest.approx(50)
    assert shapes[2] is None
    assert valid.tolist() == [True, False, False]
    assert reasons[0] is None
    assert "Self-intersection" in reasons[1]
    assert reasons[2] is None


def test_stray_lines_of_a_collection_are_no_surface() -> None:
    stray = shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.LineString([(2, 2), (3, 3)])])
    kept = surfaces(array(stray, shapely.LineString([(0, 0), (1, 1)]), None))
    assert kept[0].equals(shapely.box(0, 0, 1, 1))
    assert kept[1].is_empty
    assert kept[2] is None
