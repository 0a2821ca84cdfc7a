"""The only door to Great Expectations. Importing it costs seconds: this module is imported when there is work to do."""

from __future__ import annotations

import os
from typing import Any

# Read at import time by Great Expectations: no usage statistics leave this machine.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import pandas as pd
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

from dagster_project.quality.frames import Frame, Table
from dagster_project.quality.results import ExpectationResult
from dagster_project.quality.suites import Expectation, Suite

MAX_ROWS = 20


class Engine:
    """An ephemeral context: nothing is read from, or written to, the disk."""

    def __init__(self) -> None:
        self.context = gx.get_context(mode="ephemeral")
        self.context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = self.context.data_sources.add_pandas("tables").add_dataframe_asset("table")
        self._batches = asset.add_batch_definition_whole_dataframe("whole")

    def check(self, suite: Suite, table: Table, *, real: bool) -> list[ExpectationResult]:
        """Evaluate a suite. A rule that cannot be evaluated is a failed one, with its reason."""
        frame = table.frame()
        results: dict[str, ExpectationResult] = {}
        todo: list[Expectation] = []
        for rule in suite.expectations:
            if rule.scope == "real" and not real:
                results[rule.id] = _result(
                    suite, rule, passed=True, skipped=True, observed="sans objet sur le territoire de démonstration"
                )
            elif absent := [column for column in rule.columns if column in frame.missing]:
                why = "; ".join(f"{column}: {frame.missing[column]}" for column in absent)
                results[rule.id] = _result(suite, rule, passed=False, observed="non évaluable", error=why)
            else:
                todo.append(rule)
        outcomes = self._validate(suite, todo, frame, "BASIC")
        failed = [rule for rule in todo if not outcomes[rule.id]["success"]]
        # Asking for the failing rows is dear: only of the rules that failed.
        positions = self._validate(suite, failed, frame, "SUMMARY")
        for rule in todo:
            outcome = outcomes[rule.id]
            numbers = positions[rule.id]["result"].get("partial_unexpected_index_list") if rule in failed else None
            rows = table.rows([int(number) for number in (numbers or [])[:MAX_ROWS]], rule)
            results[rule.id] = _from_outcome(suite, rule, outcome, rows)
        return [results[rule.id] for rule in suite.expectations]

    def _validate(self, suite: Suite, rules: list[Expectation], frame: Frame, detail: str) -> dict[str, dict[str, Any]]:
        if not rules:
            return {}
        batch = self._batches.get_batch({"dataframe": frame.data})
        options = {"result_format": detail, "partial_unexpected_count": MAX_ROWS}
        validation = batch.validate(gx_suite(suite, rules), result_format=options)
        return {
            outcome.expectation_config.meta["id"]: {
                "success": bool(outcome.success),
                "result": outcome.result,
                "exception": outcome.exception_info,
            }
            for outcome in validation.results
        }


def gx_suite(suite: Suite, rules: list[Expectation]) -> gx.ExpectationSuite:
    """The suite as Great Expectations knows it; our id travels in `meta`."""
    built = gx.ExpectationSuite(name=suite.name)
    for rule in rules:
        built.add_expectation_configuration(
            ExpectationConfiguration(
                type=rule.type,
                kwargs=rule.kwargs,
                meta={"id": rule.id},
                severity=rule.severity,
                description=rule.reason,
            )
        )
    return built


def _from_outcome(
    suite: Suite, rule: Expectation, outcome: dict[str, Any], rows: list[dict[str, Any]]
) -> ExpectationResult:
    result = outcome["result"]
    error = _error(outcome["exception"])
    return _result(
        suite,
        rule,
        passed=outcome["success"] and error is None,
        observed="non évaluable" if error else _observed(result),
        unexpected_count=result.get("unexpected_count"),
        element_count=result.get("element_count"),
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
        share = f" ({french(100 * wrong / seen)} %)" if seen else ""
        return f"{french(wrong)} ligne{'s' if wrong > 1 else ''} contraire{'s' if wrong > 1 else ''} sur {french(seen)}{share}"
    value = result.get("observed_value")
    if isinstance(value, dict):
        return " ; ".join(f"{french(rank)} → {french(cell)}" for rank, cell in zip(value["quantiles"], value["values"], strict=True))
    if isinstance(value, (list, set, tuple)):
        return f"{len(value)} valeurs distinctes"
    return "aucune valeur" if value is None or pd.isna(value) else french(float(value))


def french(number: float | int | None) -> str:
    """12345.678 → 12 345,68 (narrow no-break spaces)."""
    if number is None:
        return "—"
    text = f"{number:,.2f}".rstrip("0").rstrip(".") if isinstance(number, float) else f"{number:,}"
    return text.replace(",", "\u202f").replace(".", ",")
