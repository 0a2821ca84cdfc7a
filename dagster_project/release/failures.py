"""What a failed run leaves behind: a report on disk, and a call to whoever asked to be told."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.settings import Settings

LOG = logging.getLogger(__name__)


def report_file(settings: Settings, run_id: str) -> Path:
    """Where the report of a failed run is."""
    return settings.reports_dir / "failures" / f"{run_id}.json"


def report_failure(settings: Settings, *, run_id: str, job: str, message: str, steps: Sequence[dict[str, str]]) -> Path:
    """Write `reports/failures/<run>.json` and post the same JSON to the webhook.

    A webhook that does not answer is logged: the failure being reported matters more than its messenger.
    """
    content = {
        "run_id": run_id,
        "job": job,
        "failed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "message": message,
        "steps": list(steps),
        "sources": settings.sources,
        "territory": settings.territory,
        "current_release_unchanged": True,
    }
    path = report_file(settings, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if settings.webhook_url:
        _call(settings.webhook_url, content, settings)
    return path


def _call(url: str, content: dict[str, object], settings: Settings) -> None:
    import requests

    try:
        answer = requests.post(url, json=content, timeout=(settings.connect_timeout_s, settings.read_timeout_s))
        answer.raise_for_status()
    except requests.RequestException as error:
        # The address may carry a token: it stays out of the log.
        LOG.warning("the failure webhook (DQ_WEBHOOK_URL) did not take the report: %s", type(error).__name__)
