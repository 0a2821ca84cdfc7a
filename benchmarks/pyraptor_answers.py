"""Answers of pyraptor, written as JSON: run by `benchmarks.transit_peer` in an environment that has pyraptor.

It imports nothing of this project. What pyraptor ships is changed from outside, and only where said:
- stop times are kept under the identity of their trip: its hash comes from an id not yet given, so that all collide;
- for answers, but not where it is timed, labels are copied one by one instead of by deepcopy.
"""

import json
import sys
import time
from copy import copy, deepcopy
from typing import Any

from loguru import logger
from pyraptor.gtfs.timetable import gtfs_to_pyraptor_timetable, read_gtfs_timetable
from pyraptor.model import raptor
from pyraptor.model.structures import TripStopTimes
from pyraptor.query_range_raptor import run_range_raptor
from pyraptor.util import LARGE_NUMBER


def add_stop_time(self: TripStopTimes, stop_time: Any) -> None:
    self.set_idx[(id(stop_time.trip), stop_time.stopidx)] = stop_time
    self.stop_trip_idx[stop_time.stop].append(stop_time)


def copied(bag: dict[Any, Any]) -> dict[Any, Any]:
    return {key: copied(label) if isinstance(label, dict) else copy(label) for key, label in bag.items()}


def arrivals(timetable: Any, origin: str, departure: int, rounds: int) -> dict[str, int]:
    """Earliest arrival at each name, from all stops of a name to the best stop of a name.

    The best of all rounds is taken: those after the last that improves anything are left blank.
    """
    labels = raptor.RaptorAlgorithm(timetable).run(timetable.stations.get_stops(origin), departure, rounds)
    found = {}
    for station in timetable.stations:
        earliest = min(int(label[stop].earliest_arrival_time) for label in labels.values() for stop in station.stops)
        if earliest < LARGE_NUMBER:
            found[station.name] = earliest
    return found


def main(asked_path: str, out_path: str) -> None:
    with open(asked_path, encoding="utf-8") as handle:  # noqa: PTH123 - a plain script
        asked = json.load(handle)
    logger.remove()
    TripStopTimes.add = add_stop_time
    started = time.process_time()
    timetable = gtfs_to_pyraptor_timetable(read_gtfs_timetable(asked["feed"], asked["day"], asked["agencies"]))
    built = time.process_time()
    found: dict[str, Any] = {"build_s": built - started}

    raptor.deepcopy = copied
    found["answers"] = [arrivals(timetable, origin, at, asked["rounds"]) for origin, at in asked["queries"]]

    raptor.deepcopy = deepcopy
    if asked["range"]:
        origin, first, last = asked["range"]
        started = time.process_time()
        run_range_raptor(timetable, origin, first, last, asked["range_rounds"])
        found["range_s"] = time.process_time() - started
        there = timetable.stations.get_stops(origin)
        leaving = timetable.trip_stop_times.get_trip_stop_times_in_range(there, first, last)
        found["range_departures"] = len({stop_time.dts_dep for stop_time in leaving})
    with open(out_path, "w", encoding="utf-8") as handle:  # noqa: PTH123 - a plain script
        json.dump(found, handle)


if __name__ == "__main__":
    main(*sys.argv[1:])
