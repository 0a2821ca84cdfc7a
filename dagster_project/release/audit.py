"""Marts of the build that waits for promotion, as Parquet files that suites read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dagster_project.quality.suites import Suite
from dagster_project.release.promote import building_path
from dagster_project.settings import Settings


def exported_marts(settings: Settings, suites: Iterable[Suite]) -> dict[str, Path]:
    """Write each mart that a suite names to `derived/marts/`, rows in a fixed order, and say where."""
    import duckdb

    folder = settings.derived_dir / "marts"
    folder.mkdir(parents=True, exist_ok=True)
    paths = {suite.table: folder / f"{suite.table}.parquet" for suite in suites}
    with duckdb.connect(str(building_path(settings)), read_only=True) as connection:
        for name, path in paths.items():
            connection.sql(f"copy (select * from marts.{name} order by all) to '{path}' (format parquet, compression zstd)")
    return paths
