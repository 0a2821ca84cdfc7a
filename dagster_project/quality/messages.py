"""What a refused table is told with: which rule, which rows of which file, what to do. French, for whoever reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dagster_project.pages.numbers import number
from dagster_project.quality.results import ExpectationResult
from dagster_project.quality.suites import Suite

ROWS_SHOWN = 3
NAMES_SHOWN = 2  # the first cells of a row name it: code and label
LONGEST_FORMULA = 60
ADVICE = {
    "raw": (
        "Que faire : comparer au fichier du producteur. S’il se trompe, le lui signaler, et déposer le fichier corrigé "
        "dans la boîte de dépôt (DQ_HOME/inbox) ; s’il a raison, revoir l’attente dans expectations/{name}.json."
    ),
    "mart": (
        "Que faire : remonter au calcul de {table} et à ses sources ; si les chiffres sont justes, revoir l’attente "
        "dans expectations/{name}.json."
    ),
}


def refusals(suite: Suite, failed: Sequence[ExpectationResult]) -> str:
    """Failed expectations of a suite with their first rows, then what to do; nothing when none failed."""
    if not failed:
        return ""
    lines = [line for result in failed for line in _lines(suite, result)]
    return "\n".join([*lines, ADVICE[suite.layer].format(name=suite.name, table=suite.table)])


def _lines(suite: Suite, result: ExpectationResult) -> Iterator[str]:
    yield f"{result.id} : {result.error or result.observed}. {result.reason}"
    columns = next(rule.columns for rule in suite.expectations if rule.id == result.id)
    for row in result.failing_rows[:ROWS_SHOWN]:
        seen = ", ".join(f"{_formula(suite, column)} = {_cell(row.get(column))}" for column in columns)
        yield f"    {_place(row, columns)} : {seen}"
    if (result.unexpected_count or 0) > len(result.failing_rows[:ROWS_SHOWN]) > 0:
        yield f"    … et {number((result.unexpected_count or 0) - ROWS_SHOWN)} autres"


def _place(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    """File and line where the table has them, then the cells that name the row."""
    file = row.get("_source_member") or row.get("_vintage") or ""
    address = [f"{file} ligne {row['_source_row']}".strip()] if "_source_row" in row else []
    others = [name for name in row if name not in columns and not name.startswith("_")]
    return ", ".join([*address, *(f"{name} {_cell(row[name])}" for name in others[:NAMES_SHOWN])])


def _formula(suite: Suite, column: str) -> str:
    """A derived column with what it is made of, when that is short."""
    formula = suite.derive.get(column, "")
    return f"{column} = {formula}" if 0 < len(formula) <= LONGEST_FORMULA else column


def _cell(cell: object) -> str:
    if isinstance(cell, float):
        return number(cell)
    return "vide" if cell is None or cell == "" else str(cell)
