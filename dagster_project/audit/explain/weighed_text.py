"""The cells of a weighted sum as a person reads them: those that count most, and how many others there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dagster_project.audit.explain.layout import wrapped
from dagster_project.audit.explain.model import Explanation, InputInfo
from dagster_project.pages.french import UNIT_OF_TERM
from dagster_project.pages.numbers import NO_BREAK, plural, significant

SHOWN = 15
# Roles whose cells enter as they stand.
BARE = ("weight", "parameter")
TITLES = {
    "numerator": "Cellules de la somme, sous leur poids",
    "denominator": "Cellules au-dessous de la barre, sous leur poids",
    "weight": "Demandeurs par métier, dont viennent les poids",
    "parameter": "Repère national auquel l’estimation est calée, en %",
}


def weighed_cells(e: Explanation) -> Iterator[str]:
    """For each role the cells that weigh most (weight × number), each with its place in its file."""
    if e.model is None:
        return
    for role, title in TITLES.items():
        cells = [entry for entry in e.inputs if entry.role == role and entry.term]
        if cells:
            yield from _of_role(title, cells)
            yield ""


def _of_role(title: str, cells: Sequence[InputInfo]) -> Iterator[str]:
    ordered = sorted(cells, key=lambda entry: (-abs((entry.weight or 0) * _number(entry)), entry.term or ""))
    most = f" ; les {SHOWN} qui comptent le plus" if len(cells) > SHOWN else ""
    yield from wrapped(f"{title} : {plural(len(cells), 'cellule')}{most}.")
    for entry in ordered[:SHOWN]:
        weight = "" if entry.role in BARE else f", poids {significant(entry.weight or 0)}"
        unit = UNIT_OF_TERM.get(entry.variable or "", "")
        raw = f"«{NO_BREAK}{entry.raw_value}{NO_BREAK}»" if entry.raw_value else "cellule vide"
        yield from wrapped(f"{unit} {entry.term}{NO_BREAK}: {raw}{weight}".strip(), 6, 4, verbatim=True)
        yield from wrapped(f"{entry.member or entry.file}, ligne {entry.row}, colonne {entry.column}", 6)
    if len(cells) > SHOWN:
        yield from wrapped(f"et {plural(len(cells) - SHOWN, 'autre')} (toutes avec --json).", 6, 4)


def _number(entry: InputInfo) -> float:
    """What the cell counts for; one where an offer does not say its posts, none where job seekers are masked."""
    if entry.role == "weight":
        text = entry.raw_value or ""
        return float(text) if text.isdigit() else 0.0
    return 1.0 if entry.value is None else entry.value
