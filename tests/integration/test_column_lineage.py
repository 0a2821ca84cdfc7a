"""Column lineage of the whole graph, on the demonstration territory: complete, true, and readable offline."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pyarrow.parquet as pq
import pytest

from dagster_project.defs import dbt as dbt_step
from dagster_project.defs import dbt_tables
from dagster_project.defs.dbt import dbt_definitions
from dagster_project.lineage.column_origins import ROWS, Column, Relation, Table
from dagster_project.lineage.compiled import ModelColumns, read_models
from dagster_project.lineage.declared import python_tables
from dagster_project.lineage.graph import ColumnGraph
from dagster_project.lineage.page import lineage_page_path
from dagster_project.lineage.store import (
    LINEAGE_COLUMNS,
    indicator_columns,
    lineage_path,
    read_relations,
    read_sql,
    sql_path,
    write_column_lineage,
)
from dagster_project.release.places import building_path
from dagster_project.settings import PROJECT_ROOT, Settings
from tests.graph_runs import Finished

pytestmark = pytest.mark.end_to_end

CHROMIUM = Path("/usr/bin/chromium")
MAX_PAGE_BYTES = 5_000_000
CATALOG = "warehouse"  # the database that the compiled SQL names
SOURCE_LAYERS = {"raw", "reference"}
# Another row's cell: of the column's own type, whatever it is, and null in the first rows.
SHIFTED = 'lag("{0}", 3) over (order by rowid) as "{0}"'


@dataclass(frozen=True)
class Built:
    """What the run left: dbt's manifest, columns of every relation, and a connection that sees them all as tables."""

    settings: Settings
    manifest: Mapping[str, Any]
    columns: Mapping[Table, Mapping[str, str]]
    connection: duckdb.DuckDBPyConnection
    graph: ColumnGraph

    @property
    def compiled(self) -> Path:
        return self.settings.derived_dir / "dbt" / "compiled" / self.manifest["metadata"]["project_name"]

    def sql(self, table: Table) -> str:
        """Compiled SQL of a model, which reads the copies of this connection."""
        node = next(n for n in self.manifest["nodes"].values() if (n["schema"], n["name"]) == table)
        text = (self.compiled / node["original_file_path"]).read_text(encoding="utf-8")
        return re.sub(r"'[^']*/(\w+)/(\w+)\.parquet'", rf"{CATALOG}.\1.\2", text)

    def models(self, *layers: str) -> list[Table]:
        return sorted(table for table in self.graph.relations if table[0] in layers)

    def queries(self, *layers: str) -> list[Table]:
        """Models that are SQL."""
        languages = {(n["schema"], n["name"]): n.get("language") for n in self.manifest["nodes"].values()}
        return [table for table in self.models(*layers) if languages.get(table) == "sql"]


