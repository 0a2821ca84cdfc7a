"""The GTFS feed of the fictitious city, with the members, columns and quirks of the network that it stands for."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence

import numpy as np

from dagster_project.demo_territory import city_names
from dagster_project.demo_territory.geometry import to_degrees
from dagster_project.demo_territory.transit import (
    BACK,
    BUS,
    FORWARD,
    HOLIDAYS,
    SATURDAY,
    SUNDAY,
    TRAM,
    VALID_FROM,
    VALID_TO,
    WEEK,
    Line,
    Transit,
    clock,
    service_on,
)
from dagster_project.demo_territory.writers import words

PATH = "gtfs/star-rennes-20120709/GTFS-20120618.zip"
COLUMNS = {
    "agency.txt": words("agency_id agency_name agency_url agency_timezone agency_phone agency_lang"),
    "calendar.txt": words("service_id monday tuesday wednesday thursday friday saturday sunday start_date end_date"),
    "calendar_dates.txt": words("service_id date exception_type"),
    "feed_info.txt": words(
        "feed_publisher_name feed_publisher_url feed_lang feed_start_date feed_end_date feed_version"
    ),
    "frequencies.txt": words("trip_id start_time end_time headway_secs exact_times"),
    "routes.txt": words(
        "route_id agency_id route_short_name route_long_name route_desc route_type route_url route_color "
        "route_text_color"
    ),
    "routes_extensions.txt": words("route_id route_accessible"),
    "stop_times.txt": words(
        "trip_id stop_id stop_sequence arrival_time departure_time stop_headsign pickup_type drop_off_type "
        "shape_dist_traveled"
    ),
    "stops.txt": words(
        "stop_id stop_code stop_name stop_desc stop_lat stop_lon zone_id stop_url location_type parent_station"
    ),
    "stops_extensions.txt": words("stop_id stop_accessible stop_bench stop_lighted stop_sheltered"),
    "trips.txt": words("trip_id service_id route_id trip_headsign direction_id block_id"),
}
KERB = 4.0  # metres from the middle of the crossing to a pole
DAYS = {WEEK: "1111100", SATURDAY: "0000010", SUNDAY: "0000001"}
URL = "https://demonstration.invalid"
COLORS = ("90C01B", "0083CD", "D6006D")

Rows = list[list[str]]


def file(transit: Transit) -> dict[str, bytes]:
    """The archive, by its path in the mirror."""
    tables: dict[str, Rows] = {
        "agency.txt": [["1", "RÉSEAU DE PORT-BRUMELLE (FICTIF)", URL, "Europe/Paris", "", "fr"]],
        "calendar.txt": [[name, *DAYS[name], *_dates()] for name in (WEEK, SATURDAY, SUNDAY)],
        "calendar_dates.txt": list(_exceptions()),
        "feed_info.txt": [["Demonstration", URL, "FR", *_dates(), "Réseau fictif : horaires d'été et d'hiver"]],
        "routes.txt": [list(_route(transit, line, rank)) for rank, line in enumerate(transit.lines)],
        "routes_extensions.txt": [[line.route, "1"] for line in transit.lines],
        "stops.txt": list(_stops(transit)),
        "stops_extensions.txt": [[pole, "1", "1", "1", "0"] for pole in transit.poles.values()],
        "trips.txt": [],
        "stop_times.txt": [],
        "frequencies.txt": [],
    }
    for number, (line, direction, service, start) in enumerate(_trips(transit), start=1):
        trip = str(number)
        ends = line.order(direction)
        headsign = f"{line.short} | {transit.stop_name(ends[-1])}"
        tables["trips.txt"].append([trip, service, line.route, headsign, str(direction), ""])
        tables["stop_times.txt"] += _calls(transit, line, direction, trip, start)
        if line.kind == TRAM:
            bands = ((first + line.shift, end + line.shift, headway) for first, end, headway in line.bands[service])
            for first, end, headway in bands:
                tables["frequencies.txt"].append([trip, clock(first), clock(end), str(headway), "1"])
    tables["stop_times.txt"].sort(key=lambda row: (row[0], row[1]))  # as texts: sequences are in no order, as published
    return {PATH: _archive({name: quoted(COLUMNS[name], rows) for name, rows in sorted(tables.items())})}


def quoted(columns: Sequence[str], rows: Rows) -> bytes:
    """A bare header, then every cell in quotes."""
    lines = [",".join(columns), *(",".join(f'"{cell}"' for cell in row) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode()


def _archive(members: dict[str, bytes]) -> bytes:
    # Stored, not deflated: compressed bytes depend on the machine's zlib, and the same seed must give the same bytes.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2012, 6, 18, 17, 24, 0)), content)
    return buffer.getvalue()


def _dates() -> tuple[str, str]:
    return VALID_FROM.strftime("%Y%m%d"), VALID_TO.strftime("%Y%m%d")


def _exceptions() -> Iterator[list[str]]:
    """A holiday has the service of Sundays, not that of its day of the week."""
    for day in HOLIDAYS:
        plain = (WEEK, WEEK, WEEK, WEEK, WEEK, SATURDAY, SUNDAY)[day.weekday()]
        if plain != service_on(day):
            yield [plain, day.strftime("%Y%m%d"), "2"]
            yield [service_on(day), day.strftime("%Y%m%d"), "1"]


def _route(transit: Transit, line: Line, rank: int) -> Iterator[str]:
    ends = " <> ".join(transit.stop_name(node) for node in (line.stops[0], line.stops[-1]))
    yield from (line.route, "1", line.short, ends, "Tramway" if line.kind == TRAM else "Majeure", str(line.kind), "")
    yield from (COLORS[rank], "FFFFFF")


def _stops(transit: Transit) -> Iterator[list[str]]:
    """Poles stand on either side of the crossing, those of the tram north and south of it."""
    keys = list(transit.poles)
    places = []
    for kind, direction, node in keys:
        x, y = transit.city.metres(node)
        away = KERB if direction == FORWARD else -KERB
        places.append((x + away, y) if kind == BUS else (x, y + away))
    for (key, pole), (lon, lat) in zip(
        transit.poles.items(), to_degrees([np.array(places)], 8)[0].tolist(), strict=True
    ):
        name = transit.stop_name(key[2])
        yield [pole, pole, name, city_names.CITY, f"{lat:.8f}", f"{lon:.8f}", "", "", "", ""]


def _trips(transit: Transit) -> Iterator[tuple[Line, int, str, int]]:
    """A bus trip per departure; one tram trip per service and direction, that frequencies repeat."""
    for line in transit.lines:
        for service in (WEEK, SATURDAY, SUNDAY):
            starts = line.departures(service) if line.kind == BUS else [line.departures(service)[0]]
            yield from ((line, direction, service, start) for direction in (FORWARD, BACK) for start in starts)


def _calls(transit: Transit, line: Line, direction: int, trip: str, start: int) -> Rows:
    found = []
    for rank, node in enumerate(line.order(direction)):
        time = clock(start + rank * line.hop)
        found.append([trip, transit.pole(line, direction, node), str(rank + 1), time, time, "", "0", "0", ""])
    return found
