"""What a rule of secrecy asks of a model's figures, and what a partner hid before delivering: two numbers, never one.

Our rules are rows of the seed `secrecy_rule`. What a partner hides is said by its convention, in the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from dagster_project.models.arrow_tables import rows_of


@dataclass(frozen=True)
class Secrecy:
    """A rule of the seed.

    Attributes:
        least: least count that may be shown.
        reason: French sentence that stands beside a figure withheld.
    """

    least: int
    reason: str

    def __post_init__(self) -> None:
        if self.least < 2:  # noqa: PLR2004 - a threshold of 1 hides nothing
            raise ValueError(f"Secrecy: a least count of {self.least} hides nothing; 2 at least is expected.")


def secrecy_rule(rules: pa.Table, code: str) -> Secrecy:
    """One rule of the seed.

    Args:
        rules: secrecy_rule, wording_fr (text, `{n}` for the least count), least_count (whole number).
        code: which one.

    Raises:
        ValueError: a column is missing, or the seed has no such rule with a least count.
    """
    for row in rows_of(rules, "secrecy_rule", ["secrecy_rule", "least_count", "wording_fr"]):
        if row["secrecy_rule"] == code and row["least_count"] is not None:
            return Secrecy(row["least_count"], row["wording_fr"].replace("{n}", str(row["least_count"])))
    raise ValueError(f"Table `secrecy_rule`: no rule {code} with a least count; add it to seeds/secrecy_rule.csv.")


def masked_below(catalogue: pa.Table, dataset: str) -> int:
    """Least count, zero apart, that a file shows: what it hides is 1 to this number less one.

    Args:
        catalogue: dataset (text), masked_below (whole number; null where nothing is hidden by a count).
        dataset: id of the file's dataset.

    Raises:
        ValueError: a column is missing, or the catalogue says nothing of what this file hides.
    """
    for row in rows_of(catalogue, "catalogue", ["dataset", "masked_below"]):
        if row["dataset"] == dataset and row["masked_below"] is not None:
            return int(row["masked_below"])
    raise ValueError(f"Table `catalogue`: nothing says under which count {dataset} is masked.")
