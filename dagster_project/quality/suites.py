"""Expectation suites: one hand-written JSON file per table, ids stable so that the history of a check survives edits.

    {"name": "insee_demo", "table": "insee_demo", "layer": "raw", "owner": "data-et-quartiers",
     "derive": {"population": "nombre(POP_MUN)"},
     "expectations": [{"id": "population-plausible", "type": "expect_column_values_to_be_between",
                       "severity": "critical", "reason": "…", "kwargs": {"column": "population", "min_value": 300}}]}

`derive` adds columns by DuckDB SQL over the table, each able to use those before it. `query` replaces the table by
a SELECT over the relation `source`, for tables too large to be checked row by row. Both may use the macros of
`frames.MACROS`.
A rule on a derived column says in `broken_by` what breaks it, so that a rule that cannot fail is found out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from dagster_project.settings import PROJECT_ROOT

EXPECTATIONS_DIR = PROJECT_ROOT / "expectations"
Severity = Literal["critical", "warning", "info"]

# Great Expectations accepts any keyword and ignores what it does not know: a misspelt bound would be a check
# that cannot fail. Hence this list; a new type of expectation is one line here.
_MAP = {"mostly"}
ACCEPTED_KWARGS: dict[str, set[str]] = {
    "expect_column_values_to_not_be_null": {"column", *_MAP},
    "expect_column_values_to_match_regex": {"column", "regex", *_MAP},
    "expect_column_values_to_be_in_set": {"column", "value_set", *_MAP},
    "expect_column_values_to_be_between": {"column", "min_value", "max_value", *_MAP},
    "expect_column_pair_values_a_to_be_greater_than_b": {"column_A", "column_B", "or_equal", "ignore_row_if", *_MAP},
    "expect_compound_columns_to_be_unique": {"column_list", *_MAP},
    "expect_column_mean_to_be_between": {"column", "min_value", "max_value"},
    "expect_column_median_to_be_between": {"column", "min_value", "max_value"},
    "expect_column_sum_to_be_between": {"column", "min_value", "max_value"},
    "expect_column_quantile_values_to_be_between": {"column", "quantile_ranges"},
    "expect_column_distinct_values_to_contain_set": {"column", "value_set"},
}
_OPTIONAL = {"mostly", "or_equal", "ignore_row_if"}
_ONE_BOUND_IS_ENOUGH = {"min_value", "max_value"}


class SuiteError(ValueError):
    """A suite file is wrong; the message names the file and the key."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expectation(_Strict):
    """One rule: what, how serious (`critical` blocks the run), and why, in French for whoever reads the report."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    type: str
    severity: Severity
    reason: str = Field(min_length=20)
    kwargs: dict[str, Any]
    broken_by: str | None = Field(
        None,
        description="SQL on a sound table `t` after which the rule does not hold: tests show by it that it can fail",
    )
    scope: Literal["real"] | None = Field(None, description="`real`: has no meaning on the demonstration territory")

    @model_validator(mode="after")
    def _known(self) -> Expectation:
        accepted = ACCEPTED_KWARGS.get(self.type)
        if accepted is None:
            raise ValueError(f"{self.id}: type {self.type!r} is not one of {', '.join(ACCEPTED_KWARGS)}")
        if unknown := self.kwargs.keys() - accepted:
            raise ValueError(f"{self.id}: {self.type} takes {sorted(accepted)}, not {sorted(unknown)}")
        missing = accepted - _OPTIONAL - self.kwargs.keys()
        if missing - _ONE_BOUND_IS_ENOUGH or missing >= _ONE_BOUND_IS_ENOUGH:
            raise ValueError(f"{self.id}: {self.type} also needs {sorted(missing)}")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the rule looks at."""
        named = [self.kwargs[key] for key in ("column", "column_A", "column_B") if key in self.kwargs]
        return (*named, *self.kwargs.get("column_list", ()))


class Suite(_Strict):
    """The rules of one table; `name` is the file's."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    table: str = Field(pattern=r"^[a-z0-9_]+$")
    layer: Literal["raw", "mart"]
    owner: str = Field(min_length=2)
    query: str | None = None
    derive: dict[str, str] = Field(default_factory=dict)
    expectations: tuple[Expectation, ...] = Field(min_length=1)

    @field_validator("query", mode="before")
    @classmethod
    def _lines(cls, value: object) -> object:
        """SQL may be a list of lines: JSON has no multi-line text."""
        return "\n".join(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _unique_ids(self) -> Suite:
        ids = [expectation.id for expectation in self.expectations]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"ids stand twice: {twice}")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the rules name, derived ones included, in order of appearance."""
        return tuple(dict.fromkeys(column for expectation in self.expectations for column in expectation.columns))


def load_suite(path: Path) -> Suite:
    """One suite; raises SuiteError naming the file and the key."""
    try:
        suite = Suite.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, ValueError) as error:
        raise SuiteError(f"{path.name}: {error}") from error
    if suite.name != path.stem:
        raise SuiteError(f"{path.name}: `name` is {suite.name!r}; it must be {path.stem!r}")
    return suite


def load_suites(directory: Path = EXPECTATIONS_DIR) -> dict[str, Suite]:
    """All suites by name, in a stable order."""
    return {path.stem: load_suite(path) for path in sorted(directory.glob("*.json"))}
