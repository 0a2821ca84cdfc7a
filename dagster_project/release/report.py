"""temporary"""
from __future__ import annotations
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from dagster_project.settings import Settings
@dataclass(frozen=True)
class ReportPaths:
    html: Path
def report_paths(settings: Settings) -> ReportPaths:
    return ReportPaths(settings.reports_dir / "qualite.html")
def write_quality_report(settings: Settings, run_results: Path, *, run_id: str) -> dict[str, Any]:
    report_paths(settings).html.write_text("x")
    return {}
