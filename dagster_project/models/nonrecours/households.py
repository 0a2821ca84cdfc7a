"""C2: synthetic households, raked to what is known of each zone, to which the rules of entitlement are applied.

The nation is a table of households by type, tenure (social housing or not) and band of income per consumption unit.
Each zone keeps its odds ratios and takes its own margins (iterative proportional fitting: Deming and Stephan, 1940):
one-person households, those of six persons or more, persons of 60 and over, persons under 25, social housing, and
always the shares of persons by band of income. Within a band, persons spread as the distribution of the zone says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dagster_project.models.arrow_tables import Vector, floats, rows_of, unique_keys
from dagster_project.models.nonrecours.parameters import Parameters
from dagster_project.models.nonrecours.rules import Housing, Rules

# Shares of persons of the nation under the bounds of the bands: finer where the ceilings are.
BOUNDS = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90)
MARGINS = ("men1", "men6", "plus60", "moins25", "hlm")
# How a household is housed, and its tenure: 0 in social housing, 1 elsewhere.
WAYS: tuple[tuple[Housing, int], ...] = (("aide", 0), ("aide", 1), ("proprietaire", 1))
_SIX = 6
_ROUNDS = 40
_NATION_ROUNDS = 200
_LONGEST = 1.0


@dataclass(frozen=True)
class Types:
    """Types of households, (types,) each: persons by age, consumption units, share of households, income, tenure."""

    codes: tuple[str, ...]
    size: Vector
    uc: Vector
    under18: Vector
    under25: Vector
    over60: Vector
    share: Vector
    standard: Vector
    social: Vector


def read_types(menages: pa.Table) -> Types:
    """Types of `seeds/household_type.csv`.

    Raises:
        ValueError: a column is missing, a type is repeated, shares do not sum to 100 %, or a type has no person.
    """
    names = ("size", "uc", "under18", "under25", "over60", "share", "living_standard", "social_housing")
    rows = sorted(rows_of(menages, "menages", ["type_code", *names]), key=lambda row: str(row["type_code"]))
    codes = tuple(str(row["type_code"]) for row in rows)
    unique_keys(codes, "menages")
    size, uc, under18, under25, over60, share, standard, social = (floats(row[name] for row in rows) for name in names)
    if not np.isclose(share.sum(), 100.0, atol=0.01) or not (size >= 1).all() or not (uc >= 1).all():
        raise ValueError(
            f"Table `menages`: shares sum to {share.sum():.3f} % (100 expected) and sizes and units start at 1."
        )
    return Types(codes, size, uc, under18, under25, over60, share / share.sum(), standard, social)


@dataclass(frozen=True)
class Nation:
    """Households of the nation: `weights` (types, 2, bands) sum to 1; `bounds` between bands in euros per unit."""

    types: Types
    bounds: Vector
    weights: Vector


def nation(types: Types, bounds: Vector, scaled: Vector, persons: Vector) -> Nation:
    """Households of the nation by type, tenure and band.

    Args:
        types: types of households.
        bounds: euros per consumption unit between bands, (bands - 1,).
        scaled: shares of persons under the bounds in each type and tenure, (types, 2, bands - 1), before raking.
        persons: shares of persons of each band, (bands,).
    """
    ends = np.concatenate([np.zeros((*scaled.shape[:2], 1)), scaled, np.ones((*scaled.shape[:2], 1))], axis=2)
    weights = np.diff(ends, axis=2)
    known = types.share[:, None] * np.stack([types.social, 1 - types.social], axis=1)
    total = np.sum(types.share * types.size)
    for _ in range(_NATION_ROUNDS):
        weights *= (known / weights.sum(axis=2))[:, :, None]
        weights *= persons * total / np.einsum("htb,h->b", weights, types.size)
    return Nation(types, bounds, weights)


def standards(types: Types, parameters: Parameters) -> Vector:
    """Median income of each type and tenure, the nation's being 1; (types, 2). The type's own median is kept."""
    social, other = np.log(parameters.social_standard), np.log(parameters.other_standard)
    middle = types.social * social + (1 - types.social) * other
    return np.stack([types.standard * np.exp(social - middle), types.standard * np.exp(other - middle)], axis=1)


@dataclass(frozen=True)
class Raked:
    """Households of zones, as factors of those of the nation; persons of a zone sum to 1.

    Attributes:
        by_type: (types, zones).
        by_tenure: (2, zones).
        by_band: (bands, zones).
    """

    nation: Nation
    by_type: Vector
    by_tenure: Vector
    by_band: Vector

    def weights(self) -> Vector:
        """Households by type, tenure and band; (types, 2, bands, zones)."""
        return np.asarray(
            self.nation.weights[..., None]
            * self.by_type[:, None, None]
            * self.by_tenure[None, :, None]
            * self.by_band[None, None]
        )


def rake(country: Nation, persons: Vector, margins: Mapping[str, Vector]) -> Raked:
    """Rake the nation to zones.

    Args:
        country: households of the nation.
        persons: shares of persons of each zone by band, (bands, zones), summing to 1.
        margins: share (0–1) of each of `MARGINS`, (zones,), not-a-number when unknown: of households for men1, men6
            and hlm, of persons for plus60 and moins25. Income is raked last and always met; margins that contradict
            it, or each other, are met as nearly as the rounds go.
    """
    types, zones = country.types, persons.shape[1]
    by_type, by_tenure = np.ones((len(types.codes), zones)), np.ones((2, zones))
    by_band = np.ones(persons.shape)
    classes = {"men1": types.size == 1, "men6": types.size >= _SIX}
    ages = {"plus60": types.over60, "moins25": types.under25}
    for _ in range(_ROUNDS):
        cells = np.einsum("htb,bz->htz", country.weights, by_band)
        mass = by_type * np.einsum("htz,tz->hz", cells, by_tenure)
        for name, members in classes.items():
            factor = np.where(members[:, None], *_odds(mass[members].sum(axis=0), mass.sum(axis=0), margins[name]))
            by_type, mass = by_type * factor, mass * factor
        for name, count in ages.items():
            factor = _tilt(mass, count, types.size, margins[name])
            by_type, mass = by_type * factor, mass * factor
        tenures = by_tenure * np.einsum("htz,hz->tz", cells, by_type)
        by_tenure = by_tenure * np.stack(_odds(tenures[0], tenures.sum(axis=0), margins["hlm"]))
        sizes = types.size[:, None] * by_type
        here = np.einsum("htb,htz->bz", country.weights, sizes[:, None] * by_tenure[None])
        by_band = persons / here
    return Raked(country, by_type, by_tenure, by_band)


def _odds(part: Vector, whole: Vector, wanted: Vector) -> tuple[Vector, Vector]:
    """Factors of the members of a class and of the others that give it the wanted share; 1 where it is unknown."""
    free = np.isnan(wanted) | (part <= 0) | (part >= whole)
    share = np.where(free, 0.5, part / whole)
    target = np.where(free, 0.5, wanted)
    return target / share, (1 - target) / (1 - share)


def _tilt(mass: Vector, count: Vector, size: Vector, wanted: Vector) -> Vector:
    """Factors, exponential in what a household adds to a share of persons: one Newton step towards that share."""
    excess = count[:, None] - np.where(np.isnan(wanted), 0.0, wanted) * size[:, None]
    short, spread = np.einsum("hz,hz->z", mass, excess), np.einsum("hz,hz->z", mass, excess**2)
    step = np.where(np.isnan(wanted), 0.0, -short / np.where(spread > 0, spread, 1.0))
    return np.asarray(np.exp(np.clip(step, -_LONGEST, _LONGEST) * excess))


def thresholds(types: Types, rules: Rules, multipliers: Vector, parameters: Parameters) -> Vector:
    """Income per consumption unit up to which a household is entitled; (2 tiers, types, ways), never under `np`.

    Resources, multiplied by the calibration of the tier, are compared with the ceiling; they are the disposable income
    of the household with the flat amount of housing in place of housing benefit.
    """
    found = np.empty((2, len(types.codes), len(WAYS)))
    for way, (housing, _) in enumerate(WAYS):
        benefit = parameters.housing_benefit if housing == "aide" else 0.0
        # resources are linear in income: what they add to it is what they are at no income
        added = rules.resources(np.zeros_like(types.size), benefit, types.size, housing)
        found[0, :, way] = (rules.ceiling(types.size, "np") / multipliers[0] - added) / types.uc
        found[1, :, way] = (rules.ceiling(types.size, "p") / multipliers[1] - added) / types.uc
    return np.maximum(np.maximum.accumulate(found, axis=0), 1.0)


def entitled(raked: Raked, limits: Vector, under: Vector, bounds: Vector, private_share: float) -> Vector:
    """Persons of each type under a threshold, as shares of all persons of the zone; (..., types, zones).

    Args:
        raked: households of zones.
        limits: thresholds (..., types, ways), in euros per consumption unit.
        under: shares of persons of the zone under them, (..., types, ways, zones).
        bounds: the same under the bounds of bands, (bands - 1, zones).
        private_share: share of tenants with housing benefit outside social housing.
    """
    country = raked.nation
    zones = bounds.shape[1]
    ends = np.concatenate([np.zeros((1, zones)), bounds, np.ones((1, zones))])
    band = np.searchsorted(country.bounds, limits, side="right")
    width = ends[band + 1] - ends[band]
    part = np.where(width > 0, (under - ends[band]) / np.where(width > 0, width, 1.0), 0.0)
    total = np.zeros((*limits.shape[:-1], zones))
    full = np.arange(len(raked.by_band)) < band[..., None]
    for way, (_, tenure) in enumerate(WAYS):
        cells, weight = country.weights[:, tenure], (1.0, private_share, 1 - private_share)[way]
        whole = np.einsum("...b,bz->...z", np.where(full[..., way, :], cells, 0.0), raked.by_band)
        cut = np.take_along_axis(np.broadcast_to(cells, full[..., way, :].shape), band[..., way, None], axis=-1)
        some = cut * raked.by_band[band[..., way]] * part[..., way, :]
        total += weight * raked.by_tenure[tenure] * (whole + some)
    return np.asarray(total * country.types.size[:, None] * raked.by_type)
