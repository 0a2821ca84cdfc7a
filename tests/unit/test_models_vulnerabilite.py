"""Indices, their uncertainty and the typology: what holds whatever the data, and what is said without them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.models.parameters import COMPONENTS, SANTE, SOCIO, Parameters
from dagster_project.models.typology import CLASSES
from dagster_project.models.vulnerabilite import MODEL_VERSION, indices
from tests.model_grounds import by, components, random_values, shuffled

FEW = Parameters(draws=60)
ZONES = 80
PLAIN = components(random_values(ZONES), errors=1.0)


def reference(table: pa.Table, index_code: str = SANTE, level: str = "IRIS") -> dict[str, dict]:
    where = {"index_code": index_code, "variant": "reference", "zone_level": level}
    return by(table, "zone_code", where=where)


def test_z_composite_by_hand() -> None:
    line = np.array([1.0, 2.0, 3.0, 4.0])
    values = {name: line for expected in COMPONENTS.values() for name in expected}
    values["A_DIAB"] = line[::-1] * 100
    values["A_ALD"] = np.array([0.0, 0.0, 0.0, 8.0])
    found = reference(indices(components(values), parameters=FEW)["indice"])
    # asthma and diabetes cancel out: only A_ALD tells the fourth zone from the three others, which are equal
    assert [row["value"] for row in found.values()] == pytest.approx([37.5, 37.5, 37.5, 87.5])
    assert [row["rank"] for row in found.values()] == [3.0, 3.0, 3.0, 1.0]


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 1000), st.floats(0, 500))
def test_indices_do_not_hang_on_units(factor, shift) -> None:
    values = random_values(ZONES)
    scaled = values | {"A_ALD": values["A_ALD"] * factor + shift}
    few = replace(FEW, draws=1)
    before, after = (reference(indices(components(v), parameters=few)["indice"]) for v in (values, scaled))
    assert [row["value"] for row in after.values()] == pytest.approx(
        [row["value"] for row in before.values()], abs=1e-6
    )


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(COMPONENTS[SANTE]), st.floats(0, 30), st.floats(0, 30))
def test_a_worse_component_never_lowers_an_index(component, start, more) -> None:
    base = dict.fromkeys((name for expected in COMPONENTS.values() for name in expected), 8.0)
    worse = {"Q1": base | {component: start}, "Q2": base | {component: start + more}}
    table = indices(components(random_values(ZONES), others=worse), parameters=replace(FEW, draws=1))["indice"]
    for variant in ("reference", "min_max", "rang", "acp1", "geometrique", "z_jrc"):
        found = by(table, "zone_code", where={"index_code": SANTE, "variant": variant, "zone_level": "QPV"})
        assert found["Q1"]["value"] <= found["Q2"]["value"], variant


def test_values_ranks_and_intervals_are_within_bounds() -> None:
    table = indices(PLAIN, parameters=FEW)["indice"]
    for row in reference(table).values():
        assert 0 <= row["ci_low"] <= row["median"] <= row["ci_high"] <= 100
        assert 1 <= row["rank_low"] <= row["rank_median"] <= row["rank_high"] <= ZONES
        assert 0 <= row["value"] <= 100
    assert {row["ci_low"] for row in by(table, "zone_code", where={"variant": "rang"}).values()} == {None}
    assert set(table["variant"].to_pylist()) == {"reference", "z_jrc", "min_max", "rang", "acp1", "geometrique"}
    assert set(table["model_version"].to_pylist()) == {MODEL_VERSION}


def test_rows_in_another_order_give_the_same_tables() -> None:
    first, second = indices(PLAIN, parameters=FEW), indices(shuffled(PLAIN), parameters=FEW)
    for name, table in first.items():
        assert table.equals(second[name]), name


def test_another_seed_moves_the_intervals_and_not_the_values() -> None:
    first, second = (reference(indices(PLAIN, parameters=replace(FEW, seed=s))["indice"]) for s in (1, 2))
    assert [row["value"] for row in first.values()] == [row["value"] for row in second.values()]
    assert [row["ci_low"] for row in first.values()] != [row["ci_low"] for row in second.values()]


def test_a_larger_error_gives_wider_intervals() -> None:
    def width(errors: float) -> float:
        found = reference(indices(components(random_values(ZONES), errors=errors), parameters=FEW)["indice"])
        return float(np.mean([row["ci_high"] - row["ci_low"] for row in found.values()]))

    assert width(0.0) < width(1.0) < width(5.0)


def test_probabilities_of_classes_sum_to_one_and_decide_stability() -> None:
    table = indices(PLAIN, parameters=FEW)["typologie"]
    found = by(table, "zone_code")
    assert {row["class"] for row in found.values()} == set(CLASSES)
    for row in found.values():
        assert sum(row[f"p_{name}"] for name in CLASSES) == pytest.approx(1.0)
        assert row["stable"] == (row[f"p_{row['class']}"] >= 0.9)
        assert (row["distance_sante"] >= 0) == (row["class"] in ("double_fragilite", "fragilite_sanitaire"))
        assert (row["distance_socio"] >= 0) == (row["class"] in ("double_fragilite", "fragilite_sociale"))
        assert not row["partial"]
    assert {row["stable"] for row in found.values()} == {True, False}


def test_the_cut_labels_the_upper_quarter_of_the_people() -> None:
    population = np.random.default_rng(4).integers(200, 4000, ZONES).astype(float)
    made = indices(components(random_values(ZONES), population=population), parameters=FEW)
    fragile = [
        row["class"] in ("double_fragilite", "fragilite_sociale") for row in by(made["typologie"], "zone_code").values()
    ]
    assert 0.25 <= population[fragile].sum() / population.sum() <= 0.25 + population.max() / population.sum()


def test_health_awaiting_a_convention_is_said_everywhere_and_nothing_is_put_in_its_place() -> None:
    made = indices(components(random_values(ZONES), absent={SANTE: "convention"}), parameters=FEW)
    health = reference(made["indice"], SANTE)
    assert {(row["value"], row["ci_low"], row["rank"], row["status"]) for row in health.values()} == {
        (None, None, None, "convention")
    }
    zones = by(made["typologie"], "zone_code")
    assert {row["class"] for row in zones.values()} == {"fragilite_sociale", "non_fragile"}
    for row in zones.values():
        assert (row["status"], row["partial"]) == ("convention", True)
        assert row["p_double_fragilite"] is row["p_fragilite_sanitaire"] is row["distance_sante"] is None
        assert row["p_fragilite_sociale"] + row["p_non_fragile"] == pytest.approx(1.0)
    constants = by(made["parametre"], "component", where={"index_code": SANTE})
    assert {(row["mean"], row["cut"], row["status"]) for row in constants.values()} == {(None, None, "convention")}
    complete = indices(components(random_values(ZONES)), parameters=FEW)
    assert reference(complete["indice"], SOCIO) == reference(made["indice"], SOCIO), "the social half is what it was"


def test_two_components_of_three_make_an_index_and_one_does_not() -> None:
    values = random_values(ZONES)
    for name in ("A_DIAB", "A_ALD"):
        values[name] = values[name].copy()
        values[name][0] = np.nan
    values["A_ALD"][1] = np.nan
    made = indices(components(values), parameters=FEW)
    found = reference(made["indice"])
    assert (found["I0000"]["value"], found["I0000"]["status"]) == (None, "secret_primaire")
    assert found["I0000"]["n_components"] == 1
    assert found["I0001"]["value"] is not None
    assert (found["I0001"]["n_components"], found["I0001"]["n_expected"]) == (2, 3)
    assert (found["I0001"]["status"], found["I0002"]["status"]) == ("estime", "ok")
    assert by(made["typologie"], "zone_code")["I0000"]["partial"]


def test_missing_components_without_one_reason_are_not_available() -> None:
    rows = components(random_values(9)).to_pylist()
    for row in rows:
        if row["zone_code"] == "I0000" and row["component"] in ("A_HLM", "A_IMM"):
            row |= {"value": None, "error_sd": None, "status": "nd" if row["component"] == "A_HLM" else "non_couvert"}
    assert reference(indices(pa.Table.from_pylist(rows), parameters=FEW)["indice"], SOCIO)["I0000"]["status"] == "nd"


def test_a_better_direction_turns_the_index_round() -> None:
    plain, turned = (
        reference(
            indices(components(random_values(ZONES), errors=0.5), parameters=replace(FEW, directions=d))["indice"]
        )
        for d in ({}, dict.fromkeys(COMPONENTS[SANTE], -1))
    )
    for code, row in plain.items():
        assert turned[code]["value"] == pytest.approx(100 - row["value"])
        assert turned[code]["ci_low"] <= turned[code]["value"] + 25


def test_constants_published_are_those_of_the_reference_zones_alone() -> None:
    far = {"Q1": dict.fromkeys((name for expected in COMPONENTS.values() for name in expected), 1e6)}
    alone, beside = (
        indices(components(random_values(ZONES), others=others), parameters=FEW)["parametre"] for others in ({}, far)
    )
    assert alone.equals(beside)
    for row in alone.to_pylist():
        assert row["low_bound"] < row["mean"] < row["high_bound"]
        assert row["nominal_weight"] == pytest.approx(1 / 3)
    for code in (SANTE, SOCIO):
        assert sum(r["effective_weight"] for r in alone.to_pylist() if r["index_code"] == code) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"component": "A_HLM", "index_code": SANTE}, "not a component of A_SANTE"),
        ({"error_sd": -1.0}, "negative"),
        ({"population": 5.0}, "two populations"),
    ],
)
def test_a_table_that_breaks_a_rule_is_refused(change, message) -> None:
    rows = components(random_values(5)).to_pylist()
    rows[0] |= change
    with pytest.raises(ValueError, match=message):
        indices(pa.Table.from_pylist(rows), parameters=FEW)


def test_missing_columns_repeated_rows_and_an_absent_reference_are_refused() -> None:
    table = components(random_values(5))
    with pytest.raises(ValueError, match="column\\(s\\) error_sd missing"):
        indices(table.drop_columns(["error_sd"]), parameters=FEW)
    with pytest.raises(ValueError, match="appears twice"):
        indices(pa.concat_tables([table, table.slice(0, 1)]), parameters=FEW)
    with pytest.raises(ValueError, match="no zone of level EPCI"):
        indices(table, "EPCI", FEW)
    with pytest.raises(ValueError, match="direction"):
        Parameters(directions={"A_HLM": 0})


@pytest.mark.parametrize("error", [1.0, 3.0])
def test_nine_intervals_in_ten_hold_the_index_measured_without_error(error) -> None:
    truth = random_values(300, seed=5)
    generator = np.random.default_rng(6)
    seen = {name: np.maximum(values + error * generator.normal(size=300), 0) for name, values in truth.items()}
    exact = indices(components(truth), parameters=replace(FEW, draws=1))["indice"]
    drawn = indices(components(seen, errors=error), parameters=replace(FEW, draws=200))["indice"]
    held = []
    for code in COMPONENTS:
        found = reference(drawn, code)
        held += [
            found[zone]["ci_low"] <= row["value"] <= found[zone]["ci_high"]
            for zone, row in reference(exact, code).items()
        ]
    assert 0.88 <= np.mean(held) < 1.0
