"""Space and income: autocorrelation of known patterns, the constrained null, and the two controls of circularity."""

from __future__ import annotations

import numpy as np
import pytest

from dagster_project.models import circularity
from dagster_project.models.claim_test import judge
from dagster_project.models.field import read_fields
from dagster_project.models.spatial import autocorrelation
from dagster_project.models.spatial_null import spatial_null
from tests.model_grounds import SEED_CLAIM, Town, by, claims

SIDE = 8
CELLS = [(x, y) for x in range(SIDE) for y in range(SIDE)]
CODES = [Town.code(cell) for cell in CELLS]
ROOK = [
    (Town.code((x, y)), Town.code((x + dx, y + dy)))
    for x, y in CELLS
    for dx, dy in ((1, 0), (0, 1))
    if x + dx < SIDE and y + dy < SIDE
]
WANTED = ("IRIS", "QN2024", "A_SANTE")


def field_of(town: Town):
    zones, shares, _, qpv, _ = town.tables()
    return read_fields(zones, shares, qpv, {WANTED})[WANTED]


def pairs_of(town: Town) -> list[tuple[str, str]]:
    return [(row["zone_code"], row["neighbour_code"]) for row in town.neighbours().to_pylist()]


# --- Moran ----------------------------------------------------------------------------------------------------------


def test_a_checkerboard_is_perfectly_contrary_to_its_neighbours() -> None:
    values = np.array([float((x + y) % 2) for x, y in CELLS])
    found = autocorrelation(CODES, values, ROOK, 199, 1)
    assert found.i == pytest.approx(-1.0)
    assert found.p == pytest.approx(1 / 200)
    assert found.expected == pytest.approx(-1 / 63)
    assert found.clusters["haut_haut"] == found.clusters["bas_bas"] == 0


def test_zones_on_a_slope_are_like_their_neighbours_and_noise_is_not() -> None:
    slope = autocorrelation(CODES, np.array([float(x) for x, _ in CELLS]), ROOK, 199, 1)
    assert slope.i > 0.8
    assert slope.clusters["haut_haut"] >= SIDE <= slope.clusters["bas_bas"]
    assert autocorrelation(CODES, np.random.default_rng(6).normal(size=SIDE**2), ROOK, 199, 1).p > 0.05


def test_islands_and_zones_without_value_are_left_out_and_counted() -> None:
    values = np.array([float(x) for x, _ in CELLS] + [50.0, np.nan])
    found = autocorrelation([*CODES, "ISLAND", "HOLE"], values, [*ROOK, ("HOLE", CODES[0])], 99, 1)
    assert (found.zones, found.islands, found.without_value) == (64, 1, 1)
    assert found.i == autocorrelation(CODES, values[:-2], ROOK, 99, 1).i


def test_permutations_repeat_and_leave_the_global_generator_alone() -> None:
    values = np.random.default_rng(2).normal(size=SIDE**2)
    np.random.seed(7)
    expected = np.random.random()
    np.random.seed(7)
    assert autocorrelation(CODES, values, ROOK, 99, 5) == autocorrelation(CODES, values, ROOK, 99, 5)
    assert np.random.random() == expected


def test_too_few_zones_or_no_variation_has_no_autocorrelation() -> None:
    assert autocorrelation(CODES, np.ones(SIDE**2), ROOK, 99, 1) is None
    assert autocorrelation(CODES[:2], np.array([1.0, 2.0]), ROOK, 99, 1) is None


# --- the null that respects space -----------------------------------------------------------------------------------


def null_of(town: Town, cut: float = 0.75, draws: int = 499):
    field = field_of(town)
    sensitive = field.shares @ field.sensitive(cut).astype(float) >= 0.5
    everyone = np.ones(len(field.qpv), dtype=bool)
    return spatial_null(field, pairs_of(town), sensitive, everyone, cut_quantile=cut, required=0.5, draws=draws, seed=1)


def test_in_a_town_wholly_sensitive_any_neighbourhood_would_do() -> None:
    null = null_of(Town(12, {"Q": [(11, 0)]}))
    assert null.p == 1.0
    assert set(null.counts.tolist()) == {1}


def test_the_null_follows_the_share_of_the_commune_that_is_sensitive() -> None:
    # at P75 of nine columns the two eastern ones and a bit: in the eastern communes two zones of three, about
    town = Town(9, {"Q1": [(8, 1)], "Q2": [(8, 4)], "Q3": [(8, 7)]})
    share = np.mean(
        [town.value[x, y] >= np.quantile(list(town.value.values()), 0.75) for x in (6, 7, 8) for y in range(9)]
    )
    null = null_of(town, draws=4999)
    assert null.counts.mean() == pytest.approx(3 * share, abs=0.05)
    assert null.p == pytest.approx(float(np.mean(null.counts >= 3)), abs=0.01)


