"""Steps of the benchmark of access to work, each for a process of its own.

`python -m benchmarks.access_ways STEP FOLDER` runs a step on what `access_region.write_region` wrote in FOLDER, and
prints as JSON what it made.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from benchmarks.access_handed import HANDED
from benchmarks.access_region import DEPARTEMENT, FEED, STREETS
from dagster_project.routing.bundles import Bundle
from dagster_project.routing.grounds import departement_trips, network_tables, stacked
from dagster_project.routing.roads import engine_for
from dagster_project.routing.roads.tiles import network_for
from dagster_project.routing.trips import empty_trips
from dagster_project.settings import Settings
from dagster_project.sources.derived import cached_tables

Made = dict[str, int | float | str]


def streets(folder: Path) -> Made:
    """The network of the streets and the tiles of the engine, once per extract; the feed is judged."""
    settings, bundles = _received(folder)
    _, sha256, path = bundles[0].parts[0]
    network = network_for(path, sha256, settings.derived_dir / "rues")
    engine_for(settings, network)
    tables = network_tables(settings, bundles)
    return {"ways": network.highways, "vertices": network.vertices, "stops": tables["transit_stops"].num_rows}


def trips(folder: Path) -> Made:
    """Trips of every home, as the step of one département makes and writes them."""
    settings, bundles = _received(folder)
    derived = settings.derived_dir
    path = derived / "trips" / f"{DEPARTEMENT}.parquet"
    homes, places = derived / "origins.parquet", derived / "destinations.parquet"
    schema = empty_trips().schema
    cached_tables(path, [], "", schema, lambda: departement_trips(settings, bundles, DEPARTEMENT, homes, places))
    return _described(path)


def travel_times(folder: Path) -> Made:
    """The table that dbt reads, from the files of départements, and its content version."""
    from dagster_project.defs.geography import table_result

    settings, _ = _received(folder)
    part = settings.derived_dir / "trips" / f"{DEPARTEMENT}.parquet"
    path = settings.derived_dir / "travel_times.parquet"
    rows = cached_tables(path, [part], "", empty_trips().schema, lambda: stacked([part]))
    table_result(path, rows, {})
    return _described(path)


def warehouse(folder: Path) -> Made:
    """The warehouse that dbt builds in, with what other models hand over."""
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        for path in sorted((folder / HANDED).glob("*.parquet")):
            schema, name = path.stem.split(".")
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(f"create table {schema}.{name} as from read_parquet('{path}')")
    return {}


def _received(folder: Path) -> tuple[Settings, list[Bundle]]:
    """The two bundles of the region, newest first, as the archive would give them."""
    settings = Settings(home=folder, sources="demo")
    feed = sorted((folder / FEED).glob("*.txt"))
    return settings, [
        Bundle("osm_reseau", "2024", "region", (_part(folder / STREETS),)),
        Bundle("bus_gtfs", "2024", "region", tuple(map(_part, feed))),
    ]


def _part(path: Path) -> tuple[str, str, Path]:
    return path.name, hashlib.sha256(path.read_bytes()).hexdigest(), path


def _described(path: Path) -> Made:
    row = duckdb.execute(
        "select count(*), count(seconds), count(*) filter (where mode = 'tc' and moment = 'aller'),"
        " count(seconds) filter (where mode = 'tc' and moment = 'aller') from read_parquet(?)",
        [str(path)],
    ).fetchone()
    named = dict(zip(("rows", "reached", "transit", "transit_reached"), row or (), strict=True))
    return named | {"mb": path.stat().st_size / 1e6}


STEPS: dict[str, Callable[[Path], Made]] = {each.__name__: each for each in (streets, trips, travel_times, warehouse)}


if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](Path(sys.argv[2]))))
