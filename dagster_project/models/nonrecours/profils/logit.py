"""Grouped binomial logit with a normal effect of the zone, where some counts are only known to be small.

Fitted by penalised Newton steps (IRLS); the spread of zone effects maximises the Laplace approximation of their
restricted likelihood (Breslow & Clayton, 1993; Wood, 2011). A count that the partner hides is an interval, not a
missing value: leaving these cells out would keep, of small cells, those of high take-up alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln
from scipy.stats import binom

from dagster_project.models.arrow_tables import Vector
from dagster_project.models.nonrecours.profils.parameters import ProfileParameters

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]

# Spreads of zone effects that are tried: none, then steps of 2 % from 0.01 to 3 on the logit scale. Steps rather than
# a search, so that the last bits of a processor never move the one that is kept.
_STEPS, _COARSE, _LAST = 50, 10, (-230, 55)
_HALVINGS = 30
_ROUNDING = 1e-12  # of the objective, which no step improves any more
CONFUSED = "Des effets sont confondus : les cellules comptées ne les distinguent pas."


class FitError(ArithmeticError):
    """The logit has no estimate; the message says why, in French, as figures will."""


@dataclass(frozen=True)
class Cells:
    """One entry per cell.

    Attributes:
        design: constant, then one indicator per modality but the reference.
        zone: rank of the zone.
        zones: number of zones.
        eligible: persons, at least one.
        beneficiaries: persons among them; not-a-number when all that is known is that they are 1 to `small`.
        small: largest hidden count.
    """

    design: Matrix
    zone: Ints
    zones: int
    eligible: Vector
    beneficiaries: Vector
    small: int

    def only(self, kept: NDArray[np.bool_]) -> Cells:
        """Some of the cells, in the same zones."""
        return replace(
            self,
            design=self.design[kept],
            zone=self.zone[kept],
            eligible=self.eligible[kept],
            beneficiaries=self.beneficiaries[kept],
        )


@dataclass(frozen=True)
class Fit:
    """Estimates and their joint normal law, in blocks: that of zones is diagonal.

    Attributes:
        beta: effects of the design.
        zone_effect: effect of each zone, 0 on average.
        zone_sd: spread of zone effects.
        inner: covariance of `beta`.
        pull: of each zone, what its effect moves by when `beta` moves (with the opposite sign).
        free: variance of the effect of each zone when `beta` is known.
        weight: of each zone, information of its cells.
        dispersion: by how much variances are multiplied, 1 at least.
        criterion: Laplace approximation of the restricted log-likelihood.
    """

    beta: Vector
    zone_effect: Vector
    zone_sd: float
    inner: Matrix
    pull: Matrix
    free: Vector
    weight: Vector
    dispersion: float
    criterion: float

    def logit(self, design: Matrix, zone: Ints) -> Vector:
        """Linear predictor of cells."""
        found: Vector = np.einsum("cp,p->c", design, self.beta) + self.zone_effect[zone]
        return found

    def variance(self, design: Matrix, zone: Ints, scale: Vector | None = None) -> Vector:
        """Variance of design·beta + scale·zone effect; the spread of zone effects is taken as known."""
        of_zone = np.ones(len(zone)) if scale is None else scale
        moved = design - of_zone[:, None] * self.pull[zone]
        fixed = np.einsum("cp,pr,cr->c", moved, self.inner, moved)
        found: Vector = self.dispersion * (fixed + of_zone**2 * self.free[zone])
        return found


def fit(cells: Cells, ridge: Vector, parameters: ProfileParameters) -> Fit:
    """The spread of zone effects, and the estimates under it.

    Args:
        cells: the data.
        ridge: precision of the prior of each effect of the design; 0 for none.
        parameters: choices of the model.

    Raises:
        FitError: no convergence, or an effect that nothing bounds.
    """
    if not ridge.any():
        distinguished(cells)
    best = fit_at(cells, 0.0, ridge, parameters)
    if cells.zones < 2:  # noqa: PLR2004 - the constant is the effect of a zone alone
        return _dispersed(best, cells, parameters)
    low, high = _LAST
    start, found = best, low
    for step in range(low, high + 1, _COARSE):
        start = fit_at(cells, float(np.exp(step / _STEPS)), ridge, parameters, start)
        if start.criterion > best.criterion:
            best, found = start, step
    start = best
    if best.zone_sd > 0:
        for step in range(max(found - _COARSE + 1, low), min(found + _COARSE, high + 1)):
            start = fit_at(cells, float(np.exp(step / _STEPS)), ridge, parameters, start)
            best = start if start.criterion > best.criterion else best
    return _dispersed(best, cells, parameters)


def distinguished(cells: Cells) -> None:
    """Refuse cells that cannot tell two effects apart: rounding would make numbers of nothing. Raises FitError."""
    together = np.einsum("cp,cr->pr", cells.design, cells.design)  # whole numbers: cells that two columns share
    if np.linalg.matrix_rank(together) < len(together):
        raise FitError(CONFUSED)


def fit_at(cells: Cells, zone_sd: float, ridge: Vector, parameters: ProfileParameters, start: Fit | None = None) -> Fit:
    """Estimates under a given spread of zone effects. Raises FitError as `fit` does."""
    prior = _Prior(ridge, 1 / zone_sd**2 if zone_sd > 0 else np.inf)
    now = _point(
        cells,
        prior,
        start.beta if start else np.zeros(cells.design.shape[1]),
        start.zone_effect if start and zone_sd > 0 else np.zeros(cells.zones),
    )
    step = np.inf
    for _ in range(parameters.iterations):
        move, of_zones = _newton(cells, prior, now)
        step = max(float(np.abs(move).max()), float(np.abs(of_zones).max()))
        now = _ahead(cells, prior, now, move, of_zones)
        if np.abs(now.beta).max() > parameters.diverged:
            raise FitError("Un effet n’est pas borné par les données : une modalité a un recours de 0 % ou de 100 %.")
        if step < parameters.tolerance:
            return _estimates(cells, prior, now, zone_sd)
    raise FitError(
        f"Le modèle n’a pas convergé en {parameters.iterations} itérations "
        f"(dernier pas : {step:.2g} ; {len(cells.zone)} cellules, {cells.zones} quartiers)."
    )


@dataclass(frozen=True)
class _Prior:
    ridge: Vector  # precision of each effect of the design
    precision: float  # of zone effects; infinite when there are none


@dataclass(frozen=True)
class _Point:
    """Effects, and what they say of each cell."""

    beta: Vector
    effect: Vector
    rate: Vector
    score: Vector
    weight: Vector
    value: float


@dataclass(frozen=True)
class _Blocks:
    inner: Matrix  # of effects of the design once those of zones are eliminated
    pull: Matrix
    free: Vector
    weight: Vector


def _point(cells: Cells, prior: _Prior, beta: Vector, effect: Vector) -> _Point:
    """Rates, score and information of each cell, and the penalised log-likelihood."""
    eta = np.einsum("cp,p->c", cells.design, beta) + effect[cells.zone]
    rate = expit(eta)
    mean, variance, odds = _beneficiaries(cells, eta)
    value = float((odds - cells.eligible * np.logaddexp(0, eta)).sum()) - 0.5 * float((prior.ridge * beta**2).sum())
    if np.isfinite(prior.precision):
        value -= 0.5 * prior.precision * float((effect**2).sum())
    # hiding a count takes information away, never more than there is: the binomial is log-concave
    weight = np.maximum(cells.eligible * rate * (1 - rate) - variance, 1e-12)
    return _Point(beta, effect, rate, mean - cells.eligible * rate, weight, value)


def _beneficiaries(cells: Cells, eta: Vector) -> tuple[Vector, Vector, Vector]:
    """Mean and variance of the beneficiaries given what is known of them, and the logarithm of their weight.

    A counted cell knows its number; in a hidden one it is 1 to `small`, each with its binomial weight.
    """
    mean, variance, odds = cells.beneficiaries.copy(), np.zeros(len(eta)), cells.beneficiaries * eta
    hidden = np.isnan(cells.beneficiaries)
    if hidden.any():
        count = np.arange(1.0, cells.small + 1)
        of = cells.eligible[hidden][:, None]
        ways = gammaln(of + 1) - gammaln(count + 1) - gammaln(np.maximum(of - count, 0) + 1)
        terms = np.where(count <= of, ways + count * eta[hidden][:, None], -np.inf)
        odds[hidden] = np.logaddexp.reduce(terms, axis=1)
        shares = np.exp(terms - odds[hidden][:, None])
        mean[hidden] = np.einsum("ck,k->c", shares, count)
        variance[hidden] = np.einsum("ck,ck->c", shares, (count - mean[hidden][:, None]) ** 2)
    return mean, variance, odds


def _blocks(cells: Cells, prior: _Prior, at: _Point) -> _Blocks:
    """Negative second derivatives, zones eliminated: their own block is diagonal."""
    of_zone = np.bincount(cells.zone, weights=at.weight, minlength=cells.zones)
    cross = np.column_stack(
        [np.bincount(cells.zone, weights=at.weight * column, minlength=cells.zones) for column in cells.design.T]
    )
    free = np.zeros(cells.zones) if np.isinf(prior.precision) else 1 / (of_zone + prior.precision)
    pull = cross * free[:, None]
    whole = np.einsum("cp,c,cr->pr", cells.design, at.weight, cells.design) + np.diag(prior.ridge)
    return _Blocks(whole - np.einsum("zp,zr->pr", cross, pull), pull, free, of_zone)


def _newton(cells: Cells, prior: _Prior, at: _Point) -> tuple[Vector, Vector]:
    """The step of effects of the design, and of zones."""
    blocks = _blocks(cells, prior, at)
    of_design = np.einsum("cp,c->p", cells.design, at.score) - prior.ridge * at.beta
    of_zones = np.bincount(cells.zone, weights=at.score, minlength=cells.zones)
    if np.isfinite(prior.precision):
        of_zones = of_zones - prior.precision * at.effect
    try:
        move = np.linalg.solve(blocks.inner, of_design - np.einsum("zp,z->p", blocks.pull, of_zones))
    except np.linalg.LinAlgError as error:
        raise FitError(CONFUSED) from error
    return move, blocks.free * of_zones - np.einsum("zp,p->z", blocks.pull, move)


def _ahead(cells: Cells, prior: _Prior, at: _Point, move: Vector, of_zones: Vector) -> _Point:
    """Along the step, halved until it does not go down: the objective is concave."""
    size, tried = 1.0, at
    for _ in range(_HALVINGS):
        tried = _point(cells, prior, at.beta + size * move, at.effect + size * of_zones)
        if tried.value >= at.value - _ROUNDING * abs(at.value):
            break
        size /= 2
    return tried


def _estimates(cells: Cells, prior: _Prior, at: _Point, zone_sd: float) -> Fit:
    blocks = _blocks(cells, prior, at)
    sign, size = np.linalg.slogdet(blocks.inner)
    if sign <= 0:
        raise FitError(CONFUSED)
    criterion = at.value - 0.5 * float(np.log1p(zone_sd**2 * blocks.weight).sum()) - 0.5 * float(size)
    inner = np.linalg.inv(blocks.inner)
    return Fit(at.beta, at.effect, zone_sd, inner, blocks.pull, blocks.free, blocks.weight, 1.0, criterion)


def _dispersed(found: Fit, cells: Cells, parameters: ProfileParameters) -> Fit:
    """Variances widened where cells differ by more than chance (Pearson), over cells that secrecy cannot select."""
    rate = expit(found.logit(cells.design, cells.zone))
    told = told_by_chance(cells, rate, parameters)
    shrunk = float((found.free * found.weight).sum())
    left = np.count_nonzero(told) - cells.design.shape[1] - shrunk
    if left < parameters.least_cells:
        return found
    spread = cells.eligible * rate * (1 - rate)
    pearson = float(((cells.beneficiaries - cells.eligible * rate)[told] ** 2 / spread[told]).sum())
    return replace(found, dispersion=max(1.0, pearson / left))


def told_by_chance(cells: Cells, rate: Vector, parameters: ProfileParameters) -> NDArray[np.bool_]:
    """Counted cells that secrecy had next to no chance to hide: neither few beneficiaries nor few others expected."""
    few = binom.cdf(cells.small, cells.eligible, rate) + binom.sf(
        cells.eligible - cells.small - 1, cells.eligible, rate
    )
    told: NDArray[np.bool_] = ~np.isnan(cells.beneficiaries) & (few < parameters.hidden_odds)
    return told
