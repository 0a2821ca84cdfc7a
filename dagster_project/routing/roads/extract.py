"""Street extracts as they come, written as the one form engines read: nodes, ways and relations in `.osm.pbf`.

Three forms are known by their first bytes, not by their name, since archived bytes have none: `.osm.pbf` is copied
as it is; `.osm` XML is sorted and rid of doubles; GeoJSON lines get nodes, one for all that stand at the same place.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import osmium
import shapely

Form = Literal["pbf", "xml", "geojson"]
HEAD = 512  # bytes within which every form shows itself
DECIMALS = 7  # OpenStreetMap stores coordinates to 10⁻⁷ degree
UNREADABLE = "ce n’est pas un extrait OpenStreetMap lisible"


class ExtractRefused(ValueError):  # noqa: N818  named for what it says
    """The file holds no street network; the message, in French, names the file, the reason and what to do."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name} : {reason}. Fournir un extrait .osm.pbf, .osm ou des lignes de rues en GeoJSON.")


@dataclass(frozen=True)
class Survey:
    """What a network holds.

    Attributes:
        highways: ways that carry the tag `highway`.
        vertices: positions along these ways, those shared counted once per way.
        extent: convex hull of these positions, lon/lat; a point or a line for a degenerate network.
    """

    highways: int
    vertices: int
    extent: shapely.Geometry


def normalise(source: Path, target: Path) -> None:
    """Write the extract as `.osm.pbf`; the same bytes in give the same bytes out.

    Raises:
        ExtractRefused: the file is empty, is none of the known forms, or is damaged.
    """
    form = form_of(source)
    try:
        if form == "pbf":
            shutil.copyfile(source, target)
        elif form == "xml":
            _from_xml(source, target)
        else:
            _from_geojson(source, target)
    except (RuntimeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        with suppress(FileNotFoundError):
            target.unlink()
        raise ExtractRefused(source, f"{UNREADABLE} ({error})") from error


def form_of(path: Path) -> Form:
    """The form of an extract, from its first bytes.

    Raises:
        ExtractRefused: the file is empty or is none of the known forms.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise ExtractRefused(path, "le fichier est vide")
    if b"OSMHeader" in head:
        return "pbf"
    if text.startswith(b"<") and b"<osm" in head:
        return "xml"
    if text.startswith(b"{"):
        return "geojson"
    raise ExtractRefused(path, UNREADABLE)


def survey(pbf: Path, name: Path | None = None) -> Survey:
    """Count the streets of a normalised extract and draw their hull.

    Args:
        pbf: a file written by `normalise`.
        name: the file to name in an error, where it is another.

    Raises:
        ExtractRefused: damaged, or without any way that carries `highway` and positions.
    """
    objects: Iterable[Any] = (
        osmium.FileProcessor(osmium.io.File(str(pbf), "pbf"), osmium.osm.NODE | osmium.osm.WAY)
        .with_locations()
        .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        .with_filter(osmium.filter.KeyFilter("highway"))
    )
    hull = shapely.MultiPoint()
    highways = vertices = 0
    batch: list[tuple[float, float]] = []
    try:
        for way in objects:
            # An extract cut along a box names nodes that it does not hold.
            places = [(node.lon, node.lat) for node in way.nodes if node.location.valid()]
            highways += 1
            vertices += len(places)
            batch += places
            if len(batch) > 1_000_000:  # noqa: PLR2004  keeps memory flat on a country
                hull, batch = _hull(hull, batch), []
    except RuntimeError as error:
        raise ExtractRefused(name or pbf, f"{UNREADABLE} ({error})") from error
    if not vertices:
        raise ExtractRefused(name or pbf, "aucune voie ne porte l’étiquette highway")
    return Survey(highways, vertices, _hull(hull, batch))


def extent(pbf: Path) -> shapely.Geometry:
    """Convex hull, lon/lat, of the streets of a normalised extract."""
    return survey(pbf).extent


def _hull(hull: shapely.Geometry, places: list[tuple[float, float]]) -> shapely.Geometry:
    return shapely.union(hull, shapely.MultiPoint(places)).convex_hull


def _from_xml(source: Path, target: Path) -> None:
    reader = osmium.MergeInputReader()
    # From memory: a byte order mark before the declaration, and a name that says nothing, are both fine.
    reader.add_buffer(source.read_bytes().removeprefix(b"\xef\xbb\xbf"), "osm")
    with osmium.SimpleWriter(osmium.io.File(str(target), "pbf"), overwrite=True) as writer:
        reader.apply(writer, simplify=True)


def _from_geojson(source: Path, target: Path) -> None:
    collection = json.loads(source.read_text(encoding="utf-8-sig"))
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list):
        raise ExtractRefused(source, "une FeatureCollection GeoJSON était attendue")
    numbers: dict[tuple[float, float], int] = {}
    lines: list[tuple[list[int], dict[str, str]]] = []
    signs: dict[tuple[float, float], dict[str, str]] = {}
    for rank, feature in enumerate(features, 1):
        try:
            tags = _tags(feature.get("properties") or {})
            geometry = feature.get("geometry") or {}
            for line in _lines(geometry):
                places = [_place(position) for position in line]
                lines.append(([numbers.setdefault(place, len(numbers) + 1) for place in places], tags))
            if geometry.get("type") == "Point":
                signs[_place(geometry["coordinates"])] = tags
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ExtractRefused(source, f"l’objet n° {rank} n’est pas une ligne lisible ({error!r})") from error
    with osmium.SimpleWriter(osmium.io.File(str(target), "pbf"), overwrite=True) as writer:
        for place, number in numbers.items():
            writer.add_node(osmium.osm.mutable.Node(id=number, location=place, tags=signs.get(place, {})))
        for number, (nodes, tags) in enumerate(lines, 1):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=nodes, tags=tags))


def _lines(geometry: Mapping[str, Any]) -> Iterator[list[list[float]]]:
    if geometry.get("type") == "LineString":
        yield geometry["coordinates"]
    elif geometry.get("type") == "MultiLineString":
        yield from geometry["coordinates"]


def _place(position: list[float]) -> tuple[float, float]:
    return round(float(position[0]), DECIMALS), round(float(position[1]), DECIMALS)


def _tags(properties: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in properties.items() if value is not None and value != ""}
