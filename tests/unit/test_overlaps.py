"""Overlaps of IRIS and both generations of QPV, and their parts of tiles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.geo.inputs import GeoInputError
from dagster_project.geo.overlaps import CODES, build_overlaps
from dagster_project.geo.tile_overlaps import KEY, build_tile_overlaps
from dagster_project.geo.tiles import in_tile_system, read_tiles, tile_shares
from dagster_project.sources.crs import transformer
from tests import geo_support as support

X, Y = 352_000.0, 6_789_000.0  # south-west corner of the small territory, EPSG:2154
SIDE = 1000.0
Zones = Sequence[tuple[float, float, float, float]]


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A rectangle in thousandths of the territory's side."""
    return shapely.box(X + west, Y + south, X + east, Y + north)


WEST, EAST = box(0, 0, 500, 1000), box(500, 0, 1000, 1000)
QP = box(300, 300, 700, 700)
QN = box(400, 300, 800, 700)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    support.absent_sources(folder)
    return folder


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    path = tmp_path / "derived" / "zone_geometries.parquet"
    support.zone_table(
        path,
        [
            ("IRIS", "COG", "960010102", EAST),
            ("IRIS", "COG", "960010101", WEST),
            ("QPV", "QP2015", "QP096001", QP),
            ("QPV", "QN2024", "QN09601M", QN),
            ("QPV", "QN2024", "QN09602N", None),
            ("COM", "COG", "96001", box(0, 0, 1000, 1000)),
        ],
    )
    return path


def overlaps(zones: Path, raw: Path) -> dict[tuple[object, ...], dict[str, object]]:
    return support.rows_of(build_overlaps(zones, raw), *CODES)


def column(rows: dict[tuple[object, ...], dict[str, object]], name: str) -> dict[tuple[object, ...], object]:
    return {key: row[name] for key, row in rows.items()}


def test_zones_and_what_they_share_two_by_two_and_three_by_three(zones: Path, raw: Path) -> None:
    areas = column(overlaps(zones, raw), "area_m2")
    west, east, qp, qn = "960010101", "960010102", "QP096001", "QN09601M"
    expected = {
        (west, None, None): 500_000, (east, None, None): 500_000, (None, qp, None): 160_000, (None, None, qn): 160_000,
        (west, qp, None): 80_000, (east, qp, None): 80_000, (west, None, qn): 40_000, (east, None, qn): 120_000,
        (None, qp, qn): 120_000, (west, qp, qn): 40_000, (east, qp, qn): 80_000,
    }  # fmt: skip
    assert areas == pytest.approx(expected, rel=1e-9)


def test_without_dwellings_and_tiles_they_are_unknown_and_not_nought(zones: Path, raw: Path) -> None:
    table = build_overlaps(zones, raw)
    assert table.schema.field("dwellings").type == pa.int64()
    assert table.schema.field("tile_population").type == pa.float64()
    assert table["dwellings"].null_count == table["tile_population"].null_count == table.num_rows == 11
    support.assert_sorted(table, *CODES)


def test_dwellings_count_once_in_each_combination_that_holds_them(zones: Path, raw: Path) -> None:
    inside_all, west_only, outside = (X + 450, Y + 500, 7), (X + 10, Y + 10, "3"), (X - 10, Y - 10, 100)
    support.dwellings(raw, [inside_all, west_only, outside, (None, None, 50), (X + 450, Y + 500, 1)])
    found = column(overlaps(zones, raw), "dwellings")
    assert found["960010101", None, None] == 11
    assert found["960010101", "QP096001", "QN09601M"] == found[None, "QP096001", "QN09601M"] == 8
    assert found["960010102", None, None] == found["960010102", "QP096001", None] == 0


def test_a_dwelling_on_a_shared_side_belongs_to_the_first_code(zones: Path, raw: Path) -> None:
    support.dwellings(raw, [(X + 500, Y + 500, 4)])
    found = column(overlaps(zones, raw), "dwellings")
    assert (found["960010101", None, None], found["960010102", None, None]) == (4, 0)
    assert (found["960010101", "QP096001", None], found["960010102", "QP096001", None]) == (4, 0)


def test_a_dwelling_where_zones_merely_touch_is_not_lost(tmp_path: Path, raw: Path) -> None:
    path = tmp_path / "zones.parquet"
    zones = [("IRIS", "COG", "a", WEST), ("IRIS", "COG", "b", EAST), ("QPV", "QP2015", "q", box(500, 0, 600, 100))]
    support.zone_table(path, zones)
    support.dwellings(raw, [(X + 500, Y + 50, 2), (X + 500, Y + 60, 0)])
    touching = overlaps(path, raw)["a", "q", None]
    assert (touching["area_m2"], touching["dwellings"], touching["tile_population"]) == (0.0, 2, None)


