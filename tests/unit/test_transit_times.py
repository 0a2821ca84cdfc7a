"""Travel times over a window: quartiles, walks, and what is out of reach."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.routing.links import Links
from dagster_project.routing.transit.feed import read_feed
from dagster_project.routing.transit.scan import window
from dagster_project.routing.transit.times import travel_times
from dagster_project.routing.transit.timetable import build_timetable
from tests.transit_files import DAY, TABLES, links_of, loose, timetable_of
from tests.transit_oracle import Network
from tests.unit.test_transit_scan import networks, waits

A, B, C, D, E, F = range(6)
SEVEN = 7 * 3600
NAN = np.nan


@pytest.fixture
def timetable(tmp_path):
    return build_timetable([read_feed(loose(tmp_path, TABLES), "essai")], DAY)


def links(*rows, count=1):
    return Links.from_pairs(count, *zip(*rows, strict=True)) if rows else Links.none(count)


def test_waits_and_both_walks_count(timetable):
    # ready at 06:58 + 120 s = 07:00 at A, 07:20 at C, then 30 s
    found = travel_times(timetable, links((0, A, 120)), links((0, C, 30)), Links.none(6), [SEVEN - 120])
    assert [float(quartile[0, 0]) for quartile in found] == [22 * 60 + 30] * 3
    assert found.p50.dtype == np.float32


def test_quartiles_are_over_departures(timetable):
    # from A to C: buses at 07:00 and 07:30, each 20 minutes; the first departure has no wait
    found = travel_times(timetable, links((0, A, 0)), links((0, C, 0)), Links.none(6), window(SEVEN, SEVEN + 29 * 60))
    times = sorted([20 * 60, *(20 * 60 + wait * 60 for wait in range(1, 30))])
    assert [float(quartile[0, 0]) for quartile in found] == [times[7], times[14], times[22]]


def test_departures_without_a_journey_count_as_infinite(timetable):
    # buses leave A at 07:00 and 07:30: none after
    departures = window(SEVEN + 26 * 60, SEVEN + 35 * 60)
    found = travel_times(timetable, links((0, A, 0)), links((0, C, 0)), Links.none(6), departures)
    assert found.p25[0, 0] == 22 * 60
    assert found.p50[0, 0] == 24 * 60
    assert np.isnan(found.p75[0, 0])


def test_walk_to_a_stop_is_not_followed_by_another(timetable):
    chain = Links.from_pairs(6, [A], [B], [10])
    found = travel_times(timetable, links((0, A, 0)), links((0, A, 5), (1, B, 5), count=2), chain, [SEVEN + 3600])
    assert np.isnan(found.p25).all()


def test_walking_is_taken_when_shorter_or_alone(timetable):
    egress = links((0, C, 0), (1, C, 0), (2, A, 0), count=3)
    walking = [[1000.5, 1300, 700], [NAN, NAN, NAN]]
    access = links((0, A, 0), count=2)
    found = travel_times(timetable, access, egress, Links.none(6), [SEVEN], walking=walking)
    np.testing.assert_array_equal(found.p50, np.array([[1000.5, 1200, 700], [NAN, NAN, NAN]], np.float32))


def test_horizon_makes_longer_journeys_infinite(timetable):
    arguments = (timetable, links((0, A, 0)), links((0, C, 60)), Links.none(6), [SEVEN])
    assert travel_times(*arguments, horizon=21 * 60).p50[0, 0] == 21 * 60
    assert np.isnan(travel_times(*arguments, horizon=21 * 60 - 1).p50[0, 0])


def test_way_back_swaps_the_roles(timetable):
    homes, works = links((0, A, 60)), links((0, C, 30))
    assert travel_times(timetable, homes, works, Links.none(6), [SEVEN - 60]).p50[0, 0] == 20 * 60 + 90
    assert np.isnan(travel_times(timetable, works, homes, Links.none(6), [SEVEN]).p50[0, 0])


@pytest.mark.parametrize(
    ("access", "egress", "walking", "message"),
    [
        (links((0, 6, 0)), links((0, C, 0)), None, "access links have targets from 6 to 6: expected 0 to 5"),
        (links((0, A, 0)), links((0, -1, 0)), None, "egress links have targets from -1"),
        (links((0, A, 0)), links((0, C, 0)), [[1.0, 2.0]], "expected .1, 1., origins × destinations"),
    ],
)
def test_arrays_must_fit_each_other(timetable, access, egress, walking, message):
    with pytest.raises(ValueError, match=message):
        travel_times(timetable, access, egress, Links.none(6), [SEVEN], walking=walking)


@settings(max_examples=100, deadline=None)
@given(networks(), st.data())
def test_random_networks_agree_with_another_search(network, data):
    stops, trips, walks, change, _ = network
    near = st.lists(st.tuples(st.integers(0, stops - 1), waits), max_size=3)
    access, egress = (data.draw(st.lists(near, min_size=1, max_size=3)) for _ in range(2))
    departures = data.draw(st.lists(st.integers(0, 12), min_size=1, max_size=8, unique=True).map(sorted))
    rows = [dict(enumerate(each)) for each in (access, egress)]
    found = travel_times(
        timetable_of(trips, stops), *(links_of(each, len(each)) for each in rows), links_of(walks, stops), departures,
        change=change, threads=2,
    )  # fmt: skip
    oracle = Network(trips, walks, dict(enumerate(change)))
    for origin, start in enumerate(access):
        arrivals = [oracle.search(start, time)[0] for time in departures]
        for place, end in enumerate(egress):
            times = [
                min((by[s] + w - time for s, w in end if s in by), default=np.inf)
                for by, time in zip(arrivals, departures, strict=True)
            ]
            wanted = np.percentile(times, [25, 50, 75], method="inverted_cdf")
            got = np.array([quartile[origin, place] for quartile in found])
            np.testing.assert_array_equal(got, np.where(np.isinf(wanted), NAN, wanted))
