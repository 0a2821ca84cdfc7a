"""Where a build waits, and what the promoted release is called."""

from __future__ import annotations

from pathlib import Path

from dagster_project.settings import Settings

CURRENT = "current"


def building_path(settings: Settings) -> Path:
    """Where dbt builds, beside the warehouse that readers use.

    The file bears the warehouse's name: DuckDB names a database after its file, and views keep that name.
    """
    return settings.derived_dir / "building" / settings.warehouse.name
