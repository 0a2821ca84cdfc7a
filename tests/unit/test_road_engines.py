"""Both engines on a city whose shortest paths are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dagster_project.routing.roads import engine_for, valhalla
from dagster_project.routing.roads.engine import EngineError, RoadEngine, crow_metres, in_blocks
from dagster_project.routing.roads.osrm import Osrm
from dagster_project.routing.roads.tiles import RoadNetwork
from dagster_project.routing.roads.valhalla import Valhalla
from dagster_project.settings import Settings
from tests.road_city import SIDE, City, build_city, corner, network_of, write_osm

CITY = build_city()
ISLAND = SIDE * SIDE
WALK_M_S = 5000 / 3600


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    folder = tmp_path_factory.mktemp("roads")
    return network_of(write_osm(CITY, folder / "city.osm"), folder / "cache")


@pytest.fixture(scope="module", params=["valhalla", "osrm"])
def engine(request: pytest.FixtureRequest, network: RoadNetwork) -> RoadEngine:
    return engine_for(Settings(road_engine=request.param), network)


def pick(*ranks: int) -> np.ndarray:
    return CITY.corners[list(ranks)]


@pytest.mark.parametrize("mode", ["voiture", "marche", "velo"])
def test_distances_are_those_of_the_streets(engine: RoadEngine, mode: str) -> None:
    ranks = np.random.default_rng(3).choice(ISLAND, 60, replace=False)
    found = engine.matrix(CITY.corners[ranks[:30]], CITY.corners[ranks[30:]], mode)
    truth = CITY.true_metres("voiture" if mode == "velo" else mode)[np.ix_(ranks[:30], ranks[30:])]
    if mode == "marche":
        assert found.metres == pytest.approx(truth, rel=0.01, abs=2)
    elif mode == "voiture":  # a longer way with fewer turns may be quicker
        assert (found.metres >= truth * 0.99).all()
        assert np.mean(np.abs(found.metres - truth) <= 0.01 * truth + 2) > 0.9
    else:  # engines differ on whether a bicycle takes the footpath
        assert np.mean(found.metres <= truth * 1.01 + 2) > 0.9
    assert found.unreachable == 0
    assert ((found.seconds > 0) | (truth == 0)).all()


def test_a_one_way_street_holds_cars_only(engine: RoadEngine) -> None:
    west, east = pick(corner(2, 0)), pick(corner(8, 0))
    assert engine.matrix(west, east, "voiture").metres.item() == pytest.approx(600, rel=0.01)
    assert engine.matrix(east, west, "voiture").metres.item() == pytest.approx(800, rel=0.01)
    assert engine.matrix(east, west, "marche").metres.item() == pytest.approx(600, rel=0.01)


def test_a_footpath_is_barred_to_cars(engine: RoadEngine) -> None:
    ends = pick(corner(0, 0)), pick(corner(SIDE - 1, SIDE - 2))
    across, up = 100.0 * (SIDE - 1), 100.0 * (SIDE - 2)
    assert engine.matrix(*ends, "marche").metres.item() == pytest.approx((across**2 + up**2) ** 0.5, rel=0.01)
    assert engine.matrix(*ends, "voiture").metres.item() == pytest.approx(across + up, rel=0.01)


def test_walking_takes_the_time_of_a_walk(engine: RoadEngine) -> None:
    found = engine.matrix(pick(corner(1, 3)), pick(corner(9, 7)), "marche")
    assert found.seconds.item() == pytest.approx(found.metres.item() / WALK_M_S, rel=0.05)


@pytest.mark.parametrize("mode", ["voiture", "velo", "marche"])
def test_an_island_is_unreachable_but_on_the_network(engine: RoadEngine, mode: str) -> None:
    points = pick(corner(3, 3), ISLAND + 12, ISLAND + 25)
    found = engine.matrix(points, points, mode)
    apart = np.array([[False, True, True], [True, False, False], [True, False, False]])
    assert (np.isnan(found.seconds) == apart).all()
    assert (np.isnan(found.metres) == apart).all()
    assert (found.unreachable, found.far) == (4, 0)


@pytest.mark.parametrize("mode", ["voiture", "velo", "marche"])
@pytest.mark.parametrize("swapped", [False, True])
def test_points_off_the_network_are_unreachable_and_counted(engine: RoadEngine, mode: str, swapped: bool) -> None:
    off = np.concatenate([pick(corner(4, 4)), [[-2.2, 47.6], [-2.0, 47.4940]], pick(corner(5, 6))])
    on = np.tile(pick(corner(7, 7), corner(1, 8)), (40, 1))
    found = engine.matrix(*((on, off) if swapped else (off, on)), mode)
    far, near = (found.far_destinations, found.far_origins) if swapped else (found.far_origins, found.far_destinations)
    assert far.tolist() == [False, True, True, False]
    assert not near.any()
    assert found.unreachable == found.far == 2 * len(on)
    alone = engine.matrix(off[1:3], off[1:3], mode)
    assert alone.far == alone.unreachable == 4


def test_a_street_within_the_snapping_distance_is_taken(network: RoadNetwork) -> None:
    south = pick(corner(4, 0)) - [0, 400 / 111_195]
    for kind in (Valhalla, Osrm):
        assert kind(network).matrix(south, pick(corner(9, 0)), "marche").far == 0
        assert kind(network, snap_m=300).matrix(south, pick(corner(9, 0)), "marche").far == 1


def test_blocks_and_threads_change_nothing(network: RoadNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    points = CITY.corners[::3]
    whole = {mode: Valhalla(network).matrix(points, points, mode) for mode in ("voiture", "marche")}
    monkeypatch.setattr(valhalla, "BLOCK", {"voiture": (7, 11), "marche": (5, 13)})
    for mode, wanted in whole.items():
        one, other = (Valhalla(network, threads=threads).matrix(points, points, mode) for threads in (1, 2))
        assert np.array_equal(one.seconds, other.seconds, equal_nan=True)
        assert np.array_equal(one.metres, wanted.metres, equal_nan=True)
        # Which turns a time counts depends on where the engine's two searches meet, and that on the block.
        assert np.mean((np.abs(one.seconds - wanted.seconds) <= 1) | np.isnan(one.seconds)) > 0.99


def test_pairs_beyond_reach_have_no_path_and_do_not_spoil_the_others(
    network: RoadNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(valhalla.REACH_M, "marche", 2000.0)
    points = pick(corner(0, 1), corner(5, 5), corner(9, 2), ISLAND, ISLAND + 9)
    found = Valhalla(network).matrix(points, points, "marche").seconds
    assert np.isnan(found).tolist() == [[i // 3 != j // 3 for j in range(5)] for i in range(5)]


def test_the_matrix_agrees_with_routes(network: RoadNetwork) -> None:
    engine = Valhalla(network)
    points = CITY.corners[np.random.default_rng(8).choice(ISLAND, 12, replace=False)]
    for mode in ("voiture", "velo", "marche"):
        matrix = engine.matrix(points[:6], points[6:], mode)
        routes = [[engine.route(one, other, mode)[0] for other in points[6:]] for one in points[:6]]
        assert matrix.seconds == pytest.approx(np.array(routes), rel=0.02, abs=2)
    assert np.isnan(engine.route(points[0], CITY.corners[ISLAND + 3], "marche")).all()


def test_two_engines_walk_the_same_distances(network: RoadNetwork) -> None:
    """Speeds and turn costs are each engine's own; lengths of walks and what is joined to what are not."""
    one, other = (kind(network).matrix(CITY.corners[::5], CITY.corners[2::5], "marche") for kind in (Valhalla, Osrm))
    assert (np.isnan(one.seconds) == np.isnan(other.seconds)).all()
    ratio = one.metres / np.where(other.metres > 0, other.metres, np.nan)
    assert np.nanmedian(ratio) == pytest.approx(1, abs=0.01)
    assert np.nanquantile(np.abs(ratio - 1), 0.95) < 0.02


