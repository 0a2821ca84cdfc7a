"""A formula in names, then with its numbers put in: « 100 × 3 530 / 11 224 = 31,45 % »."""

from __future__ import annotations

from collections.abc import Callable

from dagster_project.provenance.explain.figure import Figure, Input
from dagster_project.provenance.explain.model import Formula, Term
from dagster_project.provenance.french import number, quantity

DECIMALS = 2


def formula_of(figure: Figure) -> Formula:
    """The formula of a figure, with what its cells hold."""
    row = figure.row
    terms = tuple(
        Term(role=term["role"], variable=term["variable"], coefficient=float(term["coefficient"]))
        for term in figure.terms
    )
    modelled = row["method"] == "M4"
    path = "model" if modelled else "value" if any(term.role == "value" for term in terms) else "ratio"
    scale = float(figure.indicator["scale"])
    cells = {(entry.cell["role"], entry.cell["variable"]): entry for entry in figure.arithmetic}
    result = quantity(row["value"], row["unit"], DECIMALS) if row["value"] is not None else "pas de valeur"
    numeric = _expression(terms, scale, lambda term: _number_of(cells.get((term.role, term.variable))))
    stated = path == "value" and len(terms) == 1 and terms[0].coefficient == 1 and row["value"] is not None
    rounded = row["value"] is not None and round(row["value"], DECIMALS) != row["value"]
    return Formula(
        path=path,
        declared=figure.indicator["formula"],
        symbolic=_expression(terms, scale, lambda term: term.variable),
        numeric=f"{numeric} {'≈' if rounded else '='} {result}" if numeric and not stated else result,
        scale=scale,
        terms=terms,
    )


def _number_of(entry: Input | None) -> str:
    if entry is None:
        return "(aucune cellule)"
    if entry.value is None:
        return f"({(entry.status or 'nd').replace('_', ' ')})"
    return number(entry.value)


def _expression(terms: tuple[Term, ...], scale: float, shown: Callable[[Term], str]) -> str:
    direct = [term for term in terms if term.role == "value"]
    if direct:
        return _sum(direct, shown)
    above, below = ([term for term in terms if term.role == role] for role in ("numerator", "denominator"))
    if not above or not below:
        return ""
    factor = "" if scale == 1 else f"{number(scale)} × "
    return f"{factor}{_grouped(above, shown, after=bool(factor))} / {_grouped(below, shown, after=True)}"


def _grouped(terms: list[Term], shown: Callable[[Term], str], *, after: bool) -> str:
    text = _sum(terms, shown)
    ambiguous = after and (text.startswith("−") or "×" in text)
    return f"({text})" if len(terms) > 1 or ambiguous else text


def _sum(terms: list[Term], shown: Callable[[Term], str]) -> str:
    text = ""
    for term in terms:
        factor = "" if abs(term.coefficient) == 1 else f"{number(abs(term.coefficient))} × "
        value = shown(term)
        value = f"({value})" if value.startswith("−") and (text or term.coefficient < 0) else value
        sign = "−" if term.coefficient < 0 else "+"
        text += f" {sign} {factor}{value}" if text else f"{'−' if term.coefficient < 0 else ''}{factor}{value}"
    return text
