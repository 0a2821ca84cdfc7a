"""OpenStreetMap extracts of the fictitious networks: street lines in GeoJSON, and the XML that Overpass answers."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import quoteattr

from dagster_project.demo_territory import city_names
from dagster_project.demo_territory.geometry import to_degrees
from dagster_project.demo_territory.streets import DEGREES, Network, Node
from dagster_project.demo_territory.territory import Territory

PATHS = ("roads/rennes.geojson", "roads/redon.sans_contact.osm")
FIRST_NODE, FIRST_WAY, FIRST_RELATION = 9_600_000_001, 960_000_001, 96_001
SHOWN_CROSSINGS = 5  # one point in so many crossings of the avenue
NOTICE = "Territoire fictif : aucune de ces rues n'existe. The form is that of an OpenStreetMap extract."


def files(territory: Territory, city: Network, town: Network) -> dict[str, bytes]:
    """The city's street lines and the town's whole extract."""
    code = territory.commune_at(territory.cell_of[town.name], 2024).code
    return {PATHS[0]: streets_geojson(city), PATHS[1]: osm_xml(town, code)}


def streets_geojson(network: Network) -> bytes:
    """Points of a few crossings, then one line per way; ways that meet share the very same coordinates."""
    features: list[dict[str, Any]] = []
    for row in range(0, network.rows, SHOWN_CROSSINGS):
        place = list(network.degrees[network.centre[0], row])
        features.append(_feature({"highway": "crossing"}, "Point", place))
    for street in network.streets:
        line = [list(network.degrees[node]) for node in street.nodes]
        features.append(_feature(dict(sorted(street.tags.items())), "LineString", line))
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    return f'{{"type": "FeatureCollection",\n"features": [\n{lines}\n]\n}}\n'.encode()


def _feature(properties: dict[str, str], kind: str, coordinates: list[Any]) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def osm_xml(network: Network, commune: str) -> bytes:
    """OSM XML 0.6 with a byte order mark: nodes, ways (the river too), and a relation that holds no street."""
    numbers = {node: FIRST_NODE + rank for rank, node in enumerate(network.degrees)}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="demonstration">']
    lines += [f"<note>{NOTICE}</note>", '<meta osm_base="2019-09-09T14:03:02Z"/>', ""]
    for node, (lon, lat) in network.degrees.items():
        lines += _node(numbers[node], lon, lat, _node_tags(network, node, commune))
    banks = to_degrees([network.river], DEGREES)[0].tolist()
    shore = [FIRST_NODE + len(numbers) + rank for rank in range(len(banks))]
    for number, (lon, lat) in zip(shore, banks, strict=True):
        lines += _node(number, lon, lat, {})
    for rank, street in enumerate(network.streets):
        lines += _way(FIRST_WAY + rank, [numbers[node] for node in street.nodes], street.tags)
    river = FIRST_WAY + len(network.streets)
    lines += _way(river, shore, {"name": city_names.RIVER, "waterway": "river"})
    member = f'    <member type="way" ref="{river}" role=""/>'
    lines += [
        f'  <relation id="{FIRST_RELATION}">',
        member,
        *_tags({"type": "waterway"}),
        "  </relation>",
        "",
        "</osm>",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8-sig")


def _node_tags(network: Network, node: Node, commune: str) -> dict[str, str]:
    if node != network.centre:
        return {}
    return {"name": network.name, "place": "town", "ref:INSEE": commune}


def _node(number: int, lon: float, lat: float, tags: dict[str, str]) -> list[str]:
    head = f'  <node id="{number}" lat="{lat:.{DEGREES}f}" lon="{lon:.{DEGREES}f}"'
    return [f"{head}>", *_tags(tags), "  </node>"] if tags else [f"{head}/>"]


def _way(number: int, nodes: list[int], tags: dict[str, str]) -> list[str]:
    refs = [f'    <nd ref="{node}"/>' for node in nodes]
    return [f'  <way id="{number}">', *refs, *_tags(tags), "  </way>"]


def _tags(tags: dict[str, str]) -> list[str]:
    return [f'    <tag k="{key}" v={quoteattr(value)}/>' for key, value in sorted(tags.items())]
