"""Our Moran statistics beside those of esda, on grounds without and with ties, and on real neighbourhoods' zones."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from fractions import Fraction
from types import ModuleType

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from dagster_project.models import moran

DRAWS = 199
SEED = 20231124


@pytest.fixture(scope="module")
def esda() -> Iterator[ModuleType]:
    """The peer, interpreted: compiling its kernels costs twenty seconds, and it computes the same without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", True)
        import esda.crand
        import esda.moran

        patch.setattr(esda.crand, "boolean", bool)
        yield esda


def ground(zones: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points that touch where Delaunay's triangles do: from three neighbours to a dozen."""
    points = np.random.default_rng(seed).uniform(size=(zones, 2))
    starts, ends = Delaunay(points).vertex_neighbor_vertices
    return np.repeat(np.arange(zones), np.diff(starts)), ends.astype(np.int64)


def values(kind: str, zones: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed + 1)
    points = np.random.default_rng(seed).uniform(size=(zones, 2))
    drawn = {
        "noise": generator.normal(size=zones),
        "slope": points[:, 0] + generator.normal(scale=0.2, size=zones),
        "heavy tail": generator.pareto(1.5, size=zones),
        "index from 0 to 100": np.clip(np.round(100 * points[:, 1] + generator.normal(scale=30, size=zones)), 0, 100),
        "two values": (points[:, 0] > 0.6).astype(float),
    }
    return drawn[kind]


def both(esda: ModuleType, y: np.ndarray, focal: np.ndarray, neighbour: np.ndarray, draws: int = DRAWS):
    from libpysal.graph import Graph

    graph = Graph.from_arrays(focal, neighbour, np.ones(len(focal))).transform("r")
    before = np.random.get_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        np.random.seed(SEED)
        overall = esda.Moran(y, graph, permutations=draws)
        local = esda.Moran_Local(y, graph, permutations=draws, seed=SEED, alternative="two-sided")
    np.random.set_state(before)
    weights = moran.row_standardised(focal, neighbour, len(y))
    ours = moran.global_moran(y, weights, draws, SEED), moran.local_moran(y, weights, draws, SEED)
    return ours, (overall, local)


CONTINUOUS = ["noise", "slope", "heavy tail"]
TIED = ["index from 0 to 100", "two values"]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", CONTINUOUS + TIED)
def test_statistics_are_those_of_esda(esda: ModuleType, kind: str, seed: int) -> None:
    zones = 40 + 30 * seed
    (overall, local), (peer, peer_local) = both(esda, values(kind, zones, seed), *ground(zones, seed))
    assert overall.i == pytest.approx(peer.I, abs=1e-12)
    assert overall.expected == pytest.approx(peer.EI, abs=1e-12)
    assert local.i == pytest.approx(peer_local.Is, abs=1e-12)
    assert local.quadrant.tolist() == peer_local.q.tolist()
    # the same seed deals the same grounds, so that even what is drawn is the same
    assert overall.drawn == pytest.approx(peer.sim, abs=1e-12)
    assert overall.z == pytest.approx(peer.z_sim, abs=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", CONTINUOUS)
def test_without_ties_local_p_is_that_of_esda(esda: ModuleType, kind: str, seed: int) -> None:
    zones = 40 + 30 * seed
    (_, local), (_, peer) = both(esda, values(kind, zones, seed), *ground(zones, seed))
    assert local.p.tolist() == pytest.approx(peer.p_sim.tolist(), abs=1e-12)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_ties_local_p_is_within_its_monte_carlo_error_of_esda(esda: ModuleType, seed: int) -> None:
    # esda parts tied draws by the rounding of its sums and of its quantiles; four deviations of a gap of two samples
    zones = 40 + 30 * seed
    (_, local), (_, peer) = both(esda, values("index from 0 to 100", zones, seed), *ground(zones, seed))
    bound = 4 * np.sqrt(2 * peer.p_sim * (1 - peer.p_sim) / DRAWS) + 1 / (DRAWS + 1)
    assert (np.abs(local.p - peer.p_sim) <= bound).all()


def exact_two_sided(observed: int, drawn: list[int]) -> Fraction:
    """The rule in whole numbers: quantiles interpolated between draws, ends of the interval counted outside."""
    ordered, last = sorted(drawn), len(drawn) - 1
    share = Fraction(sum(d <= observed for d in drawn), len(drawn))

    def quantile(at: Fraction) -> Fraction:
        place = at * last
        below = int(place)
        return ordered[below] + (place - below) * (ordered[min(below + 1, last)] - ordered[below])

    low, high = quantile(min(share, 1 - share)), quantile(1 - min(share, 1 - share))
    outside = sum(d <= low for d in drawn) + sum(d >= high for d in drawn)
    return min(Fraction(1), Fraction(outside + 1, len(drawn) + 1))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(-1, 6), st.lists(st.integers(0, 5), min_size=2, max_size=25))
def test_two_sided_rule_in_whole_numbers(observed: int, drawn: list[int]) -> None:
    found = moran.two_sided(np.array([observed / 3]), np.array([drawn]) / 3)
    assert found.tolist() == [pytest.approx(float(exact_two_sided(observed, drawn)), abs=1e-12)]


def test_what_is_held_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    focal, neighbour = ground(90, 4)
    weights, y = moran.row_standardised(focal, neighbour, 90), values("slope", 90, 4)
    whole = moran.local_moran(y, weights, DRAWS, SEED)
    monkeypatch.setattr(moran, "HELD", 1)
    assert moran.local_moran(y, weights, DRAWS, SEED).p.tolist() == whole.p.tolist()


def test_another_seed_deals_other_grounds_about_as_far() -> None:
    weights, y = moran.row_standardised(*ground(90, 4), 90), values("slope", 90, 4)
    one, other = (moran.global_moran(y, weights, 999, seed) for seed in (1, 2))
    assert one.i == other.i
    assert one.drawn.tolist() != other.drawn.tolist()
    assert one.z == pytest.approx(other.z, rel=0.1)


def test_where_all_touch_all_every_ground_is_alike() -> None:
    focal, neighbour = np.nonzero(~np.eye(4, dtype=bool))
    found = moran.global_moran(np.array([0.0, 0.0, 4.0, 4.0]), moran.row_standardised(focal, neighbour, 4), 99, SEED)
    assert found.i == pytest.approx(-1 / 3)
    assert found.drawn == pytest.approx(np.full(99, -1 / 3))
    assert found.p > 0
