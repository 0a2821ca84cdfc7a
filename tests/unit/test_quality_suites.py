"""Suite files: what is accepted, what is refused, and how a table is prepared for them."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import duckdb
import pytest

from dagster_project.quality.frames import MACROS, Table
from dagster_project.quality.suites import EXPECTATIONS_DIR, Suite, SuiteError, load_suite, load_suites

SUITE = {
    "name": "essai",
    "table": "essai",
    "layer": "raw",
    "owner": "data-et-quartiers",
    "derive": {"population": "nombre(POP)", "double": "population * 2"},
    "expectations": [
        {
            "id": "population-plausible",
            "type": "expect_column_values_to_be_between",
            "severity": "critical",
            "reason": "Un quartier compte de quelques centaines à cent mille habitants.",
            "kwargs": {"column": "population", "min_value": 300, "max_value": 100000},
        }
    ],
}


def suite_with(**changes: object) -> dict[str, object]:
    return {**copy.deepcopy(SUITE), **changes}


def rule_with(**changes: object) -> dict[str, object]:
    return suite_with(expectations=[{**SUITE["expectations"][0], **changes}])


def written(tmp_path: Path, content: object, name: str = "essai.json") -> Path:
    path = tmp_path / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (suite_with(comment="x"), "comment"),
        (rule_with(mostly=0.9), "mostly"),
        (rule_with(type="expect_column_to_shine"), "expect_column_to_shine"),
        (rule_with(kwargs={"column": "population", "min_val": 3}), "min_val"),
        (rule_with(kwargs={"column": "population", "min_value": 3, "max_val": 9}), "['max_val']"),
        (rule_with(kwargs={"column": "population"}), "max_value"),
        (rule_with(severity="grave"), "severity"),
        (rule_with(id="Population plausible"), "id"),
        (rule_with(reason="Parce que."), "reason"),
        (rule_with(scope="demo"), "scope"),
        (suite_with(expectations=SUITE["expectations"] * 2), "population-plausible"),
        (suite_with(name="autre"), "autre"),
    ],
)
def test_a_mistake_in_a_suite_is_refused_by_name(tmp_path, content, said):
    with pytest.raises(SuiteError, match=r"essai\.json") as raised:
        load_suite(written(tmp_path, content))
    assert said in str(raised.value)


def test_one_bound_is_enough(tmp_path):
    suite = load_suite(written(tmp_path, rule_with(kwargs={"column": "population", "min_value": 300})))
    assert suite.columns == ("population",)


def test_the_committed_suites_load_and_bear_the_names_of_their_files():
    suites = load_suites()
    assert list(suites) == sorted(path.stem for path in EXPECTATIONS_DIR.glob("*.json"))
    assert all(suite.table == name for name, suite in suites.items())


def test_a_committed_suite_gives_a_reason_in_a_sentence_and_looks_at_several_aspects():
    for suite in load_suites().values():
        assert len(suite.expectations) >= 4, suite.name
        for rule in suite.expectations:
            assert rule.reason.endswith("."), f"{suite.name}/{rule.id}"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1\u202f234,5", 1234.5),
        ("1\u00a0234", 1234),
        ("1 234", 1234),
        ("-9,4", -9.4),
        ("1234", 1234),
        ("", None),
        ("ns", None),
        (None, None),
    ],
)
def test_french_numbers(cell, number):
    with duckdb.connect() as db:
        db.execute(MACROS)
        assert db.execute("select nombre(?::varchar)", [cell]).fetchone() == (number,)


@pytest.mark.parametrize(
    ("cells", "unreadable"),
    [
        (["1\u202f234,5", "", None, "-9,4"], 0),
        (["12,3,4"], 1),
        (["1\u202f23"], 1),
        (["12.5", "ns", "7"], 2),
        (["1|2"], 1),
        ([], 0),
    ],
)
def test_unreadable_cells_are_counted(cells, unreadable):
    with duckdb.connect() as db:
        db.execute(MACROS)
        assert db.execute("select illisibles(?::varchar[])", [cells]).fetchone() == (unreadable,)


@pytest.mark.parametrize(("numbers", "disordered"), [([1, 2, 2, 3], 0), ([1, None, 3], 0), ([1, 3, 2], 1), ([], 0)])
def test_disorder_ignores_what_is_absent(numbers, disordered):
    with duckdb.connect() as db:
        db.execute(MACROS)
        assert db.execute("select desordonnes(?::double[])", [numbers]).fetchone() == (disordered,)


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    path = tmp_path / "essai.parquet"
    with duckdb.connect() as db:
        db.execute(f"""
            copy (
                select * from (values ('b', '1 000', '', 'x'), ('a', '12', 'y', '')) as t(CODE, POP, NOTE, VIDE)
            ) to '{path}' (format parquet)
        """)
    return path


def suite_on(columns: list[str], derive: dict[str, str], **more: object) -> Suite:
    rules = [
        {**SUITE["expectations"][0], "id": f"regle-{n}", "kwargs": {"column": column, "min_value": 0}}
        for n, column in enumerate(columns)
    ]
    return Suite.model_validate(suite_with(derive=derive, expectations=rules, **more))


def test_only_named_columns_are_loaded_and_empty_cells_are_nulls(parquet):
    with Table(suite_on(["NOTE", "double"], SUITE["derive"]), parquet) as table:
        frame = table.frame()
    assert list(frame.data.columns) == ["__position", "NOTE", "double"]
    assert frame.data["double"].tolist() == [2000, 24]
    assert frame.data["NOTE"].isna().tolist() == [True, False]
    assert frame.missing == {}


def test_rows_keep_their_place_when_a_derived_column_is_a_window(parquet):
    suite = suite_on(["rang"], {"rang": "row_number() over (order by CODE)"})
    with Table(suite, parquet) as table:
        assert table.frame().data["rang"].tolist() == [2, 1]
        (row,) = table.rows([1], suite.expectations[0])
    assert (row["rang"], row["CODE"]) == (1, "a")


def test_a_column_that_cannot_be_had_leaves_the_others(parquet):
    derive = {"absente": "nombre(INCONNUE)", "population": "nombre(POP)"}
    with Table(suite_on(["absente", "population", "AUTRE"], derive), parquet) as table:
        frame = table.frame()
    assert frame.data["population"].tolist() == [1000, 12]
    assert set(frame.missing) == {"absente", "AUTRE"}
    assert "INCONNUE" in frame.missing["absente"]


def test_a_query_replaces_the_table(parquet):
    suite = suite_on(["lignes"], {}, query=["select count(*) as lignes", "from source"])
    with Table(suite, parquet) as table:
        assert table.frame().data["lignes"].tolist() == [2]
        assert table.rows([0], suite.expectations[0]) == [{"lignes": 2}]
