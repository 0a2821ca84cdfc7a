"""What a component truly weighs in an index, beside the weight it was given.

Components that vary together count twice: equal nominal weights are not equal importance. Both measures are taken on
the linear index (before it is turned into ranks), over reference zones, each weighing its population.
"""

from __future__ import annotations

import numpy as np

from dagster_project.models import weighing
from dagster_project.models.arrow_tables import Vector

BINS = 20


def squared_correlations(scores: Vector, index: Vector, weights: Vector) -> Vector:
    """Squared Pearson correlation of each of (zones, components) with the index; not-a-number without spread."""
    return np.array([weighing.correlation(column, index, weights) ** 2 for column in scores.T])


def first_order_sobol(scores: Vector, index: Vector, weights: Vector, bins: int = BINS) -> Vector:
    """Share of the index's variance that each component explains alone: Var(E[index | component]) / Var(index).

    Estimated as McKay's correlation ratio: zones are put in `bins` bins of the component, of equal population and never
    splitting equal values; the variance between bin means is divided by the whole variance. What varies inside a bin
    is lost (some 3 % of a normal component with 20 bins), and with few zones a bin it errs upward by about
    bins / zones. Not-a-number for a component without spread.
    """
    return np.array([_correlation_ratio(column, index, weights, bins) for column in scores.T])


def _correlation_ratio(component: Vector, index: Vector, weights: Vector, bins: int) -> float:
    known = ~np.isnan(component) & ~np.isnan(index) & (weights > 0)
    x, y, w = component[known], index[known], weights[known]
    if len(x) < 2 or x.min() == x.max() or y.min() == y.max():  # noqa: PLR2004 - one zone has no variance
        return float("nan")
    _, shares = weighing.population_ranks(x, w)
    number = np.minimum(np.ceil(shares * bins - weighing.SHARE_TOLERANCE).astype(int), bins) - 1
    people = np.bincount(number, w, bins)
    totals = np.bincount(number, w * y, bins)
    centre = float(np.average(y, weights=w))
    filled = people > 0
    between = float(np.sum(people[filled] * (totals[filled] / people[filled] - centre) ** 2))
    return between / float(np.sum(w * (y - centre) ** 2))
