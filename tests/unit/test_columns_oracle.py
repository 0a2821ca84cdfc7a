"""Column lineage against DuckDB itself: what is not in the lineage of a column cannot change it.

Random queries are run on tiny tables; then every column that the lineage of an output leaves out is given other
values, and the output must hold the same values as before. One missing edge of any kind shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.lineage.column_origins import Relation
from dagster_project.lineage.reader import column_lineage

TABLES = {"t": ("a", "b", "k"), "u": ("k", "x", "y")}
SCHEMAS = {("s", table): dict.fromkeys(columns, "int") for table, columns in TABLES.items()}
BASE = [(table, column) for table, columns in TABLES.items() for column in columns]
ROWS = 5
cells = st.one_of(st.none(), st.integers(0, 3))
Contents = dict[tuple[str, str], Sequence[int | None]]
# A relation that a query may read: its name in FROM, and its columns.
Readable = tuple[str, tuple[str, ...]]


@st.composite
def expressions(draw: Any, columns: list[str], readable: list[Readable]) -> str:
    first, second, third = (draw(st.sampled_from(columns)) for _ in range(3))
    relation, names = draw(st.sampled_from(readable))
    inner = draw(st.sampled_from(names))
    return str(
        draw(
            st.sampled_from(
                [
                    first,
                    f"{first} + {second}",
                    f"coalesce({first}, {second})",
                    f"case when {first} > 1 then {second} else {third} end",
                    f"(select max(i.{inner}) from {relation} as i where i.{names[0]} = {first})",
                    f"len(list_filter([{first}, 1, 2], lambda e: e > {second}))",
                    "7",
                ]
            )
        )
    )


@st.composite
def conditions(draw: Any, columns: list[str], readable: list[Readable]) -> str:
    first, second = draw(st.sampled_from(columns)), draw(st.sampled_from(columns))
    relation, names = draw(st.sampled_from(readable))
    inner, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
    negation = draw(st.sampled_from(["", "not "]))
    return str(
        draw(
            st.sampled_from(
                [
                    f"{first} > 1",
                    f"{first} is null or {second} < 2",
                    f"{first} {negation}in (select i.{inner} from {relation} as i where i.{other} > 0)",
                    f"{negation}exists (select 1 from {relation} as i where i.{inner} = {first})",
                    f"{first} = (select min(i.{inner}) from {relation} as i)",
                ]
            )
        )
    )


@st.composite
def sources(draw: Any, readable: list[Readable]) -> tuple[str, list[str]]:
    """A FROM clause and the columns in sight."""
    (left, left_names), (right, right_names) = draw(st.sampled_from(readable)), draw(st.sampled_from(readable))
    mine, theirs = [f"l.{name}" for name in left_names], [f"r.{name}" for name in right_names]
    kind = draw(
        st.sampled_from(["", "", "inner", "left", "right", "full", "semi", "anti", "cross", "using", "lateral"])
    )
    shared = sorted(set(left_names) & set(right_names))
    if kind == "using" and shared:
        side = draw(st.sampled_from(["", "left", "full", "semi", "anti"]))
        seen = [f"l.{name}" for name in left_names if name != shared[0]] + [shared[0]]
        both = [] if side in {"semi", "anti"} else [f"r.{name}" for name in right_names if name != shared[0]]
        return f"{left} as l {side} join {right} as r using ({shared[0]})", seen + both
    if kind == "cross":
        return f"{left} as l cross join {right} as r", mine + theirs
    if kind == "lateral":
        key = draw(st.sampled_from(mine))
        inner = f"select i.{right_names[0]} as v from {right} as i where i.{right_names[-1]} = {key}"
        return f"{left} as l, lateral ({inner}) as r", [*mine, "r.v"]
    if kind in {"inner", "left", "right", "full", "semi", "anti"}:
        on = f"{draw(st.sampled_from(mine))} = {draw(st.sampled_from(theirs))}"
        return f"{left} as l {kind} join {right} as r on {on}", mine if kind in {"semi", "anti"} else mine + theirs
    return f"{left} as l", mine


@st.composite
def selects(draw: Any, readable: list[Readable], width: int) -> str:
    """A SELECT of `width` columns named o0, o1…"""
    source, columns = draw(sources(readable))
    where = draw(st.one_of(st.just(""), st.just(""), conditions(columns, readable).map("where {}".format)))
    column = st.sampled_from(columns)
    shape = draw(st.sampled_from(["plain", "grouped", "grouped", "windowed", "distinct", "unnested", "limited"]))
    tail = ""
    if shape == "grouped":
        keys = draw(st.lists(column, max_size=width - 1, unique=True))
        items = [*keys, *(draw(aggregates(column)) for _ in range(width - len(keys)))]
        having = draw(
            st.sampled_from(["", f"having count(*) > {draw(st.integers(0, 2))}", f"having max({draw(column)}) > 1"])
        )
        explicit = f"group by {', '.join(keys)}" if keys else ""
        group = draw(st.sampled_from([explicit, "group by all"])) if keys else ""
        tail = f"{group} {having}"
    elif shape == "windowed":
        items = [draw(windows(column)) for _ in range(width)]
        tail = draw(
            st.sampled_from(["", f"qualify rank() over (partition by {draw(column)} order by {draw(column)}) = 1"])
        )
    else:
        items = [draw(expressions(columns, readable)) for _ in range(width)]
    if shape == "unnested":
        items[-1] = f"unnest(range(cast(least({draw(column)}, 3) as int)))"
    if shape == "limited":
        tail = f"order by all limit {draw(st.integers(0, 3))}"
    listed = ", ".join(f"{item} as o{i}" for i, item in enumerate(items))
    return f"select {'distinct ' if shape == 'distinct' else ''}{listed} from {source} {where} {tail}"


@st.composite
def aggregates(draw: Any, column: Any) -> str:
    kind = draw(st.sampled_from(["sum({})", "min({})", "count(distinct {})", "count(*)", "list({} order by {})"]))
    kept = draw(st.sampled_from(["", f" filter (where {draw(column)} > 1)"]))
    return f"{kind.format(draw(column), draw(column))}{kept}".replace("list(", "len(list(") + ")" * kind.startswith(
        "list"
    )


@st.composite
def windows(draw: Any, column: Any) -> str:
    kind = draw(st.sampled_from([f"sum({draw(column)})", "rank()", "count(*)", f"max({draw(column)})"]))
    return f"{kind} over (partition by {draw(column)} order by {draw(column)})"


@st.composite
def queries(draw: Any) -> str:
    """Up to two CTEs, each of which the next may read, then a SELECT or two gathered by a set operation."""
    readable: list[Readable] = [(f"db.s.{table}", columns) for table, columns in TABLES.items()]
    ctes = []
    for i in range(draw(st.sampled_from([0, 0, 1, 2]))):
        width = draw(st.integers(1, 3))
        ctes.append(f"c{i} as ({draw(bodies(readable, width))})")
        readable.append((f"c{i}", tuple(f"o{j}" for j in range(width))))
    body = draw(bodies(readable, draw(st.integers(1, 3))))
    return f"with {', '.join(ctes)} {body}" if ctes else body


@st.composite
def bodies(draw: Any, readable: list[Readable], width: int) -> str:
    first = draw(selects(readable, width))
    operator = draw(st.sampled_from(["", "", "union all", "union", "except", "intersect"]))
    return f"({first}) {operator} ({draw(selects(readable, width))})" if operator else first


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("attach ':memory:' as db; create schema db.s; set threads = 1")
        yield opened


def fill(connection: duckdb.DuckDBPyConnection, contents: Contents) -> None:
    for table, columns in TABLES.items():
        rows = ", ".join(
            f"({', '.join(f'{_sql(contents[(table, column)][i])}' for column in columns)})" for i in range(ROWS)
        )
        connection.execute(f"create or replace table db.s.{table} as from (values {rows}) as v({', '.join(columns)})")


def _sql(cell: int | None) -> str:
    return f"cast({'null' if cell is None else cell} as int)"


def outcome(connection: duckdb.DuckDBPyConnection, query: str, contents: Contents) -> list[Counter[Any]]:
    """The values of each output column, whatever their order."""
    fill(connection, contents)
    relation = connection.sql(query)
    rows = relation.fetchall()
    return [Counter(row[i] for row in rows) for i in range(len(relation.columns))]


def read_by(relation: Relation, position: int) -> frozenset[tuple[str, str]]:
    origin = relation.columns[position][1]
    columns = origin.values | {column for column, _ in origin.conditions | relation.rows}
    return frozenset((table, name) for _, table, name in columns)


contents = st.fixed_dictionaries({column: st.lists(cells, min_size=ROWS, max_size=ROWS) for column in BASE})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(query=queries(), before=contents, after=contents)
def test_nothing_outside_its_lineage_changes_a_column(
    connection: duckdb.DuckDBPyConnection, query: str, before: Contents, after: Contents
) -> None:
    relation = column_lineage(query, SCHEMAS, "db")
    expected = outcome(connection, query, before)
    unread = [frozenset(BASE) - read_by(relation, position) for position in range(len(expected))]
    for columns in sorted(set(unread) - {frozenset()}, key=sorted):
        perturbed = outcome(connection, query, {**before, **{column: after[column] for column in columns}})
        for position in (i for i, left_out in enumerate(unread) if left_out == columns):
            assert perturbed[position] == expected[position], f"o{position} changes with one of {sorted(columns)}"
