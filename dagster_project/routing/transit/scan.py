"""Earliest arrivals from one origin, for every departure of a window at once, by Connection Scan.

The scan follows Dibbelt, Pick, Strasser and Wagner, "Connection Scan Algorithm" (2018). It goes once over the
connections, whatever the number of departures, because labels are ordered: who leaves earlier can wait, so that of two
departures the earlier one never arrives later. Those that can take a connection are therefore the first k of the
window, and those it improves are the last of these k: both are found by moving one position.

A stop has two labels for each departure: arrival in a vehicle, and arrival on foot. Walks start only from the origin or
from a vehicle, so that two walks never follow each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from dagster_project.routing.links import Links
from dagster_project.routing.transit.timetable import Timetable

NEVER = np.int32(2**30)  # leaves room to add a walk without overflow
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Access:
    """How an origin reaches stops on foot: positions of stops, and seconds (whole, rounded up)."""

    stops: Ints
    seconds: Ints

    @classmethod
    def at_stops(cls, stops: Sequence[int], transfers: Links) -> Access:
        """An origin that is at stops: these at once, and those they are linked to."""
        targets, seconds = zip(*(transfers.of(stop) for stop in stops), strict=True)
        here = np.asarray(stops, np.int32)
        return cls(np.concatenate([here, *targets]), np.concatenate([np.zeros(len(here), np.int32), *seconds]))


@dataclass(frozen=True)
class Arrivals:
    """Earliest arrivals, stops × departures, in seconds of the day; `NEVER` where there is none.

    Attributes:
        by_vehicle: in a vehicle that stops there; a walk may follow.
        on_foot: on foot from the origin or from a vehicle; no other walk may follow.
    """

    by_vehicle: Ints
    on_foot: Ints

    def any(self) -> Ints:
        """Earliest arrival by any means."""
        return np.minimum(self.by_vehicle, self.on_foot)


def window(start: int, end: int, step: int = 60) -> Ints:
    """Departures from start to end (included), in seconds of the day: `window(7 * 3600, 9 * 3600 - 60)`."""
    return np.arange(start, end + 1, step, dtype=np.int32)


def earliest_arrivals(
    timetable: Timetable,
    access: Access,
    transfers: Links,
    departures: npt.ArrayLike,
    *,
    change: npt.ArrayLike | None = None,
    horizon: int | None = None,
) -> Arrivals:
    """Earliest arrival at every stop, for each departure from one origin.

    Args:
        timetable: vehicles of the day.
        access: walks from the origin to stops.
        transfers: walks between stops (a link from a stop to itself changes nothing).
        departures: seconds of the day, increasing.
        change: seconds needed at each stop between two vehicles of that stop (0 by default); walks already have theirs.
        horizon: longest journey, in seconds; later arrivals are `NEVER`.

    Raises:
        ValueError: departures are not increasing, or arrays do not fit the timetable.
    """
    return Scanner(timetable, transfers, departures, change=change, horizon=horizon).arrivals(access)


class Scanner:
    """A window of departures over one timetable, ready for many origins; it may be shared between threads."""

    def __init__(
        self,
        timetable: Timetable,
        transfers: Links,
        departures: npt.ArrayLike,
        *,
        change: npt.ArrayLike | None = None,
        horizon: int | None = None,
    ) -> None:
        """Takes and raises what `earliest_arrivals` does."""
        stops = len(timetable.stop_ids)
        self.departures = np.ascontiguousarray(departures, np.int32)
        if not len(self.departures) or (np.diff(self.departures) <= 0).any():
            raise ValueError("departures are not strictly increasing: expected seconds of the day, sorted, each once")
        if len(transfers) != stops:
            raise ValueError(f"transfers start from {len(transfers)} stops: expected {stops}, those of the timetable")
        transfers.require_targets(stops, "transfers")
        self.horizon = int(NEVER) if horizon is None else horizon
        waits = (
            np.zeros(stops, np.int32) if change is None else np.ceil(np.asarray(change, np.float64)).astype(np.int32)
        )
        if waits.shape != (stops,) or (waits < 0).any():
            raise ValueError(f"change has shape {waits.shape}: expected {stops} times of 0 s or more, one per stop")
        self._vehicles = (
            timetable.departure,
            timetable.arrival,
            timetable.from_stop,
            timetable.to_stop,
            timetable.trip,
            timetable.boarding,
            timetable.alighting,
            len(timetable.trip_ids),
        )
        self._walks = (transfers.first, transfers.target, transfers.seconds, waits)

    def arrivals(self, access: Access) -> Arrivals:
        """Earliest arrivals from one origin; other Python threads run meanwhile.

        Raises:
            ValueError: a stop of the origin is none of the timetable's.
        """
        if len(access.stops) and not (access.stops.min() >= 0 and access.stops.max() < len(self._walks[-1])):
            raise ValueError(f"the origin reaches stops {access.stops}: expected 0 to {len(self._walks[-1]) - 1}")
        by_vehicle, on_foot = _scan(
            *self._vehicles, *self._walks, access.stops, access.seconds, self.departures, self.horizon
        )
        return Arrivals(by_vehicle, on_foot)


@numba.njit(cache=True, nogil=True)
def _scan(  # noqa: PLR0912 - one loop, which calls would slow down
    departure: Ints,
    arrival: Ints,
    from_stop: Ints,
    to_stop: Ints,
    trip: Ints,
    boarding: Flags,
    alighting: Flags,
    trips: int,
    walk_first: Index,
    walk_target: Ints,
    walk_seconds: Ints,
    change: Ints,
    access_stop: Ints,
    access_seconds: Ints,
    leaving: Ints,
    horizon: int,
) -> tuple[Ints, Ints]:
    window = len(leaving)
    vehicle = np.full((len(change), window), NEVER, np.int32)
    foot = np.full((len(change), window), NEVER, np.int32)
    ready = np.zeros(len(change), np.int32)  # how many departures, from the first, can board at the stop by now
    aboard = np.zeros(trips, np.int32)  # how many, from the first, are in the vehicle
    for i in range(len(access_stop)):
        for d in range(window):
            foot[access_stop[i], d] = min(foot[access_stop[i], d], leaving[d] + access_seconds[i])

    last = leaving[window - 1] + horizon
    c = np.searchsorted(departure, leaving[0])
    before = np.empty(len(departure), np.int32)  # of an instant connection: how many were aboard at first
    instants, instant, seen, improved = c, -1, c, False
    while c < len(departure) and departure[c] <= last:
        now, then, vehicle_run = departure[c], arrival[c], trip[c]
        if then == now and instant != now:
            instants, instant, improved = c, now, False
        if then == now and c >= seen:
            before[c], seen = aboard[vehicle_run], c + 1
        if boarding[c]:
            stop = from_stop[c]
            k = ready[stop]
            while k < window and (foot[stop, k] <= now or vehicle[stop, k] + change[stop] <= now):
                k += 1
            ready[stop] = k
            aboard[vehicle_run] = max(aboard[vehicle_run], k)
        k = aboard[vehicle_run]
        stop = to_stop[c]
        if k > 0 and alighting[c] and vehicle[stop, k - 1] > then:
            d = k - 1
            while d >= 0 and vehicle[stop, d] > then:
                vehicle[stop, d] = then
                d -= 1
            for w in range(walk_first[stop], walk_first[stop + 1]):
                near, there = walk_target[w], then + walk_seconds[w]
                e = k - 1
                while e > d and near != stop and foot[near, e] > there:
                    foot[near, e] = there
                    e -= 1
            improved = improved or then == now
        c += 1
        # Connections that take no time may feed each other in any order: go over them again until nothing moves,
        # with those aboard who were there at first, lest they ride back along the vehicle's own way.
        if improved and (c == len(departure) or departure[c] != now or arrival[c] != now):
            while c > instants:
                c -= 1
                aboard[trip[c]] = before[c]
            improved = False

    for stop in range(len(change)):
        for d in range(window):
            if vehicle[stop, d] > leaving[d] + horizon:
                vehicle[stop, d] = NEVER
            if foot[stop, d] > leaving[d] + horizon:
                foot[stop, d] = NEVER
    return vehicle, foot
