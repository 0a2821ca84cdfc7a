"""Contours of a release: GeoParquet that GIS software opens in its own projection, GeoJSON by RFC 7946."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import geopandas
import geoparquet_validator
import pyarrow.parquet as pq
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.release.geo_export import DECIMALS, LAYERS, Shapes, to_wgs84
from tests.release_rows import PAIR, SQUARE

ZONES = "dim_zone.parquet"


def layer(folder: Path, generation: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / LAYERS[generation]).read_text(encoding="utf-8"))
    return content


def rings(geometry: dict[str, Any]) -> list[list[list[float]]]:
    """Exterior rings."""
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return [polygon[0] for polygon in polygons]


def signed_area(ring: list[list[float]]) -> float:
    return sum(x * v - u * y for (x, y), (u, v) in itertools.pairwise(ring)) / 2


def test_the_zones_are_geoparquet_1_1(small_release: Path) -> None:
    metadata = json.loads(pq.read_schema(small_release / ZONES).metadata[b"geo"])
    column = metadata["columns"]["geometry"]
    assert (metadata["version"], metadata["primary_column"]) == ("1.1.0", "geometry")
    assert (column["encoding"], column["geometry_types"]) == ("WKB", ["MultiPolygon", "Polygon"])
    assert pyproj.CRS.from_json_dict(column["crs"]).to_epsg() == 2154
    assert column["bbox"] == [350_000, 6_780_000, 353_000, 6_781_000]


def test_the_validator_finds_nothing_wrong_with_the_core_of_the_standard(small_release: Path) -> None:
    verdicts = geoparquet_validator.check(str(small_release / ZONES))
    assert geoparquet_validator.conformant(verdicts, "core"), geoparquet_validator.failed(verdicts)


def test_gis_software_reads_the_same_contours(small_release: Path) -> None:
    zones = geopandas.read_parquet(small_release / ZONES).set_index("zone_code")
    assert zones.crs.to_epsg() == 2154
    assert zones.geometry["QP096001"].equals(SQUARE)
    assert zones.geometry["QN09601X"].equals(PAIR)
    assert zones.geometry["QP096002"] is None
    assert zones["geometry_statut"]["QP096002"] == "sans_contour"
    assert list(zones.reset_index()[["zone_level", "zone_code"]].itertuples(index=False)) == sorted(
        zones.reset_index()[["zone_level", "zone_code"]].itertuples(index=False)
    )


@pytest.mark.parametrize("generation", LAYERS)
def test_geojson_follows_rfc_7946(small_release: Path, generation: str) -> None:
    content = layer(small_release, generation)
    assert content["type"] == "FeatureCollection"
    assert "crs" not in content
    west, south, east, north = content["bbox"]
    for feature in content["features"]:
        if feature["geometry"] is None:
            continue
        for ring in rings(feature["geometry"]):
            assert ring[0] == ring[-1]
            assert signed_area(ring) > 0, "exterior rings are counter-clockwise"
            for longitude, latitude in ring:
                assert west <= longitude <= east
                assert south <= latitude <= north
                assert (longitude, latitude) == (round(longitude, DECIMALS), round(latitude, DECIMALS))
    text = (small_release / LAYERS[generation]).read_text(encoding="utf-8")
    assert re.search(r"\.\d{8,}", text) is None, "no digits of a binary form beyond the precision"


def test_geojson_carries_the_attributes_and_the_reasons(small_release: Path) -> None:
    features = {feature["id"]: feature for feature in layer(small_release, "QP2015")["features"]}
    assert set(features) == {"QP096001", "QP096002"}
    assert features["QP096001"]["properties"]["communes"] == ["96001", "96002"]
    assert features["QP096001"]["properties"]["population"] == 1200
    unknown = features["QP096002"]
    assert unknown["geometry"] is None
    assert unknown["properties"]["communes"] == unknown["properties"]["epci"] == "inconnu"
    assert unknown["properties"]["geometry_statut"] == "sans_contour"
    assert [value for feature in features.values() for value in feature["properties"].values() if value is None] == []


def test_a_territory_without_contours_has_no_extent() -> None:
    shapes = Shapes(shapely.from_wkb([]))
    assert shapes.extent() is None
    assert "bbox" not in json.loads(shapes.geoparquet())["columns"]["geometry"]


@given(st.floats(100_000, 1_200_000), st.floats(6_100_000, 7_100_000), st.floats(1, 5_000), st.booleans())
def test_a_point_comes_back_within_a_centimetre(x: float, y: float, side: float, clockwise: bool) -> None:
    """Over the whole of the projection's area of use, whatever way the ring was drawn; holes the other way."""
    square = shapely.box(x, y, x + side, y + side, ccw=not clockwise)
    hole = shapely.box(x + side / 4, y + side / 4, x + side / 2, y + side / 2)
    (drawn,) = to_wgs84(shapely.from_wkb([shapely.to_wkb(square.difference(hole))]))
    back = shapely.transform(
        drawn, pyproj.Transformer.from_crs(4326, 2154, always_xy=True).transform, interleaved=False
    )
    assert shapely.hausdorff_distance(back, square.difference(hole)) < 0.02
    assert drawn.exterior.is_ccw
    assert not drawn.interiors[0].is_ccw
