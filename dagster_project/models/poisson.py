"""Counts of events against expected counts: intervals of a ratio, and its smoothing by empirical Bayes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.models.arrow_tables import Vector


@dataclass(frozen=True)
class Gamma:
    """Prior of the ratio observed / expected across zones: mean alpha / beta, variance alpha / beta².

    Both are infinite when zones do not differ by more than chance; `mean` is then all that is known.
    """

    alpha: float
    beta: float
    mean: float


def byar(observed: Vector, level: float = 0.95) -> tuple[Vector, Vector]:
    """Byar's bounds of the mean of a Poisson count, within 1 % of the exact ones from 5 events on.

    Args:
        observed: counts, not negative.
        level: coverage of the two-sided interval.
    """
    from scipy.stats import norm

    z = float(norm.ppf((1 + level) / 2))
    above = observed + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        low = observed * (1 - 1 / (9 * observed) - z / (3 * np.sqrt(observed))) ** 3
    high = above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3
    # no event bounds nothing from below; under one event the formula leaves the positive numbers
    return np.where(observed > 0, np.maximum(low, 0.0), np.where(np.isnan(observed), np.nan, 0.0)), high


def fit_gamma(observed: Vector, expected: Vector) -> Gamma:
    """Fit the prior by the method of moments (Marshall, 1991).

    With m = ΣO/ΣE and s² the variance of O/E weighted by E, the variance between zones is s² − m / mean(E); under zero
    it is taken as zero.

    Args:
        observed: events of zones whose count is known.
        expected: expected events of the same zones, positive.

    Raises:
        ValueError: when there is no zone.
    """
    if not len(observed):
        raise ValueError("No zone has both observed and expected events: the prior cannot be fitted.")
    centre = float(observed.sum() / expected.sum())
    spread = float(np.sum(expected * (observed / expected - centre) ** 2) / expected.sum())
    between = spread - centre / float(expected.mean())
    if between <= 0 or centre <= 0:
        return Gamma(float("inf"), float("inf"), centre)
    return Gamma(centre**2 / between, centre / between, centre)


def posterior(observed: Vector, expected: Vector, prior: Gamma, level: float = 0.95) -> tuple[Vector, Vector, Vector]:
    """Posterior mean (O + alpha) / (E + beta) of each zone's ratio, with its central credible interval.

    Where zones do not differ by more than chance, all take the common ratio, with Byar's interval of that ratio.
    """
    from scipy.stats import gamma

    if not np.isfinite(prior.alpha):
        low, high = byar(np.array([observed.sum()]), level)
        total, alike = float(expected.sum()), np.ones(len(observed))
        return prior.mean * alike, low[0] / total * alike, high[0] / total * alike
    shape, rate = observed + prior.alpha, expected + prior.beta
    tails = ((1 - level) / 2, (1 + level) / 2)
    return shape / rate, gamma.ppf(tails[0], shape) / rate, gamma.ppf(tails[1], shape) / rate
