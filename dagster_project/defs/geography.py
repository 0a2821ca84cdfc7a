"""Tables that SQL cannot make: contours; the catalogue, the files received and the corrections, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_project.closure import code_version
from dagster_project.defs import OWNER
from dagster_project.defs.raw import raw_key
from dagster_project.geo.contours import RAW_TABLES, build_zone_geometries
from dagster_project.identity.content import content_version
from dagster_project.quality.corrections import corrections_table, load_corrections
from dagster_project.settings import Settings
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.sources.code import catalogue_facts
from dagster_project.sources.derived import (
    cached_table,
    catalogue_rows,
    catalogue_table,
    source_file_table,
    source_presence_table,
)

if TYPE_CHECKING:
    import pyarrow as pa


def derived_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Assets that read Parquet and write Parquet under `DQ_HOME/derived`."""
    datasets = load_catalogue()
    # Codes of the demonstration territory are invented: no correction of a real file concerns them.
    declared = () if settings.sources == "demo" else load_corrections(datasets)
    geometries_code = code_version(build_zone_geometries.__module__, cached_table.__module__, own=[__name__])

    @dg.asset(
        key=["derived", "zone_geometries"],
        deps=[raw_key(name) for name in RAW_TABLES],
        group_name="geographie",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description="Contours valides de toutes les zones, en EPSG:2154, avec ce qui a dû être réparé.",
        code_version=geometries_code,
    )
    def zone_geometries() -> dg.MaterializeResult[Any]:
        inputs = [settings.raw_dir / f"{name}.parquet" for name in RAW_TABLES]
        path = settings.derived_dir / "zone_geometries.parquet"
        rows = cached_table(path, inputs, geometries_code, lambda: build_zone_geometries(settings.raw_dir))
        return table_result(path, rows, {"contours_repares": _repaired(path)})

    @dg.asset(
        key=["derived", "catalogue"],
        group_name="geographie",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description="Producteur, licence, page officielle et rythme de chaque jeu de données du catalogue.",
        code_version=code_version(catalogue_table.__module__, own=[__name__], facts=catalogue_rows(datasets)),
    )
    def catalogue() -> dg.MaterializeResult[Any]:
        return _small(settings.derived_dir / "catalogue.parquet", catalogue_table(datasets))

    @dg.asset(
        key=["derived", "source_file"],
        deps=[raw_key(name) for name in datasets],
        group_name="provenance",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description="Fichiers dont la version est faite : empreinte, adresse, date de réception, producteur, licence.",
        code_version=code_version(source_file_table.__module__, own=[__name__], facts=catalogue_facts(datasets)),
    )
    def source_file() -> dg.MaterializeResult[Any]:
        table = source_file_table(datasets, settings.raw_dir)
        return _small(settings.derived_dir / "source_file.parquet", table)

    @dg.asset(
        key=["derived", "source_presence"],
        deps=[raw_key(name) for name in datasets],
        group_name="provenance",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description="Millésimes reçus et millésimes absents, avec le motif : convention à signer, ou jeu non couvert.",
        code_version=code_version(source_presence_table.__module__, own=[__name__], facts=catalogue_facts(datasets)),
    )
    def source_presence() -> dg.MaterializeResult[Any]:
        table = source_presence_table(datasets, settings.raw_dir)
        absent = [f"{row['dataset']} {row['vintage']} ({row['status']})" for row in table.to_pylist() if row["status"]]
        return _small(
            settings.derived_dir / "source_presence.parquet", table, {"absents": ", ".join(absent) or "aucun"}
        )

    @dg.asset(
        key=["derived", "corrections"],
        group_name="provenance",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description="Corrections déclarées d’erreurs connues des sources, avec leur motif et qui les a signalées.",
        code_version=code_version(
            corrections_table.__module__,
            cached_table.__module__,
            own=[__name__],
            facts=[[entry.model_dump(mode="json"), datasets[entry.dataset].origin.producer] for entry in declared],
        ),
    )
    def corrections() -> dg.MaterializeResult[Any]:
        return _small(settings.derived_dir / "corrections.parquet", corrections_table(declared, datasets))

    return [zone_geometries, catalogue, source_file, source_presence, corrections]


def _small(path: Path, table: pa.Table, metadata: dict[str, Any] | None = None) -> dg.MaterializeResult[Any]:
    """Write a table whose rows are their own digest."""
    rows = cached_table(path, [], str(table.to_pydict()), lambda: table)
    return table_result(path, rows, metadata or {})


def table_result(path: Path, rows: int, metadata: dict[str, Any]) -> dg.MaterializeResult[Any]:
    """What Dagster records of a table written at `path`: its content as data version, its rows, and more metadata."""
    return dg.MaterializeResult(
        data_version=dg.DataVersion(_content(path)),
        metadata={"dagster/row_count": rows, "dagster/uri": str(path), **metadata},
    )


def _content(path: Path) -> str:
    import duckdb

    relation = f"read_parquet('{path}')"
    with duckdb.connect() as connection:
        columns = {row[0]: row[1] for row in connection.sql(f"describe select * from {relation}").fetchall()}
        return content_version(connection, relation, columns)


def _repaired(path: Path) -> int:
    import duckdb

    row = duckdb.sql(f"select count(*) filter (where repaired) from '{path}'").fetchone()
    return int(row[0]) if row else 0
