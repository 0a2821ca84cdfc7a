"""The tables of two release folders, side by side in one connection: schemas `old` and `new`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project import sql
from dagster_project.audit.release_folder import UnknownReleaseError
from dagster_project.settings import PROJECT_ROOT

if TYPE_CHECKING:
    import duckdb

OLD, NEW = "old", "new"
THRESHOLDS = PROJECT_ROOT / "seeds" / "diff_threshold.csv"
# Columns are named: a release may carry more than what is compared.
TABLES = {
    "indicator_value": "figure_id, indicator_code, zone_level, zone_code, generation, vintage, value, unit, numerator, "
    "denominator, status, method, dataset",
    "lineage": "figure_id, role, term, variable, weight, dataset, source_sha256, source_row, source_column, raw_value, "
    "correction_id",
    "indicator": "indicator_code, libelle_fr, definition_fr, unit, formula, theme, scale, mesusage_fr",
    "indicator_term": "indicator_code, role, variable, coefficient",
    "note_status": "dataset, note_code, status",
    "variable_column": "dataset, vintage, source_column, variable, note_column",
    "corrections": "correction_id, dataset, source_column, action, corrected_value, width",
    "source_file": "dataset, vintage, source_sha256",
    "dim_zone": "zone_level, zone_code, generation, name, communes, epci, departement, region, geometry",
}

# Of paths that share a term, coefficients are one.
MADE = {"indicator_term": "select indicator_code, role, variable, min(coefficient) as coefficient from {} group by all"}


def open_pair(db: duckdb.DuckDBPyConnection, old: Path, new: Path, thresholds: Path) -> None:
    """Views on both folders, and the tolerances as table `threshold`.

    Raises:
        UnknownReleaseError: a table, or one of its columns, is not there; the message names the file.
    """
    from duckdb import Error

    for schema, folder in ((OLD, old), (NEW, new)):
        db.execute(f"create schema {schema}")
        for name, columns in TABLES.items():
            path = folder / f"{name}.parquet"
            try:
                query = MADE.get(name, f"select {columns} from {{}}").format(sql.parquet(path))
                db.execute(f"create view {schema}.{name} as {query}")
            except Error as error:
                raise UnknownReleaseError(
                    f"{path} ne peut être comparé ({str(error).splitlines()[0]}) : la version est abîmée ; "
                    "« dq verify » dit ce qui a changé"
                ) from error
    db.execute(
        f"""create table threshold as
        select * from read_csv({sql.literal(thresholds)}, header = true, columns = {{
            'indicator_code': 'varchar', 'theme': 'varchar', 'unit': 'varchar',
            'absolute': 'double', 'relative': 'double', 'reason_fr': 'varchar'
        }})"""
    )


def find_moved_rules(db: duckdb.DuckDBPyConnection, old: Path, new: Path, *, same_program: bool) -> None:
    """Table `moved_rule`: indicators whose rule of secrecy asks for another least count in the new release.

    Empty when one of the two publishes no rules, and when the program is another: it may have done what is seen.
    """
    db.execute("create table moved_rule (indicator_code varchar)")
    tables = [(sql.parquet(folder / "secrecy_rule.parquet"), sql.parquet(folder / "indicator.parquet"))
              for folder in (old, new) if (folder / "secrecy_rule.parquet").is_file()]  # fmt: skip
    if same_program and len(tables) == 2:  # noqa: PLR2004 - the old and the new
        (old_rules, _), (new_rules, indicators) = tables
        db.execute(
            f"""insert into moved_rule
            select indicator.indicator_code
            from {indicators} as indicator
            inner join {old_rules} as o using (secrecy_rule)
            inner join {new_rules} as n using (secrecy_rule)
            where o.least_count is distinct from n.least_count"""
        )
