"""What a road engine answers, whichever it is: seconds and metres between points, by car, bicycle or on foot."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from dagster_project.routing.sphere import EARTH_RADIUS_M, neighbourhoods, on_sphere

Mode = Literal["voiture", "velo", "marche"]
MODES: tuple[Mode, ...] = get_args(Mode)
LonLat = npt.NDArray[np.float64]
Times = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]
SNAP_M = 500.0  # points farther than this from every street of their mode are not on the network


class EngineError(RuntimeError):
    """The engine could not answer at all; a pair without a path is no error."""


@dataclass(frozen=True)
class Matrix:
    """Times and distances from n origins to m destinations.

    Attributes:
        seconds: (n, m), NaN where there is no path.
        metres: (n, m), along the path that `seconds` measures; NaN where there is none.
        far_origins: (n,), whether the point is farther from the network than the engine's snapping distance.
        far_destinations: (m,), the same.
        corrected: pairs for which the engine's own matrix was wrong and its route was taken.
        refused: pairs for which a remote engine answered an error of their own; they count as unreachable.
    """

    seconds: Times
    metres: Times
    far_origins: npt.NDArray[np.bool_]
    far_destinations: npt.NDArray[np.bool_]
    corrected: int = 0
    refused: int = 0

    @property
    def unreachable(self) -> int:
        """Pairs without a path, far points included."""
        return int(np.count_nonzero(np.isnan(self.seconds)))

    @property
    def far(self) -> int:
        """Pairs without a path because one of their points is off the network."""
        n, m = len(self.far_origins), len(self.far_destinations)
        near = np.count_nonzero(~self.far_origins) * np.count_nonzero(~self.far_destinations)
        return n * m - int(near)


class RoadEngine(Protocol):
    """Anything that gives road times; what it is set to is fixed when it is made."""

    @property
    def name(self) -> str:
        """Of the engine: valhalla, osrm, tomtom."""

    @property
    def version(self) -> str:
        """Of the engine, for provenance."""

    def matrix(self, origins: LonLat, destinations: LonLat, mode: Mode) -> Matrix:
        """Times and distances of all pairs.

        Times run from the street nearest to the origin to that nearest to the destination: the way from a point to
        its street is not in them.

        Args:
            origins: (n, 2), longitude and latitude in degrees.
            destinations: (m, 2), the same.
            mode: voiture, velo or marche.

        Raises:
            ValueError: not (n, 2), or coordinates that are no longitude and latitude.
            EngineError: the engine does not answer.
        """


Block = tuple[Times, Times]


def in_blocks(n: int, m: int, shape: tuple[int, int], ask: Callable[[slice, slice], Block], threads: int = 1) -> Block:
    """Seconds and metres (n, m) of all pairs, asked in blocks of at most `shape` pairs.

    Args:
        n: number of origins.
        m: number of destinations.
        shape: largest number of origins and of destinations of a block.
        ask: seconds and metres of a block, float32; called from `threads` threads at once.
        threads: how many blocks to ask at a time.
    """
    seconds = np.full((n, m), np.nan, np.float32)
    metres = seconds.copy()

    def fill(block: tuple[slice, slice]) -> None:
        seconds[block], metres[block] = ask(*block)

    blocks = list(product(_slices(n, shape[0]), _slices(m, shape[1])))
    if threads == 1 or len(blocks) == 1:
        for block in blocks:
            fill(block)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, blocks))
    return seconds, metres


def in_halves(origins: LonLat, destinations: LonLat, ask: Callable[[LonLat, LonLat], Block]) -> Block:
    """A block that an engine refuses for its width, asked in two along its longer side; one pair has no path."""
    n, m = len(origins), len(destinations)
    if n == m == 1:
        return np.full((1, 1), np.nan, np.float32), np.full((1, 1), np.nan, np.float32)
    if n >= m:
        halves = [ask(part, destinations) for part in np.array_split(origins, 2)]
    else:
        halves = [ask(origins, part) for part in np.array_split(destinations, 2)]
    seconds, metres = (np.concatenate(parts, axis=int(n < m)) for parts in zip(*halves, strict=True))
    return seconds, metres


def spread(part: Times, rows: Positions, columns: Positions, shape: tuple[int, int]) -> Times:
    """The values of the pairs that were asked for, at their place among all pairs; NaN elsewhere."""
    whole = np.full(shape, np.nan, np.float32)
    whole[np.ix_(rows, columns)] = part
    return whole


def compact(lonlat: LonLat, far: npt.NDArray[np.bool_], size: int) -> Positions:
    """Positions of the points that are not far, in an order in which so many at a time are near one another."""
    near = np.flatnonzero(~far)
    return near[np.concatenate(neighbourhoods(on_sphere(lonlat[near]), size))]


def checked(points: LonLat) -> LonLat:
    """The points as float64 (n, 2).

    Raises:
        ValueError: another shape, or coordinates that are no longitude and latitude.
    """
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] != 2:  # noqa: PLR2004  lon, lat
        raise ValueError(f"points must be (n, 2), lon and lat; got {points.shape}")
    wrong = ~((np.abs(points[:, 0]) <= 180) & (np.abs(points[:, 1]) <= 90))  # noqa: PLR2004  degrees
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"point {row} ({points[row, 0]}, {points[row, 1]}) is no longitude, latitude in degrees")
    return points


def crow_metres(origins: LonLat, destinations: LonLat) -> npt.NDArray[np.float64]:
    """Great-circle distances in metres between points of two arrays (…, 2) that broadcast; haversine on a sphere."""
    lon1, lat1, lon2, lat2 = (np.radians(part) for part in (*_parts(origins), *_parts(destinations)))
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    metres: npt.NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(half))
    return metres


def _parts(points: LonLat) -> tuple[LonLat, LonLat]:
    return points[..., 0], points[..., 1]


def _slices(length: int, step: int) -> list[slice]:
    return [slice(start, min(start + step, length)) for start in range(0, length, step)]
