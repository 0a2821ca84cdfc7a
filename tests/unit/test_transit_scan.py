"""Earliest arrivals: small networks with known times, then random ones against a search of another kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.routing.links import Links
from dagster_project.routing.transit.feed import read_feed
from dagster_project.routing.transit.links import straight_line_links
from dagster_project.routing.transit.scan import NEVER, Access, earliest_arrivals, window
from dagster_project.routing.transit.timetable import build_timetable
from tests.transit_files import DAY, TABLES, changed, links_of, loose, timetable_of
from tests.transit_oracle import Call, Network

A, B, C, D, E, F = range(6)
SEVEN = 7 * 3600


def small(folder, **tables):
    return build_timetable([read_feed(loose(folder, changed(**tables)), "essai")], DAY)


def walks(*rows):
    return Links.from_pairs(6, *zip(*rows, strict=True)) if rows else Links.none(6)


def arrivals(timetable, origin, transfers, departures, **options):
    return earliest_arrivals(timetable, Access.at_stops([origin], transfers), transfers, departures, **options)


def clock(seconds):
    return None if seconds >= NEVER else f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def test_buses_and_a_tram(tmp_path):
    timetable = small(tmp_path)
    found = arrivals(timetable, A, walks((C, E, 60), (E, C, 60)), [SEVEN - 60, SEVEN, SEVEN + 60]).any()
    assert [[clock(time) for time in row] for row in found.T] == [
        ["06:59", "07:10", "07:20", "07:25", "07:21", "07:31"],
        ["07:00", "07:10", "07:20", "07:25", "07:21", "07:31"],
        ["07:01", "07:40", "07:50", "08:00", "07:51", None],
    ]


def test_a_walk_that_ends_a_second_late_misses_the_tram(tmp_path):
    timetable = small(tmp_path)
    assert clock(arrivals(timetable, A, walks((C, E, 60.0)), [SEVEN]).any()[F, 0]) == "07:31"
    assert clock(arrivals(timetable, A, walks((C, E, 60.01)), [SEVEN]).any()[F, 0]) == "07:36"


def test_change_takes_its_time_but_staying_aboard_takes_none(tmp_path):
    timetable = small(tmp_path)
    change = np.zeros(6)
    change[B] = 90
    found = arrivals(timetable, A, walks(), [SEVEN], change=change).any()
    assert clock(found[C, 0]) == "07:20"
    assert clock(found[D, 0]) == "08:00"


def test_change_is_not_asked_of_who_arrives_on_foot(tmp_path):
    timetable = small(tmp_path)
    change = np.full(6, 3600)
    assert clock(arrivals(timetable, B, walks(), [SEVEN], change=change).any()[D, 0]) == "07:25"
    found = arrivals(timetable, A, walks((C, E, 60), (C, C, 0)), [SEVEN], change=change)
    assert clock(found.any()[F, 0]) == "07:31"


def test_walks_never_follow_each_other(tmp_path):
    timetable = small(tmp_path)
    chain = walks((A, C, 60), (C, E, 60), (B, F, 30), (F, E, 30))
    found = arrivals(timetable, A, chain, [SEVEN])
    assert clock(found.on_foot[C, 0]) == "07:01"
    assert clock(found.on_foot[E, 0]) == "07:21"
    assert clock(found.on_foot[F, 0]) == "07:10"
    assert clock(found.by_vehicle[F, 0]) == "07:31"


def test_vehicle_that_comes_after_who_walked_still_lets_walk_on(tmp_path):
    found = arrivals(small(tmp_path), B, walks((B, C, 300), (C, E, 60)), [SEVEN])
    assert clock(found.on_foot[C, 0]) == "07:05"
    assert clock(found.by_vehicle[C, 0]) == "07:20"
    assert clock(found.on_foot[E, 0]) == "07:21"


def test_forbidden_boarding_and_alighting_are_respected(tmp_path):
    head, *rows = TABLES["stop_times.txt"].splitlines()
    flags = {"1a,07:10": ",1,1", "1a,07:20": ",0,0"}
    marked = [row + next((mark for start, mark in flags.items() if row.startswith(start)), ",,") for row in rows]
    timetable = small(tmp_path, stop_times="\n".join([f"{head},pickup_type,drop_off_type", *marked]))
    assert clock(arrivals(timetable, B, walks(), [SEVEN]).any()[C, 0]) == "07:50"
    found = arrivals(timetable, A, walks(), [SEVEN]).any()
    assert clock(found[B, 0]) == "07:40"
    assert clock(found[C, 0]) == "07:20"


def test_night_bus_of_the_day_before_is_taken_after_midnight(tmp_path):
    times = (
        TABLES["stop_times.txt"]
        .replace("2a,07:10:00,07:10:00", "2a,24:20:00,24:20:00")
        .replace("2a,07:25:00,07:25:00", "2a,24:40:00,24:40:00")
    )
    found = arrivals(small(tmp_path, stop_times=times), B, walks(), [0, 86_400])
    assert [clock(time) for time in found.any()[D]] == ["00:40", "24:40"]


def test_horizon_leaves_out_longer_journeys(tmp_path):
    timetable = small(tmp_path)
    links = walks((C, E, 60))
    departures = [SEVEN - 120, SEVEN]
    within = arrivals(timetable, A, links, departures, horizon=31 * 60).any()
    assert [clock(time) for time in within[F]] == [None, "07:31"]
    assert (
        arrivals(timetable, A, links, departures, horizon=86_400).any()
        == arrivals(timetable, A, links, departures).any()
    ).all()


def test_instant_connections_feed_each_other_in_any_order():
    trips = [[Call(1, 60, 60), Call(2, 60, 60)], [Call(2, 60, 60), Call(3, 60, 60)], [Call(0, 60, 60), Call(1, 60, 60)]]
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        timetable = timetable_of([trips[i] for i in order], 4)
        found = arrivals(timetable, 0, Links.none(4), [0]).by_vehicle
        assert found[1:, 0].tolist() == [60, 60, 60]


@pytest.mark.parametrize("departures", [[], [60, 0], [60, 60]])
def test_departures_must_increase(tmp_path, departures):
    with pytest.raises(ValueError, match="strictly increasing"):
        arrivals(small(tmp_path), A, walks(), departures)


def test_arrays_must_fit_the_timetable(tmp_path):
    timetable = small(tmp_path)
    with pytest.raises(ValueError, match="transfers start from 5 stops: expected 6"):
        earliest_arrivals(timetable, Access.at_stops([A], walks()), Links.none(5), [SEVEN])
    with pytest.raises(ValueError, match="transfers have targets from 6 to 6: expected 0 to 5"):
        arrivals(timetable, A, walks((A, 6, 1)), [SEVEN])
    with pytest.raises(ValueError, match=r"the origin reaches stops .6.: expected 0 to 5"):
        earliest_arrivals(timetable, Access(np.array([6], np.int32), np.zeros(1, np.int32)), walks(), [SEVEN])
    with pytest.raises(ValueError, match="expected 6 times"):
        arrivals(timetable, A, walks(), [SEVEN], change=[1, 2])


def test_window_is_every_minute_end_included():
    assert window(SEVEN, SEVEN + 120).tolist() == [25200, 25260, 25320]


minutes = st.integers(0, 2)
waits = st.integers(0, 3)


@st.composite
def networks(draw):
    stops = draw(st.integers(2, 6))
    stop = st.integers(0, stops - 1)
    trips = []
    for _ in range(draw(st.integers(0, 7))):
        time, calls = draw(st.integers(0, 8)), []
        for _ in range(draw(st.integers(2, 5))):
            leaves = time + draw(minutes)
            calls.append(Call(draw(stop), time, leaves, draw(st.integers(0, 4)) > 0, draw(st.integers(0, 4)) > 0))
            time = leaves + draw(minutes)
        trips.append(calls)
    links = {
        one: draw(st.lists(st.tuples(stop.filter(lambda two, one=one: two != one), waits), max_size=3))
        for one in range(stops)
    }
    change = draw(st.lists(waits, min_size=stops, max_size=stops))
    access = draw(st.lists(st.tuples(stop, waits), min_size=1, max_size=3))
    return stops, trips, links, change, access


@settings(max_examples=150, deadline=None)
@given(networks())
def test_random_networks_agree_with_another_search(network):
    stops, trips, links, change, access = network
    departures = [0, 1, 3, 4, 8, 12]
    where = Access(*(np.array(column, np.int32) for column in zip(*access, strict=True)))
    found = earliest_arrivals(timetable_of(trips, stops), where, links_of(links, stops), departures, change=change)
    oracle = Network(trips, links, dict(enumerate(change)))
    for column, start in enumerate(departures):
        by_vehicle, on_foot = oracle.search(access, start)
        assert {s: t for s, t in enumerate(found.by_vehicle[:, column].tolist()) if t < NEVER} == by_vehicle
        assert {s: t for s, t in enumerate(found.on_foot[:, column].tolist()) if t < NEVER} == on_foot


@settings(max_examples=50, deadline=None)
@given(networks(), st.data())
def test_one_more_walk_never_delays_anyone(network, data):
    stops, trips, links, _, access = network
    where = Access(*(np.array(column, np.int32) for column in zip(*access, strict=True)))
    fewer = {one: there[: data.draw(st.integers(0, len(there)))] for one, there in links.items()}
    timetable = timetable_of(trips, stops)
    more, less = (
        earliest_arrivals(timetable, where, links_of(each, stops), [0, 2, 5]).any() for each in (links, fewer)
    )
    assert (more <= less).all()


def test_straight_lines_link_places_within_reach():
    places = [[-1.70, 48.10], [-1.70, 48.1045], [-1.70, 48.109], [np.nan, 48.1]]
    links = straight_line_links(places, max_metres=600, metres_per_second=1.25)
    assert [links.of(place)[0].tolist() for place in range(4)] == [[1], [0, 2], [1], []]
    assert links.of(0)[1].tolist() == [401]  # 0.0045 degree of a meridian is 500.4 m
    from_one = straight_line_links(places[:1], places, max_metres=600, metres_per_second=1.25)
    assert from_one.of(0)[0].tolist() == [0, 1]
    assert from_one.of(0)[1].tolist() == [0, 401]


def test_links_are_rounded_up_and_leave_out_what_is_out_of_reach():
    links = Links.from_pairs(3, [2, 0, 2], [1, 2, 0], [10.2, np.inf, 11])
    assert links.of(0)[0].tolist() == []
    assert links.of(2)[0].tolist() == [1, 0]
    assert links.of(2)[1].tolist() == [11, 11]
    with pytest.raises(ValueError, match="expected 0 or more"):
        Links.from_pairs(1, [0], [0], [-1])
    with pytest.raises(ValueError, match="expected 0 to 0"):
        Links.from_pairs(1, [1], [0], [1])
