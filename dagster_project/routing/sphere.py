"""Places on a sphere and near one another: pairs are found by chords, distances are great circles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

EARTH_RADIUS_M = 6_371_008.8  # mean radius (IUGG)


def on_sphere(lonlat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Metres from the centre of the Earth, (n, 3), of longitudes and latitudes (n, 2): distances between are chords."""
    lon, lat = np.radians(lonlat).T
    return EARTH_RADIUS_M * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def neighbourhoods(points: npt.NDArray[np.float64], size: int) -> list[npt.NDArray[np.int64]]:
    """Positions of points (n, dimensions), grouped by nearness: halved across their widest side as long as needed.

    Every group has `size` points but one, which has the rest.
    """

    def groups(rows: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
        if len(rows) <= size:
            return [rows]
        widest = np.ptp(points[rows], axis=0).argmax()
        rows = rows[np.argsort(points[rows, widest], kind="stable")]
        half = -(-len(rows) // size) // 2 * size
        return [*groups(rows[:half]), *groups(rows[half:])]

    return groups(np.arange(len(points)))
