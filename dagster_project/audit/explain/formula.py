"""A formula in names, then with its numbers put in: « 100 × 3 530 / 11 224 = 31,45 % »."""

from __future__ import annotations

from collections.abc import Callable

from dagster_project.audit.explain.figure import Figure, Input
from dagster_project.audit.explain.model import Formula, Term
from dagster_project.pages.numbers import number, quantity

DECIMALS = 2


def formula_of(figure: Figure) -> Formula:
    """The formula of a figure, with what its cells hold."""
    row = figure.row
    terms = tuple(
        Term(role=term.role, variable=term.variable, base_variable=term.base, coefficient=term.coefficient)
        for term in figure.path.terms
    )
    modelled = row["method"] == "M4"
    path = "model" if modelled else "value" if any(term.role == "value" for term in terms) else "ratio"
    scale = float(figure.indicator["scale"])
    cells = {(entry.cell["role"], entry.cell["variable"]): entry for entry in figure.arithmetic}
    result = quantity(row["value"], row["unit"], DECIMALS) if row["value"] is not None else "pas de valeur"
    symbolic = _expression(terms, scale, lambda term: term.variable)
    numeric = _expression(terms, scale, lambda term: _number_of(cells.get((term.role, term.variable))))
    if figure.absent_source:
        numeric = "source absente"
    elif figure.crossed:
        symbolic, numeric = _weighed(terms, scale), _summed(figure, scale)
    stated = (
        path == "value"
        and len(terms) == 1
        and not figure.crossed
        and terms[0].coefficient == 1
        and row["value"] is not None
    )
    rounded = row["value"] is not None and round(row["value"], DECIMALS) != row["value"]
    return Formula(
        path=path,
        declared=figure.indicator["formula"],
        symbolic=symbolic,
        numeric=f"{numeric} {'≈' if rounded else '='} {result}" if numeric and not stated else result,
        scale=scale,
        from_level=figure.path.from_level,
        terms=terms,
    )


def _weighed(terms: tuple[Term, ...], scale: float) -> str:
    """Sums over units: « 100 × Σ (poids × 0,01 × part × base) / Σ (poids × base) »."""

    def over_units(role: str) -> str:
        of_role = [term for term in terms if term.role == role]
        text = _sum(of_role, lambda term: " × ".join(filter(None, (term.variable, term.base_variable))))
        return f"Σ (poids × {f'({text})' if len(of_role) > 1 or text.startswith('−') else text})"

    if any(term.role == "value" for term in terms):
        return over_units("value")
    return f"{'' if scale == 1 else f'{number(scale)} × '}{over_units('numerator')} / {over_units('denominator')}"


def _summed(figure: Figure, scale: float) -> str:
    """The sums put in; nothing of a figure that is withheld."""
    row = figure.row
    if row["value"] is None:
        return f"({row['status'].replace('_', ' ')})"
    if row["numerator"] is None:
        return f"Σ sur {number(len(figure.units))} unités"
    factor = "" if scale == 1 else f"{number(scale)} × "
    return f"{factor}{number(row['numerator'], DECIMALS)} / {number(row['denominator'], DECIMALS)}"


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