def test_inhabitants_of_tiles_are_spread_by_area(tmp_path: Path, raw: Path) -> None:
    to_metres = transformer("EPSG:3035", "EPSG:2154").transform
    corners = np.array(
        to_metres([3_600_000.0, 3_600_200, 3_600_200, 3_600_000], [2_800_000.0, 2_800_000, 2_800_200, 2_800_200])
    )
    tile = shapely.Polygon(corners.T)
    left = shapely.Polygon(
        [
            *corners.T[[0]],
            *((corners.T[[0]] + corners.T[[1]]) / 2),
            *((corners.T[[2]] + corners.T[[3]]) / 2),
            *corners.T[[3]],
        ]
    )
    path = tmp_path / "zones.parquet"
    support.zone_table(path, [("IRIS", "COG", "whole", tile.buffer(5)), ("QPV", "QP2015", "half", left)])
    support.tiles(raw, [(support.tile_id(200, 18_000, 14_000), "40.5"), (support.tile_id(200, 18_002, 14_000), "1000")])
    people = column(overlaps(path, raw), "tile_population")
    assert people == pytest.approx(
        {("whole", None, None): 40.5, (None, "half", None): 20.25, ("whole", "half", None): 20.25}, rel=1e-4
    )


codes = st.integers(0, 1000)
rectangles = st.tuples(codes, codes, codes, codes).map(
    lambda c: (min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]) + 1, max(c[1], c[3]) + 1)
)


