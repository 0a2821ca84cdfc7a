"""Figures of access to work: cells under the weights that the release gives them, summed again.

Covered: every cell, read again in the archive, the sums and the division. Not covered: how travel times and demand came
to the weights, which their model card says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from dagster_project.audit.recompute.formulas import MODELLED, UNIT_CELLS, Cell
from dagster_project.audit.recompute.result import Difference, Outcome, Recomputation, not_found_again
from dagster_project.audit.recompute.texts import CellReader
from dagster_project.audit.release_folder import ask

if TYPE_CHECKING:
    import duckdb

TRIPS, OFFERS, COMPLEMENT = "temps-de-trajet", "acces-emploi", "complement"
WEIGHTED = (TRIPS, OFFERS, COMPLEMENT)
WHOLE = 100.0  # of a complement, in per cent
BATCH = 20_000
CELLS = f"""{UNIT_CELLS}
where figure.method = ? and figure.model = ? and cell.role in ('numerator', 'denominator')
order by figure.figure_id, cell.term
"""
# Departures and homes near stops are counted in timetables and maps: these have no cell. A zone that reaches nothing
# has none either, and its figure is zero.
SUPPLY = ("D_ARRETS", "D_COUV")
BARE = f"""
select figure_id
from figure
anti join (select figure_id from input where role in ('numerator', 'denominator')) as cell using (figure_id)
where method = ? and model = ? and value != 0 and indicator_code not in {SUPPLY}
order by figure_id
"""


def weigh(model: str, cells: Iterable[tuple[str, float, float | None]], scale: float, *, ratio: bool) -> Outcome:
    """Value, numerator and denominator of a weighted figure; the last two where the release publishes them.

    Args:
        model: one of WEIGHTED. Workplaces are Σ weight × cell, above and below the bar when there is one. Offers are
            Σ weight × posts, an offer that does not say how many being of one. A complement is 100 + Σ weight × cell.
        cells: role (numerator, denominator), weight, number; None is a cell without a number.
        scale: factor of the indicator.
        ratio: whether the figure has a denominator.

    Returns:
        Three None when a cell that must have a number has none.
    """
    # Added one after the other, in the order of units: sum() would compensate roundings that the chain keeps.
    sums = {"numerator": 0.0, "denominator": 0.0}
    for role, weight, number in cells:
        value = max(1.0, number or 1.0) if model == OFFERS else number
        if value is None:
            return None, None, None
        sums[role] += weight * value
    above, below = sums["numerator"], sums["denominator"]
    if model == COMPLEMENT:
        return WHOLE + above, None, None
    if model == OFFERS:
        return scale * above, None, None
    if not ratio:
        return scale * above, above, None
    return (scale * above / below if below else None), above, below


class WeightedFigures:
    """Recomputes figures of access to work."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, reader: CellReader) -> None:
        self._connection = connection
        self._reader = reader

    def run(self, result: Recomputation) -> set[str]:
        """Recompute those of the view `figure` that should have cells; returns their identifiers."""
        described = ask(self._connection, "describe figure").fetchall()
        if "model" not in {name for name, *_ in described}:
            return set()
        scales = dict(ask(self._connection, "select indicator_code, scale from indicator").fetchall())
        seen = set()
        for model in WEIGHTED:
            for figure_id, cells in groupby(self._cells(model), key=lambda cell: cell.figure_id):
                seen.add(figure_id)
                self._judge(model, list(cells), float(scales[figure_id.partition(".")[0]]), result)
        for (figure_id,) in ask(self._connection, BARE, [MODELLED, TRIPS]).fetchall():
            seen.add(figure_id)
            result.differs(Difference("formule", "aucune cellule n’entre dans son calcul", figure_id))
        return seen

    def _cells(self, model: str) -> Iterator[Cell]:
        cursor = ask(self._connection.cursor(), CELLS, [MODELLED, model])
        while batch := cursor.fetchmany(BATCH):
            yield from (Cell(*row) for row in batch)

    def _judge(self, model: str, cells: Sequence[Cell], scale: float, result: Recomputation) -> None:
        if self._reader.unread(cells):
            result.unproven += 1
            return
        figure = cells[0]
        read = ((cell.role, cell.weight, self._reader.value(cell)) for cell in cells)
        outcome = weigh(model, read, scale, ratio=figure.denominator is not None)
        published: Outcome = (figure.value, figure.numerator, figure.denominator)
        if model != TRIPS:  # their terms hold demand too, which is in no sum of offers
            published = (figure.value, None, None)
        faults = list(not_found_again(published, outcome))
        result.judged(figure.figure_id, figure.method, faults, identical=outcome == published)
