"""Files of the demonstration about reaching work, and searches over them that share no code with the generator."""

from __future__ import annotations

import csv
import heapq
import io
import json
import zipfile
from collections import defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from pyproj import Geod

STREETS, TOWN = "roads/rennes.geojson", "roads/redon.sans_contact.osm"
GTFS = "gtfs/star-rennes-20120709/GTFS-20120618.zip"
FEEDS = ("sncf-tgv-2025", "sncf-intercites-2013", "sncf-ter-2021-tronque")
_MEMBERS = ("agency", "calendar_dates", "routes", "stop_times", "stops", "transfers", "trips")
TRAINS = tuple(
    f"gtfs/{feed}/{member}.txt"
    for feed in FEEDS
    for member in (*_MEMBERS, "calendar" if feed == "sncf-intercites-2013" else "feed_info")
)
PAGE = "jobs/api_offres_france_travail.sans_contact.json"
FLAT = "jobs/offres_data_with_salary.sans_description.csv"
PARTNER, DEMAND, MARKET = (
    "jobs/offres_partenaire.csv",
    "jobs/demande_rome_qpv.csv",
    "jobs/marche_travail_demandeurs.json",
)
ROME_V3, ROME_V4 = (f"jobs/unix_referentiel_code_rome_{version}_utf8.csv" for version in ("v347", "v460"))
APPELLATIONS = "jobs/unix_referentiel_appellation_v347_utf8.csv"
BMO, BASINS = "jobs/BMO_2024_ouest.csv", "jobs/bassin_emploi.csv"
COMMUTING = "commuting/INSEE_Statistiques_locales_territoires_ville_quartiers.csv"
CITY_FOLDERS = ("roads/", "gtfs/", "jobs/", "commuting/")
# Those that the seed does not move: nomenclatures, timetables of trains, what names communes only.
FIXED_PATHS = frozenset(
    (ROME_V3, ROME_V4, APPELLATIONS, BASINS, *(path for path in TRAINS if not path.endswith("stops.txt")))
)

NEVER = 10**9
Graph = dict[tuple[float, float], list[tuple[tuple[float, float], float]]]


def table(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def read(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    return table(path.read_bytes().decode("utf-8-sig"), delimiter)


def members(path: Path) -> dict[str, str]:
    """Texts of the members of an archive."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}


def lines_of(mirror: Path) -> list[dict[str, Any]]:
    features = json.loads((mirror / STREETS).read_bytes())["features"]
    return [feature for feature in features if feature["geometry"]["type"] == "LineString"]


def graph_of(ways: list[tuple[dict[str, str], list[tuple[float, float]]]], mode: str) -> Graph:
    """Steps between neighbouring points of street lines, metres on the ellipsoid; lines meet where points are equal."""
    ellipsoid, graph = Geod(ellps="WGS84"), defaultdict(list)
    for tags, points in ways:
        if tags["highway"] == "footway" and mode != "marche":
            continue
        sense = tags.get("oneway") if mode != "marche" else None
        for a, b in pairwise(points):
            metres = ellipsoid.inv(*a, *b)[2]
            if sense != "-1":
                graph[a].append((b, metres))
            if sense != "yes":
                graph[b].append((a, metres))
    return graph


def city_ways(mirror: Path) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
    return [(line["properties"], [tuple(p) for p in line["geometry"]["coordinates"]]) for line in lines_of(mirror)]


def town_ways(mirror: Path) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
    """Ways of the XML that are streets, as osmium reads them."""
    import osmium

    found = []
    for way in osmium.FileProcessor(mirror / TOWN).with_locations():
        if isinstance(way, osmium.osm.Way) and "highway" in way.tags:
            tags = {tag.k: tag.v for tag in way.tags}
            found.append((tags, [(round(node.lon, 7), round(node.lat, 7)) for node in way.nodes]))
    return found


def distances(graph: Graph, start: tuple[float, float]) -> dict[tuple[float, float], float]:
    """Shortest metres to every point that can be reached."""
    found: dict[tuple[float, float], float] = {}
    queue = [(0.0, start)]
    while queue:
        metres, point = heapq.heappop(queue)
        if point not in found:
            found[point] = metres
            for to, step in graph[point]:
                heapq.heappush(queue, (metres + step, to))
    return found


def seconds(clock: str) -> int:
    hours, minutes, rest = map(int, clock.split(":"))
    return 3600 * hours + 60 * minutes + rest


class Timetable:
    """All the connections of the city's feed on one day, frequencies unrolled."""

    def __init__(self, mirror: Path, day: date) -> None:
        tables = {name: table(text) for name, text in members(mirror / GTFS).items()}
        self.name = {row["stop_id"]: row["stop_name"] for row in tables["stops.txt"]}
        self.named: dict[str, list[str]] = defaultdict(list)
        for stop, name in self.name.items():
            self.named[name].append(stop)
        weekday = day.strftime("%A").lower()
        text = day.strftime("%Y%m%d")
        running = {
            row["service_id"]
            for row in tables["calendar.txt"]
            if row[weekday] == "1" and row["start_date"] <= text <= row["end_date"]
        }
        for row in tables["calendar_dates.txt"]:
            if row["date"] == text:
                (running.add if row["exception_type"] == "1" else running.discard)(row["service_id"])
        calls: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
        for row in tables["stop_times.txt"]:
            calls[row["trip_id"]].append((int(row["stop_sequence"]), row["stop_id"], seconds(row["departure_time"])))
        repeated: dict[str, list[int]] = defaultdict(list)
        for row in tables["frequencies.txt"]:
            repeated[row["trip_id"]] += range(
                seconds(row["start_time"]), seconds(row["end_time"]), int(row["headway_secs"])
            )
        self.connections: list[tuple[int, str, int, str, tuple[str, int]]] = []
        for trip in tables["trips.txt"]:
            if trip["service_id"] not in running:
                continue
            order = sorted(calls[trip["trip_id"]])
            for start in repeated.get(trip["trip_id"], [order[0][2]]):
                late = start - order[0][2]
                for (_, a, leave), (_, b, arrive) in pairwise(order):
                    self.connections.append((leave + late, a, arrive + late, b, (trip["trip_id"], start)))
        self.connections.sort()

    def arrival(self, start: str, end: str, leave: int, change: int = 120) -> int | None:
        """Connection scan: boards at any stop named `start`; a change costs `change`, even at one stop."""
        ready = dict.fromkeys(self.named[start], leave)
        boarded = set()
        best: int | None = None
        for departs, a, arrives, b, trip in self.connections:
            if best is not None and departs >= best:
                break
            if trip in boarded or ready.get(a, NEVER) <= departs:
                boarded.add(trip)
                if self.name[b] == end:
                    best = min(arrives, NEVER if best is None else best)
                for stop in self.named[self.name[b]]:
                    ready[stop] = min(ready.get(stop, NEVER), arrives + change)
        return best
