"""Why a run failed, step by step, in words for whoever must act: Dagster's own only say that a step failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg

CHECK_EVALUATED = "ASSET_CHECK_EVALUATION"


def broken_steps(events: Iterable[dg.DagsterEvent]) -> dict[str, str]:
    """The reason of each failed step: a Failure's description, else the checks that refused, else the error's own."""
    refused: dict[str, list[str]] = {}
    failed: dict[str, dg.DagsterEvent] = {}
    for event in events:
        step = str(event.step_key)
        if event.event_type_value == CHECK_EVALUATED:
            check = event.asset_check_evaluation_data
            if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR:
                line = f"{check.asset_key.to_user_string()}, {check.check_name}: {check.description}"
                refused.setdefault(step, []).append(line)
        elif event.is_step_failure:
            failed[step] = event
    return {step: _reason(event, refused.get(step, [])) for step, event in failed.items()}


def _reason(event: dg.DagsterEvent, refused: Sequence[str]) -> str:
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    if refused:
        return "\n".join(refused)
    error = failure.error.cause or failure.error if failure.error else None
    return error.message.strip() if error else event.message or "no reason given"
