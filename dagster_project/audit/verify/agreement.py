"""The lineage and the figures agree: no figure without its cells, no cell without its figure, none out of place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster_project.audit.release_folder import ReleaseFolder, ask
from dagster_project.audit.verify.access_rules import list_modelled
from dagster_project.audit.verify.notes import list_note_columns
from dagster_project.audit.verify.prelude import PRELUDE, Rule
from dagster_project.audit.verify.result import SHOWN, Chapter
from dagster_project.audit.verify.rules import RULES

if TYPE_CHECKING:
    import duckdb


def verify_agreement(connection: duckdb.DuckDBPyConnection, release: ReleaseFolder) -> Chapter:
    """Apply every rule to every figure of the release."""
    chapter = Chapter(
        "lignage",
        "Accord du lignage et des chiffres",
        "Pour tous les chiffres de la version, les cellules citées ont été confrontées à la formule, aux zones, aux "
        "colonnes déclarées et aux corrections.",
    )
    ask(connection, PRELUDE)
    list_note_columns(connection, release)
    list_modelled(connection)
    for rule in RULES:
        _apply(connection, rule, chapter)
    (figures,) = ask(connection, "select count(*) from indicator_value").fetchone() or (0,)
    (cells,) = ask(connection, "select count(*) from lineage").fetchone() or (0,)
    chapter.counts = {"chiffres": figures, "lignes de lignage": cells, "règles": len(RULES)}
    return chapter


def _apply(connection: duckdb.DuckDBPyConnection, rule: Rule, chapter: Chapter) -> None:
    ask(connection, f"create or replace table constat as from ({rule.broken}) as t (sujet, constat)")
    (count,) = ask(connection, "select count(*) from constat").fetchone() or (0,)
    rows = ask(connection, "from constat order by all limit ?", [SHOWN]).fetchall()
    for subject, message in rows:
        chapter.found(subject, message)
    chapter.more += count - len(rows)
