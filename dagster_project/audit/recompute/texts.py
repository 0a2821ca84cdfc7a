"""What a cell says in the archived bytes: its text, its number, or why it has none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dagster_project.audit.recompute.files import CellCheck
from dagster_project.audit.recompute.formulas import Cell
from dagster_project.audit.reference import NoteMeanings
from dagster_project.release.verifier_preuve import statut_evident, valeur_corrigee

if TYPE_CHECKING:
    import duckdb


class CellReader:
    """Reads cells as the files hold them, where these differ from what the release says."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, check: CellCheck) -> None:
        self._check = check
        self._notes = NoteMeanings(connection)

    def unread(self, cells: Iterable[Cell]) -> bool:
        """Whether one of the cells is in a file that could not be read."""
        unread = self._check.unread
        return bool(unread) and any((cell.sha256, cell.member) in unread for cell in cells)

    def text(self, cell: Cell) -> str | None:
        """What the file holds there."""
        if cell.row is None or not self._check.found:
            return cell.raw_value
        return self._check.found.get((cell.sha256, cell.member, cell.row, cell.column), cell.raw_value)

    def value(self, cell: Cell) -> float | None:
        """The number that enters the formula, corrections applied."""
        return valeur_corrigee(self.text(cell), cell.action, cell.corrected_value)

    def status(self, cell: Cell) -> str:
        """`ok`, or why the cell has no number."""
        text = self.text(cell)
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
