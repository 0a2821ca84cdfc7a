"""Real timetables, read in place. Counts come from the manifest of the files and from a reference scan."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from dagster_project.routing.links import Links
from dagster_project.routing.transit.feed import FeedRefused, read_feed
from dagster_project.routing.transit.links import straight_line_links
from dagster_project.routing.transit.scan import NEVER, Access, earliest_arrivals, window
from dagster_project.routing.transit.service_days import reference_tuesday
from dagster_project.routing.transit.timetable import build_timetable
from tests.transit_oracle import Network, read_day

pytestmark = pytest.mark.real_data

TUESDAY = date(2012, 7, 17)
WALK = {"max_metres": 400, "metres_per_second": 1.25}


@pytest.fixture(scope="module")
def star_zip(real_data):
    return real_data / "gtfs" / "star-rennes-20120709" / "GTFS-20120618.zip"


@pytest.fixture(scope="module")
def star(star_zip):
    return read_feed(star_zip, "star")


@pytest.fixture(scope="module")
def timetable(star):
    return build_timetable([star], TUESDAY)


def sncf(real_data, folder):
    return read_feed([(path.name, path) for path in sorted((real_data / "gtfs" / folder).glob("*.txt"))], folder)


def test_star_loads_whole(star):
    assert (star.report.stops, star.report.trips, star.report.stop_times) == (1267, 6860, 196_106)
    assert [problem.code for problem in star.report.problems] == ["horaires_non_tries"]
    assert int(star.stop_times.arrival.max()) == 25 * 3600 + 15 * 60
    assert int((star.stop_times.departure >= 86_400).sum()) == 2670
    assert reference_tuesday([star]) == TUESDAY


def test_star_has_its_connections_of_a_tuesday(timetable):
    today = timetable.trip_days[timetable.trip] == 0
    assert int((timetable.trip_days == 0).sum()) == 4309
    assert int(today.sum()) == 120_160
    assert int(today.sum()) + 4309 == 124_469  # stop times
    assert int((timetable.departure == timetable.arrival)[today].sum()) == 8806
    assert len(timetable.stop_ids) == 1267


def test_truncated_ter_is_refused(real_data):
    with pytest.raises(FeedRefused, match="horaires tronqués : 22\u202f532 courses sur 26\u202f310 sans horaire"):
        sncf(real_data, "sncf-ter-2021-tronque")


def test_tgv_loads_without_calendar_txt(real_data):
    feed = sncf(real_data, "sncf-tgv-2025")
    assert (feed.report.trips, feed.report.stop_times, feed.report.problems) == (6672, 39_453, [])
    assert (feed.calendar.first, feed.calendar.last) == (date(2025, 7, 18), date(2025, 12, 15))
    assert int(feed.stop_times.arrival.max()) == 29 * 3600 + 52 * 60
    assert len(build_timetable([feed], reference_tuesday([feed])).departure) > 0


def test_intercites_load_with_their_night_trains(real_data):
    feed = sncf(real_data, "sncf-intercites-2013")
    assert (feed.report.trips, feed.report.stop_times, feed.report.problems) == (1551, 13_162, [])
    assert (feed.calendar.first, feed.calendar.last) == (date(2013, 12, 4), date(2014, 3, 4))
    assert int(feed.stop_times.arrival.max()) == 41 * 3600 + 18 * 60
    timetable = build_timetable([feed], date(2013, 12, 10))
    assert set(timetable.trip_days.tolist()) == {0, 1}


def test_star_agrees_with_another_search_at_every_stop(star_zip, timetable):
    stops, trips = read_day(star_zip, TUESDAY)
    assert [f"star:{stop}" for stop in stops] == timetable.stop_ids.tolist()
    links = straight_line_links(timetable.stop_lonlat, **WALK)
    walks = {stop: list(zip(*(each.tolist() for each in links.of(stop)), strict=True)) for stop in range(len(stops))}
    oracle = Network(trips, walks, dict.fromkeys(range(len(stops)), 60))
    random = np.random.default_rng(20120717)
    for origin in random.integers(0, len(stops), 4).tolist():
        departures = np.sort(random.choice(86_400 // 60, 2, replace=False)) * 60
        access = Access.at_stops([origin], links)
        found = earliest_arrivals(timetable, access, links, departures, change=np.full(len(stops), 60))
        starts = list(zip(access.stops.tolist(), access.seconds.tolist(), strict=True))
        for column, start in enumerate(departures.tolist()):
            for mine, theirs in zip((found.by_vehicle, found.on_foot), oracle.search(starts, start), strict=True):
                reached = {stop: time for stop, time in enumerate(mine[:, column].tolist()) if time < NEVER}
                assert reached == theirs


def test_walking_between_stops_never_delays_who_may_only_change_where_names_agree(timetable):
    near = straight_line_links(timetable.stop_lonlat, **WALK)
    source = np.repeat(np.arange(len(near)), np.diff(near.first))
    same = timetable.stop_names[source] == timetable.stop_names[near.target]
    named = Links.from_pairs(len(near), source[same], near.target[same], near.seconds[same])
    assert 0 < len(named.target) < len(near.target)
    departures = window(7 * 3600, 9 * 3600 - 60)
    for origin in np.random.default_rng(1).integers(0, len(near), 5).tolist():
        access = Access.at_stops([origin], named)
        walking, by_name = (earliest_arrivals(timetable, access, each, departures).any() for each in (near, named))
        assert (walking <= by_name).all()
        assert (walking < by_name).any()
