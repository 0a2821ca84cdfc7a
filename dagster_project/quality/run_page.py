"""The audit page of a run: what ran, on which inputs, which checks, what changed, what was refused and why."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dagster_project.pages.environment import render_page
from dagster_project.text_files import replace_text


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Step(_Model):
    """One step of the run. `seconds` is absent for a step that did not run or did not end."""

    name: str
    status: Literal["reussie", "echouee", "non executee"]
    seconds: float | None = None
    error: str | None = None


class Check(_Model):
    """One check that the run planned; `passed` is absent when it left no trace, and `blocking` is then not known."""

    asset: str
    name: str
    blocking: bool = False
    passed: bool | None = None
    description: str = ""


class Input(_Model):
    """One source table: the digest of what it was read from, and whether its bytes were new."""

    dataset: str
    data_version: str
    rows: int
    rejects: int
    new_bytes: bool


class Audit(_Model):
    """Everything the page says. Times are ISO 8601, UTC."""

    run_id: str
    started_at: str
    ended_at: str | None
    succeeded: bool
    sources: str
    territory: str
    real: bool
    code_version: str
    released: str | None = Field(description="the release this run published, if it did")
    current: str | None = Field(description="the release that readers use")
    steps: list[Step]
    inputs: list[Input]
    checks: list[Check]
    changes: list[str] = Field([], description="what changed from the previous release, a sentence each")

    @property
    def refused(self) -> list[Check]:
        return [check for check in self.checks if check.passed is False]

    @property
    def missing(self) -> list[Check]:
        """Checks that were expected and of which there is no trace: silence is not success."""
        return [check for check in self.checks if check.passed is None]

    @property
    def failed_steps(self) -> list[Step]:
        return [step for step in self.steps if step.status == "echouee"]


def write_audit(folder: Path, audit: Audit) -> Path:
    """Write `audits/<run>.html` and `.json`, and `audit.html`, the page of the last run; returns the first."""
    page = render_page("run/run.html.j2", fictitious=not audit.real, audit=audit)
    path = folder / "audits" / f"{audit.run_id}.html"
    replace_text(path, page)
    replace_text(path.with_suffix(".json"), audit.model_dump_json(indent=1) + "\n")
    replace_text(folder / "audit.html", page)
    return path
