"""Origins of trips, their destinations, and public transport at the door."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.geo.destinations import build_destinations
from dagster_project.geo.inputs import GeoInputError
from dagster_project.geo.origins import MOST_ORIGINS, Homes, build_origins, gather
from dagster_project.geo.supply import build_supply
from dagster_project.geo.zones import departement_of
from tests import geo_support as support

X, Y = 352_000.0, 6_789_000.0  # EPSG:2154
RING = shapely.box(X, Y, X + 600, Y + 600).difference(shapely.box(X + 200, Y + 200, X + 400, Y + 400))
COMMUNE = shapely.box(X - 1000, Y - 1000, X + 2000, Y + 2000)
ZONES = [
    ("COM", "COG", "35238", COMMUNE),
    ("IRIS", "COG", "352380101", COMMUNE),
    ("QPV", "QP2015", "QP035001", RING),
    ("QPV", "QN2024", "QN03501M", RING),
]


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    path = tmp_path / "derived" / "zone_geometries.parquet"
    support.zone_table(path, ZONES)
    return path


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    support.absent_sources(folder)
    support.raw_table(folder, "insee_iris_synthese", {"code": ["352380101"], "P22_POP": ["9000.0"]})
    return folder


def places(table: pa.Table, level: str, generation: str = "QP2015") -> list[tuple[float, float, float]]:
    return [
        (row["x_m"], row["y_m"], row["weight"])
        for row in table.to_pylist()
        if (row["zone_level"], row["generation"]) == (level, generation)
    ]


def test_origins_lie_where_people_live_never_in_the_hole_of_a_ring(zones: Path, raw: Path) -> None:
    table = build_origins(zones, raw)
    quarter = places(table, "QPV")
    assert 1 < len(quarter) <= MOST_ORIGINS
    assert all(shapely.contains_xy(RING, x, y) for x, y, _ in quarter)
    assert sum(weight for *_, weight in quarter) == pytest.approx(1)
    assert set(table["basis"].to_pylist()) == {"surface"}
    assert set(table["departement"].to_pylist()) == {"35"}
    assert all(not shapely.contains_xy(RING, x, y) for x, y, _ in places(table, "HQPV"))
    whole = places(table, "COM", "COG")
    assert 1 < len(whole) <= MOST_ORIGINS
    assert any(shapely.contains_xy(RING, x, y) for x, y, _ in whole)


def test_dwellings_come_before_tiles_and_area(zones: Path, raw: Path) -> None:
    support.dwellings(raw, [(X + 50, Y + 50, 30), (X + 550, Y + 550, 10), (X + 300, Y + 300, 99), (X + 60, Y + 50, 0)])
    table = build_origins(zones, raw)
    assert places(table, "QPV") == [(X + 50, Y + 50, 0.75), (X + 550, Y + 550, 0.25)]
    assert set(table["basis"].to_pylist()) == {"logements"}
    assert places(table, "HQPV") == [(X + 300, Y + 300, 1.0)]  # the hole of the ring is outside of the quarter
    assert sum(weight for *_, weight in places(table, "COM", "COG")) == 1
    assert (X + 300, Y + 300, 99 / 139) in places(table, "COM", "COG")


def test_a_zone_where_nobody_lives_has_no_origin(zones: Path, raw: Path) -> None:
    support.raw_table(raw, "insee_iris_synthese", {"code": ["352380101"], "P22_POP": [""]})
    assert build_origins(zones, raw).num_rows == 0


def test_a_population_that_is_no_number_is_refused(zones: Path, raw: Path) -> None:
    support.raw_table(raw, "insee_iris_synthese", {"code": ["352380101"], "P22_POP": ["beaucoup"]})
    with pytest.raises(GeoInputError, match=r"insee_iris_synthese.*row 2.*P22_POP"):
        build_origins(zones, raw)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(1, 50)), min_size=1, max_size=60, unique=True
    ),
    st.randoms(use_true_random=False),
)
def test_gathering_keeps_everyone_names_homes_and_ignores_order(homes: list[tuple[int, int, int]], shuffle) -> None:  # type: ignore[no-untyped-def]
    def gathered(rows: list[tuple[int, int, int]]) -> list[tuple[float, float, float]]:
        x, y, people = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
        return gather(Homes(x, y, people, "logements"), MOST_ORIGINS)

    found = gathered(homes)
    assert sum(weight for *_, weight in found) == pytest.approx(1)
    assert {(x, y) for x, y, _ in found} <= {(float(x), float(y)) for x, y, _ in homes}
    assert len(found) <= MOST_ORIGINS
    shuffled = list(homes)
    shuffle.shuffle(shuffled)
    assert gathered(shuffled) == found


@pytest.mark.parametrize(
    ("code", "departement"),
    [
        ("QP035005", "35"),
        ("QN2A001I", "2A"),
        ("QP974001", "974"),
        ("35238", "35"),
        ("97101+97102", "971"),
        ("352380101", "35"),
    ],
)
def test_departement_of_zones(code: str, departement: str) -> None:
    assert departement_of(code) == departement


def test_destinations_are_a_point_inside_each_iris_and_each_place_of_offers_once(zones: Path, raw: Path) -> None:
    place = {"libelle": "35 - Rennes", "latitude": 48.1102, "longitude": -1.6731}
    support.raw_table(
        raw, "francetravail_offres", {"id": ["1", "2"], "lieuTravail": [json.dumps(place), '{"libelle": "France"}']}
    )
    support.raw_table(
        raw, "francetravail_offres_plat", {"id": ["3"], "longitude": ["-1.673102"], "latitude": ["48.110201"]}
    )
    support.raw_table(raw, "partenaire_offres", {"offre_id": ["4"], "lon": ["-1,7"], "lat": ["48,1"]})
    rows = build_destinations(zones, raw).to_pylist()
    assert [(row["kind"], row["destination_id"]) for row in rows] == [
        ("lieux_emploi", "352380101"),
        ("offres", "point:-1.67310,48.11020"),
        ("offres", "point:-1.70000,48.10000"),
    ]
    assert shapely.contains_xy(COMMUNE, rows[0]["x_m"], rows[0]["y_m"])


def test_supply_counts_departures_near_homes_and_people_near_frequent_stops(zones: Path, raw: Path) -> None:
    support.dwellings(raw, [(X + 10, Y + 10, 3), (X + 590, Y + 590, 1)])
    stops = pa.table(
        {
            "x_m": [X - 400.0, X - 700.0, X - 700.0],
            "y_m": [Y + 10.0] * 3,
            "rail": [False, False, True],
            "departures": [40.0, 500.0, 100.0],
            "peak_per_hour": [6.0, 60.0, 3.0],
            "transit_vintage": ["2012"] * 3,
            "service_date": ["2012-07-17"] * 3,
        }
    )
    rows = support.rows_of(build_supply(zones, raw, stops), "zone_level", "generation")
    quarter = rows[("QPV", "QP2015")]
    # The second stop is too far for a bus; the tram 710 m away is not.
    assert quarter["departures"] == 140
    assert (quarter["frequent_people"], quarter["people"]) == (3, 4)
    assert build_supply(zones, raw, stops.slice(0, 0)).num_rows == 0


def test_supply_of_a_zone_names_the_timetables_of_its_own_stops(zones: Path, raw: Path) -> None:
    support.dwellings(raw, [(X + 10, Y + 10, 3)])
    stops = pa.table(
        {
            "x_m": [X + 90_000, X - 100, X - 100],
            "y_m": [Y + 10.0] * 3,
            "rail": [False] * 3,
            "departures": [40.0] * 3,
            "peak_per_hour": [6.0] * 3,
            "transit_vintage": ["ailleurs_2025", "star_2012", "star_2012"],
            "service_date": ["2025-09-02", "2012-07-17", "2012-07-17"],
        }
    )
    quarter = support.rows_of(build_supply(zones, raw, stops), "zone_level", "generation")[("QPV", "QP2015")]
    assert (quarter["transit_vintage"], quarter["service_date"]) == ("star_2012", "2012-07-17")
    two = stops.set_column(5, "transit_vintage", pa.array(["ailleurs_2025", "star_2012", "car_2012"]))
    quarter = support.rows_of(build_supply(zones, raw, two), "zone_level", "generation")[("QPV", "QP2015")]
    assert (quarter["transit_vintage"], quarter["service_date"]) == ("car_2012 + star_2012", "2012-07-17")
