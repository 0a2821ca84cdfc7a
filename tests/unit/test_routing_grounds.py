"""Networks and timetables of a run: what is received, what is judged, what serves which homes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.routing.bundles import Bundle, received_bundles, road_datasets, transit_datasets
from dagster_project.routing.feeds import service_for
from dagster_project.routing.grounds import (
    NETWORK_COLUMNS,
    departement_trips,
    departements_served,
    network_tables,
    received,
    stacked,
)
from dagster_project.routing.trips import empty_trips
from dagster_project.settings import Settings
from dagster_project.sources.archive import Archive
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.sources.crs import TARGET_CRS, transformer
from tests.road_city import build_city, corner, write_osm
from tests.trip_grounds import Spot, bundle, bus, square

KEYS = ("zone_level", "zone_code", "generation", "origin_rank", "kind", "destination_id", "mode", "moment")
STOPS: dict[str, Spot] = {"A": (0, 0), "B": (5000, 0)}
LINE = [("A", 0), ("B", 10)]
CITY = build_city()


def whole(tables: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables([empty_trips(), *tables])


# What a run received


def test_bundles_are_found_by_the_manifests_newest_vintage_first(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, sources="demo")
    files = [
        {"vintage": "2013", "file": "rennes", "parts": [{"name": "rennes.geojson", "sha256": "ab" * 32}]},
        {"vintage": "2019", "file": "redon", "parts": [{"name": "redon.osm", "sha256": "cd" * 32}]},
    ]
    feed = {"vintage": "2025", "file": "tgv", "parts": [{"name": n, "sha256": s * 64} for n, s in ("a1", "b2")]}
    settings.raw_dir.mkdir(parents=True)
    for dataset, listed in (("osm_reseau", files), ("sncf_gtfs", [feed])):
        (settings.raw_dir / f"{dataset}.json").write_text(json.dumps({"files": listed}), encoding="utf-8")
    found = received(settings, ["osm_reseau", "sncf_gtfs"])
    assert found == received_bundles(settings.raw_dir, settings.archive_dir, ["osm_reseau", "sncf_gtfs"])
    assert [(each.dataset, each.name) for each in found] == [
        ("osm_reseau", "redon_2019"),
        ("osm_reseau", "rennes_2013"),
        ("sncf_gtfs", "sncf_gtfs_2025"),
    ]
    assert [each.digest for each in found] == ["cd" * 32, "ab" * 32, f"{'1' * 64}+{'2' * 64}"]
    assert found[0].parts[0][2] == Archive(settings.archive_dir).object_path("cd" * 32)


def test_the_catalogue_tells_streets_from_timetables() -> None:
    catalogue = load_catalogue().values()
    assert road_datasets(catalogue) == ("osm_reseau",)
    assert set(transit_datasets(catalogue)) == {"star_gtfs", "sncf_gtfs"}


# Which timetables serve


def verdicts(*bundles: Bundle) -> dict[str, tuple[str, str]]:
    return {v.bundle.name: (v.status, v.reason) for v in service_for(square(12_000).extent, bundles).verdicts}


def test_the_feed_with_most_stops_inside_leads_and_another_year_is_left_out_with_its_dates(tmp_path: Path) -> None:
    three: dict[str, Spot] = STOPS | {"C": (6000, 0)}
    lead = bundle(tmp_path / "lead", bus(three, [*LINE, ("C", 12)], days=("20120601", "20120831")), vintage="2012")
    old = bundle(tmp_path / "old", bus(STOPS, LINE, days=("20100101", "20101231")), "sncf_gtfs", "2010")
    same = bundle(tmp_path / "same", bus(STOPS, LINE, days=("20120101", "20121231")), "sncf_gtfs", "2012")
    service = service_for(square(12_000).extent, [old, same, lead])
    assert service.day == date(2012, 6, 5)
    assert service.vintage == "star_gtfs_2012 + sncf_gtfs_2012"
    assert [feed.name for feed in service.feeds] == ["star_gtfs_2012", "sncf_gtfs_2012"]
    told = verdicts(old, same, lead)
    assert told["star_gtfs_2012"] == ("retenu", "3 arrêts dans le réseau de rues, service du 05/06/2012")
    assert told["sncf_gtfs_2012"][0] == "retenu"
    status, reason = told["sncf_gtfs_2010"]
    assert status == "hors_validite"
    assert "du 01/01/2010 au 31/12/2010, pas le 05/06/2012" in reason


def test_a_feed_outside_the_streets_is_said_and_kept_out(tmp_path: Path) -> None:
    away = bundle(tmp_path / "away", bus({"A": (90_000, 0), "B": (0, 0)}, LINE))
    service = service_for(square(12_000).extent, [away])
    assert (service.feeds, service.day, service.vintage) == ((), None, None)
    assert verdicts(away) == {"star_gtfs_2024": ("hors_zone", "1 arrêt(s) dans le réseau de rues")}


def test_a_truncated_feed_is_refused_and_the_other_serves(tmp_path: Path) -> None:
    tables = bus(STOPS, LINE)
    lines = tables["stop_times.txt"].splitlines(keepends=True)
    cut = bundle(tmp_path / "cut", tables | {"stop_times.txt": "".join(lines[:41])}, "sncf_gtfs", "2021")
    whole = bundle(tmp_path / "whole", tables)
    told = verdicts(cut, whole)
    assert told["sncf_gtfs_2021"][0] == "refuse"
    assert "horaires tronqués : 64 courses sur 84 sans horaire" in told["sncf_gtfs_2021"][1]
    assert told["star_gtfs_2024"][0] == "retenu"


def test_a_feed_without_a_tuesday_leaves_the_lead_to_the_next(tmp_path: Path) -> None:
    three: dict[str, Spot] = STOPS | {"C": (6000, 0)}
    monday = bundle(tmp_path / "un", bus(three, LINE, days=("20240101", "20240101")), "sncf_gtfs")
    service = service_for(square(12_000).extent, [monday, bundle(tmp_path / "deux", bus(STOPS, LINE))])
    assert service.vintage == "star_gtfs_2024"
    assert {v.bundle.dataset: v.status for v in service.verdicts} == {
        "sncf_gtfs": "hors_validite",
        "star_gtfs": "retenu",
    }


def test_no_timetable_is_no_service() -> None:
    service = service_for(square(12_000).extent, [])
    assert (service.feeds, service.day, service.vintage, service.verdicts) == ((), None, None, ())


# Grounds of a run: the city of straight streets, whose main grid is 1.1 km wide, with its island 5 km to the east


def streets(path: Path, file: str, vintage: str) -> Bundle:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Bundle("osm_reseau", vintage, file, ((path.name, sha256, path),))


def city_bus(folder: Path, **changes: int) -> Bundle:
    """From the south-west corner of the main grid to its north-east one in two minutes."""
    tables = bus({"SO": (0, 0), "NE": (0, 0)}, [("SO", 0), ("NE", 2), ("SO", 4)], **changes)
    ends = {"SO": CITY.corners[corner(0, 0)], "NE": CITY.corners[corner(11, 11)]}
    places = [f"{name},{name},{lat:.7f},{lon:.7f}" for name, (lon, lat) in ends.items()]
    stops = "\n".join(["stop_id,stop_name,stop_lat,stop_lon", *places, ""])
    return bundle(folder, tables | {"stops.txt": stops})


def table_of(lonlat: np.ndarray, path: Path, **columns: list) -> Path:
    x, y = transformer("EPSG:4326", TARGET_CRS).transform(*lonlat.T)
    pq.write_table(pa.table({**columns, "x_m": x, "y_m": y, "lon": lonlat[:, 0], "lat": lonlat[:, 1]}), path)
    return path


class Run:
    """A home with two copies of the city, the newer of which is broken, one bus line, homes and places."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(home=folder / "home", sources="demo")
        good = write_osm(CITY, folder / "city.osm")
        bad = folder / "bad.osm"
        bad.write_bytes(good.read_bytes()[:-2000])
        self.good, self.bad = streets(good, "rennes", "2013"), streets(bad, "redon", "2019")
        self.bus = city_bus(folder / "bus")
        island = 12 * 12
        origins = np.vstack([CITY.corners[[corner(1, 1), corner(10, 2), island]], [[2.35, 48.85]]])
        named = [("QPV", "QP035002", 1), ("QPV", "QP035001", 1), ("HQPV", "35238", 1), ("QPV", "QP075001", 1)]
        level, code, rank = map(list, zip(*named, strict=True))
        self.homes = table_of(
            origins, folder / "homes.parquet", zone_level=level, zone_code=code, generation=["QP2015"] * 4,
            origin_rank=rank, departement=["35", "35", "35", "75"],
        )  # fmt: skip
        places = CITY.corners[[corner(11, 10), corner(3, 3)]]
        self.places = table_of(
            places, folder / "places.parquet", destination_id=["352380102", "352380101"], kind=["lieux_emploi"] * 2
        )
        self.trips = whole(departement_trips(self.settings, self.bundles, "35", self.homes, self.places))

    @property
    def bundles(self) -> list[Bundle]:
        return [self.good, self.bad, self.bus]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("grounds"))


