"""The quality report: one HTML file that opens anywhere, offline, and its data as JSON beside it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from dagster_project.pages.environment import write_page
from dagster_project.quality.downscaling import pictures
from dagster_project.quality.report_model import QualityReport
from dagster_project.text_files import replace_text

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
    write_page(
        path,
        "quality/report.html.j2",
        fictitious=not report.run.real,
        report=report,
        verdict=_VERDICT[report.verdict],
        pictures=pictures(report.downscaling),
    )
    replace_text(path.with_suffix(".json"), report.model_dump_json(indent=1) + "\n")
    totals: Counter[str] = Counter()
    for tally in report.tallies:
        totals.update(
            controles=tally.total, bloquants=tally.blocking, avertissements=tally.warnings, sans_objet=tally.skipped
        )
    return {"verdict": report.verdict, **totals, "rejets": report.reject_count}
