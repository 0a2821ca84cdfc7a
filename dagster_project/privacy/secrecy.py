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
TYPES = {"secrecy_rule": pa.string(), "wording_fr": pa.string(), "least_count": pa.int64()}


def rules_table(path: Path = SEED) -> pa.Table:
    """The seed as dbt loads it."""
    options = csv.ConvertOptions(column_types=TYPES, strings_can_be_null=True, null_values=[""])
    return csv.read_csv(path, convert_options=options)


@cache
def rules(path: Path = SEED) -> dict[str, Secrecy]:
    """Rules that have a least count, by code; those of producers have none.

    Raises:
        ValueError: a least count hides nothing.
    """
    table = rules_table(path)
    counted = [row["secrecy_rule"] for row in table.to_pylist() if row["least_count"] is not None]
    return {code: secrecy_rule(table, code) for code in counted}
