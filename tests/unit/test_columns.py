"""Edges of one query: exact value and condition edges of every clause that models use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dagster_project.lineage.column_origins import LineageError, Relation
from dagster_project.lineage.reader import column_lineage

SCHEMAS = {
    ("s", "t"): {"a": "int", "b": "int", "k": "int", "l": "int[]", "TP60": "varchar"},
    ("s", "u"): {"k": "int", "x": "int", "y": "int"},
    ("raw", "fichier"): {"CODE": "varchar", "POP": "varchar"},
}


def read(sql: str, **options: Any) -> Relation:
    return column_lineage(sql, SCHEMAS, "db", **options)


def short(column: tuple[str, str, str]) -> str:
    return f"{column[1]}.{column[2]}"


def values(sql: str, **options: Any) -> dict[str, set[str]]:
    """Value edges of each column, as `table.column`."""
    return {name: {short(c) for c in origin.values} for name, origin in read(sql, **options).columns}


def rows(sql: str, **options: Any) -> set[str]:
    """Conditions of all columns, as `clause: table.column`."""
    return {f"{clause}: {short(column)}" for column, clause in read(sql, **options).rows}


def own(sql: str) -> dict[str, set[str]]:
    """Conditions of each column alone, where there are some."""
    found = {
        name: {f"{clause}: {short(column)}" for column, clause in origin.conditions}
        for name, origin in read(sql).columns
    }
    return {name: conditions for name, conditions in found.items() if conditions}


def constants(sql: str) -> Mapping[str, set[str]]:
    return {name: set(origin.constants) for name, origin in read(sql).columns}


def test_a_column_copied_renamed_and_computed() -> None:
    sql = 'select k, "TP60" as taux, try_cast("TP60" as double) / nullif(b, 0) as rapport from db.s.t'
    assert values(sql) == {"k": {"t.k"}, "taux": {"t.TP60"}, "rapport": {"t.TP60", "t.b"}}
    assert rows(sql) == {"from: t.*"}
    assert own(sql) == {}


def test_the_schema_of_a_column_is_given() -> None:
    assert dict(read("select x from db.s.u").columns)["x"].values == {("s", "u", "x")}


def test_a_constant_is_named_by_its_text() -> None:
    sql = "select 'QPV' as niveau, cast(null as double) as vide, 1 + 1 as deux from db.s.t"
    assert constants(sql) == {"niveau": {"'QPV'"}, "vide": {"CAST(NULL AS DOUBLE)"}, "deux": {"1 + 1"}}
    assert values(sql) == {"niveau": set(), "vide": set(), "deux": set()}


def test_a_literal_beside_a_column_is_not_the_origin_of_the_column() -> None:
    assert constants("select coalesce(a, 0) as c from db.s.t") == {"c": set()}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select a from db.s.t where b > 1", {"where: t.b"}),
        ("select max(a) as m from db.s.t group by k", {"group by: t.k"}),
        ("select k, max(a) as m from db.s.t group by all", {"group by: t.k"}),
        ("select 'c' as c, k + b as s, count(*) as n from db.s.t group by all", {"group by: t.k", "group by: t.b"}),
        ("select max(a) as m from db.s.t group by rollup (k, b)", {"group by: t.k", "group by: t.b"}),
        ("select max(a) as m from db.s.t having count(b) > 1", {"having: t.b"}),
        ("select a from db.s.t qualify rank() over (partition by k order by b) = 1", {"window: t.k", "window: t.b"}),
        ("select distinct a, b from db.s.t", {"distinct: t.a", "distinct: t.b"}),
        ("select distinct on (k) a from db.s.t order by b", {"distinct: t.k", "order by: t.b"}),
        ("select a from db.s.t order by b limit 3", {"order by: t.b"}),
        ("select a from db.s.t order by all limit 3", {"order by: t.a"}),
        ("select a as z from db.s.t order by z limit 3", {"order by: t.a"}),
        ("select a from db.s.t limit (select max(x) from db.s.u)", {"limit: u.x", "from: u.*"}),
        ("select a from db.s.t order by b", set()),
        ("select a, unnest(l) as e from db.s.t", {"unnest: t.l"}),
        ("select a, q.e from db.s.t, unnest(t.l) as q(e)", {"unnest: t.l"}),
        ("select a from db.s.t, unnest(l) as q(e) where e > 1", {"unnest: t.l", "where: t.l"}),
        ("select a as z from db.s.t where z > 1", {"where: t.a"}),
    ],
)  # fmt: skip
def test_each_clause_that_decides_of_rows(sql: str, expected: set[str]) -> None:
    assert rows(sql) == {"from: t.*"} | expected


@pytest.mark.parametrize(
    ("join", "expected"),
    [
        ("inner join db.s.u on t.k = u.k and u.x > 1", {"join: u.*", "join: t.k", "join: u.k", "join: u.x"}),
        ("left join db.s.u using (k)", {"join: u.*", "join: t.k", "join: u.k"}),
        ("natural join db.s.u", {"join: u.*", "join: t.k", "join: u.k"}),
        ("asof join db.s.u on t.k >= u.k", {"join: u.*", "join: t.k", "join: u.k"}),
        ("semi join db.s.u using (k)", {"semi join: u.*", "semi join: t.k", "semi join: u.k"}),
        ("anti join db.s.u on t.k = u.x", {"anti join: u.*", "anti join: t.k", "anti join: u.x"}),
        ("cross join db.s.u", {"join: u.*"}),
        (", db.s.u where t.k = u.k", {"join: u.*", "where: t.k", "where: u.k"}),
    ],
)
def test_each_kind_of_join(join: str, expected: set[str]) -> None:
    assert rows(f"select t.a from db.s.t {join}") == {"from: t.*"} | expected


def test_a_joined_key_in_a_clause_comes_from_every_side() -> None:
    sql = "select t.a, count(*) as n from db.s.t join db.s.u using (k) group by t.a having max(k) > 1"
    assert {"having: t.k", "having: u.k"} <= rows(sql)


def test_a_joined_key_comes_from_the_side_that_keeps_its_rows() -> None:
    assert values("select k from db.s.t left join db.s.u using (k)") == {"k": {"t.k"}}
    assert values("select k from db.s.t join db.s.u using (k) join db.s.u as v using (k)") == {"k": {"t.k"}}
    assert values("select k from db.s.t full join db.s.u using (k)") == {"k": {"t.k", "u.k"}}
    assert values("select coalesce(t.k, u.x) as k from db.s.t join db.s.u on t.k = u.x") == {"k": {"t.k", "u.x"}}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("k in (select x from db.s.u where y > 1)", {"where: t.k", "where: u.x", "where: u.y", "from: u.*"}),
        ("exists (select y from db.s.u where u.k = t.k)", {"where: u.k", "where: t.k", "from: u.*"}),
        ("not exists (from db.s.u)", {"from: u.*"}),
        ("k = (select max(x) from db.s.u)", {"where: t.k", "where: u.x", "from: u.*"}),
        ("k > any (select x from db.s.u)", {"where: t.k", "where: u.x", "from: u.*"}),
        ("b = 1 and (k in (select x from db.s.u))", {"where: t.b", "where: t.k", "where: u.x", "from: u.*"}),
    ],
)  # fmt: skip
def test_subqueries_of_conditions(condition: str, expected: set[str]) -> None:
    assert rows(f"select a from db.s.t where {condition}") == {"from: t.*"} | expected


def test_windows_filters_and_orders_decide_of_their_column_alone() -> None:
    sql = """
        select
            max(a) filter (where b = 1) as filtre,
            list(a order by k) as rangee,
            sum(a) filter (where b = 1) over (partition by k) as somme,
            lag(a) over (partition by k order by b) as precedent,
            row_number() over (order by b) as rang,
            lag(a) over fenetre as nomme,
            case when b = 1 then a end as cas
        from db.s.t
        window fenetre as (partition by k order by b)
    """
    assert own(sql) == {
        "filtre": {"filter: t.b"},
        "rangee": {"order by: t.k"},
        "somme": {"filter: t.b", "window: t.k"},
        "precedent": {"window: t.k", "window: t.b"},
        "rang": {"window: t.b"},
        "nomme": {"window: t.k", "window: t.b"},
    }
    assert values(sql) == {
        **{name: {"t.a"} for name in ("filtre", "rangee", "somme", "precedent", "nomme")},
        "rang": set(),
        "cas": {"t.a", "t.b"},
    }
    assert rows(sql) == {"from: t.*"}


def test_counting_rows_reads_the_rows_of_every_source() -> None:
    sql = "with v as (select k from db.s.u where y = 1) select count(*) as n from db.s.t cross join v"
    assert own(sql) == {"n": {"count(*): t.*", "count(*): u.*"}}
    assert rows(sql) == {"from: t.*", "from: u.*", "where: u.y"}


def test_a_scalar_subquery_gives_a_value_and_decides_of_it_alone() -> None:
    sql = "select a, (select max(x) from db.s.u where u.k = t.k) as m from db.s.t"
    assert values(sql) == {"a": {"t.a"}, "m": {"u.x"}}
    assert own(sql) == {"m": {"from: u.*", "where: u.k", "where: t.k"}}
    assert rows(sql) == {"from: t.*"}


def test_conditions_pass_through_ctes_subqueries_and_unions() -> None:
    sql = """
        with garde as (select k, a, max(b) filter (where a > 0) as m from db.s.t where b > 1 group by all),
        uni as (
            select k, m from garde
            union all
            select x, y from db.s.u where y > 1
        )
        select m from (select * from uni where k = 1) as dedans
    """
    assert values(sql) == {"m": {"t.b", "u.y"}}
    assert own(sql) == {"m": {"filter: t.a"}}
    assert rows(sql) == {
        "from: t.*", "where: t.b", "group by: t.k", "group by: t.a", "where: t.k",
        "from: u.*", "where: u.y", "where: u.x",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("operator", "left_only", "expected"),
    [
        ("union all", False, set()),
        ("union", False, {"union: t.a", "union: t.b", "union: u.x", "union: u.y"}),
        ("except", True, {"except: t.a", "except: t.b", "except: u.x", "except: u.y"}),
        ("intersect", True, {"intersect: t.a", "intersect: t.b", "intersect: u.x", "intersect: u.y"}),
    ],
)
def test_set_operations_gather_by_position(operator: str, left_only: bool, expected: set[str]) -> None:
    sql = f"select a, b from db.s.t {operator} select x, y from db.s.u"
    right = (set(), set()) if left_only else ({"u.x"}, {"u.y"})
    assert values(sql) == {"a": {"t.a"} | right[0], "b": {"t.b"} | right[1]}
    assert rows(sql) == {"from: t.*", "from: u.*"} | expected


def test_a_union_by_name_gathers_by_name() -> None:
    sql = "select k, a from db.s.t union all by name select x as a, k from db.s.u"
    assert values(sql) == {"k": {"t.k", "u.k"}, "a": {"t.a", "u.x"}}


def test_a_union_with_a_literal_has_both_origins() -> None:
    sql = "select k from db.s.t union all select 'ENSEMBLE'"
    assert values(sql) == {"k": {"t.k"}}
    assert constants(sql) == {"k": {"'ENSEMBLE'"}}


def test_an_inner_order_counts_where_a_list_may_follow_it() -> None:
    assert rows("with r as (select a, b from db.s.t order by k) select list(a) as l from r") == {
        "from: t.*",
        "order by: t.k",
    }


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("*", ["a", "b", "k", "l", "tp60"]),
        ("* exclude (l, b)", ["a", "k", "tp60"]),
        ("columns('^[ab]$')", ["a", "b"]),
        ("columns(* exclude (l, k))", ["a", "b", "tp60"]),
        ("max(columns(* exclude (l, k)))", ["a", "b", "tp60"]),
    ],
)
def test_stars_are_spelt_out(select: str, expected: list[str]) -> None:
    found = values(f"select {select} from db.s.t")
    assert list(found) == expected
    assert all(found[name] == {f"t.{'TP60' if name == 'tp60' else name}"} for name in expected)


def test_a_replaced_column_of_a_star_comes_from_its_expression() -> None:
    assert values("select * exclude (l, k, b) replace (b + 1 as a) from db.s.t")["a"] == {"t.b"}


def test_lambdas_read_what_they_take_from_outside() -> None:
    sql = "select list_filter(l, lambda e: e > a) as g, list_transform(l, lambda k: k + 1) as h from db.s.t"
    assert values(sql) == {"g": {"t.l", "t.a"}, "h": {"t.l"}}


def test_a_lateral_subquery_reads_the_table_beside_it() -> None:
    sql = "select t.a, z.x from db.s.t, lateral (select u.x from db.s.u where u.k = t.k) as z"
    assert values(sql) == {"a": {"t.a"}, "x": {"u.x"}}
    assert rows(sql) == {"from: t.*", "from: u.*", "where: u.k", "where: t.k"}


def test_a_literal_list_of_rows_is_constant() -> None:
    assert constants("select v.z from (values (1), (2)) as v(z)") == {"z": {"1", "2"}}
    assert constants("select r.n from range(3) as r(n)") == {"n": {"RANGE(0, 3)"}}


def test_a_recursive_query_settles() -> None:
    sql = """
        with recursive suite as (
            select k, 1 as rang, b from db.s.t
            union all
            select u.x, rang + 1, u.y from suite join db.s.u on suite.k = u.k where rang < 3
        )
        select k, rang from suite
    """
    assert values(sql) == {"k": {"t.k", "u.x"}, "rang": set()}
    assert rows(sql) == {"from: t.*", "join: u.*", "join: t.k", "join: u.x", "join: u.k"}


@pytest.mark.parametrize(
    "source", ["'/somewhere/raw/fichier.parquet'", "read_parquet('/somewhere/raw/fichier.parquet')"]
)
def test_a_parquet_file_is_the_relation_it_is_declared_to_be(source: str) -> None:
    files = {"fichier": ("raw", "fichier")}
    sql = f'select "CODE" as code, f."POP" from {source} as f'
    assert values(sql, files=files) == {"code": {"fichier.CODE"}, "pop": {"fichier.POP"}}
    assert rows(sql, files=files) == {"from: fichier.*"}


UNPIVOT = """
    with large as (
        unpivot (select * exclude (l) from db.s.t semi join db.s.u using (k))
        on columns(* exclude (k)) into name nom value cellule
    )
    select k, nom, cellule from large where nom in (select 'a')
