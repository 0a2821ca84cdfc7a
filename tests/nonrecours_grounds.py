"""Small worlds for the model of non-take-up: a nation, zones whose incomes are known, and a planted population."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from dagster_project.models.nonrecours import households
from dagster_project.models.nonrecours.estimate import non_recours
from dagster_project.models.nonrecours.parameters import Parameters
from dagster_project.models.nonrecours.rules import Rules, in_force
from dagster_project.models.secrecy import Secrecy
from dagster_project.privacy.secrecy import rules as secrecy_rules
from dagster_project.settings import PROJECT_ROOT

VINTAGE, YEAR = "2021", "2018"
ORDERS = (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9)
NATION = ("FRM", "1", "COG")
KEY = ("zone_level", "zone_code", "generation")
FEW = Parameters(draws=300)
SECRECY = secrecy_rules()["c2s_estimation"]
# The income of a priority neighbourhood and of a town, as a median and a standard deviation of logarithms.
POOR, TOWN, COUNTRY = (14_000.0, 0.42), (21_000.0, 0.50), (21_730.0, 0.48)
_TEXTS = {"valid_from": pa.string(), "vintage": pa.string(), "rank": pa.int64(), "size": pa.int64()}
_ZONES = pa.schema(
    [(name, pa.string()) for name in (*KEY, "vintage", "income_year")]
    + [(name, pa.float64()) for name in ("population", *households.MARGINS)]
    + [("serie", pa.string())]
)
_RATES = pa.schema(
    [(name, pa.string()) for name in (*KEY, "vintage", "mesure")]
    + [(name, pa.float64()) for name in ("beneficiaires", "couverts", "erreur_relative")]
    + [("status", pa.string())]
)
_QUANTILES = pa.schema(
    [(name, pa.string()) for name in (*KEY, "income_year")] + [(name, pa.float64()) for name in ("ordre", "montant")]
)
_MIXTURES = pa.schema(
    [(name, pa.string()) for name in (*KEY, "part_level", "part_code", "part_generation")] + [("persons", pa.float64())]
)
_PAIRS = pa.schema(
    [(name, pa.string()) for name in (*KEY, "reference_level", "reference_code", "reference_generation")]
)


@cache
def seed(name: str) -> pa.Table:
    """A seed as dbt would hand it over: text columns, and doubles for what is a number in every row."""
    with (PROJECT_ROOT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return pa.table({column: _column(column, [row[column] or None for row in rows]) for column in rows[0]})


def _column(name: str, cells: list[str | None]) -> pa.Array:
    text = pa.array(cells, pa.string())
    if name in _TEXTS:
        return text.cast(_TEXTS[name])
    try:
        return text.cast(pa.float64())
    except pa.ArrowInvalid:
        return text


@cache
def rules(vintage: str = VINTAGE) -> Rules:
    return Rules.at(seed("c2s_rule"), in_force(vintage))


def lognormal(median: float, sd: float, rounding: float = 10.0) -> tuple[float, ...]:
    """Amounts at `ORDERS`, rounded as they are published."""
    return tuple(np.round(median * np.exp(sd * ndtri(ORDERS)) / rounding) * rounding)


@dataclass
class World:
    """Input tables under construction; `run` estimates them."""

    zones: list[dict[str, Any]] = field(default_factory=list)
    quantiles: list[dict[str, Any]] = field(default_factory=list)
    mixtures: list[dict[str, Any]] = field(default_factory=list)
    taux: list[dict[str, Any]] = field(default_factory=list)
    comparaisons: list[dict[str, Any]] = field(default_factory=list)
    national: pa.Table = field(default_factory=lambda: seed("c2s_national"))

    def incomes(self, key: tuple[str, str, str], amounts: Iterable[float | None], year: str = YEAR) -> None:
        """Publish quantiles at `ORDERS`."""
        self.quantiles += [
            dict(zip(KEY, key, strict=True)) | {"income_year": year, "ordre": order, "montant": amount}
            for order, amount in zip(ORDERS, amounts, strict=True)
        ]

    def zone(
        self,
        key: tuple[str, str, str],
        counts: Mapping[str, tuple[float | None, float | None]],
        *,
        status: str = "ok",
        vintage: str = VINTAGE,
        **changes: Any,
    ) -> None:
        """Add a zone with beneficiaries and persons covered by measure."""
        row = dict(zip(KEY, key, strict=True)) | {"vintage": vintage}
        margins = dict.fromkeys(households.MARGINS)
        self.zones.append(row | {"income_year": YEAR, "population": 5000.0, "serie": "c2s"} | margins | changes)
        self.taux += [
            row | {"mesure": name, "beneficiaires": count, "couverts": covered, "status": status}
            for name, (count, covered) in counts.items()
        ]

    def compare(self, key: tuple[str, str, str], other: tuple[str, str, str]) -> None:
        """Compare a zone with another."""
        names = ("reference_level", "reference_code", "reference_generation")
        self.comparaisons.append(dict(zip(KEY, key, strict=True)) | dict(zip(names, other, strict=True)))

    def mix(self, key: tuple[str, str, str], parts: Mapping[tuple[str, str, str], float]) -> None:
        """Make a zone of signed parts."""
        names = ("part_level", "part_code", "part_generation")
        self.mixtures += [
            dict(zip(KEY, key, strict=True)) | dict(zip(names, part, strict=True)) | {"persons": persons}
            for part, persons in parts.items()
        ]

    def tables(self) -> dict[str, pa.Table]:
        """The input tables."""
        return {
            "zones": pa.Table.from_pylist(self.zones, schema=_ZONES),
            "quantiles": pa.Table.from_pylist(self.quantiles, schema=_QUANTILES),
            "mixtures": pa.Table.from_pylist(self.mixtures, schema=_MIXTURES),
            "taux": pa.Table.from_pylist(self.taux, schema=_RATES),
            "comparaisons": pa.Table.from_pylist(self.comparaisons, schema=_PAIRS),
            "national": self.national,
            "regles": seed("c2s_rule"),
            "menages": seed("household_type"),
        }

    def run(self, parameters: Parameters = FEW, secrecy: Secrecy = SECRECY) -> dict[str, pa.Table]:
        """Estimate."""
        return non_recours(**self.tables(), secrecy=secrecy, parameters=parameters)


def qpv(code: str) -> tuple[str, str, str]:
    return ("QPV", code, "QP2015")


def counts(covered: float, rate: float = 0.30) -> dict[str, tuple[float | None, float | None]]:
    """Beneficiaries of each measure: `rate` of those covered, four fifths of them without participation."""
    shares = {"total": 1.0, "np": 0.8, "p": 0.2, "j": 0.3, "s": 0.1}
    return {name: (round(covered * rate * share), covered) for name, share in shares.items()}


def world(*codes: str) -> World:
    """The nation, and poor neighbourhoods of 5,000 persons of which 4,000 are covered."""
    found = World()
    found.incomes(NATION, lognormal(*COUNTRY))
    for code in codes:
        found.incomes(qpv(code), lognormal(*POOR))
        found.zone(qpv(code), counts(4000.0))
    return found


def figures(table: pa.Table, code: str = "C_NR") -> dict[str, dict[str, Any]]:
    """Rows of one indicator by zone code."""
    return {row["zone_code"]: row for row in table.to_pylist() if row["indicator_code"] == code}


# --- a planted population -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Planted:
    """A world whose true rates are known, in percent, by zone code."""

    world: World
    truth: Mapping[str, float]


def planted(zones: int, seed_: int, zone_sd: float = 0.05, homes: int = 4000) -> Planted:
    """Households with types, incomes and resources; the nation and zones publish what a statistician would.

    The rules apply to resources that no method sees: they stray from disposable income, and those of the unemployed
    are counted for 70 %, the poorer the zone the more of them. On top of it the eligible share of each zone departs by
    `zone_sd` from what its households say. The published national rates err within their margin.
    """
    generator = np.random.default_rng(seed_)
    types = households.read_types(seed("household_type"))
    found = World()
    # as on the real nation: the tiers count 12 % and 6 % of persons, far from what disposable income says
    drift = {tier: generator.normal(middle, 0.02) for tier, middle in (("np", 0.79), ("p", 0.92))}
    country = _people(generator, types, (21_730.0, 0.42), np.ones(len(types.codes)), 60 * homes, drift, 0.08)
    found.incomes(NATION, _quantiles(country))
    error = generator.normal(0, 0.02 / float(ndtri(0.95)))
    published = {"np": 0.31, "p": 0.67}
    people = 66_330_502.0
    beneficiaries = {tier: people * country[f"share_{tier}"] * (1 - rate - error) for tier, rate in published.items()}
    whole = sum(beneficiaries.values())
    eligible = sum(beneficiaries[tier] / (1 - published[tier]) for tier in published)
    rates = published | {"total": 1 - whole / eligible}
    found.national = pa.Table.from_pylist(
        [
            {
                "vintage": VINTAGE,
                "mesure": name,
                "beneficiaires": beneficiaries.get(name),
                "non_recours": 100 * rate,
                "population": people,
                "citation": "monde planté",
            }
            for name, rate in rates.items()
        ]
    )
    truth = {}
    for number in range(zones):
        key = qpv(f"Z{number:03d}")
        law = (generator.uniform(13_000, 20_000), generator.uniform(0.30, 0.42))
        tilt = np.exp(generator.normal(0, 0.3, len(types.codes)) + generator.normal(0.1, 0.1) * (types.size - 2))
        jobless = 0.08 + 0.20 * (20_000 - law[0]) / 7_000
        local = _people(generator, types, law, tilt, homes, drift, jobless)
        found.incomes(key, _quantiles(local))
        share = (local["share_np"] + local["share_p"]) * (1 + zone_sd * generator.normal())
        rate = generator.uniform(0.25, 0.65)
        truth[key[1]] = 100 * rate
        covered = 0.85 * local["persons"]
        count = share * (1 - rate) * covered * (1 + 0.02 * generator.normal())
        margins = {name: local[name] for name in households.MARGINS}
        found.zone(key, {"total": (count, covered)}, population=local["persons"], **margins)
    return Planted(found, truth)


def _people(
    generator: np.random.Generator,
    types: households.Types,
    law: tuple[float, float],
    tilt: np.ndarray,
    homes: int,
    drift: Mapping[str, float],
    jobless: float,
) -> dict[str, Any]:
    weights = types.share * tilt
    kind = generator.choice(len(types.codes), size=homes, p=weights / weights.sum())
    size, uc = types.size[kind], types.uc[kind]
    social = generator.random(homes) < types.social[kind]
    helped = social | (generator.random(homes) < 0.5)
    level = np.where(social, 0.74, 1.08) * types.standard[kind]
    income = law[0] * level * np.exp(law[1] * generator.normal(size=homes))
    resources = np.empty(homes)
    for housing, members in (("aide", helped), ("proprietaire", ~helped)):
        benefit = 2700.0 if housing == "aide" else 0.0
        counted = rules().resources(income[members] * uc[members], benefit, size[members], housing)
        resources[members] = counted * np.exp(generator.normal(0, 0.08, members.sum()))
    resources *= np.where(generator.random(homes) < jobless, 0.7, 1.0)
    free, paying = (drift[tier] * resources <= rules().ceiling(size, tier) for tier in ("np", "p"))
    persons = size.sum()
    return {
        "income": income,
        "size": size,
        "persons": float(persons),
        "share_np": size[free].sum() / persons,
        "share_p": size[paying & ~free].sum() / persons,
        "men1": 100 * np.mean(size == 1),
        "men6": 100 * np.mean(size >= 6),
        "plus60": 100 * types.over60[kind].sum() / persons,
        "moins25": 100 * types.under25[kind].sum() / persons,
        "hlm": 100 * np.mean(social),
    }


def _quantiles(people: Mapping[str, Any]) -> list[float]:
    """Quantiles of persons by income per consumption unit, rounded to ten euros."""
    order = np.argsort(people["income"])
    below = np.cumsum(people["size"][order]) / people["persons"]
    amounts = people["income"][order][np.searchsorted(below, ORDERS)]
    return [float(amount) for amount in np.round(amounts / 10) * 10]
