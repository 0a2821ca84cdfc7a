"""Monte-Carlo draws of the rates of non-take-up of zones.

One draw takes one method, one error of the national rate (both common to all zones, so that gaps between zones do not
carry them), and for each zone its own errors: of the fit and rounding of quantiles, of the calibration from one zone
to another, of the rate measured on persons covered, of the population and of the ages of eligible persons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from dagster_project.models.arrow_tables import Vector
from dagster_project.models.nonrecours import households
from dagster_project.models.nonrecours.calibration import CENTRE, NODES, Edition
from dagster_project.models.nonrecours.distributions import Incomes
from dagster_project.models.nonrecours.parameters import METHODS, Key, Parameters

LAWS = ("spline", "gb2")
COMPONENTS = ("methode", "ajustement", "calage", "zone", "couverture")
# What each zone draws for itself, in the order of its stream.
OWN = ("ajustement", "zone", "couverture", "population", "jeunes", "seniors")
_EDGE = 1e-12


@dataclass(frozen=True)
class Common:
    """What all zones share in a draw, (draws,): the method and the error of the national rate, in deviations."""

    methods: NDArray[np.int64]
    rate: Vector

    @classmethod
    def draw(cls, parameters: Parameters) -> Common:
        """Methods as evenly as can be; errors of the rate within the nodes of calibration."""
        generator = np.random.default_rng(parameters.seed)
        methods = generator.permutation(np.arange(parameters.draws) % len(METHODS))
        return cls(methods, np.clip(generator.standard_normal(parameters.draws), NODES[0], NODES[-1]))


def own(keys: Sequence[Key], parameters: Parameters) -> Vector:
    """Standard normal draws of zones, (`OWN`, zones, draws); those of a zone hang on its key and the seed alone."""
    found = np.empty((len(OWN), len(keys), parameters.draws))
    for z, key in enumerate(keys):
        generator = np.random.default_rng([parameters.seed, crc32("|".join(key).encode())])
        found[:, z] = generator.standard_normal((len(OWN), parameters.draws))
    return found


@dataclass(frozen=True)
class Shares:
    """Eligible shares of zones before errors, as normal scores.

    Attributes:
        c1: scores of shares under the ceilings of one person, (laws, 2 tiers, zones).
        c2: scores of shares eligible to `np`, and to either tier, at each calibration; (nodes, 2, zones).
        spread: standard deviations of scores, (laws, zones).
        young: share of persons under 18 among those eligible to `np`, (zones,).
        old: the same of 60 and over.
    """

    c1: Vector
    c2: Vector
    spread: Vector
    young: Vector
    old: Vector


def shares(
    edition: Edition, incomes: Incomes, margins: Mapping[str, Vector], spread: Vector, zones: slice, private: float
) -> Shares:
    """Eligible shares of a slice of zones by the three methods; not-a-number without a distribution.

    Args:
        edition: the calibration.
        incomes: distributions of all zones.
        margins: share of each of `households.MARGINS` in all zones.
        spread: standard deviations of scores, (laws, all zones).
        zones: the slice.
        private: share of tenants with housing benefit outside social housing.
    """
    types = edition.country.types
    c1 = np.stack([ndtri(incomes.below(law, edition.ceilings, zones)) for law in LAWS])
    points = np.concatenate([edition.country.bounds, edition.limits.ravel()])
    under = incomes.below("spline", points, zones)
    bounds, limits = np.split(under, [len(edition.country.bounds)])
    nothing, everything = np.zeros((1, bounds.shape[1])), np.ones((1, bounds.shape[1]))
    bands = np.diff(np.concatenate([nothing, bounds, everything]), axis=0)
    raked = households.rake(edition.country, bands, {name: values[zones] for name, values in margins.items()})
    found = households.entitled(raked, edition.limits, limits.reshape(*edition.limits.shape, -1), bounds, private)
    both = found.sum(axis=2)
    first = found[CENTRE, 0]
    ages = [
        np.einsum("h,hz->z", count / types.size, first) / both[CENTRE, 0] for count in (types.under18, types.over60)
    ]
    return Shares(c1, ndtri(np.clip(both, _EDGE, 1 - _EDGE)), spread[:, zones], ages[0], ages[1])


def eligible(found: Shares, edition: Edition, method: int, rate: Vector, fit: Vector) -> Vector:
    """Shares eligible to each tier by one method.

    Args:
        found: shares before errors.
        edition: the calibration.
        method: position in `METHODS`.
        rate: errors of the national rate in standard deviations, (draws,).
        fit: errors of the fit in standard deviations, (zones, draws) or (1, draws).

    Returns:
        (2 tiers, zones, draws).
    """
    law = min(method, 1)
    error = found.spread[law if method < len(LAWS) else 0][:, None] * fit
    if method < len(LAWS):
        low, high = (ndtr(found.c1[law, tier][:, None] + error) for tier in range(2))
        kappa = edition.kappa(LAWS[law], rate * edition.rate_sd)
        return np.stack([kappa[0] * low, kappa[1] * (high - low)])
    at = np.clip(np.searchsorted(NODES, rate, side="right") - 1, 0, len(NODES) - 2)
    nodes = np.array(NODES)
    weight = (rate - nodes[at]) / (nodes[at + 1] - nodes[at])
    first, both = (
        ndtr(found.c2[at, tier].T * (1 - weight) + found.c2[at + 1, tier].T * weight + error) for tier in range(2)
    )
    return np.stack([first, both - first])


def centres(found: Shares, edition: Edition) -> Vector:
    """Shares eligible to each tier by each method without any error; (methods, 2 tiers, zones)."""
    none = np.zeros(1)
    return np.stack([eligible(found, edition, m, none, none[None])[..., 0] for m in range(len(METHODS))])


@dataclass(frozen=True)
class Drawn:
    """Draws of a slice of zones, (zones, draws): shares eligible by tier, factors of errors around 1.

    `coverage` is the error of a rate of beneficiaries in standard deviations, which hang on the rate.
    """

    np_share: Vector
    p_share: Vector
    coverage: Vector
    population: Vector
    young: Vector
    old: Vector


def draw(found: Shares, edition: Edition, common: Common, noise: Vector, parameters: Parameters) -> Drawn:
    """Shares eligible in each draw; `noise` as given by `own`."""
    both = np.empty((2, *noise.shape[1:]))
    fit, zone, coverage, population, young, old = noise
    for method in range(len(METHODS)):
        here = common.methods == method
        both[:, :, here] = eligible(found, edition, method, common.rate[here], fit[:, here])
    both *= 1 + parameters.zone_sd * zone
    return Drawn(
        both[0],
        both[1],
        coverage,
        1 + parameters.population_sd * population,
        found.young[:, None] * (1 + parameters.age_sd * young),
        found.old[:, None] * (1 + parameters.age_sd * old),
    )


def interval(draws: Vector, coverage: float) -> Vector:
    """Lower bound, median and upper bound of draws, (3, zones); linear between order statistics."""
    ordered = np.sort(draws, axis=1)
    places = np.array([(1 - coverage) / 2, 0.5, (1 + coverage) / 2]) * (draws.shape[1] - 1)
    left = np.minimum(places.astype(np.int64), draws.shape[1] - 1)
    right, weight = np.minimum(left + 1, draws.shape[1] - 1), places - left
    return np.asarray(ordered.T[left] * (1 - weight)[:, None] + ordered.T[right] * weight[:, None])


def components(found: Shares, edition: Edition, rate: Vector, rate_sd: Vector, parameters: Parameters) -> Vector:
    """Share of each of `COMPONENTS` in the variance of the total rate of non-take-up; (components, zones).

    Each error in turn takes its distribution, the others none. One error is one normal variable: its variance is
    integrated (Gauss–Hermite, nine nodes) rather than drawn.

    Args:
        found: shares before errors.
        edition: the calibration.
        rate: beneficiaries over persons covered, (zones,).
        rate_sd: its relative standard deviation, (zones,).
        parameters: choices of the model.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(9)
    weights = weights / weights.sum()
    none = np.zeros_like(nodes)
    centre = centres(found, edition).sum(axis=1)
    middle = centre.mean(axis=0)[:, None]
    t = rate[:, None]

    def mean(errors: Vector, fits: Vector) -> Vector:
        parts = [eligible(found, edition, m, errors, fits[None]).sum(axis=0) for m in range(len(METHODS))]
        return np.asarray(sum(parts) / len(parts))

    values = {
        "ajustement": t / mean(none, nodes),
        "calage": t / mean(nodes, none),
        "zone": t / (middle * (1 + parameters.zone_sd * nodes)),
        "couverture": t * (1 + rate_sd[:, None] * nodes) / middle,
    }
    spread = {"methode": np.var(rate / centre, axis=0)}
    for name, value in values.items():
        average = np.einsum("zn,n->z", value, weights)[:, None]
        spread[name] = np.einsum("zn,n->z", (value - average) ** 2, weights)
    variances = np.stack([spread[name] for name in COMPONENTS])
    return np.asarray(variances / variances.sum(axis=0))
