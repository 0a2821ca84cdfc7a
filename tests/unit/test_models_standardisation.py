"""Observed against expected: Byar near the exact bounds, shrinkage toward the mean, masked cells never computed."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from dagster_project.models import poisson
from dagster_project.models.standardisation import icm
from tests.model_grounds import by, shuffled

AGES = {("1", "00-04"): 100.0, ("1", "60-64"): 40.0, ("2", "60-64"): 60.0}
# reference: 1 % of children, 20 % of men and 10 % of women of 60-64
RATES = {("1", "00-04"): (10.0, 1000.0), ("1", "60-64"): (200.0, 1000.0), ("2", "60-64"): (100.0, 1000.0)}
standardised = partial(icm, masked_below=11)
EXPECTED = 100 * 0.01 + 40 * 0.2 + 60 * 0.1


def observed(counts: dict[str, float | None], status: str = "ok", beneficiaries: float | None = 200.0) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "zone_level": "IRIS",
                "zone_code": code,
                "generation": "COG",
                "component": "A_DIAB",
                "observed": count,
                "beneficiaries": beneficiaries,
                "status": status if count is None else "ok",
            }
            for code, count in counts.items()
        ]
    )


def structure(codes, cells=AGES) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "zone_level": "IRIS",
                "zone_code": code,
                "generation": "COG",
                "sexe": sex,
                "cla_age_5": age,
                "n_beneficiaires": count,
            }
            for code in codes
            for (sex, age), count in cells.items()
        ]
    )


def rates(cells=RATES) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"component": "A_DIAB", "sexe": sex, "cla_age_5": age, "cases": cases, "population": population}
            for (sex, age), (cases, population) in cells.items()
        ]
    )


def made(counts, **options) -> dict[str, dict]:
    return by(standardised(observed(counts), structure(counts), rates(), **options), "zone_code")


@pytest.mark.parametrize("level", [0.90, 0.95])
@pytest.mark.parametrize("count", [1, 2, 5, 10, 37, 500])
def test_byar_is_close_to_the_exact_bounds(count, level) -> None:
    low, high = poisson.byar(np.array([float(count)]), level)
    tail = (1 - level) / 2
    exact_low, exact_high = chi2.ppf(tail, 2 * count) / 2, chi2.ppf(1 - tail, 2 * count + 2) / 2
    assert low[0] == pytest.approx(exact_low, **({"rel": 0.01} if count >= 5 else {"abs": 0.02}))
    assert high[0] == pytest.approx(exact_high, rel=0.01)


def test_byar_by_tabulated_values() -> None:
    # 10 events: 4.80 to 18.39 in any table of exact bounds
    low, high = poisson.byar(np.array([10.0, 0.0]))
    assert low.tolist() == pytest.approx([4.79, 0.0], abs=0.01)
    assert high.tolist() == pytest.approx([18.39, 3.69], abs=0.04)


def test_expected_and_index_by_hand() -> None:
    row = made({"Z1": 30.0, "Z2": 15.0})["Z1"]
    assert row["expected"] == pytest.approx(EXPECTED)
    assert row["icm"] == pytest.approx(200.0)
    assert row["crude_rate"] == pytest.approx(15.0)
    low, high = poisson.byar(np.array([30.0]))
    assert (row["icm_low"], row["icm_high"]) == pytest.approx((100 * low[0] / 15, 100 * high[0] / 15))
    assert (row["status"], row["masked_cells"]) == ("ok", 0)


def test_a_smaller_coverage_gives_narrower_intervals() -> None:
    wide, narrow = made({"Z1": 60.0, "Z2": 2.0}), made({"Z1": 60.0, "Z2": 2.0}, level=0.5)
    for name in ("icm", "smoothed"):
        assert wide["Z1"][f"{name}_low"] < narrow["Z1"][f"{name}_low"] < narrow["Z1"][f"{name}_high"]
        assert narrow["Z1"][f"{name}_high"] < wide["Z1"][f"{name}_high"]


def test_younger_zones_expect_less_so_that_equal_crude_rates_differ() -> None:
    young = {("1", "00-04"): 180.0, ("1", "60-64"): 10.0, ("2", "60-64"): 10.0}
    population = pa.concat_tables([structure(["OLD"]), structure(["YOUNG"], young)])
    found = by(standardised(observed({"OLD": 15.0, "YOUNG": 15.0}), population, rates()), "zone_code")
    assert found["OLD"]["crude_rate"] == found["YOUNG"]["crude_rate"]
    assert found["OLD"]["icm"] == pytest.approx(100.0)
    assert found["YOUNG"]["icm"] == pytest.approx(100 * 15 / (1.8 + 2 + 1))


def test_prior_by_hand() -> None:
    # m = 1, s² = 0.25, mean(E) = 100: variance between zones 0.24
    prior = poisson.fit_gamma(np.array([50.0, 150.0]), np.array([100.0, 100.0]))
    assert (prior.alpha, prior.beta) == pytest.approx((1 / 0.24, 1 / 0.24))
    smoothed, low, high = poisson.posterior(np.array([50.0, 150.0]), np.array([100.0, 100.0]), prior)
    assert smoothed[0] == pytest.approx((50 + 1 / 0.24) / (100 + 1 / 0.24))
    assert np.all((low < smoothed) & (smoothed < high))


@given(st.lists(st.integers(0, 200), min_size=3, max_size=30))
def test_smoothing_moves_every_zone_toward_the_mean_and_never_past_it(counts) -> None:
    found = list(made({f"Z{n:02d}": float(count) for n, count in enumerate(counts)}).values())
    mean = 100 * sum(counts) / (EXPECTED * len(counts))
    for row in found:
        assert min(row["icm"], mean) - 1e-6 <= row["smoothed"] <= max(row["icm"], mean) + 1e-6
        assert row["smoothed_low"] <= row["smoothed"] <= row["smoothed_high"]


def test_a_small_zone_shrinks_more_than_a_large_one() -> None:
    expected = np.array([5.0, 500.0, 50.0, 50.0])
    counts = np.array([10.0, 1000.0, 20.0, 30.0])
    smoothed, _, _ = poisson.posterior(counts, expected, poisson.fit_gamma(counts, expected))
    mean = counts.sum() / expected.sum()
    assert abs(smoothed[0] - mean) < abs(smoothed[1] - mean)


def test_zones_alike_take_the_common_ratio() -> None:
    found = made({f"Z{n}": 15.0 for n in range(6)})
    for row in found.values():
        assert row["smoothed"] == pytest.approx(100.0)
        assert row["alpha"] == float("inf")
        assert row["smoothed_low"] < 100 < row["smoothed_high"]


def test_a_masked_count_is_never_computed() -> None:
    table = standardised(
        observed({"Z1": None, "Z2": 15.0, "Z3": 40.0}, "secret_primaire"), structure(["Z1", "Z2", "Z3"]), rates()
    )
    row = by(table, "zone_code")["Z1"]
    assert row["status"] == "secret_primaire"
    assert [row[name] for name in ("observed", "crude_rate", "expected", "icm", "smoothed", "smoothed_low")] == [
        None
    ] * 6


def test_masked_cells_share_what_the_total_leaves() -> None:
    cells = AGES | {("1", "60-64"): None, ("2", "60-64"): None}
    row = by(standardised(observed({"Z1": 15.0}, beneficiaries=112.0), structure(["Z1"], cells), rates()), "zone_code")[
        "Z1"
    ]
    assert row["expected"] == pytest.approx(100 * 0.01 + 6 * 0.2 + 6 * 0.1)
    assert (row["masked_cells"], row["status"]) == (2, "estime")
    assert row["masked_share"] == pytest.approx(12 / 112)
    for least, middle in ((11, 5.5), (5, 2.5)):  # of 1 and the number under the partner's threshold
        unknown = icm(observed({"Z1": 15.0}, beneficiaries=None), structure(["Z1"], cells), rates(), least)
        assert by(unknown, "zone_code")["Z1"]["expected"] == pytest.approx(1 + middle * 0.2 + middle * 0.1)


def test_rounding_that_leaves_less_than_nothing_leaves_nothing() -> None:
    cells = AGES | {("2", "60-64"): None}
    row = by(standardised(observed({"Z1": 15.0}, beneficiaries=139.0), structure(["Z1"], cells), rates()), "zone_code")[
        "Z1"
    ]
    assert row["expected"] == pytest.approx(1 + 40 * 0.2)


def test_a_masked_reference_count_is_estimated_and_said() -> None:
    masked = rates(RATES | {("1", "00-04"): (None, 1000.0)})
    row = by(standardised(observed({"Z1": 15.0}), structure(["Z1"]), masked), "zone_code")["Z1"]
    assert row["expected"] == pytest.approx(100 * 0.0055 + 8 + 6)
    assert row["status"] == "estime"


def test_without_ages_or_rates_there_is_no_index() -> None:
    ages, none = structure(["Z1"]), rates().slice(0, 0)
    assert by(standardised(observed({"Z1": 15.0}), ages.slice(0, 0), rates()), "zone_code")["Z1"]["status"] == "nd"
    assert by(standardised(observed({"Z1": 15.0}), ages, none), "zone_code")["Z1"]["status"] == "nd"
    waiting = standardised(observed({"Z1": None}, "convention"), ages.slice(0, 0), none)
    assert by(waiting, "zone_code")["Z1"]["status"] == "convention"


def test_the_order_of_rows_changes_nothing() -> None:
    counts = {f"Z{n:02d}": float(5 + 3 * n) for n in range(20)}
    arguments = observed(counts), structure(counts), rates()
    assert standardised(*arguments).equals(standardised(*map(shuffled, arguments)))


def test_wrong_tables_are_refused_by_name() -> None:
    good = observed({"Z1": 15.0}), structure(["Z1"]), rates()
    with pytest.raises(ValueError, match="`rates`: no rate of A_DIAB for sexe 2, age 60-64"):
        standardised(*good[:2], rates({key: value for key, value in RATES.items() if key[0] == "1"}))
    with pytest.raises(ValueError, match="negative"):
        standardised(observed({"Z1": -1.0}), *good[1:])
    with pytest.raises(ValueError, match=r"`population`.*twice"):
        standardised(good[0], pa.concat_tables([good[1], good[1]]), good[2])
    with pytest.raises(ValueError, match="No zone"):
        poisson.fit_gamma(np.array([]), np.array([]))
