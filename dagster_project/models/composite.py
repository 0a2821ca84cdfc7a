"""A composite index: components brought to one scale, aggregated, ranked among the people of the reference zones.

Steps and vocabulary are those of the OECD/JRC handbook on composite indicators. Constants of the scale are fitted once,
on the reference zones, and apply to every zone and every draw: a published figure can be recomputed from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dagster_project.models import weighing
from dagster_project.models.arrow_tables import Mask, Vector

Normalisation = Literal["z", "min_max", "rang"]
Aggregation = Literal["arithmetique", "geometrique"]
Winsorisation = Literal["p1p99", "jrc", "aucune"]

NORMALISATIONS: tuple[Normalisation, ...] = ("z", "min_max", "rang")
AGGREGATIONS: tuple[Aggregation, ...] = ("arithmetique", "geometrique")
# Rule of thumb of the JRC (COINr applies the same): beyond both, a few zones carry the whole variance.
JRC_SKEWNESS, JRC_KURTOSIS = 2.0, 3.5
# A geometric mean needs positive numbers: 1 to 100 for bounded scales, mean 50 and sd 10 for z, never under 1.
GEOMETRIC_LOW, GEOMETRIC_SPAN, GEOMETRIC_MEAN, GEOMETRIC_SD = 1.0, 99.0, 50.0, 10.0


@dataclass(frozen=True)
class Scale:
    """Constants of one component, fitted on reference zones.

    `mean` and `sd` are those of the values held between `low` and `high`; `steps` and `ranks` give the percentile rank
    (0 to 1) of each distinct value; `touched` counts the reference zones beyond the bounds.
    """

    mean: float
    sd: float
    low: float
    high: float
    skewness: float
    kurtosis: float
    touched: int
    zones: int
    steps: Vector
    ranks: Vector


def fit(values: Vector, weights: Vector, winsorisation: Winsorisation, tails: tuple[float, float]) -> Scale | None:
    """Scale of one component, already directed (higher is worse).

    Args:
        values: reference zones, not-a-number when unknown.
        weights: population of the same zones.
        winsorisation: always at the tails, only when the JRC rule asks for it, or never.
        tails: shares of the population at which values are held, such as (0.01, 0.99).

    Returns:
        None when the component does not tell zones apart: no value, or the same everywhere between the bounds.
    """
    known = ~np.isnan(values) & (weights > 0)
    x, w = values[known], weights[known]
    if not len(x):
        return None
    _, _, skewness, kurtosis = weighing.moments(x, w)
    asked = winsorisation == "p1p99" or (
        winsorisation == "jrc" and abs(skewness) > JRC_SKEWNESS and kurtosis > JRC_KURTOSIS
    )
    low, high = (weighing.quantile(x, w, tails[0]), weighing.quantile(x, w, tails[1])) if asked else (x.min(), x.max())
    centre, sd, _, _ = weighing.moments(np.clip(x, low, high), w)
    if not sd > 0:
        return None
    ranks, _ = weighing.population_ranks(x, w)
    steps, where = np.unique(x, return_index=True)
    return Scale(
        mean=centre,
        sd=sd,
        low=float(low),
        high=float(high),
        skewness=skewness,
        kurtosis=kurtosis,
        touched=int(np.sum((x < low) | (x > high))),
        zones=len(x),
        steps=steps,
        ranks=ranks[where] / 100.0,
    )


def normalise(values: Vector, scale: Scale | None, method: Normalisation) -> Vector:
    """Values of one component on a common scale: z-score, 0 to 1 between the bounds, or percentile rank 0 to 1.

    A value between two known ones ranks between theirs. Without a scale the component is unknown everywhere.
    """
    if scale is None:
        return np.full_like(values, np.nan)
    if method == "rang":
        # `interp` carries not-a-number through
        return np.interp(values, scale.steps, scale.ranks)
    held = np.clip(values, scale.low, scale.high)
    return (held - scale.mean) / scale.sd if method == "z" else (held - scale.low) / (scale.high - scale.low)


def aggregate(scores: Vector, weights: Vector, method: Normalisation, aggregation: Aggregation) -> Vector:
    """Weighted mean over the last axis of the components that are known.

    Args:
        scores: (..., components), on the scale of `method`.
        weights: (components,) or shaped as `scores`' leading axis with components last; not negative.
        method: how the scores were normalised, which a geometric mean needs to make them positive.
        aggregation: arithmetic (compensates) or geometric (penalises imbalance).
    """
    present = np.where(np.isnan(scores), 0.0, 1.0) * weights
    total = present.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        if aggregation == "arithmetique":
            combined = np.sum(np.nan_to_num(scores) * present, axis=-1) / total
        else:
            combined = np.exp(np.sum(np.log(_positive(np.nan_to_num(scores), method)) * present, axis=-1) / total)
    return np.where(total > 0, combined, np.nan)


def first_component(scores: Vector, weights: Vector) -> Vector:
    """Weights given by the first principal component of the reference zones where all components are known.

    Args:
        scores: (zones, components) z-scores; a column wholly unknown takes weight 0.
        weights: population of the zones.

    Returns:
        (components,), summing to 1. A loading against the others keeps no weight: it would reward what harms.
    """
    usable = ~np.all(np.isnan(scores), axis=0)
    complete = ~np.any(np.isnan(scores[:, usable]), axis=1)
    found = np.zeros(scores.shape[1])
    if not usable.any() or complete.sum() <= usable.sum() or not weights[complete].sum() > 0:
        found[usable] = 1.0 / max(int(usable.sum()), 1)
        return found
    matrix = np.atleast_2d(np.cov(scores[complete][:, usable].T, aweights=weights[complete], ddof=0))
    spread = np.sqrt(np.diag(matrix))
    spread[spread == 0] = 1.0
    _, vectors = np.linalg.eigh(matrix / np.outer(spread, spread))
    loading = vectors[:, -1] * (1.0 if vectors[:, -1].sum() >= 0 else -1.0)
    loading = np.maximum(loading, 0.0)
    found[usable] = loading / loading.sum()
    return found


def enough(scores: Vector, min_share: float) -> Mask:
    """Zones with at least that share of the components expected; below it no index is computed."""
    present = np.sum(~np.isnan(scores), axis=-1)
    kept: Mask = present >= min_share * scores.shape[-1] - weighing.SHARE_TOLERANCE
    return kept


def columns(values: Vector, scales: Sequence[Scale | None], method: Normalisation) -> Vector:
    """Every component of (..., components) normalised by its own scale."""
    return np.stack([normalise(values[..., k], scale, method) for k, scale in enumerate(scales)], axis=-1)


def _positive(scores: Vector, method: Normalisation) -> Vector:
    if method == "z":
        return np.maximum(GEOMETRIC_MEAN + GEOMETRIC_SD * scores, GEOMETRIC_LOW)
    return GEOMETRIC_LOW + GEOMETRIC_SPAN * scores
