"""Distributions of income of zones: fitted on their quantiles, or mixtures of those of their parts.

A zone without quantiles of its own (the rest of a commune outside its priority neighbourhoods) has the mixture
F = Σ n·F_part / Σ n, persons n being negative for what is taken away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from dagster_project.models.arrow_tables import Mask, Vector, rows_of, unique_keys
from dagster_project.models.nonrecours import spline
from dagster_project.models.nonrecours.gb2 import GB2
from dagster_project.models.nonrecours.parameters import Key, Parameters
from dagster_project.models.nonrecours.spline import Spline

Indices = NDArray[np.int64]
Year = tuple[Key, str]

MISSING = "Moins de cinq quantiles de revenu publiés, ou aucun au premier quartile ou au-dessous."
UNORDERED = "Les quantiles de revenu publiés ne croissent pas avec leur ordre."
NOT_POSITIVE = "Un quantile de revenu publié est nul ou négatif."
NO_INCOME = "Aucun revenu publié pour cette zone."
PART_MISSING = "Une partie de la zone n’a pas de distribution de revenu utilisable : {reason}"
BROKEN_MIXTURE = (
    "La distribution déduite de la commune et de ses quartiers ne croît pas, ou sort de 0 à 100 % de plus d’un point."
)
_INNER = 1e-9


class Law(Protocol):
    """Distributions of several zones."""

    def score(self, points: Vector) -> Vector:
        """Normal scores of shares under logarithms of income (points,); gives (points, zones)."""
        ...

    def take(self, zones: Indices) -> Law:
        """The same for some of the zones, in that order."""
        ...


@dataclass(frozen=True)
class _Group:
    """Zones that publish the same quantiles; `columns` gives the column of each zone in the laws, -1 elsewhere."""

    columns: Indices
    laws: Mapping[str, Law]


@dataclass(frozen=True)
class Fits:
    """Distributions fitted on quantiles.

    Attributes:
        place: position of each zone and year in the arrays.
        reasons: French text of why a zone has no distribution; None where it has one.
        errors: root mean square error on normal scores, (zones,), of `spline` (each inner quantile predicted from the
            others) and of `gb2` (residuals); not-a-number where there is no distribution.
    """

    place: Mapping[Year, int]
    reasons: tuple[str | None, ...]
    errors: Mapping[str, Vector]
    groups: tuple[_Group, ...]

    def score(self, law: str, points: Vector, wanted: Indices) -> Vector:
        """Normal scores of shares under incomes; (points, wanted), not-a-number where there is no distribution."""
        found = np.full((len(points), len(wanted)), np.nan)
        logs = np.log(points)
        for group in self.groups:
            columns = group.columns[wanted]
            found[:, columns >= 0] = group.laws[law].take(columns[columns >= 0]).score(logs)
        return found


def fit(quantiles: pa.Table, wanted: set[Year], parameters: Parameters) -> Fits:
    """Fit both laws on the published quantiles of the wanted zones and years.

    Args:
        quantiles: zone_level, zone_code, generation, income_year, ordre (0–1), montant (euros, null when masked).
        wanted: zones and years to fit; the others are left aside.
        parameters: what a zone must publish.

    Raises:
        ValueError: a column is missing, an order is not within 0–1, or a zone has two rows of one order that differ.
    """
    published = _published(quantiles, wanted)
    places: dict[Year, int] = {}
    reasons: list[str | None] = []
    members: dict[tuple[float, ...], list[tuple[int, list[float]]]] = {}
    for year in sorted(published):
        orders, amounts = zip(*sorted(published[year].items()), strict=True) if published[year] else ((), ())
        reason = _refusal(orders, amounts, parameters)
        places[year] = len(reasons)
        if reason is None:
            members.setdefault(orders, []).append((len(reasons), list(amounts)))
        reasons.append(reason)
    errors = {law: np.full(len(reasons), np.nan) for law in ("spline", "gb2")}
    groups = []
    for pattern, lines in sorted(members.items()):
        at, orders_, values = np.array([place for place, _ in lines]), np.array(pattern), _columns(lines)
        gb2 = GB2.fit(orders_, values)
        errors["spline"][at], errors["gb2"][at] = spline.left_out(orders_, values), gb2.rmse
        columns = np.full(len(reasons), -1)
        columns[at] = np.arange(len(at))
        groups.append(_Group(columns, {"spline": Spline.fit(orders_, values), "gb2": gb2}))
    return Fits(places, tuple(reasons), errors, tuple(groups))


def _columns(lines: Sequence[tuple[int, list[float]]]) -> Vector:
    return np.array([amounts for _, amounts in lines], dtype=np.float64).T


def _published(quantiles: pa.Table, wanted: set[Year]) -> dict[Year, dict[float, float]]:
    found: dict[Year, dict[float, float]] = {}
    names = ("zone_level", "zone_code", "generation", "income_year", "ordre", "montant")
    for row in rows_of(quantiles, "quantiles", names):
        year = ((row["zone_level"], row["zone_code"], row["generation"]), row["income_year"])
        if year not in wanted:
            continue
        orders, order, amount = found.setdefault(year, {}), row["ordre"], row["montant"]
        if order is None or not 0 < order < 1:
            raise ValueError(f"Table `quantiles`: {year} has order {order!r}; an order lies between 0 and 1.")
        if amount is None:
            continue
        if orders.setdefault(order, amount) != amount:
            raise ValueError(f"Table `quantiles`: {year} has two amounts of order {order}; give one.")
    return found


def _refusal(orders: tuple[float, ...], amounts: tuple[float, ...], parameters: Parameters) -> str | None:
    if len(orders) < parameters.min_quantiles or orders[0] > parameters.low_order:
        return MISSING
    if min(amounts) <= 0:
        return NOT_POSITIVE
    if any(after <= before for before, after in pairwise(amounts)):
        return UNORDERED
    return None


@dataclass(frozen=True)
class Incomes:
    """Distributions of a list of zones, each fitted or a mixture.

    Attributes:
        fits: distributions of parts.
        parts: position in `fits` of each part, zone after zone.
        shares: signed share of each part in its zone; they sum to 1.
        starts: where the parts of each zone with a distribution begin.
        zones: positions of those zones among all.
        reasons: why a zone has no distribution; None where it has one.
    """

    fits: Fits
    parts: Indices
    shares: Vector
    starts: Indices
    zones: Indices
    reasons: tuple[str | None, ...]

    def below(self, law: str, points: Vector, wanted: slice) -> Vector:
        """Shares of persons under incomes; (points, zones of the slice), not-a-number without a distribution.

        Mixtures are held within 0–1 and never fall; `check` has refused those that leave it by more than the tolerance.
        """
        order = np.argsort(points, kind="stable")
        found = self._raw(law, points[order], wanted)
        np.clip(np.maximum.accumulate(found, axis=0, out=found), _INNER, 1 - _INNER, out=found)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return np.asarray(found[back])

    def check(self, points: Vector, tolerance: float) -> Mask:
        """Whether each zone's shares under increasing incomes stay within 0–1 and do not fall, within a tolerance."""
        everything = slice(0, len(self.reasons))
        sound = np.ones(len(self.reasons), dtype=bool)
        for law in ("spline", "gb2"):
            found = self._raw(law, points, everything)
            fall = np.max(np.maximum.accumulate(found, axis=0) - found, axis=0, initial=0.0)
            sound &= ~((found.min(axis=0) < -tolerance) | (found.max(axis=0) > 1 + tolerance) | (fall > tolerance))
        return sound

    def errors(self, law: str, income: float, rounding: float) -> Vector:
        """Standard deviation of the normal score at an income, from the fit and from rounding; (zones,)."""
        points = np.array([income, income * np.exp(_STEP)])
        score = self.fits.score(law, points, self.parts)
        slope = (score[1] - score[0]) / _STEP
        rounded = slope * rounding / np.sqrt(12) / income
        part = np.hypot(self.fits.errors[law][self.parts], rounded) * self.shares * _density(score[0])
        found = np.full(len(self.reasons), np.nan)
        if self.zones.size:
            mixed = np.add.reduceat(self.shares * ndtr(score[0]), self.starts)
            spread = np.sqrt(np.add.reduceat(part**2, self.starts))
            found[self.zones] = spread / _density(ndtri(np.clip(mixed, _INNER, 1 - _INNER)))
        return found

    def _raw(self, law: str, points: Vector, wanted: slice) -> Vector:
        first, last = np.searchsorted(self.zones, (wanted.start, wanted.stop))
        found = np.full((len(points), wanted.stop - wanted.start), np.nan)
        if first == last:
            return found
        ends = np.append(self.starts, len(self.parts))
        parts = slice(ends[first], ends[last])
        shares = ndtr(self.fits.score(law, points, self.parts[parts])) * self.shares[parts]
        found[:, self.zones[first:last] - wanted.start] = np.add.reduceat(
            shares, self.starts[first:last] - ends[first], axis=1
        )
        return found


