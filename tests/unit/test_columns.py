"""Column lineage: each output column of a query, and the columns of tables that it is made of."""

from __future__ import annotations

import csv

import pytest
from sqlglot.errors import SqlglotError

from dagster_project.provenance.columns import ADDRESS_COLUMNS, CELL_COLUMNS, column_lineage, observation_lineage
from dagster_project.settings import PROJECT_ROOT

SCHEMAS = {
    ("staging", "revenus"): {"zone_code": "varchar", "vintage": "varchar", "TP60": "varchar", "DISP_Q2": "varchar"},
    ("marts", "zone"): {"zone_code": "varchar", "name": "varchar", "communes": "varchar[]"},
    ("marts", "autre"): {"zone_code": "varchar", "name": "varchar"},
}


def lineage(sql: str) -> dict[str, set[str]]:
    """Columns as `table.column`, for short."""
    found = column_lineage(sql, SCHEMAS, "building")
    return {name: {f"{table}.{column}" for _, table, column in columns} for name, columns in found.items()}


def test_a_column_copied_renamed_and_computed() -> None:
    found = lineage(
        'select zone_code, "TP60" as taux, try_cast("TP60" as double) / try_cast("DISP_Q2" as double) as rapport '
        "from building.staging.revenus"
    )
    assert found == {
        "zone_code": {"revenus.zone_code"},
        "taux": {"revenus.TP60"},
        "rapport": {"revenus.TP60", "revenus.DISP_Q2"},
    }


def test_the_schema_of_a_column_is_given() -> None:
    assert column_lineage("select name from building.marts.zone", SCHEMAS, "building") == {
        "name": {("marts", "zone", "name")}
    }


def test_a_constant_descends_from_nothing() -> None:
    assert lineage("select 'QPV' as zone_level, 1 + 1 as deux from building.marts.zone") == {
        "zone_level": set(),
        "deux": set(),
    }


def test_ctes_and_subqueries_are_walked_through() -> None:
    found = lineage("""
        with brut as (select zone_code, "TP60" as taux from building.staging.revenus),
        moyen as (select zone_code, avg(try_cast(taux as double)) as moyenne from brut group by all)
        select moyenne, (select max(name) from building.marts.zone) as nom from moyen
    """)
    assert found == {"moyenne": {"revenus.TP60"}, "nom": {"zone.name"}}


def test_each_side_of_a_join_keeps_its_own() -> None:
    found = lineage("""
        select zone.name, autre.name as autre_nom, coalesce(zone.name, autre.name) as nom
        from building.marts.zone as zone left join building.marts.autre as autre using (zone_code)
    """)
    assert found == {"name": {"zone.name"}, "autre_nom": {"autre.name"}, "nom": {"zone.name", "autre.name"}}


def test_a_union_gathers_by_position() -> None:
    found = lineage("""
        select zone_code as code, name from building.marts.zone
        union all
        select zone_code, name from building.marts.autre
        union all
        select 'x', null
    """)
    assert found == {"code": {"zone.zone_code", "autre.zone_code"}, "name": {"zone.name", "autre.name"}}


def test_a_star_is_spelt_out() -> None:
    assert lineage("select * exclude (communes) from building.marts.zone") == {
        "zone_code": {"zone.zone_code"},
        "name": {"zone.name"},
    }


def test_windows_filters_and_cases_count_what_they_read() -> None:
    found = lineage("""
        select
            max("TP60") filter (where vintage = '2021') as dernier,
            lag("TP60") over (partition by zone_code order by vintage) as precedent,
            case when vintage = '2021' then "DISP_Q2" end as si_recent
        from building.staging.revenus
    """)
    assert found["dernier"] == {"revenus.TP60", "revenus.vintage"}
    assert found["precedent"] == {"revenus.TP60", "revenus.zone_code", "revenus.vintage"}
    assert found["si_recent"] == {"revenus.DISP_Q2", "revenus.vintage"}


def test_a_recursive_query_ends() -> None:
    found = lineage("""
        with recursive suite as (
            select zone_code, 1 as rang from building.marts.zone
            union all
            select zone_code, rang + 1 from suite where rang < 3
        )
        select zone_code, rang from suite
    """)
    assert found == {"zone_code": {"zone.zone_code"}, "rang": set()}


def test_a_query_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(SqlglotError):
        lineage("select from where (")


def mapped(dataset: str) -> set[str]:
    with (PROJECT_ROOT / "seeds" / "variable_column.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] == dataset]
    return {row["source_column"] for row in rows} | {row["note_column"] for row in rows if row["note_column"]}


def test_observations_descend_from_the_mapped_cells_and_their_address() -> None:
    staging = ("staging", "stg_insee__revn")
    found = observation_lineage("insee_revn", staging)
    cells = {(*staging, column) for column in mapped("insee_revn")}
    assert {(*staging, "TP60"), (*staging, "NOTE_FILO")} <= cells
    assert all(found[name] == cells for name in CELL_COLUMNS)
    assert {name: columns for name, columns in found.items() if name not in CELL_COLUMNS} == {
        name: {(*staging, source)} for name, source in ADDRESS_COLUMNS.items()
    }


def test_columns_of_one_observation_may_be_changed_without_touching_another() -> None:
    staging = ("staging", "stg_insee__revn")
    found = observation_lineage("insee_revn", staging)
    found["value"].clear()
    assert found["raw_value"]
    assert observation_lineage("insee_revn", staging)["value"]


def test_a_dataset_that_nothing_maps_has_addresses_only() -> None:
    found = observation_lineage("inconnu", ("staging", "stg_inconnu"))
    assert [found[name] for name in CELL_COLUMNS] == [set()] * len(CELL_COLUMNS)
    assert found["source_row"] == {("staging", "stg_inconnu", "_source_row")}
