"""A second answer to transit questions, in plain Python: Dijkstra's search over time, one departure at a time.

It shares nothing with the program: trips are lists of calls, files are read with the csv module.
"""

from __future__ import annotations

import csv
import heapq
import io
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

Walks = Mapping[int, Sequence[tuple[int, int]]]
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Call:
    """A vehicle at a stop."""

    stop: int
    arrival: int
    departure: int
    boarding: bool = True
    alighting: bool = True


Trips = Sequence[Sequence[Call]]


class Network:
    """Trips, walks between stops and change times, to be searched from many origins."""

    def __init__(self, trips: Trips, walks: Walks, change: Mapping[int, int] | None = None) -> None:
        self.trips = trips
        self.walks = walks
        self.change = change or {}
        self.boardings: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for trip, calls in enumerate(trips):
            for at, call in enumerate(calls[:-1]):
                if call.boarding:
                    self.boardings[call.stop].append((call.departure, trip, at))
        for there in self.boardings.values():
            there.sort(reverse=True)

    def search(self, access: Sequence[tuple[int, int]], start: int) -> tuple[dict[int, int], dict[int, int]]:
        """Earliest arrival in a vehicle, and on foot, at each stop that can be reached."""
        settled: dict[tuple[str, int, int], int] = {}
        queue = [(start + seconds, "foot", stop, 0) for stop, seconds in access]
        heapq.heapify(queue)
        waiting = {stop: list(there) for stop, there in self.boardings.items()}
        while queue:
            time, *what = heapq.heappop(queue)
            state = tuple(what)
            if state in settled:
                continue
            settled[state] = time
            for after in self._after(time, *state, waiting):
                heapq.heappush(queue, after)
        by_vehicle = {stop: time for (kind, stop, _), time in settled.items() if kind == "vehicle"}
        return by_vehicle, {stop: time for (kind, stop, _), time in settled.items() if kind == "foot"}

    def _after(self, time, kind, place, at, waiting):
        if kind == "foot":
            yield time, "ready", place, 0
        elif kind == "vehicle":
            yield time + self.change.get(place, 0), "ready", place, 0
            yield from ((time + seconds, "foot", near, 0) for near, seconds in self.walks.get(place, ()))
        elif kind == "ready":
            # the first time a stop is ready is the best: every later vehicle can be had from it
            for departure, trip, position in waiting.pop(place, ()):
                if departure < time:
                    break
                yield departure, "aboard", trip, position
        else:
            call = self.trips[place][at + 1]
            if call.alighting:
                yield call.arrival, "vehicle", call.stop, 0
            if at + 2 < len(self.trips[place]):
                yield call.departure, "aboard", place, at + 1


def read_day(path: Path, day: date) -> tuple[list[str], list[list[Call]]]:
    """Stop identifiers and trips of one day of a zip, those of the day before that are still running included."""
    with zipfile.ZipFile(path) as archive:
        rows = {
            name: list(csv.DictReader(io.TextIOWrapper(archive.open(f"{name}.txt"), "utf-8-sig")))
            for name in ("stops", "trips", "stop_times", "calendar", "calendar_dates")
        }
    stops = [row["stop_id"] for row in rows["stops"]]
    place = {stop: number for number, stop in enumerate(stops)}
    times = defaultdict(list)
    for row in rows["stop_times"]:
        allowed = (row["pickup_type"] != "1", row["drop_off_type"] != "1")
        clock = (_clock(row["arrival_time"]), _clock(row["departure_time"]))
        times[row["trip_id"]].append((int(row["stop_sequence"]), place[row["stop_id"]], *clock, *allowed))
    found = []
    for before in (0, 1):
        services = _services(rows, day - timedelta(before))
        shift = 86_400 * before
        for row in rows["trips"]:
            if row["service_id"] in services:
                ordered = sorted(times[row["trip_id"]])
                moved = [Call(s, a - shift, d - shift, up, down) for _, s, a, d, up, down in ordered]
                calls = [call for call in moved if call.departure >= 0]
                if len(calls) > 1:
                    found.append(calls)
    return stops, found


def _services(rows, day):
    text = day.strftime("%Y%m%d")
    running = {
        row["service_id"]
        for row in rows["calendar"]
        if row["start_date"] <= text <= row["end_date"] and row[WEEK[day.weekday()]] == "1"
    }
    for row in rows["calendar_dates"]:
        if row["date"] == text:
            (running.add if row["exception_type"] == "1" else running.discard)(row["service_id"])
    return running


def _clock(text):
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)