@pytest.fixture(scope="module")
def built(finished: Finished) -> Iterator[Built]:
    settings = finished.home.settings
    manifest = json.loads((settings.derived_dir / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    with duckdb.connect(str(settings.warehouse), read_only=True) as source:
        described = "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal"
        columns: dict[Table, dict[str, str]] = {}
        for schema, table, name, kind in source.execute(described).fetchall():
            columns.setdefault((schema, table), {})[name] = kind
        contents = {table: source.sql(f'from "{table[0]}"."{table[1]}"').to_arrow_table() for table in columns}
    folders = {"raw": settings.raw_dir, "derived": settings.derived_dir}
    with duckdb.connect() as connection:
        connection.execute(f"attach ':memory:' as {CATALOG}; use {CATALOG}")
        for schema in {table[0] for table in contents} | set(folders):
            connection.execute(f"create schema if not exists {schema}")
        for (schema, table), content in contents.items():
            connection.register("content", content)
            connection.execute(f'create table "{schema}"."{table}" as from content')
        for declared in manifest["sources"].values():
            schema, table = declared["source_name"], declared["name"]
            path = folders[schema] / f"{table}.parquet"
            connection.execute(f"create table {schema}.{table} as from read_parquet('{path}')")
            rows = connection.execute(f"describe {schema}.{table}").fetchall()
            columns[(schema, table)] = {row[0]: row[1] for row in rows}
        graph = ColumnGraph(read_relations(lineage_path(settings)), indicator_columns(manifest))
        yield Built(settings, manifest, columns, connection, graph)


@pytest.fixture(scope="module")
def read(built: Built) -> ModelColumns:
    """The models, read anew from the compiled SQL of the run."""
    return read_models(built.manifest, built.compiled, built.columns, catalog=CATALOG, build_id="absent")


def test_every_model_is_read_without_failure(built: Built, read: ModelColumns) -> None:
    models = {(n["schema"], n["name"]) for n in built.manifest["nodes"].values() if n["resource_type"] == "model"}
    assert read.failures == {}
    assert set(read.relations) == models
    assert models <= set(built.graph.relations)
    for table in models:
        assert sorted(built.graph.relations[table].names) == sorted(built.columns[table])


def test_every_published_column_reaches_a_source_or_a_declared_constant(built: Built) -> None:
    nowhere, undocumented = [], []
    for table in built.models("marts"):
        node = next(n for n in built.manifest["nodes"].values() if (n["schema"], n["name"]) == table)
        for name in built.graph.relations[table].names:
            reach = built.graph.reach((*table, name))
            if not reach.values and not reach.constants:
                nowhere.append(f"{table[1]}.{name}")
            meta = node["columns"][name]["config"]["meta"]
            if not reach.values and not (meta.get("unit") and meta.get("formula")):
                undocumented.append(f"{table[1]}.{name}")
    assert nowhere == []
    assert undocumented == [], "a constant says what it stands for in the contract"


def test_what_is_reached_exists_in_a_raw_table_or_a_seed(built: Built) -> None:
    for table in built.models("marts"):
        for name in [ROWS, *built.graph.relations[table].names]:
            reach = built.graph.reach((*table, name))
            for schema, source, column in reach.values | reach.conditions:
                assert schema in SOURCE_LAYERS, (
                    f"{table[1]}.{name} ends at {schema}.{source}: declare what it is made of"
                )
                assert column == ROWS or column in _columns_of(built, (schema, source))


def _columns_of(built: Built, table: Table) -> set[str]:
    if table in built.columns:
        return set(built.columns[table])
    return set(pq.read_schema(built.settings.raw_dir / f"{table[1]}.parquet").names)


def test_rows_of_every_figure_depend_on_the_zones_and_on_the_seeds_that_select_cells(built: Built) -> None:
    reached = built.graph.reach(("marts", "indicator_value", ROWS)).conditions
    assert {
        ("raw", "anct_qpv_2015", "CODE_QP"),
        ("raw", "insee_revn", "CODGEO"),
        ("raw", "insee_revn", "NOTE_FILO"),
        ("raw", "insee_revn", "TP60"),
        ("raw", "insee_revn", ROWS),
        ("reference", "variable_column", "source_column"),
        ("reference", "variable_column", "note_column"),
        ("reference", "note_status", "note_code"),
        ("reference", "indicator_term", "variable"),
    } <= reached
    assert ("raw", "insee_revn", "LIBGEO") not in reached


def test_a_column_of_one_indicator_descends_from_the_cells_of_its_formula(built: Built) -> None:
    raw = {
        name: {column[1:] for column in built.graph.reach(("marts", "mart_revenus", name)).values if column[0] == "raw"}
        for name in ("taux_pauvrete_pct", "rapport_interdecile_ratio")
    }
    assert raw["taux_pauvrete_pct"] == {("insee_revn", "TP60"), ("anct_analyse_qpv", "taux_pauvrete_60%")}
    assert {("insee_revn", "DISP_D1"), ("insee_revn", "DISP_D9")} == raw["rapport_interdecile_ratio"]
    for column, narrowed in built.graph.narrowed.items():
        everything = ColumnGraph(built.graph.relations, {}).reach(column).values
        assert narrowed <= everything, f"{column}: the formula reads cells that the SQL does not"


def test_an_observation_takes_values_from_cells_and_reasons_from_notes(built: Built) -> None:
    relation = built.graph.relations[("intermediate", "obs_insee_revn")]
    read = {
        name: {column[2] for column in origin.values if column[0] == "staging"} for name, origin in relation.columns
    }
    assert "NOTE_FILO" not in read["value"] | read["raw_value"]
    assert {"TP60", "NOTE_FILO"} <= read["status"]
    assert "TP60" not in read["note_value"]
    assert {column for column, clause in relation.rows if clause == "semi join"} >= {
        ("staging", "stg_insee__revn", "zone_code"),
        ("marts", "dim_zone", "zone_code"),
    }


def test_the_file_is_what_the_sql_gives_sorted_and_the_same_twice(
    built: Built, read: ModelColumns, tmp_path: Path
) -> None:
    again = Settings(home=tmp_path / "home", sources="demo")
    written = write_column_lineage(again, built.manifest, read, built.columns)
    table = pq.read_table(lineage_path(built.settings))
    # The text of the build's identifier apart, which the run writes as `build_id`.
    assert tuple(table.column_names) == LINEAGE_COLUMNS
    direct = [row for row in table.to_pylist() if row["column_name"] != "run_id"]
    assert direct == [row for row in written.to_pylist() if row["column_name"] != "run_id"]
    keys = [tuple("" if cell is None else cell for cell in row.values()) for row in table.to_pylist()]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    first = lineage_path(again).read_bytes()
    write_column_lineage(again, built.manifest, read, built.columns)
    assert lineage_path(again).read_bytes() == first


def test_the_build_is_named_and_not_its_digest(built: Built) -> None:
    (run_id,) = [
        row for row in pq.read_table(lineage_path(built.settings)).to_pylist()
        if row["column_name"] == "run_id" and row["table_name"] == "indicator_value" and row["reach"] == "direct"
    ]  # fmt: skip
    assert (run_id["kind"], run_id["constant"]) == ("constant", "'build_id'")


def test_a_partial_build_keeps_what_it_did_not_read(built: Built, read: ModelColumns, tmp_path: Path) -> None:
    again = Settings(home=tmp_path / "home", sources="demo")
    write_column_lineage(again, built.manifest, read, built.columns)
    before = lineage_path(again).read_bytes(), sql_path(again).read_bytes()
    part = ("marts", "dim_zone")
    slices = {key: text for key, text in read.slices.items() if key[:2] == part}
    write_column_lineage(again, built.manifest, ModelColumns({part: read.relations[part]}, slices), built.columns)
    assert (lineage_path(again).read_bytes(), sql_path(again).read_bytes()) == before


def bags(connection: duckdb.DuckDBPyConnection, query: str, names: list[str]) -> dict[str, Any]:
    """For each column, a digest of its values whatever their order."""
    digests = ", ".join(f'sum(hash("{name}")::hugeint), bit_xor(hash("{name}"))' for name in names)
    row = connection.sql(f"select count(*), {digests} from ({query})").fetchone()
    assert row is not None
    return {name: (row[0], *row[1 + 2 * i : 3 + 2 * i]) for i, name in enumerate(names)}


def test_the_sql_shown_for_a_column_makes_that_column(built: Built) -> None:
    slices = read_sql(sql_path(built.settings))
    assert {key[:2] for key in slices} == set(built.queries("intermediate", "marts"))
    different = []
    for table in built.queries("intermediate", "marts"):
        names = list(built.columns[table])
        expected = bags(built.connection, f'from "{table[0]}"."{table[1]}"', names)
        for name in names:
            if name == "run_id":  # written as `build_id`
                continue
            if bags(built.connection, slices[(*table, name)], [name])[name] != expected[name]:
                different.append(f"{table[1]}.{name}")
    assert different == []


def reads(relation: Relation, name: str) -> set[Column]:
    origin = relation.origin(name)
    assert origin is not None
    return set(origin.values) | {column for column, _ in origin.conditions | relation.rows}


def test_nothing_outside_its_lineage_changes_a_column_of_a_model(built: Built) -> None:
    """For each model: give other values to all that a column does not read, run its SQL, find the same column."""
    changed = []
    for table in built.queries("intermediate", "marts"):
        relation = built.graph.relations[table]
        parents = {column[:2] for name in relation.names for column in reads(relation, name)}
        everything = {(*parent, name) for parent in parents for name in built.columns[parent]}
        query = built.sql(table)
        expected = bags(built.connection, query, relation.names)
        unread = {name: frozenset(everything - reads(relation, name)) for name in relation.names}
        for left_out in sorted(set(unread.values()) - {frozenset()}, key=sorted):
            names = [name for name in relation.names if unread[name] == left_out]
            with perturbed(built, left_out):
                found = bags(built.connection, query, names)
            changed += [f"{table[1]}.{name}" for name in names if found[name] != expected[name]]
    assert changed == []


def test_what_a_column_reads_does_change_it(built: Built) -> None:
    """Else the test above would find nothing, whatever is missing."""
    table = ("marts", "indicator_value")
    for name in ("value", "status", "reference_period"):
        origin = built.graph.relations[table].origin(name)
        assert origin is not None
        before = bags(built.connection, built.sql(table), [name])
        with perturbed(built, origin.values):
            assert bags(built.connection, built.sql(table), [name]) != before


class perturbed:  # noqa: N801 (used as a context manager, as a verb)
    """Columns whose cells are another row's for the duration of a block; the others, and the order, as they are."""

    def __init__(self, built: Built, columns: frozenset[Column]) -> None:
        self._built = built
        self._tables: dict[Table, set[str]] = {}
        for schema, table, name in columns:
            self._tables.setdefault((schema, table), set()).add(name)

    def __enter__(self) -> None:
        for (schema, table), names in self._tables.items():
            columns = self._built.columns[(schema, table)]
            shifted = ", ".join(SHIFTED.format(name) for name in columns)
            chosen = ", ".join(f'{"other" if name in names else "own"}."{name}"' for name in columns)
            self._built.connection.execute(f"""
                create table if not exists "{schema}"."{table}__other" as
                    select {shifted} from "{schema}"."{table}" order by rowid;
                alter table "{schema}"."{table}" rename to "{table}__own";
                create view "{schema}"."{table}" as
                    select {chosen} from "{schema}"."{table}__own" as own
                    positional join "{schema}"."{table}__other" as other
            """)

    def __exit__(self, *_: object) -> None:
        for schema, table in self._tables:
            self._built.connection.execute(f"""
                drop view "{schema}"."{table}";
                alter table "{schema}"."{table}__own" rename to "{table}"
            """)


@pytest.fixture(scope="module")
def page(finished: Finished) -> str:
    return lineage_page_path(finished.home.settings).read_text(encoding="utf-8")


def test_the_page_has_every_published_column_with_its_meaning_and_its_sql(built: Built, page: str) -> None:
    for table in built.models("marts"):
        node = next(n for n in built.manifest["nodes"].values() if (n["schema"], n["name"]) == table)
        for name, column in node["columns"].items():
            article = re.search(rf'<article class="col" id="marts\.{table[1]}\.{name}">.*?</article>', page, re.DOTALL)
            assert article, f"{table[1]}.{name} is not on the page"
            for text in ("<pre", _escaped(column["description"]), _escaped(column["config"]["meta"]["unit"])):
                assert text in article[0]


def _escaped(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))


def test_the_page_is_one_light_file_that_asks_nothing_of_anyone(page: str) -> None:
    assert len(page.encode()) < MAX_PAGE_BYTES
    assert re.findall(r"(?i)https?:|\bsrc\s*=|@import|url\(|href=\"(?!#|data:,)", page) == []
    assert "Données fictives" in page


def test_links_of_the_page_lead_somewhere(page: str) -> None:
    places = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) - places == set()
    assert len(re.findall(r'id="([^"]+)"', page)) == len(places)


