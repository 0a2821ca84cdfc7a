"""The tables of two release folders, side by side in one connection: schemas `old` and `new`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.release.errors import ReleaseError
from dagster_project.settings import PROJECT_ROOT

if TYPE_CHECKING:
    import duckdb

OLD, NEW = "old", "new"
THRESHOLDS = PROJECT_ROOT / "seeds" / "diff_threshold.csv"
# Columns are named: a release may carry more than what is compared.
TABLES = {
    "indicator_value": "figure_id, indicator_code, zone_level, zone_code, generation, vintage, value, unit, numerator, "
    "denominator, status, method, dataset",
    "lineage": "figure_id, role, variable, weight, dataset, source_sha256, source_row, source_column, raw_value, "
    "correction_id",
    "indicator": "indicator_code, libelle_fr, definition_fr, unit, formula, theme, scale, mesusage_fr",
    "indicator_term": "indicator_code, role, variable, coefficient",
    "note_status": "dataset, note_code, status",
    "variable_column": "dataset, vintage, source_column, variable, note_column",
    "corrections": "correction_id, dataset, source_column, action, corrected_value, width",
    "source_file": "dataset, vintage, source_sha256",
    "dim_zone": "zone_level, zone_code, generation, name, communes, epci, departement, region, geometry",
}

# What a release made before figures of other units does not say. Of paths that share a term, coefficients are one.
ADDED = {"lineage": "term"}
MADE = {"indicator_term": "select indicator_code, role, variable, min(coefficient) as coefficient from {} group by all"}


def open_pair(db: duckdb.DuckDBPyConnection, old: Path, new: Path, thresholds: Path) -> None:
    """Views on both folders, and the tolerances as table `threshold`.

    Raises:
        ReleaseError: a table, or one of its columns, is not there; the message names the file.
    """
    from duckdb import Error

    for schema, folder in ((OLD, old), (NEW, new)):
        db.execute(f"create schema {schema}")
        for name, columns in TABLES.items():
            path = folder / f"{name}.parquet"
            try:
                relation = f"read_parquet('{_quoted(path)}')"
                added = _added(db, ADDED[name], relation) if name in ADDED else ""
                query = MADE.get(name, f"select {columns}{added} from {{}}").format(relation)
                db.execute(f"create view {schema}.{name} as {query}")
            except Error as error:
                raise ReleaseError(
                    f"{path} cannot be compared ({str(error).splitlines()[0]}): the release is damaged, or was made "
                    "by a program too old; run again with the present one to publish a release that can"
                ) from error
    db.execute(
        f"""create table threshold as
        select * from read_csv('{_quoted(thresholds)}', header = true, columns = {{
            'indicator_code': 'varchar', 'theme': 'varchar', 'unit': 'varchar',
            'absolute': 'double', 'relative': 'double', 'reason_fr': 'varchar'
        }})"""
    )


def _added(db: duckdb.DuckDBPyConnection, column: str, relation: str) -> str:
    known = {row[0] for row in db.execute(f"describe from {relation}").fetchall()}
    return f", {column}" if column in known else f", null::varchar as {column}"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
