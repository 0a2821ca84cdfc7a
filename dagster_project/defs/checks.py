"""Great Expectations suites as asset checks: per table, one for what stops the chain and one for what warns.

One check per expectation would write some 1,500 events a run, half a minute on Dagster's SQLite storage; the
result of each expectation, by its stable id, is in the check's metadata and in the quality report.
"""

from collections.abc import Iterator, Mapping

import dagster as dg

from dagster_project.defs.raw import raw_key
from dagster_project.quality.messages import refusals
from dagster_project.quality.suite_runner import ExpectationResult, run_suites
from dagster_project.quality.suites import Suite, load_suites
from dagster_project.release.report import plain_cell
from dagster_project.release.suite_tables import expectation_cache, export_marts, suite_tables
from dagster_project.settings import Settings
from dagster_project.sources.catalogue import load_catalogue

# Name of the check, and whether it stops everything downstream.
CHECKS = {"attentes_critiques": True, "attentes_alertes": False}
ROWS_SHOWN = 20


def raw_suite_checks(settings: Settings) -> dg.AssetChecksDefinition:
    """Suites on raw tables; a critical failure stops everything downstream."""
    return _checks("attentes_sources", [suite for suite in _of_layer("raw") if not _of_partner(suite)], settings)


def partner_suite_checks(settings: Settings) -> dg.AssetChecksDefinition:
    """Suites on partners' files, apart: these wait for the lists of codes that they refer to, and for their checks."""
    return _checks("attentes_partenaires", [suite for suite in _of_layer("raw") if _of_partner(suite)], settings)


def mart_suite_checks(settings: Settings) -> dg.AssetChecksDefinition:
    """Suites on marts, read from the build that waits for promotion."""
    return _checks("attentes_indicateurs", _of_layer("mart"), settings)


def _of_layer(layer: str) -> list[Suite]:
    return [suite for suite in load_suites().values() if suite.layer == layer]


def _of_partner(suite: Suite) -> bool:
    return load_catalogue()[suite.table].convention is not None


def _asset_key(suite: Suite) -> dg.AssetKey:
    return raw_key(suite.table) if suite.layer == "raw" else dg.AssetKey(["marts", suite.table])


def _specs(suite: Suite) -> Iterator[dg.AssetCheckSpec]:
    for name, blocking in CHECKS.items():
        concerned = [rule for rule in suite.expectations if (rule.severity == "critical") == blocking]
        if concerned:
            yield dg.AssetCheckSpec(
                name,
                asset=_asset_key(suite),
                blocking=blocking,
                description=" ".join(f"{rule.id} : {rule.reason}" for rule in concerned),
                metadata={"suite": f"expectations/{suite.name}.json", "attentes": len(concerned)},
            )


def _checks(name: str, suites: list[Suite], settings: Settings) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(name=name, specs=[spec for suite in suites for spec in _specs(suite)], can_subset=True)
    def suite_checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        selected = context.selected_asset_check_keys
        wanted = {suite.name: suite for suite in suites if any(k.asset_key == _asset_key(suite) for k in selected)}
        export_marts(settings, wanted.values())
        tables = suite_tables(settings, wanted.values())
        results = run_suites(
            wanted.values(), tables, real=settings.sources != "demo", cache_dir=expectation_cache(settings)
        )
        for key in sorted(selected):
            suite = next(suite for suite in wanted.values() if _asset_key(suite) == key.asset_key)
            concerned = [r for r in results if r.suite == suite.name and (r.severity == "critical") == CHECKS[key.name]]
            yield _shown(key, suite, concerned)

    return suite_checks


def _shown(key: dg.AssetCheckKey, suite: Suite, results: list[ExpectationResult]) -> dg.AssetCheckResult:
    failed = [result for result in results if not result.passed]
    rows = [
        {"attente": result.id, **{name: plain_cell(value) for name, value in row.items()}}
        for result in failed
        for row in result.failing_rows
    ]
    outcomes = [dg.TableRecord(_outcome(result)) for result in results]
    metadata: dict[str, dg.MetadataValue] = {"attentes": dg.MetadataValue.table(outcomes)}
    if rows:
        metadata["lignes_en_echec"] = dg.MetadataValue.json(rows[:ROWS_SHOWN])
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if CHECKS[key.name] else dg.AssetCheckSeverity.WARN,
        description=refusals(suite, failed) or _held(results),
        metadata=metadata,
    )


def _held(results: list[ExpectationResult]) -> str:
    skipped = sum(result.skipped for result in results)
    if skipped == len(results):
        return results[0].observed  # an absent dataset, or rules that only real sources can break
    return f"{len(results) - skipped} attentes tenues" + (f", {skipped} sans objet" if skipped else "")


def _outcome(result: ExpectationResult) -> Mapping[str, str]:
    return {
        "attente": result.id,
        "resultat": "sans objet" if result.skipped else "ok" if result.passed else "échec",
        "observe": result.error or result.observed,
        "motif": result.reason,
    }
