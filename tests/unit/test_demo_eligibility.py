"""True right to the C2S on the demonstration territory: it adds up, and the published files agree with it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from dagster_project.demo_territory.eligibility import TIERS, Eligibility
from dagster_project.demo_territory.income import Incomes
from dagster_project.demo_territory.mirror import build_files
from dagster_project.demo_territory.population import latents
from dagster_project.demo_territory.territory import build_territory
from dagster_project.sources.catalogue import load_catalogue
from tests.demo_dwellings import C2S, NATIONAL, rows_of
from tests.readers_support import cells, read

SEED = 7
RATES = ("non_recours", "non_recours_np", "non_recours_p")
YEARS = ("2021", "2022")
Truth = dict[tuple[str, str, str], dict[str, float]]


@pytest.fixture(scope="module")
def mirror(demo_world) -> Path:
    return demo_world(SEED)


@pytest.fixture(scope="module")
def truth(mirror) -> Truth:
    """(level, code, edition) -> variable -> value."""
    found = {}
    for row in rows_of(mirror / "_verite/non_recours.csv", ","):
        level, code, _, vintage, *_ = row.values()
        found[level, code, vintage] = {name: float(value) for name, value in list(row.items())[4:]}
    return found


@pytest.fixture(scope="module")
def eligibility() -> Eligibility:
    territory = build_territory(SEED)
    return Eligibility(Incomes(territory, latents(territory)["QP2015"]))


def level(truth: Truth, name: str, vintage: str) -> dict[str, dict[str, float]]:
    return {code: row for (of, code, year), row in truth.items() if (of, year) == (name, vintage)}


def persons(row: dict[str, float], tier: str) -> tuple[float, float]:
    """Eligible persons, and those of them who have the C2S."""
    eligible = row["population"] * row[f"eligible_{tier}"]
    return eligible, eligible * (1 - row[f"non_recours_{tier}"] / 100)


# What is true


@pytest.mark.parametrize("vintage", YEARS)
@pytest.mark.parametrize("finer", ["COM", "DEP", "REG"])
@pytest.mark.parametrize("tier", TIERS)
def test_persons_of_each_level_add_up_to_the_whole(truth, vintage, finer, tier):
    parts = np.array([persons(row, tier) for row in level(truth, finer, vintage).values()])
    whole = persons(truth["FRM", "FRM", vintage], tier)
    # populations are written in whole persons, and some QPV lie over two communes
    assert parts.sum(axis=0) == pytest.approx(whole, rel=2e-4)


def test_qpv_and_the_rest_of_a_commune_add_up_to_it(truth, eligibility):
    communes = eligibility.incomes.communes
    alone = [rank for rank in range(len(communes)) if ((eligibility.where[:24, rank] % 1) == 0).all()]
    checked = 0
    for rank in alone:
        code = communes[rank].code
        inside = np.flatnonzero(eligibility.where[:24, rank])
        if ("HQPV", code, "2021") not in truth or not len(inside):
            continue
        parts = [truth["QPV", eligibility.territory.qpv2015[qpv].code, "2021"] for qpv in inside]
        parts.append(truth["HQPV", code, "2021"])
        sums = np.sum([persons(row, "np") for row in parts], axis=0)
        assert sums == pytest.approx(persons(truth["COM", code, "2021"], "np"), rel=2e-3)
        checked += 1
    assert checked >= 5


@pytest.mark.parametrize("vintage", YEARS)
def test_the_country_is_near_what_is_known_of_france(truth, vintage):
    whole = truth["FRM", "FRM", vintage]
    assert 0.1 < whole["eligible_np"] + whole["eligible_p"] < 0.3
    assert whole["eligible_np"] > whole["eligible_p"]
    assert 28 < whole["non_recours_np"] < 34
    assert 63 < whole["non_recours_p"] < 71


@pytest.mark.parametrize("vintage", YEARS)
@pytest.mark.parametrize("tier", TIERS)
def test_every_qpv_has_a_larger_share_of_eligible_persons_than_the_rest_of_any_commune(truth, vintage, tier):
    name = f"eligible_{tier}"
    lowest = min(row[name] for row in level(truth, "QPV", vintage).values())
    assert lowest > max(row[name] for row in level(truth, "HQPV", vintage).values())


def test_rates_are_shares_of_the_eligible_persons_and_differ_between_zones(truth):
    for row in truth.values():
        for name in ("eligible_np", "eligible_p"):
            assert 0 < row[name] < 1
        if row["population"] > 1_000:
            assert all(0 < row[name] < 100 for name in RATES)
            assert row["non_recours_np"] < row["non_recours"] < row["non_recours_p"]
    spread = np.std([row["non_recours_np"] for row in level(truth, "QPV", "2021").values()])
    assert 2 < spread < 8


def test_zones_are_named_as_in_the_product(truth, eligibility):
    over = next(qpv for qpv in eligibility.territory.qpv2015 if len(qpv.cells) > 1)
    codes = sorted(commune.code for commune in eligibility.territory.communes_of(over, 2024))
    assert "+".join(codes) in level(truth, "HQPV", "2022")
    assert set(level(truth, "QPV", "2021")) == {qpv.code for qpv in eligibility.territory.qpv2015}
    assert {of for of, _, _ in truth} == {"QPV", "HQPV", "COM", "EPCI", "DEP", "REG", "FRM"}
    assert set(level(truth, "FRM", "2021")) == {"FRM"}


@pytest.mark.parametrize("seed", [1, 20190101])
def test_another_seed_gives_another_country_within_the_same_bounds(seed):
    territory = build_territory(seed)
    other = Eligibility(Incomes(territory, latents(territory)["QP2015"]))
    shares = [float(np.average(other.eligible[tier], weights=other.persons)) for tier in TIERS]
    assert 0.1 < sum(shares) < 0.3
    assert shares[0] > shares[1]


def test_the_same_seed_gives_the_same_bytes(mirror):
    again = build_files(SEED)
    for path in (NATIONAL, C2S, "_verite/non_recours.csv", "insee/REVN_2021.csv"):
        assert again[path] == (mirror / path).read_bytes()


# What is published


def test_counts_of_revn_follow_the_truth_within_sampling(mirror, truth):
    counts: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows_of(mirror / "_verite/valeurs.csv", ","):
        if (row["dataset"], row["edition"], row["zone_level"]) == ("insee_revn", "2021", "QPV"):
            counts[row["zone_code"]][row["variable"]] = float(row["value"])
    for code, row in level(truth, "QPV", "2021").items():
        covered, helped = counts[code]["C"], counts[code]["CC2S"]
        share = sum(persons(row, tier)[1] for tier in TIERS) / row["population"]
        # drawn without putting back: covered persons are nearly all of them
        left = (row["population"] - covered) / row["population"]
        assert abs(helped - covered * share) < 4 * np.sqrt(covered * share * (1 - share) * left) + 1


def test_iris_hold_the_beneficiaries_of_their_commune(mirror, truth):
    """Communes that IRIS cut, whose counts are masked here and there."""
    counts: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(3))
    for row in rows_of(mirror / C2S):
        counts[row["CODGEO"][:5]] += [0 if row[name] == "ns" else int(row[name]) for name in ("C", "C_C2SNP", "C_C2SP")]
    assert len(counts) >= 5
    for code, (covered, free, paid) in counts.items():
        row = truth["COM", code, "2022"]
        for tier, helped in (("np", free), ("p", paid)):
            true = persons(row, tier)[1] / row["population"]
            assert helped / covered == pytest.approx(true, rel=0.08)


def test_ages_of_beneficiaries_are_plausible(mirror):
    rows = [row for row in rows_of(mirror / C2S) if "ns" not in row.values()]
    free, young, old = (sum(int(row[name]) for row in rows) for name in ("C_C2SNP", "C_17_C2SNP", "C_60_C2SNP"))
    assert 0.25 < young / free < 0.5
    assert 0.03 < old / free < 0.15


@pytest.mark.parametrize("vintage", YEARS)
def test_the_national_reference_is_the_truth_rounded(mirror, truth, vintage):
    rows = {row["mesure"]: row for row in rows_of(mirror / NATIONAL) if row["annee"] == vintage}
    assert set(rows) == {"total", *TIERS}
    whole = truth["FRM", "FRM", vintage]
    for name, row in rows.items():
        rate = whole["non_recours" if name == "total" else f"non_recours_{name}"]
        assert abs(int(row["non_recours_pct"]) - rate) <= 0.5
        assert int(row["population"]) == whole["population"]
        assert "fictif" in row["source"]
    for tier in TIERS:
        helped = int(rows[tier]["beneficiaires"])
        assert helped % 10 == 0
        assert helped == pytest.approx(persons(whole, tier)[1], abs=6)


def test_the_national_reference_is_read_by_the_real_reader(mirror):
    dataset = load_catalogue()["drees_c2s_national"]
    found = read(dataset, mirror / NATIONAL)
    assert sorted(cells(found, "annee", "mesure")) == [(year, name) for year in YEARS for name in ("np", "p", "total")]
    assert not found.rejects
    assert dataset.bytes.minimum <= (mirror / NATIONAL).stat().st_size <= dataset.bytes.maximum
