"""Checks of a raw table as a whole: how many rows, how many unreadable, which vintages are absent. In French."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.sources.absence import absence_reason
from dagster_project.sources.catalogue import Dataset, Vintage
from dagster_project.sources.readers import Reject
from dagster_project.sources.validation import Details, Validation

ROW_COUNT = "nombre_lignes"
REJECTED_ROWS = "lignes_rejetees"
PRESENCE = "presence"
_REJECTS_SHOWN = 5


def row_count(dataset: Dataset, vintage: str, count: int, origin: str) -> Validation:
    """Whether a vintage has as many rows as the catalogue says; not asked of the demonstration."""
    low, high = dataset.rows.minimum, dataset.rows.maximum
    details: Details = {"lignes": count, "minimum": low, "maximum": high}
    if origin == "demo":
        message = f"{count} lignes ; bornes non appliquées au territoire de démonstration"
        return Validation(ROW_COUNT, True, True, message, details)
    passed = low <= count <= high
    message = f"millésime {vintage} : {count} lignes, attendu entre {low} et {high}"
    if not passed:
        message += (
            " ; comparer le fichier à celui de la page du producteur, ou corriger `rows` dans le catalogue"
            f" ({dataset.id}) si la table a vraiment changé de taille"
        )
    return Validation(ROW_COUNT, passed, True, message, details)


def rejected_rows(dataset: Dataset, listed: Sequence[tuple[str, Reject]]) -> Validation:
    """Whether no more rows are unreadable than the catalogue tolerates.

    Args:
        dataset: the catalogue entry.
        listed: name of the file and reject.
    """
    tolerated = dataset.rejects_tolerated
    message = f"{len(listed)} ligne(s) illisible(s), {tolerated} tolérée(s)"
    if listed:
        shown = [f"{name} ligne {reject.row} : {reject.reason}" for name, reject in listed[:_REJECTS_SHOWN]]
        message += " — " + " ; ".join(shown) + (" ; …" if len(listed) > _REJECTS_SHOWN else "")
    passed = len(listed) <= tolerated
    if not passed:
        message += (
            ". Corriger l'encodage ou le séparateur dans le catalogue, ou relever `rejects_tolerated` en le motivant"
        )
    return Validation(REJECTED_ROWS, passed, True, message, {"rejets": len(listed), "toleres": tolerated})


def presence_checks(dataset: Dataset, absent: Sequence[Vintage]) -> list[tuple[str, Validation]]:
    """A warning for each absent vintage; otherwise one result that says that all are there."""
    if not absent:
        message = f"Tous les millésimes sont reçus ({len(dataset.vintages)})."
        return [(dataset.id, Validation(PRESENCE, True, False, message))]
    return [
        (
            vintage.vintage,
            Validation(
                PRESENCE,
                False,
                False,
                f"jeu absent ({dataset.absence}) : {absence_reason(dataset, vintage)}",
                {"statut": dataset.absence},
            ),
        )
        for vintage in absent
    ]
