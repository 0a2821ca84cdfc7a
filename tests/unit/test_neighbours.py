"""Contiguity of zones, from their contours."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from dagster_project.geo.neighbours import build_neighbours


def squares(path: Path, places: dict[str, tuple[float, float] | None], level: str = "IRIS") -> Path:
    shapes = [None if at is None else shapely.box(at[0], at[1], at[0] + 100, at[1] + 100) for at in places.values()]
    table = pa.table(
        {
            "zone_level": [level] * len(places),
            "zone_code": list(places),
            "geometry_wkb": pa.array([None if shape is None else shape.wkb for shape in shapes], pa.binary()),
        }
    )
    pq.write_table(table, path)
    return path


def test_zones_that_share_a_side_or_a_corner_are_neighbours_both_ways(tmp_path: Path) -> None:
    path = squares(tmp_path / "z.parquet", {"A": (0, 0), "B": (100, 0), "C": (200, 100), "D": (500, 0), "E": None})
    pairs = {(row["zone_code"], row["neighbour_code"]) for row in build_neighbours(path).to_pylist()}
    assert pairs == {("A", "B"), ("B", "A"), ("B", "C"), ("C", "B")}


def test_a_zone_amid_a_grid_touches_the_eight_around_it_and_not_itself(tmp_path: Path) -> None:
    grid = {f"{x}{y}": (100.0 * x, 100.5 * y) for x in range(4) for y in range(4)}
    pairs = {
        (row["zone_code"], row["neighbour_code"])
        for row in build_neighbours(squares(tmp_path / "z.parquet", grid)).to_pylist()
    }
    around = {f"{x}{y}" for x in range(3) for y in range(3)} - {"11"}
    assert {neighbour for zone, neighbour in pairs if zone == "11"} == around
    assert pairs == {(b, a) for a, b in pairs}


def test_a_gap_left_by_simplified_contours_does_not_part_neighbours(tmp_path: Path) -> None:
    near = build_neighbours(squares(tmp_path / "near.parquet", {"A": (0, 0), "B": (100.6, 0)}))
    far = build_neighbours(squares(tmp_path / "far.parquet", {"A": (0, 0), "B": (102, 0)}))
    assert (near.num_rows, far.num_rows) == (2, 0)


def test_meshes_are_told_apart_and_other_levels_left_out(tmp_path: Path) -> None:
    communes = build_neighbours(squares(tmp_path / "c.parquet", {"A": (0, 0), "B": (100, 0)}, level="COM"))
    districts = build_neighbours(squares(tmp_path / "d.parquet", {"A": (0, 0), "B": (100, 0)}, level="DEP"))
    assert communes["mesh"].to_pylist() == ["COM", "COM"]
    assert districts.num_rows == 0