def test_trips_of_a_departement_are_sorted_typed_and_those_of_its_homes(run: Run) -> None:
    found = run.trips
    assert found.schema.equals(empty_trips().schema)
    keys = [tuple(row[name] for name in KEYS) for row in found.to_pylist()]
    assert keys == sorted(set(keys))
    assert {key[1] for key in keys} == {"35238", "QP035001", "QP035002"}
    assert set(found["road_vintage"].to_pylist()) == {"rennes_2013"}
    assert {row["transit_vintage"] for row in found.to_pylist() if row["mode"] == "tc"} == {"star_gtfs_2024"}


def test_walks_are_as_long_as_the_streets(run: Run) -> None:
    known = CITY.true_metres("marche")
    starts = {"QP035002": corner(1, 1), "QP035001": corner(10, 2)}
    ends = {"352380102": corner(11, 10), "352380101": corner(3, 3)}
    walks = [row for row in run.trips.to_pylist() if row["mode"] == "marche" and row["zone_code"] in starts]
    assert len(walks) == 4
    for row in walks:
        start, end = starts[row["zone_code"]], ends[row["destination_id"]]
        assert row["metres"] == pytest.approx(known[start, end], rel=0.01, abs=2)


def test_the_bus_shortens_the_walk_across_the_city_and_lengthens_none(run: Run) -> None:
    by_pair = {
        (row["zone_code"], row["destination_id"], row["mode"]): row["seconds"]
        for row in run.trips.to_pylist()
        if row["moment"] == "aller"
    }
    on_foot, by_bus = (by_pair["QP035002", "352380102", mode] for mode in ("marche", "tc"))
    assert by_bus < on_foot
    for (zone, place, mode), seconds in by_pair.items():
        if mode == "tc" and seconds is not None:
            assert seconds <= by_pair[zone, place, "marche"]


