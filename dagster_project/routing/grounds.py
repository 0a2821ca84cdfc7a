"""Streets and timetables of a run, put together: which grounds there are, and the tables that the graph writes."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dagster_project.routing.bundles import Bundle, received_bundles
from dagster_project.routing.feeds import Service, service_for
from dagster_project.routing.roads import engine_for
from dagster_project.routing.roads.extract import ExtractRefused
from dagster_project.routing.roads.tiles import RoadNetwork, network_for
from dagster_project.routing.transit.timetable import build_timetable
from dagster_project.routing.trips import HOME_KEYS, THREADS, Ground, Places, best_ground, trips_by_home
from dagster_project.settings import Settings
from dagster_project.sources.crs import TARGET_CRS, transformer

if TYPE_CHECKING:
    import pyarrow as pa

DAY_S = (6 * 3600, 22 * 3600)
PEAK_S = (7 * 3600, 9 * 3600)
# GTFS route_type of trams, métros and trains; the ranges are those of the extended list.
RAIL = (0, 1, 2, *range(100, 118), *range(400, 406), *range(900, 907))
NETWORK_COLUMNS = (
    "dataset",
    "vintage",
    "file",
    "kind",
    "status",
    "reason_fr",
    "problem",
    "problem_count",
    "problem_fr",
)


def received(settings: Settings, datasets: Iterable[str]) -> list[Bundle]:
    """Streets and timetables that this home holds."""
    return received_bundles(settings.raw_dir, settings.archive_dir, datasets)


def departements_served(settings: Settings, bundles: Sequence[Bundle], homes: Path) -> list[str]:
    """Départements that have homes on a street network, in order."""
    table = _places(homes)
    covered = np.zeros(table.table.num_rows, dtype=bool)
    for _, network in _networks(settings, bundles)[0]:
        covered |= network.covers(table.lonlat)
    return sorted(set(np.array(table.table["departement"].to_pylist(), dtype=object)[covered]))


def departement_trips(
    settings: Settings, bundles: Sequence[Bundle], departement: str, homes: Path, places: Path
) -> Iterator[pa.Table]:
    """Every trip of the homes of one département, in the columns of `trips.empty_trips`, sorted; a table per home."""
    import pyarrow.compute as pc

    table = _places(homes)
    here = np.flatnonzero(pc.equal(table.table["departement"], departement).to_numpy(zero_copy_only=False))
    ends = _places(places)
    networks, _ = _networks(settings, bundles)
    if not len(here) or not networks:
        return
    grounds = [_ground(settings, bundle, network, bundles) for bundle, network in networks]
    found = [trips_by_home(ground, mine, ends) for ground, mine in best_ground(grounds, table.take(here))]
    # A zone may lie on two networks: homes stay in order whatever they are on.
    yield from heapq.merge(*found, key=_home)


def _home(table: pa.Table) -> tuple[Any, ...]:
    """Which home the rows of a table are of."""
    return tuple(table[name][0].as_py() for name in HOME_KEYS)


def stacked(paths: Sequence[Path]) -> Iterator[pa.Table]:
    """The tables of several départements, one after the other, in parts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield pa.Table.from_batches([batch]).replace_schema_metadata(None)


def network_tables(settings: Settings, bundles: Sequence[Bundle]) -> dict[str, pa.Table]:
    """What became of each network and timetable, and the stops that are served.

    Returns:
        networks: dataset, vintage, file, kind (rues, horaires), status (retenu, hors_zone, hors_validite, refuse),
        reason_fr, then one row per kind of problem: problem, problem_count, problem_fr (null where there is none).
        transit_stops: stop_id, lon, lat, x_m, y_m, rail, departures (06:00–22:00), peak_per_hour (07:00–09:00),
        transit_vintage, service_date.
    """
    networks, refused = _networks(settings, bundles)
    rows = [_network_row(bundle, "rues", "refuse", str(refusal)) for bundle, refusal in refused]
    stops: dict[str, dict[str, Any]] = {}
    verdicts: dict[str, list[dict[str, Any]]] = {}
    for bundle, network in networks:
        reason = f"{network.highways} voies, {network.vertices} points"
        rows.append(_network_row(bundle, "rues", "retenu", reason))
        service = service_for(network.extent, _feeds(bundles))
        for verdict in service.verdicts:
            told = [
                _network_row(verdict.bundle, "horaires", verdict.status, verdict.reason, problem)
                for problem in verdict.problems or (None,)
            ]
            # A feed serves one network and is out of place in the others: what it is used for comes first.
            if verdict.status == "retenu" or verdict.bundle.name not in verdicts:
                verdicts[verdict.bundle.name] = told
        for stop in _stops(service, network):
            stops.setdefault(stop["stop_id"], stop)  # where networks overlap, it is on the first, as homes are
    for told in verdicts.values():
        rows += told
    return {"networks": _table(rows, _NETWORKS), "transit_stops": _table(list(stops.values()), _STOPS)}


