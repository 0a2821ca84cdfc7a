"""Every empty cell of a release has one declared reason, which is explained, coded and never mistaken for a value."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from dagster_project.release.absence import ABSENT_FIGURE, PRESENT_FIGURE, REASONS, reason_for
from dagster_project.release.contract import ColumnDoc, TableDoc, load_contents
from dagster_project.release.errors import ReleaseError
from dagster_project.release.plan import FLAT, LINEAGE, REFERENCE, Plan
from dagster_project.release.tables import store
from dagster_project.settings import PROJECT_ROOT
from tests.release_home import described

SEEDS = PROJECT_ROOT / "seeds"
# SDMX cross-domain lists: CL_OBS_STATUS 2.2 and CL_CONF_STATUS 1.2.
OBS_STATUS = set("ABDEFGHIJKLMNOPQSUVW")
CONF_STATUS = set("ACDEFGMNOSTX")


def rows(seed: str) -> list[dict[str, str]]:
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


LABELS = {row["label"]: row for row in rows("absence")}
DECLARED = [(table, reason) for table, reasons in REASONS.items() for reason in reasons]


def columns_of(table: str) -> set[str]:
    if table in load_contents().tables:
        return set(load_contents().tables[table].columns)
    marts = {name: mart for mart, name in LINEAGE.items()}
    return {column["name"] for column in described()[marts.get(table, table)]["columns"]}


def test_every_label_that_a_reason_may_give_is_explained() -> None:
    given = {label for _, reason in DECLARED for label in reason.labels} | {
        *ABSENT_FIGURE,
        *PRESENT_FIGURE,
        "non_publie",
    }
    assert given == set(LABELS)
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


@pytest.mark.parametrize(("table", "reason"), DECLARED, ids=[f"{t}-{r.columns[0]}" for t, r in DECLARED])
def test_a_reason_speaks_of_columns_that_exist(table: str, reason: object) -> None:
    assert isinstance(reason, type(DECLARED[0][1]))
    assert set(reason.columns) <= columns_of(table)
    assert len(set(reason.columns)) == len(reason.columns)


@pytest.mark.parametrize("seed", REFERENCE)
def test_an_empty_cell_of_a_seed_has_its_reason(seed: str) -> None:
    empty = {name for row in rows(seed) for name, cell in row.items() if cell == ""}
    assert {name for name in empty if reason_for(seed, name, None) is None} == set()


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def stored(connection: duckdb.DuckDBPyConnection, name: str, relation: str) -> None:
    columns = [row[0] for row in connection.execute(f"describe select * from {relation}").fetchall()]
    doc = TableDoc(name, "", {column: ColumnDoc(column, column) for column in columns}, ())
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
