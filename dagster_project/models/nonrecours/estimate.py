"""Entry point of the model of non-take-up of the C2S."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.models.arrow_tables import schema_of, table_of
from dagster_project.models.nonrecours import calibration, distributions, gate, indicators, inputs, publish
from dagster_project.models.nonrecours.calibration import Edition, NotCalibratedError
from dagster_project.models.nonrecours.distributions import Fits, Incomes
from dagster_project.models.nonrecours.gate import Gate
from dagster_project.models.nonrecours.households import Types, read_types
from dagster_project.models.nonrecours.indicators import AJUSTEMENT, COMPOSANTE
from dagster_project.models.nonrecours.inputs import Counts, Zones
from dagster_project.models.nonrecours.parameters import METHODS, MODEL_VERSION, NATION, TIERS, Key, Parameters
from dagster_project.models.nonrecours.rules import Rules, in_force
from dagster_project.models.secrecy import Secrecy

MIXED = "Millésimes mêlés : revenus de {zone} pour la zone, de {nation} pour la France."
NO_REFERENCE = "Aucune référence nationale pour cette édition : le contrôle national ne peut se faire."
NO_NATION = "Pas de distribution de revenu utilisable pour la France : le contrôle national ne peut se faire. {reason}"
_NO_YEAR = ""

VERROU = schema_of("vintage entree valeur:f unite citation conforme:b model_version")
CALAGE = schema_of("vintage methode tier part_non_calee:f part_nationale:f facteur:f model_version")


@dataclass(frozen=True)
class _Grounds:
    """What all editions share: the nation's distribution and those of zones."""

    parameters: Parameters
    secrecy: Secrecy
    types: Types
    fits: Fits
    mixtures: Mapping[Key, Sequence[tuple[Key, float]]]
    nation: Incomes
    nation_year: str


def non_recours(
    zones: pa.Table,
    quantiles: pa.Table,
    mixtures: pa.Table,
    taux: pa.Table,
    comparaisons: pa.Table,
    national: pa.Table,
    regles: pa.Table,
    menages: pa.Table,
    secrecy: Secrecy,
    parameters: Parameters | None = None,
) -> dict[str, pa.Table]:
    """Estimate non-take-up of the C2S in zones, with intervals, or say why not.

    Args:
        zones: zones of each edition; see `inputs.zones_by_vintage`.
        quantiles: published quantiles of income of zones and of the nation (level `FRM`); see `distributions.fit`. The
            nation has one year of income: zones of another year are refused.
        mixtures: parts of zones without quantiles of their own; see `distributions.parts_of`.
        taux: counts of beneficiaries; see `inputs.counts`.
        comparaisons: the zone that each one is compared with; see `inputs.pairs`.
        national: published national figures; see `calibration.references`.
        regles: dated rules; see `rules.Rules.at`.
        menages: types of households; see `households.read_types`.
        secrecy: least number of eligible persons, and of beneficiaries, that is told.
        parameters: choices of the model; the published ones by default.

    Returns:
        `estimation`: zone × edition × indicator, percent (points for the gap, persons for C_ELIG).
        `composante`: shares of the variance of C_NR by source of error, where C_NR is published.
        `ajustement`: how well the two laws of C1 fit a zone, and what they say at the ceilings.
        `verrou`: inputs and result of the national gate.
        `calage`: what each method gives on the nation before calibration, and its factor.

    Raises:
        ValueError: a table breaks a rule of its reader, or the nation has several years of income.
    """
    chosen = parameters or Parameters()
    editions = inputs.zones_by_vintage(zones)
    counts = inputs.counts(taux, editions)
    pairs = inputs.pairs(comparaisons)
    references = calibration.references(national)
    grounds = _grounds(quantiles, mixtures, menages, editions.values(), secrecy, chosen)
    found: dict[str, list[pa.Table]] = {name: [] for name in ("estimation", "composante", "ajustement")}
    verrou: list[dict[str, Any]] = []
    calage: list[dict[str, Any]] = []
    for vintage, here in editions.items():
        edition: Edition | None = None
        verdict = Gate(conform=False, reason=inputs.OTHER_SERIES, rows=())
        # An edition that counts nobody, without a reference either, has nothing to check.
        if "c2s" in here.series and (vintage in references or None in counts[vintage]["total"].reason):
            edition, verdict = _edition(vintage, references.get(vintage), regles, grounds)
        verrou += [row | {"vintage": vintage} for row in verdict.rows]
        calage += list(_calage(edition)) if edition else []
        for name, table in _zones(vintage, here, counts[vintage], pairs, edition, verdict, grounds).items():
            found[name].append(table)
    version = {"model_version": MODEL_VERSION}
    keys = [(name, "ascending") for name in ("zone_level", "zone_code", "generation", "vintage")]
    schemas = {"estimation": publish.ESTIMATION, "composante": COMPOSANTE, "ajustement": AJUSTEMENT}
    last = {"estimation": "indicator_code", "composante": "composante", "ajustement": "methode"}
    stacked = {
        name: pa.concat_tables([schemas[name].empty_table(), *tables]).sort_by([*keys, (last[name], "ascending")])
        for name, tables in found.items()
    }
    return stacked | {
        "verrou": table_of([row | version for row in verrou], VERROU, ["vintage", "entree"]),
        "calage": table_of([row | version for row in calage], CALAGE, ["vintage", "methode", "tier"]),
    }


