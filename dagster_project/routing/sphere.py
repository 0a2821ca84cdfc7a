"""Places on a sphere: near pairs are found by chords, distances are great circles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

EARTH_RADIUS_M = 6_371_008.8  # mean radius (IUGG)


def on_sphere(lonlat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Metres from the centre of the Earth, (n, 3), of longitudes and latitudes (n, 2): distances between are chords."""
    lon, lat = np.radians(lonlat).T
    return EARTH_RADIUS_M * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