_STEP = 1e-4


def _density(score: Vector) -> Vector:
    return np.asarray(np.exp(-(score**2) / 2))


def parts_of(mixtures: pa.Table) -> dict[Key, list[tuple[Key, float]]]:
    """Signed parts of each mixed zone.

    Args:
        mixtures: zone_level, zone_code, generation, part_level, part_code, part_generation, persons (signed).

    Raises:
        ValueError: a column is missing, a part is repeated, persons are missing, or those of a zone do not sum to a
            positive number.
    """
    columns = ("zone_level", "zone_code", "generation", "part_level", "part_code", "part_generation")
    found: dict[Key, list[tuple[Key, float]]] = {}
    rows = rows_of(mixtures, "mixtures", [*columns, "persons"])
    unique_keys([tuple(row[name] for name in columns) for row in rows], "mixtures")
    for row in rows:
        key, part = tuple(row[name] for name in columns[:3]), tuple(row[name] for name in columns[3:])
        if row["persons"] is None:
            raise ValueError(f"Table `mixtures`: part {part} of {key} has no persons; give a signed number of them.")
        found.setdefault(key, []).append((part, float(row["persons"])))
    for key, parts in found.items():
        if not sum(persons for _, persons in parts) > 0:
            raise ValueError(f"Table `mixtures`: persons of {key} sum to nothing or less; the whole counts positive.")
    return found


