"""An invented region to measure access to work on: streets, buses, homes, workplaces, offers and demand, from a seed.

Streets are a grid of 400 m with avenues; bus lines cross it from side to side. People, workplaces and offers crowd
towards the middle. What dbt's other models would hand over is written as they would.
"""

from __future__ import annotations

from collections.abc import Iterator
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
DEPARTEMENT, EPCI, EDITION, DAY = "35", "243500139", "2024", "2024-06-15"
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
    """Everything: the streets, the feed, and the tables that trips and dbt read (`derived`, `handed`)."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / STREETS).open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in _streets(region))
    (folder / FEED).mkdir(exist_ok=True)
    for name, lines in _feed(region).items():
        (folder / FEED / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    where = _Places(region)
    for kind, tables in (("derived", _derived(region, where)), ("handed", _handed(region, where))):
        (folder / kind).mkdir(exist_ok=True)
        for name, table in tables.items():
            pq.write_table(table, folder / kind / f"{name}.parquet")


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


class _Places:
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


def _derived(region: Region, where: _Places) -> dict[str, pa.Table]:
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
    tables = {"origins": origins, "destinations": destinations, "transit_supply": supply}
    return {name: pa.table(columns) for name, columns in tables.items()}


def _located(metres: Points) -> dict[str, Any]:
    lon, lat = degrees(metres).round(7).T
    return {"x_m": metres[:, 0], "y_m": metres[:, 1], "lon": lon, "lat": lat, "departement": [DEPARTEMENT] * len(lon)}


def _handed(region: Region, where: _Places) -> dict[str, pa.Table]:
    """What the models of access to work read of other models, named `schema.relation`."""
    codes = [f"{'ABCDEFGHIJKLMN'[rank % 14]}{1000 + rank}" for rank in range(region.occupations)]
    zones = where.zone_columns()
    homes = [[where.communes[rank % len(where.communes)]] for rank in range(region.zones)]
    people = region.random(6).integers(1_000, 6_000, region.zones)
    tables: dict[str, dict[str, Any]] = {
        "marts.dim_zone": zones
        | {
            "communes": pa.array(homes, pa.list_(pa.string())),
            "epci": [EPCI] * region.zones,
            "departement": [DEPARTEMENT] * region.zones,
            "population": people,
        },
        "intermediate.int_indicateurs__emploi": zones
        | {
            "indicator_code": ["DE_ABC"] * region.zones,
            "vintage": [EDITION] * region.zones,
            "value": people / 10,
            "status": ["ok"] * region.zones,
        },
        "staging.stg_francetravail__rome": {
            "code_rome": codes,
            "rome_version": ["v3"] * len(codes),
            "code_parent_v3": codes,
        },
        "staging.stg_francetravail__offres": _offers(region, where, codes, region.offers, "francetravail"),
        "staging.stg_partenaire__offres": _offers(region, where, codes, 0, "partenaire"),
        "staging.stg_partenaire__demande_rome": _demand(region, where, codes),
        "staging.stg_francetravail__marche": _market(region, where, codes),
        "staging.stg_insee__iris_synthese": {
            "zone_code": where.iris,
            "vintage": [EDITION] * region.workplaces,
            "ze2020": [f"53{10 + rank % 4}.0" for rank in range(region.workplaces)],
        },
        "staging.stg_insee__parts_modales": zones
        | {"vintage": ["2021"] * region.zones, "part_menages_motorises": np.full(region.zones, 60.0)},
        "intermediate.observation": _employers(region, where),
    }
    return {name: pa.table(columns) for name, columns in tables.items()}


def _offers(region: Region, where: _Places, codes: list[str], count: int, source: str) -> dict[str, Any]:
    """Offers at the point of their commune: a few places have many, most have few."""
    random = region.random(7)
    place = np.minimum(random.pareto(1.0, count) * region.places / 20, region.places - 1).astype(int)
    lon, lat = degrees(where.offers[place]).T
    words = np.array(["magasinier", "aide à domicile", "cuisinier", "comptable", "soudeur", "infirmier"])
    titles = [f"{word} {number}" for word, number in zip(words[place % 6], random.integers(0, 999, count), strict=True)]
    created = np.datetime64(DAY) - random.integers(0, 60, count)
    return {
        "dataset": pa.array([f"{source}_offres"] * count, pa.string()),
        "colonne_postes": pa.array(["nombrePostes"] * count, pa.string()),
        "offre_id": pa.array([f"{rank:07}" for rank in range(count)], pa.string()),
        "source": pa.array([source] * count, pa.string()),
        "code_rome": pa.array([codes[rank] for rank in random.integers(0, len(codes), count)], pa.string()),
        "rome_version": pa.array(["v3"] * count, pa.string()),
        "intitule": pa.array(titles, pa.string()),
        "nb_postes": pa.array(random.integers(1, 4, count), pa.int32()),
        "type_contrat": pa.array(["CDI"] * count, pa.string()),
        "commune": pa.array([where.communes[rank] for rank in place], pa.string()),
        "lon": lon,
        "lat": lat,
        "precision": pa.array(["commune"] * count, pa.string()),
        "date_creation": pa.array(created.astype("datetime64[D]"), pa.date32()),
        "date_fin": pa.nulls(count, pa.date32()),
        "entreprise": pa.array([f"SOCIETE {rank}" for rank in random.integers(0, 5_000, count)], pa.string()),
        "vintage": pa.array([EDITION] * count, pa.string()),
        **_lineage(count),
    }


def _demand(region: Region, where: _Places, codes: list[str]) -> dict[str, Any]:
    seekers = region.random(8).integers(0, 40, region.zones * len(codes))
    count = len(seekers)
    hidden = (seekers > 0) & (seekers < 5)  # noqa: PLR2004 - the threshold of the source
    return {
        "code_qpv": np.repeat(where.zones, len(codes)).tolist(),
        "generation": ["QN2024"] * count,
        "code_rome": codes * region.zones,
        "categorie": ["ABC"] * count,
        "n_demandeurs": pa.array(seekers, pa.int32(), mask=hidden),
        "masque": hidden,
        "date_obs": pa.array(np.full(count, np.datetime64(DAY)), pa.date32()),
    }


def _market(region: Region, where: _Places, codes: list[str]) -> dict[str, Any]:
    communes = sorted(set(where.communes))
    count = len(communes) * len(codes)
    return {
        "code_type_territoire": ["COM"] * count,
        "code_territoire": np.repeat(communes, len(codes)).tolist(),
        "code_rome": codes * len(communes),
        "periode": [f"{EDITION}-T2"] * count,
        "n_demandeurs": pa.array(region.random(9).integers(0, 200, count), pa.int32()),
    }


def _employers(region: Region, where: _Places) -> dict[str, Any]:
    employers = region.random(10).integers(1, 60, region.workplaces)
    same = dict.fromkeys(("source_column", "key_column"), "texte") | {
        "zone_level": "IRIS",
        "vintage": EDITION,
        "variable": "iris_employeurs",
        "dataset": "insee_iris_synthese",
    }
    return {
        **{name: [text] * region.workplaces for name, text in same.items()},
        "zone_code": where.iris,
        "value": employers.astype(float),
        "raw_value": employers.astype(str).tolist(),
        "key_value": where.iris,
        "correction_id": pa.nulls(region.workplaces, pa.string()),
        **_lineage(region.workplaces),
    }


def _lineage(count: int) -> dict[str, Any]:
    return {
        "source_sha256": pa.array(["0" * 64] * count, pa.string()),
        "source_member": pa.array(["fichier"] * count, pa.string()),
        "source_row": pa.array(np.arange(count), pa.int64()),
    }
