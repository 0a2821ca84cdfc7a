"""Rules of entitlement to the C2S, as dated data.

A household is entitled without participation (tier `np`) when the resources of its last twelve months do not exceed a
ceiling that grows with its size, and with participation (tier `p`) up to 1.35 times that ceiling. Housing benefit
counts for a flat amount, a share of the RSA of a household of one, two or three persons; owners and persons housed
free of charge have a flat amount of their own. Not simulated: abatements on wages of the unemployed and on minimum
benefits, the rolling twelve months, and the household of the health insurance where it differs from the dwelling's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from dagster_project.models.arrow_tables import Vector, rows_of, unique_keys
from dagster_project.models.nonrecours.parameters import TIERS

Tier = Literal["np", "p"]
Housing = Literal["aide", "proprietaire", "aucun"]
_COLUMNS = ("valid_from", "item", "rank", "amount")
_ITEMS: Mapping[str, tuple[int | None, ...]] = {
    "plafond_np": (None,),
    "majoration_p": (None,),
    "echelle": (1, 2, 3, 4, 5),
    "forfait_logement": (1, 2, 3),
    "forfait_proprietaire": (1, 2, 3),
    "rsa": (None,),
    "echelle_rsa": (1, 2, 3),
}
_FLAT: Mapping[Housing, str] = {"aide": "forfait_logement", "proprietaire": "forfait_proprietaire"}
_MONTHS = 12


def in_force(vintage: str) -> date:
    """Day whose rules a count of beneficiaries follows: counts are of 31 December of their vintage."""
    return date(int(vintage), 12, 31)


@dataclass(frozen=True)
class Rules:
    """Rules of one day.

    Attributes:
        single: ceiling of the tier without participation for one person, in euros a year.
        increase: ceiling with participation, that without being 1.
        scale: what each person adds to the ceiling, the first being 1; the last rank serves all the following.
        flat: flat amount of housing in euros a year by way of being housed, for one, two, and three persons or more.
    """

    day: date
    single: float
    increase: float
    scale: tuple[float, ...]
    flat: Mapping[Housing, tuple[float, ...]]

    @classmethod
    def at(cls, table: pa.Table, day: date) -> Rules:
        """Rules in force on a day, each the latest that began on it or before.

        Args:
            table: valid_from (ISO date), item, rank (null when the item has none), amount; see `seeds/c2s_rule.csv`.
            day: any day from the beginning of the C2S, 1 November 2019.

        Raises:
            ValueError: a column is missing, a rule is given twice for a day, or one was not in force yet.
        """
        rows = rows_of(table, "regles", _COLUMNS)
        unique_keys([(str(row["valid_from"]), row["item"], row["rank"]) for row in rows], "regles")
        latest: dict[tuple[str, int | None], tuple[str, float]] = {}
        for row in rows:
            key, start = (row["item"], row["rank"]), str(row["valid_from"])
            if start <= day.isoformat() and start >= latest.get(key, ("", 0.0))[0]:
                latest[key] = (start, float(row["amount"]))
        missing = [
            f"{item} {rank or ''}".strip()
            for item, ranks in _ITEMS.items()
            for rank in ranks
            if (item, rank) not in latest
        ]
        if missing:
            raise ValueError(
                f"Table `regles`: nothing in force on {day.isoformat()} for {', '.join(missing)}; "
                "give the rule and the day it began, or take a later edition."
            )
        found = {item: tuple(latest[item, rank][1] for rank in ranks) for item, ranks in _ITEMS.items()}
        rsa = found["rsa"][0] * _MONTHS * np.cumsum(found["echelle_rsa"])
        flat = {
            way: tuple(float(share * base) for share, base in zip(found[item], rsa, strict=True))
            for way, item in _FLAT.items()
        }
        return cls(day, found["plafond_np"][0], found["majoration_p"][0], found["echelle"], flat)

    def ceiling(self, size: ArrayLike, tier: Tier) -> Vector:
        """Ceiling of a household in euros a year.

        Args:
            size: persons of the household, one or more.
            tier: `np` without participation, `p` with.

        Raises:
            ValueError: a size is under one person, or the tier is unknown.
        """
        persons = np.asarray(size, dtype=np.float64)
        if (persons < 1).any() or tier not in TIERS:
            raise ValueError(f"A household has one person or more, and tiers are {TIERS}; got {size!r} and {tier!r}.")
        ranks = len(self.scale)
        known = np.minimum(persons, ranks).astype(np.int64) - 1
        parts = np.cumsum(self.scale)[known] + self.scale[-1] * np.maximum(persons - ranks, 0)
        return np.asarray(self.single * parts * (self.increase if tier == "p" else 1.0))

    def flat_housing(self, size: ArrayLike, housing: Housing) -> Vector:
        """Flat amount in euros a year: with housing benefit (`aide`), an owner or housed free, or none (`aucun`)."""
        persons = np.asarray(size, dtype=np.float64)
        if housing == "aucun":
            return np.zeros_like(persons)
        amounts = np.array(self.flat[housing])
        return np.asarray(amounts[np.minimum(persons, len(amounts)).astype(np.int64) - 1])

    def resources(
        self, income: ArrayLike, housing_benefit: ArrayLike, size: ArrayLike, housing: Housing = "aide"
    ) -> Vector:
        """Resources that are compared with the ceiling: the flat amount takes the place of housing benefit.

        Args:
            income: disposable income in euros a year, housing benefit included.
            housing_benefit: housing benefit in it, in euros a year.
            size: persons of the household.
            housing: how the household is housed.
        """
        net = np.asarray(income, dtype=np.float64) - np.asarray(housing_benefit, dtype=np.float64)
        return np.asarray(net + self.flat_housing(size, housing))

    def entitlement(self, income: float, housing_benefit: float, size: int, housing: Housing = "aide") -> Tier | None:
        """Tier that a household is entitled to; None above both ceilings."""
        resources = float(self.resources(income, housing_benefit, size, housing))
        tiers: tuple[Tier, ...] = ("np", "p")
        return next((tier for tier in tiers if resources <= float(self.ceiling(size, tier))), None)
