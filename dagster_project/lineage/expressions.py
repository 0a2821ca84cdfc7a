"""Origin of an expression: what gives its value, and what decides it from aside (windows, filters, subqueries)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from dagster_project.lineage.column_origins import (
    NOWHERE,
    ROWS,
    Condition,
    LineageError,
    Origin,
    Relation,
    gathered,
)
from dagster_project.lineage.prepare import DIALECT

# How a query inside an expression is read: query, CTEs, names around it.
ReadQuery = Callable[[Any, Mapping[str, Relation], "Names"], Relation]


@dataclass
class Names:
    """What a name may stand for in one SELECT.

    Attributes:
        read_query: reads a subquery.
        ctes: CTEs in sight.
        outer: names of the query around, which a subquery may use too.
        windows: definitions of the WINDOW clause.
        sources: what FROM and JOIN name, filled in their order.
        rows: conditions that FROM and JOIN set.
        projected: output columns, which ORDER BY may use.
        parameters: parameters of the lambdas around the expression.
    """

    read_query: ReadQuery
    ctes: Mapping[str, Relation]
    outer: Names | None
    windows: Mapping[str, Any] = field(default_factory=dict)
    sources: dict[str, Relation] = field(default_factory=dict)
    rows: frozenset[Condition] = frozenset()
    projected: Mapping[str, Origin] = field(default_factory=dict)
    parameters: frozenset[str] = frozenset()


def read_expression(node: Any, names: Names) -> Origin:
    """Everything that an expression reads.

    Raises:
        LineageError: a name stands for nothing known.
    """
    special = next((read for kind, read in _SPECIAL if isinstance(node, kind)), None)
    if special is not None:
        return special(node, names)
    return gathered(read_expression(child, names) for child in node.iter_expressions())


def _column(node: Any, names: Names) -> Origin:
    name, table = node.name.lower(), node.table.lower()
    if (table or name) in names.parameters:
        return NOWHERE
    scope: Names | None = names
    if not table:
        return _unqualified(node, names)
    while scope is not None and table not in scope.sources:
        scope = scope.outer
    if scope is None:
        raise LineageError(f"{node.sql(DIALECT)}: nothing is named {table}")
    relation = scope.sources[table]
    if isinstance(node.this, exp.Star):
        return relation.all_columns()
    origin = relation.origin(name)
    if origin is None:
        raise LineageError(f"{node.sql(DIALECT)}: {table} has no such column")
    return origin


def _unqualified(node: Any, names: Names) -> Origin:
    """A name that qualifying left alone: an output column, or a `using` column, which several sources bear."""
    scope: Names | None = names
    while scope is not None:
        bearers = (relation.origin(node.name) for relation in scope.sources.values() if relation.otherwise is None)
        found = [origin for origin in (scope.projected.get(node.name.lower()), *bearers) if origin is not None]
        if found:
            return gathered(found)
        scope = scope.outer
    raise LineageError(f"{node.sql(DIALECT)} stands for no column")


def _whole_row(node: Any, names: Names) -> Origin:
    return _column(exp.Column(this=exp.Star(), table=node.this.copy()), names)


def _coalesce(node: Any, names: Names) -> Origin:
    """A joined `using` column is written `coalesce(a.k, b.k)`; where `a` keeps its rows it is `a.k`, and is read so."""
    arguments = [node.this, *node.expressions]
    if len(arguments) > 1 and all(isinstance(item, exp.Column) for item in arguments):
        first = arguments[0]
        if all(item.name == first.name and _joined_to_kept(item, first.name) for item in arguments[1:]):
            return _column(first, names)
    return gathered(read_expression(item, names) for item in arguments)


def _joined_to_kept(column: Any, key: str) -> bool:
    """Whether a source is joined, inner or left, on equality of its own `key` with that of sources before it."""
    select = column.parent_select
    joins = [] if select is None else select.args.get("joins") or []
    if any(join.side in {"RIGHT", "FULL"} for join in joins):
        return False
    on = next((join.args.get("on") for join in joins if join.this.alias_or_name == column.table), None)
    equalities = on.flatten() if isinstance(on, exp.And) else [on]
    return any(
        equality.expression == column and all(side.name == key for side in equality.this.find_all(exp.Column))
        for equality in equalities
        if isinstance(equality, exp.EQ)
    )


def _window(node: Any, names: Names) -> Origin:
    framing = _framing(node)
    named = node.args.get("alias")
    if named is not None:
        if named.name.lower() not in names.windows:
            raise LineageError(f"{node.sql(DIALECT)}: no window is named {named.name}")
        framing += _framing(names.windows[named.name.lower()])
    framed = gathered(read_expression(part, names) for part in framing)
    return read_expression(node.this, names) | Origin(conditions=framed.as_conditions("window"))


def _framing(window: Any) -> list[Any]:
    order, spec = window.args.get("order"), window.args.get("spec")
    keys = [] if order is None else order.expressions
    return [*(window.args.get("partition_by") or ()), *keys, *([] if spec is None else [spec])]


def _filter(node: Any, names: Names) -> Origin:
    kept = read_expression(node.expression, names)
    return read_expression(node.this, names) | Origin(conditions=kept.as_conditions("filter"))


def _order(node: Any, names: Names) -> Origin:
    """`list(a order by b)`: the order is not in the value, and decides it."""
    keys = gathered(read_expression(key, names) for key in node.expressions)
    inner = read_expression(node.this, names) if node.this is not None else NOWHERE
    return inner | Origin(conditions=keys.as_conditions("order by"))


def _subquery(node: Any, names: Names) -> Origin:
    relation = names.read_query(node, names.ctes, names)
    return relation.all_columns() | Origin(conditions=relation.rows)


def _exists(node: Any, names: Names) -> Origin:
    """Only rows count: what the subquery selects does not."""
    if not isinstance(node.this, exp.Query):
        return gathered(read_expression(child, names) for child in node.iter_expressions())
    return Origin(conditions=names.read_query(node.this, names.ctes, names).rows)


def _lambda(node: Any, names: Names) -> Origin:
    parameters = names.parameters | {parameter.name.lower() for parameter in node.expressions}
    return read_expression(node.this, replace(names, parameters=parameters))


def _count(node: Any, names: Names) -> Origin:
    """`count(*)` reads no column, and counts the rows of all that FROM and JOIN name."""
    if not isinstance(node.this, exp.Star):
        return gathered(read_expression(child, names) for child in node.iter_expressions())
    return Origin(conditions=frozenset((column, "count(*)") for column, _ in names.rows if column[2] == ROWS))


def _refused(node: Any, _names: Names) -> Origin:
    raise LineageError(f"{node.sql(DIALECT)[:80]} cannot be followed")


_SPECIAL: tuple[tuple[Any, Callable[[Any, Names], Origin]], ...] = (
    (exp.Column, _column),
    (exp.TableColumn, _whole_row),
    (exp.Coalesce, _coalesce),
    (exp.Window, _window),
    (exp.Filter, _filter),
    (exp.Order, _order),
    (exp.Exists, _exists),
    (exp.Query, _subquery),
    (exp.Lambda, _lambda),
    (exp.Count, _count),
    ((exp.Columns, exp.Pivot), _refused),
)
