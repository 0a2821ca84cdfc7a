"""The demonstration city, whose shortest ways and earliest arrivals are known: both routers find every one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from dagster_project.routing.links import Links
from dagster_project.routing.roads.engine import LonLat, Mode
from dagster_project.routing.roads.valhalla import Valhalla
from dagster_project.routing.transit.feed import Feed, read_feed
from dagster_project.routing.transit.scan import NEVER, Access, earliest_arrivals
from dagster_project.routing.transit.timetable import Timetable, build_timetable
from tests.demo_city import GTFS, STREETS, TOWN, read, seconds
from tests.road_city import network_of

SEED = 20190101
CHANGE_S = 120  # of the rule of tc_arrivees.csv: flat, at a stop or to another of the same name
ROADS = {"rennes": STREETS, "redon": TOWN}
TRUTHS = {"roads": "_verite/rues_distances.csv", "transit": "_verite/tc_arrivees.csv"}


@pytest.fixture(scope="module")
def mirror(demo_world: Callable[[int], Path]) -> Path:
    return demo_world(SEED)


# Streets


@pytest.fixture(scope="module", params=ROADS)
def town(
    request: pytest.FixtureRequest, mirror: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Valhalla, list[dict[str, str]]]:
    """A town's engine, and its cases."""
    cases = [row for row in read(mirror / TRUTHS["roads"]) if row["reseau"] == request.param]
    return Valhalla(network_of(mirror / ROADS[request.param], tmp_path_factory.mktemp(request.param))), cases


def ends(cases: list[dict[str, str]]) -> list[LonLat]:
    """Starts and ends of cases."""
    return [np.array([[float(row[f"{axis}_{side}"]) for axis in ("lon", "lat")] for row in cases]) for side in "od"]


@pytest.mark.parametrize("mode", ["voiture", "velo", "marche"])
def test_every_shortest_way_is_found_and_no_way_where_there_is_none(
    town: tuple[Valhalla, list[dict[str, str]]], mode: Mode
) -> None:
    engine, every = town
    cases = [row for row in every if row["mode"] == mode]
    truth = np.array([float(row["metres"] or "nan") for row in cases])
    assert np.isnan(truth).tolist() == [row["atteignable"] == "0" for row in cases]
    found = np.diagonal(engine.matrix(*ends(cases), mode).metres)
    agree = np.isclose(found, truth, rtol=0.002, atol=5, equal_nan=True)
    wrong = [
        (row["cas"], row["metres"], metres) for row, metres, good in zip(cases, found, agree, strict=True) if not good
    ]
    assert len(cases) > 8
    assert wrong == []


def test_no_car_is_faster_than_the_limit(town: tuple[Valhalla, list[dict[str, str]]]) -> None:
    engine, every = town
    cases = [row for row in every if row["secondes_min"]]
    found = np.diagonal(engine.matrix(*ends(cases), "voiture").seconds)
    assert (found >= 0.95 * np.array([float(row["secondes_min"]) for row in cases])).all()


# Transit


@pytest.fixture(scope="module")
def feed(mirror: Path) -> Feed:
    return read_feed(mirror / GTFS, "ville")


def changes_by_name(timetable: Timetable) -> Links:
    """Walks between stops of one name, which the rule makes as long as a change at one stop."""
    one, other = np.nonzero(timetable.stop_names[:, None] == timetable.stop_names[None])
    apart = one != other
    return Links.from_pairs(len(timetable.stop_ids), one[apart], other[apart], np.full(apart.sum(), CHANGE_S))


def of_the_day(timetable: Timetable) -> Timetable:
    """Vehicles of the day alone, as the truth counts them: not those that left the evening before."""
    kept = timetable.trip_days[timetable.trip] == 0
    names = ("departure", "arrival", "from_stop", "to_stop", "trip", "boarding", "alighting")
    return replace(timetable, **{name: getattr(timetable, name)[kept] for name in names})


def earliest(timetable: Timetable, case: dict[str, str]) -> int:
    start, end = (np.flatnonzero(timetable.stop_names == case[name]) for name in ("arret_depart", "arret_arrivee"))
    access = Access(start.astype(np.int32), np.zeros(len(start), np.int32))
    change = np.full(len(timetable.stop_ids), CHANGE_S)
    links = changes_by_name(timetable)
    arrivals = earliest_arrivals(timetable, access, links, [seconds(case["depart"])], change=change)
    return int(arrivals.by_vehicle[end, 0].min())


@pytest.fixture(scope="module")
def cases(mirror: Path) -> list[dict[str, str]]:
    return read(mirror / TRUTHS["transit"])


@pytest.fixture(scope="module")
def days(feed: Feed, cases: list[dict[str, str]]) -> dict[str, Timetable]:
    return {text: build_timetable([feed], date.fromisoformat(text)) for text in {row["date_service"] for row in cases}}


def test_every_earliest_arrival_is_found_to_the_second(cases: list[dict[str, str]], days: dict[str, Timetable]) -> None:
    expected = {row["cas"]: seconds(row["arrivee"]) if row["arrivee"] else NEVER for row in cases}
    assert len(cases) > 35
    assert len(days) > 3
    assert {row["cas"]: earliest(of_the_day(days[row["date_service"]]), row) for row in cases} == expected


def test_vehicles_of_the_evening_before_only_help_and_only_at_night(
    cases: list[dict[str, str]], days: dict[str, Timetable]
) -> None:
    sooner = {
        row["depart"]: earliest(days[row["date_service"]], row) - seconds(row["arrivee"])
        for row in cases
        if row["arrivee"] and earliest(days[row["date_service"]], row) != seconds(row["arrivee"])
    }
    assert list(sooner) == ["00:00:00"]
    assert sooner["00:00:00"] < 0
