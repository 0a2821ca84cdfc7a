"""Public transport of the fictitious city: two bus lines and a tram, whose timetables are headways and round runs.

All lines follow the streets. The avenue, which has the only bridge, is everybody's way: a run goes along a row to the
avenue, along it, then along another row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from dagster_project.demo_territory import city_names
from dagster_project.demo_territory.streets import Network, Node

MINUTE, HOUR = 60, 3_600
BUS, TRAM = 3, 0  # GTFS route_type
WEEK, SATURDAY, SUNDAY = "1", "2", "3"  # service_id
VALID_FROM, VALID_TO = date(2012, 1, 1), date(2027, 12, 31)
HOLIDAYS = tuple(date(year, month, day) for year in (2012, 2025, 2026) for month, day in ((7, 14), (8, 15), (12, 25)))
FORWARD, BACK = 0, 1  # GTFS direction_id

Band = tuple[int, int, int]  # first departure, end (excluded), headway: seconds after midnight


def at(text: str) -> int:
    """Seconds after midnight of « HH:MM »; hours may pass 24."""
    hours, minutes = text.split(":")
    return int(hours) * HOUR + int(minutes) * MINUTE


def _bands(*texts: str) -> tuple[Band, ...]:
    return tuple((at(first), at(end), int(headway) * MINUTE) for first, end, headway in map(str.split, texts))


BUS_BANDS = {
    WEEK: _bands(
        *("05:30 07:00 20", "07:00 09:30 10", "09:30 16:30 20", "16:30 19:00 10", "19:00 22:00 30", "22:00 25:30 60")
    ),
    SATURDAY: _bands("06:00 21:00 30", "21:00 26:00 60"),
    SUNDAY: _bands("08:00 20:00 60"),
}
TRAM_BANDS = {
    WEEK: _bands("05:00 21:00 6", "21:00 24:30 15"),
    SATURDAY: _bands("06:00 24:30 10"),
    SUNDAY: _bands("07:00 23:00 15"),
}


@dataclass(frozen=True)
class Line:
    """A line: its stops in the order of direction 0, `hop` seconds apart; direction 1 is the same reversed.

    The first departures of direction 0 and 1 are those of the bands, `shift` seconds later.
    """

    route: str
    short: str
    kind: int
    stops: tuple[Node, ...]
    hop: int
    bands: dict[str, tuple[Band, ...]]
    shift: int = 0

    def order(self, direction: int) -> tuple[Node, ...]:
        """Stops as a direction meets them."""
        return self.stops if direction == FORWARD else self.stops[::-1]

    def departures(self, service: str) -> list[int]:
        """Departures from the first stop, either direction."""
        return [self.shift + t for first, end, headway in self.bands[service] for t in range(first, end, headway)]


@dataclass(frozen=True)
class Transit:
    """The lines, and the names of their stops."""

    city: Network
    lines: tuple[Line, ...]

    def stop_name(self, node: Node) -> str:
        """One name per crossing, shared by the stops of all lines and directions there."""
        if node == self.city.centre:
            return "Place du Grand Phare"
        if node[0] == self.city.centre[0]:
            return f"Grand Phare {city_names.STREETS[node[1]]}"
        column, row = (city_names.STREETS[rank].split(" ", 1)[-1] for rank in node)
        return f"{column} / {row}"

    @cached_property
    def poles(self) -> dict[tuple[int, int, Node], str]:
        """stop_id by (route_type, direction, node): buses of one direction share a pole."""
        keys = sorted(
            {(line.kind, side, node) for line in self.lines for side in (FORWARD, BACK) for node in line.stops}
        )
        return {key: str(1001 + rank) for rank, key in enumerate(keys)}

    def pole(self, line: Line, direction: int, node: Node) -> str:
        return self.poles[line.kind, direction, node]


def build_transit(city: Network, estate: Node, suburb: Node) -> Transit:
    """Line 1 along the avenue; line 2 between a QPV and the estate; the tram along the boulevard.

    Args:
        city: the streets.
        estate: one end of line 2.
        suburb: the other end, beyond the boulevard, so that line 2 meets the tram.
    """
    south, north = sorted((estate, suburb), key=lambda node: node[1])
    column, row = city.centre
    avenue = tuple((column, stop) for stop in _through(row, 2, city.rows))
    boulevard = tuple((stop, row) for stop in _through(column, 3, city.columns))
    lines = (
        Line("0001", "1", BUS, avenue, 2 * MINUTE, BUS_BANDS),
        Line("0002", "2", BUS, _every_other(run(city, south, north), city.centre), 2 * MINUTE, BUS_BANDS, 5 * MINUTE),
        Line("00T1", "T", TRAM, boulevard, 2 * MINUTE, TRAM_BANDS, 1 * MINUTE),
    )
    return Transit(city, lines)


def run(city: Network, start: Node, end: Node) -> list[Node]:
    """Every crossing from one node to another, by the avenue."""
    column = city.centre[0]
    corners = [start, (column, start[1]), (column, end[1]), end]
    found = [start]
    for target in corners[1:]:
        while found[-1] != target:
            here = found[-1]
            found.append(tuple(a + (b > a) - (b < a) for a, b in zip(here, target, strict=True)))  # type: ignore[arg-type]
    return found


def _through(middle: int, step: int, count: int) -> range:
    """Every `step` nodes, so that the middle is one of them."""
    return range(middle % step, count, step)


def _every_other(nodes: list[Node], kept: Node) -> tuple[Node, ...]:
    """Every second crossing, `kept` among them, so that both bus lines stop at the same crossings of the avenue."""
    return tuple(nodes[nodes.index(kept) % 2 :: 2])


def days(start: date, end: date) -> list[date]:
    """Every day of a period, both ends included."""
    return [start + timedelta(rank) for rank in range((end - start).days + 1)]


def service_on(day: date) -> str:
    """The city's service of a day: holidays run as Sundays."""
    if day in HOLIDAYS or day.weekday() == 6:  # noqa: PLR2004 - Sunday
        return SUNDAY
    return SATURDAY if day.weekday() == 5 else WEEK  # noqa: PLR2004


def clock(seconds: int) -> str:
    """HH:MM:SS, hours past 24 included."""
    return f"{seconds // HOUR:02d}:{seconds // MINUTE % 60:02d}:{seconds % MINUTE:02d}"
