"""What the release that was just published changes from the one before it. It blocks nothing: the release stands."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project.defs import OWNER
from dagster_project.release.diff.nightly import Outcome, compare_with_previous
from dagster_project.settings import Settings

CHECK = "chaque_changement_a_sa_cause"
KEY = dg.AssetKey(["reports", "comparaison"])


def comparison_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The comparison of the current release with its predecessor, and the check that no change is left unexplained."""

    @dg.asset(
        key=KEY,
        deps=[dg.AssetKey(["releases", "current"])],
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
