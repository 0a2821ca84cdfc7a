"""Layers of contours as arrays, from the table that `geo.contours` makes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dagster_project.geo.polygons import Shapes

IRIS = ("IRIS", "COG")
QP2015 = ("QPV", "QP2015")
QN2024 = ("QPV", "QN2024")


class Layer(NamedTuple):
    """Zones that have a contour, sorted by code: their codes, and polygons in EPSG:2154 (metres)."""

    codes: Shapes
    shapes: Shapes


def read_layer(zone_geometries: Path, level: str, generation: str) -> Layer:
    """One layer of `derived/zone_geometries.parquet`, without the zones that have no contour."""
    import duckdb
    import shapely

    found = duckdb.execute(
        """select zone_code, geometry_wkb from read_parquet($path)
           where zone_level = $level and generation = $generation and geometry_wkb is not null
           order by zone_code""",
        {"path": str(zone_geometries), "level": level, "generation": generation},
    ).to_arrow_table()
    codes, contours = (found[name].to_numpy(zero_copy_only=False) for name in ("zone_code", "geometry_wkb"))
    return Layer(codes, shapely.from_wkb(contours))


def read_layers(zone_geometries: Path, layers: Sequence[tuple[str, str]] = (IRIS, QP2015, QN2024)) -> list[Layer]:
    """Several layers, by level and generation."""
    return [read_layer(zone_geometries, level, generation) for level, generation in layers]


def departement_of(zone_code: str) -> str:
    """Département of a QPV (`QP035005`, `QN2A001I`), of communes (`35238`, `97101`) or of an IRIS."""
    code = zone_code[2:5].removeprefix("0") if zone_code[:2] in {"QP", "QN"} else zone_code[:3]
    return code if code.startswith("97") else code[:2]
