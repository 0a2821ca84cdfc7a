"""Second half of a recomputation: the released formula on the texts that the files hold, indicator by indicator."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from dagster_project.provenance.recompute.files import CellCheck
from dagster_project.provenance.recompute.formulas import (
    MODELLED,
    Cell,
    Formula,
    load_formulas,
    modelled_figures,
)
from dagster_project.provenance.recompute.result import Difference, Recomputation
from dagster_project.provenance.reference import NoteMeanings
from dagster_project.provenance.release_folder import ask
from dagster_project.provenance.verifier_preuve import (
    CALCUL,
    calculer,
    statut_du_chiffre,
    statut_evident,
    valeur_corrigee,
)

if TYPE_CHECKING:
    import duckdb

TOLERANCE = 1e-9  # relative
BATCH = 20_000
# Value, numerator, denominator.
Outcome = tuple[float | None, float | None, float | None]

# The key of a figure begins with its indicator: bounds on it spare the row groups of the others.
CELLS = f"""
with

cell as (
    select * from input where figure_id between ? and ?
),

note as (
    select distinct figure_id, variable, source_sha256, source_row, source_column, raw_value from cell
    where role = 'note'
),

correction as (
    select distinct correction_id, action, corrected_value from corrections
)

select
    figure.figure_id, figure.value, figure.numerator, figure.denominator, figure.status, figure.method,
    cell.role, cell.variable, cell.weight, cell.raw_value, cell.dataset,
    cell.source_sha256, cell.source_member, cell.source_row, cell.source_column,
    correction.action, correction.corrected_value,
    note.raw_value as note, note.source_row as note_row, note.source_column as note_column
from figure
inner join cell using (figure_id)
left join correction using (correction_id)
left join note using (figure_id, variable, source_sha256, source_row)
where figure.indicator_code = ? and cell.role in {CALCUL}
order by figure.figure_id
"""
WITHOUT_CELLS = f"""
select figure_id from figure
anti join (select figure_id from input where role in {CALCUL}) using (figure_id)
where method != '{MODELLED}'
order by figure_id
"""


class Evaluator:
    """Applies formulas to cells and compares with what is published."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, check: CellCheck) -> None:
        self._connection = connection
        self._check = check
        self._notes = NoteMeanings(connection)

    def run(self, result: Recomputation) -> None:
        """Recompute every figure of the view `figure`; raises MissingModelColumnsError."""
        result.modelled = list(modelled_figures(self._connection))
        for (figure_id,) in ask(self._connection, WITHOUT_CELLS).fetchall():
            result.differs(Difference("formule", "aucune cellule n’entre dans son calcul", figure_id))
        for indicator, formula in load_formulas(self._connection).items():
            for _, cells in groupby(self._cells(indicator), key=lambda cell: cell.figure_id):
                self._judge(list(cells), formula, result)

    def _cells(self, indicator: str) -> Iterator[Cell]:
        after = f"{indicator}/"  # '/' follows '.', which ends the indicator's code in every key
        cursor = ask(self._connection.cursor(), CELLS, [f"{indicator}.", after, indicator])
        while batch := cursor.fetchmany(BATCH):
            yield from (Cell(*row) for row in batch)

    def _judge(self, cells: Sequence[Cell], formula: Formula, result: Recomputation) -> None:
        figure = cells[0]
        if figure.method == MODELLED:
            return
        if any((cell.sha256, cell.member) in self._check.unread for cell in cells):
            result.unproven += 1
            return
        outcome = self._value(cells, formula)
        faults = [*_terms(cells, formula), *self._faults(cells, outcome)]
        for what, reason, expected, found in faults:
            result.differs(Difference(what, reason, figure.figure_id, expected=str(expected), found=str(found)))
        if not faults:
            result.by_method[figure.method] = result.by_method.get(figure.method, 0) + 1
            result.identical += outcome == (figure.value, figure.numerator, figure.denominator)

    def _text(self, cell: Cell) -> str | None:
        """What the file holds there."""
        if cell.row is None or not self._check.found:
            return cell.raw_value
        return self._check.found.get((cell.sha256, cell.member, cell.row, cell.column), cell.raw_value)

    def _value(self, cells: Sequence[Cell], formula: Formula) -> Outcome:
        coefficients = formula.terms(cells)
        terms = [
            (
                cell.role,
                cell.variable,
                coefficients.get((cell.role, cell.variable), cell.weight),
                valeur_corrigee(self._text(cell), cell.action, cell.corrected_value),
            )
            for cell in cells
        ]
        return calculer(terms, formula.scale)

    def _faults(self, cells: Sequence[Cell], outcome: Outcome) -> Iterator[tuple[str, str, Any, Any]]:
        figure, value = cells[0], outcome[0]
        published = (figure.value, figure.numerator, figure.denominator)
        named = ("la valeur", "le numérateur", "le dénominateur")
        for name, stated, obtained in zip(named, published, outcome, strict=True):
            if not _close(stated, obtained):
                yield "valeur", f"{name} ne se retrouve pas", stated, obtained
        if (figure.status in {"ok", "estime"}) != (value is not None):
            yield "statut", "le statut ne dit pas si la valeur est présente", figure.status, value
        elif (status := self._status(cells, value)) != figure.status:
            yield "statut", "les cellules donnent un autre statut", figure.status, status

    def _status(self, cells: Sequence[Cell], value: float | None) -> str:
        status = statut_du_chiffre([self._cell_status(cell) for cell in cells])
        return "nd" if status == "ok" and value is None else status

    def _cell_status(self, cell: Cell) -> str:
        text = self._text(cell)
        if cell.row is not None and valeur_corrigee(text, cell.action, cell.corrected_value) is not None:
            return "ok"
        if (known := statut_evident(text, cell.row, cell.action)) is not None:
            return known
        meaning = self._notes.of(cell.dataset, self._note(cell))
        return meaning.status if meaning else "nd"

    def _note(self, cell: Cell) -> str:
        if cell.note_row is None or cell.note_column is None:
            return ""
        return self._check.found.get((cell.sha256, cell.member, cell.note_row, cell.note_column), cell.note) or ""


def _terms(cells: Sequence[Cell], formula: Formula) -> Iterator[tuple[str, str, Any, Any]]:
    """The cells are those of the formula, one for each term, under its coefficient."""
    terms = formula.terms(cells)
    present = [(cell.role, cell.variable) for cell in cells]
    if len(present) != len(terms) or set(present) != terms.keys():
        yield "formule", "les cellules ne sont pas celles de la formule", _named(terms), _named(present)
        return
    for cell in cells:
        if cell.weight != terms[cell.role, cell.variable]:
            coefficient = terms[cell.role, cell.variable]
            yield "formule", f"le poids de {cell.variable} n’est pas son coefficient", cell.weight, coefficient


def _named(terms: Any) -> str:
    return " + ".join(f"{variable} ({role})" for role, variable in sorted(terms)) or "aucune"


def _close(stated: float | None, obtained: float | None) -> bool:
    if stated is None or obtained is None:
        return stated is obtained
    return math.isclose(stated, obtained, rel_tol=TOLERANCE)
