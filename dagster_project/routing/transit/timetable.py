"""The vehicles of one day, as elementary connections: from one stop to the next, without a halt between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from dagster_project.routing.transit.calendar import services_on
from dagster_project.routing.transit.feed import Feed
from dagster_project.routing.transit.problems import FeedRefused
from dagster_project.routing.transit.service_days import require_valid

DAY = 86_400
_DAYS_BEFORE = 7  # no accepted trip lasts longer
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Timetable:
    """Connections of one day, sorted by departure, arrival, trip and sequence. Times are seconds of that day.

    Attributes:
        day: the day asked.
        feeds: names of the feeds.
        stop_ids: "feed:stop_id"; two feeds never share a stop, walking links them.
        stop_names, stop_lon, stop_lat: as in the feeds.
        trip_ids: "feed:trip_id" of each vehicle; one trip run at intervals, or still running from the day before, is
            several vehicles.
        trip_days: how many days before the day asked the service of the vehicle is (0: that day).
        departure, arrival: int32 seconds.
        from_stop, to_stop, trip: int32 positions.
        boarding, alighting: whether passengers may board at `from_stop` and alight at `to_stop`.
    """

    day: date
    feeds: tuple[str, ...]
    stop_ids: npt.NDArray[np.str_]
    stop_names: npt.NDArray[np.str_]
    stop_lon: npt.NDArray[np.float64]
    stop_lat: npt.NDArray[np.float64]
    trip_ids: npt.NDArray[np.str_]
    trip_days: npt.NDArray[np.int8]
    departure: Ints
    arrival: Ints
    from_stop: Ints
    to_stop: Ints
    trip: Ints
    boarding: Flags
    alighting: Flags

    @property
    def stop_lonlat(self) -> npt.NDArray[np.float64]:
        """Longitude and latitude of stops, n × 2."""
        return np.column_stack([self.stop_lon, self.stop_lat])


def build_timetable(feeds: Sequence[Feed], day: date) -> Timetable:
    """Lay out every vehicle that runs on a day, those that left the days before included.

    A vehicle at a stop at 25:10 of its service is there at 01:10 of the next day: services of earlier days are shifted
    back by whole days, and what they ran before midnight is left out. Vehicles of the following day are not added.

    Raises:
        FeedRefused: a feed is not valid that day, or nothing runs.
        ValueError: two feeds have the same name.
    """
    names = tuple(feed.name for feed in feeds)
    if len(set(names)) < len(names):
        raise ValueError(f"feeds are named {names}: expected a name each")
    for feed in feeds:
        require_valid(feed, day)
    stops = np.cumsum([0, *(len(feed.stop_ids) for feed in feeds)])
    vehicles = [_vehicles_of(feed, day) for feed in feeds]
    trips = np.cumsum([0, *(len(each.trip) for each in vehicles)])
    parts = [
        _connections(feed, each, first_stop, first_trip)
        for feed, each, first_stop, first_trip in zip(feeds, vehicles, stops, trips, strict=False)
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    if not len(columns.get("departure", ())):
        raise FeedRefused(
            f"{', '.join(names) or 'aucun réseau'} : aucune course le {day:%d/%m/%Y} ; choisir une autre date"
        )
    # Rows of a trip come in sequence, and the sort is stable.
    order = np.lexsort((columns["trip"], columns["arrival"], columns["departure"]))
    for column in columns.values():
        column[:] = column[order]
        column.flags.writeable = False
    return Timetable(
        day=day,
        feeds=names,
        stop_ids=np.concatenate([_prefixed(feed, feed.stop_ids) for feed in feeds]),
        stop_names=np.concatenate([feed.stop_names for feed in feeds]),
        stop_lon=np.concatenate([feed.stop_lon for feed in feeds]),
        stop_lat=np.concatenate([feed.stop_lat for feed in feeds]),
        trip_ids=np.concatenate([_prefixed(f, f.trip_ids[v.trip]) for f, v in zip(feeds, vehicles, strict=True)]),
        trip_days=np.concatenate([each.days_before for each in vehicles]),
        **columns,
    )


@dataclass(frozen=True)
class _Vehicles:
    """Trips that run, and what to add to their times."""

    trip: Index
    shift: Index
    days_before: npt.NDArray[np.int8]


def _prefixed(feed: Feed, ids: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    return np.strings.add(f"{feed.name}:", ids)


def _vehicles_of(feed: Feed, day: date) -> _Vehicles:
    trip, shift = _runs(feed)
    last = feed.stop_times.arrival[feed.stop_times.first[trip + 1] - 1] + shift
    found = []
    for before in range(_DAYS_BEFORE + 1):
        active = services_on(feed.calendar, day - timedelta(before))[feed.trip_service[trip]]
        here = np.flatnonzero(active & (last >= before * DAY))
        found.append((trip[here], shift[here] - before * DAY, np.full(len(here), before, np.int8)))
    return _Vehicles(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _runs(feed: Feed) -> tuple[Index, Index]:
    """Every run of every trip on a day of its service, and its delay on the times given."""
    repeated = feed.frequencies
    once = np.ones(len(feed.trip_ids), bool)
    once[repeated.trip] = False
    plain = np.flatnonzero(once)
    counts = np.maximum(0, -(-(repeated.end - repeated.start) // repeated.headway)).astype(np.int64)
    row = np.repeat(np.arange(len(counts)), counts)
    rank = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    trip = repeated.trip[row].astype(np.int64)
    leaves = feed.stop_times.departure[feed.stop_times.first[trip]]
    shift = repeated.start[row] + rank * repeated.headway[row] - leaves
    return np.concatenate([plain, trip]), np.concatenate([np.zeros(len(plain), np.int64), shift])


def _connections(
    feed: Feed, vehicles: _Vehicles, first_stop: int, first_trip: int
) -> dict[str, npt.NDArray[np.generic]]:
    times = feed.stop_times
    start = times.first[vehicles.trip]
    counts = times.first[vehicles.trip + 1] - start - 1
    which = np.repeat(np.arange(len(counts)), counts)
    here = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts) + start[which]
    departure = times.departure[here] + vehicles.shift[which]
    kept = departure >= 0
    which, here, departure = which[kept], here[kept], departure[kept]
    arrival = times.arrival[here + 1] + vehicles.shift[which]
    return {
        "departure": departure.astype(np.int32),
        "arrival": arrival.astype(np.int32),
        "from_stop": (times.stop[here] + first_stop).astype(np.int32),
        "to_stop": (times.stop[here + 1] + first_stop).astype(np.int32),
        "trip": (which + first_trip).astype(np.int32),
        "boarding": times.boarding[here],
        "alighting": times.alighting[here + 1],
    }