def _grounds(
    quantiles: pa.Table,
    mixtures: pa.Table,
    menages: pa.Table,
    editions: Any,
    secrecy: Secrecy,
    parameters: Parameters,
) -> _Grounds:
    nations = {
        ((level, code, generation), year)
        for level, code, generation, year in zip(
            *(quantiles[name].to_pylist() for name in ("zone_level", "zone_code", "generation", "income_year")),
            strict=True,
        )
        if level == NATION
    }
    if len(nations) > 1:
        raise ValueError(
            f"Table `quantiles`: the nation has several years of income or codes, {sorted(nations)}; give one, "
            "that of the incomes of zones."
        )
    nation, year = next(iter(nations), ((NATION, "", ""), _NO_YEAR))
    parts = distributions.parts_of(mixtures)
    keys = {key for zones in editions for key in zones.keys}
    wanted = {
        *nations,
        *((key, year) for key in keys),
        *((part, year) for key in keys for part, _ in parts.get(key, ())),
    }
    fits = distributions.fit(quantiles, wanted, parameters)
    return _Grounds(
        parameters, secrecy, read_types(menages), fits, parts, distributions.incomes([(nation, year)], fits, {}), year
    )


def _edition(
    vintage: str, reference: calibration.Reference | None, regles: pa.Table, grounds: _Grounds
) -> tuple[Edition | None, Gate]:
    """The calibration of an edition and what the gate says of it; no calibration when nothing can be computed."""
    missing = grounds.nation.reasons[0]
    if missing is not None:
        return None, gate.closed(NO_NATION.format(reason=missing))
    if reference is None:
        return None, gate.closed(NO_REFERENCE)
    rules = Rules.at(regles, in_force(vintage))
    try:
        edition = calibration.calibrate(vintage, reference, rules, grounds.types, grounds.nation, grounds.parameters)
    except NotCalibratedError as error:
        return None, gate.closed(str(error))
    return edition, gate.judge(edition, grounds.nation, grounds.parameters)


def _zones(
    vintage: str,
    zones: Zones,
    counts: Mapping[str, Counts],
    pairs: Mapping[Key, Key],
    edition: Edition | None,
    verdict: Gate,
    grounds: _Grounds,
) -> dict[str, pa.Table]:
    incomes = distributions.incomes([(key, grounds.nation_year) for key in zones.keys], grounds.fits, grounds.mixtures)
    refusals = _refusals(zones, counts["total"], edition, verdict, incomes, grounds)
    able = [z for z, (status, _) in enumerate(refusals) if status == publish.TOLD]
    status, motif = [status for status, _ in refusals], [motif for _, motif in refusals]
    blanks = {code: publish.refused(code, status, motif) for code in indicators.CODES}
    figures, extra = blanks, {"composante": COMPOSANTE.empty_table(), "ajustement": AJUSTEMENT.empty_table()}
    if edition is not None and able:
        some = _subset(zones, able)
        incomes = distributions.incomes(
            [(key, grounds.nation_year) for key in some.keys], grounds.fits, grounds.mixtures
        )
        some_counts = {measure: _subset_counts(found, able) for measure, found in counts.items()}
        estimates, extra = indicators.estimate(
            edition, some, some_counts, incomes, pairs, grounds.secrecy, grounds.parameters
        )
        figures = {
            code: publish.spread_out(found, able, blanks[code]) if code in blanks else found
            for code, found in estimates.items()
        }
    gaps, figures = _gap_rows(vintage, zones, pairs, figures, refusals)
    table = publish.rows(zones.keys, vintage, zones.income_years, [figures[code] for code in indicators.CODES])
    return {"estimation": pa.concat_tables([table, gaps]), **extra}


