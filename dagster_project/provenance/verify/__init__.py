"""Verification of a release: its bytes, its tables, its lineage, and its figures recomputed from the archive."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from dagster_project.provenance.french import plural
from dagster_project.provenance.recompute import MissingModelColumnsError, Recomputation, recompute
from dagster_project.provenance.release_folder import ReleaseFolder, ask
from dagster_project.provenance.verify.agreement import verify_agreement
from dagster_project.provenance.verify.copies import verify_copies
from dagster_project.provenance.verify.files import verify_archive, verify_sums
from dagster_project.provenance.verify.result import Chapter, Finding, Verification

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
    verification = Verification(
        release_id=release.release_id,
        sources=release.sources_kind,
        territory=release.territory,
        verified_at=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
        seed=None if sample is None else seed,
    )
    progress("fichiers de la version")
    verification.chapters.append(verify_sums(release))
    with release.tables() as connection:
        progress("archive des sources")
        verification.chapters.append(verify_archive(connection, release))
        progress("mêmes tables en plusieurs formats")
        verification.chapters.append(verify_copies(connection, release))
        progress("accord du lignage et des chiffres")
        verification.chapters.append(verify_agreement(connection, release))
        drawn = None if sample is None else [name for (name,) in ask(connection, DRAWN, [str(seed), sample]).fetchall()]
    progress("chiffres recalculés depuis les octets d’origine")
    verification.chapters.append(_recomputed(release, drawn))
    verification.seconds = round(time.monotonic() - started, 1)
    return verification


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
