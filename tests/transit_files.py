"""Small GTFS feeds for tests, written as files or zips."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np

from dagster_project.routing.links import Links
from dagster_project.routing.transit.timetable import Timetable

DAY = date(2024, 5, 14)  # a Tuesday
# Two bus lines and a tram: 1 from A to C by B, 2 from B to D, T from E to F, E being near C.
TABLES = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nR,Réseau,https://exemple.fr,Europe/Paris\n",
    "stops.txt": (
        "stop_id,stop_name,stop_lat,stop_lon\n"
        "A,Alma,48.10,-1.70\nB,Bréquigny,48.10,-1.68\nC,Clunay,48.10,-1.66\n"
        "D,Dalle,48.12,-1.68\nE,Europe,48.1005,-1.6595\nF,Fontaine,48.12,-1.64\n"
    ),
    "routes.txt": "route_id,route_short_name,route_type\n1,1,3\n2,2,3\nT,T,0\n",
    "trips.txt": "route_id,service_id,trip_id\n1,S,1a\n1,S,1b\n2,S,2a\n2,S,2b\nT,S,Ta\nT,S,Tb\n",
    "stop_times.txt": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "1a,07:00:00,07:00:00,A,1\n1a,07:10:00,07:11:00,B,2\n1a,07:20:00,07:20:00,C,3\n"
        "1b,07:30:00,07:30:00,A,1\n1b,07:40:00,07:41:00,B,2\n1b,07:50:00,07:50:00,C,3\n"
        "2a,07:10:00,07:10:00,B,1\n2a,07:25:00,07:25:00,D,2\n"
        "2b,07:45:00,07:45:00,B,1\n2b,08:00:00,08:00:00,D,2\n"
        "Ta,07:21:00,07:21:00,E,1\nTa,07:31:00,07:31:00,F,2\n"
        "Tb,07:26:00,07:26:00,E,1\nTb,07:36:00,07:36:00,F,2\n"
    ),
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "S,1,1,1,1,1,1,1,20240501,20240531\n"
    ),
}


def changed(**tables: str | None) -> dict[str, str]:
    """The small network with some tables replaced, or taken out (None). `stop_times` stands for stop_times.txt."""
    named = {f"{name}.txt": text for name, text in tables.items()}
    return {name: text for name, text in {**TABLES, **named}.items() if text is not None}


def loose(folder: Path, tables: Mapping[str, str | bytes]) -> list[tuple[str, Path]]:
    """The tables as files."""
    found = []
    for name, text in tables.items():
        path = folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        found.append((name, path))
    return found


def zipped(path: Path, tables: Mapping[str, str | bytes], under: str = "") -> Path:
    """The tables as a zip, in a folder of it if asked."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in tables.items():
            archive.writestr(f"{under}{name}", text)
    return path


def timetable_of(trips, stops: int) -> Timetable:
    """A timetable of the oracle's trips."""
    rows = sorted(
        (one.departure, two.arrival, number, place, one.stop, two.stop, one.boarding, two.alighting)
        for number, calls in enumerate(trips)
        for place, (one, two) in enumerate(pairwise(calls))
    )
    columns = [np.array(column) for column in zip(*rows, strict=True)] if rows else [np.zeros(0)] * 8
    departure, arrival, trip, _, from_stop, to_stop = (column.astype(np.int32) for column in columns[:6])
    boarding, alighting = (column.astype(bool) for column in columns[6:])
    for column in (departure, arrival, from_stop, to_stop, trip, boarding, alighting):
        column.flags.writeable = False  # as those of a real one: code is compiled once
    names = np.array([f"x:{stop}" for stop in range(stops)])
    return Timetable(
        day=DAY,
        feeds=("x",),
        stop_ids=names,
        stop_names=names,
        stop_lon=np.zeros(stops),
        stop_lat=np.zeros(stops),
        trip_ids=np.array([f"x:{trip}" for trip in range(len(trips))]),
        trip_days=np.zeros(len(trips), np.int8),
        departure=departure,
        arrival=arrival,
        from_stop=from_stop,
        to_stop=to_stop,
        trip=trip,
        boarding=boarding,
        alighting=alighting,
    )


def links_of(walks, stops: int) -> Links:
    """The oracle's walks as links."""
    rows = [(one, two, seconds) for one, there in walks.items() for two, seconds in there]
    return Links.from_pairs(stops, *(zip(*rows, strict=True) if rows else ([], [], [])))
