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
from dagster_project.geo.inputs import GeoInputError
from dagster_project.geo.polygons import mended

SQUARE = shapely.box(300000, 6700000, 301000, 6701000)
BOW_TIE = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])


def layer(
    folder: Path, table: str, code: str, shapes: dict[str, shapely.Geometry | None], crs: str = "EPSG:4326"
) -> None:
    contours = pa.array([None if shape is None else shapely.to_wkb(shape) for shape in shapes.values()], pa.binary())
    columns = {
        code: list(shapes),
        "geometry": contours,
        "geometry_original": contours,
        "_geometry_crs": [crs] * len(shapes),
        "_source_member": ["m"] * len(shapes),
        "_source_row": range(1, len(shapes) + 1),
    }
    pq.write_table(pa.table(columns), folder / f"{table}.parquet")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    layer(tmp_path, "anct_qpv_2015", "CODE_QP", {"QP096001": SQUARE})
    layer(tmp_path, "anct_qpv_2024", "code_qp", {"QN09601M": BOW_TIE})
    layer(tmp_path, "ign_contours_iris", "code_iris", {"960010101": SQUARE})
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
            .set_column(3, "_geometry_crs", pa.array(["EPSG:2154"])),
        ]
    )
    pq.write_table(table, raw / "anct_qpv_2015.parquet")
    rows = [row for row in build_zone_geometries(raw).to_pylist() if row["zone_code"] == "QP096001"]
    assert [row["area_m2"] for row in rows] == [pytest.approx(SQUARE.buffer(1).area)]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=4, max_size=9, unique=True))
def test_any_ring_becomes_a_valid_surface_of_no_greater_hull(points: list[tuple[int, int]]) -> None:
    shape = shapely.Polygon(points)
    (repaired,) = mended(np.array([shape], dtype=object)).shapes
    assert repaired.is_valid
    assert repaired.area <= shape.convex_hull.area + 1e-6
    assert repaired.geom_type in {"Polygon", "MultiPolygon", "GeometryCollection"}


@pytest.mark.parametrize(
    ("shape", "reason"), [(None, "No geometry received"), (shapely.Polygon(), "Empty geometry")], ids=["null", "empty"]
)
def test_a_zone_without_a_contour_is_kept_and_it_is_said(
    raw: Path, shape: shapely.Geometry | None, reason: str
) -> None:
    layer(raw, "ign_contours_iris", "code_iris", {"960010101": SQUARE, "960010102": shape})
    rows = {row["zone_code"]: row for row in build_zone_geometries(raw).to_pylist() if row["zone_level"] == "IRIS"}
    assert rows["960010102"] == {
        "zone_level": "IRIS", "zone_code": "960010102", "generation": "COG", "geometry_wkb": None,
        "repaired": False, "repair_reason": reason, "area_m2": None,
    }  # fmt: skip
    assert rows["960010101"]["repair_reason"] is None


def test_a_contour_in_one_file_makes_up_for_its_absence_in_another(raw: Path) -> None:
    layer(raw, "anct_qpv_2015", "CODE_QP", {"QP096001": None, "QP096001 ": SQUARE})
    rows = [row for row in build_zone_geometries(raw).to_pylist() if row["zone_code"] == "QP096001"]
    assert [row["area_m2"] for row in rows] == [pytest.approx(1e6)]


def test_a_zone_overseas_has_no_row(raw: Path) -> None:
    path = raw / "anct_qpv_2015.parquet"
    table = pq.read_table(path)
    overseas = table.set_column(0, "CODE_QP", pa.array(["QP974001"])).set_column(
        1, "geometry", pa.array([None], pa.binary())
    )
    pq.write_table(pa.concat_tables([table, overseas]), path)
    codes = {row["zone_code"] for row in build_zone_geometries(raw).to_pylist()}
    assert "QP096001" in codes
    assert "QP974001" not in codes


def test_an_iris_drawn_twice_is_refused(raw: Path) -> None:
    layer(raw, "ign_contours_iris", "code_iris", {"960010101": SQUARE, "960010102": SQUARE, "960010101 ": BOW_TIE})
    with pytest.raises(GeoInputError, match=r"ign_contours_iris, m row 3, column code_iris: '960010101 ' .*once"):
        build_zone_geometries(raw)
