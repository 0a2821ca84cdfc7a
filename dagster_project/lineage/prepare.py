"""A query made ready to be followed: files as tables, UNPIVOT as a SELECT, every star, name and group spelt out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify

from dagster_project.lineage.column_origins import LineageError, Schemas, Table

DIALECT = "duckdb"
# Marks, on the SELECT that stands for an UNPIVOT, the name and value columns.
UNPIVOT = "unpivot"


def prepare(
    sql: str,
    schemas: Schemas,
    catalog: str,
    files: Mapping[str, Table] | None = None,
    unpivoted: Collection[str] | None = None,
) -> exp.Query:
    """The query with every column qualified by its source.

    Args:
        sql: one compiled SELECT.
        schemas: columns of every relation that the query may read.
        catalog: name of the database that prefixes relations in the SQL.
        files: relation that each Parquet file stands for, by the file's stem.
        unpivoted: columns that matter among those an UNPIVOT reads; None for all. The caller knows that the query
            drops the rows of the others.

    Raises:
        LineageError: the query cannot be read, or reads what is not in `schemas` nor `files`.
    """
    wanted = None if unpivoted is None else {name.lower() for name in unpivoted}
    try:
        query = parse_one(sql, dialect=DIALECT)
        _name_files(query, catalog, files or {})
        nested = _nested(schemas, catalog)
        query = _spell_unpivots(query, nested, wanted)
        _spell_columns_star(query, nested)
        query = _qualified(query, nested)
    except SqlglotError as error:
        raise LineageError(f"sqlglot cannot read it: {error}") from error
    if not isinstance(query, exp.Query):
        raise LineageError(f"{type(query).__name__} is not a query")
    _spell_groups(query)
    return query


def _nested(schemas: Schemas, catalog: str) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for (schema, table), columns in schemas.items():
        nested.setdefault(schema, {})[table] = dict(columns)
    return {catalog: nested}


def _qualified(query: Any, nested: dict[str, Any]) -> Any:
    return qualify(query, dialect=DIALECT, schema=nested, validate_qualify_columns=False, quote_identifiers=False)


def _name_files(query: Any, catalog: str, files: Mapping[str, Table]) -> None:
    """`from '/folder/name.parquet'`, or `read_parquet` of it, becomes the relation that the file is."""
    for table in list(query.find_all(exp.Table)):
        path = _path(table)
        if path is None:
            continue
        stem = PurePath(path).stem
        if stem not in files:
            raise LineageError(f"reads the file {stem}.parquet, which is not one of the declared sources")
        schema, name = files[stem]
        named = exp.table_(name, db=schema, catalog=catalog, quoted=True)
        named.set("alias", table.args.get("alias"))
        table.replace(named)


def _path(table: Any) -> str | None:
    if isinstance(table.this, exp.ReadParquet):
        (path, *more) = table.this.expressions
        if more or not path.is_string:
            raise LineageError(f"{table.this.sql(DIALECT)}: only one literal path can be followed")
        return str(path.this)
    return table.name if table.name.endswith(".parquet") else None


def _spell_unpivots(query: Any, nested: dict[str, Any], wanted: set[str] | None) -> Any:
    """`unpivot t on a, b into name n value v` becomes a SELECT that reads what it reads.

    A row exists where its cell is not null: that is the condition written in the WHERE clause.
    """
    for pivot in [node for node in query.find_all(exp.Pivot) if node.args.get("into")]:
        names = _output_names(exp.select("*").from_(_source(pivot.this)), pivot, nested)
        read = list(dict.fromkeys(_unpivoted(pivot.expressions, names)))
        kept = [name for name in names if name not in read]
        read = [name for name in read if wanted is None or name in wanted]
        into = pivot.args["into"]
        values = [column.name for column in into.expressions]
        cells = exp.func("coalesce", *map(_column, read), exp.null()) if read else exp.null()
        select = exp.select(
            *map(_column, kept),
            exp.alias_(exp.Literal.string("unpivot name"), into.this.name),
            *(exp.alias_(cells.copy(), value) for value in values),
        ).from_(_source(pivot.this))
        select = select.where(cells.copy().is_(exp.null()).not_())
        select.meta[UNPIVOT] = {"name": into.this.name, "values": values, "columns": read}
        if pivot.parent is None:
            return select
        pivot.replace(select)
    return query


def _source(node: Any) -> Any:
    """What an UNPIVOT reads, as something a SELECT may read."""
    source = node.copy()
    if isinstance(source, exp.Subquery) and not source.alias:
        source = exp.alias_(source, "_unpivot", table=True)
    return source


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))


def _unpivoted(expressions: Collection[Any], names: list[str]) -> Iterator[str]:
    for expression in expressions:
        if isinstance(expression, exp.Columns):
            yield from _matching(expression, names)
        else:
            yield from (column.name.lower() for column in expression.find_all(exp.Column))


def _matching(columns: Any, names: list[str]) -> list[str]:
    """Names that `columns(* exclude (…))` or `columns('regex')` stands for."""
    pattern = columns.this
    if isinstance(pattern, exp.Star) and not (pattern.args.get("replace") or pattern.args.get("rename")):
        excluded = {column.name.lower() for column in pattern.args.get("except_") or ()}
        return [name for name in names if name not in excluded]
    if pattern.is_string:
        return [name for name in names if re.search(pattern.this, name, re.IGNORECASE)]
    raise LineageError(f"{columns.sql(DIALECT)}: only a star or a literal pattern can be followed")


def _spell_columns_star(query: Any, nested: dict[str, Any]) -> None:
    """`select max(columns(* exclude (k)))` becomes one projection per column."""
    for select in query.find_all(exp.Select):
        projections = []
        for projection in select.expressions:
            columns = projection.find(exp.Columns)
            if columns is None or columns.find_ancestor(exp.Select) is not select:
                projections.append(projection)
                continue
            everything = exp.Select(**{part: _copied(select.args.get(part)) for part in ("from_", "joins", "laterals")})
            names = _output_names(everything.select("*"), select, nested)
            projections += [_with_column(projection, name) for name in _matching(columns, names)]
        select.set("expressions", projections)


def _copied(part: Any) -> Any:
    return [item.copy() for item in part] if isinstance(part, list) else part and part.copy()


def _with_column(projection: Any, name: str) -> Any:
    copied = projection.copy()
    columns: Any = copied.find(exp.Columns)
    if columns is copied:
        return _column(name)
    columns.replace(_column(name))
    return exp.alias_(copied, name, quoted=True)


def _output_names(query: Any, place: Any, nested: dict[str, Any]) -> list[str]:
    """Names of the columns of a query that stands at a place, where the CTEs above and before it are known."""
    known = query.copy()
    for ctes in _ctes_before(place):
        known.set("with_", exp.With(expressions=[*(cte.copy() for cte in ctes), *known.ctes]))
    names: list[str] = _qualified(known, nested).named_selects
    return names


def _ctes_before(place: Any) -> Iterator[list[Any]]:
    node: Any = place
    while node is not None:
        if isinstance(node, exp.CTE):
            holder: Any = node.parent
            yield holder.expressions[: [id(cte) for cte in holder.expressions].index(id(node))]
            node = holder.parent  # the query that holds this WITH: its own CTEs are these
        elif isinstance(node, exp.Query) and node.ctes:
            yield node.ctes
        node = node.parent


def _spell_groups(query: Any) -> None:
    """`group by all` becomes the projections that aggregate nothing."""
    for select in query.find_all(exp.Select):
        group = select.args.get("group")
        if group is not None and group.args.get("all"):
            group.set("all", None)
            group.set("expressions", [key.unalias().copy() for key in select.expressions if _is_key(key)])
            if not group.expressions:
                select.set("group", None)


def _is_key(projection: Any) -> bool:
    """A constant groups nothing, and a number would be read as a position."""
    return projection.find(exp.AggFunc, exp.Window) is None and projection.find(exp.Column) is not None
