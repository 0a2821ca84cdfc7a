"""What SQL alone does not say: which cells the seeds select, and what Python assets make their tables of."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dagster_project.lineage.column_origins import Column, Condition, LineageError, Origin, Relation, Table
from dagster_project.settings import PROJECT_ROOT

SEEDS = PROJECT_ROOT / "seeds"
OBSERVATIONS = "obs_"
# The value of an observation is a mapped cell; a note cell only explains its absence.
CELL_COLUMNS = ("value", "raw_value")
NOTE_COLUMNS = ("note_value",)


@cache
def _seed(name: str, folder: Path = SEEDS) -> tuple[dict[str, str], ...]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def unpivoted_columns(model: str) -> frozenset[str] | None:
    """Columns of a dataset that its observation model keeps, cells and notes; None for any other model.

    The model unpivots all columns of its staging table and keeps those that the seed `variable_column` names.
    """
    return _mapped(model, "source_column") | _mapped(model, "note_column") if model.startswith(OBSERVATIONS) else None


def without_notes(model: str, relation: Relation) -> Relation:
    """An observation model whose values come from cells alone, and notes from note columns; others as they are.

    UNPIVOT puts cells and notes in one column, which the model parts again by the names in the seed. Both stay among
    the conditions of every column.
    """
    if not model.startswith(OBSERVATIONS):
        return relation
    cells, notes = _mapped(model, "source_column"), _mapped(model, "note_column")
    dropped = dict.fromkeys(CELL_COLUMNS, notes - cells) | dict.fromkeys(NOTE_COLUMNS, cells - notes)
    columns = tuple((name, _without(origin, dropped.get(name, frozenset()))) for name, origin in relation.columns)
    return Relation(columns, relation.rows)


def _mapped(model: str, name: str) -> frozenset[str]:
    dataset = model.removeprefix(OBSERVATIONS)
    return frozenset(row[name] for row in _seed("variable_column") if row["dataset"] == dataset and row[name])


def _without(origin: Origin, names: frozenset[str]) -> Origin:
    kept = frozenset(column for column in origin.values if column[0] != "staging" or column[2] not in names)
    return Origin(kept, origin.conditions, origin.constants)


def indicator_cells(code: str) -> frozenset[Column]:
    """Columns of raw tables that the formula of an indicator reads, over all editions."""
    terms = [row for row in _seed("indicator_term") if row["indicator_code"] == code]
    variables = {row[name] for row in terms for name in ("variable", "base_variable")}
    return frozenset(
        ("raw", row["dataset"], row["source_column"])
        for row in _seed("variable_column")
        if row["variable"] in variables
    )


def python_tables(manifest: Mapping[str, Any], columns: Mapping[Table, Collection[str]]) -> dict[Table, Relation]:
    """Tables made by Python assets, as if a query had made them: what their contracts say (`derived.yml`).

    A table of declarations that was not made has no columns to tell.

    Args:
        manifest: dbt's, whose sources these tables are.
        columns: names of the columns of every relation.

    Raises:
        LineageError: a contract names neither a column nor one of its sets of columns.
    """
    made = {}
    for source in manifest["sources"].values():
        table, meta = (source["source_name"], source["name"]), source.get("config", {}).get("meta", {})
        if "rows" in meta:
            made[table] = _told(source, meta)
        elif "declared_in" in meta and table in columns:
            made[table] = _declared(meta["declared_in"], columns[table])
    return made


def _declared(place: str, names: Collection[str]) -> Relation:
    """A table of declarations: each column is declared there, not drawn from data."""
    return Relation(tuple((name, Origin(constants=frozenset({f"{place}: {name}"}))) for name in names))


def _told(source: Mapping[str, Any], meta: Mapping[str, Any]) -> Relation:
    sets = meta.get("sets", {})

    def named(names: Iterable[str]) -> frozenset[Column]:
        return frozenset(_column(full) for name in names for full in sets.get(name, (name,)))

    def conditions(clauses: Mapping[str, Iterable[str]]) -> frozenset[Condition]:
        return frozenset((column, clause) for clause, names in clauses.items() for column in named(names))

    def origin(column: Mapping[str, Any]) -> Origin:
        said = column["config"]["meta"]
        values, constants = named(said.get("values", ())), frozenset(said.get("constants", ()))
        return Origin(values, conditions(said.get("conditions", {})), constants)

    origins = tuple((name, origin(column)) for name, column in source["columns"].items())
    return Relation(origins, conditions(meta["rows"]))


def _column(name: str) -> Column:
    match name.split("."):
        case [schema, table, column]:
            return schema, table, column
    raise LineageError(
        f"derived.yml: {name!r} is neither a column (schema.table.column) nor one of the sets of columns"
    )
