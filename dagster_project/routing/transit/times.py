"""Travel times between many places over a window of departures: walk, ride, walk."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from dagster_project.routing.links import Links
from dagster_project.routing.transit.scan import NEVER, Access, Scanner
from dagster_project.routing.transit.timetable import Timetable

QUARTILES = (0.25, 0.5, 0.75)
Ints = npt.NDArray[np.int32]
Seconds = npt.NDArray[np.float32]


class TravelTimes(NamedTuple):
    """Quartiles of travel time over the departures, origins × destinations, in seconds; NaN when out of reach."""

    p25: Seconds
    p50: Seconds
    p75: Seconds


def travel_times(
    timetable: Timetable,
    access: Links,
    egress: Links,
    transfers: Links,
    window: npt.ArrayLike,
    *,
    walking: npt.ArrayLike | None = None,
    change: npt.ArrayLike | None = None,
    horizon: int | None = None,
    threads: int = 1,
) -> TravelTimes:
    """Time from each origin to each destination, waits included, over the departures of a window.

    A time is arrival minus departure. The quartile of order p is the shortest time that at least a share p of the
    departures do not exceed, a departure without a journey counting as infinite: a value says that at least that share
    arrives, NaN that less does. The way back swaps the roles: `access` of workplaces, `egress` of homes.

    Args:
        timetable: vehicles of the day.
        access: walks from each origin to stops.
        egress: walks from stops to each destination, by destination: sources are destinations, targets are stops.
        transfers: walks between stops.
        window: departures, in seconds of the day, increasing (see `scan.window`).
        walking: seconds on foot from each origin to each destination (NaN: too far); taken when shorter.
        change: seconds needed at each stop between two vehicles of that stop.
        horizon: longest journey by public transport, in seconds.
        threads: how many origins are searched at once; searches leave Python free.

    Raises:
        ValueError: arrays do not fit each other.
    """
    shape = (len(access), len(egress))
    direct = None if walking is None else np.asarray(walking, np.float32)
    if direct is not None and direct.shape != shape:
        raise ValueError(f"walking has shape {direct.shape}: expected {shape}, origins × destinations")
    access.require_targets(len(timetable.stop_ids), "access links")
    egress.require_targets(len(timetable.stop_ids), "egress links")
    scanner = Scanner(timetable, transfers, window, change=change, horizon=horizon)
    ranks = np.ceil(np.array(QUARTILES) * len(scanner.departures)).astype(np.int64) - 1
    found = np.full((len(QUARTILES), *shape), np.nan, np.float32)

    def search(origin: int) -> None:
        arrivals = scanner.arrivals(Access(*access.of(origin)))
        _quartiles(
            arrivals.by_vehicle,
            scanner.departures,
            egress.first,
            egress.target,
            egress.seconds,
            scanner.horizon,
            ranks,
            found[:, origin],
        )

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(search, range(len(access))):
            pass
    if direct is not None:
        # On foot, the time is the same at every departure: the quartile of the shorter is the shorter of the two.
        for quartile in found:
            np.fmin(quartile, direct, out=quartile)
    return TravelTimes(*found)


@numba.njit(cache=True, nogil=True)
def _quartiles(
    arrival: Ints,
    leaving: Ints,
    first: npt.NDArray[np.int64],
    stop: Ints,
    seconds: Ints,
    horizon: int,
    ranks: npt.NDArray[np.int64],
    found: Seconds,
) -> None:
    """Fill found (quartiles × destinations) from the arrivals in a vehicle at each stop (stops × departures)."""
    best = np.empty(len(leaving), np.int32)
    for place in range(len(first) - 1):
        best[:] = NEVER
        for link in range(first[place], first[place + 1]):
            arrivals, walk = arrival[stop[link]], seconds[link]
            for d in range(len(leaving)):
                best[d] = min(best[d], arrivals[d] + walk)
        # Arrivals never decrease along the window: without a first one, there is none.
        if best[0] >= NEVER:
            continue
        for d in range(len(leaving)):
            best[d] = best[d] - leaving[d] if best[d] - leaving[d] <= horizon and best[d] < NEVER else NEVER
        best.sort()
        for q in range(len(ranks)):
            if best[ranks[q]] < NEVER:
                found[q, place] = best[ranks[q]]
