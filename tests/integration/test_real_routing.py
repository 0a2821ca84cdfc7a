"""Real streets and timetables put together: Rennes of 2012 and 2013, Redon of 2019, trains of three years."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from dagster_project.routing.bundles import Bundle
from dagster_project.routing.grounds import departement_trips, departements_served, network_tables
from dagster_project.routing.trips import empty_trips
from dagster_project.settings import Settings
from dagster_project.sources.crs import TARGET_CRS, transformer

pytestmark = pytest.mark.real_data

# Town hall of Rennes, its station, La Courrouze and Villejean-Université; the station of Redon.
PLACES = {
    "352380101": (-1.6794, 48.1113),
    "352380102": (-1.6722, 48.1036),
    "352380103": (-1.7062, 48.0945),
    "352380104": (-1.7040, 48.1212),
    "352360101": (-2.0866, 47.6512),
}
REDON = {"352360001": (-2.0850, 47.6490)}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bundle_of(dataset: str, vintage: str, file: str, *paths: Path) -> Bundle:
    return Bundle(dataset, vintage, file, tuple((path.name, sha256(path), path) for path in paths))


def table_of(path: Path, points: dict[str, tuple[float, float]], columns: dict[str, Any]) -> Path:
    lonlat = np.array(list(points.values()))
    x, y = transformer("EPSG:4326", TARGET_CRS).transform(*lonlat.T)
    where = {"x_m": x, "y_m": y, "lon": lonlat[:, 0], "lat": lonlat[:, 1], "departement": ["35"] * len(points)}
    pq.write_table(pa.table({**columns, **where}), path)
    return path


def quarters(real_data: Path) -> dict[str, tuple[float, float]]:
    """A point within each QPV of Rennes, 2015."""
    import pyogrio

    path = real_data / "qpv" / "QP_METROPOLE_LB93.shp"
    found = pyogrio.read_dataframe(path, where="COMMUNE_QP = 'Rennes'")
    points = found.geometry.to_crs("EPSG:4326").apply(shapely.point_on_surface)
    return {code: (point.x, point.y) for code, point in zip(found["CODE_QP"], points, strict=True)}


@pytest.fixture(scope="module")
def bundles(real_data: Path) -> list[Bundle]:
    roads, gtfs = real_data / "roads", real_data / "gtfs"
    trains = {"2013": "intercites-2013", "2021": "ter-2021-tronque", "2025": "tgv-2025"}
    return [
        bundle_of("osm_reseau", "2019", "redon", roads / "redon.sans_contact.osm"),
        bundle_of("osm_reseau", "2013", "rennes", roads / "rennes.geojson"),
        bundle_of("star_gtfs", "2012", "star", gtfs / "star-rennes-20120709" / "GTFS-20120618.zip"),
        *(
            bundle_of("sncf_gtfs", vintage, name.partition("-")[0], *sorted((gtfs / f"sncf-{name}").glob("*.txt")))
            for vintage, name in trains.items()
        ),
    ]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("real") / "home", sources="demo")


@pytest.fixture(scope="module")
def homes(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    points = quarters(real_data) | REDON
    assert len(points) == 6
    count = len(points)
    columns = {"zone_level": ["QPV"] * count, "zone_code": list(points), "generation": ["QP2015"] * count}
    path = tmp_path_factory.mktemp("homes") / "homes.parquet"
    return table_of(path, points, columns | {"origin_rank": [1] * count})


@pytest.fixture(scope="module")
def trips(settings: Settings, bundles: list[Bundle], homes: Path, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    columns = {"destination_id": list(PLACES), "kind": ["lieux_emploi"] * len(PLACES)}
    places = table_of(tmp_path_factory.mktemp("places") / "places.parquet", PLACES, columns)
    return pa.concat_tables([empty_trips(), *departement_trips(settings, bundles, "35", homes, places)])


def times(trips: pa.Table, zone: str, place: str) -> dict[tuple[str, str], float | None]:
    return {
        (row["mode"], row["moment"]): row["seconds"]
        for row in trips.to_pylist()
        if (row["zone_code"], row["destination_id"]) == (zone, place)
    }


def test_every_quarter_of_rennes_reaches_the_town_hall_by_every_mode(trips: pa.Table, real_data: Path) -> None:
    assert trips.schema.equals(empty_trips().schema)
    for zone in quarters(real_data):
        found = times(trips, zone, "352380101")
        assert set(found) == {
            ("voiture", "aller"),
            ("velo", "aller"),
            ("marche", "aller"),
            ("tc", "aller"),
            ("tc", "retour"),
        }
        assert None not in found.values(), zone
        car, bicycle, on_foot, transit = (found[mode, "aller"] for mode in ("voiture", "velo", "marche", "tc"))
        assert car < bicycle < on_foot, zone
        assert transit <= on_foot, zone
        assert 60 < car < 1800, zone
        assert 300 < transit < 3600, zone


def test_the_bus_shortens_the_walk_to_the_town_hall(trips: pa.Table, real_data: Path) -> None:
    for zone in quarters(real_data):
        found = times(trips, zone, "352380101")
        assert found["tc", "aller"] < 0.9 * found["marche", "aller"], zone


def test_times_by_transit_are_within_their_quartiles(trips: pa.Table) -> None:
    transit = [row for row in trips.to_pylist() if row["mode"] == "tc" and row["seconds"] is not None]
    assert len(transit) > 30
    for row in transit:
        assert row["seconds_p25"] <= row["seconds"] <= row["seconds_p75"]
        assert (row["transit_vintage"], row["service_date"]) == ("star_gtfs_2012", "2012-07-17")


def test_redon_is_routed_on_its_own_streets_and_nothing_joins_it_to_rennes(trips: pa.Table) -> None:
    redon = [row for row in trips.to_pylist() if row["zone_code"] in REDON]
    assert {row["road_vintage"] for row in redon} == {"redon_2019"}
    assert {row["destination_id"] for row in redon} == {"352360101"}
    assert {row["mode"] for row in redon} >= {"voiture", "velo", "marche"}
    assert all(row["seconds"] and row["metres"] for row in redon if row["mode"] != "tc")


def test_only_departements_with_streets_are_served(settings: Settings, bundles: list[Bundle], homes: Path) -> None:
    assert departements_served(settings, bundles, homes) == ["35"]


def test_each_network_says_what_became_of_it(settings: Settings, bundles: list[Bundle]) -> None:
    tables = network_tables(settings, bundles)
    told = {row["file"]: row for row in tables["networks"].to_pylist()}
    assert set(told) == {"redon", "rennes", "star", "intercites", "ter", "tgv"}
    assert (told["redon"]["status"], told["rennes"]["status"]) == ("retenu", "retenu")
    assert told["star"]["status"] == "retenu"
    assert told["star"]["reason_fr"].endswith("service du 17/07/2012")
    assert told["ter"]["status"] == "refuse"
    assert "22\u202f532 courses sur 26\u202f310" in told["ter"]["reason_fr"]
    for train in ("intercites", "tgv"):
        # Read whole: what keeps them out is their few stops in these streets, or their dates.
        assert told[train]["status"] in {"hors_zone", "hors_validite"}
        assert told[train]["problem"] is None
    stops = tables["transit_stops"].to_pylist()
    assert len(stops) > 400
    assert not any(row["rail"] for row in stops)  # this feed holds buses alone: the metro is not in it
