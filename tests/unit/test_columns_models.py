"""Columns of several models together: what they reach, what is counted as a failure, what Dagster shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.defs.dbt_tables import lineage_metadata
from dagster_project.geo import contours, destinations, dwelling_zones, origins, overlaps, tile_overlaps
from dagster_project.geo.tile_overlaps import KEY
from dagster_project.lineage.column_origins import ROWS, LineageError, Origin, Relation
from dagster_project.lineage.compiled import read_models
from dagster_project.lineage.declared import indicator_cells, python_tables, unpivoted_columns
from dagster_project.lineage.graph import ColumnGraph
from dagster_project.lineage.page import lineage_page_path, render, write_lineage_page
from dagster_project.lineage.page_model import PageBuilder
from dagster_project.lineage.store import (
    indicator_columns,
    lineage_path,
    read_relations,
    write_column_lineage,
)
from dagster_project.routing.bundles import road_datasets, transit_datasets
from dagster_project.settings import PROJECT_ROOT, Settings
from dagster_project.sources.catalogue import load_catalogue

COLUMNS = {
    ("raw", "insee_revn"): {"CODGEO": "varchar", "TP60": "varchar", "LIBGEO": "varchar"},
    ("reference", "indicator"): {"indicator_code": "varchar", "scale": "double"},
    ("staging", "stg"): {"zone_code": "varchar", "TP60": "varchar", "libelle": "varchar"},
    ("intermediate", "observe"): {"zone_code": "varchar", "value": "double", "code": "varchar"},
    ("marts", "large"): {"zone_code": "varchar", "taux": "double", "run_id": "varchar", "n": "bigint"},
}
SQL = {
    "stg": """select "CODGEO" as zone_code, "TP60", "LIBGEO" as libelle from '/home/raw/insee_revn.parquet'""",
    "observe": """
        select
            stg.zone_code,
            indicator.scale * try_cast(stg."TP60" as double) as value,
            indicator.indicator_code as code
        from db.staging.stg as stg cross join db.reference.indicator as indicator
    """,
    "large": """
        select zone_code, max(value) filter (where code = 'REV_TP60') as taux, 'abcdef012345' as run_id, count(*) as n
        from db.intermediate.observe group by zone_code, 'abcdef012345'
    """,
}
PARENTS = {
    "stg": ["source.p.raw.insee_revn"],
    "observe": ["model.p.stg", "seed.p.indicator"],
    "large": ["model.p.observe"],
}
LAYERS = {"stg": "staging", "observe": "intermediate", "large": "marts"}
CONTRACT = {
    "taux": {
        "name": "taux",
        "data_type": "double",
        "description": "Taux & pauvreté.",
        "config": {"meta": {"indicator": "REV_TP60", "unit": "%", "formula": "valeur publiée"}},
    }
}


def manifest() -> dict[str, Any]:
    models = {
        f"model.p.{name}": {
            "resource_type": "model",
            "language": "sql",
            "schema": layer,
            "name": name,
            "original_file_path": f"models/{name}.sql",
            "depends_on": {"nodes": PARENTS[name]},
            "raw_code": f"{{{{ fait('{name}') }}}}",
            "description": f"Table {name}.",
            "columns": CONTRACT if name == "large" else {},
        }
        for name, layer in LAYERS.items()
    }
    seed = {
        "resource_type": "seed",
        "schema": "reference",
        "name": "indicator",
        "columns": {},
        "depends_on": {"nodes": []},
    }
    source = {"source_name": "raw", "name": "insee_revn"}
    return {
        "nodes": {
            **models,
            "seed.p.indicator": {**seed, "original_file_path": "seeds/indicator.csv", "description": ""},
        },
        "sources": {"source.p.raw.insee_revn": source},
    }


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    (tmp_path / "compiled" / "models").mkdir(parents=True)
    for name, sql in SQL.items():
        (tmp_path / "compiled" / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")
    return tmp_path / "compiled"


def read(compiled: Path, columns: Any = None) -> Any:
    return read_models(manifest(), compiled, columns or COLUMNS, catalog="db", build_id="abcdef0123456789")


def graph(compiled: Path) -> ColumnGraph:
    return ColumnGraph(read(compiled).relations, indicator_columns(manifest()))


def test_columns_are_followed_to_the_files_through_every_model(compiled: Path) -> None:
    reach = graph(compiled).reach(("marts", "large", "taux"))
    assert reach.values == {("raw", "insee_revn", "TP60"), ("reference", "indicator", "scale")}
    assert reach.conditions == {("reference", "indicator", "indicator_code")}
    assert graph(compiled).reach(("marts", "large", ROWS)).conditions == {
        ("raw", "insee_revn", "CODGEO"),
        ("raw", "insee_revn", ROWS),
        ("reference", "indicator", ROWS),
    }
    assert graph(compiled).reach(("marts", "large", "n")).conditions >= {("raw", "insee_revn", ROWS)}


def test_the_identifier_of_the_build_is_not_part_of_the_lineage(compiled: Path) -> None:
    assert graph(compiled).reach(("marts", "large", "run_id")).constants == {"'build_id'"}


def test_a_column_that_does_not_exist_is_said(compiled: Path) -> None:
    with pytest.raises(KeyError, match=r"marts\.large has no column absente"):
        graph(compiled).reach(("marts", "large", "absente"))


@pytest.mark.parametrize(
    ("name", "sql", "reason"),
    [
        ("large", "select from where (", "sqlglot cannot read it"),
        ("large", "select zone_code from db.intermediate.observe", "columns read are zone_code; the table has"),
        ("observe", "select zone_code, value, code from db.marts.ailleurs", "marts.ailleurs, which is not among"),
        ("stg", "select 1 as x from '/home/raw/autre.parquet'", "autre.parquet, which is not one of"),
    ],
)  # fmt: skip
def test_a_model_that_is_not_read_entirely_is_counted(compiled: Path, name: str, sql: str, reason: str) -> None:
    (compiled / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")
    found = read(compiled)
    assert list(found.failures) == [name]
    assert reason in found.failures[name]
    assert (LAYERS[name], name) not in found.relations


def test_a_model_that_was_not_built_is_nobody_s_failure(compiled: Path) -> None:
    (compiled / "models" / "stg.sql").unlink()
    columns = {table: names for table, names in COLUMNS.items() if table[1] != "large"}
    found = read(compiled, columns)
    assert (set(found.relations), found.failures) == ({("intermediate", "observe")}, {})


def test_the_sql_of_a_column_is_the_chain_that_makes_it(compiled: Path) -> None:
    slices = read(compiled).slices
    assert ("staging", "stg", "TP60") not in slices
    assert " ".join(slices[("intermediate", "observe", "value")].split()) == (
        'SELECT indicator.scale * TRY_CAST(stg."TP60" AS DOUBLE) AS value '
        "FROM staging.stg CROSS JOIN reference.indicator"
    )
    assert "max(value)" not in slices[("marts", "large", "zone_code")].lower()


def test_tables_are_written_and_read_again(compiled: Path, settings: Settings) -> None:
    written = read(compiled)
    table = write_column_lineage(settings, manifest(), written, COLUMNS)
    again = read_relations(lineage_path(settings))
    for key, relation in written.relations.items():
        assert dict(again[key].columns) == dict(relation.columns)
        assert again[key].rows == relation.rows
    rows = [row for row in table.to_pylist() if row["column_name"] == "taux" and row["reach"] == "source"]
    assert {(row["kind"], row["upstream_table"], row["upstream_column"]) for row in rows} == {
        ("value", "insee_revn", "TP60"),
        ("value", "indicator", "scale"),
        ("condition", "indicator", "indicator_code"),
    }


def test_a_partial_build_without_an_earlier_one_says_what_to_do(compiled: Path, settings: Settings) -> None:
    (compiled / "models" / "stg.sql").unlink()
    with pytest.raises(LineageError, match="no column lineage for stg: run the whole graph once"):
        write_column_lineage(settings, manifest(), read(compiled), COLUMNS)
    assert not lineage_path(settings).exists()


def test_dagster_shows_values_and_says_shared_conditions_once() -> None:
    zone, note = ("staging", "stg", "zone_code"), ("staging", "stg", "NOTE")
    shared = frozenset({(zone, "where"), (note, "where"), (("staging", "stg", ROWS), "from")})
    relation = Relation(
        (
            ("value", Origin(frozenset({("staging", "stg", "TP60")}), frozenset({(zone, "filter"), (zone, "where")}))),
            ("code", Origin(constants=frozenset({"'A'"}))),
        ),
        shared,
    )
    metadata = lineage_metadata(relation)
    edges = metadata["dagster/column_lineage"].deps_by_column
    assert {name: [(dep.asset_key.path, dep.column_name) for dep in deps] for name, deps in edges.items()} == {
        "value": [(["staging", "stg"], "TP60")],
        "code": [],
    }
    assert [tuple(record.data.values()) for record in metadata["conditions"].records] == [
        ("toutes", "staging/stg", "from", "(lignes)"),
        ("toutes", "staging/stg", "where", "NOTE, zone_code"),
        ("value", "staging/stg", "filter", "zone_code"),
    ]


def test_the_page_tells_each_column_and_escapes_what_it_tells(compiled: Path) -> None:
    found = read(compiled)
    builder = PageBuilder(graph(compiled), found.slices, manifest(), load_catalogue())
    page = builder.page(fictitious=False)
    (large,) = page.marts
    taux = next(column for column in large.columns if column.name == "taux")
    assert taux.facts == [("Unité", "%"), ("Formule", "valeur publiée")]
    assert [(group.table, group.columns) for group in taux.values] == [
        ("raw.insee_revn", ["TP60"]),
        ("reference.indicator", ["scale"]),
    ]
    assert [(reading.clause, reading.table, reading.columns) for reading in taux.own] == [
        ("filtre d’agrégat", "intermediate.observe", ["code"])
    ]
    assert page.places == {"marts.large": "marts.large", "intermediate.observe": "intermediate.observe"}
    (use,) = [use for source in page.sources for use in source.uses if use.column == "TP60"]
    assert use.used_by == ["large.taux"]
    html = render(page)
    assert "Taux &amp; pauvreté." in html
    assert "Données fictives" not in html
    assert html == render(builder.page(fictitious=False))


def test_models_of_one_macro_are_told_together(compiled: Path) -> None:
    relation = Relation((("value", Origin(frozenset({("staging", "stg", "TP60")}))),))
    described = manifest()
    described["nodes"]["model.p.autre"] = {**described["nodes"]["model.p.observe"], "name": "autre"}
    described["nodes"]["model.p.autre"]["raw_code"] = "{{ fait('autre') }}"
    relations = {("intermediate", "autre"): relation, ("intermediate", "observe"): relation}
    page = PageBuilder(ColumnGraph(relations, {}), {}, described, {}).page(fictitious=True)
    assert [(step.name, step.siblings) for step in page.steps] == [("autre", ["observe"])]
    assert page.places["intermediate.observe"] == "intermediate.autre"


def test_the_page_needs_a_build(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run the dbt step before the lineage page"):
        write_lineage_page(settings, tmp_path)
    assert not lineage_page_path(settings).exists()


def test_observation_models_read_the_cells_and_notes_of_the_seed() -> None:
    columns = unpivoted_columns("obs_insee_revn")
    assert columns is not None
    assert {"TP60", "NOTE_FILO"} <= columns
    assert "LIBGEO" not in columns
    assert unpivoted_columns("int_zones__qpv") is None
    assert unpivoted_columns("obs_inconnu") == frozenset()


def test_an_indicator_reads_the_cells_of_its_terms_in_every_edition() -> None:
    assert ("raw", "insee_revn", "TP60") in indicator_cells("REV_TP60")
    assert {("raw", "insee_revn", "C"), ("raw", "insee_revn", "CC2S")} <= indicator_cells("C2S_TX")
    assert indicator_cells("INCONNU") == frozenset()


def derived_sources() -> dict[str, Any]:
    """Tables made by Python as dbt's manifest has them."""
    content = yaml.safe_load((PROJECT_ROOT / "dbt_models" / "models" / "derived.yml").read_text(encoding="utf-8"))
    (source,) = content["sources"]
    return {
        "sources": {
            table["name"]: {
                "source_name": source["name"],
                "name": table["name"],
                "config": {"meta": {**source["meta"], **table.get("config", {}).get("meta", {})}},
                "columns": {column["name"]: column for column in table.get("columns", ())},
            }
            for table in source["tables"]
        }
    }


