"""Take-up by household profile: planted effects are found, and no number comes out that secrecy keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import log
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.models.nonrecours.profils.calibration import Predicted, scores
from dagster_project.models.nonrecours.profils.logit import Cells, FitError, fit, fit_at
from dagster_project.models.nonrecours.profils.model import CALIBRATION, EFFET, PENALISED, PREDICTION, ZONE
from dagster_project.models.nonrecours.profils.parameters import MODALITIES, ProfileParameters
from dagster_project.models.nonrecours.profils.secret import PRIMARY, SECONDARY, SHOWN, Counts, statuses
from dagster_project.models.stacked import stack
from tests.profile_grounds import CONSTANT, EFFECTS, PROFILES, SCHEMA, cell, drawn, estimated, table

Row = dict[str, Any]
CHOICES = ProfileParameters()


def effects(found: dict[str, pa.Table]) -> dict[str, Row]:
    return {f"{row['term']}/{row['modality']}": row for row in found["effet"].to_pylist()}


def whole(found: dict[str, pa.Table], sample: str = "ajustement") -> Row:
    [row] = [row for row in found["calibration"].to_pylist() if (row["sample"], row["tranche"]) == (sample, 0)]
    return dict(row)


def changed(rows: list[Row], change: Callable[[Row], Row | None]) -> list[Row]:
    return [row for row in map(change, rows) if row is not None]


@pytest.fixture(scope="module")
def found() -> dict[str, pa.Table]:
    return estimated(table(drawn(40, seed=1)))


# Effects


def test_planted_effects_are_found(found: dict[str, pa.Table]) -> None:
    rows = effects(found)
    assert rows["constante/constante"]["coefficient"] == pytest.approx(CONSTANT, abs=0.15)
    for term, planted in EFFECTS.items():
        for modality, effect in planted.items():
            row = rows[f"{term}/{modality}"]
            assert row["coefficient"] == pytest.approx(effect, abs=0.08)
            assert row["odds_ratio"] == pytest.approx(np.exp(row["coefficient"]))
    assert whole(found)["zone_sd"] == pytest.approx(0.35, abs=0.1)


def test_references_are_named_and_have_no_interval(found: dict[str, pa.Table]) -> None:
    rows = effects(found)
    for term, modalities in MODALITIES.items():
        row = rows[f"{term}/{modalities[0]}"]
        assert (row["coefficient"], row["odds_ratio"], row["ci_low"], row["ci_high"]) == (0.0, 1.0, None, None)
        assert {rows[f"{term}/{name}"]["reference"] for name in modalities} == {modalities[0]}
    assert rows["constante/constante"]["reference"] is None


def test_intervals_hold_the_planted_effects_as_often_as_they_say() -> None:
    held = []
    for seed in range(12):
        rows = effects(estimated(table(drawn(20, seed, eligible=30.0))))
        for term, planted in EFFECTS.items():
            for name, effect in planted.items():
                row = rows[f"{term}/{name}"]
                held.append(log(row["ci_low"]) <= effect <= log(row["ci_high"]))
    assert 0.82 <= np.mean(held) <= 0.98


def test_cells_hidden_for_few_beneficiaries_do_not_raise_take_up() -> None:
    """Many cells of owners, few and of low take-up, hide their beneficiaries: those left are high by chance."""

    def owners(rows: list[Row]) -> float:
        return float(effects(estimated(table(rows)))["statut_occupation/proprietaire"]["coefficient"])

    rows, every = (drawn(40, seed=5, eligible=30.0, least=least) for least in (11, 0))
    left = [row for row in rows if row["n_beneficiaires"] is not None]
    assert len(left) < 0.85 * len(rows)
    assert abs(owners(rows) - owners(every)) < 0.08
    assert owners(left) - owners(every) > 0.2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_the_score_is_nil_at_the_estimate(seed: int, small: int) -> None:
    """The slope of the log-likelihood, from binomial probabilities of another library."""
    from scipy.stats import binom

    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(30), rng.integers(0, 2, 30)]).astype(float)
    design[:2, 1] = (0, 1)
    eligible = rng.integers(31, 90, 30).astype(float)
    held = rng.binomial(eligible.astype(int), 0.5).astype(float)
    held[held <= small] = np.nan
    cells = Cells(design, np.zeros(30, dtype=np.int64), 1, eligible, held, small)
    beta = fit_at(cells, 0.0, np.full(2, 0.1), CHOICES).beta

    def likelihood(at: np.ndarray) -> float:
        rate = 1 / (1 + np.exp(-design @ at))
        known = ~np.isnan(held)
        of_known = binom.logpmf(held[known], eligible[known], rate[known]).sum()
        between = binom.cdf(small, eligible, rate) - binom.pmf(0, eligible, rate)
        return float(of_known + np.log(between[~known]).sum() - 0.05 * (at**2).sum())

    for move in np.eye(2) * 1e-4:
        assert likelihood(beta + move) == pytest.approx(likelihood(beta - move), abs=2e-5)
        assert likelihood(beta) > likelihood(beta + 1000 * move)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(len(PROFILES))))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    rows = drawn(1, seed=3)
    before, after = estimated(table(rows)), estimated(table([rows[rank] for rank in order]))
    assert {name: one.equals(after[name]) for name, one in before.items()} == dict.fromkeys(before, True)


def test_generations_and_years_are_fitted_apart() -> None:
    rows, other = drawn(6, seed=2), [row | {"annee": "2022"} for row in drawn(6, seed=9)]
    alone, both = estimated(table(rows)), estimated(table(rows + other))
    first = both["effet"].filter(pc.equal(both["effet"]["vintage"], "2021"))
    assert first.equals(alone["effet"])


# What data cannot tell


def test_a_modality_that_everybody_takes_up_is_penalised_and_said_so() -> None:
    def all_of_them(row: Row) -> Row:
        return row | {"n_beneficiaires": row["n_eligibles"]} if row["type_menage"] == "monoparental" else row

    found = estimated(table(changed(drawn(8, seed=4, least=0), all_of_them)))
    row = effects(found)["type_menage/monoparental"]
    assert (row["method"], row["status"]) == (PENALISED, "ok")
    assert "recours de 0 % ou de 100 %" in row["motif"]
    assert 2 < row["coefficient"] < 12
    assert np.isfinite(row["ci_high"])


def test_two_variables_that_cannot_be_told_apart_are_penalised_and_said_so() -> None:
    pairs = {("seul", "18_59"), ("monoparental", "moins_18")}

    def bound(row: Row) -> Row | None:
        return row if (row["type_menage"], row["tranche_age"]) in pairs else None

    row = effects(estimated(table(changed(drawn(20, seed=4), bound))))["tranche_age/moins_18"]
    assert row["method"] == PENALISED
    assert "confondus" in row["motif"]


def test_a_fit_that_does_not_converge_gives_a_reason_and_no_number() -> None:
    found = estimated(table(drawn(5, seed=4)), replace(CHOICES, iterations=1))
    for name in ("effet", "zone", "calibration"):
        for row in found[name].to_pylist():
            assert row["status"] in ("nd", PRIMARY)
            if row["status"] == "nd":
                assert "n’a pas convergé en 1 itérations" in row["motif"]
    shown = [row for row in found["prediction"].to_pylist() if row["status"] == SHOWN]
    assert all(row["observed"] is not None and row["smoothed"] is None for row in shown)
    assert {row["motif"] for row in shown} == {whole(found)["motif"]}


def test_a_modality_without_cells_has_a_reason_and_the_next_is_the_reference() -> None:
    def without(row: Row) -> Row | None:
        return None if row["type_menage"] in ("seul", "autre") else row

    rows = effects(estimated(table(changed(drawn(10, seed=6), without))))
    assert (rows["type_menage/seul"]["status"], rows["type_menage/seul"]["coefficient"]) == ("nd", None)
    assert rows["type_menage/monoparental"]["reference"] == "couple_sans_enfant"
    planted = EFFECTS["type_menage"]
    expected = planted["monoparental"] - planted["couple_sans_enfant"]
    assert rows["type_menage/monoparental"]["coefficient"] == pytest.approx(expected, abs=0.15)


def test_a_zone_alone_has_no_effect_of_its_own() -> None:
    found = estimated(table(drawn(1, seed=3)))
    [zone] = found["zone"].to_pylist()
    assert (zone["odds_ratio"], whole(found)["zone_sd"]) == (1.0, 0.0)
    assert zone["ci_low"] < zone["value"] < zone["ci_high"]


def test_zones_that_do_not_differ_share_one_rate() -> None:
    found = estimated(table(drawn(15, seed=8, zone_sd=0.0)))
    assert whole(found)["zone_sd"] < 0.06


def test_all_masked_gives_reasons_and_no_number() -> None:
    found = estimated(table([cell("QP000001", profile, None, None) for profile in PROFILES]))
    assert {row["status"] for row in found["prediction"].to_pylist()} == {PRIMARY}
    assert {row["status"] for row in found["effet"].to_pylist()} == {"nd"}
    numbers = [field.name for one in (EFFET, PREDICTION, ZONE) for field in one if pa.types.is_floating(field.type)]
    for one in found.values():
        for name in set(numbers) & set(one.column_names):
            assert one[name].null_count == one.num_rows
    assert [row["status"] for row in found["zone"].to_pylist()] == [PRIMARY]


def test_no_cell_gives_no_row_under_the_same_columns() -> None:
    found = estimated(SCHEMA.empty_table())
    assert [one.num_rows for one in found.values()] == [0, 0, 0, 0]
    assert [one.schema for one in found.values()] == [EFFET, PREDICTION, ZONE, CALIBRATION]
    assert stack(found).num_rows == 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([cell("QP1", PROFILES[0], 20, 21)], "n_beneficiaires exceeds n_eligibles"),
        ([cell("QP1", PROFILES[0], 20, 15), cell("QP1", PROFILES[0], 30, 15)], "appears twice"),
        ([cell("QP1", PROFILES[0], 20, 15, type_menage="famille")], "type_menage is none of seul"),
    ],
)
def test_cells_that_cannot_be_are_refused(rows: list[Row], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        estimated(table(rows))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="n_eligibles missing"):
        estimated(SCHEMA.empty_table().drop_columns(["n_eligibles"]))


# What the smoothed rates are worth


def test_smoothed_rates_are_nearer_the_truth_than_counts() -> None:
    from tests.profile_grounds import true_logit

    rows = estimated(table(drawn(30, seed=11, zone_sd=0.0, eligible=40.0)))["prediction"].to_pylist()
    shown = [row for row in rows if row["status"] == SHOWN]
    truth = np.array([100 / (1 + np.exp(true_logit(tuple(row[name] for name in MODALITIES)))) for row in shown])
    gap = {name: np.mean((np.array([row[name] for row in shown]) - truth) ** 2) for name in ("observed", "smoothed")}
    assert gap["smoothed"] < gap["observed"] / 4
    held = [row["ci_low"] <= one <= row["ci_high"] for row, one in zip(shown, truth, strict=True)]
    assert np.mean(held) > 0.8


def test_zones_at_equal_profile_do_not_hang_on_their_profiles() -> None:
    """One zone of owners and one of tenants, whose odds are those of all: their own rates differ, these do not."""

    def of_owners(row: Row) -> Row:
        owner = row["statut_occupation"] == "proprietaire"
        part = {"QP000000": 8 if owner else 1, "QP000001": 1 if owner else 4}.get(row["code_zone"], 1)
        if None in (row["n_eligibles"], row["n_beneficiaires"]):
            return row
        return row | {"n_eligibles": part * row["n_eligibles"], "n_beneficiaires": part * row["n_beneficiaires"]}

    rows = changed(drawn(12, seed=13, zone_sd=0.0, eligible=150.0, least=0), of_owners)
    raw = {
        zone: 1
        - sum(r["n_beneficiaires"] for r in rows if r["code_zone"] == zone)
        / sum(r["n_eligibles"] for r in rows if r["code_zone"] == zone)
        for zone in ("QP000000", "QP000001")
    }
    assert raw["QP000000"] - raw["QP000001"] > 0.04
    values = {row["zone_code"]: row["value"] for row in estimated(table(rows))["zone"].to_pylist()}
    assert values["QP000000"] == pytest.approx(values["QP000001"], abs=1.5)


# Calibration


def test_a_right_model_is_calibrated(found: dict[str, pa.Table]) -> None:
    for sample in ("ajustement", "validation_croisee"):
        row = whole(found, sample)
        assert row["pente"] == pytest.approx(1, abs=0.05)
        assert row["ordonnee"] == pytest.approx(0, abs=0.03)
        assert row["brier"] < row["brier_reference"]
        assert row["hosmer_lemeshow_p"] > 0.01
        classes = [r for r in found["calibration"].to_pylist() if r["sample"] == sample and r["tranche"]]
        assert [r["tranche"] for r in classes] == list(range(1, 11))
        assert sum(r["n_eligibles"] for r in classes) == row["n_eligibles"]
        assert [r["expected"] for r in classes] == sorted((r["expected"] for r in classes), reverse=True)
        assert max(abs(r["expected"] - r["observed"]) for r in classes) < 3


def test_a_model_that_forgets_an_interaction_is_seen() -> None:
    def crossed(row: Row) -> Row:
        lone_child = (row["type_menage"], row["tranche_age"]) == ("monoparental", "moins_18")
        if not lone_child or not row["n_eligibles"]:
            return row
        return row | {"n_beneficiaires": round(0.2 * row["n_eligibles"])}

    row = whole(estimated(table(changed(drawn(20, seed=1, least=0), crossed))))
    assert row["hosmer_lemeshow_p"] < 1e-6
    assert row["dispersion"] > 1.5


def test_calibration_by_hand() -> None:
    """Two cells predicted 25 % and 75 %, of which 40 % and 60 % take up: half as spread as predicted, and no more."""
    told = scores(Predicted(np.array([0.25, 0.75]), np.array([100.0, 100.0]), np.array([40.0, 60.0])))
    assert told["ordonnee"] == pytest.approx(0, abs=1e-9)
    assert told["pente"] == pytest.approx(log(1.5) / log(3))
    assert told["brier"] == pytest.approx((40 * 0.75**2 + 60 * 0.25**2 + 60 * 0.25**2 + 40 * 0.75**2) / 200)
    assert told["brier_reference"] == pytest.approx(0.25)


def test_classes_hold_published_cells_only(found: dict[str, pa.Table]) -> None:
    shown = sum(status == SHOWN for status in found["prediction"]["status"].to_pylist())
    assert 0 < whole(found)["n_cells"] <= shown


def test_too_few_cells_are_not_calibrated() -> None:
    few = estimated(table(drawn(1, seed=3, eligible=20.0)), replace(CHOICES, least_cells=12))
    assert whole(few)["status"] == "ok" or whole(few)["pente"] is None
    none = estimated(table(drawn(1, seed=3, eligible=9.0)))
    assert (whole(none)["status"], whole(none)["n_cells"]) == ("nd", None)
    assert "Trop peu" in whole(none)["motif"]


# Secrecy


@pytest.mark.parametrize(
    ("eligible", "held", "status"),
    [
        (22, 11, SHOWN),
        (21, 11, PRIMARY),  # ten persons without it
        (21, 10, PRIMARY),
        (30, 30, PRIMARY),  # everybody has it
        (30, 0, PRIMARY),  # nobody has it
        (None, None, PRIMARY),
        (30, None, PRIMARY),
        (0, 0, PRIMARY),
    ],
)
def test_three_counts_are_protected(eligible: int | None, held: int | None, status: str) -> None:
    counts = Counts(*(np.array([np.nan if one is None else float(one)]) for one in (eligible, held)))
    assert statuses(counts, [], 11) == [status]


def test_a_cell_hidden_alone_hides_the_smallest_beside_it() -> None:
    counts = Counts(np.array([np.nan, 90.0, 40.0, 60.0]), np.array([np.nan, 40.0, 20.0, 30.0]))
    assert statuses(counts, [[0, 1, 2, 3]], 11) == [PRIMARY, SHOWN, SECONDARY, SHOWN]
    assert statuses(counts, [[0, 1, 2, 3], [2, 3]], 11) == [PRIMARY, SHOWN, SECONDARY, SECONDARY]  # and so on


def test_an_empty_cell_protects_nothing() -> None:
    counts = Counts(np.array([np.nan, 0.0, 40.0, 60.0]), np.array([np.nan, 0.0, 20.0, 30.0]))
    assert statuses(counts, [[0, 1, 2, 3]], 11) == [PRIMARY, PRIMARY, SECONDARY, SHOWN]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.floats(0, 1)), min_size=12, max_size=12),
    st.lists(st.lists(st.integers(0, 11), min_size=1, unique=True), max_size=6),
)
def test_no_margin_hides_one_cell_alone(cells: list[tuple[int, float]], margins: list[list[int]]) -> None:
    eligible = np.array([float(count) for count, _ in cells])
    counts = Counts(eligible, np.round([count * part for count, part in cells]))
    found = statuses(counts, margins, 11)
    for margin in margins:
        hidden = [rank for rank in margin if found[rank] != SHOWN and eligible[rank] > 0]
        assert len(hidden) != 1 or all(found[rank] != SHOWN for rank in margin)
    for rank, status in enumerate(found):
        if status != PRIMARY:
            assert min(eligible[rank], counts.beneficiaries[rank], counts.others[rank]) >= 11


def test_a_masked_cell_has_no_number_at_all(found: dict[str, pa.Table]) -> None:
    numbers = ("n_eligibles", "n_beneficiaires", "observed", "smoothed", "ci_low", "ci_high")
    for row in found["prediction"].to_pylist():
        assert all((row[name] is None) == (row["status"] != SHOWN) for name in numbers)
        assert (row["motif"] is None) == (row["status"] == SHOWN)


def test_a_zone_of_one_published_cell_has_no_rate() -> None:
    rows = drawn(6, seed=2, eligible=40.0)
    kept = [row for row in rows if row["code_zone"] != "QP000000"]
    kept.append(cell("QP000000", PROFILES[0], 80, 50))
    zone = estimated(table(kept))["zone"].to_pylist()[0]
    assert (zone["status"], zone["value"], zone["odds_ratio"]) == (PRIMARY, None, None)


# The fit itself


def test_effects_that_nothing_tells_apart_stop_the_fit() -> None:
    design = np.column_stack([np.ones(40), np.ones(40)])
    cells = Cells(design, np.arange(40) % 4, 4, np.full(40, 50.0), np.full(40, 25.0), 10)
    with pytest.raises(FitError, match="confondus"):
        fit(cells, np.zeros(2), CHOICES)


@pytest.mark.parametrize("wrong", [{"level": 1.0}, {"prior_sd": 0.0}, {"folds": 1}, {"slices": 1}])
def test_choices_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        replace(CHOICES, **wrong)
