"""Second half of a recomputation: the released formula on the texts that the files hold, indicator by indicator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from dagster_project.audit.recompute.crossed import CrossedFigures
from dagster_project.audit.recompute.files import CellCheck
from dagster_project.audit.recompute.formulas import (
    MODELLED,
    Cell,
    Formula,
    Path,
    load_formulas,
    modelled_figures,
)
from dagster_project.audit.recompute.result import Difference, Fault, Outcome, Recomputation, not_found_again
from dagster_project.audit.recompute.texts import CellReader
from dagster_project.audit.recompute.weighted import WeightedFigures
from dagster_project.audit.release_folder import ask
from dagster_project.release.verifier_preuve import (
    CALCUL,
    COMPTABLES,
    NIVEAUX,
    calculer,
    statut_du_chiffre,
)

if TYPE_CHECKING:
    import duckdb

BATCH = 20_000

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
where figure.indicator_code = ? and figure.method not in {tuple(NIVEAUX)} and cell.role in {CALCUL}
order by figure.figure_id
"""
# Nothing to read again: right only where the release says that the source is not there, and why.
WITHOUT_CELLS = f"""
select
    figure.figure_id,
    source.dataset is not null and value is null and numerator is null and denominator is null and coverage is null
from figure
anti join (select figure_id from input where role in {COMPTABLES}) as cell using (figure_id)
left join source_presence as source
    on
        figure.dataset = source.dataset and figure.vintage = source.vintage and figure.status = source.status
        and not source.present
where method != '{MODELLED}'
order by all
"""


class Evaluator:
    """Applies formulas to cells and compares with what is published."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, check: CellCheck) -> None:
        self._connection = connection
        self._cells_read = CellReader(connection, check)

    def run(self, result: Recomputation) -> None:
        """Recompute every figure of the view `figure`; raises MissingModelColumnsError."""
        modelled = list(modelled_figures(self._connection))
        weighted = WeightedFigures(self._connection, self._cells_read).run(result)
        result.modelled = [figure for figure in modelled if figure.figure_id not in weighted]
        for figure_id, absent_source in ask(self._connection, WITHOUT_CELLS).fetchall():
            if absent_source:
                result.without_source += 1
            else:
                result.differs(Difference("formule", "aucune cellule n’entre dans son calcul", figure_id))
        formulas = load_formulas(self._connection, "figure")
        for indicator, formula in formulas.items():
            for _, cells in groupby(self._cells(indicator), key=lambda cell: cell.figure_id):
                self._judge(list(cells), formula, result)
        CrossedFigures(self._connection, self._cells_read).run(formulas, result)

    def _cells(self, indicator: str) -> Iterator[Cell]:
        after = f"{indicator}/"  # '/' follows '.', which ends the indicator's code in every key
        cursor = ask(self._connection.cursor(), CELLS, [f"{indicator}.", after, indicator])
        while batch := cursor.fetchmany(BATCH):
            yield from (Cell(*row) for row in batch)

    def _judge(self, cells: Sequence[Cell], formula: Formula, result: Recomputation) -> None:
        figure = cells[0]
        if figure.method == MODELLED:
            return
        if self._cells_read.unread(cells):
            result.unproven += 1
            return
        path = formula.path(figure.method, (cell.variable for cell in cells), direct=figure.role == "value")
        outcome = self._value(cells, formula.scale, path)
        faults = [*_terms(cells, path), *self._faults(cells, outcome)]
        published = (figure.value, figure.numerator, figure.denominator)
        result.judged(figure.figure_id, figure.method, faults, identical=outcome == published)

    def _value(self, cells: Sequence[Cell], scale: float, path: Path) -> Outcome:
        coefficients = path.coefficients
        terms = [
            (
                cell.role,
                cell.variable,
                coefficients.get((cell.role, cell.variable), cell.weight),
                self._cells_read.value(cell),
            )
            for cell in cells
        ]
        return calculer(terms, scale)

    def _faults(self, cells: Sequence[Cell], outcome: Outcome) -> Iterator[Fault]:
        figure, value = cells[0], outcome[0]
        published = (figure.value, figure.numerator, figure.denominator)
        yield from not_found_again(published, outcome)
        if (figure.status in {"ok", "estime"}) != (value is not None):
            yield "statut", "le statut ne dit pas si la valeur est présente", figure.status, value
        elif (status := self._status(cells, value)) != figure.status:
            yield "statut", "les cellules donnent un autre statut", figure.status, status

    def _status(self, cells: Sequence[Cell], value: float | None) -> str:
        status = statut_du_chiffre([self._cells_read.status(cell) for cell in cells])
        return "nd" if status == "ok" and value is None else status


def _terms(cells: Sequence[Cell], path: Path) -> Iterator[Fault]:
    """The cells are those of the formula, one for each term, under its coefficient."""
    terms = path.coefficients
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
