"""Groups of neighbours."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dagster_project.routing.sphere import neighbourhoods

POINTS = st.integers(0, 60).flatmap(lambda n: arrays(np.float64, (n, 2), elements=st.floats(-9, 9)))


@given(POINTS, st.integers(1, 20))
def test_every_point_is_in_one_group_and_groups_are_full_but_one(points: np.ndarray, size: int) -> None:
    groups = neighbourhoods(points, size)
    assert sorted(np.concatenate(groups)) == list(range(len(points)))
    assert sum(len(group) != size for group in groups) <= 1
    assert max(map(len, groups)) <= size


def test_towns_apart_are_groups() -> None:
    random = np.random.default_rng(2)
    towns = np.repeat([[0.0, 0.0], [40.0, 3.0], [38.0, 90.0], [2.0, 50.0]], 10, axis=0)
    order = random.permutation(len(towns))
    groups = neighbourhoods((towns + random.normal(0, 1, towns.shape))[order], 10)
    assert sorted(sorted({*(order[group] // 10).tolist()}) for group in groups) == [[0], [1], [2], [3]]
