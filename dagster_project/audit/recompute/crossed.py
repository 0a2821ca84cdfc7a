"""Figures made of other units than their zone (M1 to M3): cells times weights, and what share of the zone they render.

Covered: every cell above and below the bar, its weight (coefficient × weight of the released crosswalk), the units set
aside for want of a cell, the coverage and the status that it gives. Not covered: how the crosswalk came to its weights.
The population cells that they rest on (`crosswalk_input`) are read again as texts, and enter no sum; contours are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from dagster_project.audit.recompute.formulas import UNIT_CELLS, Cell, Formula, Path
from dagster_project.audit.recompute.result import Fault, Outcome, Recomputation, not_found_again
from dagster_project.audit.recompute.texts import CellReader
from dagster_project.audit.release_folder import ask
from dagster_project.release.verifier_preuve import (
    CALCUL,
    COMPTABLES,
    NIVEAUX,
    calculer,
    couverture,
    multiplier,
    nom_du_terme,
    statut_reporte,
    statuts_des_unites,
)

if TYPE_CHECKING:
    import duckdb

BATCH = 20_000
CELLS = f"""{UNIT_CELLS}
where figure.method in {tuple(NIVEAUX)} and cell.role in {COMPTABLES}
order by figure.figure_id
"""
# Every unit that the crosswalk puts in the zone, even one of which the source has no cell.
UNITS = f"""
select figure.figure_id, link.from_code, link.weight, link.population
from figure
inner join crosswalk as link
    on
        figure.zone_level = link.to_level and figure.zone_code = link.to_code
        and figure.generation = link.to_generation
        and link.from_level = case figure.method {" ".join(f"when '{m}' then '{u}'" for m, u in NIVEAUX.items())} end
order by figure.figure_id, link.from_code
"""
Unit = tuple[str, float, float | None]


@dataclass(frozen=True)
class _Figure:
    """A figure, its cells by unit, those set aside by unit, the units of the crosswalk by code, and its path."""

    row: Cell
    counted: Mapping[str, list[Cell]]
    aside: Mapping[str, list[Cell]]
    units: Mapping[str, Unit]
    path: Path


class CrossedFigures:
    """Recomputes figures of methods M1 to M3."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, reader: CellReader) -> None:
        self._connection = connection
        self._reader = reader

    def run(self, formulas: Mapping[str, Formula], result: Recomputation) -> None:
        """Recompute those of the view `figure`."""
        of_zones = groupby(self._rows(UNITS), itemgetter(0))
        figure_id, rows = next(of_zones, ("", iter(())))
        for wanted, cells in groupby((Cell(*row) for row in self._rows(CELLS)), itemgetter(0)):
            while figure_id < wanted and (following := next(of_zones, None)):
                figure_id, rows = following
            units = {row[1]: row[1:] for row in rows} if figure_id == wanted else {}
            self._judge(list(cells), units, formulas[wanted.partition(".")[0]], result)

    def _rows(self, query: str) -> Iterator[Any]:
        cursor = ask(self._connection.cursor(), query)
        while batch := cursor.fetchmany(BATCH):
            yield from batch

    def _judge(self, cells: Sequence[Cell], units: Mapping[str, Unit], formula: Formula, result: Recomputation) -> None:
        if self._reader.unread(cells):
            result.unproven += 1
            return
        row = cells[0]
        path = formula.path(
            row.method, (cell.variable for cell in cells), direct=any(cell.role == "value" for cell in cells)
        )
        counted = _by_unit(cell for cell in cells if cell.role in CALCUL)
        aside = _by_unit(cell for cell in cells if cell.role not in CALCUL)
        figure = _Figure(row, counted, aside, units, path)
        outcome, coverage, status = self._outcome(figure, formula.scale)
        faults = [*self._cell_faults(figure), *_faults(row, outcome, coverage, status)]
        published = (row.value, row.numerator, row.denominator, row.coverage)
        result.judged(row.figure_id, row.method, faults, identical=(*outcome, coverage) == published)

    def _outcome(self, figure: _Figure, scale: float) -> tuple[Outcome, float | None, str]:
        """Value, numerator and denominator; coverage; status."""
        terms = multiplier(
            (cell.role, cell.term or "", cell.variable, cell.weight, self._reader.value(cell))
            for cells in figure.counted.values()
            for cell in cells
        )
        outcome = calculer(terms, scale)
        level = figure.path.from_level or NIVEAUX[figure.row.method]
        share = couverture(level, figure.units.values(), figure.counted)
        zone_level = figure.row.figure_id.split(".")[1]
        status = statut_reporte(outcome[0], share, self._statuses(figure) if outcome[0] is None else (), zone_level)
        if status not in {"ok", "estime"}:
            outcome = (None, None, None)
        return outcome, share if outcome[0] is not None or status == "non_couvert" else None, status

    def _statuses(self, figure: _Figure) -> list[str]:
        read = {
            (*nom_du_terme(cell.term or ""), cell.variable): self._reader.status(cell)
            for cells in (*figure.counted.values(), *figure.aside.values())
            for cell in cells
        }
        return statuts_des_unites(figure.units.values(), [term.variable for term in figure.path.terms], read)

    def _cell_faults(self, figure: _Figure) -> Iterator[Fault]:
        """A unit counts with every cell of the formula under its weight, or is set aside for want of one."""
        expected = figure.path.unit_cells
        for code in sorted(figure.counted.keys() | figure.aside.keys()):
            cells = figure.counted.get(code, [])
            present = [(cell.role, nom_du_terme(cell.term or "")[1], cell.variable) for cell in cells]
            if code not in figure.units:
                yield "formule", f"crosswalk.parquet ne met pas l’unité {code} dans la zone", code, "aucun poids"
            elif cells and (len(present) != len(expected) or set(present) != expected.keys() or code in figure.aside):
                reason = f"les cellules de l’unité {code} ne sont pas celles de la formule"
                yield "formule", reason, _named(expected), _named(present)
            elif cells:
                weight = figure.units[code][1]
                for cell, place in zip(cells, present, strict=True):
                    coefficient = expected[place]
                    due = 1.0 if coefficient is None else coefficient * weight
                    if cell.weight != due:
                        yield "formule", f"le poids de {cell.variable} pour l’unité {code}", cell.weight, due
            elif self._whole(figure, figure.aside[code]):
                yield "formule", f"l’unité {code} est écartée, alors qu’elle a toutes ses cellules", code, "complète"

    def _whole(self, figure: _Figure, aside: Sequence[Cell]) -> bool:
        valued = {
            (nom_du_terme(cell.term or "")[1], cell.variable) for cell in aside if self._reader.value(cell) is not None
        }
        return {place[1:] for place in figure.path.unit_cells} <= valued


def _by_unit(cells: Iterator[Cell]) -> dict[str, list[Cell]]:
    units: dict[str, list[Cell]] = {}
    for cell in cells:
        units.setdefault(nom_du_terme(cell.term or "")[0], []).append(cell)
    return units


def _faults(row: Cell, outcome: Outcome, coverage: float | None, status: str) -> Iterator[Fault]:
    yield from not_found_again((row.value, row.numerator, row.denominator, row.coverage), (*outcome, coverage))
    if status != row.status:
        yield "statut", "les cellules et la couverture donnent un autre statut", row.status, status


def _named(cells: Mapping[tuple[str, str, str], float | None] | Sequence[tuple[str, str, str]]) -> str:
    return " + ".join(f"{name} ({role}, terme {term})" for role, term, name in sorted(cells)) or "aucune"
