"""Cells of household profiles whose take-up is known, as a partner would deliver them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.models.nonrecours.profils.model import profils
from dagster_project.models.nonrecours.profils.parameters import MODALITIES, ProfileParameters
from dagster_project.models.secrecy import Secrecy
from dagster_project.privacy.secrecy import rules

MASKED_BELOW = 11  # of the files drawn here
SECRECY = rules()["c2s_profil"]
PROFILES = tuple(product(*MODALITIES.values()))
CONSTANT = 0.4
EFFECTS: Mapping[str, Mapping[str, float]] = {
    "type_menage": {"couple_sans_enfant": -0.3, "couple_avec_enfants": 0.2, "monoparental": 0.4, "autre": -0.2},
    "tranche_age": {"moins_18": 0.25, "60_plus": -0.6},
    "statut_occupation": {"prive": -0.4, "proprietaire": -0.9, "autre": 0.0},
}
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("code_zone", "generation", "annee", *MODALITIES)),
        ("n_eligibles", pa.int32()),
        ("n_beneficiaires", pa.int32()),
    ]
)


def true_logit(profile: tuple[str, ...]) -> float:
    return CONSTANT + sum(EFFECTS[term].get(name, 0.0) for term, name in zip(MODALITIES, profile, strict=True))


def cell(zone: str, profile: tuple[str, ...], eligible: int | None, held: int | None, **change: Any) -> dict[str, Any]:
    key = {"code_zone": zone, "generation": "QP2015", "annee": "2021"} | dict(zip(MODALITIES, profile, strict=True))
    return key | {"n_eligibles": eligible, "n_beneficiaires": held} | change


def drawn(
    zones: int, seed: int, *, eligible: float = 60.0, zone_sd: float = 0.35, least: int = MASKED_BELOW
) -> list[dict[str, Any]]:
    """Every profile of every zone; counts of 1 to `least` − 1 are hidden."""
    rng = np.random.default_rng(seed)
    size = {"social": 2.0, "prive": 1.0}
    rows = []
    for rank in range(zones):
        effect = zone_sd * rng.normal()
        for profile in PROFILES:
            persons = int(rng.poisson(eligible * size.get(profile[2], 0.5)))
            held = int(rng.binomial(persons, 1 / (1 + np.exp(-true_logit(profile) - effect))))
            shown = [None if 0 < count < least else count for count in (persons, held)]
            rows.append(cell(f"QP{rank:06d}", profile, *shown))
    return rows


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, SCHEMA)


def estimated(
    cells: pa.Table,
    parameters: ProfileParameters | None = None,
    *,
    masked_below: int = MASKED_BELOW,
    secrecy: Secrecy = SECRECY,
) -> dict[str, pa.Table]:
    """The model on a file drawn here, under our rule as the seed gives it."""
    return profils(cells, masked_below, secrecy, parameters)
