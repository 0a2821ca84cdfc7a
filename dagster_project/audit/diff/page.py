"""A comparison as files: a French page that opens offline, and its tables beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.audit.diff.summary import Figure
from dagster_project.audit.diff.words import CHANGE_LABELS, contributions, signed
from dagster_project.pages.environment import write_page
from dagster_project.pages.numbers import NONE, THIN, number
from dagster_project.text_files import replace_text

if TYPE_CHECKING:
    from dagster_project.audit.diff.compare import Comparison

PAGE, DATA, TABLE = "comparaison.html", "changements.json", "changements.parquet"


def write_comparison(folder: Path, comparison: Comparison) -> Path:
    """Write page, summary and changed figures into a folder, each replaced whole; the path of the page."""
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{TABLE}.tmp"
    pq.write_table(comparison.changes, temporary, compression="zstd")
    temporary.replace(folder / TABLE)
    replace_text(folder / DATA, comparison.summary.model_dump_json(indent=1) + "\n")
    write_page(
        folder / PAGE,
        "comparison/comparison.html.j2",
        fictitious=comparison.summary.fictitious,
        summary=comparison.summary,
        data=DATA,
        table=TABLE,
        changes=CHANGE_LABELS,
        signed=signed,
        contributions=contributions,
        times_tolerated=_times_tolerated,
    )
    return folder / PAGE


def write_no_comparison(folder: Path, reason: str, *, fictitious: bool) -> Path:
    """A page that says why there is no comparison; data of an earlier one, which would mislead, is removed."""
    for name in (DATA, TABLE):
        (folder / name).unlink(missing_ok=True)
    write_page(folder / PAGE, "comparison/none.html.j2", fictitious=fictitious, reason=reason)
    return folder / PAGE


def _times_tolerated(figure: Figure) -> str:
    if figure.difference is None or not figure.tolerated:
        return NONE
    return f"{number(abs(figure.difference) / figure.tolerated, 1)}{THIN}×"
