"""Figures that cross geographies, on the demonstration territory, beside the truth that was planted in it."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import duckdb
import pytest

from tests.graph_runs import Finished

pytestmark = pytest.mark.end_to_end

# Indicators brought from IRIS or tiles: what they measure, in the columns of the truth.
MEASURES = {
    "A_HLM": ("social_households", "households"),
    "A_IMM": ("immigrants", "persons"),
    "A_C2SNP": ("c2s_free", "covered"),
    "A_ASTHME": ("asthme", "covered"),
    "A_DIAB": ("diabete", "covered"),
    "A_ALD": ("ald", "covered"),
    "CAR_PAUV": ("poor_households", "households"),
    "CAR_HLM": ("social_dwellings", "households"),
}
PLANTED = ("QN09907M", "Les Saulnières D'Onde")


@pytest.fixture(scope="module")
def release(finished: Finished) -> Iterator[duckdb.DuckDBPyConnection]:
    """Views of the released tables, and `truth`: zone_level, zone_code, generation, indicator_code, truth."""
    folder, truth = finished.home.release, finished.home.demo / "_verite"
    rates = " union all ".join(
        f"select zone_level, zone_code, generation, '{code}' as indicator_code, "
        f"100 * {above}::double / nullif({below}::double, 0) as truth from zones"
        for code, (above, below) in MEASURES.items()
    )
    with duckdb.connect() as connection:
        for path in folder.glob("*.parquet"):
            connection.execute(f"create view {path.stem} as from read_parquet('{path}')")
        connection.execute(f"create view zones as from read_csv('{truth}/zones_logements.csv', all_varchar = true)")
        connection.execute(f"create view truth as {rates}")
        connection.execute(f"create view passage as from read_csv('{truth}/passage_qpv.csv')")
        yield connection


def test_nine_stated_intervals_in_ten_hold_the_truth(release: duckdb.DuckDBPyConnection) -> None:
    ((cases, inside),) = release.execute(
        """select count(*), avg((truth between ci_low and ci_high)::int)
           from indicator_value inner join truth using (zone_level, zone_code, generation, indicator_code)
           where method in ('M2', 'M3') and ci_low is not null"""
    ).fetchall()
    assert cases >= 200
    # Intervals taken from the size of errors, whichever way, hold more than they say: all those of treatment rates.
    assert 0.85 <= inside <= 0.97


def test_every_figure_from_iris_or_tiles_of_a_qpv_or_its_surroundings_has_an_interval(release) -> None:
    bare = release.execute(
        """select figure_id from indicator_value
           where method in ('M2', 'M3') and value is not null and ci_low is null
           and zone_level in ('QPV', 'HQPV', 'UUENV')"""
    ).fetchall()
    assert bare == []


def test_generations_are_linked_by_weights_close_to_the_planted_ones(release) -> None:
    rows = release.execute(
        """select weight, truth.weight_true, from_code, to_code
           from (select code_2015, code_2024, weight as weight_true from passage) as truth
           left join crosswalk as link
               on link.from_level = 'QPV' and truth.code_2015 = link.from_code and truth.code_2024 = link.to_code"""
    ).fetchall()
    assert len(rows) > 15
    assert [row for row in rows if row[0] is None and row[1] > 0.01] == []
    gaps = [abs(found - true) for found, true, _, _ in rows if found is not None]
    assert max(gaps) < 0.05


def test_an_old_qpv_gives_at_most_all_of_its_inhabitants(release) -> None:
    totals = release.execute("select sum(weight) from crosswalk where from_level = 'QPV' group by from_code").fetchall()
    assert totals
    assert max(total for (total,) in totals) <= 1 + 1e-9


def test_an_iris_is_shared_out_whole_between_the_qpv_and_the_rest_of_its_commune(release) -> None:
    wrong = release.execute(
        """with part as (
               select from_code, to_generation, sum(weight) filter (where to_level = 'QPV') as qpv,
                   sum(weight) filter (where to_level = 'HQPV') as rest,
                   count(*) filter (where to_level = 'HQPV') as rests
               from crosswalk where from_level = 'IRIS' and to_level in ('QPV', 'HQPV') group by all
           )
           select * from part where rests = 1 and qpv is not null and abs(qpv + rest - 1) > 1e-9"""
    ).fetchall()
    assert wrong == []


def test_a_figure_brought_from_iris_is_the_sum_that_anyone_can_do_again(release, finished: Finished) -> None:
    zone, value = release.execute(
        """select zone_code, value from indicator_value
           where indicator_code = 'A_ALD' and zone_level = 'QPV' and method = 'M2' and value is not null
           order by zone_code"""
    ).fetchone()
    weights = dict(
        release.execute(
            "select from_code, weight from crosswalk where from_level = 'IRIS' and to_code = ?", [zone]
        ).fetchall()
    )
    path = finished.home.demo / "health" / "ors_sante_iris.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter=";") if row["code"] in weights]
    whole = [row for row in rows if (row["sexe"], row["cla_age_5"]) == ("9", "tsage") and row["n_ald"] != "ns"]
    above = sum(weights[row["code"]] * int(row["n_ald"]) for row in whole)
    below = sum(weights[row["code"]] * int(row["n_beneficiaires"]) for row in whole)
    assert value == pytest.approx(100 * above / below, rel=1e-12)


def test_one_planted_counter_example_refutes_the_primary_claim_by_name(release) -> None:
    ((verdict, n, k, named),) = release.execute(
        "select verdict, n, k, counter_examples from mart_affirmation where is_primary"
    ).fetchall()
    assert (verdict, n - k, named) == ("refutee", 1, PLANTED[0])
    ((name,),) = release.execute(
        """select name from mart_affirmation_contre_exemple inner join mart_affirmation using (claim_id)
           where is_primary"""
    ).fetchall()
    assert name == PLANTED[1]


def test_every_claim_of_the_seed_has_a_verdict_and_a_curve_that_never_goes_up_with_the_cut(release) -> None:
    seeded = release.execute("select claim_id from claim anti join mart_affirmation using (claim_id)").fetchall()
    assert seeded == []
    rising = release.execute(
        """select claim_id from (
               select claim_id, k - lag(k) over (partition by claim_id order by cut_quantile) as step
               from mart_affirmation_courbe
           ) where step > 0"""
    ).fetchall()
    assert rising == []


def test_the_class_of_a_zone_has_probabilities_that_add_up(release) -> None:
    ((zones, worst),) = release.execute(
        """select count(*), max(abs(p_double_fragilite + p_fragilite_sanitaire + p_fragilite_sociale
               + p_non_fragile - 1))
           from mart_vulnerabilite where class is not null"""
    ).fetchall()
    assert zones > 200
    assert worst < 1e-9


def test_a_modelled_figure_names_its_model_and_leads_to_figures_made_of_cells(release) -> None:
    unnamed = release.execute(
        "select figure_id from indicator_value where method = 'M4' and (model is null or model_version is null)"
    ).fetchall()
    assert unnamed == []
    blind = release.execute(
        """with recursive made as (
               select figure_id, figure_id as origin from indicator_value
               where method = 'M4' and indicator_code in ('A_SOCIO', 'A_SANTE') and value is not null
               union
               select component_figure_id, origin from made inner join figure_component using (figure_id)
           )
           select origin from made left join lineage using (figure_id)
           group by origin having count(lineage.figure_id) = 0"""
    ).fetchall()
    assert blind == []


def test_the_quality_report_shows_the_measured_error(finished: Finished) -> None:
    page = (finished.home.release / "qualite.html").read_text(encoding="utf-8")
    assert "Erreur mesurée du report entre géographies" in page
    assert "Part des immigrés, 2022 (QN2024)" in page
    assert "<svg" in page
