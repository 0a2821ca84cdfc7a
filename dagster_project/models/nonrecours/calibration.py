"""Calibration on the nation: each method returns the national eligible persons of each tier.

Eligible persons of a tier are its beneficiaries over one less the published rate of non-take-up. That rate is drawn
within its margin, the same error for both tiers, and every zone of a draw is calibrated on the same nation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from dagster_project.models.arrow_tables import Vector, rows_of, unique_keys
from dagster_project.models.nonrecours import households
from dagster_project.models.nonrecours.distributions import Incomes
from dagster_project.models.nonrecours.households import BOUNDS, Nation, Types
from dagster_project.models.nonrecours.parameters import TIERS, Parameters
from dagster_project.models.nonrecours.rules import Rules

MEASURES = ("total", *TIERS)
# Errors of the national rate, in standard deviations, at which C2 is calibrated; draws stand between.
NODES = (-3.5, -1.75, 0.0, 1.75, 3.5)
CENTRE = NODES.index(0.0)
_WIDEST = (0.05, 20.0)
_HALVINGS = 42
_MOST = 0.99
_ONE = slice(0, 1)
_GRID = np.geomspace(500.0, 500_000.0, 4001)


class NotCalibratedError(ValueError):
    """A national reference that no calibration can return; the message is French and meant for the reader."""


@dataclass(frozen=True)
class Reference:
    """What is published on the nation for an edition; rates of non-take-up as shares."""

    beneficiaries: Mapping[str, float]
    rates: Mapping[str, float]
    population: float
    citation: Mapping[str, str]

    def eligible(self, tier: str, error: Vector) -> Vector:
        """Share of the population eligible to a tier when the published rate errs by `error` (a share)."""
        rate = np.minimum(self.rates[tier] + error, _MOST)
        return np.asarray(self.beneficiaries[tier] / (1 - rate) / self.population)


def references(national: pa.Table) -> dict[str, Reference]:
    """References of every edition.

    Args:
        national: vintage, mesure (`total`, `np`, `p`), beneficiaires (persons; may be null for the total, then the sum
            of tiers), non_recours (percent), population (persons), citation.

    Raises:
        ValueError: a column is missing, a row is repeated, a measure is missing or unknown, a number is missing, or
            measures of one edition have different populations.
    """
    rows = rows_of(
        national, "national", ["vintage", "mesure", "beneficiaires", "non_recours", "population", "citation"]
    )
    unique_keys([(row["vintage"], row["mesure"]) for row in rows], "national")
    editions: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        editions.setdefault(str(row["vintage"]), {})[row["mesure"]] = row
    return {vintage: _reference(vintage, found) for vintage, found in editions.items()}


def _reference(vintage: str, found: Mapping[str, Mapping[str, Any]]) -> Reference:
    if set(found) != set(MEASURES) or len({row["population"] for row in found.values()}) != 1:
        raise ValueError(
            f"Table `national`: edition {vintage} needs one row for each of {', '.join(MEASURES)}, of one population; "
            f"it has {', '.join(sorted(found))}."
        )
    beneficiaries = {name: row["beneficiaires"] for name, row in found.items()}
    if beneficiaries["total"] is None and None not in (beneficiaries["np"], beneficiaries["p"]):
        beneficiaries["total"] = beneficiaries["np"] + beneficiaries["p"]
    population = found["total"]["population"]
    if None in beneficiaries.values() or None in {row["non_recours"] for row in found.values()} or not population:
        raise ValueError(f"Table `national`: a number of edition {vintage} is missing; only the total's count may be.")
    return Reference(
        {name: float(value) for name, value in beneficiaries.items()},
        {name: float(row["non_recours"]) / 100 for name, row in found.items()},
        float(population),
        {name: str(row["citation"]) for name, row in found.items()},
    )


@dataclass(frozen=True)
class Edition:
    """Everything that an edition needs to estimate a zone.

    Attributes:
        ceilings: of one person, (2 tiers,) in euros a year.
        rate_sd: standard deviation of the national rate, as a share.
        raw: shares of the nation between ceilings before calibration: C1 by law, and C2; (2 tiers,) each.
        eligible: shares of the nation eligible to each tier, (2 tiers,).
        multipliers: of resources in C2, (nodes, 2 tiers).
        limits: thresholds of C2, (nodes, 2 tiers, types, ways).
    """

    vintage: str
    reference: Reference
    rules: Rules
    country: Nation
    ceilings: Vector
    rate_sd: float
    raw: Mapping[str, Vector]
    eligible: Vector
    multipliers: Vector
    limits: Vector

    def kappa(self, law: str, error: Vector) -> Vector:
        """Calibration factors of C1 when the national rate errs; (2 tiers, errors)."""
        targets = np.stack([self.reference.eligible(tier, error) for tier in TIERS])
        return np.asarray(targets / self.raw[f"c1_{law}"][:, None])

    def factors(self) -> dict[str, Vector]:
        """Factor of each method at the published rates: of shares for C1, of resources for C2; (2 tiers,)."""
        none = np.zeros(1)
        return {
            "c1_spline": self.kappa("spline", none)[:, 0],
            "c1_gb2": self.kappa("gb2", none)[:, 0],
            "c2": self.multipliers[CENTRE],
        }


def calibrate(
    vintage: str, reference: Reference, rules: Rules, types: Types, incomes: Incomes, parameters: Parameters
) -> Edition:
    """Calibrate the three methods on the nation.

    Args:
        vintage: edition of the counts.
        reference: what is published on the nation.
        rules: rules in force.
        types: types of households.
        incomes: the nation alone.
        parameters: choices of the model.

    Raises:
        NotCalibratedError: eligible persons outnumber the population, or no multiplier of resources returns a tier.
    """
    ceilings = np.array([float(rules.ceiling(1, "np")), float(rules.ceiling(1, "p"))])
    sd = parameters.rate_margin / 100 / float(ndtri((1 + parameters.interval) / 2))
    raw = {}
    for law in ("spline", "gb2"):
        under = incomes.below(law, ceilings, _ONE)[:, 0]
        raw[f"c1_{law}"] = np.array([under[0], under[1] - under[0]])
    country = _country(types, incomes, parameters)
    bounds = incomes.below("spline", country.bounds, _ONE)
    shares = np.diff(np.concatenate([[0.0], bounds[:, 0], [1.0]]))
    unknown = np.array([np.nan])
    raked = households.rake(country, shares[:, None], dict.fromkeys(households.MARGINS, unknown))

    def entitled(multipliers: Vector) -> Vector:
        limits = households.thresholds(types, rules, multipliers, parameters)
        under = incomes.below("spline", limits.ravel(), _ONE).reshape(*limits.shape, 1)
        found = households.entitled(raked, limits, under, bounds, parameters.private_share)
        return np.asarray(found.sum(axis=(1, 2)))

    raw_c2 = entitled(np.ones(2))
    raw["c2"] = np.array([raw_c2[0], raw_c2[1] - raw_c2[0]])
    targets = np.stack([reference.eligible(tier, np.array(NODES) * sd) for tier in TIERS], axis=1)
    if not targets.sum(axis=1).max() < 1:
        raise NotCalibratedError("Les éligibles nationaux dépasseraient la population de référence.")
    multipliers = np.array([_multipliers(entitled, np.cumsum(target)) for target in targets])
    limits = np.stack([households.thresholds(types, rules, line, parameters) for line in multipliers])
    return Edition(vintage, reference, rules, country, ceilings, sd, raw, targets[CENTRE], multipliers, limits)


def _country(types: Types, incomes: Incomes, parameters: Parameters) -> Nation:
    under = incomes.below("spline", _GRID, _ONE)[:, 0]
    bounds = np.exp(np.interp(BOUNDS, under, np.log(_GRID)))
    scales = households.standards(types, parameters)
    points = bounds / scales[..., None]
    scaled = incomes.below("spline", points.ravel(), _ONE).reshape(points.shape)
    ends = np.concatenate([[0.0], incomes.below("spline", bounds, _ONE)[:, 0], [1.0]])
    return households.nation(types, bounds, scaled, np.diff(ends))


def _multipliers(entitled: Any, wanted: Vector) -> Vector:
    """Multipliers of resources that give the wanted cumulative shares; the more, the fewer are entitled."""
    found = np.ones(2)
    for tier in range(2):
        low, high = np.log(_WIDEST)
        for _ in range(_HALVINGS):
            found[tier] = np.exp((low + high) / 2)
            if entitled(found)[tier] > wanted[tier]:
                low = (low + high) / 2
            else:
                high = (low + high) / 2
        if not np.isclose(entitled(found)[tier], wanted[tier], rtol=1e-6):
            raise NotCalibratedError(
                "Aucun facteur de ressources ne redonne les éligibles nationaux de la formule "
                f"{'sans' if tier == 0 else 'avec'} participation."
            )
    return found
