"""Claims judged on a town whose answer is known: exact bounds, a counter-example by name, silence that says why."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.models.claim_test import CLAIM, judge
from dagster_project.models.exact import agreement, clopper_pearson
from dagster_project.models.parameters import SANTE, SOCIO
from dagster_project.settings import PROJECT_ROOT
from tests.model_grounds import Town, by, claims, shuffled

# in a town of twelve columns the three eastern ones are sensitive at P75
EAST = {f"QN{n:02d}": [(9 + n % 3, n % 12), (9 + n % 3, (n + 1) % 12)] for n in range(8)}
EAST_SMALL = {"Q1": [(5, 0)], "Q2": [(5, 3)]}
PLANTED = EAST | {"QN99": [(2, 5), (2, 6)]}


def test_clopper_pearson_of_all_seventy_eight() -> None:
    bounds = clopper_pearson(78, 78)
    assert round(bounds.low, 3) == 0.954
    assert round(bounds.low_one_sided, 3) == 0.962
    assert bounds.high == 1.0


def test_clopper_pearson_by_published_values() -> None:
    # 10 of 100: 4.9 % to 17.6 % in any table
    bounds = clopper_pearson(10, 100)
    assert (bounds.low, bounds.high) == pytest.approx((0.0490, 0.1762), abs=1e-4)
    assert clopper_pearson(0, 10).low == 0.0
    assert clopper_pearson(0, 10).high == pytest.approx(1 - 0.025**0.1)
    with pytest.raises(ValueError, match="not a proportion"):
        clopper_pearson(2, 1)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_bounds_hold_the_proportion_and_mirror_each_other(pair) -> None:
    k, n = pair
    bounds, mirror = clopper_pearson(k, n), clopper_pearson(n - k, n)
    assert bounds.low <= bounds.low_one_sided <= k / n <= bounds.high
    assert (bounds.low, bounds.high) == pytest.approx((1 - mirror.high, 1 - mirror.low))


def test_agreement_by_hand() -> None:
    first, second = (
        np.repeat([True, True, False, False], [20, 5, 10, 15]),
        np.repeat([True, False, True, False], [20, 5, 10, 15]),
    )
    kappa, mcc = agreement(first, second)
    assert kappa == pytest.approx(0.4)
    assert mcc == pytest.approx((20 * 15 - 5 * 10) / (25 * 25 * 30 * 20) ** 0.5)
    assert np.isnan(agreement(first, np.ones(50, dtype=bool))).all()


def test_a_claim_that_holds_is_confirmed_with_what_it_does_not_prove() -> None:
    made = judge(claims(), *Town(12, EAST).tables())
    verdict = made["verdict"].to_pylist()[0]
    assert verdict["verdict"] == "confirmee_sur_le_champ"
    assert (verdict["k"], verdict["n"], verdict["n_qpv"], verdict["counter_examples"]) == (8, 8, 8, "")
    assert verdict["low_two_sided"] == pytest.approx(0.025 ** (1 / 8))
    assert "63,1 %" in verdict["reason_fr"]
    assert made["contre_exemples"].num_rows == 0


def test_a_planted_counter_example_refutes_and_is_named() -> None:
    made = judge(claims(), *Town(12, PLANTED).tables())
    verdict = made["verdict"].to_pylist()[0]
    assert verdict["verdict"] == "refutee"
    assert (verdict["k"], verdict["n"], verdict["counter_examples"]) == (8, 9, "QN99")
    assert "QN99" in verdict["reason_fr"]
    (row,) = made["contre_exemples"].to_pylist()
    assert (row["qpv_code"], row["name"], row["kind"]) == ("QN99", "Qn99", "contre_exemple")
    assert (row["share_sensitive"], row["missing_share"]) == (0.0, 0.5)
    # its better half stands 31st of 144 from the west: the cut would have to come down to there
    assert row["critical_cut"] == pytest.approx(31 / 144)
    assert row["distance_cut"] == pytest.approx(0.75 - 31 / 144)


def test_half_of_the_inhabitants_is_enough_and_less_is_not() -> None:
    town = Town(12, {"HALF": [(11, 0), (0, 0)], "THIRD": [(11, 0), (0, 0), (0, 1)]})
    found = judge(claims({"share_required": 1 / 3}), *town.tables())
    verdicts = by(found["verdict"], "claim_id")
    assert verdicts["principale"]["counter_examples"] == "THIRD"
    assert verdicts["variante_0"]["verdict"] == "confirmee_sur_le_champ"


def test_part_one_counts_sensitive_zones_without_any_qpv_inhabitant() -> None:
    # at P75 of 144 equal zones: the 108th, which brings the people at or under it to three quarters, and the 36 above
    verdict = judge(claims(), *Town(12, {"Q": [(11, 0), (11, 1)]}).tables())["verdict"].to_pylist()[0]
    assert (verdict["n_sensitive"], verdict["n_sensitive_without_qpv"], verdict["n_sensitive_not_qpv"]) == (37, 35, 35)
    assert verdict["part_one_verdict"] == "confirmee_sur_le_champ"
    assert verdict["ppv_zones"] == pytest.approx(2 / 37)
    # the QPV's 1,000 inhabitants among the 37,000 of sensitive zones
    assert verdict["ppv_population"] == pytest.approx(1 / 37)
    assert verdict["share_population_sensitive"] == pytest.approx(37 / 144)
    assert verdict["share_qpv_population_sensitive"] == pytest.approx(1.0)


def test_the_curve_gives_the_verdict_at_every_cut() -> None:
    town = Town(12, PLANTED)
    cuts = (0.1, 0.25, 0.75, 0.9)
    found = judge(claims(*({"cut_quantile": cut} for cut in cuts)), *town.tables())
    curve = by(found["curve"], "claim_id", "cut_quantile")
    for n, cut in enumerate(cuts):
        verdict = by(found["verdict"], "claim_id")[f"variante_{n}"]
        point = curve["principale", cut]
        assert (point["k"], point["n"]) == (verdict["k"], verdict["n"])
        assert point["share_labelled"] == pytest.approx(verdict["share_population_sensitive"])
    ks = [curve["principale", cut]["k"] for cut in np.round(np.arange(100) / 100, 2)]
    assert ks == sorted(ks, reverse=True)
    assert ks[0] == 9


def test_the_area_tells_a_sharp_index_from_a_blind_one() -> None:
    everywhere = {f"Q{x:02d}{y:02d}": [(x, y)] for x in range(12) for y in range(12)}
    blind = judge(claims(), *Town(12, everywhere).tables())["verdict"].to_pylist()[0]
    sharp = judge(claims(), *Town(12, {"Q": [(11, 11)]}).tables())["verdict"].to_pylist()[0]
    assert blind["auc"] == pytest.approx(0.5, abs=0.01)
    assert sharp["auc"] == pytest.approx(1 - 1 / 144)
    assert (sharp["smallest_share"], blind["smallest_share"]) == (pytest.approx(1 / 144), pytest.approx(1.0))


def test_a_zone_without_a_value_leaves_a_neighbourhood_undecided_not_out() -> None:
    town = Town(12, EAST | {"QN98": [(2, 5), (11, 6), (11, 7), (2, 6)], "QN97": [(3, 3), (3, 4)]})
    for cell in ((11, 6), (3, 3), (3, 4)):
        town.value[cell] = None
    made = judge(claims(), *town.tables())
    verdict = made["verdict"].to_pylist()[0]
    assert (verdict["verdict"], verdict["n"], verdict["n_undecided"]) == ("non_testable", 8, 2)
    kinds = {row["qpv_code"]: (row["kind"], row["share_unknown"]) for row in made["contre_exemples"].to_pylist()}
    assert kinds == {"QN97": ("indecis", 1.0), "QN98": ("indecis", 0.25)}
    town.value[2, 5] = town.value[2, 6] = None
    assert judge(claims(), *town.tables())["verdict"].to_pylist()[0]["verdict"] == "non_testable"


def test_a_refutation_stands_whatever_is_unknown() -> None:
    town = Town(12, PLANTED | {"QN97": [(3, 3)]})
    town.value[3, 3] = None
    verdict = judge(claims(), *town.tables())["verdict"].to_pylist()[0]
    assert (verdict["verdict"], verdict["counter_examples"], verdict["n_undecided"]) == ("refutee", "QN99", 1)


def test_an_index_awaiting_a_convention_is_not_testable_and_says_so() -> None:
    town = Town(12, EAST)
    town.status = "convention"
    made = judge(claims({"index_code": f"{SANTE}|{SOCIO}"}), *town.tables())
    for row in made["verdict"].to_pylist():
        assert (row["verdict"], row["status"], row["k"], row["null_p"]) == ("non_testable", "convention", None, None)
        assert row["reason_fr"].startswith("Non testable")
        assert "convention" in row["reason_fr"]
    assert made["curve"].num_rows == made["circularite"].num_rows == 0
    assert {row["status"] for row in made["moran"].to_pylist()} == {"convention"}


def test_a_mesh_or_a_generation_that_is_not_there_is_not_testable() -> None:
    found = by(
        judge(claims({"mesh": "CARREAU"}, {"generation": "QP2015"}), *Town(6, EAST_SMALL).tables())["verdict"],
        "claim_id",
    )
    assert (found["variante_0"]["verdict"], found["variante_0"]["status"]) == ("non_testable", "nd")
    assert "QP2015" in found["variante_1"]["reason_fr"]
    assert found["principale"]["verdict"] == "confirmee_sur_le_champ"


def test_two_indices_make_a_zone_sensitive_by_either() -> None:
    rows = Town(12, {"WEST": [(0, 0), (0, 1)]}).zones().to_pylist()
    for row in rows:
        if row["index_code"] == SOCIO:
            row["value"] = 100 - row["value"]
    town = Town(12, {"WEST": [(0, 0), (0, 1)], "EAST": [(11, 0)]})
    either = claims({"index_code": f"{SANTE}|{SOCIO}"}, {"index_code": SOCIO})
    found = by(judge(either, pa.Table.from_pylist(rows), *town.tables()[1:])["verdict"], "claim_id")
    assert found["principale"]["counter_examples"] == "WEST"
    assert found["variante_1"]["counter_examples"] == "EAST"
    assert (found["variante_0"]["verdict"], found["variante_0"]["n_sensitive"]) == ("confirmee_sur_le_champ", 74)
    assert found["variante_0"]["cut_value"] is None


def test_the_order_of_rows_changes_nothing() -> None:
    tables = Town(12, PLANTED).tables()
    first, second = judge(claims(), *tables), judge(claims(), *map(shuffled, tables))
    for name, table in first.items():
        assert table.equals(second[name]), name


def test_wrong_tables_are_refused_by_name() -> None:
    town = Town(6, EAST_SMALL)
    zones, shares, neighbours, qpv, income = town.tables()
    with pytest.raises(ValueError, match="one claim at most is primary"):
        judge(claims({"is_primary": True}), *town.tables())
    with pytest.raises(ValueError, match="cut, share and alpha"):
        judge(claims({"cut_quantile": 75.0}), *town.tables())
    with pytest.raises(ValueError, match="Q1 is not in table `qpv`"):
        judge(claims(), zones, shares, neighbours, qpv.slice(1), income)
    extra = shares.slice(0, 1).to_pylist()[0] | {"zone_code": "Z0000", "share": 0.5}
    with pytest.raises(ValueError, match=r"Q1 sum to 1\.5"):
        judge(claims(), zones, pa.Table.from_pylist([*shares.to_pylist(), extra]), neighbours, qpv, income)
    unknown = [row | {"population": None if row["qpv_code"] == "Q1" else 1.0} for row in qpv.to_pylist()]
    with pytest.raises(ValueError, match="Q1 has no population"):
        judge(claims(), zones, shares, neighbours, pa.Table.from_pylist(unknown), income)


# --- the seed -------------------------------------------------------------------------------------------------------


def seed_rows() -> list[dict[str, str]]:
    with (PROJECT_ROOT / "seeds" / "claim.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_one_claim_is_primary_and_it_is_the_one_declared() -> None:
    rows = seed_rows()
    assert set(CLAIM) <= set(rows[0])
    (primary,) = [row for row in rows if row["is_primary"] == "true"]
    declared = ("QN2024", "IRIS", SANTE, "0.75", "0.5", "0.05", "999")
    names = ("generation", "mesh", "index_code", "cut_quantile", "share_required", "alpha", "draws")
    assert tuple(primary[name] for name in names) == declared


def test_claims_differ_and_cover_both_generations_alike() -> None:
    rows = seed_rows()
    tests = [tuple(row[name] for name in ("mesh", "index_code", "cut_quantile", "share_required")) for row in rows]
    of_generation = {
        generation: {test for test, row in zip(tests, rows, strict=True) if row["generation"] == generation}
        for generation in ("QP2015", "QN2024")
    }
    assert of_generation["QP2015"] == of_generation["QN2024"]
    assert len({row["claim_id"] for row in rows}) == len(rows) == 2 * len(of_generation["QN2024"])
    assert {row["mesh"] for row in rows} == {"IRIS", "COM", "CARREAU"}
    for row in rows:
        assert "'" not in row["statement_fr"] + row["note_fr"], "apostrophes are ’"
        assert row["note_fr"].endswith(".")
