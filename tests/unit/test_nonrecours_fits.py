"""Fits of incomes: known distributions come back, between and beyond the quantiles they were fitted on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincinv, ndtr, ndtri

from dagster_project.models.nonrecours import distributions
from dagster_project.models.nonrecours.gb2 import GB2
from dagster_project.models.nonrecours.parameters import Parameters
from dagster_project.models.nonrecours.spline import Spline, left_out
from tests.nonrecours_grounds import ORDERS, POOR, TOWN, World, lognormal, qpv

ORDER = np.array(ORDERS)
OFF = np.array([0.03, 0.07, 0.15, 0.35, 0.55, 0.85, 0.95])
INCOMES = np.geomspace(2_000, 200_000, 300)


def gb2_quantiles(orders: np.ndarray, a: np.ndarray, b: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    share = betaincinv(p, q, orders[:, None])
    return b * (share / (1 - share)) ** (1 / a)


def test_a_lognormal_comes_back_exactly_from_the_spline_and_nearly_from_the_gb2() -> None:
    median, sd = np.array([13_000.0, 21_000.0]), np.array([0.4, 0.55])
    amounts, off = (median * np.exp(np.outer(ndtri(orders), sd)) for orders in (ORDER, OFF))
    assert ndtr(Spline.fit(ORDER, amounts).score(np.log(off))) == pytest.approx(np.tile(OFF[:, None], 2), abs=1e-12)
    assert ndtr(GB2.fit(ORDER, amounts).score(np.log(off))) == pytest.approx(np.tile(OFF[:, None], 2), abs=1e-3)


def test_singh_maddala_and_gb2_distributions_come_back() -> None:
    generator = np.random.default_rng(4)
    shape = np.exp(generator.normal(0, 0.5, (2, 60)))
    shape[0, :20] = 1.0  # Singh–Maddala: p = 1
    laws = (generator.uniform(2, 6, 60), generator.uniform(12_000, 30_000, 60), *shape)
    amounts, off = (gb2_quantiles(orders, *laws) for orders in (ORDER, OFF))
    fitted = GB2.fit(ORDER, amounts)
    assert fitted.rmse.max() < 2e-3
    assert np.abs(ndtr(fitted.score(np.log(off))) - OFF[:, None]).max() < 1e-3
    inner = slice(2, 6)
    spline = ndtr(Spline.fit(ORDER, amounts).score(np.log(off[inner])))
    assert np.abs(spline - OFF[inner, None]).max() < 2e-3
    assert left_out(ORDER, amounts).max() < 0.05


def test_a_zone_s_fit_does_not_hang_on_the_others() -> None:
    amounts = np.array([lognormal(*POOR), lognormal(*TOWN), lognormal(16_000, 0.35)]).T
    logs = np.log(INCOMES)
    for law in (GB2, Spline):
        alone = [ndtr(law.fit(ORDER, amounts[:, [z]]).score(logs)[:, 0]) for z in range(3)]
        assert ndtr(law.fit(ORDER, amounts).score(logs)) == pytest.approx(np.array(alone).T, abs=1e-9)


increasing = st.lists(st.floats(0.01, 0.6), min_size=len(ORDERS), max_size=len(ORDERS)).map(
    lambda steps: 6_000 * np.exp(np.cumsum(steps))
)


@settings(max_examples=60, deadline=None)
@given(increasing)
def test_fits_are_increasing_whatever_the_quantiles(amounts) -> None:
    column = amounts[:, None]
    for law in (Spline.fit(ORDER, column), GB2.fit(ORDER, column)):
        found = ndtr(law.score(np.log(INCOMES)))[:, 0]
        assert (np.diff(found) >= -1e-12).all()
        assert ((found >= 0) & (found <= 1)).all()
    assert ndtr(Spline.fit(ORDER, column).score(np.log(amounts)))[:, 0] == pytest.approx(ORDER, abs=1e-9)


# --- mixtures -------------------------------------------------------------------------------------------------------

COM, QPV, REST = ("COM", "35000", "COG"), qpv("QP1"), ("HQPV", "35000", "QP2015")


def mixed(commune: tuple[float, ...], quarter: tuple[float, ...], persons: float) -> distributions.Incomes:
    built = World()
    built.incomes(COM, commune)
    built.incomes(QPV, quarter)
    built.mix(REST, {COM: 20_000.0, QPV: -persons})
    tables = built.tables()
    fits = distributions.fit(tables["quantiles"], {(COM, "2018"), (QPV, "2018")}, Parameters())
    return distributions.incomes(
        [(COM, "2018"), (QPV, "2018"), (REST, "2018")], fits, distributions.parts_of(tables["mixtures"])
    )


@settings(max_examples=20, deadline=None)
@given(st.floats(100, 4_000), st.sampled_from(["spline", "gb2"]))
def test_a_commune_is_the_mixture_of_its_quarter_and_of_the_rest(persons, law) -> None:
    incomes = mixed(lognormal(*TOWN), lognormal(16_000, 0.45), persons)
    points = np.array([9_041.0, 12_205.0, 18_000.0])
    commune, quarter, rest = incomes.below(law, points, slice(0, 3)).T
    share = persons / 20_000
    assert (1 - share) * rest + share * quarter == pytest.approx(commune, abs=1e-6)


def test_points_in_any_order_and_slices_give_the_same_shares() -> None:
    incomes = mixed(lognormal(*TOWN), lognormal(*POOR), 1_000)
    points = np.array([18_000.0, 9_041.0, 12_205.0])
    everything = incomes.below("spline", points, slice(0, 3))
    assert np.array_equal(everything, incomes.below("spline", np.sort(points), slice(0, 3))[[2, 0, 1]])
    for z in range(3):
        assert np.array_equal(everything[:, [z]], incomes.below("spline", points, slice(z, z + 1)))


def test_a_mixture_that_cannot_be_is_told() -> None:
    points = np.array([8_000.0, 9_041.0, 12_205.0, 20_000.0])
    sound = mixed(lognormal(*TOWN), lognormal(*POOR), 1_000).check(points, 0.01)
    assert sound.tolist() == [True, True, True]
    # nearly everybody in the commune lives in a quarter far poorer than it: the rest would be richer than anybody
    assert not mixed(lognormal(*TOWN), lognormal(9_000, 0.4), 9_000).check(points, 0.01)[2]


def test_errors_of_a_mixture_grow_with_what_is_taken_away() -> None:
    small, large = (mixed(lognormal(*TOWN), lognormal(*POOR), n).errors("gb2", 10_500.0, 10.0) for n in (500, 6_000))
    assert small[0] == large[0]
    assert small[2] < large[2]


def test_tables_that_contradict_themselves_are_refused() -> None:
    built = World()
    built.incomes(COM, lognormal(*TOWN))
    twice = pa.Table.from_pylist([*built.quantiles, built.quantiles[0] | {"montant": 1.0}])
    with pytest.raises(ValueError, match="two amounts"):
        distributions.fit(twice, {(COM, "2018")}, Parameters())
    with pytest.raises(ValueError, match="between 0 and 1"):
        distributions.fit(pa.Table.from_pylist([built.quantiles[0] | {"ordre": 10.0}]), {(COM, "2018")}, Parameters())
    built.mix(REST, {COM: 100.0, QPV: -100.0})
    with pytest.raises(ValueError, match="nothing or less"):
        distributions.parts_of(built.tables()["mixtures"])
