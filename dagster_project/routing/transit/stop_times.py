"""Stop times of a feed: parsed, sorted, completed, and every trip that cannot be trusted set aside and counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.routing.transit.gtfs_files import ROW
from dagster_project.routing.transit.problems import FeedRefused, FeedReport, thousands

FILE = "stop_times.txt"
REQUIRED = ("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence")
OPTIONAL = ("pickup_type", "drop_off_type")
ABSENT = -1
MALFORMED = -2
_TIME = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)")
_LAST_HOUR = 24 * 7  # a trip lasts less than a week
_NONE = "1"  # pickup_type and drop_off_type: no service at this stop

Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class StopTimes:
    """Stop times sorted by trip, then by sequence; those of trip t are rows `first[t]` to `first[t + 1]`.

    Attributes:
        first: as many as trips, and one more.
        stop: positions in the stops of the feed.
        arrival, departure: seconds, never decreasing within a trip.
        boarding, alighting: whether passengers may.
    """

    first: npt.NDArray[np.int64]
    stop: Ints
    arrival: Ints
    departure: Ints
    boarding: Flags
    alighting: Flags


def clock_seconds(text: str) -> int:
    """Seconds of "H:MM:SS", which may pass 24:00:00; ABSENT when empty, MALFORMED when not a time."""
    if not text:
        return ABSENT
    found = _TIME.fullmatch(text)
    if found is None or int(found[1]) >= _LAST_HOUR:
        return MALFORMED
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])


def whole_number(text: str) -> int:
    """A number of digits alone; MALFORMED when it is not."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else MALFORMED  # noqa: PLR2004 - int32


def parsed(column: pa.Array, parse: Callable[[str], int]) -> Ints:
    """Each cell parsed, at the cost of the distinct ones."""
    coded = column.dictionary_encode()
    values = np.array([parse(text) for text in coded.dictionary.to_pylist()], np.int32)
    return values[coded.indices.to_numpy()] if len(values) else np.zeros(0, np.int32)


def positions(column: pa.Array, ids: pa.Array) -> Ints:
    """Position of each cell among ids, -1 when it is not there."""
    found: Ints = pc.fill_null(pc.index_in(column, value_set=ids), -1).to_numpy(zero_copy_only=False)
    return found


def read_stop_times(
    table: pa.Table, trip_ids: pa.Array, stop_ids: pa.Array, aside: Flags, report: FeedReport, max_missing_share: float
) -> StopTimes:
    """Stop times of the trips that can be trusted; the others have none, and are marked in `aside`.

    Args:
        table: `REQUIRED`, `OPTIONAL` and `ROW` columns of stop_times.txt, as text.
        trip_ids: identifiers of trips, unique.
        stop_ids: identifiers of stops, unique.
        aside: trips already set aside; completed in place.
        report: where problems are noted.
        max_missing_share: largest share of trips that may have no stop time.

    Raises:
        FeedRefused: more trips than that have none: the file is truncated.
    """
    trip = positions(table["trip_id"].combine_chunks(), trip_ids)
    judge = _Judge(table, trip, trip_ids, aside, report)
    judge.strangers()
    _refuse_truncated(np.bincount(trip[trip >= 0], minlength=len(trip_ids)) == 0, aside, report, max_missing_share)

    stop = positions(table["stop_id"].combine_chunks(), stop_ids)
    sequence = parsed(table["stop_sequence"].combine_chunks(), whole_number)
    arrival = parsed(table["arrival_time"].combine_chunks(), clock_seconds)
    departure = parsed(table["departure_time"].combine_chunks(), clock_seconds)
    judge.set_aside("arret_inconnu", stop < 0, "courses qui desservent un arrêt absent de stops.txt")
    judge.set_aside("rang_malforme", sequence < 0, "courses dont un rang (stop_sequence) n’est pas un nombre entier")
    judge.set_aside(
        "heure_malformee",
        (arrival == MALFORMED) | (departure == MALFORMED),
        "courses dont une heure n’est pas de la forme HH:MM:SS",
    )
    usable = np.flatnonzero((trip >= 0) & ~aside[trip])
    by_trip = usable[np.argsort(trip[usable], kind="stable")]
    judge.unsorted(by_trip, sequence)
    order = by_trip[np.lexsort((sequence[by_trip], trip[by_trip]))]
    row = _Sorted(order, trip[order])
    judge.set_aside(
        "rang_double",
        row.marks(row.follows & (np.diff(sequence[order], prepend=-1) == 0)),
        "courses dont un rang est double",
    )
    arrival, departure = _completed(arrival[order], departure[order])
    judge.set_aside(
        "extremite_sans_heure",
        row.marks((arrival == ABSENT) & (row.is_first | row.is_last)),
        "courses sans heure à leur premier ou à leur dernier arrêt",
    )
    kept = ~aside[row.trip]
    row, arrival, departure = _Sorted(order[kept], row.trip[kept]), arrival[kept], departure[kept]
    judge.count(
        "heure_interpolee",
        row.marks(arrival == ABSENT),
        "horaires sans heure : interpolés entre les arrêts voisins, à pas égal par arrêt",
    )
    arrival, departure = _interpolated(arrival, departure)
    back = (departure < arrival) | (row.follows & (np.concatenate([[0], departure[:-1]]) > arrival))
    judge.set_aside("heures_decroissantes", row.marks(back), "courses dont les heures reculent d’un arrêt au suivant")
    judge.set_aside("arret_unique", row.marks(row.is_first & row.is_last), "courses d’un seul arrêt")

    kept = ~aside[row.trip]
    order = row.order[kept]
    counts = np.bincount(row.trip[kept], minlength=len(trip_ids))
    return StopTimes(
        first=np.concatenate([[0], np.cumsum(counts)]),
        stop=stop[order],
        arrival=arrival[kept],
        departure=departure[kept],
        boarding=_allowed(table["pickup_type"], order),
        alighting=_allowed(table["drop_off_type"], order),
    )


