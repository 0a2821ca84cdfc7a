"""Moran's I and its local form, by permutation (Moran 1950, Anselin 1995).

The statistics, the draws and the two-sided rule are those of PySAL's `esda`, the peer that tests compare with. Written
here because esda compiles its kernels anew in every process: 22 s before the first figure, where this takes a tenth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dagster_project.models.arrow_tables import Vector

Integers = NDArray[np.int64]

# Drawn values held at once: 32 MB, whatever the number of zones.
HELD = 4_000_000
# Standardised values equal to this many decimals are one value: the order of a sum must not part what is tied.
DECIMALS = 12


@dataclass(frozen=True)
class Global:
    """Moran's I of the ground as it is, and of `draws` grounds with the values dealt out anew."""

    i: float
    expected: float
    drawn: Vector

    @property
    def z(self) -> float:
        """Distance of I from the mean of the draws, in their standard deviations; not finite where all are alike."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return float((self.i - self.drawn.mean()) / self.drawn.std())

    @property
    def p(self) -> float:
        """Two-sided: share of draws as far from their mean as I is, I counted among them."""
        mean = self.drawn.mean()
        return float((1 + (np.abs(self.drawn - mean) >= abs(self.i - mean)).sum()) / (len(self.drawn) + 1))


@dataclass(frozen=True)
class Local:
    """Local Moran's I, zone by zone.

    `p` is two-sided, from conditional permutations: the zone keeps its value, its neighbours take any others'.
    `quadrant`: 1 high among high, 2 low among high, 3 low among low, 4 high among low; a zone at the mean is low.
    """

    i: Vector
    p: Vector
    quadrant: Integers


def row_standardised(focal: Integers, neighbour: Integers, zones: int) -> Any:
    """Sparse weights that take the mean over a zone's neighbours; every zone needs one."""
    counts = np.bincount(focal, minlength=zones)
    weights: Any = sparse.csr_array((1.0 / counts[focal], (focal, neighbour)), shape=(zones, zones))
    weights.sort_indices()
    return weights


def global_moran(y: Vector, weights: Any, draws: int, seed: int) -> Global:
    """Moran's I under row-standardised weights, with its draws.

    Args:
        y: a value per zone, not all the same.
        weights: see `row_standardised`.
        draws: number of permutations.
        seed: seed of the permutations.
    """
    n, deviation = len(y), y - y.mean()
    scale, squares = n / weights.data.sum(), (deviation * deviation).sum()

    def of(values: Vector) -> float:
        return float(scale * (values * (weights @ values)).sum() / squares)

    generator = np.random.RandomState(seed)  # esda's stream: the same seed gives its draws
    drawn = np.array([of(generator.permutation(deviation)) for _ in range(draws)])
    return Global(of(deviation), -1.0 / (n - 1), drawn)


def local_moran(y: Vector, weights: Any, draws: int, seed: int) -> Local:
    """Local Moran's I; arguments as for `global_moran`.

    Each draw deals a list of other zones, of which a zone takes as many as it has neighbours.
    """
    z = (y - y.mean()) / y.std()
    lag = weights @ z
    factor = (len(y) - 1) * z / (z * z).sum()
    neighbours = np.diff(weights.indptr)
    dealt = _dealt(len(y), int(neighbours.max()), draws, seed)
    p = np.empty(len(y))
    for zones in _of_one_degree(neighbours, max(1, HELD // draws)):
        degree = int(neighbours[zones[0]])
        total = np.zeros((len(zones), draws))
        for others in dealt[:degree]:
            # places among the other zones: those from the zone on are one further along
            total += z[others + (others >= zones[:, None])]
        drawn = factor[zones, None] * (total / degree)
        p[zones] = two_sided(factor[zones] * lag[zones], drawn)
    quadrant = np.select([(z > 0) & (lag > 0), lag > 0, z <= 0], [1, 2, 3], 4).astype(np.int64)
    return Local(factor * lag, p, quadrant)


def _dealt(zones: int, most: int, draws: int, seed: int) -> Integers:
    """(most, draws): for each draw, distinct places among `zones` - 1."""
    generator = np.random.RandomState(seed)
    return np.array([generator.permutation(zones - 1)[:most] for _ in range(draws)], dtype=np.int64).T


def _of_one_degree(neighbours: Integers, most: int) -> Iterator[Integers]:
    """Zones with the same number of neighbours, at most `most` at a time."""
    for degree in np.unique(neighbours):
        zones = np.flatnonzero(neighbours == degree)
        for start in range(0, len(zones), most):
            yield zones[start : start + most]


def two_sided(observed: Vector, drawn: Vector) -> Vector:
    """Share of draws outside the interval from the observed value to its counterpart on the other side.

    The counterpart stands at the opposite quantile; both are interpolated between neighbouring draws. The observed
    value counts once among the draws.

    Args:
        observed: (zones,).
        drawn: (zones, draws).
    """
    draws = drawn.shape[1]
    drawn = np.sort(np.round(drawn, DECIMALS), axis=1)
    at_most = (drawn <= np.round(observed, DECIMALS)[:, None]).sum(axis=1)
    tail = np.minimum(at_most, draws - at_most)
    # Quantile tail/draws lies after the tail-th draw and before the next: what is at or below it are the draws at or
    # below the former, or the least one when the tail is empty. The same holds from above.
    place = np.maximum(tail, 1)
    rows = np.arange(len(drawn))
    low, high = drawn[rows, place - 1], drawn[rows, draws - place]
    outside = (drawn <= low[:, None]).sum(axis=1) + (drawn >= high[:, None]).sum(axis=1)
    share: Vector = np.minimum(1.0, (outside + 1) / (draws + 1))
    return share
