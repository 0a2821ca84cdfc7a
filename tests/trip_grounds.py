"""Homes, places of work, straight roads and small bus lines on a plane, for tests of trips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from dagster_project.routing.bundles import Bundle
from dagster_project.routing.feeds import Service, service_for
from dagster_project.routing.roads.engine import LonLat, Matrix, Mode, crow_metres
from dagster_project.routing.roads.tiles import RoadNetwork
from dagster_project.routing.trips import Ground, Places
from tests.transit_files import loose

CORNER = (-1.70, 48.10)
PER_DEGREE = 111_195.08
SPEED: dict[Mode, float] = {"voiture": 10.0, "velo": 4.0, "marche": 1.25}  # metres per second
Spot = tuple[float, float]  # metres east and north of CORNER
WHOLE_YEAR = ("20240101", "20241231")


def lonlat(spot: Spot) -> Spot:
    lon, lat = CORNER
    return lon + spot[0] / (PER_DEGREE * np.cos(np.radians(lat))), lat + spot[1] / PER_DEGREE


@dataclass(frozen=True)
class StraightRoads:
    """Everything is joined as the crow flies, but for what lies north of `river` metres, which no street joins."""

    river: float = np.inf
    asked: list[tuple[Mode, int, int]] = field(default_factory=list)
    name: str = "droit"
    version: str = "1"

    def matrix(self, origins: LonLat, destinations: LonLat, mode: Mode) -> Matrix:
        self.asked.append((mode, len(origins), len(destinations)))
        metres = crow_metres(origins[:, None], destinations[None]).astype(np.float32)
        north, there = (points[:, 1] > lonlat((0, self.river))[1] for points in (origins, destinations))
        metres[north[:, None] != there[None]] = np.nan
        dry = np.zeros(len(origins), bool), np.zeros(len(destinations), bool)
        return Matrix(metres / np.float32(SPEED[mode]), metres, *dry)


def square(side: float, west: float = -2_000.0) -> RoadNetwork:
    """A network that covers a square; no street is drawn in it."""
    low, high = lonlat((west, -2_000.0)), lonlat((west + side, side - 2_000.0))
    return RoadNetwork(Path(), "0" * 64, Path(), 1, 2, shapely.box(*low, *high))


def homes(*spots: Spot, departement: str = "35") -> Places:
    """One zone of that many origins."""
    more = {"weight": [1 / len(spots)] * len(spots), "basis": ["logements"] * len(spots)}
    named = {"zone_level": "QPV", "zone_code": f"QP0{departement}001", "generation": "QP2015"}
    constants = {name: [text] * len(spots) for name, text in named.items()}
    return _places(spots, {**constants, "origin_rank": range(1, len(spots) + 1), **more}, departement)


def workplaces(*spots: Spot, kind: str = "lieux_emploi") -> Places:
    names = [f"35238{rank:04}" if kind == "lieux_emploi" else f"point:{rank}" for rank in range(1, len(spots) + 1)]
    return _places(spots, {"destination_id": names, "kind": [kind] * len(spots)}, "35")


def both(one: Places, other: Places) -> Places:
    return Places.of(pa.concat_tables([one.table, other.table]))


def _places(spots: Sequence[Spot], columns: Mapping[str, Sequence[object]], departement: str) -> Places:
    lon, lat = zip(*map(lonlat, spots), strict=True)
    x, y = (np.array(part, float) for part in zip(*spots, strict=True))
    where = {
        "x_m": 350_000 + x,
        "y_m": 6_790_000 + y,
        "lon": lon,
        "lat": lat,
        "departement": [departement] * len(spots),
    }
    return Places.of(pa.table({name: list(values) for name, values in (columns | where).items()}))


def bus(
    stops: Mapping[str, Spot],
    calls: Sequence[tuple[str, int]],
    *,
    every: int = 10,
    days: tuple[str, str] = WHOLE_YEAR,
    kind: int = 3,
) -> dict[str, str]:
    """Tables of a feed: one line, stop after stop at so many minutes from its start, from 06:00 to 20:00."""
    starts = range(6 * 60, 20 * 60, every)
    rows = [
        f"{start},{clock(start + minutes)},{clock(start + minutes)},{stop},{rank}"
        for start in starts
        for rank, (stop, minutes) in enumerate(calls, 1)
    ]
    places = [f"{stop},{stop},{lonlat(spot)[1]:.7f},{lonlat(spot)[0]:.7f}" for stop, spot in stops.items()]
    texts = {
        "agency.txt": ["agency_id,agency_name,agency_url,agency_timezone", "R,Réseau,https://exemple.fr,Europe/Paris"],
        "stops.txt": ["stop_id,stop_name,stop_lat,stop_lon", *places],
        "routes.txt": ["route_id,route_short_name,route_type", f"1,1,{kind}"],
        "trips.txt": ["route_id,service_id,trip_id", *(f"1,S,{start}" for start in starts)],
        "stop_times.txt": ["trip_id,arrival_time,departure_time,stop_id,stop_sequence", *rows],
        "calendar.txt": [
            "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date",
            f"S,1,1,1,1,1,1,1,{days[0]},{days[1]}",
        ],
    }
    return {name: "\n".join([*lines, ""]) for name, lines in texts.items()}


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}:00"


def bundle(folder: Path, tables: Mapping[str, str], dataset: str = "star_gtfs", vintage: str = "2024") -> Bundle:
    """A feed received as text files."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = tuple((name, f"{rank:064x}", path) for rank, (name, path) in enumerate(loose(folder, tables)))
    return Bundle(dataset, vintage, "f", parts)


def ground(
    network: RoadNetwork, *bundles: Bundle, roads: StraightRoads | None = None, name: str = "rennes_2013"
) -> Ground:
    none = Service((), None, None, ())
    service = service_for(network.extent, bundles) if bundles else none
    return Ground(network, roads or StraightRoads(), name, service)
