"""Valhalla in this process: tiles built by the program its wheel ships, matrices by its Actor.

What its matrices need beside a call, each found by comparing with `route`:

- limits raised: the defaults are those of a public service;
- points off the network left out: in a search by origin they get 0 s, or end the process;
- distances of pairs without a path taken for unknown: they come as 0;
- pairs at 0 s whose nearest streets are apart asked again as routes: where the nearest street belongs to a small part
  of the network the engine also starts from a larger one, which two distant points may share.
"""

from __future__ import annotations

import copy
import ctypes
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from dagster_project.routing.roads.engine import (
    MODES,
    SNAP_M,
    Block,
    EngineError,
    LonLat,
    Matrix,
    Mode,
    Times,
    checked,
    compact,
    crow_metres,
    in_blocks,
    in_halves,
    spread,
)
from dagster_project.routing.roads.tiles import RoadNetwork

# The options of the build that we set; they name the folder of tiles.
BUILD: dict[str, Any] = {"include_construction": False}
TAIL = 800  # characters of the builder's log that an error shows
# 0 s between streets farther apart than this is asked again; nearer, the error is of a minute or two on few pairs.
SAME_PLACE_M = 200.0
# On foot streets have no direction, and one search per origin gives what `route` does in a quarter of the time;
# by car and bicycle that search misses paths.
SEARCH = {"voiture": "costmatrix", "velo": "costmatrix", "marche": "timedistancematrix"}
# Origins and destinations of a block. Both are neighbours: a search aims at the nearest of those it has yet to meet.
# Searches from both ends cost by pair and hold some 1.2 MB for each point; one per origin costs the same for few
# destinations as for many.
BLOCK = {"voiture": (100, 100), "velo": (120, 120), "marche": (50, 2000)}
COSTING = {"voiture": "auto", "velo": "bicycle", "marche": "pedestrian"}
# Pairs farther apart, as the crow flies, have no path; the search by origin slows down with this.
REACH_M = {"voiture": 1_000_000.0, "velo": 200_000.0, "marche": 50_000.0}
LOCATED_AT_ONCE = 5000


class Valhalla:
    """Valhalla on one network.

    Args:
        network: the network to build tiles from, unless they stand.
        threads: blocks of a matrix computed at once, each by an actor of its own.
        snap_m: points farther than this from every street of their mode are not on the network.
    """

    name = "valhalla"

    def __init__(self, network: RoadNetwork, *, threads: int = 1, snap_m: float = SNAP_M) -> None:
        self.version = version("pyvalhalla")
        self.tiles = tiles_of(network)
        self._threads, self._snap_m = threads, snap_m
        self._free: dict[Mode, LifoQueue[Any]] = {mode: LifoQueue() for mode in MODES}

    def matrix(self, origins: LonLat, destinations: LonLat, mode: Mode) -> Matrix:
        origins, destinations = checked(origins), checked(destinations)
        streets = self._streets(np.concatenate([origins, destinations]), mode)
        far = np.isnan(streets[:, 0])
        far_origins, far_destinations = far[: len(origins)], far[len(origins) :]
        rows_at_once, columns_at_once = BLOCK[mode]
        first = compact(origins, far_origins, rows_at_once)
        last = compact(destinations, far_destinations, columns_at_once)
        sources, targets = origins[first], destinations[last]
        source_streets, target_streets = streets[: len(origins)][first], streets[len(origins) :][last]
        corrected: list[int] = []

        def ask(rows: slice, columns: slice) -> Block:
            with self._actor(mode) as actor:
                seconds, metres = _block(actor, sources[rows], targets[columns], mode)
                suspects = _suspects(seconds, source_streets[rows], target_streets[columns])
                for i, j in suspects:
                    seconds[i, j], metres[i, j] = _route(actor, sources[rows][i], targets[columns][j], mode)
                corrected.append(len(suspects))
            return seconds, metres

        found = in_blocks(len(sources), len(targets), BLOCK[mode], ask, self._threads)
        if SEARCH[mode] == "costmatrix":
            self._free[mode] = LifoQueue()  # such an actor keeps the memory of its largest block
            _trim()
        seconds, metres = (spread(part, first, last, (len(origins), len(destinations))) for part in found)
        return Matrix(seconds, metres, far_origins, far_destinations, corrected=sum(corrected))

    def route(self, origin: LonLat, destination: LonLat, mode: Mode) -> tuple[float, float]:
        """Seconds and metres of one pair by the engine's route, NaN without a path: what the matrix is held against."""
        with self._actor(mode) as actor:
            return _route(actor, origin, destination, mode)

    @contextmanager
    def _actor(self, mode: Mode) -> Iterator[Any]:
        """An actor that no other thread uses meanwhile."""
        try:
            actor = self._free[mode].get_nowait()
        except Empty:
            actor = actor_on(self.tiles, mode, self._snap_m)
        try:
            yield actor
        finally:
            self._free[mode].put(actor)

    def _streets(self, points: LonLat, mode: Mode) -> LonLat:
        """The place on the nearest street of each point, NaN where none is near enough."""
        streets = np.full_like(points, np.nan)
        with self._actor(mode) as actor:
            for start in range(0, len(points), LOCATED_AT_ONCE):
                asked = points[start : start + LOCATED_AT_ONCE]
                request = {"locations": _locations(asked), "costing": COSTING[mode], "verbose": False}
                for rank, found in enumerate(json.loads(actor.locate(_compact(request))), start):
                    if edges := found.get("edges"):
                        streets[rank] = edges[0]["correlated_lon"], edges[0]["correlated_lat"]
        return streets


