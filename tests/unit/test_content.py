"""Data version of a table: it follows the rows, not their order nor the build that wrote them."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.identity.content import content_version

COLUMNS = {"code": "VARCHAR", "value": "DOUBLE", "n": "BIGINT", "parts": "VARCHAR[]", "geometry": "BLOB"}
TEXT = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
ROW = st.tuples(
    TEXT,
    st.none() | st.floats(allow_nan=False).map(lambda value: value + 0.0),  # -0.0 is 0.0
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.lists(TEXT, max_size=3),
    st.none() | st.binary(max_size=4),
)
ROWS = st.lists(ROW, max_size=6)
# Each example writes a table: how long that takes says nothing.
written = settings(deadline=None, max_examples=60)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def version(connection: duckdb.DuckDBPyConnection, rows: list[Any], columns: dict[str, str] | None = None) -> str:
    columns = columns or COLUMNS
    declared = ", ".join(f'"{name.replace('"', '""')}" {kind}' for name, kind in columns.items())
    connection.execute(f"create or replace temp table essai ({declared})")
    if rows:
        connection.executemany(f"insert into essai values ({', '.join('?' * len(columns))})", rows)
    return content_version(connection, "essai", columns)


@written
@given(rows=ROWS, seed=st.randoms(use_true_random=False))
def test_order_does_not_count(connection: duckdb.DuckDBPyConnection, rows: list[Any], seed: Any) -> None:
    shuffled = list(rows)
    seed.shuffle(shuffled)
    assert version(connection, rows) == version(connection, shuffled)


@written
@given(one=ROWS, two=ROWS)
def test_versions_are_equal_only_if_rows_are(
    connection: duckdb.DuckDBPyConnection, one: list[Any], two: list[Any]
) -> None:
    same = sorted(map(repr, one)) == sorted(map(repr, two))
    assert (version(connection, one) == version(connection, two)) == same


@written
@given(rows=st.lists(ROW, min_size=1, max_size=6), other=ROW, at=st.integers(0, 5), column=st.integers(0, 4))
def test_one_cell_counts(
    connection: duckdb.DuckDBPyConnection, rows: list[Any], other: Any, at: int, column: int
) -> None:
    changed, at = list(rows), at % len(rows)
    changed[at] = (*rows[at][:column], other[column], *rows[at][column + 1 :])
    same = repr(changed[at]) == repr(rows[at])
    assert (version(connection, rows) == version(connection, changed)) == same


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ([(None,)], [([],)]),
        ([([],)], [([None],)]),
        ([([None],)], [([""],)]),
        ([(["a", "b"],)], [(["a, b"],)]),
        ([(["a"],)], [(["a"],), (["a"],)]),
        ([(["a"],), (["a"],)], []),
        ([(["a"],), (["a"],)], [(["b"],), (["b"],)]),
    ],
)
def test_absences_and_repetitions_are_told_apart(connection: duckdb.DuckDBPyConnection, one: Any, two: Any) -> None:
    parts = {"parts": "VARCHAR[]"}
    assert version(connection, one, parts) != version(connection, two, parts)


def test_names_and_types_of_columns_count(connection: duckdb.DuckDBPyConnection) -> None:
    row = [(1, 2)]
    shapes = [
        {"a": "INT", "b": "INT"},
        {"a": "INT", "c": "INT"},
        {"a": "INT", "b": "BIGINT"},
        {'a "b"': "INT", "b": "INT"},
    ]
    assert len({version(connection, row, shape) for shape in shapes}) == len(shapes)


def test_the_build_that_wrote_a_row_does_not_count(connection: duckdb.DuckDBPyConnection) -> None:
    columns = {"code": "VARCHAR", "run_id": "VARCHAR"}
    assert version(connection, [("a", "1")], columns) == version(connection, [("a", "2")], columns)
    assert version(connection, [("a", "1")], columns) != version(connection, [("b", "1")], columns)
