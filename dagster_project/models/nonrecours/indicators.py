"""Indicators of an edition, in zones whose incomes are known and whose edition passed the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.models.arrow_tables import Mask, Vector, schema_of
from dagster_project.models.nonrecours import publish, simulate
from dagster_project.models.nonrecours.calibration import Edition
from dagster_project.models.nonrecours.distributions import Incomes, Indices
from dagster_project.models.nonrecours.inputs import Counts, Zones
from dagster_project.models.nonrecours.parameters import METHODS, MODEL_VERSION, Key, Parameters
from dagster_project.models.nonrecours.publish import SHARE_DECIMALS, Figures, numbers_of
from dagster_project.models.nonrecours.simulate import COMPONENTS, Common, Drawn, Shares
from dagster_project.models.secrecy import Secrecy

ELIGIBLE, GAP = "C_ELIG", "C_NR_GAP"
# Rates, the count each is made of, and the national rate its class is said against (none is published by age).
RATES: Mapping[str, tuple[str, str]] = {
    "C_NR": ("total", "total"),
    "C_NR_NP": ("np", "np"),
    "C_NR_P": ("p", "p"),
    "C_NR_J": ("j", "np"),
    "C_NR_S": ("s", "np"),
}
CODES = (ELIGIBLE, *RATES)
NO_REFERENCE_ZONE = "La zone de comparaison n’est pas parmi les zones de l’édition."
NO_POPULATION = "Population de la zone inconnue."
_PERCENT = 100.0

_ZONE = "zone_level zone_code generation vintage"
COMPOSANTE = schema_of(f"{_ZONE} composante part:f model_version")
AJUSTEMENT = schema_of(f"{_ZONE} methode rmse:f part_np:f part_p:f ecart_np:f ecart_p:f model_version")


@dataclass
class _Store:
    """Results of all zones, filled chunk after chunk; shares and rates are not percentages yet."""

    intervals: dict[str, Vector]
    methods: dict[str, Vector]
    shares: dict[str, Vector]
    components: Vector
    kept: dict[int, Vector]


def estimate(
    edition: Edition,
    zones: Zones,
    counts: Mapping[str, Counts],
    incomes: Incomes,
    pairs: Mapping[Key, Key],
    secrecy: Secrecy,
    parameters: Parameters,
) -> tuple[dict[str, Figures], dict[str, pa.Table]]:
    """Every indicator of an edition, the gap included, with the tables `composante` and `ajustement`.

    Args:
        edition: the calibration.
        zones: zones with a distribution.
        counts: counts of each measure in them.
        incomes: their distributions.
        pairs: zones compared.
        secrecy: least number of eligible persons, and of beneficiaries, that is told.
        parameters: choices of the model.

    Returns:
        Figures by code (those of the gap for the compared zones alone, in their order), and tables by name.
    """
    positions = {key: z for z, key in enumerate(zones.keys)}
    members = [(z, positions.get(pairs[key])) for key, z in positions.items() if key in pairs]
    store = _run(edition, zones, counts, incomes, {z for pair in members for z in pair if z is not None}, parameters)
    figures = _figures(edition, zones, counts, store, secrecy, parameters)
    figures[GAP] = _gap(figures["C_NR"], members, store, parameters)
    told = figures["C_NR"].told
    return figures, {
        "composante": _composante(edition.vintage, zones, store.components, told),
        "ajustement": _ajustement(edition, zones, incomes),
    }


def _run(
    edition: Edition,
    zones: Zones,
    counts: Mapping[str, Counts],
    incomes: Incomes,
    kept: set[int],
    parameters: Parameters,
) -> _Store:
    n = len(zones.keys)
    store = _Store(
        {code: np.full((3, n), np.nan) for code in CODES},
        {code: np.full((len(METHODS), n), np.nan) for code in CODES},
        {code: np.full(n, np.nan) for code in CODES},
        np.full((len(COMPONENTS), n), np.nan),
        {},
    )
    common = Common.draw(parameters)
    middle = float(np.sqrt(edition.ceilings.prod()))
    spread = np.stack([incomes.errors(law, middle, parameters.rounding) for law in simulate.LAWS])
    for start in range(0, n, parameters.chunk):
        here = slice(start, min(start + parameters.chunk, n))
        shares = simulate.shares(edition, incomes, zones.margins, spread, here, parameters.private_share)
        noise = simulate.own(zones.keys[here], parameters)
        drawn = simulate.draw(shares, edition, common, noise, parameters)
        _keep(store, here, zones.population[here], counts, shares, drawn, edition, kept, parameters)
    return store


def _keep(
    store: _Store,
    here: slice,
    population: Vector,
    counts: Mapping[str, Counts],
    shares: Shares,
    drawn: Drawn,
    edition: Edition,
    kept: set[int],
    parameters: Parameters,
) -> None:
    total = drawn.np_share + drawn.p_share
    by_code = dict(
        zip(
            RATES,
            (total, drawn.np_share, drawn.p_share, drawn.np_share * drawn.young, drawn.np_share * drawn.old),
            strict=True,
        )
    )
    first, second = np.moveaxis(simulate.centres(shares, edition), 1, 0)
    centres = dict(zip(RATES, (first + second, first, second, first * shares.young, first * shares.old), strict=True))
    eligible = population[:, None] * drawn.population * total
    store.intervals[ELIGIBLE][:, here] = simulate.interval(eligible, parameters.interval)
    store.methods[ELIGIBLE][:, here] = population * centres["C_NR"]
    # of the figure published: its median is not that of shares, since the population is drawn too
    store.shares[ELIGIBLE][here] = store.intervals[ELIGIBLE][1, here] / population
    for code, (measure, _) in RATES.items():
        rate = counts[measure].rate[here]
        rate_sd = np.hypot(parameters.coverage_sd, counts[measure].error[here])
        draws = 1 - rate[:, None] * (1 + rate_sd[:, None] * drawn.coverage) / by_code[code]
        store.intervals[code][:, here] = simulate.interval(draws, parameters.interval)
        store.methods[code][:, here] = 1 - rate / centres[code]
        store.shares[code][here] = np.median(by_code[code], axis=1)
        if code == "C_NR":
            store.components[:, here] = simulate.components(shares, edition, rate, rate_sd, parameters)
            for z in kept.intersection(range(here.start, here.stop)):
                store.kept[z] = draws[z - here.start].copy()


def _figures(
    edition: Edition,
    zones: Zones,
    counts: Mapping[str, Counts],
    store: _Store,
    secrecy: Secrecy,
    parameters: Parameters,
) -> dict[str, Figures]:
    total = counts["total"]
    people = np.where(np.isnan(zones.population), total.covered, zones.population)
    found: dict[str, Figures] = {}
    for code, (measure, _) in RATES.items():
        count = counts[measure]
        brought, eligible = people * count.rate, people * store.shares[code]
        raw = Figures(
            code,
            _PERCENT * store.intervals[code],
            _PERCENT * store.methods[code],
            zones.population * count.rate,
            zones.population * store.shares[code],
            tuple(
                publish.TOLD if reason is None else status
                for status, reason in zip(count.status, count.reason, strict=True)
            ),
            count.reason,
            (None,) * len(zones.keys),
            np.zeros(len(zones.keys), dtype=bool),
        )
        found[code] = publish.secrecy(raw, np.minimum(count.beneficiaries, brought), eligible, secrecy)
    found["C_NR_NP"], found["C_NR_P"] = publish.secondary((found["C_NR_NP"], found["C_NR_P"]), found["C_NR"])
    for code, (_, reference) in RATES.items():
        flagged = publish.alarmed(found[code], store.shares[code], rate=True)
        found[code] = publish.classified(flagged, _PERCENT * edition.reference.rates[reference], parameters)
    found[ELIGIBLE] = _eligible(zones, total, people, store, secrecy)
    return found


def _eligible(zones: Zones, total: Counts, people: Vector, store: _Store, secrecy: Secrecy) -> Figures:
    unknown = np.isnan(zones.population)
    low, median, high = store.intervals[ELIGIBLE]
    raw = Figures(
        ELIGIBLE,
        np.stack([low, median, high]),
        store.methods[ELIGIBLE],
        np.full(len(unknown), np.nan),
        median,
        tuple("nd" if missing else publish.TOLD for missing in unknown),
        tuple(NO_POPULATION if missing else None for missing in unknown),
        (None,) * len(unknown),
        np.zeros(len(unknown), dtype=bool),
    )
    beneficiaries = np.minimum(total.beneficiaries, people * total.rate)
    secret = publish.secrecy(raw, beneficiaries, median, secrecy)
    return publish.alarmed(secret, store.shares[ELIGIBLE], rate=False)


def _gap(rates: Figures, members: Sequence[tuple[int, int | None]], store: _Store, parameters: Parameters) -> Figures:
    figures = publish.gap_absence(rates, rates, members, NO_REFERENCE_ZONE)
    if not members:
        return figures
    interval, methods = figures.interval.copy(), figures.methods.copy()
    for place, (zone, other) in enumerate(members):
        if figures.status[place] == publish.TOLD and other is not None:
            difference = store.kept[zone] - store.kept[other]
            interval[:, place] = _PERCENT * simulate.interval(difference[None], parameters.interval)[:, 0]
            methods[:, place] = rates.methods[:, zone] - rates.methods[:, other]
    alarm = np.array([rates.alarm[z] or (o is not None and bool(rates.alarm[o])) for z, o in members], dtype=bool)
    found = publish.flagged(replace(figures, interval=interval, methods=methods), alarm, publish.ALARMED_SIDE)
    return publish.classified(found, 0.0, parameters)


def _composante(vintage: str, zones: Zones, parts: Vector, told: Mask) -> pa.Table:
    tables = []
    chosen = np.flatnonzero(told)
    for name, values in zip(COMPONENTS, parts, strict=True):
        columns = _zone_columns(zones, vintage, chosen)
        columns["composante"] = [name] * len(chosen)
        columns["part"] = numbers_of(values[chosen], np.ones(len(chosen), dtype=bool), SHARE_DECIMALS)
        columns["model_version"] = [MODEL_VERSION] * len(chosen)
        tables.append(pa.table(columns, schema=COMPOSANTE))
    return pa.concat_tables(tables)


def _ajustement(edition: Edition, zones: Zones, incomes: Incomes) -> pa.Table:
    """Errors of the two laws on normal scores, and shares under the ceilings of one person that each gives."""
    everything = np.arange(len(zones.keys))
    shown = np.ones(len(everything), dtype=bool)
    under = {law: incomes.below(law, edition.ceilings, slice(0, len(everything))) for law in simulate.LAWS}
    tables = []
    for law in simulate.LAWS:
        squares = incomes.shares**2 * incomes.fits.errors[law][incomes.parts] ** 2
        columns = _zone_columns(zones, edition.vintage, everything)
        columns["methode"] = [f"c1_{law}"] * len(everything)
        columns["rmse"] = numbers_of(np.sqrt(np.add.reduceat(squares, incomes.starts)), shown, SHARE_DECIMALS)
        for tier, name in enumerate(("np", "p")):
            columns[f"part_{name}"] = numbers_of(under[law][tier], shown, SHARE_DECIMALS)
        for tier, name in enumerate(("np", "p")):
            columns[f"ecart_{name}"] = numbers_of(under["gb2"][tier] - under["spline"][tier], shown, SHARE_DECIMALS)
        columns["model_version"] = [MODEL_VERSION] * len(everything)
        tables.append(pa.table(columns, schema=AJUSTEMENT))
    return pa.concat_tables(tables)


def _zone_columns(zones: Zones, vintage: str, chosen: Indices) -> dict[str, Any]:
    keys = [zones.keys[int(z)] for z in chosen]
    names = ("zone_level", "zone_code", "generation")
    return {name: [key[k] for key in keys] for k, name in enumerate(names)} | {"vintage": [vintage] * len(keys)}
