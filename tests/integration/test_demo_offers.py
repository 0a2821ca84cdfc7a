"""Offers and demand of the demonstration territory, against the truth from which its files were made."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import duckdb
import pytest

from tests.graph_runs import Finished

pytestmark = pytest.mark.end_to_end

Key = str  # source and identifier: the same offer in the two files of France Travail has one
HIDDEN_BELOW = 5


@dataclass(frozen=True)
class Pair:
    """Two offers that look alike, by their keys, and whether they are one."""

    keys: frozenset[Key]
    same: bool
    why: str


@dataclass(frozen=True)
class Deduplicated:
    """What the truth says of pairs, and what the models made of offers."""

    pairs: list[Pair]
    closed: set[Key]  # not in competition
    group: dict[Key, Key]  # of each open offer: itself where it is like no other

    def judged(self, *, same: bool) -> list[Pair]:
        """Pairs of two offers that were both open on the day of the snapshot."""
        return [pair for pair in self.pairs if pair.same == same and not pair.keys & self.closed]

    def merged(self, pair: Pair) -> bool:
        return len({self.group[key] for key in pair.keys}) == 1


@pytest.fixture(scope="module")
def warehouse(finished: Finished) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(finished.home.settings.warehouse), read_only=True)


@pytest.fixture(scope="module")
def truth(finished: Finished) -> Path:
    return finished.home.demo / "_verite"


@pytest.fixture(scope="module")
def offers(warehouse: duckdb.DuckDBPyConnection, truth: Path) -> Deduplicated:
    received = warehouse.execute("""
        select dataset, offre_id, offre_cle, etat, coalesce(groupe_cle, offre_cle)
        from intermediate.int_offres__recues
        left join intermediate.int_offres__doublons using (vintage, offre_cle)
    """).fetchall()
    key = {(dataset, number): own for dataset, number, own, _, _ in received}
    pairs = [
        Pair(
            frozenset(key[row[f"source_{side}"], row[f"offre_{side}"]] for side in "ab"),
            row["doublon"] == "1",
            row["raison"],
        )
        for row in read(truth / "doublons_offres.csv")
    ]
    closed = {own for *_, own, state, _ in received if state == "close"}
    group = {own: chosen for *_, own, state, chosen in received if state == "ouverte"}
    return Deduplicated(pairs, closed, group)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# Offers


def test_few_pairs_are_out_of_competition(offers: Deduplicated) -> None:
    assert sum(pair.same for pair in offers.pairs) == 41
    assert len(offers.pairs) == 41 + 12
    left_out = [pair for pair in offers.pairs if pair.keys & offers.closed]
    assert len(left_out) <= 0.15 * len(offers.pairs), left_out
    assert {pair.why for pair in offers.judged(same=True)} == {"republiée", "chez le partenaire", "même identifiant"}
    assert {pair.why for pair in offers.judged(same=False)} == {"trop tard", "autre intitulé", "autre commune"}


def test_an_offer_published_twice_is_one_offer(offers: Deduplicated) -> None:
    assert [pair for pair in offers.judged(same=True) if not offers.merged(pair)] == []


def test_offers_that_only_look_alike_stay_two(offers: Deduplicated) -> None:
    assert [pair for pair in offers.judged(same=False) if offers.merged(pair)] == []


def test_nothing_else_is_taken_for_a_duplicate(offers: Deduplicated) -> None:
    members: dict[Key, list[Key]] = {}
    for key, chosen in offers.group.items():
        members.setdefault(chosen, []).append(key)
    found = {frozenset(two) for group in members.values() for two in combinations(group, 2)}
    assert found == {pair.keys for pair in offers.judged(same=True) if len(pair.keys) == 2}


def test_each_open_offer_is_kept_once(warehouse: duckdb.DuckDBPyConnection, offers: Deduplicated) -> None:
    kept = [key for (key,) in warehouse.execute("select offre_cle from intermediate.int_offres__retenues").fetchall()]
    assert sorted(kept) == sorted(set(offers.group.values()))


def test_what_became_of_offers_is_published(warehouse: duckdb.DuckDBPyConnection, offers: Deduplicated) -> None:
    rows = warehouse.execute("select mesure, sum(n_offres) from marts.mart_offres_compte group by mesure").fetchall()
    count = dict(rows)
    left_out = ("doublon_meme_source", "close", "republiee", "doublon_entre_sources")
    assert count["recues"] == count["retenues"] + sum(count[measure] for measure in left_out)
    assert count["close"] == len(offers.closed)
    said = [pair.why for pair in offers.judged(same=True)]
    assert (count["doublon_meme_source"], count["republiee"]) == (
        said.count("même identifiant"),
        said.count("republiée"),
    )
    assert count["doublon_entre_sources"] == said.count("chez le partenaire")


# Demand


@pytest.fixture(scope="module")
def sought(truth: Path) -> dict[tuple[str, str], dict[str, int]]:
    """True job seekers of each QPV, by occupation; none where it is absent."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for row in read(truth / "demande_rome.csv"):
        counts.setdefault((row["zone_code"], row["generation"]), {})[row["code_rome"]] = int(row["n_demandeurs"])
    return counts


def test_the_demand_of_the_convention_is_the_true_one(
    warehouse: duckdb.DuckDBPyConnection, sought: dict[tuple[str, str], dict[str, int]]
) -> None:
    rows = warehouse.execute("""
        select zone_code, generation, code_rome, n_demandeurs, masque, poids
        from intermediate.int_demande__rome
        where origine = 'convention'
    """).fetchall()
    shown: dict[tuple[str, str], int] = {}
    for code, generation, job, count, masked, _ in rows:
        true = sought[code, generation].get(job, 0)
        assert masked == (0 < true < HIDDEN_BELOW), (code, job)
        assert count == (None if masked else true), (code, job)
        shown[code, generation] = shown.get((code, generation), 0) + (count or 0)
    for code, generation, job, count, _, weight in rows:
        assert weight == pytest.approx((count or 0) / shown[code, generation], rel=1e-12), (code, job)


def test_a_qpv_without_convention_has_an_estimate(
    warehouse: duckdb.DuckDBPyConnection, sought: dict[tuple[str, str], dict[str, int]]
) -> None:
    rows = warehouse.execute("""
        select zone_code, generation, origine, status, sum(poids), min(poids)
        from intermediate.int_demande__rome
        where zone_level = 'QPV'
        group by all
    """).fetchall()
    assert {(code, generation) for code, generation, *_ in rows} == set(sought)
    estimated = [row[3:] for row in rows if row[2] == "marche"]
    assert 0 < len(estimated) < len(rows)
    for status, total, least in estimated:
        assert status == "estime"
        assert total == pytest.approx(1, abs=1e-12)
        assert least > 0
