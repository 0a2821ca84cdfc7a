"""How far the indices hang on measurement error and on choices that others would have made.

Each draw takes every component within its measured error, nominal weights around their value (Dirichlet), one
normalisation and one aggregation; then ranks all zones anew. The mesh is not drawn: another mesh is another run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dagster_project.models import composite, weighing
from dagster_project.models.arrow_tables import Mask, Vector
from dagster_project.models.composite import Scale
from dagster_project.models.panel import Index, Panel
from dagster_project.models.parameters import Parameters

# Draws held at once: 50 × 8,000 zones × 3 components are 10 MB.
CHUNK = 50


@dataclass(frozen=True)
class Draws:
    """Draws of one index: percentile rank 0–100 and whether it reaches the cut, both (draws, zones)."""

    index: NDArray[np.float32]
    fragile: Mask


@dataclass(frozen=True)
class Interval:
    """Median and bounds over draws; (zones,), not-a-number where the zone has no index."""

    median: Vector
    low: Vector
    high: Vector


def simulate(panel: Panel, scales: Mapping[str, list[Scale | None]], parameters: Parameters) -> dict[str, Draws]:
    """Draw all indices together: the same normalisation and aggregation serve every index of a draw.

    Draws depend only on the seed, the zones and the number of draws: an index that is absent leaves the others as they
    are.
    """
    generator = np.random.default_rng(parameters.seed)
    methods = generator.integers(len(composite.NORMALISATIONS), size=parameters.draws)
    aggregations = generator.integers(len(composite.AGGREGATIONS), size=parameters.draws)
    streams = dict(zip(sorted(panel.indices), generator.spawn(len(panel.indices)), strict=True))
    return {
        code: _simulate_index(panel, index, scales[code], parameters, (methods, aggregations), streams[code])
        for code, index in panel.indices.items()
        if any(scale is not None for scale in scales[code])
    }


def _simulate_index(
    panel: Panel,
    index: Index,
    scales: list[Scale | None],
    parameters: Parameters,
    choices: tuple[NDArray[np.int64], NDArray[np.int64]],
    generator: np.random.Generator,
) -> Draws:
    weights = generator.dirichlet(parameters.concentration * index.nominal, size=parameters.draws)
    errors = np.nan_to_num(index.errors)
    usable = np.where([scale is None for scale in scales], np.nan, index.values)
    kept = composite.enough(usable, parameters.min_share)
    # shares and rates are never negative (never positive once a direction has turned them): neither are their draws
    below = np.where(np.any(usable < 0, axis=0), -np.inf, 0.0)
    above = np.where(np.any(usable > 0, axis=0), np.inf, 0.0)
    drawn = np.empty((parameters.draws, len(panel.keys)), dtype=np.float32)
    fragile = np.empty(drawn.shape, dtype=bool)
    for start in range(0, parameters.draws, CHUNK):
        stop = min(start + CHUNK, parameters.draws)
        noise = generator.standard_normal((stop - start, *usable.shape))
        values = np.clip(usable + errors * noise, below, above)
        scores = np.empty(values.shape[:2])
        for m, method in enumerate(composite.NORMALISATIONS):
            for a, aggregation in enumerate(composite.AGGREGATIONS):
                lines = np.flatnonzero((choices[0][start:stop] == m) & (choices[1][start:stop] == a))
                scaled = composite.columns(values[lines], scales, method)
                scores[lines] = composite.aggregate(scaled, weights[start + lines, None, :], method, aggregation)
        ranks, shares = weighing.population_ranks(np.where(kept, scores, np.nan), panel.reference_weights)
        drawn[start:stop] = ranks
        fragile[start:stop] = weighing.reaches(shares, parameters.cut_quantile)
    return Draws(drawn, fragile)


def interval(draws: NDArray[Any], coverage: float) -> Interval:
    """Median and central interval of (draws, zones); a zone is known in every draw or in none."""
    tails = (0.5, (1 - coverage) / 2, (1 + coverage) / 2)
    median, low, high = np.quantile(draws.T.astype(np.float64), tails, axis=1)
    return Interval(median, low, high)


def rank_interval(panel: Panel, draws: Draws, coverage: float) -> Interval:
    """Rank of each zone among those of its level and generation, 1 the most fragile, equals sharing their mean rank."""
    ranks = np.full(draws.index.shape, np.nan, dtype=np.float32)
    for columns in groups(panel, ~np.isnan(draws.index[0])):
        ranks[:, columns] = ranks_from_most_fragile(draws.index[:, columns])
    return interval(ranks, coverage)


def groups(panel: Panel, known: Mask) -> list[NDArray[np.int64]]:
    """Positions of the known zones of each level, generation and mesh: those that may be ranked together."""
    members: dict[tuple[str, str, str], list[int]] = {}
    for position in np.flatnonzero(known):
        level, _, generation, mesh = panel.keys[position]
        members.setdefault((level, generation, mesh), []).append(int(position))
    return [np.array(positions, dtype=np.int64) for positions in members.values()]


def ranks_from_most_fragile(index: NDArray[Any]) -> Vector:
    """Ranks over the last axis, 1 for the highest index."""
    from scipy.stats import rankdata

    ranks: Vector = rankdata(-index, method="average", axis=-1)
    return ranks
