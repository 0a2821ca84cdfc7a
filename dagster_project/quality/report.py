"""The quality report: one HTML file that opens anywhere, offline, and its data as JSON beside it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from dagster_project.quality.downscaling import pictures
from dagster_project.quality.report_model import QualityReport
from dagster_project.quality.text import french

_SEVERITY = {"critical": "bloquante", "warning": "avertissement", "info": "information"}
_SOURCES = {
    "demo": "territoire de démonstration",
    "mirror": "copie des fichiers des producteurs",
    "live": "adresses officielles",
    "inbox": "fichier déposé à la main",
}
_VERDICT = {
    "bloque": "Publication bloquée : au moins un contrôle bloquant a échoué.",
    "avertissements": "Publiable, avec des avertissements à lire.",
    "conforme": "Conforme : tous les contrôles sont passés.",
}


def build_report(path: Path, report: QualityReport) -> dict[str, str | int]:
    """Write the report to `path` and its data to the same name in `.json`, both replaced whole.

    Returns:
        The verdict and the counts, for whoever shows them elsewhere.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    template = page_environment().get_template("rapport.html.j2")
    replace_file(path, template.render(report=report, verdict=_VERDICT, pictures=pictures(report.downscaling)))
    replace_file(path.with_suffix(".json"), report.model_dump_json(indent=1) + "\n")
    totals: Counter[str] = Counter()
    for tally in report.tallies:
        totals.update(
            controles=tally.total, bloquants=tally.blocking, avertissements=tally.warnings, sans_objet=tally.skipped
        )
    return {"verdict": report.verdict, **totals, "rejets": report.reject_count}


def page_environment() -> Environment:
    """Templates of this package, with the filters that French pages need."""
    environment = Environment(
        loader=PackageLoader("dagster_project.quality"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        nombre=french,
        octets=_bytes,
        moment=_moment,
        provenance=lambda sources: _SOURCES.get(sources, sources),
        territoire=_territory,
        severite=lambda severity: _SEVERITY[severity],
        cellule=_cell,
        colonnes=lambda rows: list(dict.fromkeys(name for row in rows for name in row)),
    )
    return environment


def _cell(cell: object) -> object:
    if isinstance(cell, float):
        return french(cell)
    return "vide" if cell is None or cell == "" else cell


def _territory(territory: str) -> str:
    named = {"france": "France", "west": "Bretagne et Pays de la Loire"}
    return named.get(territory, territory.replace("dep:", "départements ").replace(",", ", "))


def _bytes(size: int) -> str:
    for unit, scale in (("Mo", 1_000_000), ("Ko", 1_000)):
        if size >= scale:
            return f"{french(round(size / scale, 1))}\u202f{unit}"
    return f"{size}\u202foctets"


def _moment(text: str) -> str:
    """2026-11-23T23:26:15+00:00 → 23/11/2026 à 23 h 26 (UTC); anything else as it is."""
    try:
        return datetime.fromisoformat(text).strftime("%d/%m/%Y à %H h %M (UTC)")
    except ValueError:
        return text


def replace_file(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
