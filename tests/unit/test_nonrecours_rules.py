"""Rules of the C2S against published tables of ceilings and flat amounts."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.models.nonrecours.rules import Rules, in_force
from tests.nonrecours_grounds import rules, seed

# Published tables round each cell to the euro, from a ceiling that has cents: two euros are the tolerance.
# Day, tier, sizes 1 to 4, each further person.
PUBLISHED = [
    # quechoisir.org n6065, « applicable au 1er avril 2020 en métropole »
    (date(2020, 4, 1), "np", (9032, 13547, 16257, 18966), 3612.62),
    (date(2020, 4, 1), "p", (12193, 18289, 21947, 25604), 4877.04),
    # linternaute.fr 1778974 and mutuelle.dispofi.fr, ceilings of 1 April 2021
    (date(2021, 12, 31), "np", (9041, 13561, 16273, 18985), 3616),
    (date(2021, 12, 31), "p", (12205, 18307, 21969, 25630), 4882),
    # lecomparateurassurance.com 103386, 1 April 2022
    (date(2022, 4, 1), "np", (9203,), None),
    (date(2022, 4, 1), "p", (12424,), None),
    # cab-apparailly.com (Lefebvre Dalloz), 1 April 2023
    (date(2023, 4, 1), "np", (9719, 14578, 17494, 20409), 3887),
    (date(2023, 4, 1), "p", (13120, 19680, 23616, 27553), 5248),
    # DOMAIN §6 C, computed from the order of 26 March 2024
    (date(2024, 4, 1), "p", (13724,), None),
    # efl.fr, 1 April 2025
    (date(2025, 4, 1), "np", (10339, 15508, 18609, 21711), 4135),
    (date(2025, 4, 1), "p", (13957, 20936, 25123, 29311), 5583),
]
# Flat amounts a month with housing benefit, one, two, three persons: mutuelle.dispofi.fr (2021, « de 67,84 € à
# 167,91 € »), mesallocations.fr (2023), aide-sociale.fr 21159 (2024, « entre 76,28 et 188,80 € »).
FLAT = [("2021", (67.84, None, 167.91)), ("2023", (72.93, 145.86, 180.50)), ("2024", (76.28, None, 188.80))]


@pytest.mark.parametrize(("day", "tier", "amounts", "further"), PUBLISHED)
def test_ceilings_are_those_published(day, tier, amounts, further) -> None:
    found = Rules.at(seed("c2s_rule"), day)
    sizes = np.arange(1, len(amounts) + 1)
    assert found.ceiling(sizes, tier) == pytest.approx(amounts, abs=2)
    if further is not None:
        assert np.diff(found.ceiling([4, 5, 6, 9], tier)) / [1, 1, 3] == pytest.approx(further, abs=1)


@pytest.mark.parametrize(("vintage", "amounts"), FLAT)
def test_flat_housing_amounts_are_those_published(vintage, amounts) -> None:
    found = rules(vintage)
    for size, amount in enumerate(amounts, 1):
        if amount is not None:
            assert float(found.flat_housing(size, "aide")) / 12 == pytest.approx(amount, abs=0.011)
    assert found.flat_housing(7, "aide") == found.flat_housing(3, "aide")
    assert found.flat_housing(3, "proprietaire") < found.flat_housing(3, "aide")
    assert found.flat_housing([1, 4], "aucun").tolist() == [0, 0]


def test_rules_are_those_of_31_december_of_the_edition() -> None:
    assert in_force("2021") == date(2021, 12, 31)
    assert [rules(year).single for year in ("2019", "2020", "2021", "2022")] == [8951, 9032, 9041, 9571]
    # the day of a change is the first of the new rule
    assert Rules.at(seed("c2s_rule"), date(2022, 6, 30)).single == 9203
    assert Rules.at(seed("c2s_rule"), date(2022, 7, 1)).single == 9571


def test_housing_benefit_counts_for_its_flat_amount() -> None:
    found = rules()
    # 10 500 € of which 2 700 € of housing benefit: 7 800 € and 12 months of 67,84 €
    assert float(found.resources(10_500, 2_700, 1)) == pytest.approx(7_800 + 12 * 67.8408)
    assert found.entitlement(10_500, 2_700, 1) == "np"
    assert found.entitlement(10_500, 0, 1, "aucun") == "p"
    assert found.entitlement(10_500, 0, 1, "proprietaire") == "p"
    assert found.entitlement(12_500, 0, 1, "aucun") is None
    assert found.entitlement(12_500, 0, 2, "aucun") == "np"


def test_a_ceiling_itself_is_entitled() -> None:
    found = rules()
    for tier in ("np", "p"):
        assert found.entitlement(float(found.ceiling(3, tier)), 0, 3, "aucun") == tier


@given(st.integers(1, 12), st.floats(0, 60_000), st.floats(0, 5_000))
def test_more_income_never_gives_a_better_tier(size, income, more) -> None:
    order = {"np": 0, "p": 1, None: 2}
    found = [order[rules().entitlement(amount, 0, size, "aide")] for amount in (income, income + more)]
    assert found[0] <= found[1]


@given(st.integers(1, 12))
def test_ceilings_grow_with_size(size) -> None:
    assert rules().ceiling(size, "np") < rules().ceiling(size + 1, "np")
    assert rules().ceiling(size, "p") == pytest.approx(1.35 * float(rules().ceiling(size, "np")))


def test_no_rule_before_the_c2s() -> None:
    with pytest.raises(ValueError, match="majoration_p"):
        Rules.at(seed("c2s_rule"), date(2019, 10, 31))


def test_a_rule_given_twice_is_refused() -> None:
    table = seed("c2s_rule")
    with pytest.raises(ValueError, match="twice"):
        Rules.at(table.take([0, *range(table.num_rows)]), date(2021, 12, 31))


@pytest.mark.parametrize(("size", "tier"), [(0, "np"), (1, "total")])
def test_households_and_tiers_that_do_not_exist(size, tier) -> None:
    with pytest.raises(ValueError, match="household"):
        rules().ceiling(size, tier)


# --- the table of households ----------------------------------------------------------------------------------------

# INSEE 8569208, FAM T1, France, RP 2022: households and persons by prefix of type.
HOUSEHOLDS = {
    "seul_": (5_267_881 + 6_648_221, 11_916_102),
    "sans_famille_": (522_801, 1_162_826),
    "couple_sans": (7_934_054, 16_195_818),
    "couple_avec": (7_402_264, 28_788_692),
    "mono_": (3_132_068, 8_267_064),
}
WITHOUT_CHILD = {"couple_moins_60", "couple_60", "couple_autre"}


def _family(code: str) -> str:
    if code.startswith("couple_"):
        return "couple_sans" if code in WITHOUT_CHILD else "couple_avec"
    return next(prefix for prefix in HOUSEHOLDS if code.startswith(prefix))


def test_households_and_persons_are_those_of_the_census() -> None:
    found = dict.fromkeys(HOUSEHOLDS, (0.0, 0.0))
    for row in seed("household_type").to_pylist():
        homes = row["share"] / 100 * 30_907_289
        before = found[_family(row["type_code"])]
        found[_family(row["type_code"])] = (before[0] + homes, before[1] + homes * row["size"])
    for family, (homes, persons) in HOUSEHOLDS.items():
        assert found[family] == (pytest.approx(homes, abs=5), pytest.approx(persons, abs=15)), family
    assert sum(persons for _, persons in found.values()) == pytest.approx(66_330_502, abs=50)


def test_large_households_and_social_housing_are_those_published() -> None:
    rows = seed("household_type").to_pylist()
    large = [row for row in rows if row["size"] >= 6]
    persons = sum(row["share"] * row["size"] for row in rows)
    # INED, RP 2015: 1,6 % of households, 4,7 % of persons
    assert sum(row["share"] for row in large) == pytest.approx(1.6, abs=0.05)
    assert 100 * sum(row["share"] * row["size"] for row in large) / persons == pytest.approx(4.7, abs=0.05)
    social = {row["type_code"]: row["share"] * row["social_housing"] for row in rows}
    whole = sum(social.values())
    # INSEE Première 1715: 16 % of dwellings; 23 % of them couples with children; lone parents twice their share
    assert whole == pytest.approx(16, abs=0.5)
    assert sum(v for k, v in social.items() if _family(k) == "couple_avec") / whole == pytest.approx(0.23, abs=0.01)
    assert sum(v for k, v in social.items() if _family(k) == "mono_") / whole == pytest.approx(0.20, abs=0.015)


def test_units_are_the_oecd_s_and_ages_fit_in_sizes() -> None:
    for row in seed("household_type").to_pylist():
        assert row["uc"] == pytest.approx(1 + 0.5 * (row["size"] - 1 - row["under14"]) + 0.3 * row["under14"], abs=1e-6)
        assert 0 <= row["under14"] <= row["under18"] <= row["under25"] <= row["size"] - row["over60"] + 1e-9
        assert row["adults"] + row["under18"] == pytest.approx(row["size"])
        assert row["citation"]
