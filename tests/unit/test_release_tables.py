"""Parquet, CSV and JSON of a table: the same cells, a reason for each empty one, the same bytes each time."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.release.absence import declared_reason, figure_reason
from dagster_project.release.contract import ColumnDoc, TableDoc
from dagster_project.release.plan import WIDE, Plan
from dagster_project.release.tables import ReleasedTable, store, write
from tests.release_cells import descriptor, disagreements, empty_cells

KEYS = ("zone_level", "zone_code", "generation", "vintage")
FIGURES = """create table indicator_value as select * from (values
    ('A', 'QPV', 'Q1', 'QP2015', '2019', 'secret_primaire'), ('B', 'QPV', 'Q1', 'QP2015', '2019', 'ok'),
    ('A', 'QPV', 'Q1', 'QP2015', '2021', 'ok')
) as figure (indicator_code, zone_level, zone_code, generation, vintage, status)"""
WIDE_MART = """create table wide as select * from (values
    ('QPV', 'Q1', 'QP2015', '2021', 2.5, null), ('QPV', 'Q1', 'QP2015', '2019', null, 1e-7)
) as wide (zone_level, zone_code, generation, vintage, part_a, part_b)"""


def table_doc(
    name: str, columns: dict[str, str | None], key: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> TableDoc:
    """Columns with the indicator that each holds, if it does; `optional` ones may be empty."""
    reasons = {column: figure_reason(column) for column, code in columns.items() if code}
    reasons |= dict.fromkeys(optional, declared_reason("sans_objet"))
    docs = {c: ColumnDoc(c, c, indicator=code, reason=reasons.get(c)) for c, code in columns.items()}
    return TableDoc(name, name, docs, key)


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    """What dbt built (a wide mart and the figures behind it), and the release's database in use."""
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as built; attach ':memory:' as released; create schema built.marts")
    connection.execute("use built.marts")
    connection.execute(FIGURES)
    connection.execute(WIDE_MART)
    connection.execute("use released")
    return connection


def wide(connection: duckdb.DuckDBPyConnection, folder: Path) -> ReleasedTable:
    doc = table_doc("mart_x", {**dict.fromkeys(KEYS), "part_a": "A", "part_b": "B"}, KEYS)
    table = store(connection, Plan("mart_x", "built.marts.wide", "mart_x", WIDE, "built"), {"mart_x": doc})
    write(connection, table, folder)
    return table


