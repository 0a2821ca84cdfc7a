"""The invented region of the benchmark of access to work, and what its table says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks.access import BEGIN, END, MOST_MB, NAMES, Measured, render
from benchmarks.access_handed import write_handed
from benchmarks.access_region import FEED, ORIGINS, SIZES, STREETS, write_region
from benchmarks.access_ways import warehouse
from benchmarks.measure import Cost
from benchmarks.report import place
from dagster_project.routing.roads.extract import normalise, survey
from dagster_project.routing.transit.feed import read_feed
from dagster_project.routing.trips import Places
from dagster_project.settings import PROJECT_ROOT

TINY = SIZES["tiny"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    region = tmp_path_factory.mktemp("region")
    write_region(TINY, region)
    write_handed(TINY, region)
    return region


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_region(TINY, tmp_path)
    write_handed(TINY, tmp_path)
    assert contents(tmp_path) == contents(folder)


def test_streets_are_a_grid_that_the_engine_takes(folder: Path, tmp_path: Path) -> None:
    normalise(folder / STREETS, tmp_path / "network.osm.pbf")
    found = survey(tmp_path / "network.osm.pbf", folder / STREETS)
    assert found.highways == 2 * (TINY.blocks + 1)
    assert found.vertices == 2 * (TINY.blocks + 1) ** 2


def test_buses_run_both_ways_and_the_feed_has_no_problem(folder: Path) -> None:
    feed = read_feed([(path.name, path) for path in sorted((folder / FEED).glob("*.txt"))], "bus")
    assert not feed.report.problems
    assert len(feed.stop_ids) == TINY.lines * TINY.blocks // 2
    first, stop = feed.stop_times.first, feed.stop_times.stop
    ends = set(zip(stop[first[:-1]].tolist(), stop[first[1:] - 1].tolist(), strict=True))
    assert {(b, a) for a, b in ends} == ends
    assert len(ends) == 2 * TINY.lines


def test_homes_and_places_are_as_many_as_asked_and_lie_in_the_region(folder: Path) -> None:
    homes, places = (
        Places.of(pq.read_table(folder / "derived" / f"{name}.parquet")) for name in ("origins", "destinations")
    )
    assert homes.table.num_rows == TINY.zones * ORIGINS
    assert places.table.num_rows == TINY.workplaces + TINY.places
    assert len(set(places.table["destination_id"].to_pylist())) == places.table.num_rows
    assert np.ptp(places.metres, axis=0).max() < TINY.side_m


def test_offers_stand_at_places_that_trips_go_to(folder: Path) -> None:
    offered = duckdb.sql(
        "select count(*), count(*) filter (where printf('point:%.5f,%.5f', lon, lat) in (select destination_id from "
        f"'{folder}/derived/destinations.parquet')) from '{folder}/handed/staging.stg_francetravail__offres.parquet'"
    ).fetchone()
    assert offered == (TINY.offers, TINY.offers)


def test_the_warehouse_holds_what_other_models_hand_over(folder: Path) -> None:
    warehouse(folder)
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        found = connection.execute("select table_schema || '.' || table_name from information_schema.tables").fetchall()
    assert {name for (name,) in found} == {path.stem for path in (folder / "handed").glob("*.parquet")}


def test_every_derived_table_that_the_models_read_is_there(folder: Path) -> None:
    models = [
        path.read_text(encoding="utf-8")
        for system in ("emploi", "mobilite")
        for path in (PROJECT_ROOT / "dbt_models" / "models" / "intermediate" / system).glob("*.sql")
    ]
    read = set(re.findall(r"source\('derived', '(\w+)'\)", "".join(models)))
    made = {path.stem for path in (folder / "derived").glob("*.parquet")}
    assert "origins" in read
    assert read <= made | {"travel_times"}


@pytest.mark.parametrize(("peak", "said"), [(MOST_MB, "kept"), (MOST_MB + 1, "**exceeded**")])
def test_the_table_names_every_step_and_judges_memory(tmp_path: Path, peak: float, said: str) -> None:
    costs = {step: Cost(2.0, 1.0, 100.0, 0.0) for step in NAMES} | {"trips": Cost(9.0, 8.0, peak, 0.0)}
    made: dict[str, dict[str, Any]] = {
        "streets": {"ways": 14, "stops": 6},
        "trips": {"rows": 50, "reached": 40, "transit": 20, "transit_reached": 10, "mb": 0.5},
    }
    content = render(Measured(TINY, "valhalla", costs, made, {"mobilite": [("int_x", 1.5)]}, 0.2))
    assert [content.count(f"| {name} |") for name in NAMES.values()] == [1] * len(NAMES)
    assert f"{peak:.0f} MB at most (bar ≤ 2,000: {said})" in content
    assert "1 models, the slowest `int_x` 1.5 s" in content
    document = tmp_path / "benchmarks.md"
    for _ in range(2):
        place(document, content, BEGIN, END)
    assert document.read_text(encoding="utf-8").count("## Access to work") == 1
