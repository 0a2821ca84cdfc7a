"""Verification of a release: its bytes, its tables, its lineage, and its figures recomputed from the archive."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dagster_project.audit.recompute import MissingModelColumnsError, Recomputation, recompute
from dagster_project.audit.release_folder import ReleaseFolder, UnknownReleaseError, ask
from dagster_project.audit.verify.agreement import verify_agreement
from dagster_project.audit.verify.copies import verify_copies
from dagster_project.audit.verify.files import verify_archive, verify_sums
from dagster_project.audit.verify.result import Chapter, Finding, Verification
from dagster_project.pages.numbers import plural

if TYPE_CHECKING:
    import duckdb

__all__ = ["Chapter", "Finding", "Verification", "verify"]

SAMPLE = 500
# The sample depends on the seed and on the figures alone, whatever the version of the tools.
DRAWN = "select figure_id from indicator_value order by md5(? || figure_id), figure_id limit ?"


def verify(
    release: ReleaseFolder,
    *,
    sample: int | None = SAMPLE,
    seed: int = 1,
    now: datetime | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Verify a release against the archive and against itself.

    Args:
        release: the release, and the archive its sources lie in.
        sample: figures to recompute from raw bytes; None is all of them.
        seed: which figures are drawn.
        now: time of the verification, UTC.
        progress: told the title of each chapter as it begins.
    """
    started = time.monotonic()
    try:
        sources, territory = release.sources_kind, release.territory
    except UnknownReleaseError:  # the lock is damaged: SHA256SUMS tells
        sources, territory = "inconnu", "inconnu"
    verification = Verification(
        release_id=release.release_id,
        sources=sources,
        territory=territory,
        verified_at=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
        seed=None if sample is None else seed,
    )
    chapters: tuple[tuple[str, Callable[[], Chapter]], ...] = (
        ("fichiers de la version", lambda: verify_sums(release)),
        ("archive des sources", lambda: _with_tables(release, verify_archive)),
        ("mêmes tables, plusieurs formats", lambda: _with_tables(release, verify_copies)),
        ("accord du lignage et des chiffres", lambda: _with_tables(release, verify_agreement)),
        (
            "chiffres recalculés depuis les octets d’origine",
            lambda: _recomputed(release, _drawn(release, sample, seed)),
        ),
    )
    for title, chapter in chapters:
        progress(title)
        verification.chapters.append(_attempted(title, chapter))
    verification.seconds = round(time.monotonic() - started, 1)
    return verification


def _with_tables(
    release: ReleaseFolder, verify_chapter: Callable[[duckdb.DuckDBPyConnection, ReleaseFolder], Chapter]
) -> Chapter:
    with release.tables() as connection:
        return verify_chapter(connection, release)


def _attempted(title: str, chapter: Callable[[], Chapter]) -> Chapter:
    """The chapter, or one that says that a damaged table does not let it be written."""
    import duckdb

    try:
        return chapter()
    except duckdb.Error as error:
        failed = Chapter(title.partition(" ")[0], title.capitalize(), "Cette vérification n’a pas pu être menée.")
        failed.found("version", f"une table ne peut être lue : {str(error).splitlines()[0]}")
        return failed


def _drawn(release: ReleaseFolder, sample: int | None, seed: int) -> list[str] | None:
    if sample is None:
        return None
    with release.tables() as connection:
        return [figure_id for (figure_id,) in ask(connection, DRAWN, [str(seed), sample]).fetchall()]


def _recomputed(release: ReleaseFolder, figures: list[str] | None) -> Chapter:
    which = "Tous les chiffres ont" if figures is None else "Un échantillon de chiffres tirés au hasard a"
    chapter = Chapter(
        "recalcul",
        "Chiffres recalculés depuis les octets d’origine",
        f"{which} été refait{'s' if figures is None else ''} : chaque cellule relue dans le fichier archivé, par un "
        "autre chemin que celui qui a servi à la publier, puis la formule appliquée.",
    )
    try:
        result = recompute(release, figures)
    except MissingModelColumnsError as error:
        chapter.found("indicator_value.parquet", str(error))
        return chapter
    for difference in result.differences:
        others = f" (et {plural(difference.figures - 1, 'autre chiffre', 'autres chiffres')})"
        subject = difference.figure_id or difference.file or "recalcul"
        chapter.found(subject, difference.explained + (others if difference.figures > 1 else ""))
    chapter.more += result.uncounted
    chapter.counts = _counts(result)
    if result.modelled:
        models = sorted({f"{made.model} {made.version}" for made in result.modelled})
        chapter.notes.append(
            f"{plural(len(result.modelled), 'chiffre')} de modèle, non recalculés : {', '.join(models)}"
        )
    return chapter


def _counts(result: Recomputation) -> dict[str, int]:
    counts = {
        "chiffres demandés": result.figures,
        "recalculés": result.recomputed,
        "identiques à la dernière décimale": result.identical,
        "cellules relues": result.cells,
        "fichiers ouverts": result.files,
    }
    counts |= {f"méthode {method}": count for method, count in sorted(result.by_method.items())}
    optional = {"zones absentes de leur fichier, comme il est dit": result.searched, "non vérifiables": result.unproven}
    return counts | {name: count for name, count in optional.items() if count}
