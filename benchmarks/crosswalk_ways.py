"""Ways to cross two layers, each from geometries in memory to the area that every pair shares.

`python -m benchmarks.crosswalk_ways WAY SIZE FOLDER OUT TIMES` runs one way TIMES times on fresh geometries, writes the
areas of the last time to OUT, and prints as JSON the wall and CPU seconds of each time and the peak memory of the
process (MB). Every way runs on one thread, so that its CPU time is its wall time on a machine that does nothing else.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from benchmarks.crosswalk_layers import SQUARE_M, column_of, shapes_of
from dagster_project.sources.crs import TARGET_CRS

Result = dict[str, Any]
# Prepares its input, and returns the work to time; this in turn returns the columns of its result.
Way = Callable[[str, Path], Callable[[], Result]]


def floor(size: str, folder: Path) -> Callable[[], Result]:
    """The least: a tree asked with a predicate, one vectorised intersection, areas. Contours are taken as valid."""
    qpv, iris = shapes_of(folder / f"{size}-qpv.parquet"), shapes_of(folder / f"{size}-iris.parquet")

    def work() -> Result:
        left, right = shapely.STRtree(iris).query(qpv, predicate="intersects")
        return _areas(left, right, shapely.area(shapely.intersection(qpv[left], iris[right])))

    return work


def ours(size: str, folder: Path) -> Callable[[], Result]:
    """`geo.overlay.area_overlaps`: the same, and what is invalid is found and repaired."""
    from dagster_project.geo.overlay import area_overlaps

    qpv, iris = shapes_of(folder / f"{size}-qpv.parquet"), shapes_of(folder / f"{size}-iris.parquet")
    return lambda: _areas(*area_overlaps(qpv, iris)[:3])


def tobler(size: str, folder: Path) -> Callable[[], Result]:
    """`tobler.area_weighted.area_interpolate` of the inhabitants of IRIS, parts of IRIS outside QPV going nowhere."""
    return _tobler(size, folder, allocate_total=False)


def tobler_default(size: str, folder: Path) -> Callable[[], Result]:
    """The same with its default: the whole of every IRIS touched goes to QPV."""
    return _tobler(size, folder, allocate_total=True)


def _tobler(size: str, folder: Path, *, allocate_total: bool) -> Callable[[], Result]:
    from geopandas import GeoDataFrame
    from tobler.area_weighted import area_interpolate

    qpv = GeoDataFrame(geometry=shapes_of(folder / f"{size}-qpv.parquet"), crs=TARGET_CRS)
    source = _squares(folder) if size == "squares" else shapes_of(folder / f"{size}-iris.parquet")
    people = np.ones(len(source)) if size == "squares" else column_of(folder / f"{size}-iris.parquet", "people")
    frame = GeoDataFrame({"people": people}, geometry=source, crs=TARGET_CRS)

    def work() -> Result:
        found = area_interpolate(frame, qpv, extensive_variables=["people"], allocate_total=allocate_total)
        return {"people": found["people"].to_numpy()}

    return work


def overlay(size: str, folder: Path) -> Callable[[], Result]:
    """`geopandas.overlay`, keeping which polygon is which."""
    import geopandas

    frames = []
    for name in ("qpv", "iris"):
        shapes = shapes_of(folder / f"{size}-{name}.parquet")
        frames.append(geopandas.GeoDataFrame({name: np.arange(len(shapes))}, geometry=shapes, crs=TARGET_CRS))

    def work() -> Result:
        found = geopandas.overlay(*frames, how="intersection", keep_geom_type=True)
        return _areas(found["qpv"].to_numpy(), found["iris"].to_numpy(), found.area.to_numpy())

    return work


def square_floor(size: str, folder: Path) -> Callable[[], Result]:
    """The least on a grid: cells of each box by arithmetic, kept where a square is, contours clipped to them."""
    qpv = shapes_of(folder / f"{size}-qpv.parquet")
    column, row = (column_of(folder / "squares.parquet", name) for name in ("column", "row"))

    def work() -> Result:
        west, south, east, north = np.floor(shapely.bounds(qpv) / SQUARE_M).astype(np.int64).T
        wide, high = east - west + 1, north - south + 1
        zone = np.repeat(np.arange(len(qpv)), wide * high)
        rank = np.arange(len(zone)) - np.repeat(np.cumsum(wide * high) - wide * high, wide * high)
        at_row, at_column = south[zone] + rank // wide[zone], west[zone] + rank % wide[zone]
        keys, wanted = (row << 32) + column, (at_row << 32) + at_column
        square = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        there = keys[square] == wanted
        zone, square = zone[there], square[there]
        x, y = column[square] * SQUARE_M, row[square] * SQUARE_M
        # The public function takes one rectangle at a time; what it calls takes arrays.
        clipped = shapely.lib.clip_by_rect(qpv[zone], x, y, x + SQUARE_M, y + SQUARE_M)
        return _areas(zone, square, shapely.area(clipped))

    return work


def square_ours(size: str, folder: Path) -> Callable[[], Result]:
    """`geo.tiles.tile_shares`, contours repaired first."""
    from dagster_project.geo.polygons import mended
    from dagster_project.geo.tiles import Tiles, tile_shares

    qpv = shapes_of(folder / f"{size}-qpv.parquet")
    column, row = (column_of(folder / "squares.parquet", name) for name in ("column", "row"))
    sizes = np.full(len(column), int(SQUARE_M))

    def work() -> Result:
        tiles = Tiles(np.empty(0, dtype=object), sizes, column, row, np.empty(0))
        found = tile_shares(mended(qpv).shapes, tiles)
        return _areas(found.zone, found.tile, found.share * SQUARE_M**2)

    return work


def square_tree(size: str, folder: Path) -> Callable[[], Result]:
    """`geo.overlay.area_overlaps` on squares that were drawn."""
    from dagster_project.geo.overlay import area_overlaps

    qpv, squares = shapes_of(folder / f"{size}-qpv.parquet"), _squares(folder)
    return lambda: _areas(*area_overlaps(qpv, squares)[:3])


def _squares(folder: Path) -> Any:
    x, y = (column_of(folder / "squares.parquet", name) * SQUARE_M for name in ("column", "row"))
    return shapely.box(x, y, x + SQUARE_M, y + SQUARE_M)


def _areas(left: Any, right: Any, area: Any) -> Result:
    return {"left": left, "right": right, "area": area}


WAYS: dict[str, Way] = {
    way.__name__: way for way in (floor, ours, tobler, tobler_default, overlay, square_floor, square_ours, square_tree)
}


def main(way: str, size: str, folder: Path, out: Path, times: int) -> dict[str, Any]:
    """Run a way; returns wall and CPU seconds of each time, and peak memory."""
    wall, cpu = [], []
    for _ in range(times):
        work = WAYS[way](size, folder)
        started, busy = time.perf_counter(), time.process_time()
        result = work()
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - busy)
    pq.write_table(pa.table(result), out)
    return {"wall": wall, "cpu": cpu, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """Highest resident memory of this process so far, in MB (getrusage may tell that of its parent)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))))