def _gap_rows(
    vintage: str,
    zones: Zones,
    pairs: Mapping[Key, Key],
    figures: Mapping[str, publish.Figures],
    refusals: Sequence[tuple[str, str | None]],
) -> tuple[pa.Table, dict[str, publish.Figures]]:
    """Rows of the gap, for the zones that are compared with another."""
    compared = [z for z, key in enumerate(zones.keys) if key in pairs]
    keys = [zones.keys[z] for z in compared]
    years = [zones.income_years[z] for z in compared]
    found = dict(figures)
    gap = found.pop(indicators.GAP, None)
    blank = publish.refused(indicators.GAP, [refusals[z][0] for z in compared], [refusals[z][1] for z in compared])
    if gap is not None:
        able = [place for place, z in enumerate(compared) if refusals[z][0] == publish.TOLD]
        blank = publish.spread_out(gap, able, blank)
    return publish.rows(keys, vintage, years, [blank]), found


def _refusals(
    zones: Zones, total: Counts, edition: Edition | None, verdict: Gate, incomes: Incomes, grounds: _Grounds
) -> list[tuple[str, str | None]]:
    """Status and reason of each zone that has no estimate; `estime` when it may have one.

    Of an edition that is withheld, zones without a count keep the reason that they have none.
    """
    if edition is None or not verdict.conform:
        told = zip(zones.series, total.status, total.reason, strict=True)
        return [_withheld(series, status, reason, verdict) for series, status, reason in told]
    points = np.sort(np.concatenate([edition.ceilings, edition.country.bounds]))
    sound = incomes.check(points, grounds.parameters.mixture_tolerance)
    found: list[tuple[str, str | None]] = []
    for z, year in enumerate(zones.income_years):
        reason = incomes.reasons[z]
        if zones.series[z] != "c2s":
            found.append(("non_couvert", inputs.OTHER_SERIES))
        elif year is not None and year != grounds.nation_year:
            found.append(("nd", MIXED.format(zone=year, nation=grounds.nation_year)))
        elif year is None or reason is not None:
            found.append(("nd", reason or distributions.NO_INCOME))
        elif not sound[z]:
            found.append(("nd", distributions.BROKEN_MIXTURE))
        else:
            found.append((publish.TOLD, None))
    return found


def _withheld(series: str, status: str, reason: str | None, verdict: Gate) -> tuple[str, str | None]:
    if series != "c2s":
        return "non_couvert", inputs.OTHER_SERIES
    return (publish.RETAINED, verdict.reason) if reason is None else (status, reason)


def _subset(zones: Zones, chosen: Sequence[int]) -> Zones:
    at = np.array(chosen, dtype=np.int64)
    return Zones(
        tuple(zones.keys[z] for z in chosen),
        tuple(zones.income_years[z] for z in chosen),
        zones.population[at],
        {name: values[at] for name, values in zones.margins.items()},
        tuple(zones.series[z] for z in chosen),
    )


def _subset_counts(counts: Counts, chosen: Sequence[int]) -> Counts:
    at = np.array(chosen, dtype=np.int64)
    return replace(
        counts,
        beneficiaries=counts.beneficiaries[at],
        covered=counts.covered[at],
        error=counts.error[at],
        status=tuple(counts.status[z] for z in chosen),
        reason=tuple(counts.reason[z] for z in chosen),
    )


def _calage(edition: Edition) -> Iterator[dict[str, Any]]:
    factors = edition.factors()
    for method in METHODS:
        for k, tier in enumerate(TIERS):
            yield {
                "vintage": edition.vintage,
                "methode": method,
                "tier": tier,
                "part_non_calee": round(float(edition.raw[method][k]), 9),
                "part_nationale": round(float(edition.eligible[k]), 9),
                "facteur": round(float(factors[method][k]), 9),
            }