def test_nothing_leads_from_the_island_and_that_is_said_of_every_pair(run: Run) -> None:
    island = [row for row in run.trips.to_pylist() if row["zone_code"] == "35238"]
    assert {row["seconds"] for row in island} == {None}
    assert len(island) == 2 * 5  # places × ways


def test_departements_are_those_with_a_home_in_the_streets(run: Run) -> None:
    assert departements_served(run.settings, run.bundles, run.homes) == ["35"]
    assert departements_served(run.settings, [run.bad, run.bus], run.homes) == []


def test_a_broken_extract_is_told_and_the_other_serves(run: Run) -> None:
    tables = network_tables(run.settings, run.bundles)
    told = {row["file"]: row for row in tables["networks"].to_pylist()}
    assert tables["networks"].column_names == list(NETWORK_COLUMNS)
    assert told["redon"]["status"] == "refuse"
    assert told["redon"]["reason_fr"].startswith("bad.osm")
    assert told["rennes"]["status"] == "retenu"
    assert told["rennes"]["reason_fr"] == "41 voies, 418 points"
    assert told["f"]["status"] == "retenu"
    assert told["f"]["kind"] == "horaires"
    assert told["f"]["problem"] is None


def test_stops_are_counted_for_the_day_and_its_peak(run: Run, tmp_path: Path) -> None:
    stops = {row["stop_id"]: row for row in network_tables(run.settings, run.bundles)["transit_stops"].to_pylist()}
    assert sorted(stops) == ["star_gtfs_2024:NE", "star_gtfs_2024:SO"]
    # A bus every ten minutes from 06:00 to 19:50; it ends where it began, where nobody boards it any more.
    for row in stops.values():
        assert (row["departures"], row["peak_per_hour"], row["rail"]) == (84, 6, False)
        assert row["service_date"] == "2024-01-02"
    tram = network_tables(run.settings, [run.good, city_bus(tmp_path / "tram", kind=0)])["transit_stops"]
    assert tram["rail"].to_pylist() == [True, True]


