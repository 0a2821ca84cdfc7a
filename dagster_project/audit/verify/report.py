"""The report of a verification: one French page that opens anywhere and can be filed, and its data as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from dagster_project.audit.verify.result import Verification
from dagster_project.pages.environment import write_page
from dagster_project.text_files import replace_text


def write_report(path: Path, verification: Verification) -> None:
    """Write the page to `path`, and its data beside it under the suffix `.json`; both are replaced whole."""
    asked = next((c.counts.get("chiffres demandés", 0) for c in verification.chapters if c.key == "recalcul"), 0)
    fictitious = verification.sources == "demo"
    write_page(path, "verification/verification.html.j2", fictitious=fictitious, v=verification, asked=asked)
    replace_text(path.with_suffix(".json"), as_json(verification))


def as_json(verification: Verification) -> str:
    """The data of a verification."""
    return json.dumps(verification.as_dict(), indent=1, ensure_ascii=False) + "\n"
