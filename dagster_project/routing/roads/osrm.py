"""OSRM in this process: a second engine, to hold the first against or to use instead of it.

The wheel ships the programs that prepare a network (extract, partition, customize) and the profiles that they read;
each mode is a network of its own. Where Valhalla drops a point that has no street nearby, OSRM refuses the whole
table, so that each point is first asked for its nearest street.
"""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dagster_project.routing.roads.engine import (
    SNAP_M,
    Block,
    EngineError,
    LonLat,
    Matrix,
    Mode,
    checked,
    compact,
    in_blocks,
    spread,
)
from dagster_project.routing.roads.tiles import RoadNetwork

PROFILE = {"voiture": "car", "velo": "bicycle", "marche": "foot"}
BLOCK = (200, 200)
NAME = "network.osrm"
TAIL = 800  # characters of a program's log that an error shows


class Osrm:
    """OSRM on one network.

    Args:
        network: the network to prepare, unless it stands prepared.
        threads: blocks of a matrix computed at once.
        snap_m: points farther than this from every street of their mode are not on the network.
    """

    name = "osrm"

    def __init__(self, network: RoadNetwork, *, threads: int = 1, snap_m: float = SNAP_M) -> None:
        self.version = version("osrm-bindings")
        self._network, self._threads, self._snap_m = network, threads, snap_m
        self._machines: dict[Mode, Any] = {}

    def matrix(self, origins: LonLat, destinations: LonLat, mode: Mode) -> Matrix:
        import osrm

        origins, destinations = checked(origins), checked(destinations)
        machine = self._machine(mode)
        far_origins, far_destinations = self._far(machine, origins), self._far(machine, destinations)
        first, last = compact(origins, far_origins, BLOCK[0]), compact(destinations, far_destinations, BLOCK[1])
        sources, targets = origins[first], destinations[last]

        def ask(rows: slice, columns: slice) -> Block:
            n, m = len(sources[rows]), len(targets[columns])
            parameters = osrm.TableParameters(
                coordinates=[osrm.Coordinate(place) for place in _places(sources[rows], targets[columns])],
                sources=list(range(n)),
                destinations=list(range(n, n + m)),
                annotations=["duration", "distance"],
                generate_hints=False,
            )
            try:
                table = machine.Table(parameters)
            except RuntimeError as error:
                raise EngineError(f"osrm refused a table of {n} × {m}: {error}") from error
            return _numbers(table["durations"]), _numbers(table["distances"])

        found = in_blocks(len(sources), len(targets), BLOCK, ask, self._threads)
        seconds, metres = (spread(part, first, last, (len(origins), len(destinations))) for part in found)
        return Matrix(seconds, metres, far_origins, far_destinations)

    def _machine(self, mode: Mode) -> Any:
        import osrm

        if mode not in self._machines:
            folder = prepared(self._network, mode)
            self._machines[mode] = osrm.OSRM(
                algorithm="MLD",
                storage_config=str(folder / NAME),
                max_locations_distance_table=sum(BLOCK),
                use_shared_memory=False,
                verbosity="NONE",
            )
        return self._machines[mode]

    def _far(self, machine: Any, points: LonLat) -> npt.NDArray[np.bool_]:
        import osrm

        far = np.zeros(len(points), bool)
        for rank, place in enumerate(_places(points)):
            parameters = osrm.NearestParameters(coordinates=[osrm.Coordinate(place)], generate_hints=False)
            try:
                far[rank] = machine.Nearest(parameters)["waypoints"][0]["distance"] > self._snap_m
            except RuntimeError as error:
                if "NoSegment" not in str(error):
                    raise EngineError(f"osrm found no street: {error}") from error
                far[rank] = True
        return far


def prepared(network: RoadNetwork, mode: Mode) -> Path:
    """The folder of the network prepared for a mode, made unless it stands.

    Raises:
        EngineError: a program of OSRM failed; the message holds the end of its log.
    """

    def build(folder: Path) -> None:
        import osrm

        package = Path(osrm.__file__).parent
        profile = package / "share" / "profiles" / f"{PROFILE[mode]}.lua"
        base = folder / NAME
        _run(package, "osrm-extract", "-p", profile, "-o", base, network.pbf)
        _run(package, "osrm-partition", base)
        _run(package, "osrm-customize", base)

    return network.built(f"osrm-{version('osrm-bindings')}-{PROFILE[mode]}", build)


def _run(package: Path, program: str, *arguments: str | Path) -> None:
    command = [package / "bin" / program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        log = (done.stdout + done.stderr)[-TAIL:].strip()
        raise EngineError(f"{program} ended with {done.returncode}: {log}")


def _places(*points: LonLat) -> list[tuple[float, float]]:
    return [(lon, lat) for part in points for lon, lat in part.tolist()]


def _numbers(rows: Any) -> npt.NDArray[np.float32]:
    return np.array([list(row) for row in rows], np.float32)
