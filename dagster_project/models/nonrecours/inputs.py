"""Zones, counts and comparisons as the model reads them, with why a zone has no count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dagster_project.models.arrow_tables import Vector, floats, rows_of, unique_keys
from dagster_project.models.nonrecours.households import MARGINS
from dagster_project.models.nonrecours.parameters import NATION, Key

OTHER_SERIES = "Autre série : cette édition compte la CMU-C, que la C2S a remplacée en novembre 2019."
NO_COUNT = "Aucun effectif de bénéficiaires utilisable pour cette zone et cette édition."
ABOVE = "Plus de bénéficiaires que de personnes couvertes."
MEASURES = ("total", "np", "p", "j", "s")
SERIES = ("c2s", "cmuc")
_KEY = ("zone_level", "zone_code", "generation")
_USABLE = frozenset({"ok", "estime"})


@dataclass(frozen=True)
class Zones:
    """Zones of one edition, sorted by key; arrays are (zones,), margins as shares."""

    keys: tuple[Key, ...]
    income_years: tuple[str | None, ...]
    population: Vector
    margins: Mapping[str, Vector]
    series: tuple[str, ...]


def zones_by_vintage(zones: pa.Table) -> dict[str, Zones]:
    """Zones of each edition.

    Args:
        zones: zone_level, zone_code, generation, vintage, income_year, population, men1, men6, plus60, moins25, hlm
            (percent), serie (`c2s` or `cmuc`).

    Raises:
        ValueError: a column is missing, a zone is repeated in an edition, the nation is among zones, a series is
            unknown, a population is not positive, or a share is not within 0–100.
    """
    rows = rows_of(zones, "zones", [*_KEY, "vintage", "income_year", "population", *MARGINS, "serie"])
    unique_keys([(*(row[name] for name in _KEY), row["vintage"]) for row in rows], "zones")
    editions: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        named = f"Table `zones`: {row['zone_level']} {row['zone_code']} in {row['vintage']}"
        if row["zone_level"] == NATION or row["serie"] not in SERIES:
            raise ValueError(f"{named}: a zone is not the nation, and its series is one of {', '.join(SERIES)}.")
        if row["population"] is not None and not row["population"] > 0:
            raise ValueError(f"{named}: population {row['population']!r}; give a positive number, or null.")
        for name in MARGINS:
            if row[name] is not None and not 0 <= row[name] <= 100:  # noqa: PLR2004 - a percentage
                raise ValueError(f"{named}: {name} is {row[name]!r}; a percentage is expected.")
        editions.setdefault(row["vintage"], []).append(row)
    return {vintage: _zones(found) for vintage, found in sorted(editions.items())}


def _zones(rows: Sequence[Mapping[str, object]]) -> Zones:
    ordered = sorted(rows, key=lambda row: tuple(str(row[name]) for name in _KEY))
    return Zones(
        tuple((str(row["zone_level"]), str(row["zone_code"]), str(row["generation"])) for row in ordered),
        tuple(None if row["income_year"] is None else str(row["income_year"]) for row in ordered),
        floats(row["population"] for row in ordered),  # type: ignore[misc]
        {name: floats(row[name] for row in ordered) / 100 for name in MARGINS},  # type: ignore[misc]
        tuple(str(row["serie"]) for row in ordered),
    )


# Beneficiaries, persons covered, relative error, status.
_Cell = tuple[float | None, float | None, float | None, str]


@dataclass(frozen=True)
class Counts:
    """Beneficiaries of one measure in the zones of an edition.

    Attributes:
        beneficiaries: persons, not-a-number where there is no usable count; (zones,).
        covered: persons covered, likewise.
        error: relative standard deviation of the rate, where it was brought from other units; 0 where it was counted.
        status: `ok` where the count is usable, else the status it comes with.
        reason: French text of why it is not usable; None where it is.
    """

    beneficiaries: Vector
    covered: Vector
    error: Vector
    status: tuple[str, ...]
    reason: tuple[str | None, ...]

    @property
    def rate(self) -> Vector:
        """Beneficiaries over persons covered."""
        return self.beneficiaries / self.covered


def counts(taux: pa.Table, editions: Mapping[str, Zones]) -> dict[str, dict[str, Counts]]:
    """Counts of each edition and measure.

    Args:
        taux: zone_level, zone_code, generation, vintage, mesure (`total`, `np`, `p`, `j`, `s`), beneficiaires,
            couverts, erreur_relative (null where it was counted), status.
        editions: zones of each edition.

    Raises:
        ValueError: a column is missing, a row is repeated, a measure is unknown, or a count is negative.
    """
    rows = rows_of(taux, "taux", [*_KEY, "vintage", "mesure", "beneficiaires", "couverts", "erreur_relative", "status"])
    found: dict[tuple[object, ...], _Cell] = {}
    for row in rows:
        key = (*(row[name] for name in _KEY), row["vintage"], row["mesure"])
        if row["mesure"] not in MEASURES or any((row[name] or 0) < 0 for name in ("beneficiaires", "couverts")):
            raise ValueError(f"Table `taux`: {key}: measures are {', '.join(MEASURES)}, counts are not negative.")
        if key in found:
            raise ValueError(f"Table `taux`: {key} appears twice; give one row per key.")
        found[key] = (row["beneficiaires"], row["couverts"], row["erreur_relative"], row["status"])
    nothing: _Cell = (None, None, None, "nd")
    return {
        vintage: {
            measure: _counts([found.get((*key, vintage, measure), nothing) for key in zones.keys])
            for measure in MEASURES
        }
        for vintage, zones in editions.items()
    }


def _counts(cells: Sequence[_Cell]) -> Counts:
    judged = [_judged(above, below, status) for above, below, _, status in cells]
    usable = np.array([reason is None for _, reason in judged], dtype=bool)
    return Counts(
        np.where(usable, floats(cell[0] for cell in cells), np.nan),
        np.where(usable, floats(cell[1] for cell in cells), np.nan),
        floats(cell[2] or 0.0 for cell in cells),
        tuple(status for status, _ in judged),
        tuple(reason for _, reason in judged),
    )


def _judged(beneficiaries: float | None, covered: float | None, status: str) -> tuple[str, str | None]:
    if status not in _USABLE:
        return status, NO_COUNT
    if beneficiaries is None or not covered:
        return "nd", NO_COUNT
    return ("nd", ABOVE) if beneficiaries > covered else ("ok", None)


def pairs(comparaisons: pa.Table) -> dict[Key, Key]:
    """The zone that each one is compared with.

    Args:
        comparaisons: zone_level, zone_code, generation, reference_level, reference_code, reference_generation.

    Raises:
        ValueError: a column is missing, or a zone is compared with two.
    """
    names = ("reference_level", "reference_code", "reference_generation")
    rows = rows_of(comparaisons, "comparaisons", [*_KEY, *names])
    unique_keys([tuple(row[name] for name in _KEY) for row in rows], "comparaisons")
    return {
        (row["zone_level"], row["zone_code"], row["generation"]): (row[names[0]], row[names[1]], row[names[2]])
        for row in rows
    }
