"""True right to the C2S of each place, and who takes it up: what estimates of non-take-up are judged against.

A place holds types of households. What the C2S counts of their resources is a multiple of disposable income, which
depends on the type and on the place, and is compared with the ceiling of their size. So the share of eligible
persons comes from the same incomes as Filosofi, by a rule that no estimator of the product follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dagster_project.demo_territory.income import COMMUNES_YEAR, Incomes, location, normal_below, persons_at
from dagster_project.demo_territory.population import Bools, Counts, Floats, Ints, census
from dagster_project.demo_territory.settlement import SHARES
from dagster_project.demo_territory.territory import stream

TIERS = ("np", "p")  # without and with participation
INCOME_YEAR = 2018
COUNT_YEAR = 2020  # CNAM counts of REVN_2021, at the end of the year

# Rules of 2021, by persons of the household.
CEILING, PAID = 9_041.0, 1.35  # euros a year of one person without participation; ceiling with participation, over it
SCALE = np.array([1.0, 1.5, 1.8, 2.1, 2.5, 3.0])
RSA = 12 * 565.34  # euros a year, one person
TENANT_FLAT = RSA * np.array([0.12, 0.16 * 1.5, *[0.165 * 1.8] * 4])  # in place of housing benefit
OWNER_FLAT = RSA * np.array([0.12, 0.14 * 1.5, *[0.14 * 1.8] * 4])  # for living in one's own home

# Households by persons: number of persons and consumption units, and what is counted of a disposable income.
SIZES = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.7])
UNITS = np.array([1.0, 1.45, 1.75, 2.1, 2.45, 2.9])
COUNTED = np.array([1.18, 1.2, 1.21, 1.22, 1.24, 1.26])
BENEFIT = 0.26  # of the income of those who get a housing benefit
OF_FIVE = 0.37  # of households of four or five persons
TWELVE_MONTHS = 0.2  # resources of the last months are not those of the year of the tax: logarithmic spread
# Adults who stand apart from those they live with: counted alone, on what is theirs of the income of all.
APART, OWN_INCOME = 0.07, 0.3
# Poorer places hold more tenants with a housing benefit, and more adults apart; each has a departure of its own.
TENANTS, TENANTS_SLOPE, TENANTS_NOISE = 0.2, 1.0, 0.03
APART_SLOPE, APART_NOISE = 2.4, 0.05
DEPARTURE = 0.02  # of the counted resources, which moves the share of eligible persons by 3 to 5 %

NON_TAKE_UP = {"np": (0.31, 0.04), "p": (0.67, 0.03)}  # mean and spread over places


@dataclass(frozen=True)
class Zone:
    """A zone as a set of places and of communes: what lies in one and in the other."""

    level: str
    code: str
    generation: str
    places: Bools
    communes: Bools

    def total(self, table: Floats) -> float:
        """Sum of a table of places by communes."""
        return float(table[np.ix_(self.places, self.communes)].sum())


class Eligibility:
    """Shares of persons of each place of `incomes`: QPV of 2015, then the rest of each commune."""

    def __init__(self, incomes: Incomes) -> None:
        self.incomes, self.territory = incomes, incomes.territory
        rng = stream(self.territory.seed, "eligibility")
        centre, spread = incomes.places(INCOME_YEAR)
        poorer = np.log(incomes.disposable(INCOME_YEAR).quantile(0.5)[incomes.zones.rows("FRM")[0]]) - centre
        count = len(centre)
        self._tenants = np.clip(TENANTS + TENANTS_SLOPE * poorer + rng.normal(0, TENANTS_NOISE, count), 0.02, 0.95)
        self._apart = APART * np.exp(APART_SLOPE * poorer + rng.normal(0, APART_NOISE, count))
        self._centre = centre + rng.normal(0, DEPARTURE, count)
        self._spread = np.hypot(spread, TWELVE_MONTHS)
        under, under_paid = self._share_under(CEILING), self._share_under(PAID * CEILING)
        self.eligible: Counts = {"np": under, "p": under_paid - under}
        self.take_up: Counts = {
            tier: 1 - np.clip(rng.normal(mean, drift, count), 0, 1) for tier, (mean, drift) in NON_TAKE_UP.items()
        }

    @cached_property
    def _sizes(self) -> Floats:
        """Share of persons by size of their household: places x sizes."""
        people = census(self.incomes.latent, INCOME_YEAR, self.territory.seed, "QP2015")
        four_or_five = people["MEN45"]
        large = [(1 - OF_FIVE) * four_or_five, OF_FIVE * four_or_five, people["MEN6"]]
        qpv = np.column_stack([people["MEN1"], people["MEN2"], people["MEN3"], *large])
        households = np.vstack([qpv, np.tile(SHARES, (len(self.incomes.communes), 1))])
        persons = households * SIZES
        shares: Floats = persons / persons.sum(axis=1, keepdims=True)
        return shares

    def _share_under(self, ceiling: float) -> Floats:
        """Share of persons of each place whose counted resources are under the ceiling; `ceiling` is of one person."""
        tenants = (ceiling * SCALE - TENANT_FLAT) / (COUNTED * (1 - BENEFIT))
        owners = (ceiling * SCALE - OWNER_FLAT) / COUNTED
        together = self._tenants * self._mean_under(tenants / UNITS) + (1 - self._tenants) * self._mean_under(
            owners / UNITS
        )
        alone = self._below(np.array([(ceiling - OWNER_FLAT[0]) / OWN_INCOME]))[:, 0]
        share: Floats = (1 - self._apart) * together + self._apart * alone
        return share

    def _mean_under(self, thresholds: Floats) -> Floats:
        mean: Floats = np.einsum("ps,ps->p", self._sizes, self._below(thresholds))
        return mean

    def _below(self, thresholds: Floats) -> Floats:
        """Places x thresholds, euros of disposable income per consumption unit."""
        steps = (np.log(thresholds)[None, :] - self._centre[:, None]) / self._spread[:, None]
        return normal_below(steps)

    def draw(self, persons: Floats, name: str) -> dict[str, Ints]:
        """Beneficiaries by tier among the persons of each place; `name` is that of the random stream."""
        rng = stream(self.territory.seed, f"take-up {name}")
        found = {}
        for tier in TIERS:
            entitled = np.rint(persons * self.eligible[tier]).astype(np.int64)
            found[tier] = rng.binomial(entitled, self.take_up[tier])
        return found

    @cached_property
    def where(self) -> Floats:
        """Places x communes: share of the inhabitants of each place that lives in each commune."""
        communes = self.incomes.communes
        return np.vstack([location(self.territory, communes, COMMUNES_YEAR), np.eye(len(communes))])

    @cached_property
    def persons(self) -> Floats:
        """Inhabitants of each place when the counts of REVN_2021 were made."""
        qpv = census(self.incomes.latent, COUNT_YEAR, self.territory.seed, "QP2015")["POP"]
        whole = np.array([persons_at(commune, COUNT_YEAR) for commune in self.incomes.communes], dtype=np.float64)
        return np.concatenate([qpv, whole - np.einsum("qc,q->c", self.where[: len(qpv)], qpv)])

    @cached_property
    def beneficiaries(self) -> dict[str, Ints]:
        """By tier, among `persons`."""
        return self.draw(self.persons, str(COUNT_YEAR))

    def covered_beneficiaries(self, covered: Floats) -> Floats:
        """Beneficiaries of each QPV among its persons covered by the régime général."""
        rng = stream(self.territory.seed, "covered beneficiaries")
        count = len(covered)
        helped = sum(self.beneficiaries[tier][:count] for tier in TIERS)
        others = self.persons[:count].astype(np.int64) - helped
        return rng.hypergeometric(helped, others, covered.astype(np.int64)).astype(np.float64)

    def zones(self) -> Iterator[Zone]:
        """QPV of 2015, the rest of their communes (HQPV), and the zones of the Filosofi files."""
        communes, qpvs = self.incomes.communes, self.territory.qpv2015
        everywhere, places = np.ones(len(communes), dtype=np.bool_), np.arange(len(self.where))
        for rank, qpv in enumerate(qpvs):
            yield Zone("QPV", qpv.code, "QP2015", places == rank, everywhere)
        hosts = {tuple(np.flatnonzero(self.where[rank]).tolist()) for rank in range(len(qpvs))}
        for ranks in sorted(hosts, key=lambda ranks: [communes[rank].code for rank in ranks]):
            code = "+".join(communes[rank].code for rank in ranks)
            yield Zone("HQPV", code, "QP2015", places >= len(qpvs), np.isin(np.arange(len(communes)), ranks))
        for level, keys in (
            ("COM", [commune.code for commune in communes]),
            ("EPCI", [commune.epci or "" for commune in communes]),
            ("DEP", [commune.departement for commune in communes]),
            ("REG", [commune.region for commune in communes]),
            ("FRM", ["FRM"] * len(communes)),
        ):
            for code in sorted({key for key in keys if key}):
                yield Zone(level, code, "COG", np.ones(len(places), dtype=np.bool_), np.array(keys) == code)
