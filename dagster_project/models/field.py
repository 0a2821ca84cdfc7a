"""The ground on which a claim is tested: zones of one mesh, the neighbourhoods over them, an index or two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.models import weighing
from dagster_project.models.arrow_tables import Mask, Vector, floats, rows_of, unique_keys

# Index codes joined by this sign: a zone is sensitive when one of them at least reaches its own cut.
EITHER = "|"


@dataclass(frozen=True)
class Field:
    """Zones of a mesh under one index, sorted by code, and the QPV of one generation, sorted by code.

    Attributes:
        codes, communes, epcis: (zones,) texts; an EPCI may be None.
        population: (zones,), 0 when unknown.
        value: (zones,) index 0–100, the highest of two; not-a-number when one is unknown.
        standing: (zones,) share of the people at or under the zone's index; a zone is sensitive at the cut quantile c
            when its standing is at least c.
        reason: status shared by zones without a value, or None when some zone has one.
        qpv: codes of the QPV. `names`, `qpv_population`: same order.
        shares: (QPV, zones) share of the QPV's population living in the zone.
    """

    codes: tuple[str, ...]
    communes: tuple[str, ...]
    epcis: tuple[str | None, ...]
    population: Vector
    value: Vector
    standing: Vector
    reason: str | None
    qpv: tuple[str, ...]
    names: tuple[str | None, ...]
    qpv_population: Vector
    shares: Vector

    @property
    def known(self) -> Mask:
        """Zones that have a value."""
        known: Mask = ~np.isnan(self.standing)
        return known

    def sensitive(self, cut_quantile: float) -> Mask:
        """Zones at or above the cut; a zone without a value is not said to be."""
        return weighing.reaches(np.nan_to_num(self.standing, nan=-1.0), cut_quantile)

    @property
    def qpv_share(self) -> Vector:
        """(zones,) share of the zone's population living in a QPV of the generation; 0 where nobody lives."""
        inside = self.qpv_population @ self.shares
        return np.clip(np.divide(inside, self.population, out=np.zeros_like(inside), where=self.population > 0), 0, 1)


def read_fields(
    zones: pa.Table, shares: pa.Table, qpv: pa.Table, wanted: set[tuple[str, str, str]]
) -> dict[tuple[str, str, str], Field]:
    """One field for each (mesh, generation, index_code) wanted; see `claim_test.judge` for the columns.

    Raises:
        ValueError: a column is missing, a key repeated, shares of a QPV are negative or sum to more than 1, or a QPV
            that has shares has no population.
    """
    zone_rows = rows_of(
        zones, "zones", ["mesh", "zone_code", "commune", "epci", "population", "index_code", "value", "status"]
    )
    unique_keys([(row["mesh"], row["zone_code"], row["index_code"]) for row in zone_rows], "zones")
    share_rows = rows_of(shares, "shares", ["mesh", "generation", "qpv_code", "zone_code", "share"])
    unique_keys([(r["mesh"], r["generation"], r["qpv_code"], r["zone_code"]) for r in share_rows], "shares")
    qpv_rows = rows_of(qpv, "qpv", ["generation", "qpv_code", "name", "population"])
    unique_keys([(row["generation"], row["qpv_code"]) for row in qpv_rows], "qpv")
    return {
        (mesh, generation, index_code): _field(
            [row for row in zone_rows if row["mesh"] == mesh],
            [row for row in share_rows if (row["mesh"], row["generation"]) == (mesh, generation)],
            sorted((r for r in qpv_rows if r["generation"] == generation), key=lambda row: str(row["qpv_code"])),
            index_code,
        )
        for mesh, generation, index_code in sorted(wanted)
    }


def _field(
    zone_rows: list[dict[str, Any]], share_rows: list[dict[str, Any]], qpv_rows: list[dict[str, Any]], index_code: str
) -> Field:
    zones: dict[str, dict[str, Any]] = {row["zone_code"]: row for row in zone_rows}
    codes = tuple(sorted(zones))
    population = np.nan_to_num(floats(zones[code]["population"] for code in codes))
    values, standings, reasons = [], [], []
    for part in index_code.split(EITHER):
        rows = {row["zone_code"]: row for row in zone_rows if row["index_code"] == part}
        value = floats(rows.get(code, {}).get("value") for code in codes)
        counted = bool((population[~np.isnan(value)] > 0).any())
        values.append(value)
        standings.append(weighing.population_ranks(value, population)[1] if counted else np.full(len(codes), np.nan))
        reasons += [] if counted else [_reason(rows)]
    qpv = tuple(row["qpv_code"] for row in qpv_rows)
    matrix = _shares(share_rows, codes, qpv)
    people = floats(row["population"] for row in qpv_rows)
    nobody = [code for code, count, line in zip(qpv, people, matrix, strict=True) if np.isnan(count) and line.any()]
    if nobody:
        raise ValueError(f"Table `qpv`: {', '.join(nobody)} has no population; give the published one or an estimate.")
    return Field(
        codes=codes,
        communes=tuple(zones[code]["commune"] for code in codes),
        epcis=tuple(zones[code]["epci"] for code in codes),
        population=population,
        value=np.max(values, axis=0),
        standing=np.max(standings, axis=0),
        reason=reasons[0] if reasons else None,
        qpv=qpv,
        names=tuple(row["name"] for row in qpv_rows),
        qpv_population=np.nan_to_num(people),
        shares=matrix,
    )


def _reason(rows: Mapping[str, dict[str, Any]]) -> str:
    """Why no zone has a value: the status they share, `nd` when they differ or when there is no zone."""
    statuses = {row["status"] for row in rows.values()}
    return statuses.pop() or "nd" if len(statuses) == 1 else "nd"


def _shares(rows: list[dict[str, Any]], codes: tuple[str, ...], qpv: tuple[str, ...]) -> Vector:
    """(QPV, zones); what lies in a zone that the mesh does not hold is left out, hence unknown."""
    matrix = np.zeros((len(qpv), len(codes)))
    column, line = {code: z for z, code in enumerate(codes)}, {code: q for q, code in enumerate(qpv)}
    totals: dict[str, float] = defaultdict(float)
    for row in rows:
        if row["qpv_code"] not in line:
            raise ValueError(f"Table `shares`: {row['qpv_code']} is not in table `qpv` for {row['generation']}.")
        share = float(row["share"] or 0.0)
        if share < 0:
            raise ValueError(f"Table `shares`: the share of {row['qpv_code']} in {row['zone_code']} is negative.")
        totals[row["qpv_code"]] += share
        if row["zone_code"] in column:
            matrix[line[row["qpv_code"]], column[row["zone_code"]]] = share
    over = sorted(code for code, total in totals.items() if total > 1 + 1e-6)
    if over:
        raise ValueError(f"Table `shares`: shares of {over[0]} sum to {totals[over[0]]:.6f}; at most 1 is expected.")
    return matrix
