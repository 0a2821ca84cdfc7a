"""Non-take-up of the C2S on the demonstration territory, whose eligible persons and beneficiaries are known."""

from __future__ import annotations

import duckdb
import pytest

from tests.graph_runs import Finished

pytestmark = [pytest.mark.end_to_end, pytest.mark.xdist_group("graph")]

TRUTH = """
select
    detail.zone_level, detail.zone_code, detail.generation, detail.vintage, detail.status, detail.value,
    detail.ci_low, detail.ci_high, detail.classe, truth.non_recours::double as truth
from mart_non_recours_detail as detail
inner join truth using (zone_level, zone_code, generation, vintage)
where detail.indicator_code = 'C_NR'
"""


@pytest.fixture(scope="module")
def release(finished: Finished) -> duckdb.DuckDBPyConnection:
    """Views of the release, and `truth`."""
    db = duckdb.connect()
    for path in finished.home.release.glob("*.parquet"):
        db.execute(f"create view {path.stem} as from read_parquet('{path}')")
    truth = finished.home.demo / "_verite" / "non_recours.csv"
    db.execute(f"create view truth as from read_csv('{truth}', all_varchar = true)")
    return db


def test_the_true_rate_lies_in_the_interval_of_nine_zones_in_ten(release) -> None:
    inside, zones = release.execute(
        f"select count(*) filter (where truth between ci_low and ci_high), count(ci_low) from ({TRUTH})"
    ).fetchone()
    assert zones >= 60
    assert 0.85 <= inside / zones <= 0.95


def test_the_nation_returns_its_rate_and_every_input_is_told(release) -> None:
    gate = release.execute(
        "select vintage, conforme from mart_non_recours_verrou where conforme is not null"
    ).fetchall()
    assert sorted(gate) == [("2021", True), ("2022", True)]
    told = {name for (name,) in release.execute("select distinct entree from mart_non_recours_verrou").fetchall()}
    assert {"non_recours_calcule", "non_recours_total"} < told


def test_what_an_interval_is_made_of_adds_up(release) -> None:
    totals = release.execute(
        """select sum(part) from mart_non_recours_incertitude group by zone_level, zone_code, generation, vintage"""
    ).fetchall()
    assert totals
    assert all(total == pytest.approx(1) for (total,) in totals)


def test_no_number_stands_without_its_interval_and_none_where_a_class_does(release) -> None:
    wrong = release.execute(
        """select figure_id from indicator_value
           where model = 'non-recours-c2s' and (value is null) != (ci_low is null)"""
    ).fetchall()
    assert wrong == []
    wide = release.execute(
        "select value, classe from mart_non_recours_detail where status = 'intervalle_large'"
    ).fetchall()
    assert all(value is None and classe in {"inferieur", "superieur", "indistinct"} for value, classe in wide)


def test_the_gap_is_that_of_the_two_rates_and_surer_than_their_difference(release) -> None:
    rows = release.execute(
        """select gap.value, gap.ci_high - gap.ci_low, qpv.value - rest.value,
               qpv.ci_high - qpv.ci_low + rest.ci_high - rest.ci_low
           from indicator_value as gap
           inner join indicator_value as qpv using (zone_level, zone_code, generation, vintage)
           inner join figure_component as link on gap.figure_id = link.figure_id
           inner join indicator_value as rest on link.component_figure_id = rest.figure_id and rest.zone_level = 'HQPV'
           where gap.indicator_code = 'C_NR_GAP' and qpv.indicator_code = 'C_NR' and gap.value is not null
               and qpv.value is not null and rest.value is not null"""
    ).fetchall()
    assert rows
    for gap, width, difference, summed in rows:
        assert gap == pytest.approx(difference, abs=3)
        assert width < summed
