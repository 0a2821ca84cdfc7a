"""Synthetic households and the national calibration."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from dagster_project.models.nonrecours import calibration, distributions, households, simulate
from dagster_project.models.nonrecours.calibration import CENTRE, NODES, Edition, NotCalibratedError
from dagster_project.models.nonrecours.distributions import Incomes
from dagster_project.models.nonrecours.parameters import METHODS, Parameters
from tests.nonrecours_grounds import COUNTRY, NATION, YEAR, World, lognormal, rules, seed

CHOSEN = Parameters()
TYPES = households.read_types(seed("household_type"))
NOTHING = {name: np.array([np.nan]) for name in households.MARGINS}


@cache
def nation() -> Incomes:
    built = World()
    built.incomes(NATION, lognormal(*COUNTRY))
    fits = distributions.fit(built.tables()["quantiles"], {(NATION, YEAR)}, CHOSEN)
    return distributions.incomes([(NATION, YEAR)], fits, {})


def calibrated(reference: calibration.Reference | None = None) -> Edition:
    published = reference or calibration.references(seed("c2s_national"))["2021"]
    return calibration.calibrate("2021", published, rules(), TYPES, nation(), CHOSEN)


@cache
def edition() -> Edition:
    return calibrated()


def bands(median: float) -> np.ndarray:
    """Shares of persons by band in a zone of lognormal incomes."""
    under = ndtr(np.log(edition().country.bounds / median) / 0.45)
    return np.diff(np.concatenate([[0], under, [1]]))[:, None]


def shares_of(raked: households.Raked) -> dict[str, float]:
    weights = raked.weights()[..., 0]
    by_type = weights.sum(axis=(1, 2))
    homes, persons = by_type.sum(), (by_type * TYPES.size).sum()
    return {
        "men1": by_type[TYPES.size == 1].sum() / homes,
        "men6": by_type[TYPES.size >= 6].sum() / homes,
        "plus60": (by_type * TYPES.over60).sum() / persons,
        "moins25": (by_type * TYPES.under25).sum() / persons,
        "hlm": weights[:, 0].sum() / homes,
    }


def test_the_nation_keeps_its_types_tenures_and_incomes() -> None:
    country = edition().country
    assert country.weights.sum(axis=(1, 2)) == pytest.approx(TYPES.share, abs=1e-6)
    assert country.weights[:, 0].sum(axis=1) == pytest.approx(TYPES.share * TYPES.social, abs=1e-6)
    persons = np.einsum("htb,h->b", country.weights, TYPES.size)
    assert np.cumsum(persons / persons.sum())[:-1] == pytest.approx(households.BOUNDS, abs=1e-6)
    # poor households live in social housing more often, and lone parents are poor more often
    social = country.weights[:, 0].sum(axis=0) / country.weights.sum(axis=(0, 1))
    assert (np.diff(social) < 0).all()


margins = st.fixed_dictionaries(
    {
        "men1": st.floats(0.28, 0.48),
        "men6": st.floats(0.005, 0.06),
        "plus60": st.floats(0.18, 0.32),
        "moins25": st.floats(0.25, 0.38),
        "hlm": st.floats(0.05, 0.85),
    }
)


@settings(max_examples=25, deadline=None)
@given(margins, st.floats(13_000, 26_000), st.sets(st.sampled_from(households.MARGINS)))
def test_raking_meets_the_known_margins_and_always_incomes(wanted, median, unknown) -> None:
    known = {name: np.array([np.nan if name in unknown else value]) for name, value in wanted.items()}
    raked = households.rake(edition().country, bands(median), known)
    persons = np.einsum("htbz,h->bz", raked.weights(), TYPES.size)
    assert persons == pytest.approx(bands(median), abs=1e-9)
    found = shares_of(raked)
    for name in set(wanted) - unknown:
        assert found[name] == pytest.approx(wanted[name], abs=0.01), name


def test_a_zone_raked_alone_or_with_others_is_the_same() -> None:
    persons = np.concatenate([bands(14_000), bands(20_000)], axis=1)
    wanted = {name: np.array([0.3, np.nan]) for name in households.MARGINS}
    both = households.rake(edition().country, persons, wanted)
    first = households.rake(edition().country, persons[:, :1], {name: v[:1] for name, v in wanted.items()})
    assert both.by_type[:, 0] == pytest.approx(first.by_type[:, 0], rel=1e-12)


def test_every_method_returns_the_national_tiers() -> None:
    found = simulate.shares(edition(), nation(), NOTHING, np.zeros((2, 1)), slice(0, 1), CHOSEN.private_share)
    shares = simulate.centres(found, edition())[..., 0]
    assert shares == pytest.approx(np.tile(edition().eligible, (len(METHODS), 1)), rel=1e-6)
    # and the other national rates that are drawn, at the nodes and between them
    rate = np.array([*NODES, 0.8])
    wanted = np.stack([edition().reference.eligible(tier, rate * edition().rate_sd) for tier in ("np", "p")])
    for method in range(len(METHODS)):
        drawn = simulate.eligible(found, edition(), method, rate, np.zeros((1, len(rate))))[:, 0]
        assert drawn == pytest.approx(wanted, rel=3e-3), METHODS[method]


@settings(max_examples=25, deadline=None)
@given(st.floats(9_000, 30_000), st.floats(1.0, 1.2))
def test_more_are_eligible_where_incomes_are_lower(median, ratio) -> None:
    shares = []
    for middle in (median, median * ratio):
        built = World()
        built.incomes(NATION, lognormal(middle, 0.45, rounding=0.01))
        fits = distributions.fit(built.tables()["quantiles"], {(NATION, YEAR)}, CHOSEN)
        incomes = distributions.incomes([(NATION, YEAR)], fits, {})
        found = simulate.shares(edition(), incomes, NOTHING, np.zeros((2, 1)), slice(0, 1), CHOSEN.private_share)
        centre = simulate.centres(found, edition())[..., 0]
        shares.append(centre[:, 0])
    assert (shares[0] >= shares[1] - 1e-9).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.5, 1.5), st.floats(1.0, 1.4))
def test_eligible_households_grow_with_the_ceiling(multiplier, more) -> None:
    """A higher ceiling is the same as a lower multiplier of resources."""
    raked = households.rake(edition().country, bands(15_000), NOTHING)
    found = []
    for value in (multiplier * more, multiplier):
        limits = households.thresholds(TYPES, rules(), np.array([value, value]), CHOSEN)
        under = nation().below("spline", limits.ravel(), slice(0, 1)).reshape(*limits.shape, 1)
        bounds = nation().below("spline", edition().country.bounds, slice(0, 1))
        found.append(households.entitled(raked, limits, under, bounds, 0.5).sum(axis=(1, 2)))
        assert found[-1][1] >= found[-1][0]
    assert (found[1] >= found[0] - 1e-12).all()


def test_children_are_eligible_more_often_than_the_old() -> None:
    found = simulate.shares(edition(), nation(), NOTHING, np.zeros((2, 1)), slice(0, 1), CHOSEN.private_share)
    persons = (TYPES.share * TYPES.size).sum()
    assert found.young[0] > (TYPES.share * TYPES.under18).sum() / persons
    assert found.old[0] < (TYPES.share * TYPES.over60).sum() / persons


def test_no_calibration_when_the_eligible_outnumber_the_population() -> None:
    reference = calibration.references(seed("c2s_national"))["2021"]
    few = calibration.Reference(reference.beneficiaries, reference.rates, 12_000_000.0, reference.citation)
    with pytest.raises(NotCalibratedError, match="dépasseraient"):
        calibrated(few)


def test_factors_are_those_of_the_published_rates() -> None:
    factors = edition().factors()
    for law in ("c1_spline", "c1_gb2"):
        assert factors[law] * edition().raw[law] == pytest.approx(edition().eligible)
    assert factors["c2"].tolist() == edition().multipliers[CENTRE].tolist()


@pytest.mark.parametrize("change", [{"mesure": "q"}, {"population": 1.0}, {"non_recours": None}])
def test_a_national_reference_in_pieces_is_refused(change) -> None:
    rows = seed("c2s_national").to_pylist()
    with pytest.raises(ValueError, match="national"):
        calibration.references(pa.Table.from_pylist([rows[0] | change, *rows[1:]]))


def test_the_total_s_count_may_be_missing() -> None:
    rows = seed("c2s_national").to_pylist()
    found = calibration.references(pa.Table.from_pylist([rows[0] | {"beneficiaires": None}, *rows[1:]]))["2021"]
    assert found.beneficiaries["total"] == 7_100_000


def test_shares_of_types_must_sum_to_one() -> None:
    table = seed("household_type")
    with pytest.raises(ValueError, match="shares sum"):
        households.read_types(table.slice(1))