def test_a_stop_of_two_networks_is_counted_once(run: Run, tmp_path: Path) -> None:
    newer = streets(write_osm(CITY, tmp_path / "newer.osm", mark=True), "redon", "2019")
    alone, together = (
        network_tables(run.settings, roads)["transit_stops"]
        for roads in ([run.good, run.bus], [run.good, newer, run.bus])
    )
    assert together.equals(alone)


def test_the_newest_streets_that_cover_a_home_win(run: Run, tmp_path: Path) -> None:
    newer = streets(write_osm(CITY, tmp_path / "newer.osm", mark=True), "redon", "2019")
    found = whole(departement_trips(run.settings, [run.good, newer], "35", run.homes, run.places))
    assert set(found["road_vintage"].to_pylist()) == {"redon_2019"}
    assert set(found["mode"].to_pylist()) == {"marche", "velo", "voiture"}


def test_without_streets_every_table_is_there_empty_and_typed(run: Run) -> None:
    full = network_tables(run.settings, run.bundles)
    for bundles in ([], [run.bus]):
        tables = network_tables(run.settings, bundles)
        assert tables["transit_stops"].num_rows == 0
        assert {name: table.schema for name, table in tables.items()} == {
            name: table.schema for name, table in full.items()
        }
        found = whole(departement_trips(run.settings, bundles, "35", run.homes, run.places))
        assert found.num_rows == 0
        assert found.schema.equals(empty_trips().schema)
        assert departements_served(run.settings, bundles, run.homes) == []


def test_a_departement_off_the_streets_has_no_trip(run: Run) -> None:
    for code in ("75", "99"):
        found = whole(departement_trips(run.settings, run.bundles, code, run.homes, run.places))
        assert (found.num_rows, found.schema) == (0, empty_trips().schema)


def test_tables_of_departements_are_put_end_to_end(run: Run, tmp_path: Path) -> None:
    assert whole(stacked([])).schema.equals(empty_trips().schema)
    paths = [tmp_path / "35.parquet", tmp_path / "75.parquet"]
    for path, table in zip(paths, (run.trips, empty_trips()), strict=True):
        pq.write_table(table.replace_schema_metadata({"made": "here"}), path)
    assert whole(stacked(paths)).equals(run.trips)


def test_the_same_bytes_give_the_same_trips(run: Run, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", sources="demo")
    again = whole(departement_trips(settings, run.bundles[::-1], "35", run.homes, run.places))
    assert again.equals(run.trips)