"""


def test_unpivot_reads_its_columns_and_keeps_rows_where_they_are_not_null() -> None:
    assert values(UNPIVOT) == {"k": {"t.k"}, "nom": set(), "cellule": {"t.a", "t.b", "t.TP60"}}
    assert constants(UNPIVOT)["nom"] == {"UNPIVOT NAME nom"}
    assert rows(UNPIVOT) == {
        "from: t.*", "semi join: u.*", "semi join: t.k", "semi join: u.k",
        "unpivot: t.a", "unpivot: t.b", "unpivot: t.TP60",
    }  # fmt: skip


def test_unpivot_reads_only_the_columns_whose_rows_the_caller_knows_to_be_kept() -> None:
    assert values(UNPIVOT, unpivoted={"tp60", "A"})["cellule"] == {"t.a", "t.TP60"}
    assert {c for c in rows(UNPIVOT, unpivoted={"a"}) if "unpivot" in c} == {"unpivot: t.a"}
    assert values(UNPIVOT, unpivoted=())["cellule"] == set()


def test_unpivot_of_a_table_by_the_names_of_its_columns() -> None:
    sql = "unpivot db.s.u on x, y into name nom value cellule"
    assert values(sql) == {"k": {"u.k"}, "nom": set(), "cellule": {"u.x", "u.y"}}


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select from where (", "sqlglot cannot read it"),
        ("select a from db.s.absent", "s.absent, which is not among its declared parents"),
        ("select a from nulle_part", "nulle_part, which is neither a CTE nor a relation"),
        ("select absente from db.s.t", "absente stands for no column"),
        ("select a from '/x/inconnu.parquet'", "inconnu.parquet, which is not one of the declared sources"),
        ("select a from read_parquet(['/x/a.parquet'])", "only one literal path"),
        ("select a from db.s.t using sample 3", "sample"),
        ("pivot db.s.t on a using sum(b)", "Pivot"),
        ("create table x as select 1", "not a query"),
        ("select lag(a) over absente as p from db.s.t", "no window is named absente"),
    ],
)
def test_what_cannot_be_followed_is_refused(sql: str, reason: str) -> None:
    with pytest.raises(LineageError, match=reason):
        read(sql)
