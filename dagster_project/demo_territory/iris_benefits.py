"""CAF and CNAM counts by IRIS of cities, with what their producers hide."""

from __future__ import annotations

import numpy as np

from dagster_project.demo_territory import editions
from dagster_project.demo_territory.dwellings import Dwellings
from dagster_project.demo_territory.iris_files import urban_unit
from dagster_project.demo_territory.persons import ALONE_TOGETHER, LONE, LONE_PARENT, WITH_CHILDREN
from dagster_project.demo_territory.population import Floats, Ints
from dagster_project.demo_territory.secrecy import least_shown
from dagster_project.demo_territory.territory import stream
from dagster_project.demo_territory.writers import csv_bytes, number, words

CAF = "insee_caf_iris"
CAF_YEARS = (2016, 2017, 2018, 2019, 2020)
OLDEST_EDITION, LAST_LABELLED, FIRST_WITH_UNITS = 2016, 2018, 2017
TRENDS = {"APPA": 0.05, "ARSAS": -0.01}  # change per year before 2020, as a share
GROWTH = 0.008  # of everything else
LEAST_ROW = 100
CHILD = 25
FAMILIES = words("AI AM ACSSENF ACAVENF")
COUNTS = words(
    "A PERCOU AI AM ACSSENF ACAVENF AC3ENF ENF ENF_2 ENF_3_5 ENF_6_10 ENF_11_14 ENF_15_17 ENF_18_24 A_ETUD A_NETUD_24 "
    "AAL AAPL AAAH APPA ARSAS"
)
CHILDREN = {"ENF_2": (0, 3), "ENF_3_5": (3, 6), "ENF_6_10": (6, 11), "ENF_11_14": (11, 15), "ENF_15_17": (15, 18)}
CHILDREN |= {"ENF_18_24": (18, CHILD)}


