"""Cells of a partner's file, checked, with what may be shown of them and which effects they can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dagster_project.models.arrow_tables import floats, rows_of, unique_keys
from dagster_project.models.nonrecours.profils.logit import Ints, Matrix
from dagster_project.models.nonrecours.profils.parameters import CONSTANT, MODALITIES
from dagster_project.models.nonrecours.profils.secret import FOR_ANOTHER, PRIMARY, SECONDARY, SHOWN, Counts, statuses
from dagster_project.models.secrecy import Secrecy

KEY = ("code_zone", "generation", "annee", *MODALITIES)
Record = dict[str, Any]


def checked(cells: pa.Table) -> list[Record]:
    """Rows in the order of their key. Raises ValueError as `profils.profils` says."""
    rows = rows_of(cells, "cells", [*KEY, "n_eligibles", "n_beneficiaires"])
    unique_keys([tuple(row[name] for name in KEY) for row in rows], "cells")
    for row in rows:
        where = " / ".join(str(row[name]) for name in KEY)
        for name, modalities in MODALITIES.items():
            if row[name] not in modalities:
                raise ValueError(f"Table `cells`, {where}: {name} is none of {', '.join(modalities)}.")
        if None not in (row["n_eligibles"], row["n_beneficiaires"]) and row["n_beneficiaires"] > row["n_eligibles"]:
            raise ValueError(
                f"Table `cells`, {where}: n_beneficiaires exceeds n_eligibles; correct the partner's file."
            )
    return sorted(rows, key=lambda row: tuple(row[name] for name in KEY))


@dataclass(frozen=True)
class Edition:
    """The cells of one generation and year."""

    rows: list[Record]
    counts: Counts
    status: list[str]
    reasons: Mapping[str, str]  # French sentence of each status that withholds
    zones: list[str]
    zone: Ints
    references: Mapping[str, str]
    columns: list[tuple[str, str]]  # term and modality of each column of the design

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Cells that say something: some known number of persons are entitled."""
        return self.counts.eligible > 0

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Cells that are published."""
        return np.array([status == SHOWN for status in self.status])

    @property
    def design(self) -> Matrix:
        """Constant and one indicator per modality that is present, but the reference."""
        pairs = [np.array([row[term] == modality for row in self.rows]) for term, modality in self.columns[1:]]
        return np.column_stack([np.ones(len(self.rows)), *pairs])


def read(rows: list[Record], secrecy: Secrecy) -> Edition:
    """What may be shown of the cells of one generation and year, and which effects they can tell."""
    counts = Counts(floats(row["n_eligibles"] for row in rows), floats(row["n_beneficiaires"] for row in rows))
    zones = sorted({row["code_zone"] for row in rows})
    rank_of = {code: rank for rank, code in enumerate(zones)}
    zone = np.array([rank_of[row["code_zone"]] for row in rows], dtype=np.int64)
    margins: list[list[int]] = [[] for _ in zones]
    for cell, rank in enumerate(zone.tolist()):
        margins[rank].append(cell)
    margins += [
        [cell for cell in margin if rows[cell][name] == modality]
        for margin in margins
        for name, modalities in MODALITIES.items()
        for modality in modalities
    ]
    counted = [row for row, persons in zip(rows, counts.eligible, strict=True) if persons > 0]
    present = {
        name: [modality for modality in modalities if any(row[name] == modality for row in counted)]
        for name, modalities in MODALITIES.items()
    }
    return Edition(
        rows,
        counts,
        statuses(counts, margins, secrecy.least),
        {PRIMARY: secrecy.reason, SECONDARY: FOR_ANOTHER},
        zones,
        zone,
        {name: found[0] for name, found in present.items() if found},
        [(CONSTANT, CONSTANT), *((name, other) for name, found in present.items() for other in found[1:])],
    )
