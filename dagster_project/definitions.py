"""All that Dagster loads. `build_definitions` makes the same graph for tests, the `dq` command and the UI."""

from __future__ import annotations

import dagster as dg

from dagster_project.defs.automation import failure_sensor, nightly_job, nightly_schedule
from dagster_project.defs.checks import mart_suite_checks, partner_suite_checks, raw_suite_checks
from dagster_project.defs.comparison import comparison_assets
from dagster_project.defs.corrections import correction_checks
from dagster_project.defs.dbt import dbt_definitions, published_tables
from dagster_project.defs.geography import derived_assets
from dagster_project.defs.lineage import lineage_assets
from dagster_project.defs.lock import lock_assets
from dagster_project.defs.offers import offer_assets
from dagster_project.defs.overlaps import overlap_assets
from dagster_project.defs.progress import progress_logger
from dagster_project.defs.raw import raw_assets
from dagster_project.defs.release import mart_keys, release_assets
from dagster_project.defs.routing import routing_assets
from dagster_project.settings import Settings, load_settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """The whole graph for one set of settings."""
    dbt_models, unit_tests = dbt_definitions(settings)
    tables = published_tables(settings)
    return dg.Definitions(
        assets=[
            *raw_assets(settings),
            *derived_assets(settings),
            *overlap_assets(settings),
            *routing_assets(settings),
            *offer_assets(settings),
            *lock_assets(settings),
            dbt_models,
            *lineage_assets(settings, mart_keys(tables)),
            *release_assets(settings, tables),
            *comparison_assets(settings),
        ],
        asset_checks=[
            raw_suite_checks(settings),
            partner_suite_checks(settings),
            correction_checks(settings),
            unit_tests,
            mart_suite_checks(settings),
        ],
        jobs=[nightly_job()],
        schedules=[nightly_schedule()],
        sensors=[failure_sensor(settings)],
        loggers={"dq": progress_logger},
        # One process: at this size, imports cost more than the work that a second process would share.
        executor=dg.in_process_executor,
    )


defs = build_definitions(load_settings())
