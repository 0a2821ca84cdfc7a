"""Edges of one query: for each of its columns, the columns of relations that give its value and decide its rows.

Scopes are read from the inside out, each once: a scope becomes a `Relation`, which the scopes that read it ask for the
origins of its columns. A clause that is not known here is refused, never skipped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from dagster_project.lineage.column_origins import (
    NOWHERE,
    ROWS,
    Condition,
    LineageError,
    Origin,
    Relation,
    Schemas,
    Table,
    gathered,
)
from dagster_project.lineage.expressions import Names, read_expression
from dagster_project.lineage.prepare import DIALECT, UNPIVOT, prepare

SELECT_PARTS = {
    "with_", "kind", "expressions", "distinct", "from_", "laterals", "joins", "where", "group", "having", "qualify",
    "windows", "order", "limit", "offset", "operation_modifiers",
}  # fmt: skip
TABLE_PARTS = {"this", "db", "catalog", "alias"}
ROUNDS = 10


def column_lineage(
    sql: str,
    schemas: Schemas,
    catalog: str,
    files: Mapping[str, Table] | None = None,
    unpivoted: Collection[str] | None = None,
) -> Relation:
    """Origins of each output column of a query, and the conditions that hold for all of them.

    Args:
        sql: one compiled SELECT.
        schemas: columns of every relation that the query may read.
        catalog: name of the database that prefixes relations in the SQL.
        files: relation that each Parquet file stands for, by the file's stem.
        unpivoted: columns that matter among those an UNPIVOT reads (see `prepare`).

    Returns:
        Output columns in order, in lower case; upstream columns are spelt as their relation spells them.

    Raises:
        LineageError: the query cannot be read, or not entirely.
    """
    return read_query(prepare(sql, schemas, catalog, files, unpivoted), schemas)


def read_query(query: exp.Query, schemas: Schemas) -> Relation:
    """The same, for a query that `prepare` returned."""
    return _Reader(schemas).query(query, {}, None, is_root=True)


@dataclass
class _Reader:
    schemas: Schemas
    read_tables: dict[Table, Relation] = field(default_factory=dict)

    def query(self, node: Any, ctes: Mapping[str, Relation], outer: Names | None, *, is_root: bool = False) -> Relation:
        if isinstance(node, exp.Subquery):
            _refuse_others(node, {"this", "alias", "with_", "order", "limit", "offset"})
            inner = self.query(node.this, self._with(node, ctes, outer), outer, is_root=is_root)
            return self._ordered(node, inner, Names(self.query, ctes, outer), is_root=is_root)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, self._with(node, ctes, outer), outer, is_root=is_root)
        if isinstance(node, exp.Select):
            return self._select(node, self._with(node, ctes, outer), outer, is_root=is_root)
        raise LineageError(f"{type(node).__name__} is not a query that can be followed: {node.sql(DIALECT)[:80]}")

    def _with(self, node: Any, ctes: Mapping[str, Relation], outer: Names | None) -> Mapping[str, Relation]:
        known = dict(ctes)
        for cte in node.ctes:
            name = cte.alias.lower()
            recursive = node.args["with_"].args.get("recursive") and isinstance(cte.this, exp.SetOperation)
            read = self._recursive(name, cte.this, known, outer) if recursive else self.query(cte.this, known, outer)
            known[name] = read.renamed(column.name for column in cte.args["alias"].args.get("columns") or ())
        return known

    def _recursive(self, name: str, node: Any, ctes: Mapping[str, Relation], outer: Names | None) -> Relation:
        """Start from the first branch, and read again until nothing is added."""
        known = self.query(node.this, ctes, outer)
        for _ in range(ROUNDS):
            read = self.query(node, {**ctes, name: known}, outer)
            if read == known:
                return known
            known = read
        raise LineageError(f"the recursive query {name} does not settle")

    def _select(self, select: Any, ctes: Mapping[str, Relation], outer: Names | None, *, is_root: bool) -> Relation:
        _refuse_others(select, SELECT_PARTS)
        names = Names(self.query, ctes, outer, windows={w.name.lower(): w for w in select.args.get("windows") or ()})
        rows = names.rows = self._sources(select, names)
        columns = tuple((item.alias_or_name.lower(), _projection(item, names)) for item in select.expressions)
        names.projected = dict(columns)
        if UNPIVOT in select.meta:
            columns, cells = _unpivoted(select, columns)
            rows |= cells
        else:
            rows |= self._decided_by(select.args.get("where"), "where", names)
        for clause, label in (("group", "group by"), ("having", "having"), ("qualify", "qualify")):
            rows |= self._decided_by(select.args.get(clause), label, names)
        for item in select.expressions:
            for unnested in item.find_all(exp.Explode, exp.Unnest):
                if unnested.parent_select is select:
                    rows |= self._decided_by(unnested, "unnest", names)
        rows |= self._distinct(select.args.get("distinct"), columns, names)
        return self._ordered(select, Relation(columns, rows), names, is_root=is_root)

    def _distinct(self, distinct: Any, columns: tuple[tuple[str, Origin], ...], names: Names) -> frozenset[Condition]:
        if distinct is None:
            return frozenset()
        if distinct.args.get("on"):
            return self._decided_by(distinct, "distinct", names)
        return gathered(origin for _, origin in columns).as_conditions("distinct")

    def _ordered(self, node: Any, relation: Relation, names: Names, *, is_root: bool) -> Relation:
        """The order of rows decides something where rows are cut off, or where a scope above may depend on it."""
        order, distinct = node.args.get("order"), node.args.get("distinct")
        first_of_each = isinstance(distinct, exp.Distinct) and distinct.args.get("on")
        cut = node.args.get("limit") or node.args.get("offset") or first_of_each
        rows = relation.rows
        for part in ("limit", "offset"):
            rows |= self._decided_by(node.args.get(part), "limit", names)
        if order is not None and (cut or not is_root):
            names.projected = dict(relation.columns)
            everything = any(isinstance(key.this, exp.Var) and key.this.name.upper() == "ALL" for key in order)
            read = relation.all_columns() if everything else read_expression(order, names)
            rows |= read.as_conditions("order by")
        return Relation(relation.columns, rows, relation.otherwise)

    def _set_operation(
        self, node: Any, ctes: Mapping[str, Relation], outer: Names | None, *, is_root: bool
    ) -> Relation:
        left, right = (self.query(side, ctes, outer) for side in (node.this, node.expression))
        label = node.key
        rows = left.rows | right.rows
        if node.args.get("by_name"):
            named = list(dict.fromkeys([*left.names, *right.names]))
            pairs = [(name, left.origin(name) or NOWHERE, right.origin(name) or NOWHERE) for name in named]
        else:
            if len(left.columns) != len(right.columns):
                raise LineageError(f"{label}: branches have {len(left.columns)} and {len(right.columns)} columns")
            pairs = [(name, a, b) for (name, a), (_, b) in zip(left.columns, right.columns, strict=True)]
        if node.args.get("distinct") or not isinstance(node, exp.Union):
            rows |= (left.all_columns() | right.all_columns()).as_conditions(label)
        kept_right = isinstance(node, exp.Union)
        columns = tuple((name, a | b if kept_right else a) for name, a, b in pairs)
        return self._ordered(node, Relation(columns, rows), Names(self.query, ctes, outer), is_root=is_root)

    def _decided_by(self, clause: Any, label: str, names: Names) -> frozenset[Condition]:
        return frozenset() if clause is None else read_expression(clause, names).as_conditions(label)

    def _sources(self, select: Any, names: Names) -> frozenset[Condition]:
        """Read what FROM and JOIN name; the conditions that they set."""
        rows: frozenset[Condition] = frozenset()
        if select.args.get("from_") is not None:
            rows |= self._source(select.args["from_"].this, "from", names)
        for join in select.args.get("joins") or ():
            kind = (join.args.get("kind") or "").lower()
            label = f"{kind} join" if kind in {"semi", "anti"} else "join"
            rows |= self._source(join.this, label, names)
            rows |= self._decided_by(join.args.get("on"), label, names)
            if join.args.get("using") or join.args.get("match_condition"):
                raise LineageError(f"a join that could not be spelt out: {join.sql(DIALECT)}")
        for lateral in select.args.get("laterals") or ():
            rows |= self._source(lateral, "join", names)
        return rows

    def _source(self, node: Any, label: str, names: Names) -> frozenset[Condition]:
        relation, rows = self._relation(node, label, names)
        alias = node.args.get("alias")
        if alias is not None and alias.args.get("columns"):
            relation = relation.renamed(column.name for column in alias.args["columns"])
        if node.alias_or_name.lower() in names.sources:
            raise LineageError(f"two sources bear the name {node.alias_or_name}")
        names.sources[node.alias_or_name.lower()] = relation
        return rows

    def _relation(self, node: Any, label: str, names: Names) -> tuple[Relation, frozenset[Condition]]:
        if isinstance(node, exp.Lateral):
            return self._relation(node.this, label, names)
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            _refuse_others(node, TABLE_PARTS)
            return self._table(node, label, names.ctes)
        if isinstance(node, exp.Query):
            relation = self.query(node, names.ctes, names)
            return relation, relation.rows
        if isinstance(node, exp.Values):
            return _values(node, names), frozenset()
        if isinstance(node, exp.Table | exp.Unnest):
            arguments = node if isinstance(node, exp.Unnest) else node.this
            read = read_expression(arguments, names)
            read = read if read != NOWHERE else Origin(constants=frozenset({arguments.sql(DIALECT)}))
            return Relation(otherwise=read), read.as_conditions("unnest")
        raise LineageError(f"{type(node).__name__} cannot be followed: {node.sql(DIALECT)[:80]}")

    def _table(self, node: Any, label: str, ctes: Mapping[str, Relation]) -> tuple[Relation, frozenset[Condition]]:
        if not node.db:
            if node.name.lower() not in ctes:
                raise LineageError(f"reads {node.name}, which is neither a CTE nor a relation of the project")
            relation = ctes[node.name.lower()]
            return relation, relation.rows
        table = (node.db, node.name)
        if table not in self.schemas:
            raise LineageError(f"reads {'.'.join(table)}, which is not among its declared parents")
        if table not in self.read_tables:
            columns = ((name, Origin(frozenset({(*table, name)}))) for name in self.schemas[table])
            self.read_tables[table] = Relation(tuple(columns))
        return self.read_tables[table], frozenset({((*table, ROWS), label)})


def _projection(item: Any, names: Names) -> Origin:
    """Origin of one output column; what reads nothing is named by its text."""
    read = read_expression(item, names)
    return read if read != NOWHERE else Origin(constants=frozenset({item.unalias().sql(DIALECT)}))


def _unpivoted(
    select: Any, columns: tuple[tuple[str, Origin], ...]
) -> tuple[tuple[tuple[str, Origin], ...], frozenset[Condition]]:
    """The name column is a constant of the query; rows are there where cells are."""
    unpivot = select.meta[UNPIVOT]
    name, values = unpivot["name"].lower(), {value.lower() for value in unpivot["values"]}
    constant = Origin(constants=frozenset({f"UNPIVOT NAME {name}"}))
    cells = gathered(origin for known, origin in columns if known in values)
    named = tuple((known, constant if known == name else origin) for known, origin in columns)
    return named, cells.as_conditions("unpivot")


def _values(node: Any, names: Names) -> Relation:
    width = len(node.expressions[0].expressions)
    columns = [gathered(_projection(row.expressions[i], names) for row in node.expressions) for i in range(width)]
    return Relation(tuple((f"col{i}", origin) for i, origin in enumerate(columns)))


def _refuse_others(node: Any, known: set[str]) -> None:
    """Refuse a query with a clause that is not read here: leaving it out would lose edges in silence."""
    others = sorted(name for name, value in node.args.items() if value and name not in known)
    if others:
        raise LineageError(f"{type(node).__name__} has parts that are not followed ({', '.join(others)})")
