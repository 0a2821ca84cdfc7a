"""An invented region to measure access to work on: streets, buses, homes, workplaces and offers, from a seed.

Streets are a grid of 400 m with avenues; bus lines cross it from side to side. People, workplaces and offers crowd
towards the middle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.sources.crs import TARGET_CRS, transformer

MIDDLE_M = (352_000.0, 6_789_000.0)
BLOCK_M = 400.0
AVENUE = 8  # one street in so many
STOP_EVERY = 2  # blocks
ORIGINS = 10
FIRST_BUS_S, LAST_BUS_S, BUS_EVERY_S, HOP_S = 6 * 3600, 21 * 3600, 900, 144
DEPARTEMENT = "35"
STREETS, FEED = "streets.osm", "feed"
Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Region:
    """How large the region is; everything else follows from these and the seed."""

    blocks: int
    lines: int
    zones: int
    workplaces: int
    places: int
    offers: int
    occupations: int
    seed: int = 5

    @cached_property
    def side_m(self) -> float:
        """Length of a side."""
        return self.blocks * BLOCK_M

    def random(self, what: int) -> np.random.Generator:
        """Draws of one kind of thing, which do not depend on how many of another there are."""
        return np.random.default_rng([self.seed, what])

    def crowd(self, what: int, count: int, spread: float) -> Points:
        """Points around the middle, metres: `spread` is their standard deviation as a share of the side."""
        away = self.random(what).normal(0, spread * self.side_m, (count, 2))
        return MIDDLE_M + np.clip(away, -0.49 * self.side_m, 0.49 * self.side_m)


SIZES = {
    "region": Region(blocks=100, lines=60, zones=79, workplaces=3_677, places=6_000, offers=60_000, occupations=530),
    "small": Region(blocks=30, lines=12, zones=6, workplaces=200, places=300, offers=2_000, occupations=60),
    "tiny": Region(blocks=6, lines=2, zones=2, workplaces=5, places=6, offers=30, occupations=4),
}


def write_region(region: Region, folder: Path) -> None:
    """The streets, the feed, and the derived tables that trips and dbt read."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / STREETS).open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in _streets(region))
    (folder / FEED).mkdir(exist_ok=True)
    for name, lines in _feed(region).items():
        (folder / FEED / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    write_tables(_derived(region, Layout(region)), folder / "derived")


def write_tables(tables: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    """Columns by table, as Parquet files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns in tables.items():
        pq.write_table(pa.table(dict(columns)), folder / f"{name}.parquet")


def degrees(metres: Points) -> Points:
    """Longitude and latitude of points in metres (EPSG:2154)."""
    found: Points = np.column_stack(transformer(TARGET_CRS, "EPSG:4326").transform(*metres.T))
    return found


def _crossing(region: Region, ranks: npt.NDArray[np.int64]) -> Points:
    """Metres of crossings, by column and row."""
    found: Points = np.asarray(MIDDLE_M) + BLOCK_M * ranks - region.side_m / 2
    return found


def _streets(region: Region) -> Iterator[str]:
    count = region.blocks + 1
    ranks = np.stack(np.meshgrid(np.arange(count), np.arange(count), indexing="ij"), axis=-1)
    numbers = 1 + np.arange(count * count).reshape(count, count)
    yield '<?xml version="1.0" encoding="UTF-8"?><osm version="0.6" generator="benchmark">'
    for number, (lon, lat) in enumerate(degrees(_crossing(region, ranks.reshape(-1, 2))).tolist(), start=1):
        yield f'<node id="{number}" lat="{lat:.7f}" lon="{lon:.7f}"/>'
    for way, nodes in enumerate([*numbers, *numbers.T], start=1):
        tag = "primary" if (way - 1) % count % AVENUE == 0 else "residential"
        refs = "".join(f'<nd ref="{node}"/>' for node in nodes.tolist())
        yield f'<way id="{way}">{refs}<tag k="highway" v="{tag}"/><tag k="name" v="Rue {way}"/></way>'
    yield "</osm>"


def _feed(region: Region) -> dict[str, list[str]]:
    """Lines of a GTFS: half of them west to east, half south to north, as far apart as the region allows."""
    shifts = region.random(1).integers(0, BUS_EVERY_S // 60, region.lines) * 60
    along = np.arange(1, region.blocks, STOP_EVERY)
    tables: dict[str, list[str]] = {
        "agency.txt": ["agency_id,agency_name,agency_url,agency_timezone", "R,Bus,https://exemple.fr,Europe/Paris"],
        "calendar.txt": [
            "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date",
            "S,1,1,1,1,1,1,1,20240101,20241231",
        ],
        "stops.txt": ["stop_id,stop_name,stop_lat,stop_lon"],
        "routes.txt": ["route_id,route_short_name,route_type"],
        "trips.txt": ["route_id,service_id,trip_id"],
        "stop_times.txt": ["trip_id,arrival_time,departure_time,stop_id,stop_sequence"],
    }
    each_way = -(-region.lines // 2)
    for line, shift in enumerate(shifts.tolist()):
        across = np.full(len(along), round((line // 2 + 0.5) * region.blocks / each_way))
        ranks = np.column_stack([along, across] if line % 2 else [across, along])
        stops = [f"{line}-{rank}" for rank in range(len(along))]
        tables["routes.txt"].append(f"{line},{line},3")
        tables["stops.txt"] += [
            f"{stop},Arrêt {stop},{lat:.7f},{lon:.7f}"
            for stop, (lon, lat) in zip(stops, degrees(_crossing(region, ranks)).tolist(), strict=True)
        ]
        for side, order in (("a", stops), ("r", stops[::-1])):
            for start in range(FIRST_BUS_S + shift, LAST_BUS_S, BUS_EVERY_S):
                trip = f"{line}{side}{start}"
                tables["trips.txt"].append(f"{line},S,{trip}")
                calls = enumerate(order)
                tables["stop_times.txt"] += [
                    f"{trip},{(at := _clock(start + rank * HOP_S))},{at},{stop},{rank + 1}" for rank, stop in calls
                ]
    return tables


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


class Layout:
    """Where everything stands."""

    def __init__(self, region: Region) -> None:
        zones = region.crowd(2, region.zones, 0.15)
        around = region.random(3).normal(0, 250, (region.zones, ORIGINS, 2))
        self.zones = [f"QN035{rank:02}M" for rank in range(region.zones)]
        self.homes = (zones[:, None] + around).reshape(-1, 2)
        self.work = region.crowd(4, region.workplaces, 0.25)
        self.offers = region.crowd(5, region.places, 0.25)
        self.communes = [f"{DEPARTEMENT}{1 + rank // 16:03}" for rank in range(max(region.workplaces, region.places))]
        self.iris = [f"{commune}{1 + rank % 16:04}" for rank, commune in enumerate(self.communes[: len(self.work)])]
        self.points = [f"point:{lon:.5f},{lat:.5f}" for lon, lat in degrees(self.offers).tolist()]

    def zone_columns(self, times: int = 1) -> dict[str, Any]:
        """The key of each zone, so many rows each."""
        codes = np.repeat(self.zones, times).tolist()
        return {"zone_level": ["QPV"] * len(codes), "zone_code": codes, "generation": ["QN2024"] * len(codes)}


def _derived(region: Region, where: Layout) -> dict[str, dict[str, Any]]:
    origins = {
        **where.zone_columns(ORIGINS),
        "origin_rank": np.tile(np.arange(1, ORIGINS + 1), region.zones),
        "weight": np.full(len(where.homes), 1 / ORIGINS),
        **_located(where.homes),
        "basis": ["logements"] * len(where.homes),
    }
    destinations = {
        "destination_id": [*where.iris, *where.points],
        "kind": ["lieux_emploi"] * region.workplaces + ["offres"] * region.places,
        **_located(np.concatenate([where.work, where.offers])),
    }
    people = region.random(6).integers(1_000, 6_000, region.zones).astype(float)
    supply = {
        **where.zone_columns(),
        "departures": people / 10,
        "frequent_people": people / 2,
        "people": people,
        "coverage": np.ones(region.zones),
        "transit_vintage": ["bus_2024"] * region.zones,
        "service_date": ["2024-01-02"] * region.zones,
    }
    return {"origins": origins, "destinations": destinations, "transit_supply": supply}


def _located(metres: Points) -> dict[str, Any]:
    lon, lat = degrees(metres).round(7).T
    return {"x_m": metres[:, 0], "y_m": metres[:, 1], "lon": lon, "lat": lat, "departement": [DEPARTEMENT] * len(lon)}
