"""Road matrices: ours against bare calls of the same engine, with the same blocks, on real streets.

Bare is `Actor.matrix` from text to text: requests written beforehand, answers left unread. Ours checks points, finds
those off the network, writes requests, reads answers into arrays, and asks again the pairs that the engine gets wrong.
Both run in turn in one process, on one thread. A table goes to the terminal and to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import osmium

from benchmarks.report import machine, place, table
from dagster_project.routing.roads.engine import MODES, LonLat, Mode, compact
from dagster_project.routing.roads.osrm import Osrm
from dagster_project.routing.roads.tiles import RoadNetwork, network_for
from dagster_project.routing.roads.valhalla import BLOCK, COSTING, Valhalla, actor_on
from dagster_project.settings import PROJECT_ROOT

DOCUMENT = PROJECT_ROOT / "docs" / "benchmarks.md"
BEGIN = "<!-- benchmarks.roads: begin (written by `python -m benchmarks.roads`; edit outside) -->"
END = "<!-- benchmarks.roads: end -->"
LIBRARIES = ("pyvalhalla", "osrm-bindings", "numpy")
EXTRACTS = {"Redon": "redon.sans_contact.osm", "Rennes": "rennes.geojson"}
NOT_STREETS = ("construction", "proposed")
BAR = 1.2


@dataclass
class Spent:
    """CPU seconds of each round, and what the matrix held."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    osrm: list[float] = field(default_factory=list)
    unreachable: int = 0
    corrected: int = 0

    @property
    def ratio(self) -> float:
        """Ours to bare, median over rounds."""
        return median(one / two for one, two in zip(self.ours, self.bare, strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    options = _options(arguments)
    if not options.mirror.is_dir():
        print("no folder of real sources: pass --mirror or set DQ_TEST_REAL_DATA", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="dq-roads-") as cache:
        spent = {}
        for town, name in EXTRACTS.items():
            path = options.mirror / "roads" / name
            network = network_for(path, hashlib.sha256(path.read_bytes()).hexdigest(), Path(cache))
            for mode in MODES:
                spent[town, mode] = measure(network, mode, options.size, options.rounds)
                print(f"{town} {mode}: {spent[town, mode].ratio:.2f} × bare", file=sys.stderr, flush=True)
    content = render(spent, options.size, options.rounds)
    print(content)
    if not options.dry:
        place(DOCUMENT, content, BEGIN, END)
    return 0


def measure(network: RoadNetwork, mode: Mode, size: int, rounds: int) -> Spent:
    """Ours, bare and OSRM in turn, after one call of each that is not counted."""
    engine, other = Valhalla(network), Osrm(network)
    points = near_streets(network, 2 * size)
    origins, destinations = points[:size], points[size:]
    actor = actor_on(engine.tiles, mode)
    requests = list(_requests(origins, destinations, mode))
    spent = Spent()
    for number in range(rounds + 1):
        found, ours = _cpu(lambda: engine.matrix(origins, destinations, mode))
        _, bare = _cpu(lambda: [actor.matrix(request) for request in requests])
        _, osrm = _cpu(lambda: other.matrix(origins, destinations, mode))
        if number:
            spent.ours.append(ours)
            spent.bare.append(bare)
            spent.osrm.append(osrm)
        spent.unreachable, spent.corrected = found.unreachable, found.corrected
    return spent


def near_streets(network: RoadNetwork, count: int) -> LonLat:
    """Corners of streets drawn at random, moved by about 30 m, as dwellings stand."""
    found = set()
    objects: Iterable[Any] = osmium.FileProcessor(str(network.pbf)).with_locations()
    for way in objects:
        if way.is_way() and way.tags.get("highway", "construction") not in NOT_STREETS:
            found |= {(node.lon, node.lat) for node in way.nodes if node.location.valid()}
    random = np.random.default_rng(1)
    corners = random.choice(np.array(sorted(found)), count, replace=False)
    return np.round(corners + random.normal(0, 3e-4, (count, 2)), 6)


def _requests(origins: LonLat, destinations: LonLat, mode: Mode) -> Iterator[str]:
    rows, columns = BLOCK[mode]
    origins, destinations = (
        points[compact(points, np.zeros(len(points), bool), at_once)]
        for points, at_once in ((origins, rows), (destinations, columns))
    )
    for i in range(0, len(origins), rows):
        for j in range(0, len(destinations), columns):
            sources, targets = (
                [{"lon": lon, "lat": lat} for lon, lat in part.tolist()]
                for part in (origins[i : i + rows], destinations[j : j + columns])
            )
            yield json.dumps({"sources": sources, "targets": targets, "costing": COSTING[mode], "verbose": False})


def _cpu(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    found = work()
    return found, time.process_time() - start


def render(spent: dict[tuple[str, Mode], Spent], size: int, rounds: int) -> str:
    """All of the output, without the markers."""
    facts = (
        f"## Road matrices\n\n{machine(LIBRARIES)}\n{size} × {size} points within about 30 m of street corners; CPU "
        f"seconds, medians of {rounds} rounds in which each way runs once, on one thread. Bare is the engine from "
        "prepared text to unread text, in the same blocks. OSRM, the other engine, is there for comparison."
    )
    header = ["streets", "mode", "ours s", "bare s", "ours ÷ bare", "pairs/s", "OSRM s", "without a path", "corrected"]
    rows = [
        [
            town,
            mode,
            f"{median(cost.ours):.3f}",
            f"{median(cost.bare):.3f}",
            f"{cost.ratio:.2f}",
            f"{size * size / median(cost.ours):,.0f}",
            f"{median(cost.osrm):.3f}",
            f"{cost.unreachable:,}",
            f"{cost.corrected:,}",
        ]
        for (town, mode), cost in spent.items()
    ]
    worst = max(spent, key=lambda key: spent[key].ratio)
    kept = "kept" if spent[worst].ratio <= BAR else "**exceeded**"
    bar = f"- largest ratio, {' '.join(worst)}: {spent[worst].ratio:.2f} (bar ≤ {BAR}: {kept})"
    return "\n\n".join([facts, table(header, rows), bar]) + "\n"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.roads", description=__doc__)
    mirror = Path(os.environ.get("DQ_TEST_REAL_DATA", PROJECT_ROOT.parent / "shared" / "data"))
    parser.add_argument("--mirror", type=Path, default=mirror, help="folder that holds copies of the real sources")
    parser.add_argument("--size", type=int, default=200, help="origins, and destinations, of a matrix")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dry", action="store_true", help="do not write the document")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
