"""The lineage page: one HTML file that opens anywhere, offline, and reads without JavaScript."""

from __future__ import annotations

import json
from pathlib import Path

from dagster_project.lineage.graph import ColumnGraph
from dagster_project.lineage.page_model import MANY, LineagePage, PageBuilder
from dagster_project.lineage.store import (
    indicator_columns,
    lineage_path,
    read_relations,
    read_sql,
    sql_path,
)
from dagster_project.pages.environment import render_page
from dagster_project.settings import Settings
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.text_files import replace_text


def lineage_page_path(settings: Settings) -> Path:
    """Where the page is."""
    return settings.reports_dir / "lignage.html"


def write_lineage_page(settings: Settings, dbt_target: Path) -> dict[str, int]:
    """Write the page of the last build.

    Args:
        settings: where derived tables and reports are.
        dbt_target: folder of dbt's `manifest.json`.

    Returns:
        How many published tables and columns it shows, and how many columns of producers enter their values.

    Raises:
        FileNotFoundError: no build has written the lineage tables yet.
    """
    lineage = lineage_path(settings)
    if not lineage.exists():
        raise FileNotFoundError(f"{lineage} does not exist: run the dbt step before the lineage page")
    manifest = json.loads((dbt_target / "manifest.json").read_text(encoding="utf-8"))
    graph = ColumnGraph(read_relations(lineage), indicator_columns(manifest))
    builder = PageBuilder(graph, read_sql(sql_path(settings)), manifest, load_catalogue())
    page = builder.page(fictitious=settings.sources == "demo")
    path = lineage_page_path(settings)
    replace_text(path, render(page))
    return {"tables": len(page.marts), "colonnes": page.n_columns, "colonnes_de_producteurs": page.n_used}


def render(page: LineagePage) -> str:
    """The page as HTML."""
    return render_page("lineage/lineage.html.j2", fictitious=page.fictitious, page=page, many=MANY)
