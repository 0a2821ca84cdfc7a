"""The rules of secrecy of a release, read from their seed: the one home of our thresholds.

Above the models, which take a rule and read no file; below what tells of it. dbt reads the same seed as a table.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from dagster_project.models.secrecy import Secrecy, secrecy_rule
from dagster_project.settings import PROJECT_ROOT

SEED = PROJECT_ROOT / "seeds" / "secrecy_rule.csv"
OF_PRODUCERS = "producteur"
TYPES = {"secrecy_rule": pa.string(), "wording_fr": pa.string(), "least_count": pa.int64()}


class SecrecyError(RuntimeError):
    """The thresholds are not as they must be: nothing is built; the message says what to mend."""


def rules_table(path: Path = SEED) -> pa.Table:
    """The seed as dbt loads it."""
    options = csv.ConvertOptions(column_types=TYPES, strings_can_be_null=True, null_values=[""])
    return csv.read_csv(path, convert_options=options)


@cache
def rules(path: Path = SEED) -> dict[str, Secrecy]:
    """Rules that have a least count, by code; those of producers have none.

    Raises:
        SecrecyError: the seed cannot be read, a rule of ours has no least count, or one that hides nothing.
    """
    try:
        table = rules_table(path)
        counts = {row["secrecy_rule"]: row["least_count"] for row in table.to_pylist()}
        return {code: secrecy_rule(table, code) for code in counts if code != OF_PRODUCERS}
    except (OSError, ValueError, KeyError) as error:
        raise SecrecyError(f"{path} holds our thresholds of secrecy, and is not as it must be: {error}") from error