@pytest.mark.browser
def test_the_page_searches_and_reads_without_javascript(finished: Finished) -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"no headless browser at {CHROMIUM}: install chromium to run this test")
    from playwright.sync_api import sync_playwright

    address = lineage_page_path(finished.home.settings).as_uri()
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        opened = browser.new_context(offline=True).new_page()
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(address)
        opened.get_by_role("searchbox").fill("Pauvreté rev_tp60")
        shown = opened.locator(".col:visible").evaluate_all("columns => columns.map(column => column.id)")
        plain = browser.new_context(offline=True, java_script_enabled=False, viewport={"width": 390, "height": 844})
        still = plain.new_page()
        still.goto(address)
        assert not still.get_by_role("searchbox").is_visible()
        still.locator('[id="marts.mart_revenus.taux_pauvrete_pct"] summary').last.click()
        assert "REV_TP60" in still.locator('[id="marts.mart_revenus.taux_pauvrete_pct"] pre').inner_text()
        browser.close()
    assert shown == ["marts.mart_revenus.taux_pauvrete_pct"]  # its formula names `rev_tp60`
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_declared_tables_are_sources_of_dbt(built: Built) -> None:
    """Each says of what it is made, column by column, or where its declarations stand."""
    made = python_tables(built.manifest, built.columns)
    derived = {table for table in built.columns if table[0] == "derived"}
    assert set(made) == derived
    assert {table: set(relation.names) for table, relation in made.items()} == {
        t: set(built.columns[t]) for t in derived
    }
    named = {c for r in made.values() for _, origin in r.columns for c in origin.values}
    assert {column for column in named if column[2] not in built.columns[column[:2]]} == set()
    places = {s["config"]["meta"].get("declared_in") for s in built.manifest["sources"].values()} - {None}
    assert all(list(PROJECT_ROOT.glob(place)) for place in places)


