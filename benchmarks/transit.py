"""Transit: ours against pyraptor, whose answers must be equal, and against a bare Connection Scan.

The network is that of Rennes on a Tuesday of 2012. A table goes to the terminal and to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from benchmarks.measure import MeasureError
from benchmarks.report import machine, place, table
from benchmarks.transit_floor import scan_each
from benchmarks.transit_peer import PINS, RANGE_ROUNDS, ROUNDS, Asked, NoPeerError, ask, make_environment
from dagster_project.routing.links import Links
from dagster_project.routing.transit.feed import Feed, read_feed
from dagster_project.routing.transit.links import straight_line_links
from dagster_project.routing.transit.scan import NEVER, Access, Scanner, window
from dagster_project.routing.transit.timetable import Timetable, build_timetable
from dagster_project.settings import PROJECT_ROOT

DOCUMENT = PROJECT_ROOT / "docs" / "benchmarks.md"
BEGIN = "<!-- benchmarks.transit: begin (written by `python -m benchmarks.transit`; edit outside) -->"
END = "<!-- benchmarks.transit: end -->"
LIBRARIES = ("numba", "numpy", "pyarrow", "scipy")
NETWORK = Path("gtfs") / "star-rennes-20120709" / "GTFS-20120618.zip"
DAY = date(2012, 7, 17)
START, END_OF_WINDOW = 7 * 3600, 9 * 3600
ORIGIN = "Donzelot"
SEED = 20120717
CHANGE_S = 120  # pyraptor's rule: two minutes between stops of the same name
MOST_FLOOR, LEAST_PEER = 2.0, 500.0


class DisagreementError(RuntimeError):
    """Two searches give different arrivals: a faster one that is wrong is worth nothing."""


@dataclass(frozen=True)
class Town:
    """The network of the benchmark, with walks between stops of up to 400 m."""

    feed: Feed
    timetable: Timetable
    walks: Links
    read_s: float
    build_s: float

    def stops_of(self, name: str) -> npt.NDArray[np.int32]:
        """Positions of the stops of a name."""
        return np.flatnonzero(self.timetable.stop_names == name).astype(np.int32)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    options = _options(arguments)
    network = options.mirror / NETWORK
    if not network.is_file():
        print("no folder of real sources: pass --mirror or set DQ_TEST_REAL_DATA", file=sys.stderr)
        return 1
    town = load(network)
    rows, lines = against_floor(town, options.rounds)
    folder = Path(tempfile.mkdtemp(prefix="dq-transit-", dir=options.work))
    try:
        more_rows, more_lines = against_peer(town, network, folder, options, rows[-1].seconds)
    except (NoPeerError, MeasureError) as error:
        more_rows, more_lines = [], [f"- pyraptor was not measured: {str(error).splitlines()[0]}"]
        print(error, file=sys.stderr)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    content = render(town, [*rows, *more_rows], [*lines, *more_lines])
    print(content)
    if not options.dry:
        place(DOCUMENT, content, BEGIN, END)
    return 0


def load(network: Path) -> Town:
    """Read the network and lay out its day; once before, for what is compiled or imported the first time."""
    for _ in range(2):
        started = time.process_time()
        feed = read_feed(network, "star")
        read = time.process_time()
        timetable = build_timetable([feed], DAY)
        built = time.process_time()
    walks = straight_line_links(timetable.stop_lonlat, max_metres=400, metres_per_second=4.5 / 3.6)
    return Town(feed, timetable, walks, read - started, built - read)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    seconds: float


def against_floor(town: Town, rounds: int) -> tuple[list[Row], list[str]]:
    """The same origin and departures, by the bare scan and by ours, in turn; ours last.

    Raises:
        DisagreementError: the bare scan arrives earlier somewhere.
    """
    timetable, walks = town.timetable, town.walks
    access = Access.at_stops(town.stops_of(ORIGIN).tolist(), walks)
    departures = window(START, END_OF_WINDOW - 60)
    trips = (timetable.trip, len(timetable.trip_ids))
    connections = (timetable.departure, timetable.arrival, timetable.from_stop, timetable.to_stop, *trips)

    def bare() -> npt.NDArray[np.int32]:
        links = (walks.first, walks.target, walks.seconds)
        found: npt.NDArray[np.int32] = scan_each(*connections, *links, access.stops, access.seconds, departures)
        return found

    def ours() -> npt.NDArray[np.int32]:
        return Scanner(timetable, walks, departures).arrivals(access).any()

    floor, mine = bare(), ours().T
    if (mine > floor).any():
        raise DisagreementError(f"{(mine > floor).sum()} arrivals of the bare scan are earlier than ours")
    spent = [(_cpu(bare), _cpu(ours)) for _ in range(rounds)]
    ratio = median(one / two for two, one in spent)
    rows = [
        Row(f"bare scan, {len(departures)} departures", median(two for two, _ in spent)),
        Row(f"`earliest_arrivals`, {len(departures)} departures", median(one for _, one in spent)),
    ]
    kept = "kept" if ratio <= MOST_FLOOR else "**exceeded**"
    return rows, [
        f"- ours is {ratio:.2f} × the bare scan (bar ≤ {MOST_FLOOR:.0f}: {kept}); of {mine.size:,} arrivals, "
        f"{(mine < floor).sum():,} are earlier than the bare scan's (connections that take no time may feed each "
        "other in any order; it goes over them once), none later."
    ]


def _cpu(once: Callable[[], object]) -> float:
    started = time.process_time()
    once()
    return time.process_time() - started


def against_peer(
    town: Town, network: Path, folder: Path, options: argparse.Namespace, ours_s: float
) -> tuple[list[Row], list[str]]:
    """Answers of pyraptor, equal to ours under its own rule, and its time for one range query.

    Raises:
        DisagreementError: an answer differs.
    """
    python = options.peer or make_environment(folder)
    names = np.unique(town.timetable.stop_names)
    random = np.random.default_rng(SEED)
    origins = random.choice(names, options.runs, replace=False).tolist()
    times = (random.integers(5 * 60, 22 * 60, options.runs) * 60).tolist()
    queries = list(zip(origins, times, strict=True))
    found = ask(python, Asked(queries, (ORIGIN, START, END_OF_WINDOW)), network, town.feed, DAY, folder)
    pairs, reached = agreement(town, queries, found["answers"])
    ratio = found["range_s"] / ours_s
    kept = "kept" if ratio >= LEAST_PEER else "**missed**"
    rows = [
        Row(
            f"pyraptor, as shipped: range query, {found['range_departures']} departures, {RANGE_ROUNDS} rounds",
            found["range_s"],
        ),
        Row("pyraptor: read and convert the feed, its quadratic key mended", found["build_s"]),
    ]
    return rows, [
        f"- pyraptor: {pairs:,} random questions (name to name, {len(queries)} origins and departures, seed {SEED}), "
        f"{reached:,} with an answer: all equal under its rule (same name only, {CHANGE_S} s), "
        f"which {ROUNDS} rounds exhaust.",
        f"- pyraptor's range query takes {ratio:,.0f} × ours (bar ≥ {LEAST_PEER:.0f}: {kept}); it also rebuilds "
        "journeys, and tries only the departures of vehicles at the origin, where ours takes every minute and walks.",
        f"- pyraptor runs in an environment of its own ({', '.join(PINS)}); peak {found['peak_mb']:.0f} MB.",
    ]


def agreement(town: Town, queries: Sequence[tuple[str, int]], answers: Sequence[dict[str, int]]) -> tuple[int, int]:
    """Number of questions compared, and of those with an answer.

    Raises:
        DisagreementError: names the first that differs.
    """
    names = town.timetable.stop_names
    transfers = same_name_links(names)
    compared = reached = 0
    for (origin, departure), theirs in zip(queries, answers, strict=True):
        here = town.stops_of(origin)
        access = Access(here, np.zeros(len(here), np.int32))
        arrivals = Scanner(town.timetable, transfers, [departure]).arrivals(access).any()[:, 0]
        ours: dict[str, int] = {}
        for name, arrival in zip(names.tolist(), arrivals.tolist(), strict=True):
            ours[name] = min(ours.get(name, int(NEVER)), arrival)
        for name, arrival in ours.items():
            if name != origin:
                wanted = theirs.get(name, int(NEVER))
                if arrival != wanted:
                    raise DisagreementError(f"{origin} at {departure} s to {name}: ours {arrival}, pyraptor {wanted}")
                compared += 1
                reached += wanted < NEVER
    return compared, reached


def same_name_links(names: npt.NDArray[np.str_]) -> Links:
    """Walks between stops of the same name, all of the same time."""
    _, group = np.unique(names, return_inverse=True)
    source, target = np.nonzero(group[:, None] == group[None, :])
    apart = source != target
    return Links.from_pairs(len(names), source[apart], target[apart], np.full(int(apart.sum()), CHANGE_S))


def render(town: Town, rows: Sequence[Row], lines: Sequence[str]) -> str:
    """All of the output, without the markers."""
    day = town.timetable
    facts = (
        f"## Transit\n\n{machine(LIBRARIES)}\nRennes (STAR), {DAY:%Y-%m-%d}: {len(day.stop_ids):,} stops, "
        f"{len(day.trip_ids):,} vehicles, {len(day.departure):,} connections, {len(town.walks.target):,} walks of at "
        f"most 400 m in straight line. From {ORIGIN} to every stop, to the end of the day, departures from 07:00 to "
        f"08:59; CPU seconds on one thread, compiled code warm. The feed is read in {town.read_s:.2f} s, its day "
        f"laid out in {town.build_s:.3f} s."
    )
    fastest = min(row.seconds for row in rows)
    cells = [[row.what, f"{row.seconds:.4f}", f"{row.seconds / fastest:,.1f}"] for row in rows]
    return "\n\n".join([facts, table(["what", "s", "× fastest"], cells), "\n".join(lines)]) + "\n"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transit", description=__doc__)
    mirror = Path(os.environ.get("DQ_TEST_REAL_DATA", PROJECT_ROOT.parent / "shared" / "data"))
    parser.add_argument("--mirror", type=Path, default=mirror, help="folder that holds copies of the real sources")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runs", type=int, default=15, help="origins and departures asked of pyraptor")
    parser.add_argument("--peer", type=Path, help="a Python that has pyraptor; default a new environment")
    parser.add_argument("--work", type=Path, help="folder for what is written; default a temporary one")
    parser.add_argument("--dry", action="store_true", help="do not write the document")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
