"""The only door to Great Expectations. Importing it costs seconds: this module is imported when there is work to do."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Read at import time by Great Expectations: no usage statistics leave this machine.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import pandas as pd
from great_expectations.core import (
    ExpectationSuiteValidationResult,
    RunIdentifier,
)
from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metadata_types import FailureSeverity

from dagster_project.pages.numbers import measure, number
from dagster_project.quality.frames import Frame, Table
from dagster_project.quality.results import ExpectationResult
from dagster_project.quality.suites import Expectation, Suite

MAX_ROWS = 20


class Engine:
    """An ephemeral context: nothing is read from, or written to, the disk."""

    def __init__(self) -> None:
        asset = _context().data_sources.add_pandas("tables").add_dataframe_asset("table")
        self._batches = asset.add_batch_definition_whole_dataframe("whole")

    def check(self, suite: Suite, table: Table, *, real: bool) -> tuple[list[ExpectationResult], dict[str, Any]]:
        """Evaluate a suite. A rule that cannot be evaluated is a failed one, with its reason.

        Returns:
            One result per rule, in the suite's order, and the outcome in Great Expectations' own JSON.
        """
        frame = table.frame()
        settled = {
            rule.id: _absent(suite, rule, table.absence)
            if table.absence
            else _without_evaluation(suite, rule, frame, real=real)
            for rule in suite.expectations
        }
        todo = [rule for rule in suite.expectations if settled[rule.id] is None]
        validation = self._validate(suite, todo, frame, "BASIC")
        outcomes = _by_id(validation)
        # Asking for the failing rows is dear: only of the rules that failed.
        failed = [rule for rule in todo if not outcomes[rule.id].success]
        located = _by_id(self._validate(suite, failed, frame, "SUMMARY")) if failed else {}
        results = []
        for rule in suite.expectations:
            result = settled[rule.id]
            if result is None:
                found = located[rule.id].result.get("partial_unexpected_index_list") if rule.id in located else None
                rows = table.rows([int(rank) for rank in (found or [])[:MAX_ROWS]], rule)
                result = _from_outcome(suite, rule, outcomes[rule.id], rows)
            results.append(result)
        return results, dict(validation.to_json_dict())  # type: ignore[no-untyped-call]

    def _validate(
        self, suite: Suite, rules: list[Expectation], frame: Frame, detail: str
    ) -> ExpectationSuiteValidationResult:
        batch = self._batches.get_batch({"dataframe": frame.data})
        options = {"result_format": detail, "partial_unexpected_count": MAX_ROWS}
        return batch.validate(_gx_suite(suite, rules), result_format=options)


def write_data_docs(folder: Path, suites: Iterable[Suite], validations: dict[str, dict[str, Any]]) -> None:
    """Render Data Docs from validations obtained earlier; nothing is validated again."""
    context = _context()
    site: Any = {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
    }
    context.add_data_docs_site("qualite", site)
    run = RunIdentifier(run_name="controle", run_time=datetime.now(UTC))
    for suite in suites:
        context.suites.add(_gx_suite(suite, list(suite.expectations)))
        key = ValidationResultIdentifier(ExpectationSuiteIdentifier(suite.name), run, suite.table)
        store = context.validation_results_store
        store.add(key=key, value=store.deserialize(json.dumps(validations[suite.name])))  # type: ignore[no-untyped-call]
    context.build_data_docs(site_names=["qualite"])


def _context() -> EphemeralDataContext:
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _gx_suite(suite: Suite, rules: list[Expectation]) -> gx.ExpectationSuite:
    """The suite as Great Expectations knows it; our id travels in `meta`."""
    built = gx.ExpectationSuite(name=suite.name)
    for rule in rules:
        built.add_expectation_configuration(
            ExpectationConfiguration(
                type=rule.type,
                kwargs=rule.kwargs,
                meta={"id": rule.id},
                severity=FailureSeverity(rule.severity),
                description=rule.reason,
            )
        )
    return built


def _by_id(validation: ExpectationSuiteValidationResult) -> dict[str, Any]:
    return {outcome.expectation_config.meta["id"]: outcome for outcome in validation.results}  # type: ignore[union-attr]


def _absent(suite: Suite, rule: Expectation, why: str) -> ExpectationResult:
    """A dataset that is not there breaks no rule; that it is absent is told by its presence check."""
    return _result(suite, rule, passed=True, skipped=True, observed=f"jeu absent ({why})")


def _without_evaluation(suite: Suite, rule: Expectation, frame: Frame, *, real: bool) -> ExpectationResult | None:
    if rule.scope == "real" and not real:
        observed = "sans objet sur le territoire de démonstration"
        return _result(suite, rule, passed=True, skipped=True, observed=observed)
    absent = [column for column in rule.columns if column in frame.missing]
    if absent:
        why = " ; ".join(f"{column} : {frame.missing[column]}" for column in absent)
        return _result(suite, rule, passed=False, observed="non évaluable", error=why)
    return None


def _from_outcome(
    suite: Suite,
    rule: Expectation,
    outcome: Any,
    rows: list[dict[str, Any]],
) -> ExpectationResult:
    error = _error(outcome.exception_info)
    return _result(
        suite,
        rule,
        passed=bool(outcome.success) and error is None,
        observed="non évaluable" if error else _observed(outcome.result),
        unexpected_count=outcome.result.get("unexpected_count"),
        element_count=outcome.result.get("element_count"),
        failing_rows=rows,
        error=error,
    )


def _result(suite: Suite, rule: Expectation, **found: Any) -> ExpectationResult:
    return ExpectationResult(
        suite=suite.name,
        table=suite.table,
        id=rule.id,
        type=rule.type,
        severity=rule.severity,
        reason=rule.reason,
        kwargs=rule.kwargs,
        **found,
    )


def _error(exception: dict[str, Any] | None) -> str | None:
    """Great Expectations reports an exception flat, or one per metric."""
    found = exception or {}
    for info in [found, *(value for value in found.values() if isinstance(value, dict))]:
        if info.get("raised_exception"):
            return str(info.get("exception_message"))
    return None


def _observed(result: dict[str, Any]) -> str:
    if "unexpected_count" in result:
        wrong, seen = int(result["unexpected_count"]), int(result.get("element_count") or 0)
        share = f" ({number(100 * wrong / seen, 2)} %)" if seen else ""
        plural = "s" if wrong > 1 else ""
        return f"{number(wrong)} ligne{plural} contraire{plural} sur {number(seen)}{share}"
    value = result.get("observed_value")
    if isinstance(value, dict):
        pairs = zip(value["quantiles"], value["values"], strict=True)
        return " ; ".join(f"{measure(rank)} → {measure(cell)}" for rank, cell in pairs)
    if isinstance(value, list | set | tuple):
        return f"{len(value)} valeurs distinctes"
    return "aucune valeur" if value is None or pd.isna(value) else measure(float(value))
