"""Public transport at the door: what the stops near the homes of a zone offer on a weekday."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dagster_project.geo import origins
from dagster_project.geo.origins import Homes, zone_homes

if TYPE_CHECKING:
    import pyarrow as pa

RAW_TABLES = origins.RAW_TABLES
WALK_M = 500.0
WALK_RAIL_M = 1000.0
FREQUENT_PER_HOUR = 4.0
KINDS = {"zone_level": "string", "zone_code": "string", "generation": "string", "departures": "double"}
KINDS |= {"frequent_people": "double", "people": "double", "coverage": "double"}
KINDS |= {"transit_vintage": "string", "service_date": "string"}


def build_supply(zone_geometries: Path, raw_dir: Path, stops: pa.Table) -> pa.Table:
    """Departures within reach of each zone, and who lives near a stop that is served often.

    Args:
        zone_geometries: `derived/zone_geometries.parquet`.
        raw_dir: folder of raw tables that say where people live (those of `origins`).
        stops: x_m, y_m (EPSG:2154); rail (boolean); departures (06:00–22:00 of the service date); peak_per_hour
            (07:00–09:00); transit_vintage, service_date (text).

    Returns:
        One row per zone with a stop within reach: zone_level, zone_code, generation; departures: of the stops at most
        500 m (rail: 1,000 m) from a home, as the crow flies; frequent_people and people: weights of homes within
        500 m of a stop served at least four times an hour, and of all; coverage: 1, for stops are known or there is
        no row; transit_vintage, service_date: those of the stops within reach, joined by " + " if there are several.
    """
    import pyarrow as pa

    rows: list[tuple[str, str, str, float, float, float, float, str, str]] = []
    if stops.num_rows:
        places = np.column_stack((stops["x_m"].to_numpy(), stops["y_m"].to_numpy()))
        reach = np.where(stops["rail"].to_numpy(zero_copy_only=False), WALK_RAIL_M, WALK_M)
        departures, peak = stops["departures"].to_numpy(), stops["peak_per_hour"].to_numpy()
        vintages, days = (np.array(stops[name].to_pylist()) for name in ("transit_vintage", "service_date"))
        for level, code, generation, homes in zone_homes(zone_geometries, raw_dir):
            near = _distance(places, homes) <= reach
            if not near.any():
                continue
            often = places[peak >= FREQUENT_PER_HOUR]
            served = homes.people[_distance(np.column_stack((homes.x, homes.y)), often) <= WALK_M].sum()
            people = homes.people.sum()
            rows.append(
                (
                    level,
                    code,
                    generation,
                    float(departures[near].sum()),
                    float(served),
                    float(people),
                    1.0,
                    _each(vintages[near]),
                    _each(days[near]),
                )
            )
    columns = list(zip(*rows, strict=True)) or [()] * len(KINDS)
    kinds = {name: pa.type_for_alias(kind) for name, kind in KINDS.items()}
    return pa.table({name: pa.array(cells, kind) for (name, kind), cells in zip(kinds.items(), columns, strict=True)})


def _each(texts: npt.NDArray[np.str_]) -> str:
    return " + ".join(np.unique(texts).tolist())


def _distance(points: npt.NDArray[np.float64], others: Homes | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Distance in metres from each point to the nearest of the others."""
    from scipy.spatial import KDTree

    found = np.column_stack((others.x, others.y)) if isinstance(others, Homes) else others
    if not len(found):
        return np.full(len(points), np.inf)
    return np.asarray(KDTree(found).query(points)[0])
