"""Do neighbouring zones look alike? Moran's I and its local form over the zones of a mesh."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dagster_project.models.arrow_tables import Vector
from dagster_project.models.moran import global_moran, local_moran, row_standardised

# Local clusters are counted at this level, without correction for the number of zones: they describe, they do not test.
LOCAL_LEVEL = 0.05
QUADRANTS = ("haut_haut", "bas_haut", "bas_bas", "haut_bas")
LEAST_ZONES = 4


@dataclass(frozen=True)
class Autocorrelation:
    """Moran's I over zones that have a value and a neighbour that has one.

    `p` is two-sided, from permutations. `clusters` counts the zones of each local quadrant significant at 5 %.
    """

    zones: int
    islands: int
    without_value: int
    i: float
    expected: float
    z: float
    p: float
    clusters: dict[str, int]


def autocorrelation(
    codes: Sequence[str], values: Vector, pairs: Iterable[tuple[str, str]], draws: int, seed: int
) -> Autocorrelation | None:
    """Global and local Moran's I with row-standardised contiguity weights.

    Islands (no neighbour with a value) are left out, since a mean over no neighbour is not 0.

    Returns:
        None when fewer than four zones remain or all have the same value.
    """
    value = {code: float(v) for code, v in zip(codes, values, strict=True) if not np.isnan(v)}
    links = {pair for a, b in pairs if a != b and a in value and b in value for pair in ((a, b), (b, a))}
    linked = sorted({a for a, _ in links})
    y = np.array([value[code] for code in linked])
    if len(linked) < LEAST_ZONES or y.min() == y.max():
        return None
    place = {code: position for position, code in enumerate(linked)}
    ends = np.array([(place[a], place[b]) for a, b in sorted(links)], dtype=np.int64)
    weights = row_standardised(ends[:, 0], ends[:, 1], len(linked))
    overall, local = global_moran(y, weights, draws, seed), local_moran(y, weights, draws, seed)
    significant = local.quadrant[local.p <= LOCAL_LEVEL]
    return Autocorrelation(
        zones=len(linked),
        islands=len(value) - len(linked),
        without_value=len(codes) - len(value),
        i=overall.i,
        expected=overall.expected,
        z=overall.z,
        p=overall.p,
        clusters={name: int((significant == number).sum()) for number, name in enumerate(QUADRANTS, 1)},
    )
