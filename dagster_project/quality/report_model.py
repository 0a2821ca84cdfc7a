"""What the quality report says, as data. The HTML page is one rendering of it, `.json` beside it the other."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dagster_project.quality.access import Access
from dagster_project.quality.downscaling import DownscalingError
from dagster_project.quality.nonrecours import NonRecours
from dagster_project.quality.results import ExpectationResult

Verdict = Literal["bloque", "avertissements", "conforme"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RunInfo(_Model):
    """Which run is reported. Times are ISO 8601, UTC."""

    run_id: str
    built_at: str = Field(description="when the raw tables stood and the build began, as its lock says")
    real: bool = Field(description="False on the demonstration territory: the page then says that data are fictitious")
    sources: str = Field(description="demo, mirror or live")
    territory: str
    code_version: str | None = None


class SourceFileInfo(_Model):
    """One file as it was received."""

    name: str
    vintage: str
    sha256: str
    size: int = Field(description="bytes")
    fetched_at: str
    origin: str
    url: str


class ValidationInfo(_Model):
    """One check of a received file; a failed required one stops the dataset."""

    file: str
    name: str
    passed: bool
    required: bool
    message: str


class RejectInfo(_Model):
    """One row that could not be read."""

    file: str
    row: int
    reason: str
    content: str


class DatasetInfo(_Model):
    """One raw table: where it comes from and what the fetch and the reader said of it."""

    id: str
    title: str
    producer: str
    page: str
    licence: str
    licence_url: str
    citation: str
    rows: int
    sources: list[SourceFileInfo] = []
    validations: list[ValidationInfo] = []
    reject_count: int = 0
    rejects: list[RejectInfo] = []

    @property
    def validations_failed(self) -> list[ValidationInfo]:
        return [check for check in self.validations if not check.passed]


class DbtTest(_Model):
    """One dbt test, data or unit; `blocking` when its severity is error."""

    unique_id: str
    name: str
    model: str
    kind: Literal["data", "unit"]
    status: Literal["pass", "warn", "fail", "error", "skipped"]
    blocking: bool
    failures: int | None = None
    message: str | None = None
    failing_rows: list[dict[str, Any]] = []

    @property
    def passed(self) -> bool:
        return self.status == "pass"


class Tally(_Model):
    """How many checks of one kind: all, failed and blocking, failed and not blocking, not evaluated."""

    kind: str
    total: int
    blocking: int
    warnings: int
    skipped: int = 0


class QualityReport(_Model):
    """Everything that was checked in a run, and what came of it."""

    run: RunInfo
    datasets: list[DatasetInfo]
    expectations: list[ExpectationResult]
    dbt_tests: list[DbtTest] = []
    downscaling: list[DownscalingError] = Field([], description="measured error of figures brought from IRIS or tiles")
    access: Access = Field(Access(), description="what became of streets, timetables, offers and journeys")
    nonrecours: NonRecours = Field(NonRecours(), description="national check of non-take-up, and what became of zones")

    @property
    def tallies(self) -> list[Tally]:
        received = [check for dataset in self.datasets for check in dataset.validations]
        rules, tests = self.expectations, self.dbt_tests
        return [
            Tally(
                kind="Contrôles des fichiers reçus",
                total=len(received),
                blocking=sum(not check.passed and check.required for check in received),
                warnings=sum(not check.passed and not check.required for check in received),
            ),
            Tally(
                kind="Attentes sur les tables",
                total=len(rules),
                blocking=sum(rule.blocking for rule in rules),
                warnings=sum(not rule.passed and not rule.blocking for rule in rules),
                skipped=sum(rule.skipped for rule in rules),
            ),
            Tally(
                kind="Tests dbt",
                total=len(tests),
                blocking=sum(test.status in {"fail", "error"} and test.blocking for test in tests),
                warnings=sum(
                    test.status == "warn" or (test.status in {"fail", "error"} and not test.blocking) for test in tests
                ),
                skipped=sum(test.status == "skipped" for test in tests),
            ),
        ]

    @property
    def verdict(self) -> Verdict:
        if any(tally.blocking for tally in self.tallies):
            return "bloque"
        return "avertissements" if any(tally.warnings for tally in self.tallies) else "conforme"

    @property
    def reject_count(self) -> int:
        return sum(dataset.reject_count for dataset in self.datasets)

    def of_table(self, table: str) -> list[ExpectationResult]:
        """Expectations on a table, failed ones first."""
        return sorted((rule for rule in self.expectations if rule.table == table), key=lambda rule: rule.passed)

    @property
    def mart_tables(self) -> list[str]:
        """Tables that are checked but come from no single dataset."""
        known = {dataset.id for dataset in self.datasets}
        return list(dict.fromkeys(rule.table for rule in self.expectations if rule.table not in known))
