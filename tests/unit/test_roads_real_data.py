"""Real extracts: Redon as OpenStreetMap XML (2019), Rennes as GeoJSON lines without numbers (2013)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import osmium
import pytest

from dagster_project.routing.roads.engine import LonLat
from dagster_project.routing.roads.osrm import Osrm
from dagster_project.routing.roads.tiles import RoadNetwork
from dagster_project.routing.roads.valhalla import Valhalla
from tests.road_city import network_of

pytestmark = pytest.mark.real_data

NOT_STREETS = ("construction", "proposed")


@pytest.fixture(scope="module")
def redon(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    return network_of(real_data / "roads" / "redon.sans_contact.osm", tmp_path_factory.mktemp("redon"))


@pytest.fixture(scope="module")
def rennes(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    return network_of(real_data / "roads" / "rennes.geojson", tmp_path_factory.mktemp("rennes"))


def near_streets(network: RoadNetwork, count: int) -> LonLat:
    """Corners of streets drawn at random, moved by about 30 m, as dwellings stand."""
    found = set()
    for way in osmium.FileProcessor(str(network.pbf)).with_locations():
        if way.is_way() and way.tags.get("highway", "construction") not in NOT_STREETS:
            found |= {(node.lon, node.lat) for node in way.nodes if node.location.valid()}
    random = np.random.default_rng(2)
    return random.choice(np.array(sorted(found)), count, replace=False) + random.normal(0, 3e-4, (count, 2))


def counts(network: RoadNetwork) -> Counter[str]:
    return Counter(one.type_str() for one in osmium.FileProcessor(str(network.pbf)))


def test_extracts_hold_what_was_counted_elsewhere(redon: RoadNetwork, rennes: RoadNetwork) -> None:
    assert counts(redon) == {"n": 10_392, "w": 1752, "r": 69}
    assert counts(rennes) == {"n": 13_093, "w": 3065}
    assert (redon.highways, rennes.highways) == (370, 3065)
    assert redon.extent.bounds == pytest.approx((-2.0937065, 47.6462703, -2.079856, 47.6529646))
    assert rennes.covers(np.array([[-1.6778, 48.1113], [-2.0870, 47.6510]])).tolist() == [True, False]


# Least share of pairs for which the matrix and the engine's own `route` agree: on reachability, and on the time to
# 1 % (and 1 s). Measured on these 400 pairs, Redon then Rennes: car 95 and 100 %, 95 and 89 %; bicycle 96 and 100 %,
# 99 and 94 %; foot 100 % throughout. Where they differ, points may start from several streets, and each chooses.
AGREEMENT = {"voiture": (0.92, 0.86), "velo": (0.92, 0.91), "marche": (0.99, 0.99)}


@pytest.mark.parametrize("mode", ["voiture", "velo", "marche"])
@pytest.mark.parametrize("town", ["redon", "rennes"])
def test_streets_are_routed_and_matrix_and_route_agree(request: pytest.FixtureRequest, town: str, mode: str) -> None:
    network = request.getfixturevalue(town)
    engine, points = Valhalla(network), near_streets(network, 40)
    found = engine.matrix(points[:20], points[20:], mode)
    assert found.unreachable < 0.3 * found.seconds.size
    routes = np.array([[engine.route(one, other, mode) for other in points[20:]] for one in points[:20]])
    both = ~np.isnan(found.seconds) & ~np.isnan(routes[..., 0])
    reachable = np.mean(np.isnan(found.seconds) == np.isnan(routes[..., 0]))
    gap = np.abs(found.seconds - routes[..., 0])[both]
    same = np.mean(gap <= 1 + 0.01 * routes[..., 0][both])
    assert reachable >= AGREEMENT[mode][0], (reachable, same)
    assert same >= AGREEMENT[mode][1], (reachable, same)


@pytest.mark.parametrize("town", ["redon", "rennes"])
def test_two_engines_walk_alike(request: pytest.FixtureRequest, town: str) -> None:
    """Median ratio of walking distances within 5 %, over pairs farther apart than 300 m.

    Reachability is not compared here: around the many small parts of these networks each engine picks by its own
    rule whether a point starts from the nearest street or from the nearest large part.
    """
    network = request.getfixturevalue(town)
    points = near_streets(network, 120)
    one, other = (kind(network).matrix(points[:60], points[60:], "marche") for kind in (Valhalla, Osrm))
    far_apart = ~np.isnan(one.seconds) & (other.metres > 300)
    assert np.median(one.metres[far_apart] / other.metres[far_apart]) == pytest.approx(1, abs=0.05)
    assert np.count_nonzero(far_apart) > 1000
