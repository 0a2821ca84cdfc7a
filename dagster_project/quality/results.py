"""What a rule found, and the cache of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from dagster_project.closure import code_version
from dagster_project.quality.suites import Severity, Suite
from dagster_project.text_files import replace_text

_CHECKING = ("dagster_project.quality.engine", "dagster_project.quality.results")


class ExpectationResult(BaseModel):
    """Outcome of one expectation on one table.

    Attributes:
        observed: what was seen, in plain French.
        element_count: rows looked at; None for a rule on the whole column.
        failing_rows: the first failing rows, whole, with `_vintage` and `_source_row` where the table has them.
        skipped: not evaluated, because it only makes sense on real sources or the dataset is absent; counts as passed.
        error: why the rule could not be evaluated (a missing column, for instance); counts as failed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: str
    table: str
    id: str
    type: str
    severity: Severity
    reason: str
    passed: bool
    observed: str
    unexpected_count: int | None = None
    element_count: int | None = None
    failing_rows: list[dict[str, Any]] = []
    kwargs: dict[str, Any]
    skipped: bool = False
    error: str | None = None

    @property
    def blocking(self) -> bool:
        """True when this result must stop the run."""
        return not self.passed and self.severity == "critical"


_RESULTS = TypeAdapter(list[ExpectationResult])


def cache_key(suite: Suite, path: Path, *, real: bool) -> str:
    """Everything a result depends on: the table's bytes, the suite, the code, the libraries, real or fictitious."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    digest.update(suite.model_dump_json().encode())
    digest.update(f"{code_version(*_CHECKING)} {real}".encode())
    return digest.hexdigest()


def validation_path(directory: Path, suite: Suite) -> Path:
    """Where the same results are kept in Great Expectations' own form, for its Data Docs."""
    return directory / f"{suite.name}.validation.json"


def read_cache(directory: Path, suite: Suite, key: str) -> list[ExpectationResult] | None:
    """Cached results, or None when there are none for this key. A damaged file is as good as none."""
    path = directory / f"{suite.name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not validation_path(directory, suite).exists():
            return None
        return _RESULTS.validate_python(content["results"]) if content["key"] == key else None
    except (OSError, KeyError, TypeError, ValueError, ValidationError):
        return None  # it is rebuilt from the table


def write_cache(
    directory: Path, suite: Suite, key: str, results: list[ExpectationResult], validation: dict[str, Any]
) -> None:
    """Keep the results of a suite, in place of the previous ones."""
    _write(validation_path(directory, suite), validation)
    _write(directory / f"{suite.name}.json", {"key": key, "results": _RESULTS.dump_python(results, mode="json")})


def _write(path: Path, content: dict[str, Any]) -> None:
    replace_text(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
