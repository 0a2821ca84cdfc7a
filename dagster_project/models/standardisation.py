"""Indirect standardisation: is there more illness than the zone's ages and sexes would lead to expect?

Model card: `docs/modeles/indice-vulnerabilite.md`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.models.arrow_tables import floats, rows_of, schema_of, table_of, unique_keys
from dagster_project.models.poisson import byar, fit_gamma, posterior

MODEL_VERSION = "icm 1.0.0"
BASE = 100.0

ZONE = ("zone_level", "zone_code", "generation")
ICM = schema_of(
    f"{' '.join(ZONE)} component observed:f beneficiaries:f crude_rate:f expected:f icm:f icm_low:f icm_high:f "
    "smoothed:f smoothed_low:f smoothed_high:f alpha:f beta:f masked_cells:i masked_share:f status model_version"
)


@dataclass(frozen=True)
class _Structure:
    """Persons of one zone by age and sex, masked cells filled; `masked_share` is their share of all persons."""

    persons: dict[tuple[str, str], float]
    masked_cells: int
    masked_share: float


def icm(
    observed: pa.Table, population: pa.Table, rates: pa.Table, masked_below: int, *, level: float = 0.95
) -> pa.Table:
    """Comparative index (base 100 = reference rates), its interval, and the index smoothed by empirical Bayes.

    Args:
        observed: one row per zone × component: zone_level, zone_code, generation, component, status (text), observed
            (events; null when masked or missing), beneficiaries (all ages; null when unknown).
        population: one row per zone × sexe × cla_age_5: zone_level, zone_code, generation, sexe, cla_age_5 (text),
            n_beneficiaires (double; null when masked). Aggregate rows (both sexes, all ages) are not wanted here.
        rates: one row per component × sexe × cla_age_5: component, sexe, cla_age_5 (text), cases and population
            (double; cases null when masked) of the reference area.
        masked_below: least count that the file shows, zero apart: a masked cell holds 1 to this number less one.
        level: coverage of both intervals.

    Returns:
        One row per zone × component: observed, beneficiaries, crude_rate (%), expected (E = Σ persons × reference
        rate), icm = 100·O/E with icm_low and icm_high (Byar), smoothed = 100·(O + alpha)/(E + beta) with its credible
        interval, alpha and beta (infinite when zones do not differ beyond chance; fitted per component, zone
        level and generation), masked_cells and masked_share of the zone's structure, status, model_version.
        A masked cell of the structure takes an even share of what the zone's beneficiaries leave once known cells are
        taken away (where these are unknown, the middle of what it may hold), a masked case count of the reference that
        middle: the status is then `estime`. A masked `observed` is never computed nor smoothed: its status stays.

    Raises:
        ValueError: a column is missing, a key repeated, a count negative, or a structure names an age and sex that the
            rates do not know.
    """
    events = rows_of(observed, "observed", [*ZONE, "component", "observed", "beneficiaries", "status"])
    unique_keys([(*(row[key] for key in ZONE), row["component"]) for row in events], "observed")
    totals = _totals(events)
    middle = masked_below / 2  # of 1 and the number less one
    structures = _structures(population, totals, middle)
    reference, masked_rates = _reference(rates, middle)
    rows = [_expect(row, structures, reference, masked_rates) for row in events]
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["status"] in ("ok", "estime"):
            groups[row["component"], row["zone_level"], row["generation"]].append(row)
    for group in groups.values():
        _smooth(group, level)
    return table_of(rows, ICM, [*ZONE, "component"])


def _totals(events: list[dict[str, Any]]) -> dict[tuple[str, ...], float | None]:
    """Beneficiaries of each zone, the same whatever the component."""
    totals: dict[tuple[str, ...], float | None] = {}
    for row in events:
        zone = tuple(row[key] for key in ZONE)
        for name in ("observed", "beneficiaries"):
            if row[name] is not None and row[name] < 0:
                raise ValueError(f"Table `observed`: {name} of zone {zone}, {row['component']}, is negative.")
        if totals.get(zone) is None:
            totals[zone] = row["beneficiaries"]
        elif row["beneficiaries"] not in (None, totals[zone]):
            raise ValueError(f"Table `observed`: zone {zone} has two numbers of beneficiaries.")
    return totals


def _structures(
    population: pa.Table, totals: dict[tuple[str, ...], float | None], middle: float
) -> dict[tuple[str, ...], _Structure]:
    rows = rows_of(population, "population", [*ZONE, "sexe", "cla_age_5", "n_beneficiaires"])
    unique_keys([(*(row[key] for key in ZONE), row["sexe"], row["cla_age_5"]) for row in rows], "population")
    cells: dict[tuple[str, ...], dict[tuple[str, str], float | None]] = defaultdict(dict)
    for row in rows:
        if row["n_beneficiaires"] is not None and row["n_beneficiaires"] < 0:
            raise ValueError(f"Table `population`: n_beneficiaires of {row['zone_code']} is negative.")
        cells[tuple(row[key] for key in ZONE)][row["sexe"], row["cla_age_5"]] = row["n_beneficiaires"]
    return {zone: _fill(found, totals.get(zone), middle) for zone, found in cells.items()}


def _fill(cells: dict[tuple[str, str], float | None], total: float | None, middle: float) -> _Structure:
    """Share evenly over masked cells what the total leaves; rounding at the source may leave less than nothing."""
    known = sum(count for count in cells.values() if count is not None)
    masked = sum(count is None for count in cells.values())
    each = middle if total is None else max(total - known, 0.0) / max(masked, 1)
    persons = {cell: each if count is None else float(count) for cell, count in cells.items()}
    everyone = sum(persons.values())
    return _Structure(persons, masked, each * masked / everyone if everyone > 0 else 0.0)


def _reference(rates: pa.Table, middle: float) -> tuple[dict[str, dict[tuple[str, str], float]], set[str]]:
    """Reference rate of each component by sex and age, and the components for which one rests on a masked count."""
    rows = rows_of(rates, "rates", ["component", "sexe", "cla_age_5", "cases", "population"])
    unique_keys([(row["component"], row["sexe"], row["cla_age_5"]) for row in rows], "rates")
    reference: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    masked: set[str] = set()
    for row in rows:
        if row["population"] is None or not row["population"] > 0:
            continue
        if row["cases"] is None:
            masked.add(row["component"])
        cases = middle if row["cases"] is None else float(row["cases"])
        reference[row["component"]][row["sexe"], row["cla_age_5"]] = cases / row["population"]
    return reference, masked


def _expect(
    row: dict[str, Any],
    structures: dict[tuple[str, ...], _Structure],
    reference: dict[str, dict[tuple[str, str], float]],
    masked_rates: set[str],
) -> dict[str, Any]:
    zone, component = tuple(row[key] for key in ZONE), row["component"]
    structure, rates = structures.get(zone), reference.get(component)
    result: dict[str, Any] = dict.fromkeys(ICM.names) | row | {"model_version": MODEL_VERSION}
    if structure is not None:
        result |= {"masked_cells": structure.masked_cells, "masked_share": structure.masked_share}
    if row["observed"] is None:
        return result | {"status": "nd" if row["status"] in (None, "ok", "estime") else row["status"]}
    if row["beneficiaries"]:
        result["crude_rate"] = 100.0 * row["observed"] / row["beneficiaries"]
    if structure is None or rates is None:
        return result | {"status": "nd"}
    unknown = sorted(cell for cell, persons in structure.persons.items() if persons > 0 and cell not in rates)
    if unknown:
        raise ValueError(
            f"Table `rates`: no rate of {component} for sexe {unknown[0][0]}, age {unknown[0][1]}, "
            f"where zone {zone} has beneficiaries; give the reference area's cases and population."
        )
    # summed in a fixed order, so that the last digit does not hang on the order of rows
    expected = sum(persons * rates[cell] for cell, persons in sorted(structure.persons.items()) if persons > 0)
    if not expected > 0:
        return result | {"status": "nd"}
    estimated = structure.masked_cells > 0 or component in masked_rates or row["status"] == "estime"
    return result | {"expected": expected, "status": "estime" if estimated else "ok"}


def _smooth(group: list[dict[str, Any]], level: float) -> None:
    """Index, interval and smoothed index of zones that shrink toward one another."""
    group.sort(key=lambda row: row["zone_code"])
    observed, expected = floats(row["observed"] for row in group), floats(row["expected"] for row in group)
    low, high = byar(observed, level)
    prior = fit_gamma(observed, expected)
    smoothed, smoothed_low, smoothed_high = posterior(observed, expected, prior, level)
    found = {
        "icm": observed / expected,
        "icm_low": low / expected,
        "icm_high": high / expected,
        "smoothed": smoothed,
        "smoothed_low": smoothed_low,
        "smoothed_high": smoothed_high,
    }
    based = {name: BASE * np.asarray(values) for name, values in found.items()}
    for position, row in enumerate(group):
        row |= {name: values[position] for name, values in based.items()}
        row |= {"alpha": prior.alpha, "beta": prior.beta}
