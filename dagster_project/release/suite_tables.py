"""Tables that suites read: raw tables as they are, and marts of the build that waits for promotion."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dagster_project.quality.suites import Suite
from dagster_project.release.places import building_path
from dagster_project.settings import Settings


def expectation_cache(settings: Settings) -> Path:
    """Results by suite, with what they depend on: an unchanged table is not validated again."""
    return settings.derived_dir / "expectations"


def suite_tables(settings: Settings, suites: Iterable[Suite]) -> dict[str, Path]:
    """Where the table of each suite is. Marts must have been exported (`export_marts`)."""
    return {
        suite.table: (settings.raw_dir if suite.layer == "raw" else _marts_dir(settings)) / f"{suite.table}.parquet"
        for suite in suites
    }


def export_marts(settings: Settings, suites: Iterable[Suite]) -> None:
    """Write each mart that a suite names as Parquet, rows in a fixed order: the same build gives the same bytes."""
    import duckdb

    names = [suite.table for suite in suites if suite.layer == "mart"]
    if not names:
        return
    folder = _marts_dir(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(building_path(settings)), read_only=True) as connection:
        for name in names:
            connection.sql(
                f"copy (select * from marts.{name} order by all) to '{folder / name}.parquet' "
                "(format parquet, compression zstd)"
            )


def _marts_dir(settings: Settings) -> Path:
    return settings.derived_dir / "marts"
