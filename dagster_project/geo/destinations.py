"""Where trips to work end: a point inside each IRIS that has workplaces, and the distinct places of job offers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dagster_project.geo.zones import IRIS, departement_of, read_layer
from dagster_project.sources.crs import TARGET_CRS, transformer

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# Offers by the table that holds them: SQL of longitude and latitude, from cells that are text.
OFFERS = {
    "francetravail_offres": (
        """try_cast(json_extract_string("lieuTravail", '$.longitude') as double)""",
        """try_cast(json_extract_string("lieuTravail", '$.latitude') as double)""",
    ),
    "francetravail_offres_plat": ("try_cast(longitude as double)", "try_cast(latitude as double)"),
    "partenaire_offres": (
        "try_cast(replace(lon, ',', '.') as double)",
        "try_cast(replace(lat, ',', '.') as double)",
    ),
}
RAW_TABLES = tuple(OFFERS)
COLUMNS = ("destination_id", "kind", "lon", "lat", "x_m", "y_m", "departement")
# Two places nearer than a metre are one: coordinates of offers have no more sense than that.
PLACE = "'point:' || printf('%.5f,%.5f', lon, lat)"


def build_destinations(zone_geometries: Path, raw_dir: Path) -> pa.Table:
    """Places that travel times are computed to.

    Args:
        zone_geometries: `derived/zone_geometries.parquet`, whose contours are valid.
        raw_dir: folder of raw tables; those named in `RAW_TABLES` are read, and may be empty.

    Returns:
        destination_id (text): an IRIS code, or `point:lon,lat` with five decimals; kind (text): `lieux_emploi` or
        `offres`; lon, lat (double, WGS84); x_m, y_m (double, EPSG:2154); departement (text, null for offers, whose
        place says it only through a contour). Sorted by kind and identifier.
        The point of an IRIS lies inside it; workplaces of a large IRIS may be some kilometres away.
    """
    import duckdb
    import pyarrow as pa

    layer = read_layer(zone_geometries, *IRIS)
    x, y = _inside(layer.shapes)
    lon, lat = transformer(TARGET_CRS, "EPSG:4326").transform(x, y)
    workplaces = pa.table(
        {
            "destination_id": pa.array(layer.codes, pa.string()),
            "lon": np.round(lon, 7),
            "lat": np.round(lat, 7),
            "x_m": x,
            "y_m": y,
            "departement": pa.array([departement_of(code) for code in layer.codes], pa.string()),
        }
    )
    with duckdb.connect() as connection:
        connection.register("workplaces", workplaces)
        offers = _offers(connection, raw_dir)
        x, y = transformer("EPSG:4326", TARGET_CRS).transform(offers["lon"].to_numpy(), offers["lat"].to_numpy())
        connection.register("offers", offers.append_column("x_m", pa.array(x)).append_column("y_m", pa.array(y)))
        table: pa.Table = connection.sql(
            f"""select {", ".join(COLUMNS)} from (
                    select *, 'lieux_emploi' as kind from workplaces
                    union all by name
                    select *, 'offres' as kind, null as departement from offers
                ) order by kind, destination_id"""
        ).to_arrow_table()
    return table


def _inside(shapes: object) -> tuple[np.ndarray, np.ndarray]:
    """A point inside each polygon: the centre of its largest inscribed circle would cost a hundred times more."""
    import shapely

    points = shapely.point_on_surface(shapes)
    return shapely.get_x(points), shapely.get_y(points)


def _offers(connection: duckdb.DuckDBPyConnection, raw_dir: Path) -> pa.Table:
    """Distinct places of all offers, rounded as their identifier is."""
    parts = [
        f"select {lon} as lon, {lat} as lat from read_parquet('{raw_dir / name}.parquet')"
        for name, (lon, lat) in OFFERS.items()
    ]
    found: pa.Table = connection.sql(
        f"""select distinct {PLACE} as destination_id, round(lon, 5) as lon, round(lat, 5) as lat
            from ({" union all ".join(parts)})
            where lon between -180 and 180 and lat between -90 and 90 order by 1"""
    ).to_arrow_table()
    return found
