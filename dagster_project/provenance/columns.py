"""Which columns each column of a model is made of, read from the compiled SQL.

One pass per model: the query is qualified once and its scopes are walked for every output column. Observation models
unpivot their staging table, which no parser follows; their columns are mapped by the seed `variable_column`, so each
of them descends from the mapped source columns and is declared so here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dagster_project.settings import PROJECT_ROOT

# Columns of each relation: {(schema, table): {column: type}}.
Schemas = Mapping[tuple[str, str], Mapping[str, str]]
# A column of a relation: its schema, table and name.
Column = tuple[str, str, str]
CELL_COLUMNS = ("value", "raw_value", "status", "source_column", "variable", "variable_group")
ADDRESS_COLUMNS = {
    "source_sha256": "_source_sha256",
    "source_member": "_source_member",
    "source_row": "_source_row",
    "vintage": "vintage",
    "zone_level": "zone_level",
    "zone_code": "zone_code",
    "generation": "generation",
}


def column_lineage(sql: str, schemas: Schemas, catalog: str) -> dict[str, set[Column]]:
    """Source columns of each output column of a query.

    Args:
        sql: one compiled SELECT.
        schemas: columns of every relation that the query may read.
        catalog: name of the database that prefixes relations in the SQL.

    Returns:
        Output column to the set of columns of relations that its expression reads; empty for a constant. Columns
        are spelt as their relation spells them, and so is an output column that keeps its name.

    Raises:
        sqlglot.errors.SqlglotError: the query cannot be read; the caller counts it.
    """
    from sqlglot import exp, parse_one
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    nested: dict[str, Any] = {catalog: {}}
    spelling: dict[Column, str] = {}  # qualifying puts every name in lower case
    for (schema, table), columns in schemas.items():
        nested[catalog].setdefault(schema, {})[table] = dict(columns)
        spelling |= {(schema, table, name.lower()): name for name in columns}
    query = qualify(
        parse_one(sql, dialect="duckdb"),
        dialect="duckdb",
        schema=nested,
        validate_qualify_columns=False,
        quote_identifiers=False,
    )
    root = build_scope(query)
    if root is None:
        return {}
    memo: dict[tuple[int, str], set[Column]] = {}

    def of_scope(scope: Any, name: str) -> set[Column]:
        key = (id(scope), name.lower())
        if key not in memo:
            memo[key] = set()  # a recursive reference adds nothing
            memo[key] = _of_scope(scope, name)
        return memo[key]

    def _of_scope(scope: Any, name: str) -> set[Column]:
        if isinstance(scope.expression, exp.SetOperation):
            position = _position(scope.expression, name)
            found: set[Column] = set()
            for branch in scope.set_operation_scopes:
                names = branch.expression.named_selects
                if position < len(names):
                    found |= of_scope(branch, names[position])
            return found
        selected = next((s for s in scope.expression.selects if s.alias_or_name.lower() == name.lower()), None)
        return of_expression(scope, selected) if selected is not None else set()

    def of_expression(scope: Any, expression: Any) -> set[Column]:
        found: set[Column] = set()
        for column in expression.find_all(exp.Column):
            source = _source(scope, column.table)
            if isinstance(source, exp.Table):
                key = (source.db, source.name, column.name.lower())
                found.add((source.db, source.name, spelling.get(key, column.name)))
            elif source is not None:
                found |= of_scope(source, column.name)
        return found

    outputs = {name: of_scope(root, name) for name in _output_names(query)}
    return {_spelt(name, sources): sources for name, sources in outputs.items()}


def _source(scope: Any, name: str) -> Any:
    """The relation or scope that a name stands for, here or in a subquery of an expression."""
    within = (inner.sources[name] for inner in scope.subquery_scopes if name in inner.sources)
    return scope.sources.get(name) or next(within, None)


def _spelt(name: str, sources: set[Column]) -> str:
    return next((column for _, _, column in sorted(sources) if column.lower() == name.lower()), name)


def _output_names(query: Any) -> list[str]:
    names: list[str] = query.named_selects
    return names


def _position(union: Any, name: str) -> int:
    names = [selected.lower() for selected in union.named_selects]
    return names.index(name.lower()) if name.lower() in names else len(names)


def observation_lineage(dataset: str, staging: tuple[str, str]) -> dict[str, set[Column]]:
    """Lineage of an observation model: cells from the mapped columns, addresses from the staging keys."""
    mapped = {
        column
        for row in _mapping()
        if row["dataset"] == dataset
        for column in (row["source_column"], row["note_column"])
        if column
    }
    cells = {(*staging, column) for column in mapped}
    return {name: set(cells) for name in CELL_COLUMNS} | {
        name: {(*staging, source)} for name, source in ADDRESS_COLUMNS.items()
    }


def _mapping(path: Path = PROJECT_ROOT / "seeds" / "variable_column.csv") -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
