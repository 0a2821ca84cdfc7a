"""A comparison in words: measures, sentences, a summary for the terminal. French."""

from __future__ import annotations

from collections.abc import Iterator

from dagster_project.audit.diff.causes import Cause
from dagster_project.audit.diff.changes import GAINED, LOST, STATUS, TERMS, VALUE
from dagster_project.audit.diff.summary import Figure, Items, Side, Summary
from dagster_project.pages.numbers import measure, number, plural

CHANGE_LABELS = {
    VALUE: "valeur modifiée",
    STATUS: "statut modifié",
    TERMS: "valeur égale, numérateur ou dénominateur modifié",
    GAINED: "chiffre apparu",
    LOST: "chiffre disparu",
}
_SHOWN_IN_TERMINAL = 5


def signed(value: float | None) -> str:
    """A measure with its sign."""
    return f"+{measure(value)}" if value is not None and value > 0 else measure(value)


def contributions(figure: Figure) -> str:
    """What is due to each cause, in words; the cause alone when there is nothing to measure."""
    if not figure.contributions:
        return ", ".join(cause.word for cause in figure.causes)
    return " ; ".join(f"{cause.word} {signed(due)}" for cause, due in figure.contributions.items())


def in_words(summary: Summary) -> str:
    """The comparison in some twenty lines of French."""
    return "\n".join(_lines(summary)) + "\n"


def _lines(summary: Summary) -> Iterator[str]:
    if summary.fictitious:
        yield "DONNÉES FICTIVES (territoire de démonstration)"
    yield f"De  {_said(summary.before)}"
    yield f"À   {_said(summary.after)}"
    program = summary.program_differences
    yield f"Programme : {plural(len(program), 'différence') if program else 'le même'}"
    yield ""
    yield f"{plural(summary.unchanged, 'chiffre inchangé')}, {plural(summary.changed, 'changement')}"
    for change, count in summary.by_change.items():
        if count:
            yield f"  {number(count):>10}  {CHANGE_LABELS[change]}"
    if summary.changed:
        yield f"  {number(summary.beyond_tolerance):>10}  dont écart au-delà du seuil"
        yield ""
        yield "Cause principale"
        yield from (f"  {number(count.main):>10}  {count.label}" for count in summary.causes if count.main)
        yield ""
    yield from _listed("Zones apparues", summary.zones_gained)
    yield from _listed("Zones disparues", summary.zones_lost)
    yield from _listed("Zones modifiées", summary.zones_modified)
    yield from _listed("Indicateurs apparus", summary.indicators_gained)
    yield from _listed("Indicateurs disparus", summary.indicators_lost)
    yield from _listed("Indicateurs redéfinis", summary.indicators_modified)
    if summary.most_moved:
        yield "Plus grands écarts au-delà du seuil"
        for figure in summary.most_moved[:_SHOWN_IN_TERMINAL]:
            yield (
                f"  {figure.figure_id} : {measure(figure.value_before)} → {measure(figure.value_after)} {figure.unit} "
                f"({contributions(figure)})"
            )
    if summary.residual:
        yield f"RÉSIDU : {plural(summary.residual, 'changement')} que rien n’explique"
        yield from (f"  {figure.figure_id}" for figure in summary.residual_figures[:_SHOWN_IN_TERMINAL])


def _said(side: Side) -> str:
    return f"{side.release_id}  territoire {side.territory}, {plural(side.figures, 'chiffre')}"


def _listed(title: str, items: Items) -> Iterator[str]:
    if items.count:
        shown = [item.code for item in items.shown[:_SHOWN_IN_TERMINAL]]
        more = ["…"] if items.count > len(shown) else []
        yield f"{title} : {number(items.count)} ({', '.join(shown + more)})"


def change_sentences(summary: Summary) -> list[str]:
    """What changed from the previous release, a French sentence each, for the audit page."""
    said = [f"Par rapport à la version {summary.before.release_id} : {plural(summary.changed, 'changement')}."]
    said += [
        f"{plural(count, 'chiffre')} : {CHANGE_LABELS[change]}." for change, count in summary.by_change.items() if count
    ]
    said += [
        f"Cause principale de {plural(count.main, 'changement')} : {count.label}."
        for count in summary.causes
        if count.main
    ]
    said += [
        f"{title} : {number(items.count)}."
        for title, items in (
            ("Zones apparues", summary.zones_gained),
            ("Zones disparues", summary.zones_lost),
            ("Zones modifiées", summary.zones_modified),
            ("Indicateurs apparus", summary.indicators_gained),
            ("Indicateurs disparus", summary.indicators_lost),
            ("Indicateurs redéfinis", summary.indicators_modified),
        )
        if items.count
    ]
    return said + ([f"{residual_sentence(summary)}."] if summary.residual else [])


def residual_sentence(summary: Summary) -> str:
    """What a check says of the residual."""
    if not summary.residual:
        return f"{plural(summary.changed, 'changement')}, et aucun sans cause"
    named = ", ".join(figure.figure_id for figure in summary.residual_figures[:_SHOWN_IN_TERMINAL])
    more = ", …" if summary.residual > _SHOWN_IN_TERMINAL else ""
    return f"{plural(summary.residual, 'changement')} sans cause ({Cause.RESIDUAL.label}) : {named}{more}"
