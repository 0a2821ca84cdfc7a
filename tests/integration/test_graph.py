"""The whole graph on the demonstration territory: what it publishes, what it leaves alone, what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import duckdb
import pytest

from dagster_project.release.database import DATABASE
from tests.browser import offline_browser
from tests.demo_truth import beside_truth
from tests.graph_runs import Changed, Finished, Home, Ran, digests
from tests.mirror_files import read_table, set_cell, write_table
from tests.release_home import TABLES

pytestmark = pytest.mark.end_to_end

LINE, VARIABLE = 5, "de_abc"


@pytest.fixture(scope="module")
def release(finished: Finished) -> Path:
    return finished.home.release


@pytest.fixture(scope="module")
def truth(finished: Finished) -> duckdb.DuckDBPyConnection:
    return beside_truth(finished.home)


# What is published


def test_the_demonstration_ends_with_a_release(finished: Finished, release: Path) -> None:
    outcome = finished.ran.json
    assert (outcome["succeeded"], outcome["errors"], outcome["released"]) == (True, [], release.name)
    assert finished.home.failure_reports() == []


def test_the_sums_hold_and_name_every_file(release: Path) -> None:
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=release, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = {line.split(": ")[0] for line in done.stdout.splitlines()}
    assert listed == {path.name for path in release.iterdir()} - {"SHA256SUMS", DATABASE}


def test_the_release_says_that_it_is_fictitious(release: Path) -> None:
    assert (release / "LISEZMOI.txt").read_text(encoding="utf-8").startswith("DONNÉES FICTIVES.")
    assert json.loads((release / "build.lock.json").read_text(encoding="utf-8"))["settings"]["sources"] == "demo"
    assert "fictives" in (release / "qualite.html").read_text(encoding="utf-8")


def test_the_quality_page_names_no_resource_of_another_server(release: Path) -> None:
    page = (release / "qualite.html").read_text(encoding="utf-8")
    assert (
        re.findall(r"""<(?:script|link|img|iframe|source|object|embed)[^>]*(?:src|href|data)=["'](?!data:)""", page)
        == []
    )
    assert re.findall(r"""url\(\s*["']?(?!data:)|@import""", page) == []


@pytest.mark.browser
def test_the_quality_page_opens_offline(release: Path) -> None:
    with offline_browser() as visit:
        page = visit.open(release / "qualite.html")
        assert page.get_by_role("heading", name="Rapport de qualité").is_visible()
        assert "REVN_2021.csv" in page.content()
    assert (visit.asked, visit.errors) == ([], [])


# Published values are the true ones


def test_published_values_are_the_true_ones_rounded(truth: duckdb.DuckDBPyConnection) -> None:
    wrong = truth.sql("""
        select * from published
        where not masked and abs(value - truth) > half_digit + 1e-9
    """)
    assert wrong.fetchall() == []
    compared = "select zone_level, count(value) from published group by all having count(value) > 40 order by all"
    levels = [level for level, _ in truth.sql(compared).fetchall()]
    assert levels == ["COM", "DEP", "ENSQPV", "EPCI", "FRM", "QPV", "REG"]
    (indicators,) = truth.sql("select count(distinct indicator_code) from published where value is not null").fetchone()
    assert indicators > 70


def test_what_is_in_a_file_is_published(truth: duckdb.DuckDBPyConnection) -> None:
    """Totals of all QPV apart: some tables leave them out, or empty."""
    lost = truth.sql("select * from published where not masked and value is null and zone_level != 'ENSQPV'")
    assert lost.fetchall() == []


def test_ratios_are_those_of_the_true_counts(truth: duckdb.DuckDBPyConnection) -> None:
    wrong = truth.sql("""
        select * from ratio
        where not masked and coalesce(abs(value - truth) > half_digit + 1e-9, true)
    """)
    assert wrong.fetchall() == []
    (compared,) = truth.sql("select count(distinct indicator_code) from ratio where not masked").fetchone()
    assert compared > 30


def test_a_masked_cell_gives_a_reason_and_no_value(truth: duckdb.DuckDBPyConnection) -> None:
    masked = truth.sql("""
        select status, count(*), count(value)
        from (select masked, status, value from published union all select masked, status, value from ratio)
        where masked group by all
    """).fetchall()
    assert {status for status, _, _ in masked} == {"secret_primaire", "nd", "non_couvert"}
    assert {values for _, _, values in masked} == {0}


# Runs after the first


def test_unchanged_bytes_release_nothing_and_touch_nothing(finished: Finished, tmp_path: Path) -> None:
    home = finished.copy(tmp_path / "home")
    made = {path: path.stat().st_mtime_ns for name in ("raw", "derived") for path in (home.path / name).rglob("*")}
    ran = home.dq("run", "--json")
    assert (ran.code, ran.json["released"], ran.json["errors"]) == (0, None, [])
    finished.assert_untouched(home)
    assert home.archived() == finished.archived
    assert {path: path.stat().st_mtime_ns for path in made} == made


