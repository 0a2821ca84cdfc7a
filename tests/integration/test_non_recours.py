"""Non-take-up of the C2S on the demonstration territory, whose eligible persons and beneficiaries are known."""

from __future__ import annotations

import duckdb
import pytest

from dagster_project.models.nonrecours.estimate import non_recours
from dagster_project.models.nonrecours.parameters import Parameters
from dagster_project.privacy.secrecy import rules
from tests.graph_runs import Finished

pytestmark = pytest.mark.end_to_end

INPUTS = {
    "zones": "intermediate.int_non_recours__zones",
    "quantiles": "intermediate.int_non_recours__quantiles",
    "mixtures": "intermediate.int_non_recours__melanges",
    "taux": "intermediate.int_non_recours__taux",
    "comparaisons": "intermediate.int_non_recours__comparaisons",
    "national": "intermediate.int_non_recours__national",
    "regles": "reference.c2s_rule",
    "menages": "reference.household_type",
}


@pytest.fixture(scope="module")
def release(finished: Finished) -> duckdb.DuckDBPyConnection:
    """Views of the release, and `truth`."""
    db = duckdb.connect()
    for path in finished.home.release.glob("*.parquet"):
        db.execute(f"create view {path.stem} as from read_parquet('{path}')")
    truth = finished.home.demo / "_verite" / "non_recours.csv"
    db.execute(f"create view truth as from read_csv('{truth}', all_varchar = true)")
    return db


@pytest.fixture(scope="module")
def every_interval(finished: Finished, release: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Estimates as published, but for the rule that hides wide intervals, in the view `estimation`."""
    warehouse = duckdb.connect(str(finished.home.settings.warehouse), read_only=True)
    inputs = {name: warehouse.sql(f"from {table}").to_arrow_table() for name, table in INPUTS.items()}
    release.register(
        "estimation",
        non_recours(**inputs, secrecy=rules()["c2s_estimation"], parameters=Parameters(max_width=1000))["estimation"],
    )
    return release


def test_the_true_rate_lies_in_the_interval_of_nine_zones_in_ten(every_interval) -> None:
    inside, zones, levels = every_interval.execute(
        """select count(*) filter (where truth.non_recours::double between ci_low and ci_high), count(*),
               count(distinct zone_level)
           from estimation inner join truth using (zone_level, zone_code, vintage)
           where indicator_code = 'C_NR' and value is not null
               and estimation.generation = coalesce(truth.generation, 'COG')"""
    ).fetchone()
    assert zones >= 50
    assert levels >= 3
    assert 0.85 <= inside / zones <= 0.95


def test_a_gap_is_that_of_two_rates(every_interval) -> None:
    rows = every_interval.execute(
        """select gap.value, qpv.value - rest.value
           from estimation as gap
           inner join estimation as qpv using (zone_level, zone_code, generation, vintage)
           inner join dim_zone as zone using (zone_level, zone_code, generation)
           inner join estimation as rest
               on rest.zone_level = 'HQPV' and rest.zone_code = array_to_string(zone.communes, '+')
                   and rest.generation = gap.generation and rest.vintage = gap.vintage
           where gap.indicator_code = 'C_NR_GAP' and qpv.indicator_code = 'C_NR' and rest.indicator_code = 'C_NR'
               and gap.value is not null"""
    ).fetchall()
    assert len(rows) > 5
    assert all(gap == pytest.approx(difference, abs=5) for gap, difference in rows)


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
    assert all(total == pytest.approx(1, abs=1e-3) for (total,) in totals)


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
