"""Why a cell of a release may be empty: how what a column's contract declares becomes a label, for every format.

A column says in its contract why it may be empty (`meta: absence`, in dbt's YAML; `absence` in `contents.yml`), in
one of these ways:

    sans_objet                       the label, always the same
    {status: status}                 the status of the row, which a figure without a value has
    {unless_ok: status}              that status; where the figure has a value, the column does not apply
    {sql: ..., labels: [...]}        SQL over the row, and every label that it may give
    {labels: [...], companion: true} the same; Parquet carries the label in a column of its own

Among labels, `figure` stands for all statuses of a figure without a value. What each label means, in French and in
SDMX codes, is the seed `absence`. CSV and JSON write the label in the cell. Parquet keeps the null: the label is in the
column `<column>_statut` beside it, or follows from the row by the expression that `datapackage.json` repeats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dagster_project.release.errors import ReleaseError
from dagster_project.sql import identifier, literal

# Statuses of a figure that has no value; the others, `ok` and `estime`, have one.
ABSENT_FIGURE = (
    "secret_primaire",
    "secret_secondaire",
    "nd",
    "non_couvert",
    "convention",
    "intervalle_large",
    "retenu",
)
PRESENT_FIGURE = ("ok", "estime")
COMPANION_SUFFIX = "_statut"
ANY_STATUS = "figure"


@dataclass(frozen=True)
class Reason:
    """Why the cells of a column may be empty.

    Attributes:
        label: SQL over the row that gives the label of an empty cell.
        labels: every label that this may give.
        companion: whether Parquet carries the label in a column of its own.
    """

    label: str
    labels: tuple[str, ...]
    companion: bool = False


def declared_reason(said: str | Mapping[str, Any]) -> Reason:
    """The reason that a contract declares.

    Raises:
        ReleaseError: it is declared in none of the ways above.
    """
    match said:
        case str(label):
            return Reason(literal(label), (label,))
        case {"status": str(status), **rest} if not rest:
            return Reason(status, ABSENT_FIGURE)
        case {"unless_ok": str(status), **rest} if not rest:
            label = f"case when {status} in {ABSENT_FIGURE} then {status} else 'sans_objet' end"
            return Reason(label, (*ABSENT_FIGURE, "sans_objet"))
        case {"labels": [str(first), *others], **rest} if rest.keys() <= {"sql", "companion"}:
            labels = [name for label in (first, *others) for name in _expanded(str(label))]
            return Reason(str(rest.get("sql", literal(first))), tuple(labels), bool(rest.get("companion")))
    raise ReleaseError(
        f"absence: {said!r} is no way to say why a cell is empty; see dagster_project/release/absence.py"
    )


def figure_reason(column: str) -> Reason:
    """Why a cell is empty in a column of a wide mart, which holds one indicator: the status of its figure."""
    return Reason(identifier(column + COMPANION_SUFFIX), (*ABSENT_FIGURE, "non_publie"), companion=True)


def _expanded(label: str) -> tuple[str, ...]:
    return ABSENT_FIGURE if label == ANY_STATUS else (label,)
