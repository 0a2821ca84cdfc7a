"""Statistics of zones in which people, not zones, count: every zone weighs its population."""

from __future__ import annotations

import numpy as np

from dagster_project.models.arrow_tables import Mask, Vector

# Shares are sums of weights: one ulp under the cut is still the cut.
SHARE_TOLERANCE = 1e-9


def mean(values: Vector, weights: Vector) -> float:
    """Mean of the values that are known."""
    known = ~np.isnan(values)
    return float(np.average(values[known], weights=weights[known]))


def moments(values: Vector, weights: Vector) -> tuple[float, float, float, float]:
    """Mean, standard deviation (population form), skewness and excess kurtosis; the last two 0 without spread."""
    centre = mean(values, weights)
    deviation = values - centre
    variance = mean(deviation**2, weights)
    if variance <= 0:
        return centre, 0.0, 0.0, 0.0
    return (
        centre,
        variance**0.5,
        mean(deviation**3, weights) / variance**1.5,
        mean(deviation**4, weights) / variance**2 - 3.0,
    )


def quantile(values: Vector, weights: Vector, share: float) -> float:
    """The smallest known value at or under which lives at least `share` of the population."""
    known = ~np.isnan(values) & (weights > 0)
    order = np.argsort(values[known], kind="stable")
    cumulated = np.cumsum(weights[known][order])
    position = int(np.searchsorted(cumulated, (share - SHARE_TOLERANCE) * cumulated[-1]))
    return float(values[known][order][min(position, len(order) - 1)])


def correlation(left: Vector, right: Vector, weights: Vector) -> float:
    """Pearson's correlation over zones where both are known; not-a-number without spread."""
    known = ~np.isnan(left) & ~np.isnan(right)
    a, b, w = left[known], right[known], weights[known]
    if not w.sum() > 0:
        return float("nan")
    a, b = a - np.average(a, weights=w), b - np.average(b, weights=w)
    spread = float(np.sum(w * a * a) * np.sum(w * b * b))
    return float(np.sum(w * a * b)) / spread**0.5 if spread > 0 else float("nan")


def population_ranks(scores: Vector, weights: Vector) -> tuple[Vector, Vector]:
    """Where each zone stands among the people of the reference zones.

    Args:
        scores: (zones,) or (draws, zones); not-a-number is neither ranked nor counted.
        weights: (zones,), population of reference zones, 0 for zones that are ranked without being counted.

    Returns:
        Two arrays shaped as `scores`. The percentile rank, 0 to 100: share of the people who live strictly under the
        zone's score, plus half of those at it. And the share, 0 to 1, of the people at or under the score.

    Raises:
        ValueError: when nobody lives in a zone with a score.
    """
    order = np.argsort(scores, axis=-1, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=-1)
    people = np.where(np.isnan(ordered), 0.0, weights[order])
    cumulated = np.cumsum(people, axis=-1)
    total = cumulated[..., -1:]
    if not np.all(total > 0):
        raise ValueError("No reference zone has both a score and a population: there is nothing to rank against.")
    changes = ordered[..., 1:] != ordered[..., :-1]
    edge = np.ones_like(ordered[..., :1], dtype=bool)
    first, last = np.concatenate([edge, changes], axis=-1), np.concatenate([changes, edge], axis=-1)
    under = np.maximum.accumulate(np.where(first, cumulated - people, 0.0), axis=-1)
    upto = np.minimum.accumulate(np.where(last, cumulated, np.inf)[..., ::-1], axis=-1)[..., ::-1]
    unknown = np.isnan(ordered)
    percentile = np.clip(np.where(unknown, np.nan, 50.0 * (under + upto) / total), 0.0, 100.0)
    share = np.where(unknown, np.nan, upto / total)
    ranks, shares = np.empty_like(percentile), np.empty_like(share)
    np.put_along_axis(ranks, order, percentile, axis=-1)
    np.put_along_axis(shares, order, share, axis=-1)
    return ranks, shares


def reaches(shares: Vector, cut_quantile: float) -> Mask:
    """Zones at or above the population-weighted quantile, from the shares given by `population_ranks`."""
    reached: Mask = shares >= cut_quantile - SHARE_TOLERANCE
    return reached
