"""Contours: repaired where they must be, and it is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.geo.contours import build_zone_geometries

SQUARE = shapely.box(300000, 6700000, 301000, 6701000)
BOW_TIE = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])


def layer(folder: Path, table: str, code: str, shapes: dict[str, shapely.Geometry], crs: str = "EPSG:4326") -> None:
    columns = {
        code: list(shapes),
        "geometry": pa.array([shapely.to_wkb(shape) for shape in shapes.values()], pa.binary()),
        "_geometry_crs": [crs] * len(shapes),
        "_source_member": ["m"] * len(shapes),
        "_source_row": range(1, len(shapes) + 1),
    }
    pq.write_table(pa.table(columns), folder / f"{table}.parquet")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    layer(tmp_path, "anct_qpv_2015", "CODE_QP", {"QP096001": SQUARE})
    layer(tmp_path, "anct_qpv_2024", "code_qp", {"QN09601M": BOW_TIE})
    layer(tmp_path, "etalab_contours_communes", "code", {"96001": SQUARE})
    layer(tmp_path, "etalab_contours_epci", "code", {"200999001": SQUARE})
    layer(
        tmp_path,
        "etalab_contours_departements",
        "code",
        {"96": SQUARE, "98": shapely.transform(SQUARE, lambda points: points + np.array([1000, 0]))},
    )
    pq.write_table(
        pa.table({"DEP": ["96", "98", "99"], "REG": ["98", "98", "99"]}), tmp_path / "insee_cog_departements.parquet"
    )
    return tmp_path


def test_a_self_crossing_contour_is_repaired_and_noted(raw: Path) -> None:
    rows = {(row["zone_level"], row["zone_code"]): row for row in build_zone_geometries(raw).to_pylist()}
    repaired = rows["QPV", "QN09601M"]
    assert repaired["repaired"] is True
    assert "Self-intersection" in repaired["repair_reason"]
    assert repaired["area_m2"] == pytest.approx(50)
    assert shapely.from_wkb(repaired["geometry_wkb"]).is_valid
    assert rows["QPV", "QP096001"]["repaired"] is False


def test_a_contour_flattened_to_a_line_is_kept_without_a_surface(raw: Path) -> None:
    layer(raw, "anct_qpv_2024", "code_qp", {"QN09601M": shapely.Polygon([(0, 0), (10, 10), (0, 0), (0, 0)])})
    row = next(row for row in build_zone_geometries(raw).to_pylist() if row["zone_code"] == "QN09601M")
    assert row["geometry_wkb"] is None
    assert row["area_m2"] is None
    assert row["repaired"] is True


def test_a_region_is_the_union_of_its_departements_when_all_are_drawn(raw: Path) -> None:
    regions = {row["zone_code"]: row for row in build_zone_geometries(raw).to_pylist() if row["zone_level"] == "REG"}
    assert set(regions) == {"98"}
    assert regions["98"]["area_m2"] == pytest.approx(2e6)


def test_a_zone_drawn_twice_keeps_the_native_projection(raw: Path) -> None:
    table = pa.concat_tables(
        [
            pq.read_table(raw / "anct_qpv_2015.parquet"),
            pq.read_table(raw / "anct_qpv_2015.parquet")
            .set_column(1, "geometry", pa.array([shapely.to_wkb(SQUARE.buffer(1))], pa.binary()))
            .set_column(2, "_geometry_crs", pa.array(["EPSG:2154"])),
        ]
    )
    pq.write_table(table, raw / "anct_qpv_2015.parquet")
    rows = [row for row in build_zone_geometries(raw).to_pylist() if row["zone_code"] == "QP096001"]
    assert [row["area_m2"] for row in rows] == [pytest.approx(SQUARE.buffer(1).area)]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=4, max_size=9, unique=True))
def test_any_ring_becomes_a_valid_surface_of_no_greater_hull(points: list[tuple[int, int]]) -> None:
    from dagster_project.geo.contours import _polygons_only

    shape = shapely.Polygon(points)
    (repaired,) = _polygons_only(shapely.make_valid([shape]))
    assert repaired.is_valid
    assert repaired.area <= shape.convex_hull.area + 1e-6
    assert repaired.geom_type in {"Polygon", "MultiPolygon", "GeometryCollection"}
