"""Trips from the homes of zones to places of work: by car, by bicycle, on foot, by public transport.

One département at a time, on the networks that cover its homes; a table per home, for there are tens of millions of
rows in a region. Cached by what they are made from: the networks' bytes, homes and places, the engine and the code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from dagster_project.routing.feeds import Service
from dagster_project.routing.links import Links
from dagster_project.routing.roads.engine import Mode, RoadEngine
from dagster_project.routing.roads.links import walking_links
from dagster_project.routing.roads.tiles import RoadNetwork
from dagster_project.routing.sphere import neighbourhoods
from dagster_project.routing.transit.scan import window
from dagster_project.routing.transit.times import TravelTimes, travel_times
from dagster_project.routing.transit.timetable import Timetable, build_timetable

if TYPE_CHECKING:
    import pyarrow as pa

# Pairs farther apart as the crow flies are not asked for: an hour on foot or by bicycle, the widest catchment by car.
REACH_M: dict[Mode, float] = {"marche": 6_000.0, "velo": 20_000.0, "voiture": 60_000.0}
# Neighbouring homes ask together for what any of them reaches: few at a time where the reach is short.
TOGETHER: dict[Mode, int] = {"marche": 20, "velo": 120, "voiture": 200}
TRANSIT_REACH_M = 60_000.0
ACCESS_S = 900  # walk to the first stop and from the last: a quarter of an hour at most
TRANSFER_S = 360  # and between two vehicles: some 400 metres
OUT = window(7 * 3600, 9 * 3600 - 60)
BACK = window(16 * 3600 + 1800, 19 * 3600 - 60)
HORIZON_S = 2 * 3600
THREADS = 2
Seconds = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

HOME_KEYS = ("zone_level", "zone_code", "generation", "origin_rank")
TEXTS = ("zone_level", "zone_code", "generation", "destination_id", "kind", "mode", "moment")
SOURCES = ("road_vintage", "transit_vintage", "service_date")


class Places(NamedTuple):
    """Homes or places of work: a table, its points in degrees and in metres (EPSG:2154)."""

    table: pa.Table
    lonlat: Points
    metres: Points

    @classmethod
    def of(cls, table: pa.Table) -> Places:
        """From a table with lon, lat, x_m, y_m."""
        lonlat, metres = (
            np.column_stack([table[name].to_numpy() for name in names]) for names in (("lon", "lat"), ("x_m", "y_m"))
        )
        return cls(table, lonlat, metres)

    def take(self, rows: npt.NDArray[np.int64]) -> Places:
        """Some of them."""
        return Places(self.table.take(rows), self.lonlat[rows], self.metres[rows])


@dataclass(frozen=True)
class Ground:
    """What trips are made on: streets with their engine, the timetables that serve them, and what both are called."""

    network: RoadNetwork
    engine: RoadEngine
    road_vintage: str
    service: Service


@dataclass(frozen=True)
class _Times:
    """Times of one mode, homes × places; quartiles for public transport, metres for roads."""

    mode: str
    moment: str
    seconds: Seconds
    asked: npt.NDArray[np.bool_]
    metres: Seconds | None = None
    p25: Seconds | None = None
    p75: Seconds | None = None


def empty_trips() -> pa.Table:
    """No trip, with the columns of `trips`."""
    import pyarrow as pa

    kinds: dict[str, pa.DataType] = {name: pa.string() for name in TEXTS}
    kinds |= {"origin_rank": pa.int64()}
    kinds |= dict.fromkeys(("seconds", "seconds_p25", "seconds_p75", "metres"), pa.float64())
    kinds |= {name: pa.string() for name in SOURCES}
    return pa.schema(list(kinds.items())).empty_table()


def trips(ground: Ground, homes: Places, places: Places) -> pa.Table:
    """Every trip between homes and places that lie on one ground.

    Args:
        ground: streets and timetables.
        homes: rows of `origins`.
        places: rows of `destinations`.

    Returns:
        zone_level, zone_code, generation, origin_rank, destination_id, kind, mode (voiture, velo, marche, tc), moment
        (aller, retour), seconds (null: out of reach; of public transport the median departure), seconds_p25 and
        seconds_p75 (public transport alone), metres (roads alone), road_vintage, transit_vintage, service_date.
        A pair that was not asked for has no row.
    """
    import pyarrow as pa

    return pa.concat_tables([empty_trips(), *trips_by_home(ground, homes, places)])


def trips_by_home(ground: Ground, homes: Places, places: Places) -> Iterator[pa.Table]:
    """The rows of `trips`, a table per home: all of a region's together would not fit in a small memory.

    Homes come by zone and rank; in a table rows come by kind, place, mode and moment.
    """
    starts = _sorted(homes.take(np.flatnonzero(ground.network.covers(homes.lonlat))), *HOME_KEYS)
    ends = _sorted(places.take(np.flatnonzero(ground.network.covers(places.lonlat))), "kind", "destination_id")
    if not starts.table.num_rows or not ends.table.num_rows:
        return
    times = sorted(_all_times(ground, starts, ends), key=lambda each: (each.mode, each.moment))
    constants = _constants(times, ground)
    for home in range(starts.table.num_rows):
        rows = _rows(times, constants, home, starts, ends)
        if rows.num_rows:
            yield rows


def _sorted(places: Places, *keys: str) -> Places:
    import pyarrow.compute as pc

    order = pc.sort_indices(places.table, sort_keys=[(name, "ascending") for name in keys])
    return places.take(order.to_numpy().astype(np.int64))


def _all_times(ground: Ground, starts: Places, ends: Places) -> Iterator[_Times]:
    crow = _crow(starts, ends)
    on_foot = None
    for mode, reach in REACH_M.items():
        near = crow <= reach
        seconds, metres = np.full(crow.shape, np.nan, np.float32), np.full(crow.shape, np.nan, np.float32)
        for rows in neighbourhoods(starts.metres, TOGETHER[mode]):
            columns = np.flatnonzero(near[rows].any(axis=0))
            if len(columns):
                matrix = ground.engine.matrix(starts.lonlat[rows], ends.lonlat[columns], mode)
                asked = np.ix_(rows, columns)
                seconds[asked], metres[asked] = matrix.seconds, matrix.metres
        yield _Times(mode, "aller", seconds, near, metres=metres)
        if mode == "marche":
            on_foot = np.where(near, seconds, np.nan).astype(np.float32)
    if ground.service.day is not None and on_foot is not None:
        yield from _transit(ground, starts, ends, crow <= TRANSIT_REACH_M, on_foot)


def _transit(
    ground: Ground, starts: Places, ends: Places, near: npt.NDArray[np.bool_], on_foot: Seconds
) -> Iterator[_Times]:
    """Out to every place; back from workplaces alone, of which there are few."""
    assert ground.service.day is not None  # noqa: S101 - the caller has looked
    timetable = build_timetable(ground.service.feeds, ground.service.day)
    walks = _Walks(ground, timetable)
    home, work = walks.to_stops(starts.lonlat), walks.to_stops(ends.lonlat)
    between = walks.between_stops()

    def times(access: Links, egress: Links, departures: npt.NDArray[np.int32], walking: Seconds) -> TravelTimes:
        return travel_times(
            timetable,
            access,
            egress,
            between,
            departures,
            walking=walking,
            horizon=HORIZON_S,
            threads=THREADS,
        )

    out = times(home, work, OUT, on_foot)
    yield _Times("tc", "aller", out.p50, near, p25=out.p25, p75=out.p75)
    workplaces = np.flatnonzero(np.array(ends.table["kind"].to_pylist()) == "lieux_emploi")
    if len(workplaces):
        back = times(walks.to_stops(ends.lonlat[workplaces]), home, BACK, on_foot[:, workplaces].T)
        seconds = np.full(near.shape, np.nan, np.float32)
        p25, p75 = seconds.copy(), seconds.copy()
        for whole, part in ((seconds, back.p50), (p25, back.p25), (p75, back.p75)):
            whole[:, workplaces] = part.T
        asked = np.zeros(near.shape, dtype=bool)
        asked[:, workplaces] = near[:, workplaces]
        yield _Times("tc", "retour", seconds, asked, p25=p25, p75=p75)


class _Walks:
    """Walking times between places and the stops of a timetable, by the road engine."""

    def __init__(self, ground: Ground, timetable: Timetable) -> None:
        self._engine = ground.engine
        self._stops = timetable.stop_lonlat
        inside = np.isfinite(self._stops).all(axis=1)
        inside[inside] = ground.network.covers(self._stops[inside])
        self._known = np.flatnonzero(inside)

    def to_stops(self, lonlat: Points) -> Links:
        """From each place to the stops it can walk to."""
        source, target, seconds = self._pairs(lonlat, ACCESS_S)
        return Links.from_pairs(len(lonlat), source, target, seconds)

    def between_stops(self) -> Links:
        """From each stop to the stops that a change may use."""
        source, target, seconds = self._pairs(self._stops[self._known], TRANSFER_S)
        source = self._known[source]
        apart = source != target
        return Links.from_pairs(len(self._stops), source[apart], target[apart], seconds[apart])

    def _pairs(self, start: Points, longest: int) -> tuple[Index, Index, npt.NDArray[np.int32]]:
        """Positions of places and of stops, and the seconds between."""
        found = walking_links(self._engine, start, self._stops[self._known], longest, threads=THREADS)
        source = np.repeat(np.arange(len(start)), np.diff(found.first))
        return source, self._known[found.target], found.seconds


def _crow(starts: Places, ends: Places) -> npt.NDArray[np.float64]:
    """Distances in metres as the crow flies, homes × places."""
    (x, y), (a, b) = starts.metres.T, ends.metres.T
    found: npt.NDArray[np.float64] = np.hypot(x[:, None] - a[None, :], y[:, None] - b[None, :])
    return found


def _constants(times: Sequence[_Times], ground: Ground) -> pa.Table:
    """What all rows of one mode and moment say, one row for each."""
    import pyarrow as pa

    service = ground.service
    day = None if service.day is None else service.day.isoformat()
    rows = [
        (each.mode, each.moment, ground.road_vintage, *((service.vintage, day) if each.mode == "tc" else (None, None)))
        for each in times
    ]
    columns = zip(("mode", "moment", *SOURCES), zip(*rows, strict=True), strict=True)
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns})


def _rows(times: Sequence[_Times], constants: pa.Table, home: int, starts: Places, ends: Places) -> pa.Table:
    """The trips of one home; places and `times` are in order, and so are the rows."""
    import pyarrow as pa

    end, which = np.nonzero(np.column_stack([each.asked[home] for each in times]))
    unknown = np.full(ends.table.num_rows, np.nan, np.float32)

    def values(matrices: Sequence[Seconds | None]) -> pa.Array:
        each = np.column_stack([unknown if matrix is None else matrix[home] for matrix in matrices])
        return pa.array(each[end, which].astype(np.float64), from_pandas=True)

    columns = {name: pa.repeat(starts.table[name][home], len(end)) for name in HOME_KEYS}
    columns |= {name: ends.table[name].take(end) for name in ("destination_id", "kind")}
    columns |= {name: constants[name].take(which) for name in constants.column_names}
    columns |= {
        "seconds": values([each.seconds for each in times]),
        "seconds_p25": values([each.p25 for each in times]),
        "seconds_p75": values([each.p75 for each in times]),
        "metres": values([each.metres for each in times]),
    }
    return pa.table(columns).select(empty_trips().column_names).cast(empty_trips().schema)


def best_ground(grounds: Sequence[Ground], homes: Places) -> list[tuple[Ground, Places]]:
    """The homes of each ground: each is on the first that covers it."""
    left = np.ones(homes.table.num_rows, dtype=bool)
    found = []
    for ground in grounds:
        here = left & ground.network.covers(homes.lonlat)
        left &= ~here
        if here.any():
            found.append((ground, homes.take(np.flatnonzero(here))))
    return found
