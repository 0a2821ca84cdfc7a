"""Non-take-up of zones: what is published, what is refused and why, and what the gate withholds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.models.nonrecours import distributions, estimate, gate, inputs, publish
from dagster_project.models.nonrecours.parameters import METHODS, MODEL_VERSION, Parameters
from dagster_project.models.stacked import stack
from tests.nonrecours_grounds import (
    FEW,
    NATION,
    POOR,
    SECRECY,
    TOWN,
    World,
    counts,
    figures,
    lognormal,
    planted,
    qpv,
    seed,
    world,
)

NUMBERS = ("value", "ci_low", "ci_high", "numerator", "denominator", *(f"value_{method}" for method in METHODS))
RATES = ("C_NR", "C_NR_NP", "C_NR_P", "C_NR_J", "C_NR_S")
ALL = ("C_ELIG", *RATES)
# Wide enough for a number of every indicator.
NUMBERED = replace(FEW, max_width=1e9)
COM, REST = ("COM", "35238", "COG"), ("HQPV", "35238", "QP2015")


def without_number(row: dict) -> bool:
    return all(row[name] is None for name in NUMBERS)


def with_gap(**changes) -> World:
    """A quarter and the rest of its commune, which has no quantiles of its own."""
    built = world("QP1")
    built.incomes(COM, lognormal(*TOWN))
    built.mix(REST, {COM: 40_000.0, qpv("QP1"): -5_000.0})
    built.zone(REST, counts(28_000.0, 0.09), population=35_000.0, **changes)
    built.compare(qpv("QP1"), REST)
    return built


# --- what is published ----------------------------------------------------------------------------------------------


def test_rates_are_one_less_beneficiaries_over_eligible_persons() -> None:
    table = world("QP1").run(NUMBERED)["estimation"]
    eligible = figures(table, "C_ELIG")["QP1"]
    assert eligible["ci_low"] < eligible["value"] < eligible["ci_high"]
    for code, share in zip(RATES, (1, 0.8, 0.2, 0.3, 0.1), strict=True):
        row = figures(table, code)["QP1"]
        assert row["status"] == "estime", code
        assert row["numerator"] == pytest.approx(5000 * 0.30 * share)
        assert row["value"] == pytest.approx(100 * (1 - row["numerator"] / row["denominator"]), abs=1), code
        assert row["ci_low"] < row["value"] < row["ci_high"]
        assert row["income_year"] == "2018"
        assert row["model_version"] == MODEL_VERSION
    total = figures(table)["QP1"]
    tiers = [figures(table, code)["QP1"]["denominator"] for code in ("C_NR_NP", "C_NR_P")]
    assert sum(tiers) == pytest.approx(total["denominator"], rel=0.03)
    assert min(total[f"value_{m}"] for m in METHODS) < total["value"] < max(total[f"value_{m}"] for m in METHODS)


@settings(max_examples=12, deadline=None)
@given(st.floats(12_000, 24_000), st.floats(0.3, 0.6), st.floats(0.05, 0.6), st.integers(0, 50))
def test_an_interval_holds_its_centre_and_rates_fall_as_counts_grow(median, spread, rate, seed_) -> None:
    built = world()
    for code, share in (("QP1", rate), ("QP2", rate * 1.1)):
        built.incomes(qpv(code), lognormal(median, spread))
        built.zone(qpv(code), counts(4000.0, share))
    table = built.run(replace(NUMBERED, draws=60, seed=seed_))["estimation"]
    for code in ALL:
        for row in figures(table, code).values():
            assert row["status"] in ("estime", "secret_primaire")
            assert row["status"] != "estime" or row["ci_low"] <= row["value"] <= row["ci_high"]
    first, second = (figures(table)[code] for code in ("QP1", "QP2"))
    assert first["value_c2"] > second["value_c2"]
    # never clipped: with more beneficiaries than eligible persons the rate is negative, and rings
    eligible = figures(table, "C_ELIG")["QP2"]
    assert eligible["value"] == eligible["denominator"]
    for method in METHODS:
        share = 1 - second["numerator"] / eligible[f"value_{method}"]
        assert second[f"value_{method}"] == pytest.approx(100 * share, abs=1e-2, rel=1e-4)
    assert second["alarm"] == (second["value"] < 0 or second["denominator"] > 5000)
    assert eligible["alarm"] == (eligible["value"] > 5000)


def test_every_table_has_its_columns_and_they_stack() -> None:
    tables = with_gap().run()
    assert set(tables) == {"estimation", "composante", "ajustement", "verrou", "calage"}
    assert tables["estimation"].column_names == [
        *("zone_level", "zone_code", "generation", "vintage", "indicator_code", "value", "ci_low", "ci_high"),
        *("classe", "status", "motif", "numerator", "denominator", "income_year", "alarm"),
        *("value_c1_spline", "value_c1_gb2", "value_c2", "model_version"),
    ]
    assert tables["calage"].num_rows == len(METHODS) * 2
    stacked = stack(tables)
    assert stacked.num_rows == sum(table.num_rows for table in tables.values())


def test_parts_of_the_variance_sum_to_one_and_follow_what_is_drawn() -> None:
    parts = world("QP1").run()["composante"].to_pylist()
    found = {row["composante"]: row["part"] for row in parts}
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)
    assert min(found.values()) >= 0
    sure = replace(FEW, zone_sd=0.0, coverage_sd=0.0)
    fewer = {row["composante"]: row["part"] for row in world("QP1").run(sure)["composante"].to_pylist()}
    assert fewer["zone"] == fewer["couverture"] == 0
    assert fewer["methode"] > found["methode"] > 0


def test_calibration_is_told_before_and_after() -> None:
    rows = world("QP1").run()["calage"].to_pylist()
    assert {row["part_nationale"] for row in rows if row["tier"] == "np"} == {round(5.7e6 / 0.69 / 66_330_502, 9)}
    for row in rows:
        if row["methode"] != "c2":
            assert row["part_non_calee"] * row["facteur"] == pytest.approx(row["part_nationale"], rel=1e-6)


def test_the_fits_of_each_zone_are_compared() -> None:
    rows = {row["methode"]: row for row in world("QP1").run()["ajustement"].to_pylist()}
    assert rows["c1_gb2"]["part_np"] - rows["c1_spline"]["part_np"] == pytest.approx(
        rows["c1_gb2"]["ecart_np"], abs=2e-6
    )
    assert 0 < rows["c1_gb2"]["rmse"] < 0.01


# --- the same bytes -------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_whatever_the_order_and_the_chunks() -> None:
    built = planted(7, 3).world
    first = built.run(replace(FEW, chunk=3))
    again = built.run(replace(FEW, chunk=3))
    built.zones.reverse()
    built.taux.reverse()
    built.quantiles.reverse()
    shuffled = built.run(replace(FEW, chunk=3))
    whole = built.run(FEW)
    for name, table in first.items():
        assert table.equals(again[name]), name
        assert table.equals(shuffled[name]), name
        assert whole[name].num_rows == table.num_rows
    values = [[row["value"] for row in figures(t["estimation"], "C_ELIG").values()] for t in (first, whole)]
    assert values[0] == pytest.approx(values[1], abs=1e-3)


def test_a_zone_does_not_hang_on_the_others() -> None:
    alone, among = world("QP2").run(), world("QP1", "QP2", "QP3").run()
    for code in ALL:
        one, other = figures(alone["estimation"], code)["QP2"], figures(among["estimation"], code)["QP2"]
        assert {k: one[k] for k in ("status", "classe", "motif")} == {
            k: other[k] for k in ("status", "classe", "motif")
        }
        assert (one["value"] or 0) == pytest.approx(other["value"] or 0, abs=1e-3)


def test_another_seed_moves_the_bounds() -> None:
    first, second = (figures(world("QP1").run(replace(NUMBERED, seed=s))["estimation"])["QP1"] for s in (1, 2))
    assert first["ci_low"] != second["ci_low"]
    assert first["value_c2"] == second["value_c2"]


# --- refusals -------------------------------------------------------------------------------------------------------


def broken(amounts: list[float | None] | None = None, **changes) -> dict[str, dict]:
    """Rows of a zone with other quantiles, or another description, by indicator."""
    built = world()
    built.incomes(qpv("QP1"), lognormal(*POOR) if amounts is None else amounts)
    counted = changes.pop("counts", counts(4000.0))
    built.zone(qpv("QP1"), counted, **changes)
    table = built.run(NUMBERED)["estimation"]
    return {code: figures(table, code)["QP1"] for code in ALL}


GOOD = list(lognormal(*POOR))


@pytest.mark.parametrize(
    ("amounts", "motif"),
    [
        ([*GOOD[:4], *[None] * 7], distributions.MISSING),
        ([None] * 3 + GOOD[3:], distributions.MISSING),
        ([GOOD[1], GOOD[0], *GOOD[2:]], distributions.UNORDERED),
        ([GOOD[0], GOOD[0], *GOOD[2:]], distributions.UNORDERED),
        ([0.0, *GOOD[1:]], distributions.NOT_POSITIVE),
        ([-50.0, *GOOD[1:]], distributions.NOT_POSITIVE),
    ],
    ids=["four", "none_low", "decreasing", "equal", "null", "negative"],
)
def test_unusable_quantiles_give_a_reason_and_no_number(amounts, motif) -> None:
    for code, row in broken(amounts).items():
        assert (row["status"], row["motif"]) == ("nd", motif), code
        assert without_number(row)
        assert row["classe"] is None
        assert not row["alarm"]


def test_five_quantiles_of_which_one_is_low_are_enough() -> None:
    few = [None, None, GOOD[2], None, None, GOOD[5], GOOD[6], None, GOOD[8], None, GOOD[10]]
    assert broken(few)["C_NR"]["status"] == "estime"


def test_another_year_of_income_is_refused() -> None:
    row = broken(income_year="2019")["C_NR"]
    assert row["status"] == "nd"
    assert row["motif"] == estimate.MIXED.format(zone="2019", nation="2018")
    assert without_number(row)


@pytest.mark.parametrize("year", [None])
def test_a_zone_without_income_is_refused(year) -> None:
    row = broken(income_year=year)["C_NR"]
    assert (row["status"], row["motif"]) == ("nd", distributions.NO_INCOME)


def test_more_beneficiaries_than_persons_covered() -> None:
    rows = broken(counts=counts(4000.0) | {"total": (4001.0, 4000.0)})
    assert (rows["C_NR"]["status"], rows["C_NR"]["motif"]) == ("nd", inputs.ABOVE)
    assert without_number(rows["C_NR"])
    assert rows["C_NR_NP"]["status"] == "estime"


@pytest.mark.parametrize("status", ["secret_primaire", "non_couvert", "convention", "nd"])
def test_a_count_that_is_not_there_hands_on_its_status(status) -> None:
    rows = broken(counts={"total": (None, 4000.0)}, status=status)
    assert (rows["C_NR"]["status"], rows["C_NR"]["motif"]) == (status, inputs.NO_COUNT)
    assert without_number(rows["C_NR"])
    # measures without any row have no data
    assert rows["C_NR_J"]["status"] == "nd"
    # incomes say how many are eligible, whoever counts beneficiaries
    assert rows["C_ELIG"]["status"] == "estime"


@pytest.mark.parametrize("count", [(None, 100.0), (10.0, None), (0.0, 0.0)])
def test_a_count_in_pieces_has_no_rate(count) -> None:
    assert broken(counts={"total": count})["C_NR"]["status"] == "nd"


def test_editions_of_the_cmu_c_are_another_series() -> None:
    built = world("QP1")
    built.zone(qpv("QP1"), counts(4000.0), vintage="2018", serie="cmuc")
    tables = built.run()
    rows = [row for row in tables["estimation"].to_pylist() if row["vintage"] == "2018"]
    assert {(row["status"], row["motif"]) for row in rows} == {("non_couvert", inputs.OTHER_SERIES)}
    assert all(without_number(row) for row in rows)
    assert set(tables["verrou"]["vintage"].to_pylist()) == {"2021"}


def test_a_population_that_is_not_known_gives_rates_and_no_persons() -> None:
    rows = broken(population=None)
    assert rows["C_ELIG"]["status"] == "nd"
    assert rows["C_NR"]["value"] is not None
    assert rows["C_NR"]["numerator"] is rows["C_NR"]["denominator"] is None


def test_a_rest_of_commune_that_cannot_be() -> None:
    built = world("QP1")
    built.incomes(COM, lognormal(*TOWN))
    built.mix(REST, {COM: 40_000.0, qpv("QP1"): -30_000.0})
    built.zone(REST, counts(8_000.0))
    row = figures(built.run()["estimation"])["35238"]
    assert (row["status"], row["motif"]) == ("nd", distributions.BROKEN_MIXTURE)
    assert without_number(row)


def test_a_rest_of_commune_whose_part_has_no_income() -> None:
    built = world("QP1")
    built.mix(REST, {COM: 40_000.0, qpv("QP1"): -5_000.0})
    built.zone(REST, counts(28_000.0))
    row = figures(built.run()["estimation"])["35238"]
    assert row["status"] == "nd"
    assert row["motif"] == distributions.PART_MISSING.format(reason=distributions.NO_INCOME)


@pytest.mark.parametrize(
    ("table", "change", "match"),
    [
        ("zones", {"zone_level": "FRM"}, "not the nation"),
        ("zones", {"serie": "acs"}, "series"),
        ("zones", {"population": 0.0}, "population"),
        ("zones", {"men1": 140.0}, "percentage"),
        ("taux", {"mesure": "x"}, "measures are"),
        ("taux", {"beneficiaires": -1.0}, "not negative"),
    ],
)
def test_tables_that_break_their_rules(table, change, match) -> None:
    built = world("QP1")
    getattr(built, table)[0].update(change)
    with pytest.raises(ValueError, match=match):
        built.run()


def test_a_nation_of_two_years_is_refused() -> None:
    built = world("QP1")
    built.incomes(NATION, lognormal(*TOWN), year="2019")
    with pytest.raises(ValueError, match="several years"):
        built.run()


@pytest.mark.parametrize("table", ["zones", "taux"])
def test_repeated_rows_are_refused(table) -> None:
    built = world("QP1")
    getattr(built, table).append(getattr(built, table)[0])
    with pytest.raises(ValueError, match="twice"):
        built.run()


# --- secrecy, classes and alarms ------------------------------------------------------------------------------------


def test_fewer_than_eleven_beneficiaries_or_eligible_are_secret() -> None:
    rows = broken(counts=counts(4000.0) | {"j": (10.0, 4000.0)})
    assert (rows["C_NR_J"]["status"], rows["C_NR_J"]["motif"]) == ("secret_primaire", SECRECY.reason)
    assert without_number(rows["C_NR_J"])
    assert rows["C_NR_J"]["classe"] is None
    tiny = broken(counts=counts(16.0), population=20.0)
    assert {row["status"] for row in tiny.values()} == {"secret_primaire"}
    assert all(without_number(row) for row in tiny.values())


def test_a_tier_is_not_told_by_difference() -> None:
    rows = broken(counts=counts(4000.0) | {"p": (5.0, 4000.0)})
    assert rows["C_NR_P"]["status"] == "secret_primaire"
    assert (rows["C_NR_NP"]["status"], rows["C_NR_NP"]["motif"]) == ("secret_secondaire", publish.BY_DIFFERENCE)
    assert without_number(rows["C_NR_NP"])
    assert rows["C_NR"]["status"] == "estime"


def test_a_wide_interval_gives_a_class_and_no_number() -> None:
    built = world()
    for code, rate in (("QP1", 0.05), ("QP2", 0.29), ("QP3", 0.55)):
        built.incomes(qpv(code), lognormal(*POOR))
        built.zone(qpv(code), counts(4000.0, rate))
    found = figures(built.run(replace(FEW, max_width=2.0))["estimation"])
    assert {row["status"] for row in found.values()} == {"intervalle_large"}
    assert all(without_number(row) for row in found.values())
    assert [row["classe"] for row in found.values()] == ["superieur", "indistinct", "inferieur"]
    assert all("une classe est publiée" in row["motif"] for row in found.values())
    numbered = figures(built.run(NUMBERED)["estimation"])
    assert [row["classe"] for row in numbered.values()] == ["superieur", "indistinct", "inferieur"]
    for row in numbered.values():
        wide = row["ci_high"] - row["ci_low"] > 15
        assert (figures(built.run()["estimation"])[row["zone_code"]]["status"] == "intervalle_large") == wide


def test_a_rate_that_cannot_be_keeps_its_value_and_rings() -> None:
    row = broken(counts={"total": (3900.0, 4000.0)})["C_NR"]
    assert row["value"] < 0
    assert row["alarm"]
    assert publish.NEGATIVE in row["motif"]


def test_more_eligible_than_inhabitants_rings() -> None:
    rows = broken(list(lognormal(8_000, 0.4)))
    assert rows["C_ELIG"]["value"] > 5000
    assert rows["C_ELIG"]["alarm"]
    assert rows["C_ELIG"]["motif"] == publish.OVERFULL
    assert rows["C_NR"]["alarm"]
    assert publish.OVERFULL in rows["C_NR"]["motif"]


# --- the gap with the rest of the commune ---------------------------------------------------------------------------


def test_the_gap_is_the_difference_and_common_errors_cancel() -> None:
    table = with_gap().run(NUMBERED)["estimation"]
    quarter, rest = figures(table)["QP1"], figures(table)["35238"]
    gap = figures(table, "C_NR_GAP")
    assert list(gap) == ["QP1"]
    for method in METHODS:
        name = f"value_{method}"
        assert gap["QP1"][name] == pytest.approx(quarter[name] - rest[name], abs=1e-3)
    assert gap["QP1"]["ci_low"] < gap["QP1"]["value"] < gap["QP1"]["ci_high"]
    assert gap["QP1"]["numerator"] is gap["QP1"]["denominator"] is None


def test_paired_draws_are_narrower_than_independent_ones() -> None:
    built = world("QP1", "QP2")
    built.compare(qpv("QP1"), qpv("QP2"))
    table = built.run(NUMBERED)["estimation"]
    width = [row["ci_high"] - row["ci_low"] for row in figures(table).values()]
    gap = figures(table, "C_NR_GAP")["QP1"]
    assert gap["ci_high"] - gap["ci_low"] < 0.8 * np.hypot(*width)


def test_a_gap_needs_both_zones() -> None:
    built = with_gap(status="secret_primaire")
    row = figures(built.run()["estimation"], "C_NR_GAP")["QP1"]
    assert row["status"] == "secret_primaire"
    assert row["motif"].startswith("Reste de la commune")
    assert without_number(row)
    built.comparaisons[0]["reference_code"] = "00000"
    assert figures(built.run()["estimation"], "C_NR_GAP")["QP1"]["status"] == "nd"


def test_a_zone_is_compared_once() -> None:
    built = with_gap()
    built.compare(qpv("QP1"), COM)
    with pytest.raises(ValueError, match="twice"):
        built.run()


# --- the gate -------------------------------------------------------------------------------------------------------


def verdict(tables: dict[str, pa.Table]) -> dict:
    rows = {row["entree"]: row for row in tables["verrou"].to_pylist()}
    assert [name for name, row in rows.items() if row["conforme"] is not None] == [gate.COMPUTED]
    return rows


def test_the_gate_opens_on_what_drees_published_for_2021() -> None:
    rows = verdict(world("QP1").run())
    # 7,1 M beneficiaries over 5,7 / 0,69 + 1,4 / 0,33 = 12,5 M eligible persons
    assert rows[gate.COMPUTED]["valeur"] == pytest.approx(100 * (1 - 7.1 / (5.7 / 0.69 + 1.4 / 0.33)), abs=1e-4)
    assert rows[gate.COMPUTED]["conforme"] is True
    assert rows["non_recours_total"]["valeur"] == 44
    assert rows["plafond_np"]["valeur"] == 9041
    # without calibration, disposable income finds far fewer eligible persons
    for method in METHODS:
        assert rows[f"non_recours_non_cale_{method}"]["valeur"] < 30


def withheld(built: World) -> dict:
    tables = built.run()
    rows = tables["estimation"].to_pylist()
    assert {row["status"] for row in rows} == {"retenu"}
    assert all(without_number(row) and row["motif"] for row in rows)
    assert tables["composante"].num_rows == tables["ajustement"].num_rows == 0
    found = verdict(tables)
    assert found[gate.COMPUTED]["conforme"] is False
    return found | {"motif": rows[0]["motif"]}


def national(**changes) -> pa.Table:
    rows = seed("c2s_national").to_pylist()
    return pa.Table.from_pylist([row | changes.get(row["mesure"], {}) for row in rows])


@pytest.mark.parametrize(
    "changes",
    [{"total": {"non_recours": 46.0}}, {"p": {"non_recours": 80.0}}, {"total": {"beneficiaires": 9_000_000.0}}],
    ids=["rate", "tier", "count"],
)
def test_the_gate_shuts_when_tiers_contradict_the_total(changes) -> None:
    built = with_gap()
    built.national = national(**changes)
    found = withheld(built)
    assert "tout le thème est retenu" in found["motif"]


def test_an_edition_that_counts_nobody_says_so_rather_than_that_it_is_withheld() -> None:
    built = world("A")
    built.zone(qpv("B"), {"total": (None, None)}, status="non_couvert", vintage="2030")
    tables = built.run()
    told = {row["zone_code"]: row for row in tables["estimation"].to_pylist() if row["vintage"] == "2030"}
    assert {row["status"] for row in told.values()} == {"non_couvert"}
    assert all(row["motif"] for row in told.values())
    assert {row["vintage"] for row in tables["verrou"].to_pylist()} == {"2021"}


def test_the_gate_shuts_without_a_national_reference() -> None:
    built = world("QP1")
    built.national = national().slice(0, 0)
    assert withheld(built)["motif"] == estimate.NO_REFERENCE


def test_the_gate_shuts_without_national_incomes() -> None:
    built = world("QP1")
    built.quantiles = [row for row in built.quantiles if row["zone_level"] != "FRM"]
    assert withheld(built)["motif"].startswith("Pas de distribution de revenu utilisable pour la France")


def test_the_gate_shuts_when_no_calibration_exists() -> None:
    built = world("QP1")
    built.national = pa.Table.from_pylist([row | {"population": 1e7} for row in national().to_pylist()])
    assert "dépasseraient la population" in withheld(built)["motif"]


# --- a planted population -------------------------------------------------------------------------------------------


def test_true_rates_lie_in_nine_intervals_out_of_ten() -> None:
    inside = []
    for seed_ in range(8):
        plant = planted(40, seed_)
        rows = figures(plant.world.run(replace(NUMBERED, draws=500))["estimation"])
        inside += [row["ci_low"] <= plant.truth[code] <= row["ci_high"] for code, row in rows.items()]
    assert len(inside) == 320
    assert 0.85 <= np.mean(inside) <= 0.95


def test_parameters_out_of_bounds() -> None:
    with pytest.raises(ValueError, match="draws"):
        Parameters(draws=2)
    with pytest.raises(ValueError, match="negative"):
        Parameters(zone_sd=-0.1)
