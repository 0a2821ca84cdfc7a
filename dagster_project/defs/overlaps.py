"""What lies in what: the geometry that crosswalks between IRIS, tiles and both generations of QPV are made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_project.closure import code_version
from dagster_project.defs import OWNER
from dagster_project.defs.geography import table_result
from dagster_project.defs.raw import raw_key
from dagster_project.geo import dwelling_zones, neighbours, overlaps, tile_overlaps
from dagster_project.geo.dwellings import unplaced_dwellings
from dagster_project.settings import Settings
from dagster_project.sources.derived import cached_table

if TYPE_CHECKING:
    import pyarrow as pa

ZONES = ["derived", "zone_geometries"]


def overlap_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Tables made from contours, under `DQ_HOME/derived`: overlaps, places of buildings, zones that touch."""
    zones_path = settings.derived_dir / "zone_geometries.parquet"
    buildings_code = code_version(dwelling_zones.__name__, cached_table.__module__, own=[__name__])
    neighbours_code = code_version(neighbours.__name__, cached_table.__module__, own=[__name__])
    overlaps_code = code_version(overlaps.__name__, cached_table.__module__, own=[__name__])
    tiles_code = code_version(tile_overlaps.__name__, cached_table.__module__, own=[__name__])

    def made(
        name: str, code: str, tables: tuple[str, ...], build: Callable[[Path, Path], pa.Table]
    ) -> tuple[Path, int]:
        inputs = [zones_path, *(settings.raw_dir / f"{table}.parquet" for table in tables)]
        path = settings.derived_dir / f"{name}.parquet"
        return path, cached_table(path, inputs, code, lambda: build(zones_path, settings.raw_dir))

    @dg.asset(
        key=["derived", "overlaps"],
        deps=[ZONES, *(raw_key(table) for table in overlaps.RAW_TABLES)],
        group_name="geographie",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description=(
            "Surface, logements et habitants communs aux IRIS et aux quartiers des deux générations, deux à deux et "
            "trois à trois."
        ),
        code_version=overlaps_code,
    )
    def overlaps_asset() -> dg.MaterializeResult[Any]:
        path, rows = made("overlaps", overlaps_code, overlaps.RAW_TABLES, overlaps.build_overlaps)
        named = " + ".join(f"({code} is not null)::int" for code in overlaps.CODES)
        pairs = _count(path, f"{named} = 2")
        without_place = unplaced_dwellings(settings.raw_dir)
        return table_result(path, rows, {"paires": pairs, "logements_sans_coordonnees": without_place})

    @dg.asset(
        key=["derived", "tile_overlaps"],
        deps=[ZONES, *(raw_key(table) for table in tile_overlaps.RAW_TABLES)],
        group_name="geographie",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description="Part de chaque carreau de l’Insee, et de ses logements, dans chaque IRIS et chaque quartier.",
        code_version=tiles_code,
    )
    def tile_overlaps_asset() -> dg.MaterializeResult[Any]:
        path, rows = made("tile_overlaps", tiles_code, tile_overlaps.RAW_TABLES, tile_overlaps.build_tile_overlaps)
        return table_result(path, rows, {"paires_quartier_carreau": _count(path, "zone_level = 'QPV'")})

    @dg.asset(
        key=["derived", "dwelling_zones"],
        deps=[ZONES, *(raw_key(table) for table in dwelling_zones.RAW_TABLES)],
        group_name="geographie",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description="Quartier de chaque génération où se trouve chaque bâtiment d’habitation.",
        code_version=buildings_code,
    )
    def dwelling_zones_asset() -> dg.MaterializeResult[Any]:
        build = dwelling_zones.build_dwelling_zones
        path, rows = made("dwelling_zones", buildings_code, dwelling_zones.RAW_TABLES, build)
        return table_result(path, rows, {})

    @dg.asset(
        key=["derived", "neighbours"],
        deps=[ZONES],
        group_name="geographie",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description="IRIS et communes qui se touchent : la contiguïté dont se servent les statistiques spatiales.",
        code_version=neighbours_code,
    )
    def neighbours_asset() -> dg.MaterializeResult[Any]:
        path, rows = made("neighbours", neighbours_code, (), lambda zones, _: neighbours.build_neighbours(zones))
        return table_result(path, rows, {})

    return [overlaps_asset, tile_overlaps_asset, dwelling_zones_asset, neighbours_asset]


def _count(path: Path, condition: str) -> int:
    import duckdb

    row = duckdb.sql(f"select count(*) filter (where {condition}) from read_parquet('{path}')").fetchone()
    return int(row[0]) if row else 0