@pytest.mark.parametrize("points", [np.zeros(2), np.zeros((2, 3)), [[0.0, 91.0]], [[181.0, 0.0]], [[np.nan, 0.0]]])
def test_what_is_no_point_is_refused(engine: RoadEngine, points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="point"):
        engine.matrix(points, CITY.corners[:1], "marche")


def test_no_points_give_an_empty_matrix(engine: RoadEngine) -> None:
    found = engine.matrix(np.empty((0, 2)), CITY.corners[:3], "voiture")
    assert found.seconds.shape == (0, 3)
    assert found.unreachable == found.far == 0


def test_an_engine_is_named_by_the_settings(network: RoadNetwork) -> None:
    assert engine_for(Settings(), network).name == "valhalla"
    with pytest.raises(EngineError, match="network"):
        engine_for(Settings(), None)
    with pytest.raises(EngineError, match="DQ_TOMTOM_KEY"):
        engine_for(Settings(road_engine="tomtom"), None)
    assert engine_for(Settings(road_engine="tomtom", tomtom_key="k"), None).name == "tomtom"


def test_crow_distances_are_those_of_the_city() -> None:
    city: City = CITY
    assert crow_metres(city.corners[0], city.corners[SIDE - 1]) == pytest.approx(1100, rel=1e-4)


def test_every_pair_is_asked_once() -> None:
    asked = np.zeros((7, 5), int)

    def ask(rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray]:
        asked[rows, columns] += 1
        return np.ones(asked[rows, columns].shape), np.zeros(asked[rows, columns].shape)

    seconds, metres = in_blocks(7, 5, (3, 2), ask, threads=2)
    assert (asked == 1).all()
    assert (seconds == 1).all()
    assert (metres == 0).all()


def test_paths_do_not_matter(tmp_path: Path, network: RoadNetwork) -> None:
    """An extract without a name's ending, as the archive keeps it, gives the same network."""
    other = network_of(write_osm(CITY, tmp_path / "3f2a"), tmp_path / "cache")
    assert other.pbf.read_bytes() == network.pbf.read_bytes()
