"""In which QPV of each generation each residential building stands: what located figures (M1) count."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.geo.dwellings import DWELLINGS, zone_of_points
from dagster_project.geo.inputs import latest, number, refuse_text
from dagster_project.geo.zones import QN2024, QP2015, read_layer

if TYPE_CHECKING:
    import pyarrow as pa

RAW_TABLES = (DWELLINGS,)


def build_dwelling_zones(zone_geometries: Path, raw_dir: Path) -> pa.Table:
    """Buildings that stand in a QPV.

    Args:
        zone_geometries: `derived/zone_geometries.parquet`.
        raw_dir: folder of raw tables; that of dwellings may be empty.

    Returns:
        batiment_groupe_id, zone_code, generation (text), sorted. A building on the line between two QPV is in the
        first; one outside every QPV, or without coordinates, has no row.

    Raises:
        GeoInputError: a coordinate is no number.
    """
    import duckdb
    import numpy as np
    import pyarrow as pa

    relation = latest(raw_dir, DWELLINGS)
    with duckdb.connect() as connection:
        refuse_text(connection, relation, DWELLINGS, "x", "y")
        points = connection.execute(
            f"""select batiment_groupe_id, {number("x")} as x, {number("y")} as y from {relation}
                where {number("x")} is not null and {number("y")} is not null order by batiment_groupe_id"""
        ).to_arrow_table()
    tables = []
    for level, generation in (QP2015, QN2024):
        layer = read_layer(zone_geometries, level, generation)
        zone = zone_of_points(layer.shapes, points["x"].to_numpy(), points["y"].to_numpy())
        inside = np.flatnonzero(zone >= 0)
        tables.append(
            pa.table(
                {
                    "batiment_groupe_id": points["batiment_groupe_id"].take(pa.array(inside)).combine_chunks(),
                    "zone_code": pa.array(layer.codes[zone[inside]].tolist(), pa.string()),
                    "generation": pa.array([generation] * len(inside), pa.string()),
                }
            )
        )
    return pa.concat_tables(tables).sort_by(
        [("batiment_groupe_id", "ascending"), ("generation", "ascending"), ("zone_code", "ascending")]
    )
