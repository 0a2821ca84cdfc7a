"""Exact statements on counts: intervals of a proportion, agreement of two yes-or-no labels."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.models.arrow_tables import Mask


@dataclass(frozen=True)
class Proportion:
    """Clopper–Pearson bounds of k successes out of n: two-sided, and the lower one-sided bound of the same level."""

    low: float
    high: float
    low_one_sided: float


def clopper_pearson(k: int, n: int, alpha: float = 0.05) -> Proportion:
    """Exact bounds; even n out of n leaves room under 1.

    Raises:
        ValueError: when k is not between 0 and n, or n is 0.
    """
    from scipy.stats import beta

    if not 0 <= k <= n or n == 0:
        raise ValueError(f"Clopper–Pearson: {k} out of {n} is not a proportion.")

    def lower(level: float) -> float:
        return float(beta.ppf(level, k, n - k + 1)) if k else 0.0

    return Proportion(lower(alpha / 2), float(beta.ppf(1 - alpha / 2, k + 1, n - k)) if k < n else 1.0, lower(alpha))


def agreement(first: Mask, second: Mask) -> tuple[float, float]:
    """Cohen's kappa and Matthews' correlation coefficient; not-a-number where a label never varies."""
    both, one = float((first & second).sum()), float((first & ~second).sum())
    other, none = float((~first & second).sum()), float((~first & ~second).sum())
    n = both + one + other + none
    spread = (both + one) * (both + other) * (none + one) * (none + other)
    if n == 0 or spread == 0:
        return float("nan"), float("nan")
    chance = ((both + one) * (both + other) + (none + one) * (none + other)) / n**2
    return ((both + none) / n - chance) / (1 - chance), (both * none - one * other) / spread**0.5
