"""C1, second way: the generalised beta of the second kind, fitted on the published quantiles.

F(y) = I(u / (1 + u); p, q) with u = (y / b)^a, I the regularised incomplete beta function (McDonald, 1984, Some
generalized functions for the size distribution of income). Least squares on normal scores, every zone at once, by
Levenberg–Marquardt on log a, log b, log p and log q. A faint pull of log p and log q towards 0 keeps them where eleven
quantiles cannot tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, expit, ndtri

from dagster_project.models.arrow_tables import Vector

_PULL = 1e-3
_STEP = 1e-5
_ROUNDS = 40
# A round that gains less than this on the cost, relative or absolute, is the last of its zone.
_GAIN = (1e-4, 1e-10)
_TINY = 1e-12
_BOUND = 3.0


@dataclass(frozen=True)
class GB2:
    """Distributions of zones; `theta` is (4, zones): log a, log b, log p, log q. `rmse` (zones,) is on scores."""

    theta: Vector
    rmse: Vector

    @classmethod
    def fit(cls, orders: Vector, amounts: Vector) -> GB2:
        """Fit quantiles; `orders` (knots,) increasing in 0–1, `amounts` (knots, zones) positive and increasing."""
        logs, scores = np.log(amounts), ndtri(orders)
        theta = _levenberg(logs, scores, _start(logs, scores))
        residuals = _scores(theta, logs) - scores[:, None]
        return cls(theta, np.sqrt(np.mean(residuals**2, axis=0)))

    def take(self, zones: NDArray[np.int64]) -> GB2:
        """The distributions of some of the zones, in that order."""
        return GB2(self.theta[:, zones], self.rmse[zones])

    def score(self, points: Vector) -> Vector:
        """Normal scores at logarithms of income (points,) or (points, zones); gives (points, zones)."""
        return _scores(self.theta, points[:, None] if points.ndim == 1 else points)


def _start(logs: Vector, scores: Vector) -> Vector:
    """The Fisk distribution (p = q = 1) through the median that has the spread of the middle quantiles."""
    centred = scores - scores.mean()
    slope = np.einsum("k,kz->z", centred, logs) / np.sum(centred**2)
    middle = logs.mean(axis=0) - slope * scores.mean()
    # a logistic whose score is near a line of slope 1 / s has the scale s × 1.7
    return np.stack([np.log(1.7 / slope), middle, np.zeros_like(slope), np.zeros_like(slope)])


def _scores(theta: Vector, logs: Vector) -> Vector:
    share = expit(np.exp(theta[0]) * (logs - theta[1]))
    below = betainc(np.exp(theta[2]), np.exp(theta[3]), share)
    return np.asarray(ndtri(np.clip(below, _TINY, 1 - _TINY)))


def _levenberg(logs: Vector, scores: Vector, theta: Vector) -> Vector:
    theta = theta.copy()
    damping = np.full(theta.shape[1], 1e-2)
    active = np.arange(theta.shape[1])
    found = _scores(theta, logs)
    for _ in range(_ROUNDS):
        here, x = theta[:, active], logs[:, active]
        residual, slopes = found[:, active] - scores[:, None], _jacobian(here, x, found[:, active])
        normal, gradient = np.einsum("ikz,jkz->ijz", slopes, slopes), np.einsum("ikz,kz->iz", slopes, residual)
        for shape in (2, 3):
            normal[shape, shape] += _PULL**2
            gradient[shape] += _PULL**2 * here[shape]
        diagonal = np.einsum("iiz->iz", normal)
        damped = normal.copy()
        for i in range(len(here)):
            damped[i, i] += damping[active] * diagonal[i] + _TINY
        step = np.clip(-_solve(damped, gradient), -1.0, 1.0)
        tried = here + step
        tried[2:] = np.clip(tried[2:], -_BOUND, _BOUND)
        then = _scores(tried, x)
        before, after = _cost(residual, here), _cost(then - scores[:, None], tried)
        better = after <= before
        theta[:, active] = np.where(better, tried, here)
        found[:, active] = np.where(better, then, found[:, active])
        damping[active] = np.where(better, damping[active] / 5, damping[active] * 7)
        active = active[~better | (before - after > _GAIN[0] * before + _GAIN[1])]
        if not active.size:
            break
    return theta


def _cost(residual: Vector, theta: Vector) -> Vector:
    return np.asarray(np.sum(residual**2, axis=0) + _PULL**2 * np.sum(theta[2:] ** 2, axis=0))


def _jacobian(theta: Vector, logs: Vector, scores: Vector) -> Vector:
    """Slopes of scores along each parameter, (4, knots, zones); those of p and q by differences."""
    a, p, q = np.exp(theta[0]), np.exp(theta[2]), np.exp(theta[3])
    power = a * (logs - theta[1])
    # density of log u under a beta of the second kind, over that of the normal score
    log_density = p * power - (p + q) * np.logaddexp(0, power) - betaln(p, q)
    along = np.exp(log_density + scores**2 / 2 + np.log(2 * np.pi) / 2)
    slopes = np.empty((4, *logs.shape))
    slopes[0], slopes[1] = along * power, -along * a
    for shape in (2, 3):
        moved = theta.copy()
        moved[shape] += _STEP
        slopes[shape] = (_scores(moved, logs) - scores) / _STEP
    return slopes


def _solve(matrix: Vector, right: Vector) -> Vector:
    """Solve (n, n, zones) systems, symmetric and positive, by elimination: the same bits whatever the BLAS."""
    left, found = matrix.copy(), right.copy()
    n = len(found)
    for i in range(n):
        for j in range(i + 1, n):
            ratio = left[j, i] / left[i, i]
            left[j, i:] -= ratio * left[i, i:]
            found[j] -= ratio * found[i]
    for i in reversed(range(n)):
        for j in range(i + 1, n):
            found[i] -= left[i, j] * found[j]
        found[i] /= left[i, i]
    return found
