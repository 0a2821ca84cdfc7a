"""GeoJSON: properties as written, geometry in Lambert-93 where that has a meaning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from dagster_project.sources.crs import transformer
from dagster_project.sources.readers import GEOMETRY_COLUMNS, LINEAGE_COLUMNS, ReadError, ReadResult
from tests.readers_support import archived, cells, make_dataset, make_file, read

SQUARE = {"type": "Polygon", "coordinates": [[[3.0, 46.5], [3.01, 46.5], [3.01, 46.51], [3.0, 46.51], [3.0, 46.5]]]}
OVERSEAS = {"type": "Point", "coordinates": [55.5, -21.1]}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def read_features(tmp_path: Path, *features: Any, crs: str = "OGC:CRS84") -> ReadResult:
    return read_document(tmp_path, json.dumps({"type": "FeatureCollection", "features": features}), crs)


def read_document(tmp_path: Path, text: str, crs: str = "OGC:CRS84") -> ReadResult:
    path = tmp_path / "zones.geojson"
    path.write_text(text, encoding="utf-8")
    return read(make_dataset("geojson", ["code"], files=[make_file(crs=crs)]), path)


def geometry(result: ReadResult, name: str, row: int = 0) -> Any:
    return shapely.from_wkb(result.table.column(name)[row].as_py())


def test_columns_and_lineage(tmp_path: Path) -> None:
    result = read_features(tmp_path, feature(SQUARE, code="QN09601N", nom="Les Essais"))
    assert result.table.column_names == ["code", "nom", *GEOMETRY_COLUMNS, *LINEAGE_COLUMNS]
    digest = archived(tmp_path / "zones.geojson").sha256
    assert cells(result, "_geometry_crs", "_geometry_sha256", "_source_sha256") == [("OGC:CRS84", digest, digest)]


def test_properties_keep_their_literal(tmp_path: Path) -> None:
    text = '{"type":"FeatureCollection","features":[{"type":"Feature","id":7,"properties":'
    text += '{"code":"a","fid":1.0,"n":null,"liste":["x"]},"geometry":null}]}'
    result = read_document(tmp_path, text)
    assert cells(result, "id", "code", "fid", "n", "liste") == [("7", "a", "1.0", None, '["x"]')]
    assert result.table.column("geometry").null_count == 1


def test_reprojection_to_lambert_93(tmp_path: Path) -> None:
    result = read_features(tmp_path, feature({"type": "Point", "coordinates": [3.0, 46.5]}, code="origine"))
    point = geometry(result, "geometry")
    assert point.x == pytest.approx(700_000, abs=0.001)
    assert point.y == pytest.approx(6_600_000, abs=0.001)
    assert geometry(result, "geometry_original").coords[0] == (3.0, 46.5)


def test_file_already_in_lambert_93_is_not_moved(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [350_000.123456789, 6_790_000.5]}
    result = read_features(tmp_path, feature(point, code="a"), crs="EPSG:2154")
    assert geometry(result, "geometry").coords[0] == (350_000.123456789, 6_790_000.5)


def test_overseas_geometry_has_no_lambert_93(tmp_path: Path) -> None:
    result = read_features(tmp_path, feature(OVERSEAS, code="mer"), feature(SQUARE, code="terre"))
    assert [value is None for value in result.table.column("geometry").to_pylist()] == [True, False]
    assert geometry(result, "geometry_original").coords[0] == (55.5, -21.1)


def test_many_features_keep_their_own_geometry(tmp_path: Path) -> None:
    features = [feature({"type": "Point", "coordinates": [i / 1000, 46.0]}, code=str(i)) for i in range(4_500)]
    result = read_features(tmp_path, *features)
    longitudes = shapely.get_x(shapely.from_wkb(result.table.column("geometry_original").to_pylist()))
    assert result.table.column("code").to_pylist() == [str(i) for i in range(4_500)]
    assert longitudes.tolist() == [i / 1000 for i in range(4_500)]


def test_unreadable_geometry_is_rejected_with_its_reason(tmp_path: Path) -> None:
    open_ring = {"type": "Polygon", "coordinates": [[[3, 46], [4, 46], [4, 47]]]}
    result = read_features(
        tmp_path, feature(SQUARE, code="a"), feature(open_ring, code="b"), "rien", feature(None, code="c")
    )
    assert cells(result, "code", "_source_row") == [("a", 1), ("c", 4)]
    assert [reject.row for reject in result.rejects] == [2, 3]
    assert "géométrie illisible" in result.rejects[0].reason


def test_empty_geometry_collection_is_kept(tmp_path: Path) -> None:
    empty = {"type": "GeometryCollection", "geometries": []}
    result = read_features(tmp_path, feature(empty, code="a"), feature(SQUARE, code="b"))
    assert geometry(result, "geometry").is_empty


def test_crs_in_contradiction(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}
    with pytest.raises(ReadError, match=r"EPSG:2154, the catalogue says OGC:CRS84"):
        read_document(tmp_path, json.dumps({"features": [feature(SQUARE, code="a")], "crs": crs}))


@pytest.mark.parametrize("declared", ["OGC:CRS84", "EPSG:4326"])
def test_both_names_of_longitude_latitude_agree(tmp_path: Path, declared: str) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    text = json.dumps({"features": [feature(SQUARE, code="a")], "crs": crs, "type": "FeatureCollection"})
    assert read_document(tmp_path, text, declared).table.num_rows == 1


def test_coordinates_that_cannot_be_in_the_declared_crs(tmp_path: Path) -> None:
    metres = {"type": "Point", "coordinates": [350_000, 6_790_000]}
    with pytest.raises(ReadError, match=r"\(350000, 6.79e\+06\), which is not possible in OGC:CRS84"):
        read_features(tmp_path, feature(metres, code="a"))
    with pytest.raises(ReadError, match="not possible in EPSG:2154"):
        read_features(tmp_path, feature(SQUARE, code="a"), crs="EPSG:2154")


@pytest.mark.parametrize("text", ["[]", '{"type": "Topology"}', "<html>"])
def test_not_a_feature_collection(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReadError, match="FeatureCollection"):
        read_document(tmp_path, text)


def test_truncated(tmp_path: Path) -> None:
    text = json.dumps({"type": "FeatureCollection", "features": [feature(SQUARE, code="a")] * 3})
    with pytest.raises(ReadError, match="truncated"):
        read_document(tmp_path, text[: len(text) // 2])


def test_missing_column(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="looks like it: 'code_qp'"):
        read_features(tmp_path, feature(SQUARE, code_qp="a"))


def moved(shape: dict[str, Any], target: str) -> Any:
    """A geometry in degrees as it is in another system, x first."""
    transform = transformer("OGC:CRS84", target).transform
    points = shapely.transform(shapely.geometry.shape(shape), transform, interleaved=False)
    return json.loads(shapely.to_geojson(points))


def turned(shape: Any) -> Any:
    """The same geometry with its axes swapped."""
    return json.loads(shapely.to_geojson(shapely.transform(shapely.geometry.shape(shape), lambda xy: xy[:, ::-1])))


@pytest.mark.parametrize("wrong", ["EPSG:27572", "EPSG:32631", "EPSG:3035", "EPSG:3857"])
def test_one_geometry_in_another_system_is_refused_by_file_and_row(tmp_path: Path, wrong: str) -> None:
    right = feature(moved(SQUARE, "EPSG:2154"), code="a")
    with pytest.raises(ReadError) as refused:
        read_features(tmp_path, right, feature(moved(SQUARE, wrong), code="b"), right, crs="EPSG:2154")
    told = str(refused.value)
    assert "zones.geojson: row 2 is at (" in told
    assert "not possible in EPSG:2154 (area of use, in degrees: longitude -9.86 to 10.38" in told
    assert "correct `crs` of table in the catalogue" in told


def test_the_row_told_is_that_of_the_file_when_a_row_before_was_rejected(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="row 3 is at"):
        read_features(tmp_path, "rien", feature(SQUARE, code="a"), feature(moved(SQUARE, "EPSG:2154"), code="b"))


@pytest.mark.parametrize(
    "place",
    [
        SQUARE,
        OVERSEAS,
        {"type": "Point", "coordinates": [-8.5, 47.0]},
        {"type": "Point", "coordinates": [-149.5, -17.6]},
    ],
    ids=["Hexagone", "Réunion", "at sea", "Polynésie"],
)
def test_latitude_before_longitude_is_refused_and_explained(tmp_path: Path, place: Any) -> None:
    assert read_features(tmp_path, feature(place, code="a")).table.num_rows == 1
    with pytest.raises(ReadError, match=r"row 2 is at .*outside the area of OGC:CRS84, but .*axes are swapped"):
        read_features(tmp_path, feature(None, code="a"), feature(turned(place), code="b"))


def test_northing_before_easting_is_refused_and_explained(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"row 1 is at \(6\.6e\+06, 700000\), .*at \(700000, 6\.6e\+06\) .*swapped"):
        read_features(tmp_path, feature(turned(moved(SQUARE, "EPSG:2154")), code="b"), crs="EPSG:2154")


def test_a_place_abroad_is_not_taken_for_swapped_axes(tmp_path: Path) -> None:
    abroad = {"type": "Point", "coordinates": [13.4, 52.5]}
    assert read_features(tmp_path, feature(abroad, code="Berlin"), feature(SQUARE, code="a")).table.num_rows == 2


def test_a_self_crossing_contour_is_received_as_it_is(tmp_path: Path) -> None:
    crossing = {
        "type": "Polygon",
        "coordinates": [[[3.0, 46.5], [3.01, 46.51], [3.01, 46.5], [3.0, 46.51], [3.0, 46.5]]],
    }
    result = read_features(tmp_path, feature(crossing, code="a"))
    assert not geometry(result, "geometry").is_valid
    assert result.rejects == []