def test_a_changed_cell_changes_the_figures_made_of_it_and_no_other(finished: Finished, changed: Changed) -> None:
    code, value = changed.zone, changed.value
    assert changed.ran.code == 0, changed.ran.err
    after = changed.home.release
    before = after.with_name(finished.home.release.name)
    assert changed.ran.json["released"] == after.name != before.name

    with duckdb.connect() as db:
        for name, folder in (("was", before), ("now", after)):
            figures = f"select * exclude run_id from read_parquet('{folder}/indicator_value.parquet')"
            db.execute(f"create view {name} as {figures}")
        made_of_it = db.sql(f"""
            select distinct indicator_code from read_parquet('{after}/indicator_term.parquet')
            where variable = '{VARIABLE}'
        """).fetchall()
        key = "indicator_code, zone_level, zone_code, generation, vintage"
        moved = db.sql(f"select {key} from (from now except from was) order by all").fetchall()
        assert moved == sorted((indicator, "QPV", code, "QP2015", "2021") for (indicator,) in made_of_it)
        assert db.sql(f"select {key} from (from was except from now) order by all").fetchall() == moved
        published = db.sql(f"select value from now where ({key}) = ('DE_ABC', 'QPV', '{code}', 'QP2015', '2021')")
        assert published.fetchall() == [(value,)]

    kept, made = digests(finished.home.release, "release"), digests(after, "release")
    assert digests(before, "release") == kept, "the former release stays as it was"
    others = {
        f"release/{table.name}.csv"
        for table in TABLES
        if "csv" in table.formats and table.name not in {"indicator_value", "mart_emploi"}
    }
    assert {name for name in others if kept[name] != made[name]} == set()


# Bad input: each leaves archive, warehouse and release as they were


def refused(finished: Finished, home: Home) -> Ran:
    """A run that must fail, say so in one place, and change nothing."""
    ran = home.dq("run", "--json")
    assert ran.code == 1, ran.out
    assert "Traceback" not in ran.err
    finished.assert_untouched(home)
    (report,) = home.failure_reports()
    assert report["run_id"] == ran.json["run_id"]
    assert [f"{step['step']}: {step['error']}" for step in report["steps"]] == ran.json["errors"]
    assert all(error in ran.err for error in ran.json["errors"])
    return ran


def test_files_that_cannot_be_read_are_all_named_at_once(finished: Finished, tmp_path: Path) -> None:
    home = finished.copy(tmp_path / "home")
    insee, admin = home.demo / "insee", home.demo / "admin"
    spoilt = [insee / "IPRO_2021.csv", insee / "DEMO_2021.csv", admin / "regions.csv", admin / "epcicom.xlsx"]
    sound = {path: path.read_bytes() for path in spoilt}
    renamed, cp1252, web_page, truncated = spoilt
    set_cell(renamed, 1, "ABC", "DEFM_ABC")
    write_table(cp1252, read_table(cp1252), encoding="cp1252")
    web_page.write_text("<!DOCTYPE html><html><title>Maintenance</title></html>", encoding="utf-8")
    truncated.write_bytes(sound[truncated][: len(sound[truncated]) // 2])

    messages = dict(error.split(": ", 1) for error in refused(finished, home).json["errors"])
    named = {
        "raw__insee_ipro": ["insee_ipro 2021, IPRO_2021.csv", "expected 'ABC'", "'DEFM_ABC'", "variable_column"],
        "raw__insee_demo": ["DEMO_2021.csv", "utf-8", "octet 0x", "ligne 3", "cp1252", "`encoding` au catalogue"],
        "raw__insee_cog_regions": ["regions.csv", "page web (« Maintenance »)", "boîte de dépôt"],
        "raw__dgcl_epci": ["epcicom.xlsx", "archive tronquée", "télécharger de nouveau"],
    }
    assert messages.keys() == named.keys()
    assert [(step, part) for step, parts in named.items() for part in parts if part not in messages[step]] == []
    assert messages["raw__dgcl_epci"].count("epcicom.xlsx") == 1, "one fault, one message"

    for path, content in sound.items():
        path.write_bytes(content)
    assert home.dq("run", "--json").json["released"] is None, "with the files mended, nothing has changed"


def test_a_shifted_decimal_is_named_with_its_line(finished: Finished, tmp_path: Path) -> None:
    home = finished.copy(tmp_path / "home")
    path = home.demo / "insee" / "REVN_2021.csv"
    shifted = set_cell(path, LINE, "TP60", "").replace(",", "")
    set_cell(path, LINE, "TP60", shifted)
    (error,) = refused(finished, home).json["errors"]
    code = read_table(path)[LINE - 1][0]
    assert error.startswith("attentes_sources: raw/insee_revn, attentes_critiques: taux-de-pauvrete-plausible : ")
    assert f"REVN_2021.csv ligne {LINE}, CODGEO {code}" in error
    assert f"nombre(TP60) = {shifted}" in error
    assert "Que faire : " in error
    assert "expectations/insee_revn.json" in error


def test_a_duplicated_zone_is_named_with_its_lines(finished: Finished, tmp_path: Path) -> None:
    home = finished.copy(tmp_path / "home")
    path = home.demo / "insee" / "REVN_2021.csv"
    rows = read_table(path)
    write_table(path, [*rows, rows[LINE - 1]])
    (error,) = refused(finished, home).json["errors"]
    assert error.startswith("dbt_models: ")
    assert "stg_insee__revn: 1 row(s) refused by cle_unique" in error
    assert f"zone_code={rows[LINE - 1][0]}, vintage=2021, n_rows=2" in error
    assert f"REVN_2021.csv ligne {LINE}, REVN_2021.csv ligne {len(rows) + 1}" in error
    assert "What to do: " in error
