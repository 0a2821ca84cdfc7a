"""Every empty cell of a release has one declared reason, which is explained, coded and never mistaken for a value."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest
from pydantic import ValidationError

from dagster_project.release.absence import ABSENT_FIGURE, PRESENT_FIGURE, Reason, declared_reason
from dagster_project.release.contract import ColumnDoc, DescribedTable, TableDoc, load_contents, table_docs
from dagster_project.release.errors import ReleaseError
from dagster_project.release.plan import FLAT, Plan
from dagster_project.release.tables import store
from dagster_project.settings import PROJECT_ROOT, Settings
from tests.release_home import REFERENCE, TABLES, described, manifest

SEEDS = PROJECT_ROOT / "seeds"
# SDMX cross-domain lists: CL_OBS_STATUS 2.2 and CL_CONF_STATUS 1.2.
OBS_STATUS = set("ABDEFGHIJKLMNOPQSUVW")
CONF_STATUS = set("ACDEFGMNOSTX")


def rows(seed: str) -> list[dict[str, str]]:
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


LABELS = {row["label"]: row for row in rows("absence")}
DOCS = table_docs(manifest(Settings(home=Path())))
SEEDED = [table.table for table in TABLES if table.schema == REFERENCE]


def test_every_label_that_a_reason_may_give_is_explained() -> None:
    reasons = [column.reason for table in DOCS.values() for column in table.columns.values() if column.reason]
    assert {label for reason in reasons for label in reason.labels} | set(PRESENT_FIGURE) == set(LABELS)
    assert [row["label"] for row in LABELS.values() if len(row["label_fr"]) < 12 and row["label"] != "ok"] == []
    assert len({row["label_fr"] for row in LABELS.values()}) == len(LABELS)


def test_statuses_of_a_figure_map_one_to_one_to_sdmx_codes() -> None:
    statuses = [row for row in LABELS.values() if row["scope"] == "figure"]
    assert {row["label"] for row in statuses} == {*ABSENT_FIGURE, *PRESENT_FIGURE}
    assert len({(row["obs_status"], row["conf_status"]) for row in statuses}) == len(statuses)
    for row in LABELS.values():
        assert row["obs_status"] in OBS_STATUS
        assert row["conf_status"] in CONF_STATUS


def test_the_statuses_are_those_that_dbt_accepts() -> None:
    column = next(column for column in described()["indicator_value"]["columns"] if column["name"] == "status")
    (accepted,) = (test["accepted_values"]["arguments"]["values"] for test in column["data_tests"])
    assert set(accepted) == {*ABSENT_FIGURE, *PRESENT_FIGURE}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("vide", Reason("'vide'", ("vide",))),
        ({"status": "s"}, Reason("s", ABSENT_FIGURE)),
        (
            {"unless_ok": "s"},
            Reason(
                f"case when s in {ABSENT_FIGURE} then s else 'sans_objet' end",
                (*ABSENT_FIGURE, "sans_objet"),
            ),
        ),
        ({"sql": "if(a, 'nd', 'vide')", "labels": ["nd", "vide"]}, Reason("if(a, 'nd', 'vide')", ("nd", "vide"))),
        ({"sql": "s", "labels": ["figure", "vide"]}, Reason("s", (*ABSENT_FIGURE, "vide"))),
        ({"labels": ["vide"], "companion": True}, Reason("'vide'", ("vide",), companion=True)),
    ],
    ids=["always", "status", "unless ok", "sql", "sql of a figure", "companion"],
)
def test_what_a_contract_declares_becomes_a_label(said: object, reason: Reason) -> None:
    assert declared_reason(said) == reason  # type: ignore[arg-type]


@pytest.mark.parametrize("said", [{}, 3, ["nd"], {"labels": []}, {"status": "s", "labels": ["nd"]}, {"sql": "s"}])
def test_another_way_to_say_it_is_refused(said: object) -> None:
    with pytest.raises(ReleaseError, match="no way to say why a cell is empty"):
        declared_reason(said)  # type: ignore[arg-type]


def test_an_absence_of_a_column_that_is_not_described_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"not described: \['b'\]"):
        DescribedTable(description="t", key=("a",), columns={"a": "a"}, absence={"b": "nd"})


@pytest.mark.parametrize("seed", SEEDED)
def test_an_empty_cell_of_a_seed_has_its_reason(seed: str) -> None:
    empty = {name for row in rows(seed) for name, cell in row.items() if cell == ""}
    assert {name for name in empty if DOCS[seed].columns[name].reason is None} == set()


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def stored(connection: duckdb.DuckDBPyConnection, name: str, relation: str) -> None:
    columns = [row[0] for row in connection.execute(f"describe select * from {relation}").fetchall()]
    known = DOCS[name].columns
    reasons = {column: known[column].reason if column in known else None for column in columns}
    doc = TableDoc(name, "", {column: ColumnDoc(column, column, reason=reasons[column]) for column in columns}, ())
    store(connection, Plan(name, relation, name, FLAT, "memory"), {name: doc})


@pytest.mark.parametrize(
    ("name", "relation", "fault"),
    [
        ("known_break", "(select null::varchar as kind, 1 as n)", r"known_break: .* kind \(1 cells\)"),
        ("known_break", "(select '' as kind, 1 as n)", r"kind \(1 cells\)"),
        ("note_status", "(select 'sans_objet' as note_code)", r"note_code \(1 cells\)"),
        ("note_status", "(select '' as note_code)", r"note_code \(1 cells\)"),
        ("indicator_value", "(select null::double as value, 'ok' as status)", r"value \(1 cells\)"),
        ("indicator_value", "(select null::double as value, 'perdu' as status)", r"value \(1 cells\)"),
    ],
    ids=[
        "no reason",
        "empty text",
        "text that is a label",
        "empty text with a reason",
        "present status",
        "unknown status",
    ],
)
def test_a_cell_without_a_reason_stops_the_release(
    connection: duckdb.DuckDBPyConnection, name: str, relation: str, fault: str
) -> None:
    with pytest.raises(ReleaseError, match=fault):
        stored(connection, name, relation)


def test_a_column_that_nobody_describes_stops_the_release(connection: duckdb.DuckDBPyConnection) -> None:
    plan = Plan("indicator", "(select 1 as secret)", "indicator", FLAT, "memory")
    with pytest.raises(ReleaseError, match=r"indicator\.secret: this column is described nowhere"):
        store(connection, plan, {"indicator": TableDoc("indicator", "", {}, ())})
    with pytest.raises(ReleaseError, match="indicator: not described"):
        store(connection, plan, {})


def test_what_dbt_does_not_make_is_described_in_full(tmp_path: Path) -> None:
    from dagster_project.sources.derived import SOURCE_FILE_COLUMNS
    from tests.release_home import corrections

    assert list(load_contents().tables["source_file"].columns) == list(SOURCE_FILE_COLUMNS)
    assert list(load_contents().tables["corrections"].columns) == corrections().column_names
