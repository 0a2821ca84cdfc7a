"""Trips of one ground: which pairs have a row, what the row says, and how public transport and walking combine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dagster_project.routing import trips as trips_module
from dagster_project.routing.trips import ACCESS_S, REACH_M, TRANSFER_S, best_ground, empty_trips, trips, trips_by_home
from tests.trip_grounds import SPEED, Spot, StraightRoads, both, bundle, bus, ground, homes, square, workplaces

TOWN, COUNTRY = square(12_000), square(120_000)
STOPS: dict[str, Spot] = {"A": (0, 0), "B": (5000, 0)}
LINE = [("A", 0), ("B", 10)]
THERE_AND_BACK = [("A", 0), ("B", 10), ("A", 20)]


def rows(table: pa.Table, **wanted: str | int) -> list[dict]:
    return [row for row in table.to_pylist() if all(row[name] == value for name, value in wanted.items())]


def one(table: pa.Table, mode: str, moment: str = "aller", **wanted: str | int) -> dict:
    (row,) = rows(table, mode=mode, moment=moment, **wanted)
    return row


def test_every_mode_has_its_row_with_the_columns_and_types_of_no_trip(tmp_path: Path) -> None:
    found = trips(ground(TOWN, bundle(tmp_path, bus(STOPS, THERE_AND_BACK))), homes((100, 0)), workplaces((4900, 0)))
    assert found.schema.equals(empty_trips().schema)
    assert [(row["mode"], row["moment"]) for row in found.to_pylist()] == [
        ("marche", "aller"),
        ("tc", "aller"),
        ("tc", "retour"),
        ("velo", "aller"),
        ("voiture", "aller"),
    ]
    for row in found.to_pylist():
        transit = row["mode"] == "tc"
        assert row["road_vintage"] == "rennes_2013"
        assert (row["transit_vintage"], row["service_date"]) == (
            ("star_gtfs_2024", "2024-01-02") if transit else (None, None)
        )
        assert (row["seconds_p25"] is None, row["metres"] is None) == (not transit, transit)
        if not transit:
            assert row["metres"] == pytest.approx(4800, rel=1e-4)
            assert row["seconds"] == pytest.approx(4800 / SPEED[row["mode"]], rel=1e-4)


def test_rows_come_home_by_home_in_the_order_of_their_keys(tmp_path: Path) -> None:
    places = both(workplaces((4900, 0), (300, 0), kind="offres"), workplaces((4900, 10), (0, 20)))
    streets = ground(TOWN, bundle(tmp_path, bus(STOPS, THERE_AND_BACK)))
    mixed = homes((100, 0), (2500, 300), (900, 0))
    parts = list(trips_by_home(streets, mixed.take(np.array([2, 0, 1])), places))
    assert [part["origin_rank"].unique().to_pylist() for part in parts] == [[1], [2], [3]]
    keys = ("origin_rank", "kind", "destination_id", "mode", "moment")
    names = [tuple(row[key] for key in keys) for row in pa.concat_tables(parts).to_pylist()]
    assert names == sorted(names)
    assert len(set(names)) == 3 * (4 * 4 + 2)


def test_public_transport_takes_the_walks_the_wait_and_the_ride(tmp_path: Path) -> None:
    found = trips(ground(TOWN, bundle(tmp_path, bus(STOPS, THERE_AND_BACK))), homes((100, 0)), workplaces((4900, 0)))
    # 80 s to the stop, 600 s aboard, 80 s from it; a bus every ten minutes, of which one has just been missed at :09.
    # Leaving at :00 to :08 waits 520 to 40 s, at :09 waits 580 s: each departure of the ten is one tenth.
    waits = sorted((-(60 * minute + 80)) % 600 for minute in range(10))
    out = one(found, "tc")
    ranks = [out[name] for name in ("seconds_p25", "seconds", "seconds_p75")]
    assert ranks == [760 + waits[rank] for rank in (2, 4, 7)]
    back = one(found, "tc", "retour")
    assert back["seconds"] == out["seconds"]


def test_walking_is_taken_when_it_is_shorter_and_quartiles_are_in_order(tmp_path: Path) -> None:
    places = workplaces(*((east, north) for east in range(0, 6000, 700) for north in (0, 900)))
    found = trips(ground(TOWN, bundle(tmp_path, bus(STOPS, LINE))), homes((100, 0), (2500, 300)), places)
    walked = 0
    for row in rows(found, mode="tc", moment="aller"):
        on_foot = one(found, "marche", origin_rank=row["origin_rank"], destination_id=row["destination_id"])
        if row["seconds"] is None:
            assert on_foot["seconds"] is None
            continue
        assert row["seconds"] <= on_foot["seconds"]
        assert row["seconds_p25"] <= row["seconds"]
        if row["seconds_p75"] is not None:
            assert row["seconds"] <= row["seconds_p75"]
        walked += row["seconds"] == on_foot["seconds"]
    assert 0 < walked < len(rows(found, mode="marche"))


def test_the_way_back_is_that_of_workplaces_alone(tmp_path: Path) -> None:
    places = both(workplaces((4900, 0)), workplaces((4900, 10), kind="offres"))
    found = trips(ground(TOWN, bundle(tmp_path, bus(STOPS, THERE_AND_BACK))), homes((100, 0)), places)
    assert {(row["kind"], row["moment"]) for row in rows(found, mode="tc")} == {
        ("lieux_emploi", "aller"),
        ("lieux_emploi", "retour"),
        ("offres", "aller"),
    }
    offers_alone = trips(
        ground(TOWN, bundle(tmp_path, bus(STOPS, LINE))), homes((100, 0)), workplaces((4900, 0), kind="offres")
    )
    assert not rows(offers_alone, moment="retour")


def test_a_line_of_one_direction_takes_nobody_back(tmp_path: Path) -> None:
    found = trips(ground(TOWN, bundle(tmp_path, bus(STOPS, LINE))), homes((100, 0)), workplaces((4900, 0)))
    on_foot = one(found, "marche")["seconds"]
    assert one(found, "tc")["seconds"] < on_foot
    assert one(found, "tc", "retour")["seconds"] == on_foot


def test_two_walks_never_follow_each_other_before_the_first_vehicle(tmp_path: Path) -> None:
    # No vehicle stops at A, on the way to B: home to A, then A to B, would be two walks that are each allowed.
    stops: dict[str, Spot] = {"A": (0, 0), "B": (400, 0), "C": (9000, 0), "D": (9500, 0)}
    assert 1000 / SPEED["marche"] < ACCESS_S < 1400 / SPEED["marche"]
    assert 400 / SPEED["marche"] < TRANSFER_S
    streets = ground(TOWN, bundle(tmp_path, bus(stops, [("B", 0), ("C", 9)])))
    found = trips(streets, homes((-1000, 0), (-600, 0)), workplaces((9000, 0)))
    assert one(found, "tc", origin_rank=1)["seconds"] is None
    assert one(found, "tc", origin_rank=2)["seconds"] is not None


def test_two_walks_never_follow_each_other_after_the_last_vehicle(tmp_path: Path) -> None:
    stops: dict[str, Spot] = {"A": (0, 0), "B": (8000, 0), "C": (8400, 0)}
    streets = ground(TOWN, bundle(tmp_path, bus(stops, [("A", 0), ("B", 9)])))
    found = trips(streets, homes((0, 0)), workplaces((9400, 0), (9100, 0)))
    far, near = (one(found, "tc", destination_id=f"35238000{rank}")["seconds"] for rank in (1, 2))
    assert far is None
    assert near is not None


def test_a_change_is_walked_between_two_stops(tmp_path: Path) -> None:
    stops: dict[str, Spot] = {"A": (0, 0), "B": (4000, 0), "C": (4300, 0), "D": (9000, 0)}
    tables = bus(stops, [("A", 0), ("B", 5)])
    second = bus(stops, [("C", 0), ("D", 5)])
    feeds = [bundle(tmp_path / name, each, f"{name}_gtfs") for name, each in (("un", tables), ("deux", second))]
    found = trips(ground(TOWN, *feeds), homes((0, 0)), workplaces((9000, 0)))
    # 5 min aboard, 4 of walk, 1 of wait, 5 aboard; the walk is at most six minutes.
    assert one(found, "tc")["seconds_p25"] == pytest.approx(15 * 60 + 120, abs=1)
    assert one(found, "tc")["transit_vintage"] == "deux_gtfs_2024 + un_gtfs_2024"


def test_an_unreachable_pair_has_a_row_without_seconds_and_a_far_one_no_row() -> None:
    roads = StraightRoads(river=500)
    places = workplaces((0, 1000), (7000, 0), (21_000, 0), (61_000, 0))
    found = trips(ground(COUNTRY, roads=roads), homes((0, 0)), places)
    assert {(row["mode"], row["destination_id"][-1]) for row in found.to_pylist()} == {
        ("marche", "1"),
        *(("velo", rank) for rank in "12"),
        *(("voiture", rank) for rank in "123"),
    }
    island = rows(found, destination_id="352380001")
    assert [(row["seconds"], row["metres"]) for row in island] == [(None, None)] * 3
    assert found["seconds"].null_count == 3
    assert not pc.any(pc.is_nan(found["seconds"])).as_py()
    assert roads.asked == [("marche", 1, 1), ("velo", 1, 2), ("voiture", 1, 3)]


def test_homes_ask_with_their_neighbours_and_for_what_one_of_them_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    people = homes((0, 0), (20_000, 0), (100, 0), (20_100, 0), (100_000, 0))
    places = workplaces((1000, 0), (19_000, 0), (26_050, 0), (5000, 500))
    whole = trips(ground(COUNTRY), people, places)
    monkeypatch.setitem(trips_module.TOGETHER, "marche", 2)
    roads = StraightRoads()
    assert trips(ground(COUNTRY, roads=roads), people, places).equals(whole)
    # The home without a neighbour reaches nothing on foot, and asks for nothing.
    assert [asked for asked in roads.asked if asked[0] == "marche"] == [("marche", 2, 2), ("marche", 2, 2)]


def test_a_reach_is_included_and_taken_pair_by_pair() -> None:
    found = trips(ground(COUNTRY), homes((0, 0), (100, 0)), workplaces((6000, 0), (6100, 0)))
    walked = [(row["origin_rank"], row["destination_id"][-1]) for row in rows(found, mode="marche")]
    assert walked == [(1, "1"), (2, "1"), (2, "2")]


def test_an_island_is_reached_from_itself_alone(tmp_path: Path) -> None:
    roads = StraightRoads(river=500)
    streets = ground(TOWN, bundle(tmp_path, bus(STOPS, LINE)), roads=roads)
    found = trips(streets, homes((0, 0), (0, 900)), workplaces((4900, 0), (300, 900)))
    for mode in ("marche", "velo", "voiture", "tc"):
        reached = {
            (row["origin_rank"], row["destination_id"][-1])
            for row in rows(found, mode=mode, moment="aller")
            if row["seconds"] is not None
        }
        assert reached == {(1, "1"), (2, "2")}, mode


def test_homes_and_places_outside_the_streets_have_no_row() -> None:
    found = trips(ground(TOWN), homes((0, 0), (50_000, 0)), workplaces((1000, 0), (0, 40_000)))
    assert {(row["origin_rank"], row["destination_id"]) for row in found.to_pylist()} == {(1, "352380001")}
    for starts, ends in ((homes((50_000, 0)), workplaces((0, 0))), (homes((0, 0)), workplaces((50_000, 0)))):
        nothing = trips(ground(TOWN), starts, ends)
        assert nothing.num_rows == 0
        assert nothing.schema.equals(empty_trips().schema)


def test_no_timetable_gives_no_row_of_public_transport() -> None:
    found = trips(ground(TOWN), homes((0, 0)), workplaces((1000, 0)))
    assert set(found["mode"].to_pylist()) == set(REACH_M)


def test_a_home_is_on_the_first_ground_that_covers_it() -> None:
    west, east = ground(square(5000), name="un_2019"), ground(square(12_000), name="deux_2013")
    everywhere = homes((0, 0), (8000, 0), (90_000, 0))
    shares = [
        (kept.road_vintage, mine.table["origin_rank"].to_pylist())
        for kept, mine in best_ground([west, east], everywhere)
    ]
    assert shares == [("un_2019", [1]), ("deux_2013", [2])]
    assert [kept.road_vintage for kept, _ in best_ground([east, west], everywhere)] == ["deux_2013"]
    assert best_ground([], everywhere) == []
