"""C1, first way: a monotone cubic through the published quantiles.

The normal score of the order, Φ⁻¹(order), is interpolated as a function of the logarithm of income (PCHIP: Fritsch and
Butland, 1984, A method for constructing local monotone piecewise cubic interpolants). Beyond the first and the last
quantile it is a line, hence lognormal tails; a lognormal distribution is recovered exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from dagster_project.models.arrow_tables import Vector


@dataclass(frozen=True)
class Spline:
    """Knots of zones that share their orders; `logs` and `slopes` are (knots, zones), `scores` (knots,)."""

    logs: Vector
    scores: Vector
    slopes: Vector

    @classmethod
    def fit(cls, orders: Vector, amounts: Vector) -> Spline:
        """Through quantiles; `orders` (knots,) in 0–1 and increasing, `amounts` (knots, zones) positive, increasing."""
        logs, scores = np.log(amounts), ndtri(orders)
        return cls(logs, scores, _slopes(logs, scores))

    def take(self, zones: NDArray[np.int64]) -> Spline:
        """The splines of some of the zones, in that order."""
        return Spline(self.logs[:, zones], self.scores, self.slopes[:, zones])

    def score(self, points: Vector) -> Vector:
        """Normal scores at logarithms of income, (points,) or (points, zones); gives (points, zones)."""
        at = np.broadcast_to(points[:, None] if points.ndim == 1 else points, (len(points), self.logs.shape[1]))
        last = len(self.scores) - 1
        # the number of knots under the point, less one; a knot below the first, or the last, serves the tails
        left = np.zeros(at.shape, dtype=np.int64)
        for knot in self.logs[1:last]:
            left += at >= knot
        zones = np.arange(at.shape[1])
        x0, x1 = self.logs[left, zones], self.logs[left + 1, zones]
        z0, z1 = self.scores[left], self.scores[left + 1]
        width = x1 - x0
        t = (at - x0) / width
        d0, d1 = self.slopes[left, zones] * width, self.slopes[left + 1, zones] * width
        rise = z1 - z0
        inside = z0 + t * (d0 + t * (3 * rise - 2 * d0 - d1 + t * (d0 + d1 - 2 * rise)))
        below = z0 + d0 * t
        above = z1 + d1 * (t - 1)
        return np.where(t < 0, below, np.where(t > 1, above, inside))


def left_out(orders: Vector, amounts: Vector) -> Vector:
    """Root mean square, over inner quantiles, of the error on the score of one that the fit was not given; (zones,)."""
    squares = np.zeros(amounts.shape[1])
    inner = range(1, len(orders) - 1)
    for k in inner:
        kept = np.delete(np.arange(len(orders)), k)
        found = Spline.fit(orders[kept], amounts[kept]).score(np.log(amounts[k])[None, :])[0]
        squares += (found - ndtri(orders[k])) ** 2
    return np.asarray(np.sqrt(squares / len(inner)))


def _slopes(logs: Vector, scores: Vector) -> Vector:
    width = np.diff(logs, axis=0)
    secant = np.diff(scores)[:, None] / width
    slopes = np.empty_like(logs)
    # the end slopes are those of the end intervals: tails keep the spread of the last pair of quantiles
    slopes[0], slopes[-1] = secant[0], secant[-1]
    before, after = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    slopes[1:-1] = (before + after) / (before / secant[:-1] + after / secant[1:])
    return slopes
