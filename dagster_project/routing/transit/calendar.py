"""Which services run on which day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_project.routing.transit.gtfs_files import ROW, Files, read_table
from dagster_project.routing.transit.problems import FeedRefused, FeedReport

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ADDED, _REMOVED = "1", "2"
_NO_DAY = np.datetime64("NaT", "D")
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Calendar:
    """Days of services: week patterns between two dates, then exceptions that add or remove one day.

    Attributes:
        service_ids: every service named in calendar.txt or calendar_dates.txt.
        service, week, start, end: one per pattern; `week` has one column per day from Monday; both dates included.
        exception_service, exception_day, exception_added: one per exception.
        first, last: first and last day that a pattern or an added day reaches.
    """

    service_ids: npt.NDArray[np.str_]
    service: npt.NDArray[np.int32]
    week: npt.NDArray[np.bool_]
    start: Days
    end: Days
    exception_service: npt.NDArray[np.int32]
    exception_day: Days
    exception_added: npt.NDArray[np.bool_]
    first: date
    last: date


def services_on(calendar: Calendar, day: date) -> npt.NDArray[np.bool_]:
    """Which services run on a day, one flag per service; none outside validity."""
    runs = np.zeros(len(calendar.service_ids), bool)
    here = np.datetime64(day, "D")
    runs[calendar.service[(calendar.start <= here) & (here <= calendar.end) & calendar.week[:, day.weekday()]]] = True
    today = calendar.exception_day == here
    runs[calendar.exception_service[today & calendar.exception_added]] = True
    runs[calendar.exception_service[today & ~calendar.exception_added]] = False
    return runs


def read_calendar(files: Files, report: FeedReport) -> Calendar:
    """Calendars of a feed; either file may be missing or empty, not both.

    Raises:
        FeedRefused: no service ever runs.
    """
    patterns = read_table(files, "calendar.txt", ("service_id", *WEEK, "start_date", "end_date"), (), report)
    exceptions = read_table(files, "calendar_dates.txt", ("service_id", "date", "exception_type"), (), report)
    patterns, start, end = _patterns(patterns, report)
    exceptions, days = _exceptions(exceptions, report)
    week = np.column_stack([patterns[day].to_numpy() == "1" for day in WEEK])
    added = exceptions["exception_type"].to_numpy() == _ADDED
    reached = np.concatenate([start[week.any(axis=1)], end[week.any(axis=1)], days[added]])
    if not len(reached):
        raise FeedRefused(
            f"{report.feed} : calendar.txt et calendar_dates.txt ne font circuler aucun service ; "
            "demander au producteur des calendriers remplis"
        )
    named = np.concatenate([patterns["service_id"].to_numpy(), exceptions["service_id"].to_numpy()]).astype(np.str_)
    service_ids, found = np.unique(named, return_inverse=True)
    service: npt.NDArray[np.int32] = found.astype(np.int32)
    return Calendar(
        service_ids=service_ids,
        service=service[: len(start)],
        week=week,
        start=start,
        end=end,
        exception_service=service[len(start) :],
        exception_day=days,
        exception_added=added,
        first=reached.min().item(),
        last=reached.max().item(),
    )


def _patterns(table: pa.Table | None, report: FeedReport) -> tuple[pa.Table, Days, Days]:
    if table is None:
        table = _no_rows("service_id", *WEEK, "start_date", "end_date")
    start, end = (_days(table[column].combine_chunks()) for column in ("start_date", "end_date"))
    good = start <= end  # never true of a date that cannot be read
    _note(report, ~good, table, "calendar.txt", "périodes sans dates lisibles, ou finies avant de commencer : écartées")
    return table.filter(pa.array(good)), start[good], end[good]


def _exceptions(table: pa.Table | None, report: FeedReport) -> tuple[pa.Table, Days]:
    if table is None:
        table = _no_rows("service_id", "date", "exception_type")
    days = _days(table["date"].combine_chunks())
    kind = table["exception_type"].to_numpy()
    good = ~np.isnat(days) & ((kind == _ADDED) | (kind == _REMOVED))
    _note(report, ~good, table, "calendar_dates.txt", "exceptions sans date ou sans type (1 ou 2) lisibles : écartées")
    return table.filter(pa.array(good)), days[good]


def _no_rows(*columns: str) -> pa.Table:
    return pa.table({**{column: pa.array([], pa.string()) for column in columns}, ROW: pa.array([], pa.int64())})


def _note(report: FeedReport, wrong: npt.NDArray[np.bool_], table: pa.Table, file: str, message: str) -> None:
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        row, example = table[ROW][first].as_py(), table["service_id"][first].as_py()
        report.add("calendrier_malforme", int(wrong.sum()), message, file=file, row=row, example=example)


def _days(column: pa.Array) -> Days:
    """Dates written YYYYMMDD; NaT for any other text."""
    coded = column.dictionary_encode()
    days = np.array([_day(text) for text in coded.dictionary.to_pylist()], "datetime64[D]")
    return days[coded.indices.to_numpy()] if len(days) else days


def _day(text: str) -> np.datetime64:
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return _NO_DAY
    return np.datetime64(day, "D") if len(text) == len("YYYYMMDD") and text.isdigit() else _NO_DAY