def _allowed(column: pa.ChunkedArray, order: npt.NDArray[np.int64]) -> Flags:
    allowed: Flags = pc.not_equal(column, _NONE).to_numpy()
    return allowed[order]


def _refuse_truncated(missing: Flags, aside: Flags, report: FeedReport, max_missing_share: float) -> None:
    count, trips = int(missing.sum()), len(missing)
    if count > max_missing_share * trips:
        raise FeedRefused(
            f"{report.feed} : horaires tronqués : {thousands(count)} courses sur {thousands(trips)} sans horaire dans "
            f"{FILE} (au plus {max_missing_share * 100:g}\u202f% acceptées) ; télécharger de nouveau le fichier complet"
        )
    aside |= missing
    report.add("course_sans_horaire", count, "courses sans aucun horaire : mises de côté", file=FILE)


def _completed(arrival: Ints, departure: Ints) -> tuple[Ints, Ints]:
    """When one of the two times of a stop is missing, it is the other."""
    return np.where(arrival == ABSENT, departure, arrival), np.where(departure == ABSENT, arrival, departure)


def _interpolated(arrival: Ints, departure: Ints) -> tuple[Ints, Ints]:
    """Times of stops without any, at equal steps between timed neighbours (both ends of every trip are timed)."""
    here = np.arange(len(arrival))
    timed = arrival != ABSENT
    if timed.all():
        return arrival, departure
    before = np.maximum.accumulate(np.where(timed, here, 0))
    after = np.minimum.accumulate(np.where(timed, here, len(here) - 1)[::-1])[::-1]
    span = arrival[after].astype(np.int64) - departure[before]
    between = (departure[before] + span * (here - before) // np.maximum(after - before, 1)).astype(np.int32)
    return np.where(timed, arrival, between), np.where(timed, departure, between)


class _Sorted:
    """Rows in order of trip and sequence, and where trips begin and end among them."""

    def __init__(self, order: npt.NDArray[np.int64], trip: Ints) -> None:
        self.order = order
        self.trip = trip
        change = trip[1:] != trip[:-1]
        edge = np.ones(min(1, len(trip)), bool)
        self.is_first = np.concatenate([edge, change])
        self.is_last = np.concatenate([change, edge])
        self.follows = ~self.is_first

    def marks(self, mask: Flags) -> npt.NDArray[np.int64]:
        """The file's rows that a mask over sorted rows designates."""
        return self.order[mask]


class _Judge:
    """Notes problems of rows, and sets aside the trips that have them."""

    def __init__(self, table: pa.Table, trip: Ints, trip_ids: pa.Array, aside: Flags, report: FeedReport) -> None:
        self.number = table[ROW]
        self.named = table["trip_id"]
        self.trip = trip
        self.trip_ids = trip_ids
        self.aside = aside
        self.report = report

    def strangers(self) -> None:
        """Rows of trips that trips.txt does not have."""
        message = "horaires d’une course absente de trips.txt : écartés"
        self.count("course_inconnue", np.flatnonzero(self.trip < 0), message)

    def unsorted(self, by_trip: npt.NDArray[np.int64], sequence: Ints) -> None:
        """Trips whose rows do not come in the order of their sequence (allowed by GTFS)."""
        trip, rank = self.trip[by_trip], sequence[by_trip]
        back = (trip[1:] == trip[:-1]) & (rank[1:] < rank[:-1])
        self._note(
            "horaires_non_tries", by_trip[1:][back], "courses dont les horaires étaient en désordre : triés", trips=True
        )

    def count(self, code: str, rows: npt.NDArray[np.int64], message: str) -> None:
        """Note rows."""
        self._note(code, rows, message, trips=False)

    def set_aside(self, code: str, where: npt.NDArray[np.int64] | Flags, message: str) -> None:
        """Note the known trips that some rows belong to, and set them aside."""
        rows: npt.NDArray[np.int64] = np.flatnonzero(where) if where.dtype == np.bool_ else where.astype(np.int64)
        rows = rows[self.trip[rows] >= 0]
        self._note(code, rows, f"{message} : mises de côté", trips=True)
        self.aside[self.trip[rows]] = True

    def _note(self, code: str, rows: npt.NDArray[np.int64], message: str, *, trips: bool) -> None:
        if not len(rows):
            return
        first = int(rows.min())
        count = len(np.unique(self.trip[rows])) if trips else len(rows)
        row, example = self.number[first].as_py(), self.named[first].as_py()
        self.report.add(code, count, message, file=FILE, row=row, example=example)
