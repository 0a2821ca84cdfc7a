"""A comparison as files: a French page that opens offline, and its tables beside it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.audit.diff.summary import Figure, Summary
from dagster_project.audit.diff.words import CHANGE_LABELS, contributions, measure, signed
from dagster_project.quality.report import page_environment, replace_file
from dagster_project.quality.text import french

if TYPE_CHECKING:
    from jinja2 import Environment

    from dagster_project.audit.diff.compare import Comparison

PAGE, DATA, TABLE = "comparaison.html", "changements.json", "changements.parquet"
STATUS_LABELS = {
    "ok": "publié",
    "estime": "estimé",
    "secret_primaire": "secret",
    "secret_secondaire": "secret (secondaire)",
    "nd": "non disponible",
    "non_couvert": "hors du champ",
    "convention": "en attente d’une convention",
    "intervalle_large": "classe seule (trop incertain)",
    "retenu": "retenu (contrôle national)",
}


def write_comparison(folder: Path, comparison: Comparison) -> Path:
    """Write page, summary and changed figures into a folder, each replaced whole; the path of the page."""
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{TABLE}.tmp"
    pq.write_table(comparison.changes, temporary, compression="zstd")
    temporary.replace(folder / TABLE)
    replace_file(folder / DATA, comparison.summary.model_dump_json(indent=1) + "\n")
    return _write_page(folder, comparison.summary, "")


def write_no_comparison(folder: Path, reason: str) -> Path:
    """A page that says why there is no comparison; data of an earlier one, which would mislead, is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (DATA, TABLE):
        (folder / name).unlink(missing_ok=True)
    return _write_page(folder, None, reason)


def _write_page(folder: Path, summary: Summary | None, reason: str) -> Path:
    template = _environment().get_template("comparaison.html.j2")
    replace_file(folder / PAGE, template.render(summary=summary, reason=reason, data=DATA, table=TABLE))
    return folder / PAGE


def _environment() -> Environment:
    """That of the quality pages, whose style sheet and filters serve here too."""
    from jinja2 import ChoiceLoader, PackageLoader

    environment = page_environment()
    environment.loader = ChoiceLoader(
        [PackageLoader("dagster_project.audit"), PackageLoader("dagster_project.quality")]
    )
    environment.filters.update(
        mesure=measure,
        signe=signed,
        instant=_moment,
        statut=_status,
        contributions=contributions,
        depassement=_times_tolerated,
    )
    environment.globals.update(changements=CHANGE_LABELS)
    return environment


def _times_tolerated(figure: Figure) -> str:
    if figure.difference is None or not figure.tolerated:
        return "—"
    return f"{french(round(abs(figure.difference) / figure.tolerated, 1))}\u202f×"


def _status(status: str | None) -> str:
    return STATUS_LABELS.get(status, status) if status else "—"


def _moment(moment: datetime | None) -> str:
    return moment.strftime("%d/%m/%Y à %H h %M (UTC)") if moment else "date inconnue"
