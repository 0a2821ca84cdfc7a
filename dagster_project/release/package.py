"""Everything that a release folder holds, written in one order: tables, then what describes them.

what dbt built ─▶ quartiers.duckdb ─▶ Parquet, CSV, JSON, GeoJSON ─▶ datapackage, DCAT, schema.org ─▶ SHA256SUMS
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.release import geo_export, tables
from dagster_project.release.attribution import attribution
from dagster_project.release.checks import checks_table, read_report
from dagster_project.release.contract import TableDoc, load_manifest, table_docs
from dagster_project.release.coverage import Coverage, read_coverage
from dagster_project.release.database import DATABASE, finish, release_database
from dagster_project.release.datapackage import datapackage
from dagster_project.release.dcat import dcat
from dagster_project.release.edition import Edition
from dagster_project.release.files import list_files
from dagster_project.release.model_notes import models_json
from dagster_project.release.plan import Plan, checks_plan, plans, published
from dagster_project.release.readme import readme
from dagster_project.release.schema_org import schema_org
from dagster_project.release.sources import SourceDataset, read_sources
from dagster_project.release.sums import digest_files, write_sums
from dagster_project.release.tables import ReleasedTable
from dagster_project.settings import Settings

if TYPE_CHECKING:
    import duckdb

ZONES = "dim_zone"


def write_package(
    folder: Path, settings: Settings, building: Path, edition: Edition, code_versions: Mapping[str, str]
) -> None:
    """Fill a release folder from a checked build; attachments that are there already are described with the rest.

    Args:
        folder: an existing folder that nobody reads yet.
        settings: where the build's inputs and reports are.
        building: the database that dbt built.
        edition: the release.
        code_versions: digest of all that shapes a model, by the model's name.

    Raises:
        ReleaseError: an input is missing, or a cell is empty without a declared reason.
    """
    manifest = load_manifest(settings.derived_dir / "dbt" / "manifest.json")
    with release_database(folder, building) as connection:
        released = list(_write_tables(connection, folder, settings, manifest, building.stem))
        extent = geo_export.read_shapes(connection, ZONES).extent()
        coverage = read_coverage(connection, extent)
        labels = dict(connection.execute("select label, label_fr from absence order by label").fetchall())
        sources = read_sources(connection)
        finish(connection, released, folder)
    _text(folder / "models.json", models_json(manifest, settings, building.stem, code_versions))
    _text(folder / "ATTRIBUTION.md", attribution(sources, edition))
    names = [path.name for path in folder.iterdir()]
    descriptions = ["datapackage.json", "dcat.jsonld", "dataset.jsonld"]
    _text(folder / "LISEZMOI.txt", readme([*names, *descriptions], released, labels, edition))
    _describe(folder, released, labels, sources, coverage, edition)


def _write_tables(
    connection: duckdb.DuckDBPyConnection, folder: Path, settings: Settings, manifest: Mapping[str, Any], built: str
) -> Iterator[ReleasedTable]:
    docs = table_docs(manifest)
    for plan in plans(published(manifest), built, settings.derived_dir):
        yield _write_table(connection, plan, docs, folder)
    report = read_report(settings.reports_dir / "qualite.json")
    connection.register("checks_of_the_build", checks_table(report, manifest))
    yield _write_table(connection, checks_plan(built, "checks_of_the_build"), docs, folder)
    connection.unregister("checks_of_the_build")


def _write_table(
    connection: duckdb.DuckDBPyConnection, plan: Plan, docs: Mapping[str, TableDoc], folder: Path
) -> ReleasedTable:
    table = tables.store(connection, plan, docs)
    if table.name == ZONES:
        tables.write(connection, table, folder, {"geo": geo_export.read_shapes(connection, ZONES).geoparquet()})
        geo_export.write_geojson(connection, table, folder)
    else:
        tables.write(connection, table, folder)
    return table


def _describe(
    folder: Path,
    released: list[ReleasedTable],
    labels: Mapping[str, str],
    sources: list[SourceDataset],
    coverage: Coverage,
    edition: Edition,
) -> None:
    """The three descriptions, each of which lists the files that stand before it, then the digests of all."""
    digests = digest_files(folder, {}, without=[DATABASE])
    _text(folder / "datapackage.json", datapackage(list_files(folder, digests, released), labels, sources, edition))
    digests = digest_files(folder, digests, without=[DATABASE])
    files = list_files(folder, digests, released)
    _text(folder / "dcat.jsonld", dcat(files, sources, coverage, edition))
    _text(folder / "dataset.jsonld", schema_org(files, sources, coverage, edition))
    write_sums(folder, digest_files(folder, digests, without=[DATABASE]))


def _text(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
