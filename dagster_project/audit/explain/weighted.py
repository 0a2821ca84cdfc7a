"""Figures that a model makes as a weighted sum of cells: the sum in words, and made again from the cells."""

from __future__ import annotations

from dagster_project.audit.explain.figure import Figure
from dagster_project.audit.explain.formula import DECIMALS
from dagster_project.audit.explain.model import Weighted
from dagster_project.audit.recompute.formulas import MODELLED
from dagster_project.audit.recompute.result import Outcome, close
from dagster_project.audit.recompute.weighted import COMPLEMENT, OFFERS, WEIGHTED, WHOLE, weigh
from dagster_project.pages.numbers import number, significant

# What the cells of each model count.
COUNTED = {OFFERS: "postes"}
SCOPE = {
    OFFERS: "Les poids viennent des distances par la route et de la part de chaque métier dans la demande : la version "
    "les donne, la vérification ne les refait pas. Une offre qui ne dit pas son nombre de postes compte pour un.",
    COMPLEMENT: "Le poids est le signe du terme : la source donne la part complémentaire.",
}
OF_TRIPS = (
    "Les poids viennent des temps de trajet calculés sur les rues et les horaires cités : la version les donne, la "
    "vérification ne refait pas ces trajets."
)


def weighted_of(figure: Figure) -> Weighted | None:
    """The weighted sum of a figure; None when a model does not make it so, or when it has no cell."""
    row, cells = figure.row, figure.arithmetic
    model = row.get("model")
    if row["method"] != MODELLED or model not in WEIGHTED or not cells:
        return None
    value, above, below = _outcome(figure, model)
    return Weighted(
        symbolic=_symbolic(model, float(figure.indicator["scale"]), ratio=below is not None),
        numeric=_numeric(model, (value, above, below), float(figure.indicator["scale"])),
        cells=len(cells),
        value=value,
        agrees=close(row["value"], value),
        scope=SCOPE.get(model, OF_TRIPS),
    )


def _outcome(figure: Figure, model: str) -> Outcome:
    # In the order that the chain adds them: by unit.
    ordered = sorted(figure.arithmetic, key=lambda entry: entry.cell["term"] or "")
    cells = ((entry.cell["role"], entry.cell["weight"], entry.value) for entry in ordered)
    scale = float(figure.indicator["scale"])
    return weigh(model, cells, scale, ratio=figure.row["denominator"] is not None)


def _symbolic(model: str, scale: float, *, ratio: bool) -> str:
    if model == COMPLEMENT:
        return "100 + Σ (poids × cellule)"
    total = f"Σ (poids × {COUNTED.get(model, 'cellule')})"
    return f"{'' if scale == 1 else f'{number(scale)} × '}{total}{f' / {total}' if ratio else ''}"


def _numeric(model: str, outcome: Outcome, scale: float) -> str:
    """The sums put in, where they say more than the value does."""
    value, above, below = outcome
    if model == COMPLEMENT and value is not None:
        return f"{number(WHOLE)} − {number(WHOLE - value, DECIMALS)}"
    if above is None or (scale == 1 and below is None):
        return ""
    factor = "" if scale == 1 else f"{number(scale)} × "
    return f"{factor}{significant(above)}{'' if below is None else f' / {significant(below)}'}"
