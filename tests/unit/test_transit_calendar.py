"""Which trips run on which day."""

from __future__ import annotations

from datetime import date

import pytest

from dagster_project.routing.transit.calendar import services_on
from dagster_project.routing.transit.feed import FeedRefused, read_feed
from dagster_project.routing.transit.service_days import reference_tuesday, require_valid
from dagster_project.routing.transit.timetable import build_timetable
from tests.transit_files import DAY, TABLES, changed, loose

HEADER = TABLES["calendar.txt"].split("\n")[0] + "\n"
EXCEPTIONS = "service_id,date,exception_type\n"


def read(folder, name="essai", **tables):
    inside = folder / name
    inside.mkdir()
    return read_feed(loose(inside, changed(**tables)), name)


def running(feed, day):
    return feed.calendar.service_ids[services_on(feed.calendar, day)].tolist()


def test_weekdays_between_two_dates_both_included(tmp_path):
    feed = read(tmp_path, calendar=HEADER + "S,0,1,0,0,0,0,0,20240514,20240528\n")
    served = [day for day in range(1, 32) if running(feed, date(2024, 5, day))]
    assert served == [14, 21, 28]
    assert (feed.calendar.first, feed.calendar.last) == (date(2024, 5, 14), date(2024, 5, 28))


def test_exceptions_add_and_remove_days(tmp_path):
    feed = read(
        tmp_path,
        calendar=HEADER + "S,0,1,0,0,0,0,0,20240514,20240528\n",
        calendar_dates=EXCEPTIONS + "S,20240521,2\nS,20240522,1\nS,20240602,1\nV,20240522,1\n",
    )
    served = {day: running(feed, date(2024, 5, day)) for day in range(1, 32) if running(feed, date(2024, 5, day))}
    assert served == {14: ["S"], 22: ["S", "V"], 28: ["S"]}
    assert feed.calendar.last == date(2024, 6, 2)


def test_feeds_may_have_exceptions_alone(tmp_path):
    feed = read(tmp_path, calendar=None, calendar_dates=EXCEPTIONS + "S,20240514,1\nS,20240516,1\n")
    assert running(feed, DAY) == ["S"]
    assert running(feed, date(2024, 5, 15)) == []
    assert (feed.calendar.first, feed.calendar.last) == (DAY, date(2024, 5, 16))


@pytest.mark.parametrize("row", ["S,20240231,1", "S,2024-05-14,1", "S,,1", "S,20240514,3", "S,20240514,"])
def test_malformed_exceptions_are_counted(tmp_path, row):
    feed = read(tmp_path, calendar_dates=f"{EXCEPTIONS}{row}\nS,20240515,2\n")
    (problem,) = feed.report.problems
    assert (problem.code, problem.count, problem.file, problem.row) == (
        "calendrier_malforme",
        1,
        "calendar_dates.txt",
        2,
    )
    assert running(feed, DAY) == ["S"]
    assert running(feed, date(2024, 5, 15)) == []


def test_period_that_ends_before_it_begins_is_counted(tmp_path):
    feed = read(tmp_path, calendar=TABLES["calendar.txt"] + "W,1,1,1,1,1,1,1,20240601,20240501\n")
    assert feed.report.count("calendrier_malforme") == 1
    assert (feed.calendar.first, feed.calendar.last) == (date(2024, 5, 1), date(2024, 5, 31))


def test_day_outside_validity_is_refused_with_its_dates(tmp_path):
    feed = read(tmp_path)
    require_valid(feed, date(2024, 5, 31))
    with pytest.raises(
        FeedRefused, match="essai : le réseau est valable du 01/05/2024 au 31/05/2024, pas le 01/06/2024"
    ):
        build_timetable([feed], date(2024, 6, 1))


def test_day_without_a_trip_is_refused(tmp_path):
    feed = read(
        tmp_path, calendar_dates=EXCEPTIONS + "S,20240514,2\n", calendar=HEADER + "S,0,1,0,0,0,0,0,20240507,20240521\n"
    )
    with pytest.raises(FeedRefused, match="essai : aucune course le 14/05/2024"):
        build_timetable([feed], DAY)


def test_reference_tuesday_has_the_most_trips_and_is_the_earliest_of_those(tmp_path):
    feed = read(tmp_path, calendar_dates=EXCEPTIONS + "S,20240507,2\n")
    assert reference_tuesday([feed]) == DAY


def test_reference_tuesday_is_valid_for_every_feed(tmp_path):
    one = read(tmp_path, "un", calendar=HEADER + "S,1,1,1,1,1,1,1,20240501,20240521\n")
    two = read(tmp_path, "deux", calendar=HEADER + "S,1,1,1,1,1,1,1,20240516,20240630\n")
    assert reference_tuesday([one, two]) == date(2024, 5, 21)


def test_feeds_without_a_common_tuesday_are_refused_with_their_dates(tmp_path):
    one = read(tmp_path, "un", calendar=HEADER + "S,1,1,1,1,1,1,1,20240501,20240520\n")
    two = read(tmp_path, "deux", calendar=HEADER + "S,1,1,1,1,1,1,1,20240516,20240630\n")
    with pytest.raises(FeedRefused, match="un du 01/05/2024 au 20/05/2024 ; deux du 16/05/2024 au 30/06/2024"):
        reference_tuesday([one, two])
