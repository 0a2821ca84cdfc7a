"""Tables that SQL cannot make: contours; the catalogue, the files received and the corrections, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_project.defs import OWNER
from dagster_project.defs.raw import raw_key
from dagster_project.geo.contours import RAW_TABLES, build_zone_geometries
from dagster_project.provenance.build import code_digest
from dagster_project.quality.corrections import corrections_table, load_corrections
from dagster_project.settings import Settings
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.sources.derived import cached_table, catalogue_table, source_file_table

if TYPE_CHECKING:
    import pyarrow as pa


def derived_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Assets that read Parquet and write Parquet under `DQ_HOME/derived`."""

    @dg.asset(
        key=["derived", "zone_geometries"],
        deps=[raw_key(name) for name in RAW_TABLES],
        group_name="geographie",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description="Contours valides de toutes les zones, en EPSG:2154, avec ce qui a dû être réparé.",
    )
    def zone_geometries() -> dg.MaterializeResult[Any]:
        inputs = [settings.raw_dir / f"{name}.parquet" for name in RAW_TABLES]
        path = settings.derived_dir / "zone_geometries.parquet"
        digest, rows = cached_table(path, inputs, code_digest(), lambda: build_zone_geometries(settings.raw_dir))
        return _result(path, digest, rows, {"contours_repares": _repaired(path)})

    @dg.asset(
        key=["derived", "catalogue"],
        group_name="geographie",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description="Producteur, licence, page officielle et rythme de chaque jeu de données du catalogue.",
    )
    def catalogue() -> dg.MaterializeResult[Any]:
        return _small(settings.derived_dir / "catalogue.parquet", catalogue_table(load_catalogue()))

    @dg.asset(
        key=["derived", "source_file"],
        deps=[raw_key(name) for name in load_catalogue()],
        group_name="provenance",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description="Fichiers dont la version est faite : empreinte, adresse, date de réception, producteur, licence.",
    )
    def source_file() -> dg.MaterializeResult[Any]:
        table = source_file_table(load_catalogue(), settings.raw_dir)
        return _small(settings.derived_dir / "source_file.parquet", table)

    @dg.asset(
        key=["derived", "corrections"],
        group_name="provenance",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description="Corrections déclarées d’erreurs connues des sources, avec leur motif et qui les a signalées.",
    )
    def corrections() -> dg.MaterializeResult[Any]:
        # Codes of the demonstration territory are invented: no correction of a real file concerns them.
        declared = () if settings.sources == "demo" else load_corrections(load_catalogue())
        return _small(settings.derived_dir / "corrections.parquet", corrections_table(declared, load_catalogue()))

    return [zone_geometries, catalogue, source_file, corrections]


def _small(path: Path, table: pa.Table) -> dg.MaterializeResult[Any]:
    """Write a table whose rows are their own digest."""
    digest, rows = cached_table(path, [], str(table.to_pydict()), lambda: table)
    return _result(path, digest, rows, {})


def _result(path: Path, digest: str, rows: int, metadata: dict[str, Any]) -> dg.MaterializeResult[Any]:
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={"dagster/row_count": rows, "dagster/uri": str(path), **metadata},
    )


def _repaired(path: Path) -> int:
    import duckdb

    row = duckdb.sql(f"select count(*) filter (where repaired) from '{path}'").fetchone()
    return int(row[0]) if row else 0
