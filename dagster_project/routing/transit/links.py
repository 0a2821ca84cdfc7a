"""Walks as the crow flies between places."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dagster_project.routing.links import Links
from dagster_project.routing.sphere import EARTH_RADIUS_M, on_sphere


def straight_line_links(
    sources: npt.ArrayLike,
    targets: npt.ArrayLike | None = None,
    *,
    max_metres: float,
    metres_per_second: float,
) -> Links:
    """Walks as the crow flies, for tests and for networks without a road engine: true walks are longer.

    Args:
        sources: longitudes and latitudes (n × 2, WGS84); places without coordinates (NaN) have no link.
        targets: the same of targets; by default the sources, a place not being linked to itself.
        max_metres: longest walk, included.
        metres_per_second: walking speed.
    """
    from scipy.spatial import cKDTree

    start = np.asarray(sources, np.float64).reshape(-1, 2)
    end = start if targets is None else np.asarray(targets, np.float64).reshape(-1, 2)
    here, there = (np.flatnonzero(np.isfinite(points).all(axis=1)) for points in (start, end))
    chord = 2 * EARTH_RADIUS_M * np.sin(max_metres / (2 * EARTH_RADIUS_M))
    found = cKDTree(on_sphere(start[here])).sparse_distance_matrix(
        cKDTree(on_sphere(end[there])), chord, output_type="coo_matrix"
    )
    source, target = here[found.row], there[found.col]
    seconds = 2 * EARTH_RADIUS_M * np.arcsin(found.data / (2 * EARTH_RADIUS_M)) / metres_per_second
    kept = source != target if targets is None else np.ones(len(source), bool)
    order = np.lexsort((target[kept], source[kept]))
    return Links.from_pairs(len(start), source[kept][order], target[kept][order], seconds[kept][order])
