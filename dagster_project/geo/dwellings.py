"""Dwellings as points, and the zone in which each lies."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dagster_project.geo.inputs import latest, number, refuse_text
from dagster_project.geo.polygons import Index, Shapes

DWELLINGS = "cstb_bdnb_logements"
# Points made into geometries at a time: some 25 MB, however many dwellings France has.
BATCH = 250_000


class Dwellings(NamedTuple):
    """Buildings that have dwellings and a place.

    Attributes:
        x, y: place, EPSG:2154 (metres).
        dwellings: how many the building has.
    """

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    dwellings: Index


def read_dwellings(raw_dir: Path) -> Dwellings | None:
    """The dwellings of the raw table; None when the source is absent (its table is empty)."""
    import duckdb

    relation = latest(raw_dir, DWELLINGS)
    with duckdb.connect() as connection:
        refuse_text(connection, relation, DWELLINGS, "x", "y", "nb_log")
        found = connection.execute(
            f"""select {number("x")} as x, {number("y")} as y, coalesce({number("nb_log")}, 0)::bigint as dwellings
                from {relation} order by x, y, dwellings"""
        ).to_arrow_table()
    if not found.num_rows:
        return None
    x, y, number_of = (found[name].to_numpy(zero_copy_only=False) for name in ("x", "y", "dwellings"))
    placed = np.isfinite(x) & np.isfinite(y)
    return Dwellings(x[placed], y[placed], number_of[placed])


def unplaced_dwellings(raw_dir: Path) -> int:
    """Dwellings of buildings without coordinates, which no zone can count."""
    import duckdb

    relation = latest(raw_dir, DWELLINGS)
    query = f"""select coalesce(sum({number("nb_log")}), 0)::bigint from {relation}
                where {number("x")} is null or {number("y")} is null"""
    found = duckdb.sql(query).fetchone()
    return int(found[0]) if found else 0


def zone_of_points(shapes: Shapes, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Index:
    """Position of the polygon in which each point lies, -1 where there is none.

    A point on the line between two polygons is in both; it is given to the first of them, so that it counts once.
    """
    import shapely

    shapely.prepare(shapes)
    zones = np.full(len(x), -1, dtype=np.int64)
    for start in range(0, len(x), BATCH):
        batch = slice(start, start + BATCH)
        # The tree holds the points and is asked for each polygon: a polygon prepared once answers for all of them.
        polygon, point = shapely.STRtree(shapely.points(x[batch], y[batch])).query(shapes, predicate="intersects")
        owner = np.full(len(zones[batch]), len(shapes), dtype=np.int64)
        np.minimum.at(owner, point, polygon)
        zones[batch] = np.where(owner < len(shapes), owner, -1)
    return zones