@given(
    st.lists(rectangles, max_size=3),
    st.lists(rectangles, max_size=3),
    st.lists(st.tuples(codes, codes), min_size=1, max_size=9),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_never_exceed_their_wholes(
    tmp_path: Path, raw: Path, qp: Zones, qn: Zones, homes: Sequence[tuple[int, int]]
) -> None:
    def apart(given: Zones) -> list[shapely.Geometry]:
        """Perimeters of one generation do not overlap."""
        drawn: list[shapely.Geometry] = []
        for sides in given:
            drawn.append(box(*sides).difference(shapely.union_all(drawn)))
        return [shape for shape in drawn if shape.area]

    named = [("IRIS", "COG", f"i{i}", box(i * 250, 0, i * 250 + 250, 1000)) for i in range(4)]
    named += [("QPV", "QP2015", f"p{i}", shape) for i, shape in enumerate(apart(qp))]
    named += [("QPV", "QN2024", f"n{i}", shape) for i, shape in enumerate(apart(qn))]
    path = tmp_path / "zones.parquet"
    support.zone_table(path, named)
    support.dwellings(raw, [(X + x, Y + y, 1) for x, y in homes])
    table = build_overlaps(path, raw)
    rows = support.rows_of(table, *CODES)
    support.assert_sorted(table, *CODES)
    for measure, slack in (("area_m2", 1e-6), ("dwellings", 0)):
        value = column(rows, measure)
        for code in (name for _, generation, name, _ in named if generation == "COG"):
            for side in (1, 2):
                parts = [v for key, v in value.items() if key[0] == code and key[side] and not key[3 - side]]
                assert sum(parts) <= value[code, None, None] + slack
        for i, p, n in value:
            if i and p and n:
                pairs = (value[i, p, None], value[i, None, n], value[None, p, n])
                assert value[i, p, n] <= min(pairs) + slack
    assert sum(v for key, v in column(rows, "dwellings").items() if key[0] and not key[1] and not key[2]) == len(homes)


def test_parts_of_tiles_and_of_their_dwellings(zones: Path, raw: Path) -> None:
    shapes = in_tile_system(np.array([WEST, EAST, QP, QN], dtype=object))
    west, south, east, north = (shapely.total_bounds(shapes) // 200).astype(int)
    grid = [(c, r) for c in range(west, east + 1) for r in range(south, north + 1)]
    support.tiles(raw, [(support.tile_id(200, c, r), 10) for c, r in grid])
    support.tiles(
        raw,
        [(support.tile_id(1000, west // 5 + i, south // 5 + j), 10) for i in (0, 1, 2) for j in (0, 1, 2)],
        mesh="naturel",
    )
    support.dwellings(raw, [(X + 450, Y + 500, 3), (X + 455, Y + 500, 1), (X + 100, Y + 100, 9)])
    table = build_tile_overlaps(zones, raw)
    support.assert_sorted(table, *KEY)
    rows = support.rows_of(table, *KEY)
    assert all(0 < row["area_share"] <= 1 for row in rows.values())
    for mesh, size in (("200m", 200), ("naturel", 1000)):
        for (code, generation), shape in zip(
            (("960010101", "COG"), ("960010102", "COG"), ("QP096001", "QP2015"), ("QN09601M", "QN2024")),
            shapes,
            strict=True,
        ):
            shares = [r["area_share"] for k, r in rows.items() if k[1] == mesh and k[3:] == (code, generation)]
            assert sum(shares) * size**2 == pytest.approx(shape.area, rel=1e-9)
    in_qp = [r["dwelling_share"] for k, r in rows.items() if k[1] == "200m" and k[3] == "QP096001"]
    # The tiles without dwellings say nothing of them; the others do.
    assert {share for share in in_qp if share is not None} <= {0.0, 1.0}
    homes = [r for k, r in rows.items() if k[1] == "naturel" and r["dwelling_share"] is not None and k[3] == "QP096001"]
    assert all(0 <= r["dwelling_share"] <= 1 for r in homes)


def test_no_tile_no_row(zones: Path, raw: Path) -> None:
    table = build_tile_overlaps(zones, raw)
    assert table.num_rows == 0
    assert table.column_names == [*KEY, "area_share", "dwelling_share"]


def test_points_added_along_the_sides_make_up_for_the_bend_of_projection(raw: Path) -> None:
    """An 18 km side is bent by the change of system: shares hold to 1e-6 of a tile."""
    long = np.array([shapely.Polygon([(X, Y), (X + 18_000, Y + 3_000), (X + 9_000, Y + 12_000)])], dtype=object)
    (exact,) = in_tile_system(shapely.segmentize(long, 5))
    cells = [(int(c), int(r)) for c, r in np.unique(shapely.get_coordinates(exact) // 200, axis=0)]
    support.tiles(raw, [(support.tile_id(200, c, r), 1) for c, r in cells])
    tiles = read_tiles(raw, "200m")
    assert tiles is not None
    found, wanted = (tile_shares(np.array([s], dtype=object), tiles) for s in (in_tile_system(long)[0], exact))
    assert len(cells) > 200
    by_tile = [np.bincount(s.tile, s.share, len(cells)) for s in (found, wanted)]
    assert np.abs(by_tile[0] - by_tile[1]).max() < 1e-6


@pytest.mark.parametrize(
    ("tile", "people", "told"),
    [
        (
            "CRS3035RES200mE4038400N2850600",
            1,
            r"insee_filosofi_carreaux.csv row 3, column idcar_200m: 'CRS3035RES200mE",
        ),
        ("CRS3035RES200mN2850610E4038400", 1, "multiple of its size"),
        ("CRS3035RES0mN0E0", 1, "multiple of its size"),
        (None, 1, "row 3, column idcar_200m: None"),
        ("CRS3035RES200mN200E200", 1, "each tile once"),
        ("CRS3035RES200mN400E200", "ns", "row 3, column ind: 'ns'.*expected a number"),
    ],
)
def test_a_tile_that_cannot_be_meant_is_refused(raw: Path, tile: str, people: object, told: str) -> None:
    support.tiles(raw, [("CRS3035RES200mN200E200", 1), (tile, people)])
    with pytest.raises(GeoInputError, match=told):
        read_tiles(raw, "200m")


def test_a_dwelling_without_a_number_is_refused(zones: Path, raw: Path) -> None:
    support.dwellings(raw, [(X, Y, 1), ("350 km", Y, 1)])
    with pytest.raises(GeoInputError, match=r"cstb_bdnb_logements.csv row 3, column x: '350 km'"):
        build_overlaps(zones, raw)


def test_only_the_last_vintage_counts(raw: Path) -> None:
    import pyarrow.parquet as pq

    support.tiles(raw, [("CRS3035RES200mN200E200", 1)])
    path = raw / "insee_filosofi_carreaux.parquet"
    table = pq.read_table(path)
    older = table.set_column(table.column_names.index("_vintage"), "_vintage", pa.array(["2019"], pa.string()))
    pq.write_table(pa.concat_tables([older, table]), path)
    tiles = read_tiles(raw, "200m")
    assert tiles is not None
    assert tiles.ids.tolist() == ["CRS3035RES200mN200E200"]
