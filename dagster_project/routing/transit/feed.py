"""One GTFS feed: read from its text files, judged, and kept as arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.routing.transit import stop_times as times
from dagster_project.routing.transit.calendar import Calendar, read_calendar
from dagster_project.routing.transit.gtfs_files import ROW, Files, open_feed, read_table
from dagster_project.routing.transit.problems import FeedProblem, FeedRefused, FeedReport
from dagster_project.routing.transit.stop_times import StopTimes, clock_seconds, parsed, positions, whole_number

__all__ = ["Feed", "FeedProblem", "FeedRefused", "FeedReport", "Frequencies", "read_feed"]

MAX_MISSING_SHARE = 0.05
_ORDINARY_STOP = "0"  # location_type, also when empty
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Frequencies:
    """Trips that run at intervals: positions of trips, first and last (excluded) departure, headway, in seconds."""

    trip: Ints
    start: Ints
    end: Ints
    headway: Ints


@dataclass(frozen=True)
class Feed:
    """What one feed says, without the trips set aside.

    Attributes:
        name: what it is called in messages and in front of its identifiers.
        stop_ids, stop_names, stop_lon, stop_lat: one per place where vehicles stop (WGS84; NaN when not given).
        trip_ids, trip_service, trip_route_type: one per trip; positions in the services of the calendar; GTFS type of
            the route, -1 when unknown.
        stop_times: of each trip.
        frequencies: trips that run at intervals instead.
        calendar: days of each service.
        report: what was wrong.
    """

    name: str
    stop_ids: npt.NDArray[np.str_]
    stop_names: npt.NDArray[np.str_]
    stop_lon: npt.NDArray[np.float64]
    stop_lat: npt.NDArray[np.float64]
    trip_ids: npt.NDArray[np.str_]
    trip_service: Ints
    trip_route_type: Ints
    stop_times: StopTimes
    frequencies: Frequencies
    calendar: Calendar
    report: FeedReport


def read_feed(
    source: Path | Sequence[tuple[str, Path]], name: str | None = None, *, max_missing_share: float = MAX_MISSING_SHARE
) -> Feed:
    """Read a feed and judge it.

    Args:
        source: a zip, or (member name, path) of its text files.
        name: what to call the feed; by default the name of the zip without its suffix, else "gtfs".
        max_missing_share: largest share of trips that may have no stop time at all.

    Raises:
        FeedRefused: files missing or unreadable, empty calendars, truncated stop times, or no trip that can be used.
    """
    called = name or (source.stem if isinstance(source, Path) else "gtfs")
    report = FeedReport(called)
    files = open_feed(source, called)
    _refuse_missing(files, called)
    calendar = read_calendar(files, report)
    table = _table(files, times.FILE, times.REQUIRED, times.OPTIONAL, report)
    stops = _read_stops(files, table["stop_id"], report)
    route_type = _read_routes(files, report)
    trips = _unique(
        _table(files, "trips.txt", ("route_id", "service_id", "trip_id"), (), report), "trip_id", "trips.txt", report
    )
    trip_ids = trips["trip_id"].combine_chunks()
    service = positions(trips["service_id"].combine_chunks(), pa.array(calendar.service_ids))
    aside = service < 0
    _note(
        report,
        "service_inconnu",
        aside,
        trips,
        "trips.txt",
        "service_id",
        "courses d’un service sans calendrier : mises de côté",
    )
    kinds = [route_type.get(route, -1) for route in trips["route_id"].to_pylist()]
    kind = np.array(kinds, np.int32)
    _note(
        report,
        "ligne_inconnue",
        kind < 0,
        trips,
        "trips.txt",
        "route_id",
        "courses d’une ligne sans type de transport connu : gardées",
    )
    stop_ids = stops["stop_id"].combine_chunks()
    found = times.read_stop_times(table, trip_ids, stop_ids, aside, report, max_missing_share)
    if aside.all():
        raise FeedRefused(
            f"{called} : aucune course utilisable dans trips.txt et {times.FILE} ; voir le rapport du réseau"
        )
    frequencies = _read_frequencies(files, trip_ids, report)
    return _kept(called, stops, trips, service, kind, found, aside, frequencies, calendar, report)


def _refuse_missing(files: Files, name: str) -> None:
    missing = [file for file in ("stops.txt", "routes.txt", "trips.txt", times.FILE) if file not in files]
    if not {"calendar.txt", "calendar_dates.txt"} & set(files):
        missing.append("calendar.txt ou calendar_dates.txt")
    if missing:
        raise FeedRefused(f"{name} : il manque {', '.join(missing)} ; demander au producteur un GTFS complet")


def _table(files: Files, file: str, required: Sequence[str], optional: Sequence[str], report: FeedReport) -> pa.Table:
    table = read_table(files, file, required, optional, report)
    if table is None or not table.num_rows:
        raise FeedRefused(f"{report.feed} : {file} n’a aucune ligne ; le télécharger de nouveau")
    return table


def _unique(table: pa.Table, column: str, file: str, report: FeedReport) -> pa.Table:
    """The first row of each identifier; the others are counted."""
    ids = table[column].to_numpy()
    first = np.zeros(len(ids), bool)
    first[np.unique(ids.astype(str), return_index=True)[1]] = True
    _note(
        report,
        "identifiant_double",
        ~first,
        table,
        file,
        column,
        f"identifiants ({column}) déjà vus : seule la première ligne est gardée",
    )
    return table.filter(pa.array(first))


def _read_stops(files: Files, served: pa.ChunkedArray, report: FeedReport) -> pa.Table:
    """Places where vehicles stop: stations and entrances are left out, unless vehicles stop there after all."""
    table = _table(files, "stops.txt", ("stop_id",), ("stop_name", "stop_lat", "stop_lon", "location_type"), report)
    table = _unique(table, "stop_id", "stops.txt", report)
    ordinary = pc.is_in(table["location_type"], value_set=pa.array(["", _ORDINARY_STOP]))
    return table.filter(pc.or_(ordinary, pc.is_in(table["stop_id"], value_set=served.unique())))


def _read_routes(files: Files, report: FeedReport) -> dict[str, int]:
    table = _table(files, "routes.txt", ("route_id",), ("route_type",), report)
    return dict(zip(table["route_id"].to_pylist(), map(whole_number, table["route_type"].to_pylist()), strict=True))


def _read_frequencies(files: Files, trip_ids: pa.Array, report: FeedReport) -> Frequencies:
    """Rows of frequencies.txt that can be used.

    With or without exact_times, vehicles leave at each headway from the start: without, it is what is expected.
    """
    table = read_table(files, "frequencies.txt", ("trip_id", "start_time", "end_time", "headway_secs"), (), report)
    if table is None or not table.num_rows:
        none = np.zeros(0, np.int32)
        return Frequencies(none, none, none, none)
    trip = positions(table["trip_id"].combine_chunks(), trip_ids)
    start, end = (parsed(table[column].combine_chunks(), clock_seconds) for column in ("start_time", "end_time"))
    headway = parsed(table["headway_secs"].combine_chunks(), whole_number)
    wrong = (start < 0) | (end < 0) | (headway <= 0)
    _note(
        report,
        "frequence_malformee",
        wrong,
        table,
        "frequencies.txt",
        "trip_id",
        "fréquences sans heures ou sans intervalle lisibles : écartées",
    )
    _note(
        report,
        "course_inconnue",
        trip < 0,
        table,
        "frequencies.txt",
        "trip_id",
        "fréquences d’une course absente de trips.txt : écartées",
    )
    # A wrong row stands as an empty interval: its trip has no timetable of its own to fall back on.
    end = np.where(wrong, start, end)
    known = trip >= 0
    return Frequencies(trip[known], start[known], end[known], np.maximum(headway, 1)[known])


def _kept(
    name: str,
    stops: pa.Table,
    trips: pa.Table,
    service: Ints,
    kind: Ints,
    found: StopTimes,
    aside: npt.NDArray[np.bool_],
    frequencies: Frequencies,
    calendar: Calendar,
    report: FeedReport,
) -> Feed:
    keep = ~aside
    place = np.where(keep, np.cumsum(keep) - 1, -1).astype(np.int32)
    runs = place[frequencies.trip] >= 0
    counts = np.diff(found.first)[keep]
    report.stops, report.trips = stops.num_rows, int(keep.sum())
    report.stop_times, report.trips_set_aside = len(found.stop), int(aside.sum())
    lon, lat = _coordinates(stops, report)
    return Feed(
        name=name,
        stop_ids=stops["stop_id"].to_numpy().astype(np.str_),
        stop_names=stops["stop_name"].to_numpy().astype(np.str_),
        stop_lon=lon,
        stop_lat=lat,
        trip_ids=trips["trip_id"].to_numpy().astype(np.str_)[keep],
        trip_service=service[keep],
        trip_route_type=kind[keep],
        stop_times=StopTimes(
            np.concatenate([[0], np.cumsum(counts)]),
            found.stop,
            found.arrival,
            found.departure,
            found.boarding,
            found.alighting,
        ),
        frequencies=Frequencies(
            place[frequencies.trip[runs]], frequencies.start[runs], frequencies.end[runs], frequencies.headway[runs]
        ),
        calendar=calendar,
        report=report,
    )


def _coordinates(stops: pa.Table, report: FeedReport) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    lon, lat = (np.array([_degrees(text) for text in stops[column].to_pylist()]) for column in ("stop_lon", "stop_lat"))
    # (0, 0) is what exporters write when they do not know
    nowhere = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90)) | ((lon == 0) & (lat == 0))  # noqa: PLR2004 - degrees
    message = "arrêts sans coordonnées lisibles : aucun chemin à pied ne les atteint"
    _note(report, "arret_sans_coordonnees", nowhere, stops, "stops.txt", "stop_id", message)
    return np.where(nowhere, math.nan, lon), np.where(nowhere, math.nan, lat)


def _degrees(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _note(
    report: FeedReport, code: str, where: npt.NDArray[np.bool_], table: pa.Table, file: str, column: str, message: str
) -> None:
    if where.any():
        first = int(np.flatnonzero(where)[0])
        row, example = table[ROW][first].as_py(), table[column][first].as_py()
        report.add(code, int(where.sum()), message, file=file, row=row, example=example)