def test_a_larger_neighbourhood_grows_over_contiguous_zones() -> None:
    town = Town(9, {"Q": [(8, 0), (8, 1), (8, 2)]})
    town.population = 3000.0
    null = null_of(town, draws=999)
    # three contiguous zones of the commune, of which two at least in its two sensitive columns of three
    assert 0.5 < null.counts.mean() < 1.0


def test_a_commune_without_a_choice_is_widened_to_its_epci() -> None:
    town = Town(2, {"Q": [(1, 1)]})
    zones = [row | {"commune": row["zone_code"]} for row in town.zones().to_pylist()]
    _, shares, _, qpv, _ = town.tables()
    field = read_fields(type(shares).from_pylist(zones), shares, qpv, {WANTED})[WANTED]
    one = np.ones(1, dtype=bool)
    null = spatial_null(field, pairs_of(town), one, one, cut_quantile=0.75, required=0.5, draws=999, seed=1)
    assert null.widened == 1
    # P75 of four zones: two of them are at or above it
    assert null.counts.mean() == pytest.approx(0.5, abs=0.05)


def test_a_neighbourhood_without_population_keeps_its_own_result() -> None:
    town = Town(12, {"Q": [(11, 0)]})
    town.population = 0.0
    null = null_of(town)
    assert (null.fixed, null.p) == (1, 1.0)


# --- circularity ----------------------------------------------------------------------------------------------------


def test_given_income_a_town_where_income_is_all_leaves_nothing_to_qpv() -> None:
    quarters = {f"Q{y}": [(10, y)] for y in range(0, 12, 2)}
    found = by(judge(claims(), *Town(12, quarters).tables())["circularite"], "method")
    matched = found["apparie_revenu"]
    assert matched["n_zones"] == 6
    assert abs(matched["estimate"]) < 1.0
    assert abs(matched["income_gap"]) < 100


def test_given_income_what_qpv_add_is_found_again() -> None:
    quarters = {f"Q{y}": [(x, y)] for y, x in enumerate([3, 5, 7, 9, 3, 5, 7, 9, 3, 5, 7, 9])}
    town = Town(12, quarters)
    for cells in quarters.values():
        town.value[cells[0]] += 20.0
    found = by(judge(claims(), *town.tables())["circularite"], "method")
    assert found["apparie_revenu"]["estimate"] == pytest.approx(20.0, abs=2.0)
    assert found["apparie_revenu"]["ci_low"] > 15
    assert found["logit"]["estimate"] > 1.0
    assert found["logit"]["odds_ratio"] == pytest.approx(np.exp(found["logit"]["estimate"]))


def test_without_income_there_is_no_control_and_it_is_said() -> None:
    town = Town(12, {"Q": [(11, 0)]})
    nothing = town.income().slice(0, 0)
    town.income = lambda: nothing
    assert {row["status"] for row in judge(claims(), *town.tables())["circularite"].to_pylist()} == {"nd"}


def test_logit_by_hand() -> None:
    # 30 of 40 against 20 of 60: the log-odds of the second group, then of the first less the second
    y = np.repeat([1.0, 0.0, 1.0, 0.0], [30, 10, 20, 40])
    design = np.column_stack([np.ones(100), np.repeat([1.0, 0.0], [40, 60])])
    coefficients, covariance = circularity.penalised_logit(y, design, np.zeros(2))
    assert coefficients == pytest.approx([np.log(20 / 40), np.log(30 / 10) - np.log(20 / 40)])
    assert covariance[1, 1] == pytest.approx(1 / 30 + 1 / 10 + 1 / 20 + 1 / 40)


def test_separation_is_tamed_by_the_prior_and_refused_without_it() -> None:
    y = np.repeat([1.0, 0.0], [50, 50])
    design = np.column_stack([np.ones(100), y])
    coefficients, _ = circularity.penalised_logit(y, design, np.array([0.0, circularity.PRIOR_SD**-2]))
    assert 3 < coefficients[1] < 15
    with pytest.raises((ArithmeticError, np.linalg.LinAlgError)):
        circularity.penalised_logit(y, design, np.zeros(2))


def test_the_seed_claim_of_the_tests_has_the_columns_of_the_model() -> None:
    assert judge(claims(), *Town(6, {"Q": [(5, 0)]}).tables())["verdict"].to_pylist()[0]["seed"] == SEED_CLAIM["seed"]
