"""Street extracts: three forms, one result; what is no extract is refused in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import osmium
import pytest
import shapely

from dagster_project.routing.roads.extract import ExtractRefused, extent, form_of, normalise, survey
from tests.road_city import build_city, write_osm

LINE = {"type": "LineString", "coordinates": [[-2.0, 47.5], [-1.99, 47.5]]}


def geojson(path: Path, *features: tuple[dict, dict]) -> Path:
    content = [{"type": "Feature", "geometry": geometry, "properties": tags} for geometry, tags in features]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": content}), encoding="utf-8")
    return path


def objects(pbf: Path) -> list[tuple]:
    found = []
    for one in osmium.FileProcessor(osmium.io.File(str(pbf), "pbf")):
        nodes = [node.ref for node in one.nodes] if one.is_way() else [(one.location.lon, one.location.lat)]
        found.append((one.type_str(), one.id, nodes, dict(one.tags)))
    return found


@pytest.mark.parametrize("mark", [False, True])
def test_xml_becomes_pbf_whether_or_not_it_starts_with_a_mark(tmp_path: Path, mark: bool) -> None:
    source = write_osm(build_city(), tmp_path / "city", mark=mark)
    normalise(source, tmp_path / "a.osm.pbf")
    found = survey(tmp_path / "a.osm.pbf")
    assert form_of(source) == "xml"
    assert found.highways == len(build_city().streets)
    assert shapely.bounds(found.extent)[:2] == pytest.approx(build_city().corners.min(axis=0), abs=1e-7)


def test_objects_out_of_order_are_sorted_and_doubles_dropped(tmp_path: Path) -> None:
    text = (
        '<osm version="0.6"><way id="9"><nd ref="2"/><nd ref="1"/><tag k="highway" v="path"/></way>'
        '<node id="2" lon="1" lat="2"/><node id="1" lon="1" lat="1"/><node id="2" lon="1" lat="2"/></osm>'
    )
    (tmp_path / "x").write_text(text, encoding="utf-8")
    normalise(tmp_path / "x", tmp_path / "x.osm.pbf")
    assert [(kind, number) for kind, number, *_ in objects(tmp_path / "x.osm.pbf")] == [("n", 1), ("n", 2), ("w", 9)]


def test_lines_that_meet_share_a_node_and_points_give_it_their_tags(tmp_path: Path) -> None:
    other = {"type": "MultiLineString", "coordinates": [[[-1.99, 47.50000001], [-1.99, 47.51]]]}
    sign = {"type": "Point", "coordinates": [-1.99, 47.5]}
    source = geojson(
        tmp_path / "streets",
        (LINE, {"highway": "residential", "name": "Rue de l’Église", "lanes": 2, "ref": None}),
        (other, {"highway": "path"}),
        (sign, {"highway": "crossing"}),
        ({"type": "Point", "coordinates": [0, 0]}, {"highway": "crossing"}),
    )
    normalise(source, tmp_path / "a.osm.pbf")
    assert objects(tmp_path / "a.osm.pbf") == [
        ("n", 1, [(-2.0, 47.5)], {}),
        ("n", 2, [(-1.99, 47.5)], {"highway": "crossing"}),
        ("n", 3, [(-1.99, 47.51)], {}),
        ("w", 1, [1, 2], {"highway": "residential", "name": "Rue de l’Église", "lanes": "2"}),
        ("w", 2, [2, 3], {"highway": "path"}),
    ]


def test_a_pbf_is_copied_and_the_same_extract_gives_the_same_bytes(tmp_path: Path) -> None:
    source = write_osm(build_city(), tmp_path / "city")
    for name in ("a", "b"):
        normalise(source, tmp_path / name)
    normalise(tmp_path / "a", tmp_path / "c")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()
    assert extent(tmp_path / "c").equals(extent(tmp_path / "a"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "vide"),
        (b"\xef\xbb\xbf \n", "vide"),
        (b"PK\x03\x04 not a map", "lisible"),
        (b"<html><body/></html>", "lisible"),
        (b'<osm version="0.6"><node id="1" lon="0" lat="0"', "lisible"),
        (b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\x7cgarbage", "lisible"),
        (b'{"type": "FeatureCollection", "features": [', "lisible"),
        (b'{"type": "Feature"}', "FeatureCollection"),
        (b'{"features": [{"geometry": {"type": "LineString", "coordinates": [["a", 1]]}}]}', "objet n° 1"),
        (b'{"features": ["street"]}', "objet n° 1"),
    ],
)
def test_what_is_no_extract_is_refused_and_leaves_nothing(tmp_path: Path, content: bytes, reason: str) -> None:
    source, target = tmp_path / "fichier", tmp_path / "out"
    source.write_bytes(content)

    def read() -> None:
        normalise(source, target)
        survey(target, source)

    with pytest.raises(ExtractRefused, match=f"fichier.*{reason}"):
        read()
    assert not target.exists() or form_of(source) == "pbf"


def test_an_extract_without_streets_is_refused(tmp_path: Path) -> None:
    normalise(geojson(tmp_path / "rivers", (LINE, {"waterway": "river"})), tmp_path / "a")
    with pytest.raises(ExtractRefused, match=r"rivers.*highway"):
        survey(tmp_path / "a", tmp_path / "rivers")


def test_a_street_that_leaves_the_extract_counts_for_what_is_inside(tmp_path: Path) -> None:
    text = (
        '<osm version="0.6"><node id="1" lon="1" lat="2"/><node id="2" lon="1" lat="3"/>'
        '<way id="9"><nd ref="1"/><nd ref="2"/><nd ref="77"/><tag k="highway" v="path"/></way></osm>'
    )
    (tmp_path / "x").write_text(text, encoding="utf-8")
    normalise(tmp_path / "x", tmp_path / "a")
    assert survey(tmp_path / "a").vertices == 2