def tiles_of(network: RoadNetwork) -> Path:
    """The folder of the network's tiles, built unless it stands.

    Raises:
        EngineError: the builder failed; the message holds the end of its log.
    """
    options = hashlib.sha256(json.dumps(BUILD, sort_keys=True).encode()).hexdigest()[:8]

    def build(folder: Path) -> None:
        import valhalla

        program = Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"
        config = folder / "build.json"
        config.write_text(json.dumps(_config(folder)), encoding="utf-8")
        done = subprocess.run(
            [program, "-c", config, network.pbf], capture_output=True, text=True, errors="replace", check=False
        )
        config.unlink()
        if done.returncode or not any(folder.rglob("*.gph")):
            raise EngineError(
                f"valhalla_build_tiles ended with {done.returncode} on {network.pbf}: "
                f"{(done.stdout + done.stderr)[-TAIL:].strip()}"
            )

    return network.built(f"valhalla-{version('pyvalhalla')}-{options}", build)


def actor_on(tiles: Path, mode: Mode, snap_m: float = SNAP_M) -> Any:
    """An Actor for the matrices of one mode: Python calls it from one thread at a time."""
    import valhalla

    config = _config(tiles)
    config["thor"]["source_to_target_algorithm"] = SEARCH[mode]
    config["loki"]["service_defaults"]["search_cutoff"] = snap_m
    config["loki"]["use_connectivity"] = False  # refuses a whole matrix for one island
    config["service_limits"][COSTING[mode]] |= {
        "max_matrix_distance": REACH_M[mode],
        "max_matrix_location_pairs": BLOCK[mode][0] * BLOCK[mode][1],
        "max_locations": 1_000_000,
    }
    return valhalla.Actor(config)


def _config(tiles: Path) -> dict[str, Any]:
    import valhalla

    # `get_config` hands out its own defaults, which the next call would find changed.
    config: dict[str, Any] = copy.deepcopy(valhalla.get_config(tile_dir=tiles, tile_extract=""))
    del config["mjolnir"]["tile_extract"]
    config["mjolnir"] |= BUILD
    return config


def _block(actor: Any, sources: LonLat, targets: LonLat, mode: Mode) -> Block:
    """A block of the matrix; one too wide for the engine, which would refuse it whole, is cut until it is not."""
    if _width(sources, targets) > REACH_M[mode]:
        return in_halves(sources, targets, lambda one, other: _block(actor, one, other, mode))
    costing = COSTING[mode]
    request = {"sources": _locations(sources), "targets": _locations(targets), "costing": costing, "verbose": False}
    try:
        answer = json.loads(actor.matrix(_compact(request)))["sources_to_targets"]
    except RuntimeError as error:
        raise EngineError(f"valhalla refused a matrix of {len(sources)} × {len(targets)}: {error}") from error
    seconds = np.array(answer["durations"], np.float32)
    metres = np.array(answer["distances"], np.float32) * np.float32(1000)
    metres[np.isnan(seconds)] = np.nan
    return seconds, metres


def _trim() -> None:
    """Give back what searches have freed: the allocator of Linux keeps it in pieces, over 1 GB after a few matrices."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # another allocator
            ctypes.CDLL(None).malloc_trim(0)


def _width(sources: LonLat, targets: LonLat) -> float:
    """At least the distance of the farthest pair, in metres."""
    low = np.minimum(sources.min(axis=0), targets.min(axis=0))
    high = np.maximum(sources.max(axis=0), targets.max(axis=0))
    return float(crow_metres(low, high))


def _suspects(seconds: Times, source_streets: LonLat, target_streets: LonLat) -> npt.NDArray[np.int64]:
    pairs = np.argwhere(seconds == 0)
    apart = crow_metres(source_streets[pairs[:, 0]], target_streets[pairs[:, 1]]) > SAME_PLACE_M
    return pairs[apart]


def _route(actor: Any, origin: LonLat, destination: LonLat, mode: Mode) -> tuple[float, float]:
    locations = _locations(np.stack([origin, destination]))
    request = {"locations": locations, "costing": COSTING[mode], "directions_type": "none"}
    try:
        summary = json.loads(actor.route(_compact(request)))["trip"]["summary"]
    except RuntimeError as error:
        if re.search("No path|No suitable edges|exceeds the max distance", str(error)):
            return float("nan"), float("nan")
        raise EngineError(f"valhalla refused a route: {error}") from error
    return float(summary["time"]), float(summary["length"]) * 1000


def _locations(points: LonLat) -> list[dict[str, float]]:
    return [{"lon": lon, "lat": lat} for lon, lat in points.tolist()]


def _compact(request: dict[str, Any]) -> str:
    return json.dumps(request, separators=(",", ":"))
