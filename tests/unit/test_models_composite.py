"""Weighted statistics, scales and aggregation: numbers worked out by hand, and what must hold of any numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dagster_project.models import composite, importance, weighing

TAILS = (0.01, 0.99)
SCORES = arrays.arrays(np.float64, st.integers(2, 40), elements=st.integers(-50, 50).map(float))


def test_a_percentile_rank_counts_people_under_and_half_of_those_at_it() -> None:
    ranks, shares = weighing.population_ranks(
        np.array([3.0, 1.0, 3.0, np.nan, 7.0]), np.array([1.0, 2.0, 1.0, 9.0, 4.0])
    )
    assert ranks.tolist()[:3] == [37.5, 12.5, 37.5]
    assert np.isnan(ranks[3])
    assert ranks[4] == 75.0
    assert shares[[0, 1, 2, 4]].tolist() == [0.5, 0.25, 0.5, 1.0]


def test_a_zone_outside_the_reference_is_ranked_without_being_counted() -> None:
    ranks, _ = weighing.population_ranks(np.array([1.0, 2.0, 1.5]), np.array([1.0, 1.0, 0.0]))
    assert ranks.tolist() == [25.0, 75.0, 50.0]


def test_nothing_to_rank_against_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to rank against"):
        weighing.population_ranks(np.array([1.0, np.nan]), np.array([0.0, 5.0]))


@given(SCORES, st.randoms(use_true_random=False))
def test_ranks_stay_within_bounds_keep_order_and_ignore_the_order_of_rows(scores, random) -> None:
    weights = np.array([random.choice([0.0, 1.0, 3.0]) for _ in scores]) + (np.arange(len(scores)) == 0)
    ranks, shares = weighing.population_ranks(scores, weights)
    assert np.all((ranks >= 0) & (ranks <= 100))
    order = np.argsort(scores, kind="stable")
    assert np.all(np.diff(ranks[order]) >= 0)
    assert np.all(np.diff(shares[order]) >= 0)
    permutation = np.array(random.sample(range(len(scores)), len(scores)))
    again, _ = weighing.population_ranks(scores[permutation], weights[permutation])
    np.testing.assert_allclose(again, ranks[permutation])


@given(SCORES, st.floats(0.05, 0.95))
def test_reaching_the_cut_is_being_at_or_above_the_weighted_quantile(scores, share) -> None:
    weights = np.ones(len(scores))
    _, shares = weighing.population_ranks(scores, weights)
    expected = scores >= weighing.quantile(scores, weights, share)
    assert weighing.reaches(shares, share).tolist() == expected.tolist()


def test_draws_are_ranked_row_by_row() -> None:
    scores = np.random.default_rng(0).integers(0, 9, (4, 12)).astype(float)
    weights = np.arange(12.0)
    together, _ = weighing.population_ranks(scores, weights)
    for line, alone in zip(scores, together, strict=True):
        np.testing.assert_array_equal(weighing.population_ranks(line, weights)[0], alone)


def test_scale_by_hand() -> None:
    scale = composite.fit(np.array([0.0, 10.0, 20.0]), np.array([1.0, 2.0, 1.0]), "aucune", TAILS)
    assert scale is not None
    assert (scale.mean, scale.low, scale.high) == (10.0, 0.0, 20.0)
    assert scale.sd == pytest.approx(50**0.5)
    values = np.array([0.0, 15.0, 99.0, np.nan])
    np.testing.assert_allclose(composite.normalise(values, scale, "z"), [-(2**0.5), 0.5**0.5, 2**0.5, np.nan])
    np.testing.assert_allclose(composite.normalise(values, scale, "min_max"), [0.0, 0.75, 1.0, np.nan])
    np.testing.assert_allclose(composite.normalise(values, scale, "rang"), [0.125, 0.6875, 0.875, np.nan])


def test_a_component_without_spread_has_no_scale() -> None:
    ones = np.ones(5)
    assert composite.fit(ones, ones, "p1p99", TAILS) is None
    assert composite.fit(ones * np.nan, ones, "p1p99", TAILS) is None


def test_the_jrc_rule_winsorises_only_skewed_and_heavy_tailed_components() -> None:
    straight = np.arange(200.0)
    skewed = np.append(straight, [5000.0, 9000.0])
    assert composite.fit(straight, np.ones(200), "jrc", TAILS).touched == 0
    assert composite.fit(straight, np.ones(200), "p1p99", TAILS).touched == 3
    touched = composite.fit(skewed, np.ones(202), "jrc", TAILS)
    assert touched.skewness > composite.JRC_SKEWNESS
    assert touched.kurtosis > composite.JRC_KURTOSIS
    assert touched.high < 5000


def test_aggregation_by_hand() -> None:
    scores, weights = np.array([[0.0, 1.0], [0.25, np.nan], [np.nan, np.nan]]), np.array([1.0, 3.0])
    arithmetic = composite.aggregate(scores, weights, "min_max", "arithmetique")
    np.testing.assert_allclose(arithmetic, [0.75, 0.25, np.nan])
    geometric = composite.aggregate(scores, weights, "min_max", "geometrique")
    # 1 to 100: (1^1 · 100^3)^(1/4) = 10^1.5
    np.testing.assert_allclose(geometric, [10**1.5, 25.75, np.nan])


@given(arrays.arrays(np.float64, (6, 3), elements=st.floats(0, 1)))
def test_the_geometric_mean_never_exceeds_the_arithmetic_one(scores) -> None:
    weights = np.ones(3)
    arithmetic = 1 + 99 * composite.aggregate(scores, weights, "min_max", "arithmetique")
    assert np.all(composite.aggregate(scores, weights, "min_max", "geometrique") <= arithmetic + 1e-9)


def test_first_component_follows_what_varies_together_and_never_rewards() -> None:
    generator = np.random.default_rng(0)
    shared = generator.normal(size=400)
    scores = np.column_stack([shared, shared + 0.1 * generator.normal(size=400), generator.normal(size=400)])
    weights = composite.first_component(scores, np.ones(400))
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] > 3 * weights[2]
    assert composite.first_component(np.column_stack([shared, shared, -shared]), np.ones(400)).min() == 0.0


def test_importance_of_independent_components_is_their_share_of_variance() -> None:
    generator = np.random.default_rng(1)
    scores = generator.normal(size=(20_000, 2))
    index = 0.8 * scores[:, 0] + 0.6 * scores[:, 1]
    weights = np.ones(len(scores))
    np.testing.assert_allclose(importance.squared_correlations(scores, index, weights), [0.64, 0.36], atol=0.02)
    np.testing.assert_allclose(importance.first_order_sobol(scores, index, weights), [0.64, 0.36], atol=0.03)


def test_a_component_that_others_repeat_weighs_more_than_its_nominal_weight() -> None:
    generator = np.random.default_rng(2)
    twin = generator.normal(size=5000)
    scores = np.column_stack([twin, twin, generator.normal(size=5000)])
    squared = importance.squared_correlations(scores, scores.mean(axis=1), np.ones(5000))
    np.testing.assert_allclose(squared, [0.8, 0.8, 0.2], atol=0.03)
    assert np.isnan(importance.first_order_sobol(np.ones((9, 1)), np.arange(9.0), np.ones(9))).all()
