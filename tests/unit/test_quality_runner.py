"""Running suites: results, rows, cache, and what is never imported or written."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dagster_project.quality import suite_runner
from dagster_project.quality.data_docs import build_data_docs
from dagster_project.quality.suite_runner import MissingTableError, run_suites
from dagster_project.quality.suites import Suite
from dagster_project.settings import PROJECT_ROOT
from tests.browser import offline_browser


def rule(name: str, kind: str, severity: str, **more: object) -> dict[str, object]:
    return {
        "id": name,
        "type": f"expect_{kind}",
        "severity": severity,
        "reason": "Une raison assez longue pour être lue.",
        "kwargs": more.pop("kwargs"),
        **more,
    }


SUITE = Suite.model_validate(
    {
        "name": "essai",
        "table": "essai",
        "layer": "raw",
        "owner": "data-et-quartiers",
        "derive": {"population": "nombre(POP)", "fautive": "nombre(INCONNUE)"},
        "expectations": [
            rule("code", "column_values_to_match_regex", "critical", kwargs={"column": "CODE", "regex": r"^QP\d{6}$"}),
            rule("taille", "column_values_to_be_between", "warning", kwargs={"column": "population", "min_value": 300}),
            rule("mediane", "column_median_to_be_between", "info", kwargs={"column": "population", "max_value": 5000}),
            rule("absente", "column_values_to_not_be_null", "critical", kwargs={"column": "fautive"}),
            rule(
                "rennes",
                "column_distinct_values_to_contain_set",
                "critical",
                scope="real",
                kwargs={"column": "CODE", "value_set": ["QP035005"]},
            ),
        ],
    }
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "essai.parquet", "('QP096001', '1 200', 'Le Pré'), ('QP96', '12', 'La Cité')")


def write(path: Path, rows: str) -> Path:
    with duckdb.connect() as db:
        db.execute(f"""
            copy (
                select *, '2021' as _vintage, row_number() over () + 1 as _source_row
                from (values {rows}) as t(CODE, POP, NOM)
            ) to '{path}' (format parquet)
        """)
    return path


def run(table: Path, *, real: bool = False, suite: Suite = SUITE) -> dict[str, suite_runner.ExpectationResult]:
    results = run_suites([suite], {"essai": table}, real=real, cache_dir=table.parent / "cache")
    return {result.id: result for result in results}


def test_a_failed_rule_shows_whole_rows_and_its_counts(table):
    result = run(table)["taille"]
    assert not result.passed
    assert (result.unexpected_count, result.element_count) == (1, 2)
    assert result.observed == "1 ligne contraire sur 2 (50 %)"
    assert result.failing_rows == [
        {"population": 12.0, "_vintage": "2021", "_source_row": 3, "CODE": "QP96", "POP": "12", "NOM": "La Cité"}
    ]


def test_only_a_failed_critical_rule_blocks(table):
    found = run(table)
    assert {name: result.blocking for name, result in found.items()} == {
        "code": True,
        "taille": False,
        "mediane": False,
        "absente": True,
        "rennes": False,
    }
    assert found["mediane"].passed
    assert found["mediane"].observed == "606"


def test_a_rule_that_cannot_be_evaluated_fails_and_says_why(table):
    result = run(table)["absente"]
    assert not result.passed
    assert "INCONNUE" in (result.error or "")


def test_a_derived_column_named_like_one_of_the_table_says_so(table):
    """An edition may bring such a column: DuckDB would rename one of them in silence."""
    result = run(table, suite=SUITE.model_copy(update={"derive": {**SUITE.derive, "nom": "upper(NOM)"}}))
    assert result["taille"].error is None
    clashing = {**SUITE.derive, "pop": "nombre(POP)"}
    rules = tuple(
        rule.model_copy(update={"kwargs": {**rule.kwargs, "column": "pop"}}) if rule.id == "taille" else rule
        for rule in SUITE.expectations
    )
    result = run(table, suite=SUITE.model_copy(update={"derive": clashing, "expectations": rules}))
    assert "porte déjà ce nom" in (result["taille"].error or "")


def test_a_rule_for_real_sources_is_skipped_on_the_demonstration_and_only_there(table):
    assert run(table)["rennes"].skipped
    found = run(table, real=True)["rennes"]
    assert (found.skipped, found.passed) == (False, False)


def test_results_come_from_the_cache_until_table_or_suite_changes(table, monkeypatch):
    first = run(table)
    monkeypatch.setitem(sys.modules, "dagster_project.quality.engine", None)  # importing it would now fail
    assert run(table) == first
    with pytest.raises(ImportError):
        run(table, suite=SUITE.model_copy(update={"derive": {**SUITE.derive, "population": "2 * nombre(POP)"}}))
    write(table, "('QP096001', '1 201', 'Le Pré')")
    with pytest.raises(ImportError):
        run(table)


def test_a_damaged_cache_is_rebuilt(table):
    first = run(table)
    (table.parent / "cache" / "essai.json").write_text("{", encoding="utf-8")
    assert run(table) == first


def test_great_expectations_is_not_imported_when_everything_is_cached(table):
    run(table)
    script = (
        "import sys, json; from pathlib import Path;"
        "from dagster_project.quality.suite_runner import run_suites; from dagster_project.quality.suites import Suite;"
        "from dagster_project.quality.data_docs import build_data_docs;"
        "suite = Suite.model_validate_json(sys.argv[1]); folder = Path(sys.argv[2]);"
        "found = run_suites([suite], {'essai': folder / 'essai.parquet'}, real=False, cache_dir=folder / 'cache');"
        "heavy = {'great_expectations', 'pandas', 'dagster'} & set(sys.modules);"
        "print(json.dumps([len(found), sorted(heavy)]))"
    )
    command = [sys.executable, "-c", script, SUITE.model_dump_json(), str(table.parent)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [5, []]


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingTableError, match=r"essai\.parquet"):
        run(tmp_path / "essai.parquet")


def test_running_writes_nothing_but_the_cache_and_shows_no_progress_bar(table, monkeypatch, capfd):
    monkeypatch.chdir(table.parent)
    run(table)
    assert sorted(path.name for path in table.parent.iterdir()) == ["cache", "essai.parquet"]
    assert capfd.readouterr().err == ""


def test_data_docs_are_built_from_the_results_and_only_when_these_change(table):
    run(table)
    folder = table.parent / "docs"
    assert build_data_docs(folder, [SUITE], cache_dir=table.parent / "cache")
    links = re.findall(r'href="([^"]+)"', (folder / "index.html").read_text(encoding="utf-8"))
    assert [Path(link).parts[0] for link in links] == ["validations", "expectations"]
    assert all((folder / link).is_file() for link in links)
    assert not build_data_docs(folder, [SUITE], cache_dir=table.parent / "cache")
    write(table, "('QP096001', '1 201', 'Le Pré')")
    run(table)
    assert build_data_docs(folder, [SUITE], cache_dir=table.parent / "cache")


@pytest.mark.browser
def test_data_docs_load_nothing_from_other_servers(table):
    run(table)
    build_data_docs(table.parent / "docs", [SUITE], cache_dir=table.parent / "cache")
    with offline_browser() as visit:
        for path in (table.parent / "docs").rglob("*.html"):
            assert "essai" in visit.open(path).content()
    assert visit.asked == []
