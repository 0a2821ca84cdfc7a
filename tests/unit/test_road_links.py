"""Walks between near points: the same as the whole matrix cut at a duration, in far fewer questions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.routing.roads.engine import LonLat, Matrix, Mode, crow_metres
from dagster_project.routing.roads.links import FASTEST, GROUP, walking_links

STREET_FACTOR = 1.3
places = st.lists(st.tuples(st.floats(-1.70, -1.60), st.floats(48.05, 48.15)), min_size=0, max_size=40).map(
    lambda points: np.array(points, float).reshape(-1, 2)
)


class Straight:
    """Walks at 1 m/s, 1.3 times the distance as the crow flies; remembers what it was asked."""

    name, version = "straight", "0"

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def matrix(self, origins: LonLat, destinations: LonLat, mode: Mode) -> Matrix:
        assert mode == "marche"
        self.asked.append((len(origins), len(destinations)))
        metres = (crow_metres(origins[:, None], destinations[None]) * STREET_FACTOR).astype(np.float32)
        seconds = np.where(origins[:, None, 0] < -1.69, np.nan, metres).astype(np.float32)
        none = np.zeros(len(origins), bool), np.zeros(len(destinations), bool)
        return Matrix(seconds, metres, *none)


@settings(deadline=None, max_examples=60)
@given(places, places, st.sampled_from([60.0, 900.0, 3600.0]))
def test_links_are_the_short_cells_of_the_matrix(one: np.ndarray, other: np.ndarray, longest: float) -> None:
    found = walking_links(Straight(), one, other, longest, threads=2)
    whole = Straight().matrix(one, other, "marche").seconds
    i, j = np.nonzero(whole <= longest)
    assert np.array_equal(np.repeat(np.arange(len(one)), np.diff(found.first)), i)
    assert np.array_equal(found.target, j)
    assert np.array_equal(found.seconds, np.rint(whole[i, j]).astype(int))
    assert (found.first.dtype, found.target.dtype, found.seconds.dtype) == (np.int64, np.int32, np.int32)


def test_thousands_of_points_are_asked_in_small_blocks() -> None:
    points = np.random.default_rng(1).uniform([-1.68, 48.05], [-1.60, 48.15], (4000, 2))
    engine = Straight()
    found = walking_links(engine, points, points, 300)
    asked = sum(n * m for n, m in engine.asked)
    assert asked < 0.03 * len(points) ** 2
    assert max(n for n, _ in engine.asked) <= GROUP
    assert (found.seconds <= 300).all()
    itself = found.seconds[found.target == np.repeat(np.arange(len(points)), np.diff(found.first))]
    assert len(itself) == len(points)
    assert not itself.any()


def test_no_walk_is_faster_than_the_prefilter_allows() -> None:
    """Engines walk at about 5 km/h: the radius asked for is wide enough."""
    assert FASTEST > 5.1 / 3.6


def test_points_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="points"):
        walking_links(Straight(), np.zeros(3), np.zeros((1, 2)), 60)
