"""The end of the way: the quality report, then the release. Neither runs unless every blocking check passed."""

from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg

from dagster_project.closure import code_version
from dagster_project.defs import OWNER
from dagster_project.defs.comparison import KEY as COMPARISON
from dagster_project.defs.dbt import dbt_target, unit_tests_path
from dagster_project.defs.dbt_project import node_versions
from dagster_project.defs.lineage import LINEAGE_PAGE
from dagster_project.defs.lock import LOCK_KEY
from dagster_project.defs.raw import raw_key
from dagster_project.defs.run_page import audit_asset
from dagster_project.identity.lock import pending_lock
from dagster_project.lineage.page import lineage_page_path
from dagster_project.pages.files import template_files
from dagster_project.quality.data_docs import build_data_docs
from dagster_project.quality.suites import load_suites
from dagster_project.release.plan import MARTS, Published, derived_tables
from dagster_project.release.promote import promote
from dagster_project.release.report import report_path, write_quality_report
from dagster_project.release.suite_tables import expectation_cache
from dagster_project.settings import Settings
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.sources.code import catalogue_facts
from dagster_project.text_files import read_json

EXPECTATIONS = "expectations/*.json"
# What a release says of its tables.
DESCRIPTIONS = ("dagster_project/release/*.yml", "dbt_models/models/**/*.yml")
NAMES_SHOWN = 5


def mart_keys(tables: Iterable[Published]) -> list[dg.AssetKey]:
    """The marts among published tables."""
    return [dg.AssetKey([table.schema, table.table]) for table in tables if table.schema == MARTS]


def release_assets(settings: Settings, tables: Sequence[Published]) -> list[dg.AssetsDefinition]:
    """The report of what was checked, and the promoted release.

    Args:
        settings: where everything is.
        tables: what a release holds of dbt's tables.
    """
    catalogue = load_catalogue()
    marts = mart_keys(tables)
    described = [dg.AssetKey([table.schema, table.table]) for table in tables if table.schema != MARTS]
    described += [dg.AssetKey(["derived", name]) for name in derived_tables()]

    @dg.asset(
        key=["reports", "quality"],
        deps=[*map(raw_key, catalogue), *marts, LOCK_KEY],
        code_version=code_version(
            write_quality_report.__module__,
            own=[__name__],
            files=[EXPECTATIONS, *template_files("quality")],
            facts=catalogue_facts(catalogue),
        ),
        group_name="publication",
        kinds={"python"},
        owners=[OWNER],
        description="Rapport de qualité, lisible hors ligne : ce qui a été contrôlé et ce que cela a donné.",
    )
    def quality_report() -> dg.MaterializeResult[Any]:
        lock = pending_lock(settings)
        summary = write_quality_report(settings, lock, dbt_target(settings), unit_tests_path(settings))
        return dg.MaterializeResult(metadata={"rapport": dg.MetadataValue.path(str(report_path(settings))), **summary})

    @dg.asset(
        key=["reports", "data_docs"],
        deps=[quality_report],
        code_version=code_version(
            build_data_docs.__module__, expectation_cache.__module__, own=[__name__], files=[EXPECTATIONS]
        ),
        group_name="publication",
        kinds={"python"},
        owners=[OWNER],
        description="Data Docs de Great Expectations, pour qui les connaît ; le rapport de qualité dit la même chose.",
    )
    def data_docs() -> dg.MaterializeResult[Any]:
        folder = settings.reports_dir / "data_docs"
        rebuilt = build_data_docs(folder, load_suites().values(), cache_dir=expectation_cache(settings))
        return dg.MaterializeResult(
            metadata={"pages": dg.MetadataValue.path(str(folder / "index.html")), "reconstruit": rebuilt}
        )

    @dg.asset(
        key=["releases", "current"],
        deps=[*marts, LOCK_KEY, quality_report, LINEAGE_PAGE, *described],
        code_version=code_version(promote.__module__, lineage_page_path.__module__, own=[__name__], files=DESCRIPTIONS),
        group_name="publication",
        kinds={"python", "parquet", "csv", "json", "duckdb"},
        owners=[OWNER],
        pool="duckdb_writer",
        description="Version publiée : dossier immuable, aux formats ouverts ; `current` bascule d’un seul geste.",
    )
    def release(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        _refuse_partial(context)
        lock = pending_lock(settings)
        attachments = {"qualite.html": report_path(settings), "lignage.html": lineage_page_path(settings)}
        folder = promote(settings, lock, attachments, code_versions=_model_versions(settings))
        context.log.info(f"release {folder.name} is now current")
        return dg.MaterializeResult(
            data_version=dg.DataVersion(lock.build_id),
            metadata={
                "version": folder.name,
                "dossier": dg.MetadataValue.path(str(folder)),
                "sources": dg.MetadataValue.json(lock.raw),
            },
        )

    audit = audit_asset(settings, [data_docs.key, release.key, COMPARISON])
    return [quality_report, data_docs, release, audit]


def _model_versions(settings: Settings) -> dict[str, str]:
    """Code version of each model of the build, by name, as Dagster has it."""
    manifest = read_json(dbt_target(settings) / "manifest.json")
    versions = node_versions(manifest, settings)
    return {node["name"]: versions.of(node) for node in manifest["nodes"].values() if node["resource_type"] == "model"}


def _refuse_partial(context: dg.AssetExecutionContext) -> None:
    """A release whose lock says of what it is made cannot keep tables that an earlier run made of something else."""
    layer = context.job_def.asset_layer
    left_out = layer.asset_graph.get_ancestor_asset_keys(context.asset_key) - layer.selected_asset_keys
    if left_out:
        names = sorted(key.to_user_string() for key in left_out)
        shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
        raise dg.Failure(
            description=f"a release is made in one run, and this run leaves out {len(names)} of the assets it is made "
            f"of ({shown}); run without --select, or with --select '+key:\"releases/current\"'",
            allow_retries=False,
        )
