"""The part of a query that makes one column: the chain of CTEs reduced to the expressions that it needs.

A slice is SQL that runs, and gives the column as the whole query does; a test runs each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.journal import Journal, revert
from sqlglot.optimizer.pushdown_projections import projection_reachability, prune_projections

from dagster_project.lineage.column_origins import Schemas
from dagster_project.lineage.prepare import DIALECT, UNPIVOT

LAYOUT: Any = {"pretty": True, "indent": 1, "pad": 1, "max_text_width": 110}
UNPIVOT_SOURCE = "unpivoted"
PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def column_slices(query: exp.Query, schemas: Schemas) -> Iterator[tuple[str, str]]:
    """Each output column of a query, in lower case, and the SQL that makes it.

    Columns that only exist together (`select distinct`) are kept together.

    Args:
        query: what `prepare` returned; left as it is.
        schemas: columns of the relations that it reads, for their spelling.
    """
    spelling = {name.lower(): name for columns in schemas.values() for name in columns if name != name.lower()}
    query = query.copy()
    if not (query.args.get("limit") or query.args.get("offset")):
        query.set("order", None)
    _forget_positions(query)
    reachable = projection_reachability(query)
    for position, name in enumerate(query.named_selects):
        journal: Journal = []
        prune_projections(reachable, root=position, journal=journal)
        yield name.lower(), _plain(query.copy(), spelling).sql(DIALECT, copy=False, **LAYOUT)
        revert(journal)


def _forget_positions(query: Any) -> None:
    """Drop where each name stood in the text: most of the time of a copy goes into that, and a slice has no text."""
    for node in query.walk():
        node.comments = node.comments or None  # a list costs a copy, even empty
        if node.meta_get(UNPIVOT) is None:
            node._meta = None  # reading `meta` would make an empty one, copied as dearly


def _plain(query: Any, spelling: Mapping[str, str]) -> Any:
    """Without what qualifying added: aliases that repeat a name, the database, the source where there is one only."""
    for select in list(query.find_all(exp.Select)):
        if select.meta_get(UNPIVOT) is not None:
            _spell_unpivot(select)
    for select in query.find_all(exp.Select):
        sources = [select.args["from_"].this] if select.args.get("from_") else []
        sources += [join.this for join in select.args.get("joins") or ()]
        if len(sources) == 1 and _unambiguous(select):
            for column in select.find_all(exp.Column):
                if column.parent_select is select:
                    column.set("table", None)
        select.set("expressions", [_unaliased(projection) for projection in select.expressions])
    for table in query.find_all(exp.Table):
        table.set("catalog", None)
        if table.alias == table.name:
            table.set("alias", None)
    for identifier in query.find_all(exp.Identifier):
        name = spelling.get(identifier.name.lower(), identifier.name)
        identifier.set("this", name)
        identifier.set("quoted", PLAIN_NAME.fullmatch(name) is None)
    return query


def _spell_unpivot(select: Any) -> None:
    """Put back the statement for which a SELECT stands, its columns named one by one."""
    marks = select.meta[UNPIVOT]
    source = select.args["from_"].this
    if isinstance(source, exp.Subquery):  # in a CTE: sqlglot writes columns inside an UNPIVOT without their table
        select.with_(UNPIVOT_SOURCE, as_=source.this, copy=False)
        source = exp.to_table(UNPIVOT_SOURCE)
    pivot = exp.Pivot(
        this=source,
        unpivot=True,
        expressions=[exp.column(name) for name in marks["columns"]],
        into=exp.UnpivotColumns(this=exp.column(marks["name"]), expressions=[exp.column(v) for v in marks["values"]]),
    )
    select.set("expressions", [exp.column(projection.alias_or_name) for projection in select.expressions])
    select.set("from_", exp.From(this=exp.Subquery(this=pivot)))
    select.set("where", None)


def _unambiguous(select: Any) -> bool:
    """Whether names stay clear without their source: no query inside, no computed column named as one that is read."""
    if any(
        inner is not select for inner in select.find_all(exp.Select) if inner.find_ancestor(exp.CTE, exp.From) is None
    ):
        return False
    read = {column.name for column in select.find_all(exp.Column) if column.parent_select is select}
    return not any(
        isinstance(item, exp.Alias) and not isinstance(item.this, exp.Column) and item.alias in read
        for item in select.expressions
    )


def _unaliased(projection: Any) -> Any:
    if isinstance(projection, exp.Alias) and isinstance(projection.this, exp.Column):
        return projection.this if projection.alias == projection.this.name else projection
    return projection