def raw_of(*names: str) -> set[str]:
    """Raw tables that the contracts of these derived tables name."""
    tables = python_tables(derived_sources(), {})
    relations = [tables["derived", name] for name in names]
    columns = {column for relation in relations for column, _ in relation.rows}
    columns |= {c for relation in relations for _, o in relation.columns for c in (*o.values, *dict(o.conditions))}
    return {table for schema, table, _ in columns if schema == "raw"}


def test_contracts_name_the_raw_tables_that_python_reads() -> None:
    catalogue = load_catalogue().values()
    networks = {*road_datasets(catalogue), *transit_datasets(catalogue)}
    assert raw_of("zone_geometries") == set(contours.RAW_TABLES)
    assert raw_of("overlaps") == set(overlaps.RAW_TABLES)
    assert raw_of("tile_overlaps") == set(tile_overlaps.RAW_TABLES)
    assert raw_of("dwelling_zones") == set(dwelling_zones.RAW_TABLES)
    assert raw_of("origins") == set(origins.RAW_TABLES)
    assert raw_of("destinations") == set(destinations.RAW_TABLES)
    assert raw_of("networks") == networks
    assert raw_of("travel_times") == {*origins.RAW_TABLES, *destinations.RAW_TABLES, *networks}


def test_a_name_that_is_no_column_is_refused() -> None:
    manifest = derived_sources()
    manifest["sources"]["neighbours"]["columns"]["mesh"]["config"]["meta"]["values"] = ["maisons"]
    with pytest.raises(LineageError, match=r"derived\.yml: 'maisons' is neither a column"):
        python_tables(manifest, {})


