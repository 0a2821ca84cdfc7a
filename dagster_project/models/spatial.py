"""Neighbouring zones look alike: Moran's I and its local form, by PySAL."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from dagster_project.models.arrow_tables import Vector

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
    import esda
    from libpysal.graph import Graph

    focal, neighbour = zip(*sorted(links), strict=True)
    graph = Graph.from_arrays(np.array(focal), np.array(neighbour), np.ones(len(focal))).transform("r")
    with _seeded(seed), warnings.catch_warnings():
        # a zone whose permutations are all alike divides by zero inside esda; its p-value does not use the quotient
        warnings.simplefilter("ignore", RuntimeWarning)
        overall = esda.Moran(y, graph, permutations=draws)
        local = esda.Moran_Local(y, graph, permutations=draws, seed=seed, n_jobs=1, alternative="two-sided")
    more_extreme = int(np.sum(np.abs(overall.sim - overall.sim.mean()) >= abs(overall.I - overall.sim.mean())))
    significant = local.q[local.p_sim <= LOCAL_LEVEL]
    return Autocorrelation(
        zones=len(linked),
        islands=len(value) - len(linked),
        without_value=len(codes) - len(value),
        i=float(overall.I),
        expected=float(overall.EI),
        z=float(overall.z_sim),
        p=(1 + more_extreme) / (draws + 1),
        clusters={name: int((significant == number).sum()) for number, name in enumerate(QUADRANTS, 1)},
    )


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """PySAL permutes with numpy's global generator: seed it, then put it back as it was."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