def _networks(
    settings: Settings, bundles: Sequence[Bundle]
) -> tuple[list[tuple[Bundle, RoadNetwork]], list[tuple[Bundle, ExtractRefused]]]:
    """Street networks that can be used, newest first, and those that are refused."""
    found, refused = [], []
    for bundle in sorted(bundles, key=lambda each: (-int(each.vintage), each.file)):
        if bundle.is_timetable:
            continue
        _, sha256, path = bundle.parts[0]
        try:
            found.append((bundle, network_for(path, sha256, settings.derived_dir / "rues")))
        except ExtractRefused as refusal:
            refused.append((bundle, refusal))
    return found, refused


def _ground(settings: Settings, bundle: Bundle, network: RoadNetwork, bundles: Sequence[Bundle]) -> Ground:
    service = service_for(network.extent, _feeds(bundles))
    return Ground(network, engine_for(settings, network, threads=THREADS), bundle.name, service)


def _feeds(bundles: Sequence[Bundle]) -> list[Bundle]:
    return [bundle for bundle in bundles if bundle.is_timetable]


def _places(path: Path) -> Places:
    import pyarrow.parquet as pq

    return Places.of(pq.read_table(path).replace_schema_metadata(None))


def _network_row(
    bundle: Bundle, kind: str, status: str, reason: str, problem: tuple[str, int, str] | None = None
) -> dict[str, Any]:
    code, count, text = problem or (None, None, None)
    values = (bundle.dataset, bundle.vintage, bundle.file, kind, status, reason, code, count, text)
    return dict(zip(NETWORK_COLUMNS, values, strict=True))


def _stops(service: Service, network: RoadNetwork) -> list[dict[str, Any]]:
    """Stops inside a network, with what leaves from them on the day of the service."""
    if service.day is None:
        return []
    timetable = build_timetable(service.feeds, service.day)
    boards = timetable.boarding

    def departures(start: int, end: int) -> npt.NDArray[np.int64]:
        counted = boards & (timetable.departure >= start) & (timetable.departure < end)
        return np.bincount(timetable.from_stop[counted], minlength=len(timetable.stop_ids))

    day, peak = departures(*DAY_S), departures(*PEAK_S)
    rail = np.concatenate([_rail_stops(feed) for feed in service.feeds])
    lon, lat = timetable.stop_lon, timetable.stop_lat
    served = np.isfinite(lon) & np.isfinite(lat) & (day > 0)
    served[served] = network.covers(np.column_stack([lon[served], lat[served]]))
    x, y = transformer("EPSG:4326", TARGET_CRS).transform(lon[served], lat[served])
    hours = (PEAK_S[1] - PEAK_S[0]) / 3600
    columns = (timetable.stop_ids[served], lon[served], lat[served], x, y, rail[served], day[served], peak[served])
    return [
        {
            "stop_id": str(stop),
            **dict(zip(("lon", "lat", "x_m", "y_m"), map(float, place), strict=True)),
            "rail": bool(on_rail),
            "departures": float(all_day),
            "peak_per_hour": float(at_peak) / hours,
            "transit_vintage": service.vintage,
            "service_date": service.day.isoformat(),
        }
        for stop, *place, on_rail, all_day, at_peak in zip(*columns, strict=True)
    ]


def _rail_stops(feed: Any) -> npt.NDArray[np.bool_]:
    """Which stops of a feed a tram, métro or train serves."""
    kinds = feed.trip_route_type
    rails = np.isin(kinds, RAIL)
    times = feed.stop_times
    trip = np.repeat(np.arange(len(kinds)), np.diff(times.first))
    found = np.zeros(len(feed.stop_ids), dtype=bool)
    found[times.stop[rails[trip]]] = True
    return found


_NETWORKS = dict.fromkeys(NETWORK_COLUMNS, "string") | {"problem_count": "int64"}
_STOPS = {"stop_id": "string"} | dict.fromkeys(("lon", "lat", "x_m", "y_m"), "float64") | {"rail": "bool"}
_STOPS |= {"departures": "float64", "peak_per_hour": "float64", "transit_vintage": "string", "service_date": "string"}


def _table(rows: list[dict[str, Any]], kinds: dict[str, str]) -> pa.Table:
    import pyarrow as pa

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in kinds.items()])
    return pa.Table.from_pylist(rows, schema=schema)
