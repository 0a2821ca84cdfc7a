"""What may be said of a zone: a number with its interval, a class, or a reason for neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.models.arrow_tables import Mask, Vector, schema_of
from dagster_project.models.nonrecours.parameters import METHODS, MODEL_VERSION, Key, Parameters
from dagster_project.models.secrecy import Secrecy

TOLD, WIDE, SECRET, SECOND, RETAINED = "estime", "intervalle_large", "secret_primaire", "secret_secondaire", "retenu"
LOWER, HIGHER, UNCLEAR = "inferieur", "superieur", "indistinct"
BY_DIFFERENCE = "Masqué pour que l’autre formule ne se déduise pas par différence."
TOO_WIDE = (
    "L’intervalle à {coverage:.0f} % s’étend sur {width:.0f} points, plus de {most:g} : une classe est publiée, "
    "et pas un nombre."
)
NEGATIVE = "Alarme : taux négatif, les bénéficiaires sont plus nombreux que les éligibles estimés."
OVER = "Alarme : taux supérieur à 100 %."
OVERFULL = "Alarme : plus d’éligibles estimés que d’habitants."
ALARMED_SIDE = "Alarme : le taux d’une des deux zones comparées ne peut être vrai."
# Decimals kept of percentages and persons, and of shares: machines differ in the last bits of a number.
_DECIMALS, SHARE_DECIMALS = 4, 6
_LEFT, _RIGHT = "Quartier : ", "Reste de la commune : "

ESTIMATION = schema_of(
    "zone_level zone_code generation vintage indicator_code value:f ci_low:f ci_high:f classe status motif numerator:f "
    f"denominator:f income_year alarm:b {' '.join(f'value_{method}:f' for method in METHODS)} model_version"
)


@dataclass(frozen=True)
class Figures:
    """One indicator of zones, in the order of their keys; arrays are (zones,).

    Attributes:
        code: indicator.
        interval: lower bound, median and upper bound, (3, zones); not-a-number where there is nothing.
        methods: centre of each method, (methods, zones).
        numerator: beneficiaries, in persons.
        denominator: eligible persons.
        status: `estime`, or why there is no number.
        motif: French text that goes with the status or the alarm; None when there is nothing to say.
        classe: where the interval stands against the reference; None when it says nothing.
        alarm: whether the number cannot be true.
    """

    code: str
    interval: Vector
    methods: Vector
    numerator: Vector
    denominator: Vector
    status: tuple[str, ...]
    motif: tuple[str | None, ...]
    classe: tuple[str | None, ...]
    alarm: Mask

    @property
    def told(self) -> Mask:
        """Where a number or a class is published."""
        return np.array([status in (TOLD, WIDE) for status in self.status], dtype=bool)

    @property
    def numbered(self) -> Mask:
        """Where a number is published."""
        return np.array([status == TOLD for status in self.status], dtype=bool)


def refused(code: str, status: Sequence[str], motif: Sequence[str | None]) -> Figures:
    """An indicator that no zone has."""
    nothing = np.full(len(status), np.nan)
    return Figures(
        code,
        np.tile(nothing, (3, 1)),
        np.tile(nothing, (len(METHODS), 1)),
        nothing,
        nothing,
        tuple(status),
        tuple(motif),
        (None,) * len(status),
        np.zeros(len(status), dtype=bool),
    )


def spread_out(figures: Figures, positions: Sequence[int], blank: Figures) -> Figures:
    """The figures of some zones among all of them; the others keep what `blank` says."""
    at = np.array(positions, dtype=np.int64)
    changed: dict[str, Any] = {}
    for name in ("interval", "methods", "numerator", "denominator", "alarm"):
        changed[name] = getattr(blank, name).copy()
        changed[name][..., at] = getattr(figures, name)
    for name in ("status", "motif", "classe"):
        texts = list(getattr(blank, name))
        for position, text in zip(positions, getattr(figures, name), strict=True):
            texts[position] = text
        changed[name] = tuple(texts)
    return replace(blank, **changed)


def secrecy(figures: Figures, beneficiaries: Vector, eligible: Vector, rule: Secrecy) -> Figures:
    """Withhold what counts too few persons.

    Args:
        figures: an indicator.
        beneficiaries: the least of the persons counted and of those brought to the population; not-a-number when
            unknown.
        eligible: eligible persons, likewise.
        rule: the least number of persons.
    """
    few = (beneficiaries < rule.least) | (eligible < rule.least)
    return _withhold(figures, few & figures.told, SECRET, rule.reason)


def secondary(tiers: tuple[Figures, Figures], total: Figures) -> tuple[Figures, Figures]:
    """Withhold a tier when the other is secret and the total is not: a difference would tell it."""
    secret = [np.array([status == SECRET for status in figures.status], dtype=bool) for figures in tiers]
    shown = total.told
    return (
        _withhold(tiers[0], secret[1] & ~secret[0] & shown & tiers[0].told, SECOND, BY_DIFFERENCE),
        _withhold(tiers[1], secret[0] & ~secret[1] & shown & tiers[1].told, SECOND, BY_DIFFERENCE),
    )


def _withhold(figures: Figures, hidden: Mask, status: str, motif: str) -> Figures:
    if not hidden.any():
        return figures
    return replace(
        figures,
        status=tuple(status if h else old for h, old in zip(hidden, figures.status, strict=True)),
        motif=tuple(motif if h else old for h, old in zip(hidden, figures.motif, strict=True)),
        classe=tuple(None if h else old for h, old in zip(hidden, figures.classe, strict=True)),
        alarm=figures.alarm & ~hidden,
    )


def classified(figures: Figures, reference: float, parameters: Parameters) -> Figures:
    """Say where each interval stands against a reference, and withhold the number of those that are too wide."""
    low, _, high = figures.interval
    width = high - low
    told = figures.told
    status, motif, classe = list(figures.status), list(figures.motif), list(figures.classe)
    for z in np.flatnonzero(told):
        classe[z] = LOWER if high[z] < reference else HIGHER if low[z] > reference else UNCLEAR
        if width[z] > parameters.max_width:
            status[z] = WIDE
            text = TOO_WIDE.format(
                coverage=100 * parameters.interval, width=np.ceil(width[z]), most=parameters.max_width
            )
            motif[z] = text if motif[z] is None else f"{text} {motif[z]}"
    return replace(figures, status=tuple(status), motif=tuple(motif), classe=tuple(classe))


def alarmed(figures: Figures, share: Vector, *, rate: bool) -> Figures:
    """Flag numbers that cannot be true, and keep them: a rate outside 0–100 %, more eligible persons than inhabitants.

    Args:
        figures: an indicator.
        share: eligible share of the population, (zones,).
        rate: whether the indicator is a rate.
    """
    told, value = figures.told, figures.interval[1]
    alarm, motif = figures.alarm.copy(), list(figures.motif)
    for z in np.flatnonzero(told):
        wrong = [
            text
            for text, holds in (
                (NEGATIVE, rate and value[z] < 0),
                (OVER, rate and value[z] > 100),  # noqa: PLR2004
                (OVERFULL, share[z] > 1),
            )
            if holds
        ]
        if wrong:
            alarm[z], motif[z] = True, " ".join(filter(None, [motif[z], *wrong]))
    return replace(figures, alarm=alarm, motif=tuple(motif))


def flagged(figures: Figures, alarm: Mask, text: str) -> Figures:
    """Flag some of the published figures, with a reason."""
    chosen = alarm & figures.told
    motif = [
        " ".join(filter(None, [old, text])) if wrong else old for wrong, old in zip(chosen, figures.motif, strict=True)
    ]
    return replace(figures, alarm=figures.alarm | chosen, motif=tuple(motif))


def gap_absence(left: Figures, right: Figures, members: Sequence[tuple[int, int | None]], absent: str) -> Figures:
    """Status of the gap of each zone of `members` (places of the zone and of its reference): `estime`, or why not."""
    status: list[str] = []
    motif: list[str | None] = []
    for zone, other in members:
        if left.status[zone] not in (TOLD, WIDE):
            status.append(left.status[zone])
            motif.append(_LEFT + (left.motif[zone] or ""))
        elif other is None:
            status.append("nd")
            motif.append(absent)
        elif right.status[other] not in (TOLD, WIDE):
            status.append(right.status[other])
            motif.append(_RIGHT + (right.motif[other] or ""))
        else:
            status.append(TOLD)
            motif.append(None)
    return refused("C_NR_GAP", status, motif)


def rows(keys: Sequence[Key], vintage: str, income_years: Sequence[str | None], figures: Sequence[Figures]) -> pa.Table:
    """The table `estimation` of an edition; numbers only where a number is published."""
    tables = []
    for found in figures:
        shown = found.numbered
        numbers: Mapping[str, Vector] = {
            "value": found.interval[1],
            "ci_low": found.interval[0],
            "ci_high": found.interval[2],
            "numerator": found.numerator,
            "denominator": found.denominator,
            **{f"value_{method}": found.methods[m] for m, method in enumerate(METHODS)},
        }
        columns: dict[str, object] = {
            "zone_level": [key[0] for key in keys],
            "zone_code": [key[1] for key in keys],
            "generation": [key[2] for key in keys],
            "vintage": [vintage] * len(keys),
            "indicator_code": [found.code] * len(keys),
            "classe": found.classe,
            "status": found.status,
            "motif": found.motif,
            "income_year": income_years,
            "alarm": found.alarm,
            "model_version": [MODEL_VERSION] * len(keys),
        }
        arrays = {name: numbers_of(values, shown) for name, values in numbers.items()} | {
            name: pa.array(values, ESTIMATION.field(name).type) for name, values in columns.items()
        }
        tables.append(pa.table({name: arrays[name] for name in ESTIMATION.names}, schema=ESTIMATION))
    return pa.concat_tables(tables) if tables else ESTIMATION.empty_table()


def numbers_of(values: Vector, shown: Mask, decimals: int = _DECIMALS) -> pa.Array:
    """Rounded numbers as an Arrow array, null where they are not shown or not known."""
    rounded = np.round(np.where(shown, values, np.nan), decimals) + 0.0
    return pa.array(rounded, pa.float64(), mask=np.isnan(rounded))
