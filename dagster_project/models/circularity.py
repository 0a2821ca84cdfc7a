"""QPV are chosen by income: does the claim say more than that poor neighbourhoods are poor?

Two controls, both given income: the nearest zone in income of the same EPCI, and a logistic regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.models import weighing
from dagster_project.models.arrow_tables import Mask, Vector
from dagster_project.models.field import Field

DECILES = 10
# Each coefficient but the constant follows a normal law of this standard deviation: enough to tame separation (all QPV
# sensitive makes the odds infinite), too little to matter elsewhere (Gelman and others, 2008, for a logit scale).
PRIOR_SD = 2.5
ITERATIONS, TOLERANCE = 100, 1e-9


@dataclass(frozen=True)
class Effect:
    """An estimate with its 95 % interval, clustered by commune.

    `zones` are those used; `excluded`, the QPV zones (matching) or zones (logit) left out for want of income, EPCI,
    value or comparison; `income_gap`, what is left of the difference in income after matching.
    """

    estimate: float
    low: float
    high: float
    zones: int
    clusters: int
    excluded: int
    income_gap: float


def matched_difference(field: Field, income: Vector, qpv_zone: Mask) -> Effect | None:
    """Mean difference of index, in points, between QPV zones and their nearest in income of the same EPCI.

    Comparison zones hold no QPV inhabitant and may serve several times; the interval allows for zones of one commune
    being alike (t distribution, communes less one).

    Returns:
        None when fewer than two communes have a pair.
    """
    usable = field.known & ~np.isnan(income) & np.array([epci is not None for epci in field.epcis], dtype=bool)
    outside = usable & (field.qpv_share == 0)
    epcis = np.array(field.epcis, dtype=object)
    differences, gaps, communes = [], [], []
    for z in np.flatnonzero(usable & qpv_zone):
        others = np.flatnonzero(outside & (epcis == epcis[z]))
        if len(others):
            match = others[np.argmin(np.abs(income[others] - income[z]))]
            differences.append(field.value[z] - field.value[match])
            gaps.append(income[z] - income[match])
            communes.append(field.communes[z])
    if len(set(communes)) < 2:  # noqa: PLR2004 - one cluster has no variance
        return None
    points = np.array(differences)
    centre = float(points.mean())
    sums = _cluster_sums((points - centre)[:, None], communes)
    clusters = len(sums)
    error = float(np.sqrt(clusters / (clusters - 1) * np.sum(sums**2))) / len(points)
    low, high = _interval(centre, error, clusters)
    return Effect(centre, low, high, len(points), clusters, int(qpv_zone.sum()) - len(points), float(np.mean(gaps)))


def logit_effect(field: Field, income: Vector, qpv_zone: Mask, sensitive: Mask) -> Effect | None:
    """Log-odds of being sensitive for QPV zones against others, given the income decile and the EPCI.

    Deciles of income weigh the population. Fitted by penalised likelihood (see `PRIOR_SD`); standard errors are
    clustered by commune (sandwich).

    Returns:
        None when, among usable zones, all or none are sensitive, or all or none are QPV zones, or there is one commune.
    """
    usable = field.known & ~np.isnan(income) & np.array([epci is not None for epci in field.epcis], dtype=bool)
    usable &= field.population > 0
    lines = np.flatnonzero(usable)
    y, treated = sensitive[lines].astype(np.float64), qpv_zone[lines].astype(np.float64)
    communes = [field.communes[z] for z in lines]
    if len(set(communes)) < 2 or len(set(y)) < 2 or len(set(treated)) < 2:  # noqa: PLR2004 - no contrast
        return None
    _, shares = weighing.population_ranks(income[lines], field.population[lines])
    deciles = np.minimum(np.ceil(shares * DECILES - weighing.SHARE_TOLERANCE), DECILES)
    epcis = np.array([field.epcis[z] for z in lines], dtype=object)
    columns = [np.ones(len(lines)), treated]
    columns += [(deciles == d).astype(np.float64) for d in np.unique(deciles)[1:]]
    columns += [(epcis == e).astype(np.float64) for e in sorted(set(epcis))[1:]]
    design = np.column_stack(columns)
    precision = np.full(design.shape[1], PRIOR_SD**-2)
    precision[0] = 0.0
    coefficients, bread = penalised_logit(y, design, precision)
    scores = _cluster_sums(design * (y - _logistic(design @ coefficients))[:, None], communes)
    clusters = len(scores)
    covariance = bread @ (scores.T @ scores) @ bread * clusters / (clusters - 1)
    low, high = _interval(float(coefficients[1]), float(np.sqrt(covariance[1, 1])), clusters)
    excluded = len(field.codes) - len(lines)
    return Effect(float(coefficients[1]), low, high, len(lines), clusters, excluded, float("nan"))


def penalised_logit(y: Vector, design: Vector, precision: Vector) -> tuple[Vector, Vector]:
    """Coefficients of a logistic regression with normal priors, and the inverse of minus the second derivative.

    Iteratively reweighted least squares, steps halved while they would lower the penalised likelihood.

    Args:
        y: (zones,) 0 or 1.
        design: (zones, coefficients).
        precision: (coefficients,) inverse variance of each prior, 0 for none.

    Raises:
        ArithmeticError: when it does not converge, as without prior under separation.
    """
    coefficients = np.zeros(design.shape[1])
    reached = _likelihood(y, design, precision, coefficients)
    for _ in range(ITERATIONS):
        chance = _logistic(design @ coefficients)
        information = design.T @ (design * (chance * (1 - chance))[:, None]) + np.diag(precision)
        gradient = design.T @ (y - chance) - precision * coefficients
        step = np.linalg.solve(information, gradient)
        if float(np.max(np.abs(step))) < TOLERANCE:
            return coefficients, np.linalg.inv(information)
        candidate = _likelihood(y, design, precision, coefficients + step)
        while candidate < reached - TOLERANCE and float(np.max(np.abs(step))) > TOLERANCE:
            step = step / 2
            candidate = _likelihood(y, design, precision, coefficients + step)
        coefficients, reached = coefficients + step, candidate
    raise ArithmeticError(f"The logistic regression has not converged in {ITERATIONS} iterations.")


def _likelihood(y: Vector, design: Vector, precision: Vector, coefficients: Vector) -> float:
    linear = design @ coefficients
    return float(np.sum(y * linear - np.logaddexp(0.0, linear)) - 0.5 * np.sum(precision * coefficients**2))


def _logistic(linear: Vector) -> Vector:
    return 1.0 / (1.0 + np.exp(-linear))


def _cluster_sums(scores: Vector, clusters: list[str]) -> Vector:
    """(clusters, columns) sums of the rows of each cluster."""
    names, number = np.unique(np.array(clusters), return_inverse=True)
    sums = np.zeros((len(names), scores.shape[1]))
    np.add.at(sums, number, scores)
    return sums


def _interval(estimate: float, error: float, clusters: int) -> tuple[float, float]:
    from scipy.stats import t

    reach = float(t.ppf(0.975, clusters - 1)) * error
    return estimate - reach, estimate + reach
