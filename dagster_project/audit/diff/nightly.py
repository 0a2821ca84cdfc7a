"""The comparison of each run: the current release with the one before it, after publication.

It stands beside the releases, not in them: what a release holds follows from its sources and its code alone, so that
it can be made again elsewhere, byte for byte, where no earlier release is known.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from dagster_project.audit.diff.compare import Comparison, compare
from dagster_project.audit.diff.page import PAGE, write_comparison, write_no_comparison
from dagster_project.audit.diff.words import residual_sentence
from dagster_project.audit.release_folder import find_release, previous_release
from dagster_project.settings import Settings

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How the comparison of a run ended.

    Attributes:
        page: what was written.
        comparison: None when there is nothing to compare with, or when it failed.
        passed: whether every change has its cause; True for a first release.
        said: a French sentence.
    """

    page: Path
    comparison: Comparison | None
    passed: bool
    said: str


def comparison_page(settings: Settings) -> Path:
    """The page of the last comparison; its tables are beside it."""
    return settings.reports_dir / PAGE


def compare_with_previous(settings: Settings) -> Outcome:
    """Compare the current release with its predecessor and write page and tables into the reports.

    It raises nothing: the release is published already, and a comparison that fails is reported, not paid for.
    """
    try:
        current = find_release(settings)
        previous = previous_release(settings, current.release_id)
        if previous is None:
            said = f"La version {current.release_id} est la première : il n’y a rien à quoi la comparer."
            return Outcome(_no_comparison(settings, said), None, passed=True, said=said)
        comparison = compare(previous, current)
        page = write_comparison(settings.reports_dir, comparison)
        return Outcome(page, comparison, not comparison.summary.residual, residual_sentence(comparison.summary))
    except Exception as error:  # whatever went wrong here, the release stands
        LOG.warning("the release could not be compared with the previous one", exc_info=True)
        said = f"La comparaison avec la version précédente a échoué : {error}"
        return Outcome(_no_comparison(settings, said), None, passed=False, said=said)


def _no_comparison(settings: Settings, said: str) -> Path:
    return write_no_comparison(settings.reports_dir, said, fictitious=settings.sources == "demo")