def build_dim_zone(settings: Settings) -> dg.ExecuteInProcessResult:
    """Build one model again, in this process, as `dq run --select` does."""
    models, _ = dbt_definitions(settings)
    return dg.materialize(
        [models],
        selection=[dg.AssetKey(["marts", "dim_zone"])],
        instance=dg.DagsterInstance.ephemeral(),
        raise_on_error=False,
    )


def test_a_model_that_cannot_be_followed_stops_the_build(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = finished.copy(tmp_path / "home")
    before = lineage_path(home.settings).read_bytes()
    monkeypatch.setattr(dbt_step, "is_current", lambda *_: False)  # else nothing would be built again
    assert build_dim_zone(home.settings).success
    assert lineage_path(home.settings).read_bytes() == before, "the other models are as they were"

    def unreadable(*arguments: Any, **options: Any) -> ModelColumns:
        return ModelColumns(failures={"dim_zone": "SAMPLE cannot be followed"})

    monkeypatch.setattr(dbt_tables, "read_models", unreadable)
    failed = build_dim_zone(home.settings)
    assert not failed.success
    (event,) = failed.get_step_failure_events()
    assert "column lineage of dim_zone: SAMPLE cannot be followed" in str(event.step_failure_data.error)
    assert not building_path(home.settings).exists()
    assert lineage_path(home.settings).read_bytes() == before
    finished.assert_untouched(home)
