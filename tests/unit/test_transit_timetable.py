"""Connections of one day."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from dagster_project.routing.transit.feed import read_feed
from dagster_project.routing.transit.timetable import build_timetable
from tests.transit_files import DAY, TABLES, changed, loose

STOP_TIMES = TABLES["stop_times.txt"]
CALENDAR = TABLES["calendar.txt"].split("\n")[0] + "\n"


def read(folder, name="essai", **tables):
    inside = folder / name
    inside.mkdir()
    return read_feed(loose(inside, changed(**tables)), name)


def rows(timetable):
    stops = [stop.split(":")[1] for stop in timetable.stop_ids.tolist()]
    return [
        (departure, arrival, stops[one], stops[two], timetable.trip_ids[trip].split(":")[1])
        for departure, arrival, one, two, trip in zip(
            timetable.departure, timetable.arrival, timetable.from_stop, timetable.to_stop, timetable.trip, strict=True
        )
    ]


def test_connections_are_sorted_by_departure_arrival_trip_and_sequence(tmp_path):
    times = STOP_TIMES.replace("Ta,07:21:00,07:21:00,E,1\nTa,07:31:00,07:31:00,F,2\n",
        "Ta,07:00:00,07:00:00,F,3\nTa,07:00:00,07:00:00,E,1\nTa,07:00:00,07:00:00,D,2\n")  # fmt: skip
    timetable = build_timetable([read(tmp_path, stop_times=times)], DAY)
    assert rows(timetable)[:3] == [
        (25200, 25200, "E", "D", "Ta"), (25200, 25200, "D", "F", "Ta"), (25200, 25800, "A", "B", "1a"),
    ]  # fmt: skip
    assert (np.diff(timetable.departure) >= 0).all()
    assert timetable.departure.dtype == timetable.arrival.dtype == np.int32
    assert timetable.stop_ids.tolist()[0] == "essai:A"
    assert not timetable.departure.flags.writeable


def test_trips_past_midnight_run_on_their_day_and_on_the_next(tmp_path):
    times = STOP_TIMES.replace("1a,07:10:00,07:11:00", "1a,24:10:00,24:11:00").replace(
        "1a,07:20:00,07:20:00", "1a,24:20:00,24:20:00"
    )
    calendar = CALENDAR + "S,0,1,0,0,0,0,0,20240514,20240528\nN,0,0,1,0,0,0,0,20240501,20240531\n"
    trips = TABLES["trips.txt"].replace("T,S,Tb", "T,N,Tb")
    feed = read(tmp_path, stop_times=times, calendar=calendar, trips=trips)
    tuesday = build_timetable([feed], DAY)
    assert [row for row in rows(tuesday) if row[-1] == "1a"] == [
        (25200, 87000, "A", "B", "1a"),
        (87060, 87600, "B", "C", "1a"),
    ]
    wednesday = build_timetable([feed], date(2024, 5, 15))
    assert rows(wednesday) == [(660, 1200, "B", "C", "1a"), (26760, 27360, "E", "F", "Tb")]
    assert wednesday.trip_days.tolist() == [0, 1]


def test_night_train_of_two_days_is_there_on_both_and_what_left_before_midnight_is_out(tmp_path):
    times = STOP_TIMES.replace("1a,07:10:00,07:11:00", "1a,23:50:00,24:05:00").replace(
        "1a,07:20:00,07:20:00", "1a,48:00:00,48:00:00"
    )
    calendar = CALENDAR + "S,0,1,0,0,0,0,0,20240514,20240514\nN,0,0,1,1,1,0,0,20240501,20240531\n"
    trips = TABLES["trips.txt"].replace("T,S,Tb", "T,N,Tb")
    feed = read(tmp_path, stop_times=times, calendar=calendar, trips=trips)
    assert ("1a", 300, 86_400) in [
        (row[-1], row[0], row[1]) for row in rows(build_timetable([feed], date(2024, 5, 15)))
    ]
    assert [row[-1] for row in rows(build_timetable([feed], date(2024, 5, 16)))] == ["Tb"]


@pytest.mark.parametrize("exact", ["exact_times\n", "exact_times\n1", "exact_times\n0"])
def test_frequencies_replace_the_times_of_the_trip(tmp_path, exact):
    name, value = exact.split("\n")
    intervals = ("1a,08:00:00,08:30:00,600", "1a,09:00:00,09:10:01,600")
    text = f"trip_id,start_time,end_time,headway_secs,{name}\n" + "".join(f"{row},{value}\n" for row in intervals)
    timetable = build_timetable([read(tmp_path, frequencies=text)], DAY)
    runs = [row for row in rows(timetable) if row[-1] == "1a"]
    assert [row[0] for row in runs if row[2] == "A"] == [28800, 29400, 30000, 32400, 33000]
    assert [(row[0], row[1]) for row in runs if row[2] == "B"] == [
        (start + 660, start + 1200) for start in (28800, 29400, 30000, 32400, 33000)
    ]
    assert len(set(timetable.trip.tolist())) == len(timetable.trip_ids) == 5 + 5


def test_frequencies_past_midnight_run_on_the_next_day(tmp_path):
    text = "trip_id,start_time,end_time,headway_secs\n1a,23:50:00,24:30:00,1200\n"
    feed = read(tmp_path, frequencies=text)
    runs = [row for row in rows(build_timetable([feed], DAY)) if row[-1] == "1a"]
    assert [row[0] for row in runs if row[2] == "A"] == [600, 85800, 87000]
    assert [row[0] for row in runs if row[2] == "B"] == [60, 1260, 86460, 87660]


@pytest.mark.parametrize("row", ["1a,08:00:00,09:00:00,0", "1a,08:00:00,09:00:00,-5", "1a,huit,09:00:00,600"])
def test_malformed_frequency_makes_no_vehicle(tmp_path, row):
    feed = read(tmp_path, frequencies=f"trip_id,start_time,end_time,headway_secs\n{row}\n")
    assert feed.report.count("frequence_malformee") == 1
    assert "1a" not in [row[-1] for row in rows(build_timetable([feed], DAY))]


def test_frequency_of_an_unknown_trip_is_left_out(tmp_path):
    feed = read(tmp_path, frequencies="trip_id,start_time,end_time,headway_secs\n9z,08:00:00,09:00:00,600\n")
    assert feed.report.count("course_inconnue") == 1
    assert len(build_timetable([feed], DAY).trip_ids) == 6


def test_feeds_are_merged_side_by_side(tmp_path):
    one, two = read(tmp_path, "un"), read(tmp_path, "deux")
    alone, both = build_timetable([one], DAY), build_timetable([one, two], DAY)
    assert both.stop_ids.tolist()[::6] == ["un:A", "deux:A"]
    assert len(both.departure) == 2 * len(alone.departure)
    twin = both.from_stop >= 6
    assert (both.trip[twin] >= len(alone.trip_ids)).all()
    assert both.from_stop[twin].tolist() == (alone.from_stop + 6).tolist()
    assert both.to_stop[twin].tolist() == (alone.to_stop + 6).tolist()
    assert both.departure[twin].tolist() == alone.departure.tolist()


def test_feeds_need_a_name_each(tmp_path):
    feed = read(tmp_path)
    with pytest.raises(ValueError, match="expected a name each"):
        build_timetable([feed, feed], DAY)
