"""The lineage of columns, told in a page. Its tables are written by the dbt step, which has the compiled SQL."""

from collections.abc import Iterable
from typing import Any

import dagster as dg

from dagster_project.closure import code_version
from dagster_project.defs import OWNER
from dagster_project.defs.dbt import dbt_target
from dagster_project.lineage.page import lineage_page_path, write_lineage_page
from dagster_project.pages.files import template_files
from dagster_project.settings import Settings
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.sources.code import catalogue_facts

LINEAGE_PAGE = dg.AssetKey(["reports", "lignage"])
# What tells the lineage that SQL alone does not say.
TOLD = ("seeds/indicator_term.csv", "seeds/variable_column.csv", "dbt_models/models/derived.yml")


def lineage_assets(settings: Settings, marts: Iterable[dg.AssetKey]) -> list[dg.AssetsDefinition]:
    """The page that shows where every column of these tables comes from."""

    @dg.asset(
        key=LINEAGE_PAGE,
        deps=list(marts),
        code_version=code_version(
            write_lineage_page.__module__,
            own=[__name__],
            files=[*template_files("lineage"), *TOLD],
            facts=catalogue_facts(load_catalogue()),
        ),
        group_name="publication",
        kinds={"python"},
        owners=[OWNER],
        description="Lignage des colonnes publiées jusqu’à celles des producteurs : une page, lisible hors ligne.",
    )
    def lineage_page() -> dg.MaterializeResult[Any]:
        counts = write_lineage_page(settings, dbt_target(settings))
        page = dg.MetadataValue.path(str(lineage_page_path(settings)))
        return dg.MaterializeResult(metadata={"page": page, **counts})

    return [lineage_page]
