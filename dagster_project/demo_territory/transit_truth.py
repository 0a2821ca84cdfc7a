"""True earliest arrivals of the fictitious network, by arithmetic on headways: no timetable is read, no search made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from dagster_project.demo_territory.streets import Node
from dagster_project.demo_territory.transit import BACK, BUS, FORWARD, TRAM, Line, Transit, at, clock, service_on
from dagster_project.demo_territory.truth import FOLDER
from dagster_project.demo_territory.writers import csv_bytes

COLUMNS = (
    *("cas", "date_service", "arret_depart", "arret_arrivee", "depart", "arrivee", "secondes", "correspondances"),
    "raisonnement",
)
LATE = "plus de départ ce jour"
CHANGE = 120  # seconds to change between stops of one name
TUESDAY, SATURDAY, SUNDAY, HOLIDAY = date(2012, 7, 10), date(2026, 3, 21), date(2026, 3, 22), date(2026, 7, 14)


def file(transit: Transit) -> dict[str, bytes]:
    """tc_arrivees.csv: earliest arrivals from one name of stop to another.

    A trip starts at any stop of the first name, at `depart` or later, without walking; a change takes 120 s and is made
    at the one name that bus and tram share. `arrivee` may pass 24:00:00, and is empty when no trip arrives any more.
    """
    rows = []
    for rank, (day, start, end, leave) in enumerate(_cases(transit), start=1):
        arrive, changes, why = earliest(transit, day, start, end, leave)
        shown = ["", "", "", LATE] if arrive is None else [clock(arrive), str(arrive - leave), str(changes), why]
        names = [transit.stop_name(node) for node in (start, end)]
        rows.append([f"tc-{rank:02d}", day.isoformat(), *names, clock(leave), *shown])
    return {f"{FOLDER}/tc_arrivees.csv": csv_bytes(COLUMNS, rows, separator=",", line_end="\n")}


def earliest(transit: Transit, day: date, start: Node, end: Node, leave: int) -> tuple[int | None, int, str]:
    """Arrival, number of changes, and how: a line that serves both stops, or bus and tram through the centre."""
    service, centre = service_on(day), transit.city.centre
    direct = _best(transit.lines, service, start, end, leave)
    if direct is not None:
        return direct, 0, "ligne directe"
    buses = [line for line in transit.lines if line.kind == BUS]
    trams = [line for line in transit.lines if line.kind == TRAM]
    first, second = (buses, trams) if any(start in line.stops for line in buses) else (trams, buses)
    middle = _best(first, service, start, centre, leave)
    last = None if middle is None else _best(second, service, centre, end, middle + CHANGE)
    return last, 1, "correspondance au centre en 120 s"


def _best(lines: list[Line] | tuple[Line, ...], service: str, start: Node, end: Node, leave: int) -> int | None:
    found = (ride(line, service, start, end, leave) for line in lines if {start, end} <= set(line.stops))
    return min((time for time in found if time is not None), default=None)


def ride(line: Line, service: str, start: Node, end: Node, leave: int) -> int | None:
    """Arrival by the next departure of a line: the first multiple of the headway that is not missed, in each band."""
    direction = FORWARD if line.stops.index(start) < line.stops.index(end) else BACK
    order = line.order(direction)
    before, after = (order.index(node) * line.hop for node in (start, end))
    for first, close, headway in line.bands[service]:
        wanted = leave - before - line.shift
        waited = max(0, -((first - wanted) // headway)) if wanted > first else 0
        departure = first + waited * headway
        if departure < close:
            return line.shift + departure + after
    return None


def _cases(transit: Transit) -> Iterator[tuple[date, Node, Node, int]]:
    one, two, tram = transit.lines
    centre = transit.city.centre
    far, near, west, east = one.stops[0], one.stops[-1], tram.stops[0], tram.stops[-1]
    for leave in ("07:00", "07:01", "07:29", "08:59", "12:03", "17:44"):
        yield TUESDAY, far, near, at(leave)
        yield TUESDAY, far, east, at(leave)
        yield TUESDAY, west, near, at(leave)
    for leave in ("07:00", "07:04", "08:12", "16:30", "18:59"):
        yield TUESDAY, two.stops[0], two.stops[-1], at(leave)
        yield TUESDAY, two.stops[-1], west, at(leave)
    yield TUESDAY, centre, near, at("00:00")  # waits for the first bus of the day
    yield TUESDAY, far, near, at("24:10")  # a night bus that leaves after midnight
    yield TUESDAY, far, east, at("23:20")  # a change before the last trams
    yield TUESDAY, far, near, at("26:00")  # too late
    yield TUESDAY, east, west, at("24:20")
    for day in (SATURDAY, SUNDAY, HOLIDAY):
        yield day, far, near, at("08:01")
        yield day, far, west, at("08:01")
        yield day, two.stops[0], two.stops[-1], at("19:30")