def test_a_wide_cell_takes_the_status_of_its_figure(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    wide(connection, tmp_path)
    statuses = ["vintage", "part_a", "part_a_statut", "part_b", "part_b_statut"]
    assert pq.read_table(tmp_path / "mart_x.parquet", columns=statuses).to_pylist() == [
        {"vintage": "2019", "part_a": None, "part_a_statut": "secret_primaire", "part_b": 1e-7, "part_b_statut": "ok"},
        {"vintage": "2021", "part_a": 2.5, "part_a_statut": "ok", "part_b": None, "part_b_statut": "non_publie"},
    ]


def test_csv_and_json_write_the_reason_in_the_cell(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    wide(connection, tmp_path)
    header = [*KEYS, "part_a", "part_b"]
    with (tmp_path / "mart_x.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file, delimiter=";")) == [
            header,
            ["QPV", "Q1", "QP2015", "2019", "secret_primaire", "1e-07"],
            ["QPV", "Q1", "QP2015", "2021", "2.5", "non_publie"],
        ]
    assert json.loads((tmp_path / "mart_x.json").read_text(encoding="utf-8")) == {
        "columns": header,
        "rows": [
            ["QPV", "Q1", "QP2015", "2019", "secret_primaire", 1e-7],
            ["QPV", "Q1", "QP2015", "2021", 2.5, "non_publie"],
        ],
    }


def test_a_key_that_may_be_empty_names_no_row(connection: duckdb.DuckDBPyConnection) -> None:
    relation = "(select * from (values ('d', '0'), ('d', null)) as note (dataset, note_code))"
    doc = table_doc("note_status", {"dataset": None, "note_code": None}, ("dataset", "note_code"), ("note_code",))
    table = store(connection, Plan("note_status", relation, "note_status", ("parquet",), "built"), {"note_status": doc})
    assert table.primary_key == ()


def test_bytes_do_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    """Enough rows for several row groups, given in a scrambled order."""
    rows = "(select hash(range) % 300000 as n, range as m, (hash(range) % 7)::double / 3 as x from range(300000))"
    digests = set()
    for threads in (1, 4):
        folder = tmp_path / str(threads)
        folder.mkdir()
        with duckdb.connect(config={"threads": threads}) as connection:
            doc = table_doc("t", {"n": None, "m": None, "x": None}, ("n", "m"))
            table = store(connection, Plan("t", rows, "t", WIDE, "memory"), {"t": doc})
            write(connection, table, folder)
        assert pq.read_metadata(folder / "t.parquet").num_row_groups > 1
        digests.add(tuple(hashlib.sha256((folder / f"t.{suffix}").read_bytes()).hexdigest() for suffix in WIDE))
    assert len(digests) == 1


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
rows_of_cells = st.lists(
    st.tuples(texts, texts, st.none() | numbers, st.none() | st.integers(-(2**63), 2**63 - 1)), min_size=1
)


@settings(max_examples=60, deadline=None)
@given(rows_of_cells)
def test_any_text_and_any_number_is_the_same_in_the_three_formats(tmp_path_factory: Any, rows: list[Any]) -> None:
    """Separators, quotes, line breaks, formulas, accents; the smallest and the largest numbers."""
    folder = tmp_path_factory.mktemp("cells")
    names = ("correction_id", "reason", "corrected_value", "width")
    content = pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)}).cast(
        pa.schema(
            [("correction_id", "string"), ("reason", "string"), ("corrected_value", "float64"), ("width", "int64")]
        )
    )
    with duckdb.connect() as connection:
        connection.register("content", content)
        doc = table_doc("corrections", dict.fromkeys(names), optional=names[2:])
        table = store(connection, Plan("corrections", "content", "corrections", WIDE, "memory"), {"corrections": doc})
        write(connection, table, folder)
    typed = pq.read_table(folder / "corrections.parquet").to_pylist()
    with (folder / "corrections.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file, delimiter=";"))
    whole = json.loads((folder / "corrections.json").read_text(encoding="utf-8"))
    expected = [["sans_objet" if cell is None else cell for cell in row.values()] for row in typed]
    assert whole["rows"] == expected
    assert [[row["correction_id"], row["reason"]] for row in written] == [row[:2] for row in expected]
    assert [float(row["corrected_value"]) for row in written if row["corrected_value"] != "sans_objet"] == [
        row[2] for row in expected if row[2] != "sans_objet"
    ]
    assert [row["width"] for row in written] == [str(row[3]) for row in expected]


def test_the_formats_of_a_whole_release_agree(small_release: Path) -> None:
    assert {path: count for path, count in empty_cells(small_release).items() if count} == {}
    found = disagreements(small_release)
    assert len(found) > 400
    assert {cell: count for cell, count in found.items() if count} == {}


def test_the_comparison_sees_a_cell_that_differs(small_release: Path, tmp_path: Path) -> None:
    """One number, one label, one line: a comparison that could not fail would show nothing."""
    for path in small_release.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / "indicator_value.csv").read_text(encoding="utf-8")
    changed = text.replace(";46.8;", ";46.9;").replace(";non_couvert;%;", ";nd;%;")
    (tmp_path / "indicator_value.csv").write_text(changed, encoding="utf-8")
    mart = (tmp_path / "mart_revenus.json").read_text(encoding="utf-8")
    (tmp_path / "mart_revenus.json").write_text(mart.replace("46.8", '""'), encoding="utf-8")
    lines = (tmp_path / "dim_zone.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "dim_zone.csv").write_text("".join(lines[:-1]), encoding="utf-8")
    found = disagreements(tmp_path)
    assert found["indicator_value.csv value"] == 2
    assert found["mart_revenus.json taux_pauvrete_pct"] == 1
    assert found["dim_zone.csv rows"] == 1
    assert empty_cells(tmp_path)["mart_revenus.json"] == 1


def test_headers_are_the_fields_that_the_descriptor_declares(small_release: Path) -> None:
    tables = {path: resource for path, resource in descriptor(small_release).items() if path.endswith(".csv")}
    for path, resource in tables.items():
        header = (small_release / path).read_text(encoding="utf-8").splitlines()[0].split(";")
        assert header == [field["name"] for field in resource["schema"]["fields"]], path