def test_overlaps_descend_from_contours_dwellings_and_tiles() -> None:
    tables = python_tables(derived_sources(), {})
    contour = ("derived", "zone_geometries", "geometry_wkb")
    shared, tiles = tables["derived", "overlaps"], tables["derived", "tile_overlaps"]
    area, people, part = shared.origin("area_m2"), shared.origin("tile_population"), tiles.origin("area_share")
    assert area is not None
    assert people is not None
    assert part is not None
    assert area.values == {contour}
    assert people.values == {contour, ("raw", "insee_filosofi_carreaux", "ind")}
    assert part.values == {
        contour,
        ("raw", "insee_filosofi_carreaux", "idcar_200m"),
        ("raw", "insee_filosofi_carreaux_nat", "idcar_nat"),
    }
    assert (("raw", "cstb_bdnb_logements", "x"), "join") in shared.rows
    assert shared.names == ["iris_code", "qp2015_code", "qn2024_code", "area_m2", "dwellings", "tile_population"]
    assert tiles.names == [*KEY, "area_share", "dwelling_share"]


def test_contours_descend_from_what_their_producers_drew() -> None:
    tables = python_tables(derived_sources(), {("derived", "catalogue"): ["licence"]})
    contours = tables[("derived", "zone_geometries")]
    geometry = contours.origin("geometry_wkb")
    assert geometry is not None
    assert ("raw", "anct_qpv_2024", "geometry") in geometry.values
    assert (("raw", "insee_cog_departements", "DEP"), "join") in contours.rows
    licence = tables[("derived", "catalogue")].origin("licence")
    assert licence == Origin(constants=frozenset({"dagster_project/sources/catalogue/*.yml: licence"}))
    assert ("derived", "corrections") not in tables, "a table that was not made has no columns to tell"
