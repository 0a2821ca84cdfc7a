"""What the absence of a source means, in words and in the raw table that stands for it. Imports nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from dagster_project.sources.catalogue import Dataset, Vintage

# In the footer of the table of an absent dataset: why it is empty (`absence` of the catalogue).
ABSENT_KEY = b"dq_absent"

_MEANING = {
    "convention": "jeu remis sous convention, non reçu",
    "non_couvert": "jeu dont aucune copie n’est fournie",
}


def absence_reason(dataset: Dataset, vintage: Vintage) -> str:
    """Why a vintage is absent and how to get it, in French; the same words wherever the run takes place."""
    how = " ".join(dict.fromkeys(file.live.note for file in vintage.files if file.live.note))
    reason = f"{dataset.origin.title}, millésime {vintage.vintage} : {_MEANING[dataset.absence]}."
    return f"{reason} {how}".rstrip()


def absence_of(path: Path) -> str | None:
    """Why a raw table is empty on purpose (`convention`, `non_couvert`); None for a table that was read."""
    import pyarrow.parquet as pq

    found = (pq.read_schema(path).metadata or {}).get(ABSENT_KEY)
    return found.decode() if found else None
