"""pyraptor beside us: an environment of its own, a feed as it wants it, and its answers."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.measure import run
from dagster_project.routing.transit.calendar import services_on
from dagster_project.routing.transit.feed import Feed
from dagster_project.routing.transit.gtfs_files import open_feed

# It needs pandas < 2, which has no wheel for later Pythons, and does not declare the last two.
PYTHON = "python3.11"
PINS = ("pyraptor==1.3.10", "pandas<2", "numpy<2", "attrs")
RANGE_ROUNDS = 5
ROUNDS = 10  # enough for every best journey; with 5, a few are missed


class NoPeerError(RuntimeError):
    """The environment of the peer cannot be made; the message says why."""


@dataclass(frozen=True)
class Asked:
    """What is asked of the peer: (origin name, departure) pairs, and one range query."""

    queries: Sequence[tuple[str, int]]
    range_query: tuple[str, int, int] | None


def make_environment(folder: Path) -> Path:
    """The interpreter of a new environment that holds pyraptor.

    Raises:
        NoPeerError: there is no such Python here.
    """
    python = shutil.which(PYTHON)
    if python is None:
        raise NoPeerError(f"{PYTHON} is not on the PATH")
    environment, log = dict(os.environ), folder / "environment.err"
    run([python, "-m", "venv", str(folder / "peer")], cwd=folder, environment=environment, log=log)
    made = folder / "peer" / "bin" / "python"
    run([str(made), "-m", "pip", "install", "--quiet", *PINS], cwd=folder, environment=environment, log=log)
    return made


def prepare(path: Path, feed: Feed, day: date, folder: Path) -> list[str]:
    """Write a feed as pyraptor reads it: days expanded, and the columns it requires filled in.

    Returns:
        Names of the agencies.
    """
    files = open_feed(path, feed.name)
    tables = {name: _text(files[f"{name}.txt"]()) for name in ("agency", "routes", "trips", "stops", "stop_times")}
    running = feed.calendar.service_ids[services_on(feed.calendar, day)]
    tables["calendar_dates"] = pd.DataFrame({"service_id": running, "date": f"{day:%Y%m%d}", "exception_type": "1"})
    trips, stops = tables["trips"], tables["stops"]
    trips["trip_short_name"] = range(len(trips))
    trips["trip_long_name"] = trips["trip_headsign"]
    # A code made of digits would be read as a number, and refused.
    stops["stop_code"] = "S" + stops["stop_id"]
    stops["platform_code"], stops["parent_station"] = stops["stop_id"], stops["stop_name"]
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.txt", index=False)
    return tables["agency"]["agency_name"].tolist()


def _text(data: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8-sig")


def ask(python: Path, asked: Asked, path: Path, feed: Feed, day: date, folder: Path) -> dict[str, Any]:
    """What pyraptor answers, and how long it took."""
    inside = folder / "feed"
    inside.mkdir()
    agencies = prepare(path, feed, day, inside)
    questions, answers = folder / "asked.json", folder / "answers.json"
    text = {
        "feed": str(inside),
        "day": f"{day:%Y%m%d}",
        "agencies": agencies,
        "rounds": ROUNDS,
        "range_rounds": RANGE_ROUNDS,
        "queries": asked.queries,
        "range": asked.range_query,
    }
    questions.write_text(json.dumps(text), encoding="utf-8")
    script = Path(__file__).with_name("pyraptor_answers.py")
    command = [str(python), "-P", str(script), str(questions), str(answers)]
    cost, _ = run(command, cwd=folder, environment={"PATH": os.environ["PATH"]}, log=folder / "peer.err")
    found: dict[str, Any] = json.loads(answers.read_text(encoding="utf-8"))
    return {**found, "peak_mb": cost.peak_mb}
