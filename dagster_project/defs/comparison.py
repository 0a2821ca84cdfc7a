"""What the release that was just published changes from the one before it. It blocks nothing: the release stands."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project.audit.diff.nightly import Outcome, compare_with_previous
from dagster_project.audit.diff.page import DATA
from dagster_project.audit.diff.summary import Summary
from dagster_project.audit.diff.words import change_sentences
from dagster_project.closure import code_version
from dagster_project.defs import OWNER
from dagster_project.pages.files import template_files
from dagster_project.settings import Settings

CHECK = "chaque_changement_a_sa_cause"
KEY = dg.AssetKey(["reports", "comparaison"])
READ = ("seeds/diff_threshold.csv", *template_files("comparison"))


def comparison_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The comparison of the current release with its predecessor, and the check that no change is left unexplained."""

    @dg.asset(
        key=KEY,
        deps=[dg.AssetKey(["releases", "current"])],
        code_version=code_version(compare_with_previous.__module__, own=[__name__], files=READ),
        group_name="publication",
        kinds={"python", "duckdb"},
        owners=[OWNER],
        description="Ce que change la version publiée : chaque chiffre modifié, apparu ou disparu, avec sa cause.",
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=KEY,
                description="Toute différence avec la version précédente s’explique par une cause, sans résidu.",
            )
        ],
    )
    def comparison() -> Iterator[Any]:
        outcome = compare_with_previous(settings)
        yield dg.AssetCheckResult(
            check_name=CHECK, passed=outcome.passed, severity=dg.AssetCheckSeverity.WARN, description=outcome.said
        )
        yield dg.MaterializeResult(
            metadata={"page": dg.MetadataValue.path(str(outcome.page)), "constat": outcome.said, **_counts(outcome)}
        )

    return [comparison]


def changes_of(settings: Settings, release_id: str | None) -> list[str]:
    """What a release changed from the one before it, a French sentence each; none when it was not compared."""
    path = settings.reports_dir / DATA
    if release_id is None or not path.exists():
        return []
    summary = Summary.model_validate_json(path.read_text(encoding="utf-8"))
    return change_sentences(summary) if summary.after.release_id == release_id else []


def _counts(outcome: Outcome) -> dict[str, Any]:
    if outcome.comparison is None:
        return {}
    summary = outcome.comparison.summary
    return {
        "version_precedente": summary.before.release_id,
        "changements": summary.changed,
        "au_dela_du_seuil": summary.beyond_tolerance,
        "causes": dg.MetadataValue.json({count.cause.value: count.main for count in summary.causes if count.main}),
    }