class IrisBenefits:
    """Counts by IRIS of the communes that are cut; other communes have no line."""

    def __init__(self, dwellings: Dwellings) -> None:
        self.dwellings = dwellings
        self.ranks = [rank for rank, iris in enumerate(dwellings.zones) if iris.kind != "Z"]
        self.home_iris = dwellings.iris[dwellings.settlement.home]
        self._caf = self._caf_counts()

    def _by_iris(self, rows: Ints, weights: Floats | None = None) -> Ints:
        found = np.bincount(self.home_iris[rows], weights=weights, minlength=len(self.dwellings.zones))
        return np.rint(found).astype(np.int64)

    def _caf_counts(self) -> dict[str, Ints]:
        """Counts of 2020: the truth, and benefits drawn for each household."""
        dwellings = self.dwellings
        rng = stream(dwellings.territory.seed, "iris benefits")
        homes, everyone = dwellings.households, dwellings.persons
        rows = np.flatnonzero(homes.caf)
        child = everyone.child & (everyone.age < CHILD) & homes.caf[everyone.household]
        children = np.bincount(everyone.household[child], minlength=len(homes.caf))
        family = np.where((everyone.family == WITH_CHILDREN) & (children == 0), ALONE_TOGETHER, everyone.family)
        family = np.where((everyone.family == LONE_PARENT) & (children == 0), LONE, family)
        found = {"A": self._by_iris(rows)}
        adults = np.where((family == LONE) | (family == LONE_PARENT), 1, 2)
        found["PERCOU"] = self._by_iris(rows, (adults + children)[rows].astype(np.float64))
        for name, kind in zip(FAMILIES, (LONE, LONE_PARENT, ALONE_TOGETHER, WITH_CHILDREN), strict=True):
            found[name] = self._by_iris(rows[family[rows] == kind])
        found["AC3ENF"] = self._by_iris(rows[(family[rows] == WITH_CHILDREN) & (children[rows] > 2)])  # noqa: PLR2004
        found["ENF"] = self._by_iris(rows, children[rows].astype(np.float64))
        for name, (low, high) in CHILDREN.items():
            held = child & (everyone.age >= low) & (everyone.age < high)
            found[name] = self._by_iris(everyone.household[held])
        poor = homes.poor[rows]
        for name, odds in (
            ("A_ETUD", np.full(len(rows), 0.05)),
            ("A_NETUD_24", np.full(len(rows), 0.07)),
            ("AAL", 0.45 + 0.25 * poor),
            ("AAPL", np.where(homes.social[rows], 0.6, 0.15)),
            ("AAAH", np.full(len(rows), 0.11)),
            ("APPA", 0.33 - 0.1 * poor),
            ("ARSAS", 0.04 + 0.35 * poor),
            ("APRES50", 0.1 + 0.5 * poor),
            ("APRES100", 0.04 + 0.33 * poor),
        ):
            found[name] = self._by_iris(rows[rng.random(len(rows)) < odds])
        return found

    def caf_csv(self, year: int) -> bytes:
        """CAF at 31 December of a year, with the columns of its edition."""
        labelled, units = year <= LAST_LABELLED, FIRST_WITH_UNITS <= year <= LAST_LABELLED
        columns = (*COUNTS, "APRES50", "APRES100") if year <= FIRST_WITH_UNITS else COUNTS
        thousands = editions.NARROW if year <= FIRST_WITH_UNITS else ""
        rows = []
        for rank in self.ranks:
            counts = {name: self._of_year(name, rank, year) for name in columns}
            note = self._note(rank, year, counts["A"])
            cells = [""] * len(columns) if note != "0" else self._shown(counts, thousands)
            rows.append([*self._place(rank, labelled=labelled, units=units), note, *cells])
        place = (
            words("CODGEO LIBGEO DEPCOM LIBCOM EPCI UU REG") if units else words("CODGEO LIBGEO DEPCOM LIBCOM EPCI REG")
        )
        header = [*(place if labelled else ("CODGEO",)), "NOTE", *columns]
        return csv_bytes(header, rows, bom=year <= FIRST_WITH_UNITS)

    def _place(self, rank: int, *, labelled: bool, units: bool) -> list[str]:
        iris = self.dwellings.zones[rank]
        if not labelled:
            return [iris.code]
        commune = iris.commune
        unit = [urban_unit(self.dwellings.territory, commune.cells[0])] if units else []
        return [iris.code, iris.name, commune.code, commune.name, commune.epci or "", *unit, commune.region]

    def _of_year(self, name: str, rank: int, year: int) -> int:
        change = 1 + TRENDS.get(name, GROWTH) * (year - CAF_YEARS[-1])
        return round(int(self._caf[name][rank]) * change)

    def _note(self, rank: int, year: int, recipients: int) -> str:
        """3: too few recipients; 2 and 4: addresses too badly located that year, in a place that moves."""
        if recipients < LEAST_ROW:
            return "3"
        place = self.ranks.index(rank)
        if place == 17 + 3 * (year - OLDEST_EDITION):
            return "2"
        return "4" if year > OLDEST_EDITION and place == 61 + year - OLDEST_EDITION else "0"

    def _shown(self, counts: dict[str, int], thousands: str) -> list[str]:
        """Small counts are hidden, and one more among the four families when one alone would be."""
        least = least_shown(CAF)
        hidden = {name for name, count in counts.items() if count < least}
        if len(hidden & set(FAMILIES)) == 1:
            hidden.add(min((name for name in FAMILIES if name not in hidden), key=lambda name: counts[name]))
        return ["" if name in hidden else number(count, 0, thousands=thousands) for name, count in counts.items()]

    def c2s_csv(self) -> bytes:
        """Persons covered and beneficiaries of the C2S at 1 January 2022; « ns » for a small count.

        The Cnam does not say under which: here, under that of the Cnaf.
        """
        least = least_shown(CAF)
        health, everyone = self.dwellings.health, self.dwellings.persons
        columns = {
            "C": health.covered,
            "C_C2SNP": health.c2s_free,
            "C_C2SP": health.c2s_paid,
            "C_17_C2SNP": health.c2s_free & (everyone.age < 18),  # noqa: PLR2004 - the age in the column's name
            "C_60_C2SNP": health.c2s_free & (everyone.age >= 60),  # noqa: PLR2004 - same
        }
        counts = {name: self._by_iris(everyone.household[flags]) for name, flags in columns.items()}
        rows = []
        for rank in self.ranks:
            cells = [int(values[rank]) for values in counts.values()]
            shown = [str(cell) if cell == 0 or cell >= least else "ns" for cell in cells]
            rows.append([self.dwellings.zones[rank].code, *shown])
        return csv_bytes(("CODGEO", *columns), rows, bom=True)
