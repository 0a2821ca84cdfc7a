"""Walks between many points, near pairs only: access to stops, egress, and transfers between them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from dagster_project.routing.links import Links
from dagster_project.routing.roads.engine import LonLat, RoadEngine, checked
from dagster_project.routing.sphere import on_sphere

# Metres per second as the crow flies that no walk exceeds: engines walk at about 5 km/h, along streets.
FASTEST = 1.5
GROUP = 50  # origins that are asked together

Indices = npt.NDArray[np.int64]


def walking_links(
    engine: RoadEngine, from_lonlat: LonLat, to_lonlat: LonLat, max_seconds: float, *, threads: int = 1
) -> Links:
    """Every walk of at most `max_seconds` from one set of points to another.

    Pairs too far apart as the crow flies to be walked in that time are not asked for; the others are, in blocks of
    neighbours. A point is linked to itself, at 0 s, where it stands in both sets.

    Args:
        engine: answers for the mode `marche`; asked from `threads` threads at once.
        from_lonlat: (n, 2), lon and lat.
        to_lonlat: (m, 2).
        max_seconds: longest walk.
        threads: blocks asked at a time.

    Raises:
        ValueError: points that are no longitude and latitude.
        EngineError: the engine does not answer.
    """
    origins, destinations = checked(from_lonlat), checked(to_lonlat)
    radius = FASTEST * max_seconds
    here, there = on_sphere(origins), on_sphere(destinations)
    near = cKDTree(here).sparse_distance_matrix(cKDTree(there), radius, output_type="ndarray")
    pairs = csr_array((np.ones(len(near), bool), (near["i"], near["j"])), shape=(len(origins), len(destinations)))

    def ask(rows: Indices) -> tuple[Indices, Indices, Indices]:
        wanted = pairs[rows]
        columns = np.unique(wanted.indices)
        seconds = engine.matrix(origins[rows], destinations[columns], "marche").seconds
        kept = wanted[:, columns].toarray() & (seconds <= max_seconds)
        i, j = np.nonzero(kept)
        return rows[i], columns[j].astype(np.int64), np.rint(seconds[i, j]).astype(np.int64)

    nothing = (np.empty(0, np.int64),) * 3
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(ask, _neighbours(here, np.diff(pairs.indptr) > 0, radius)))
    i, j, seconds = (np.concatenate(parts) for parts in zip(nothing, *found, strict=True))
    order = np.lexsort((j, i))
    return Links.from_pairs(len(origins), i[order], j[order], seconds[order])


def _neighbours(places: npt.NDArray[np.float64], linked: npt.NDArray[np.bool_], side: float) -> Iterator[Indices]:
    """The linked ones, in groups of at most GROUP from one cube of the given side."""
    rows = np.flatnonzero(linked)
    cubes = np.floor(places[rows] / max(side, 1.0)).astype(np.int64)
    _, cube = np.unique(cubes, axis=0, return_inverse=True)
    order = np.argsort(cube, kind="stable")
    for together in np.split(rows[order], np.flatnonzero(np.diff(cube[order])) + 1):
        for start in range(0, len(together), GROUP):
            yield together[start : start + GROUP]