def incomes(zones: Sequence[Year], fits: Fits, mixtures: Mapping[Key, Sequence[tuple[Key, float]]]) -> Incomes:
    """The distribution of each zone: its own when it publishes quantiles, else that of its parts."""
    parts: list[int] = []
    shares: list[float] = []
    starts: list[int] = []
    known: list[int] = []
    reasons: list[str | None] = []
    for position, (key, year) in enumerate(zones):
        wanted = [(key, 1.0)] if (key, year) in fits.place or key not in mixtures else mixtures[key]
        reason = _absence(key, wanted, year, fits)
        reasons.append(reason)
        if reason is None:
            known.append(position)
            starts.append(len(parts))
            whole = sum(persons for _, persons in wanted)
            parts += [fits.place[part, year] for part, _ in wanted]
            shares += [persons / whole for _, persons in wanted]
    return Incomes(
        fits,
        np.array(parts, dtype=np.int64),
        np.array(shares),
        np.array(starts, dtype=np.int64),
        np.array(known, dtype=np.int64),
        tuple(reasons),
    )


def _absence(key: Key, parts: Sequence[tuple[Key, float]], year: str, fits: Fits) -> str | None:
    for part, _ in parts:
        reason = fits.reasons[fits.place[part, year]] if (part, year) in fits.place else NO_INCOME
        if reason is not None:
            return reason if part == key else PART_MISSING.format(reason=reason)
    return None
