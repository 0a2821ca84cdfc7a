"""INSEE's tables of QPV figures, one builder per family of editions."""
# ruff: noqa: PLR2004 - an edition is known by its year

from __future__ import annotations

import numpy as np

from dagster_project.demo_territory import editions, secrecy
from dagster_project.demo_territory.editions import LATE, OUTSIDE, Edition
from dagster_project.demo_territory.eligibility import COUNT_YEAR, Eligibility
from dagster_project.demo_territory.employment import contracts, employment_rates, growth, job_seekers, revised
from dagster_project.demo_territory.income import Incomes, location, persons_at
from dagster_project.demo_territory.population import (
    POP_CENSUS,
    SHARE_CENSUS,
    Bools,
    Counts,
    Floats,
    Latent,
    beneficiaries,
    census,
    demo_rates,
    totals,
)
from dagster_project.demo_territory.qpv_table import Table, unknown_to_late
from dagster_project.demo_territory.territory import Territory


class QpvTables:
    """Builds every edition of one territory."""

    def __init__(self, territory: Territory, latent: Latent, incomes: Incomes, eligibility: Eligibility) -> None:
        self.territory, self.latent, self.incomes, self.eligibility = territory, latent, incomes, eligibility
        self.codes = np.array([qpv.code for qpv in territory.qpv2015])

    def all(self) -> list[Table]:
        """Every table of the catalogue, in the order of its datasets."""
        return [
            *(self.demo(edition) for edition in (*editions.demo_editions(), *editions.flat_demo_editions())),
            *(self.revn(edition) for edition in editions.revn_editions()),
            *(self.ipro(edition) for edition in editions.ipro_editions()),
            *(self.filo(edition) for edition in editions.filo_editions()),
        ]

    def _rows(self, edition: Edition) -> Bools:
        return np.ones(len(self.codes), dtype=np.bool_) if edition.lists_late else self.codes != LATE

    def _blank(self, edition: Edition, rows: Bools) -> tuple[list[str], dict[str, list[str]]]:
        names = [qpv.name for qpv, kept in zip(self.territory.qpv2015, rows, strict=True) if kept]
        return list(self.codes[rows]), {"LIBGEO": [*names, "Ensemble des QPV"]} if "LIBGEO" in edition.columns else {}

    def demo(self, edition: Edition) -> Table:
        """« Démographie »: census shares, and CAF counts at the end of the year before the edition."""
        rows, year = self._rows(edition), edition.year
        codes, texts = self._blank(edition, rows)
        sample = census(self.latent, SHARE_CENSUS[year], self.territory.seed, "QP2015")
        caf = beneficiaries(self.latent, year - 1, self.territory.seed, "QP2015")
        truth = self._places(year, rows, texts)
        truth |= demo_rates(totals(sample, rows, self.codes != OUTSIDE))
        known = self.codes != LATE if unknown_to_late(edition, "NOTE_CNAF") else None
        truth |= totals({name: caf[name] for name in editions.CAF}, rows, known)
        hidden = secrecy.hide_sample({name: values[rows] for name, values in sample.items()}, editions.RP)
        for name in editions.RP:
            hidden[name] |= self.codes[rows] == OUTSIDE
        least = secrecy.least_shown(edition.dataset)
        hidden |= secrecy.hide_small(truth, editions.CAF, secrecy.CAF_GROUPS, len(codes), least)
        self._hide_late(edition, codes, hidden, editions.CAF)
        secrecy.apply_notes(edition, codes, hidden, {"NOTE_CNAF": editions.CAF, "NOTE_RP": editions.RP})
        return Table(edition, codes, truth, hidden, texts)

    def _places(self, year: int, rows: Bools, texts: dict[str, list[str]]) -> Counts:
        """Population of the QPV, of the QPV of its communes and of its communes."""
        geography, reference = year - 1, POP_CENSUS[year]
        communes = self.territory.communes(geography)
        where = location(self.territory, communes, geography)
        pop = census(self.latent, reference, self.territory.seed, "QP2015")["POP"]
        inside = where.T @ pop
        whole = np.array([persons_at(commune, reference) for commune in communes], dtype=np.float64)
        touched = (where > 0).astype(np.float64)
        found = {"POP_MUN": pop, "POP_COM_QP": np.rint(touched @ inside), "POP_COM": touched @ whole}
        labels = [
            ", ".join(commune.name for commune in self.territory.communes_of(qpv, geography))
            for qpv, kept in zip(self.territory.qpv2015, rows, strict=True)
            if kept
        ]
        texts["LIB_COM"] = [*labels, ""]
        truth = totals(found, rows)
        for name in ("POP_COM_QP", "POP_COM"):  # not additive: the real row « Ensemble » leaves them empty
            truth[name][-1] = np.nan
        return truth

    def _hide_late(
        self, edition: Edition, codes: list[str], hidden: dict[str, Bools], columns: tuple[str, ...]
    ) -> None:
        if unknown_to_late(edition, "NOTE_CNAF"):
            late = np.array([code == LATE for code in codes])
            for name in columns:
                hidden[name] = hidden.get(name, np.zeros(len(codes), dtype=np.bool_)) | late

    def revn(self, edition: Edition) -> Table:
        """« Revenus »: declared and disposable incomes, CNAM and CAF counts."""
        rows, year = self._rows(edition), edition.year
        codes, texts = self._blank(edition, rows)
        incomes_of = editions.INCOMES_OF[year]
        caf = beneficiaries(self.latent, year - 1, self.territory.seed, "QP2015")
        if year - 1 == COUNT_YEAR:
            caf["CC2S"] = self.eligibility.covered_beneficiaries(caf["C"])
        known = self.codes != LATE if unknown_to_late(edition, "NOTE_CNAF") else None
        truth = {name: values[np.append(rows, True)] for name, values in self._incomes(incomes_of).items()}
        truth |= totals(caf, rows, known)
        counted = tuple(name for name in edition.columns if name in caf)
        hidden = secrecy.hide_small(truth, counted, (), len(codes), secrecy.least_shown(edition.dataset))
        households = census(self.latent, incomes_of, self.territory.seed, "QP2015")["MEN"][rows]
        hidden["PMIMP"] = households * truth["PMIMP"][:-1] / 100 < 150
        hidden["PART_CHOMPRINC"] = households * truth["PART_CHOMPRINC"][:-1] / 100 < 85
        hidden["DECUC_D1D9"] = truth["DECUC_D1"][:-1] < 200
        self._reserve(hidden, codes, incomes_of, {name: name for name in ("TP60",)})
        if year == 2017:
            for name in (*editions.DISPOSABLE, *editions.PARTS):
                hidden[name] = hidden.get(name, np.zeros(len(codes), dtype=np.bool_)) | (self.codes[rows] == OUTSIDE)
        self._hide_late(edition, codes, hidden, counted)
        cnam = tuple(name for name in counted if name.startswith("C"))
        explained = {"NOTE_CNAM": cnam, "NOTE_CNAF": tuple(name for name in counted if name not in cnam)}
        secrecy.apply_notes(edition, codes, hidden, explained)
        return Table(edition, codes, {name: truth[name] for name in edition.columns if name in truth}, hidden, texts)

    def _incomes(self, year: int) -> Counts:
        """True incomes of every QPV and of all together, under the names of « Revenus »."""
        keep = len(self.codes) + 1
        disposable, declared = self.incomes.disposable(year), self.incomes.declared(year)
        line = self.incomes.poverty_line(year)
        everyone = self.incomes.zones.rows("FRM")[0]
        found: Counts = {}
        for prefix, zones in (("DECUC", declared), ("DISP", disposable)):
            for name, level in (("Q1", 0.25), ("Q2", 0.5), ("Q3", 0.75), ("D1", 0.1), ("D9", 0.9)):
                found[f"{prefix}_{name}"] = zones.quantile(level)[:keep]
            low, high = found[f"{prefix}_D1"], found[f"{prefix}_D9"]
            found[f"{prefix}_D1D9"] = np.divide(high, low, out=np.full(keep, np.nan), where=low > 0)
        found["TP60"] = 100 * disposable.share_below(line)[:keep]
        found["BREV"] = 100 * declared.share_below(0.6 * float(declared.quantile(0.5)[everyone]))[:keep]
        found["PMIMP"] = 100 - 100 * declared.share_below(16_200 + 120 * (year - 2013))[:keep]
        parts = self.incomes.sources(year)
        found["PART_CHOMPRINC"] = parts["PCHO"][:keep] * 1.3
        return found | {name: parts[name][:keep] for name in editions.PARTS}

    def _reserve(self, hidden: dict[str, Bools], codes: list[str], year: int, columns: dict[str, str]) -> None:
        for (of, code), stems in editions.RESERVED_CELLS.items():
            for stem in stems if of == year and code in codes else ():
                if stem in columns:
                    flags = hidden.setdefault(columns[stem], np.zeros(len(codes), dtype=np.bool_))
                    flags[codes.index(code)] = True

    def filo(self, edition: Edition) -> Table:
        """Filosofi by QPV."""
        year, keep = edition.year, len(self.codes) + 1
        zones, parts = self.incomes.disposable(year), self.incomes.sources(year)
        values: Counts = {f"d{rank}": zones.quantile(rank / 10)[:keep] for rank in range(1, 10)}
        values |= {f"q{rank}": zones.quantile(rank / 4)[:keep] for rank in (1, 2, 3)}
        values["med"] = values["q2"]
        values["q1q3q2"] = values["eq"] = (values["q3"] - values["q1"]) / values["q2"]
        values["d1d9"] = values["rd"] = values["d9"] / values["d1"]
        values["gini"], values["s80s20"] = zones.gini()[:keep], zones.s80_s20()[:keep]
        values["tp60"] = 100 * zones.share_below(self.incomes.poverty_line(year))[:keep]
        values |= {name.lower(): shares[:keep] for name, shares in parts.items()}
        stems = {name: name.lower().removeprefix("disp_").rsplit("_a", 1)[0] for name in edition.columns[1:]}
        truth = {name: values[stem] for name, stem in stems.items() if stem in values}
        codes, _ = self._blank(edition, self._rows(edition))
        hidden: dict[str, Bools] = {}
        self._reserve(hidden, codes, year, {stem.upper(): name for name, stem in stems.items()})
        return Table(edition, codes, truth, hidden)

    def ipro(self, edition: Edition) -> Table:
        """« Insertion professionnelle »: employment, helped contracts, job seekers at the end of the year before."""
        rows, year = self._rows(edition), edition.year
        codes, texts = self._blank(edition, rows)
        precarious = "EDLIM" if year == 2021 else "EPREC"
        sample = census(self.latent, SHARE_CENSUS[year], self.territory.seed, "QP2015")
        seekers, helped = self._seekers(year - 1, rows), self._helped(year - 1, rows)
        truth = employment_rates(totals(sample, rows, self.codes != OUTSIDE), precarious) | seekers | helped
        hidden = secrecy.hide_sample({k: v[rows] for k, v in sample.items()}, edition.columns, precarious)
        for name in hidden:
            hidden[name] |= self.codes[rows] == OUTSIDE
        count, least = len(codes), secrecy.least_shown(edition.dataset)
        jobs, aided = (
            secrecy.hide_small(truth, [name for name in edition.columns if name in counts], groups, count, least)
            for counts, groups in ((seekers, secrecy.JOBS_GROUPS), (helped, secrecy.HELPED_GROUPS))
        )
        secrecy.hide_by_sex(truth, jobs, count)
        hidden |= jobs | aided
        moves = self._moves(edition, rows, truth, hidden)
        explained = {"NOTE_PE": tuple(jobs), "NOTE_ASP": tuple(aided)}
        explained["NOTE_PE_T"] = tuple(name for name in moves if not name.startswith(("CA_", editions.EVOL_CA)))
        explained["NOTE_ASP_E"] = tuple(name for name in moves if name.startswith(("CA_", editions.EVOL_CA)))
        secrecy.apply_notes(edition, codes, hidden, explained)
        return Table(edition, codes, {name: truth[name] for name in edition.columns if name in truth}, hidden, texts)

    def _seekers(self, year: int, rows: Bools) -> Counts:
        return totals(job_seekers(self.latent, year, self.territory.seed), rows)

    def _helped(self, year: int, rows: Bools) -> Counts:
        return totals(contracts(self.latent, year, self.territory.seed), rows)

    def _moves(self, edition: Edition, rows: Bools, truth: Counts, hidden: dict[str, Bools]) -> list[str]:
        """Change over a year, on last year's revised counts; adds to `truth` and `hidden`."""
        seed, before = self.territory.seed, edition.year - 2
        seekers = totals(revised(job_seekers(self.latent, before, seed), seed, before), rows)
        helped = totals(revised(contracts(self.latent, before, seed), seed, before), rows)
        found: dict[str, tuple[str, Floats]] = {
            "A_N_T4": ("A", truth["A"]),
            "A_N1_T4": ("A", seekers["A"]),
            "CA_N_E": ("CA", truth["CA"]),
            "CA_N1_E": ("CA", helped["CA"]),
            editions.EVOL_CA: ("CA", growth(truth["CA"], helped["CA"])),
        }
        for name in editions.EVOL:
            of = name.removeprefix("EVOL_").removesuffix("_T4")
            found[name] = (of, growth(truth[of], seekers[of]))
        found = {name: pair for name, pair in found.items() if name in edition.columns}
        least = secrecy.least_shown(edition.dataset)
        for name, (of, values) in found.items():
            truth[name] = values
            previous = (helped if of == "CA" else seekers)[of][:-1]
            hidden[name] = hidden[of] | (previous < least) | np.isnan(values[:-1])
        return list(found)
