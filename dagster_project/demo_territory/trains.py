"""Three feeds of trains: dates only, nights past 24:00, and one cut off in the middle, as the real ones are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from dagster_project.demo_territory.geometry import to_degrees
from dagster_project.demo_territory.ground import Ground
from dagster_project.demo_territory.streets import Network
from dagster_project.demo_territory.territory import Territory
from dagster_project.demo_territory.transit import MINUTE, at, clock, days
from dagster_project.demo_territory.writers import words

CALLS = "trip_id arrival_time departure_time stop_id stop_sequence stop_headsign pickup_type drop_off_type"
STOPS = "stop_id stop_name stop_desc stop_lat stop_lon zone_id stop_url location_type parent_station"
AGENCY = words("agency_id agency_name agency_url agency_timezone agency_lang")
DATES = words("service_id date exception_type")
CALENDAR = words("service_id monday tuesday wednesday thursday friday saturday sunday start_date end_date")
INFO = words(
    "feed_id feed_publisher_name feed_publisher_url feed_lang feed_start_date feed_end_date feed_version conv_rev "
    "plan_rev"
)
ROUTES = words(
    "route_id agency_id route_short_name route_long_name route_desc route_type route_url route_color route_text_color"
)
TRIPS = words("route_id service_id trip_id trip_headsign direction_id block_id shape_id")
TIMES = words(f"{CALLS} shape_dist_traveled")
TRANSFERS = words("from_stop_id to_stop_id transfer_type min_transfer_time")
ROUTE_TRANSFERS = (*TRANSFERS, "from_route_id", "to_route_id")
URL = "https://demonstration.invalid"
RAIL = "2"
SATURDAY = 5
REGIONAL = (date(2025, 9, 15), date(2025, 12, 13))
CUT = (date(2021, 12, 11), date(2022, 3, 12))
CUT_TRIPS, KEPT_TRIPS = 60, 7  # trips of the feed that is cut off, and those whose times it still has

Rows = list[list[str]]


@dataclass(frozen=True)
class Station:
    """Codes begin with 99: no railway of the UIC bears them."""

    code: str
    name: str
    lon: float
    lat: float


@dataclass(frozen=True)
class Feed:
    """Members by name: columns and rows; `dos` are those whose lines end as on Windows."""

    folder: str
    members: dict[str, tuple[Sequence[str], Rows]]
    dos: frozenset[str]

    def files(self) -> dict[str, bytes]:
        """Bytes by path in the mirror."""
        found = {}
        for name, (columns, rows) in self.members.items():
            end = "\r\n" if name in self.dos else "\n"
            lines = (",".join(row) for row in (columns, *rows))
            found[f"gtfs/{self.folder}/{name}.txt"] = (end.join(lines) + end).encode()
        return found


def files(territory: Territory, ground: Ground, city: Network, town: Network) -> dict[str, bytes]:
    """The three feeds."""
    stations = _stations(territory, ground, city, town)
    feeds = (_regional(stations[:3]), _night(stations), _cut(stations[:3]))
    return {path: content for feed in feeds for path, content in feed.files().items()}


def _stations(territory: Territory, ground: Ground, city: Network, town: Network) -> list[Station]:
    """Two stations on the streets, the others in the middle of their communes."""
    west, east = city.metres((city.centre[0] + 3, city.centre[1])), town.metres(town.centre)
    names = (city.name, "Montaubrac-sur-Lisse", town.name, "Fontvelaine", "Noirvau-le-Haut", "Castelombre")
    middles = [ground.tiles[territory.cell_of[name]].centroid for name in names]
    points = [(middle.x, middle.y) for middle in middles]
    points[0], points[2] = west, east

    degrees = to_degrees([np.array(points)], 7)[0].tolist()
    return [
        Station(f"990000{rank + 1}1", name, *place)
        for rank, (name, place) in enumerate(zip(names, degrees, strict=True))
    ]


def _stops(stations: Sequence[Station], kind: str, *, quote: bool = False, extra: int = 0) -> Rows:
    """Each station twice: the area, and the point of a kind of train in it."""
    found = []
    for station in stations:
        name = f'"gare de {station.name}"' if quote else station.name
        place = [name, "", f"{station.lat:.7f}", f"{station.lon:.7f}", "", ""]
        area = f"StopArea:OCE{station.code}"
        found.append([area, *place, "1", "", *([""] * extra)])
        found.append([f"StopPoint:OCE{kind}-{station.code}", *place, "0", area, *([""] * extra)])
    return found


def _calls(
    trip: str, kind: str, stations: Sequence[Station], times: Sequence[tuple[int, int]], blank: str = ""
) -> Rows:
    last = len(stations) - 1
    found = []
    for rank, (station, (arrive, leave)) in enumerate(zip(stations, times, strict=True)):
        closed = [
            "1" if rank == last else "0",
            "1" if rank == 0 else "0",
        ]  # to boarding at the end, to alighting at first
        point = f"StopPoint:OCE{kind}-{station.code}"
        found.append([trip, clock(arrive), clock(leave), point, str(rank), blank, *closed, ""])
    return found


def _regional(stations: Sequence[Station]) -> Feed:
    """One line between the two networks of streets, hourly both ways; its days are listed one by one."""
    kind, route = "TER Brume", "FR:Line::DEMONSTRATION-0001:"
    dates: Rows = []
    trips: Rows = []
    times: Rows = []
    for day in days(*REGIONAL):
        if day.weekday() <= SATURDAY:
            service = "000001" if day.weekday() < SATURDAY else "000002"
            dates.append([service, day.strftime("%Y%m%d"), "1"])
    for rank, hour in enumerate(range(6, 22)):
        for direction, order in enumerate((stations, stations[::-1])):
            start = hour * 60 * MINUTE + 10 * MINUTE
            services = ("000001",) if hour % 2 else ("000001", "000002")
            for service in services:
                number = str(99_000 + 100 * int(service) + 2 * rank + direction)
                trip = f"OCESN{number}F:2025-07-18T00:00:00Z"
                trips.append([route, service, trip, number, str(direction), str(len(trips) + 1), ""])
                stops = [(start, start), (start + 12 * MINUTE, start + 14 * MINUTE), (start + 25 * MINUTE,) * 2]
                times += _calls(trip, kind, order, stops)
    ends = [day.strftime("%Y%m%d") for day in REGIONAL]
    members: dict[str, tuple[Sequence[str], Rows]] = {
        "agency": (AGENCY, [["9901", "TRAINS FICTIFS", URL, "Europe/Paris", "fr"]]),
        "calendar_dates": (DATES, sorted(dates)),
        "feed_info": (INFO, [["0", "TRAINS FICTIFS", URL, "fr", *ends, "2025-07-18", "1.0", "0"]]),
        "routes": (ROUTES, [[route, "9901", "B1", f"{stations[0].name} - {stations[-1].name}", "", RAIL, "", "", ""]]),
        "stop_times": (TIMES, times),
        "stops": (words(STOPS), _stops(stations, kind)),
        "transfers": (ROUTE_TRANSFERS, []),
        "trips": (TRIPS, trips),
    }
    return Feed("sncf-tgv-2025", members, frozenset())


def _night(stations: Sequence[Station]) -> Feed:
    """A train of December 2013 that arrives on the third day, and a short one by day."""
    kind, route = "Corail Fictif", f"OCECorail Fictif-{stations[0].code}-{stations[-1].code}"
    night = [("21:34", "21:34"), ("21:52", "21:54"), ("22:20", "36:32"), ("37:08", "37:11"), ("39:40", "39:44")]
    times = [(at(arrive), at(leave)) for arrive, leave in (*night, ("41:18", "41:18"))]
    day = [(time - at("12:00"), leave - at("12:00")) for time, leave in times[:3]]
    day[-1] = (day[-1][0], day[-1][0])
    runs = (("9901", "OCESN009901F0100100001", stations, times), ("9902", "OCESN009902F0100100002", stations[:3], day))
    trips = [[route, service, trip, f'"{service}"', "1", "", ""] for service, trip, *_ in runs]
    calls = [row for _, trip, order, stops in runs for row in _calls(trip, kind, order, stops, '""')]
    name = f'"{stations[0].name} - {stations[-1].name}"'
    members: dict[str, tuple[Sequence[str], Rows]] = {
        "agency": (AGENCY, [["OCESN", '"TRAINS FICTIFS"', URL, "Europe/Paris", "fr"]]),
        "calendar": (
            CALENDAR,
            [
                ["9901", *"1111111", "20131201", "20140208"],
                ["9902", *"1111100", "20131201", "20140208"],
            ],
        ),
        "calendar_dates": (DATES, [["9901", "20131224", "2"], ["9901", "20131225", "2"], ["9902", "20131225", "2"]]),
        "routes": (ROUTES, [[route, "OCESN", '""', name, "", RAIL, "", "", ""]]),
        "stop_times": (TIMES, calls),
        "stops": (words(STOPS), _stops(stations, kind, quote=True)),
        "transfers": (TRANSFERS, []),
        "trips": (TRIPS, trips),
    }
    return Feed("sncf-intercites-2013", members, frozenset(members))


def _cut(stations: Sequence[Station]) -> Feed:
    """Most trips lost their times: the feed must be refused."""
    kind, route = "Train Fictif", "OCESN-9901"
    trips: Rows = []
    times: Rows = []
    dates: Rows = []
    for rank in range(CUT_TRIPS):
        service, number = f"{rank + 1:06d}", str(99_500 + rank)
        trip = f"OCESN{number}F:2021-12-11T20:46:47Z"
        trips.append([route, service, trip, number, str(rank % 2), str(rank + 1), ""])
        dates += [[service, day.strftime("%Y%m%d"), "1"] for day in days(*CUT) if day.weekday() == rank % 7]
        start = at("05:00") + rank * 15 * MINUTE
        stops = [(start + leg * 14 * MINUTE,) * 2 for leg in range(len(stations))]
        if rank < KEPT_TRIPS:
            times += _calls(trip, kind, stations if rank % 2 == 0 else stations[::-1], stops)
    ends = [day.strftime("%Y%m%d") for day in CUT]
    points = [f"StopPoint:OCE{kind}-{station.code}" for station in stations]
    members: dict[str, tuple[Sequence[str], Rows]] = {
        "agency": (AGENCY, [[name, "TRAINS FICTIFS", URL, "Europe/Paris", "fr"] for name in ("OCEdefault", "OCESN")]),
        "calendar_dates": (DATES, dates),
        "feed_info": (INFO, [["0", "TRAINS FICTIFS", URL, "fr", *ends, "2021-12-11", "1.0", ""]]),
        "routes": (ROUTES, [[route, "OCESN", "B1", f"{stations[0].name} - {stations[-1].name}", "", RAIL, "", "", ""]]),
        "stop_times": (TIMES, times[:-1]),
        "stops": (words(f"{STOPS} stop_timezone_header"), _stops(stations, kind, extra=1)),
        "transfers": (ROUTE_TRANSFERS, [[point, point, "2", "300", "", ""] for point in points]),
        "trips": (TRIPS, trips),
    }
    return Feed("sncf-ter-2021-tronque", members, frozenset({"stop_times"}))
