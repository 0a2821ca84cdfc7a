"""A comparison for people: a page that opens offline, the tables beside it, and a summary in the terminal. French."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.quality.text import french
from dagster_project.release.diff.causes import Cause
from dagster_project.release.diff.changes import GAINED, LOST, STATUS, TERMS, VALUE
from dagster_project.release.diff.summary import Figure, Items, Side, Summary

if TYPE_CHECKING:
    from jinja2 import Environment

    from dagster_project.release.diff.compare import Comparison

PAGE, DATA, TABLE = "comparaison.html", "changements.json", "changements.parquet"
CHANGE_LABELS = {
    VALUE: "valeur modifiée",
    STATUS: "statut modifié",
    TERMS: "valeur égale, numérateur ou dénominateur modifié",
    GAINED: "chiffre apparu",
    LOST: "chiffre disparu",
}
STATUS_LABELS = {
    "ok": "publié",
    "estime": "estimé",
    "secret_primaire": "secret",
    "secret_secondaire": "secret (secondaire)",
    "nd": "non disponible",
    "non_couvert": "hors du champ",
    "convention": "en attente d’une convention",
}
_TERRITORIES = {"france": "France", "west": "Bretagne et Pays de la Loire"}
_SMALL = 0.01
_SHOWN_IN_TERMINAL = 5
_PLURAL = 2  # French: zéro chiffre, un chiffre, deux chiffres


def write_comparison(folder: Path, comparison: Comparison) -> Path:
    """Write page, summary and changed figures into a folder, each replaced whole; the path of the page."""
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{TABLE}.tmp"
    pq.write_table(comparison.changes, temporary, compression="zstd")
    temporary.replace(folder / TABLE)
    _replace(folder / DATA, comparison.summary.model_dump_json(indent=1) + "\n")
    return _write_page(folder, comparison.summary, "")


def write_no_comparison(folder: Path, reason: str) -> Path:
    """A page that says why there is no comparison; data of an earlier one, which would mislead, is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (DATA, TABLE):
        (folder / name).unlink(missing_ok=True)
    return _write_page(folder, None, reason)


def _write_page(folder: Path, summary: Summary | None, reason: str) -> Path:
    template = _environment().get_template("comparaison.html.j2")
    _replace(folder / PAGE, template.render(summary=summary, reason=reason, data=DATA, table=TABLE))
    return folder / PAGE


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _environment() -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    # The style sheet is that of the quality report.
    loader = ChoiceLoader([PackageLoader("dagster_project.release.diff"), PackageLoader("dagster_project.quality")])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        nombre=french,
        mesure=measure,
        signe=signed,
        moment=_moment,
        territoire=_territory,
        statut=_status,
        contributions=contributions,
        depassement=_times_tolerated,
    )
    environment.globals.update(changements=CHANGE_LABELS)
    return environment


def measure(number: float | None) -> str:
    """A value as people write it: two decimals, or three significant digits when it is smaller than that."""
    if number is None:
        return "—"
    if number and abs(number) < _SMALL:
        return f"{number:.3g}".replace(".", ",").replace("-", "−")
    return french(float(number)).replace("-", "−")


def signed(number: float | None) -> str:
    """The same, with its sign."""
    return f"+{measure(number)}" if number is not None and number > 0 else measure(number)


def contributions(figure: Figure) -> str:
    """What is due to each cause, in words; the cause alone when there is nothing to measure."""
    if not figure.contributions:
        return ", ".join(cause.word for cause in figure.causes)
    return " ; ".join(f"{cause.word} {signed(due)}" for cause, due in figure.contributions.items())


def _times_tolerated(figure: Figure) -> str:
    if figure.difference is None or not figure.tolerated:
        return "—"
    return f"{french(round(abs(figure.difference) / figure.tolerated, 1))}\u202f×"


def _status(status: str | None) -> str:
    return STATUS_LABELS.get(status, status) if status else "—"


def _territory(territory: str) -> str:
    return _TERRITORIES.get(territory, territory.replace("dep:", "départements ").replace(",", ", "))


def _moment(moment: datetime | None) -> str:
    return moment.strftime("%d/%m/%Y à %H h %M (UTC)") if moment else "date inconnue"


def in_words(summary: Summary) -> str:
    """The comparison in some twenty lines of French."""
    return "\n".join(_lines(summary)) + "\n"


def _lines(summary: Summary) -> Iterator[str]:
    if summary.fictitious:
        yield "DONNÉES FICTIVES (territoire de démonstration)"
    yield f"De  {_said(summary.before)}"
    yield f"À   {_said(summary.after)}"
    program = summary.program_differences
    yield f"Programme : {_counted(len(program), 'différence') if program else 'le même'}"
    yield ""
    yield f"{_counted(summary.unchanged, 'chiffre inchangé')}, {_counted(summary.changed, 'changement')}"
    for change, count in summary.by_change.items():
        if count:
            yield f"  {french(count):>10}  {CHANGE_LABELS[change]}"
    if summary.changed:
        yield f"  {french(summary.beyond_tolerance):>10}  dont écart au-delà du seuil"
        yield ""
        yield "Cause principale"
        yield from (f"  {french(count.main):>10}  {count.label}" for count in summary.causes if count.main)
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
        yield f"RÉSIDU : {_counted(summary.residual, 'changement')} que rien n’explique"
        yield from (f"  {figure.figure_id}" for figure in summary.residual_figures[:_SHOWN_IN_TERMINAL])


def _said(side: Side) -> str:
    return f"{side.release_id}  {_territory(side.territory)}, {_counted(side.figures, 'chiffre')}"


def _listed(title: str, items: Items) -> Iterator[str]:
    if items.count:
        shown = [item.code for item in items.shown[:_SHOWN_IN_TERMINAL]]
        more = ["…"] if items.count > len(shown) else []
        yield f"{title} : {french(items.count)} ({', '.join(shown + more)})"


def residual_sentence(summary: Summary) -> str:
    """What a check says of the residual."""
    if not summary.residual:
        return f"{_counted(summary.changed, 'changement')}, et aucun sans cause"
    named = ", ".join(figure.figure_id for figure in summary.residual_figures[:_SHOWN_IN_TERMINAL])
    more = ", …" if summary.residual > _SHOWN_IN_TERMINAL else ""
    return f"{_counted(summary.residual, 'changement')} sans cause ({Cause.RESIDUAL.label}) : {named}{more}"


def _counted(count: int, what: str) -> str:
    """1 chiffre inchangé, 2 chiffres inchangés."""
    plural = " ".join(f"{word}s" for word in what.split())
    return f"{french(count)} {what if count < _PLURAL else plural}"
