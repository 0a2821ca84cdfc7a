"""Four classes of zones from two indices, with what is left of them when one index is not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dagster_project.models.arrow_tables import Mask, Vector
from dagster_project.models.panel import Panel
from dagster_project.models.parameters import SANTE, SOCIO, Parameters
from dagster_project.models.uncertainty import Draws

CLASSES = ("double_fragilite", "fragilite_sanitaire", "fragilite_sociale", "non_fragile")


@dataclass(frozen=True)
class Half:
    """One index as the typology needs it: (zones,) values and flags, and the reason where there is no value.

    `cut` is the lowest index of a fragile reference zone; not-a-number when the index exists nowhere.
    """

    value: Vector
    fragile: Mask
    statuses: tuple[str, ...]
    cut: float
    draws: Draws | None

    @property
    def known(self) -> Mask:
        """Zones that have this index."""
        known: Mask = ~np.isnan(self.value)
        return known


def typology(panel: Panel, halves: dict[str, Half], parameters: Parameters) -> list[dict[str, Any]]:
    """One record a zone: class, probability of each class, distances to the cuts, stability, status.

    With both indices the class is one of four. With one only, it is that half's fragility or `non_fragile`, `partial`
    is true, the classes that cannot be told have no probability and the status is the reason of the missing half.
    With none, there is no class.
    """
    sante, socio = halves[SANTE], halves[SOCIO]
    chances = _probabilities(sante, socio)
    records: list[dict[str, Any]] = []
    for z, (level, code, generation, mesh) in enumerate(panel.keys):
        label = _class(sante, socio, z)
        both = bool(sante.known[z] and socio.known[z])
        probability = dict(zip(CLASSES, chances[z], strict=True))
        records.append(
            {
                "zone_level": level,
                "zone_code": code,
                "generation": generation,
                "mesh": mesh,
                "class": label,
                **{f"p_{name}": probability[name] for name in CLASSES},
                "distance_sante": sante.value[z] - sante.cut,
                "distance_socio": socio.value[z] - socio.cut,
                "stable": None if label is None else bool(probability[label] >= parameters.stable_from),
                "partial": None if label is None else not both,
                "status": _status(sante, socio, z),
            }
        )
    return records


def _class(sante: Half, socio: Half, z: int) -> str | None:
    if not (sante.known[z] or socio.known[z]):
        return None
    return {
        (True, True): "double_fragilite",
        (True, False): "fragilite_sanitaire",
        (False, True): "fragilite_sociale",
        (False, False): "non_fragile",
    }[bool(sante.fragile[z]), bool(socio.fragile[z])]


def _status(sante: Half, socio: Half, z: int) -> str:
    """The reason of the half that is missing; of two, that of health, the half that waits for a partner."""
    for half in (sante, socio):
        if not half.known[z]:
            return half.statuses[z]
    return "ok" if sante.statuses[z] == socio.statuses[z] == "ok" else "estime"


def _probabilities(sante: Half, socio: Half) -> Vector:
    """(zones, classes) shares of draws; not-a-number for a class that the halves of a zone cannot tell."""
    shape = sante.value.shape
    health = sante.draws.fragile if sante.draws else np.zeros((1, *shape), dtype=bool)
    social = socio.draws.fragile if socio.draws else np.zeros((1, *shape), dtype=bool)
    found = np.stack(
        [pair.mean(axis=0) for pair in (health & social, health & ~social, ~health & social, ~(health | social))],
        axis=-1,
    )
    found[~sante.known, :2] = np.nan
    found[~socio.known, 0] = found[~socio.known, 2] = np.nan
    found[~sante.known & ~socio.known] = np.nan
    return found
