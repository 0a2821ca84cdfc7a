"""`quartiers.duckdb`: every table of the release, commented, with views that read like sentences.

DuckDB does not write the same bytes twice (blocks are placed as they come), so that the file has no digest of its own
in SHA256SUMS. What it says has one: `quartiers.duckdb.contenu` gives, for each table, the SHA-256 of
`copy <table> to … (header, delimiter ';')`, and SHA256SUMS covers that list.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.release.tables import ReleasedTable
from dagster_project.sources import disk
from dagster_project.sql import identifier, literal

if TYPE_CHECKING:
    import duckdb

DATABASE = "quartiers.duckdb"
CONTENT = "quartiers.duckdb.contenu"
SPILL = ".tmp"
# The order of rows is part of what is published; memory as for dbt (profiles.yml), the rest spills beside the files.
SETTINGS: dict[str, Any] = {"preserve_insertion_order": True, "memory_limit": "1500MB"}
# Readable by every DuckDB since 1.0.
STORAGE_VERSION = "v1.0.0"

VIEWS = {
    "chiffres": (
        "Chaque chiffre avec le nom de son indicateur, celui de sa zone, et en clair pourquoi il manque le cas échéant",
        """
        select
            figure.figure_id, indicator.theme, figure.indicator_code, indicator.libelle_fr as indicateur,
            figure.zone_level, figure.zone_code, figure.generation, zone.name as zone,
            figure.vintage, figure.reference_period, figure.value, figure.unit, figure.status,
            absence.label_fr as statut_en_clair, indicator.mesusage_fr as mesusage
        from indicator_value as figure
        inner join indicator using (indicator_code)
        inner join dim_zone as zone using (zone_level, zone_code, generation)
        inner join absence on absence.label = figure.status
        """,
    ),
    "derniers_chiffres": (
        "La dernière édition de chaque chiffre",
        """
        select * from chiffres
        qualify vintage = max(vintage) over (partition by indicator_code, zone_level, zone_code, generation)
        """,
    ),
    "chiffres_absents": (
        "Combien de chiffres manquent, par indicateur, niveau, édition et motif",
        """
        select theme, indicator_code, indicateur, zone_level, generation, vintage, status, statut_en_clair,
            count(*) as chiffres
        from chiffres
        where value is null
        group by all
        order by all
        """,
    ),
}


@contextmanager
def release_database(folder: Path, building: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release's new database, with what dbt built attached; closed whole at the end.

    Args:
        folder: the release folder.
        building: the database that dbt built, only read; it keeps its own name, which its views are written with.
    """
    import duckdb

    config = {**SETTINGS, "temp_directory": str(folder / SPILL)}
    with duckdb.connect(config=config) as connection:
        connection.execute(f"attach '{building}' as {building.stem} (read_only)")
        connection.execute(f"attach '{folder / DATABASE}' as quartiers (storage_version '{STORAGE_VERSION}')")
        connection.execute("use quartiers")
        connection.execute("begin")  # one commit, not one for each table and each of a thousand comments
        yield connection
        connection.execute("commit")
        connection.execute("checkpoint quartiers")
        connection.execute("use memory")
        connection.execute("detach quartiers")
    shutil.rmtree(folder / SPILL, ignore_errors=True)


def finish(connection: duckdb.DuckDBPyConnection, tables: Iterable[ReleasedTable], folder: Path) -> None:
    """Comment the tables, add the views, and write the digest of every table's content."""
    tables = list(tables)
    for table in tables:
        connection.execute(f"comment on table {table.name} is {literal(table.doc.description)}")
        for column in table.columns:
            comment = literal(column.doc.description)
            connection.execute(f"comment on column {table.name}.{identifier(column.name)} is {comment}")
    for name, (comment, query) in VIEWS.items():
        connection.execute(f"create view {name} as {query}")
        connection.execute(f"comment on view {name} is {literal(comment)}")
    digests = content_digests(connection, [table.name for table in tables], folder)
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    (folder / CONTENT).write_text(text, encoding="utf-8")


def content_digests(connection: duckdb.DuckDBPyConnection, tables: Iterable[str], scratch: Path) -> dict[str, str]:
    """SHA-256 of what each table says: its rows in stored order, as DuckDB writes them in CSV.

    Args:
        connection: where the tables are.
        tables: their names.
        scratch: a folder to write in; nothing is left there.
    """
    path = scratch / ".contenu.csv"
    digests = {}
    try:
        for table in tables:
            connection.execute(f"copy {table} to '{path}' (header, delimiter ';')")
            digests[table] = disk.sha256_of(path)
    finally:
        path.unlink(missing_ok=True)
    return digests
