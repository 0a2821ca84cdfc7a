"""What the benchmark of transit measures with, on networks small enough to know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from benchmarks.transit import DisagreementError, Row, Town, agreement, render, same_name_links
from benchmarks.transit_floor import scan_each
from dagster_project.routing.transit.feed import read_feed
from dagster_project.routing.transit.links import straight_line_links
from dagster_project.routing.transit.scan import Access, earliest_arrivals
from dagster_project.routing.transit.timetable import build_timetable
from tests.transit_files import DAY, TABLES, changed, links_of, loose, timetable_of
from tests.unit.test_transit_scan import networks

SEVEN = 7 * 3600


@pytest.fixture
def town(tmp_path):
    # Europe is now another stop of Clunay
    feed = read_feed(loose(tmp_path, changed(stops=TABLES["stops.txt"].replace("Europe", "Clunay"))), "essai")
    timetable = build_timetable([feed], DAY)
    walks = straight_line_links(timetable.stop_lonlat, max_metres=400, metres_per_second=1.25)
    return Town(feed, timetable, walks, 0.1, 0.1)


def test_stops_of_the_same_name_are_linked_both_ways():
    links = same_name_links(np.array(["x", "y", "x"]))
    assert [links.of(stop)[0].tolist() for stop in range(3)] == [[2], [], [0]]
    assert links.seconds.tolist() == [120, 120]


def test_equal_answers_are_counted(town):
    answers = [{"Bréquigny": 25800, "Clunay": 26400, "Dalle": 26700, "Fontaine": 27360, "Alma": 0}]
    assert agreement(town, [("Alma", SEVEN)], answers) == (4, 4)
    assert agreement(town, [("Dalle", SEVEN)], [{}]) == (4, 0)


@pytest.mark.parametrize("wrong", [{"Clunay": 26399}, {"Clunay": 26401}])
def test_one_answer_that_differs_is_named(town, wrong):
    answers = {"Bréquigny": 25800, "Dalle": 26700, "Fontaine": 27360, **wrong}
    with pytest.raises(DisagreementError, match=r"Alma at 25200 s to Clunay: ours 26400, pyraptor"):
        agreement(town, [("Alma", SEVEN)], [answers])


def test_answer_that_one_alone_has_is_named(town):
    with pytest.raises(DisagreementError, match="Dalle at 25200 s to Alma"):
        agreement(town, [("Dalle", SEVEN)], [{"Alma": 30000}])


@settings(max_examples=60, deadline=None)
@given(networks())
def test_bare_scan_never_arrives_earlier(network):
    stops, trips, walks, _, access = network
    timetable, links = timetable_of(trips, stops), links_of(walks, stops)
    where = Access(*(np.array(column, np.int32) for column in zip(*access, strict=True)))
    departures = np.array([0, 2, 5], np.int32)
    connections = (timetable.departure, timetable.arrival, timetable.from_stop, timetable.to_stop, timetable.trip)
    rest = (len(trips), links.first, links.target, links.seconds, where.stops, where.seconds, departures)
    ours = earliest_arrivals(free(timetable), where, links, departures).any().T
    bare = scan_each(*connections, *rest)
    assert (ours <= bare).all()


def free(timetable):
    """The same with boarding and alighting allowed everywhere: the bare scan knows of no other."""
    from dataclasses import replace

    everywhere = np.ones(len(timetable.departure), bool)
    everywhere.flags.writeable = False
    return replace(timetable, boarding=everywhere, alighting=everywhere)


def test_table_gives_ratios_to_the_fastest(town):
    text = render(town, [Row("bare", 0.2), Row("ours", 0.1)], ["- a line"])
    assert "| bare | 0.2000 | 2.0 |" in text
    assert "| ours | 0.1000 | 1.0 |" in text
    assert text.endswith("- a line\n")
