"""Which files have which NOTE columns: editions differ, and only the file itself says for certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster_project.audit.recompute.cells import FileForm, read_cells
from dagster_project.audit.release_folder import Record, ReleaseFolder, ask, records
from dagster_project.release.verifier_preuve import LectureError

if TYPE_CHECKING:
    import duckdb

# Note columns that a figure's cells should point to and that no cell of the lineage comes from.
DOUBTFUL = """
select distinct
    cellule.source_sha256, cellule.source_member, voulue.note_column,
    fichier.format, fichier.encoding, fichier.delimiter, fichier.header_row
from cellule
inner join variable_column as voulue
    on
        cellule.dataset = voulue.dataset and cellule.variable = voulue.variable
        and cellule.source_column = voulue.source_column and voulue.vintage in ('*', cellule.vintage)
inner join source_file as fichier
    on cellule.dataset = fichier.dataset and cellule.source_sha256 = fichier.source_sha256
where
    voulue.note_column is not null and cellule.source_row is not null and coalesce(trim(cellule.raw_value), '') = ''
    and (cellule.source_sha256, voulue.note_column) not in (from colonne_note)
order by all
"""


def list_note_columns(connection: duckdb.DuckDBPyConnection, release: ReleaseFolder) -> None:
    """Make the table `colonne_note`: digests of files, and the NOTE columns they have."""
    ask(
        connection,
        "create or replace table colonne_note as "
        "select distinct source_sha256, source_column from lineage where role = 'note'",
    )
    for file in records(connection, DOUBTFUL):
        if _has_column(release, file):
            ask(connection, "insert into colonne_note values (?, ?)", [file["source_sha256"], file["note_column"]])


def _has_column(release: ReleaseFolder, file: Record) -> bool:
    """Whether the archived file has this column; an absent or unreadable file is told elsewhere."""
    path = release.object_path(file["source_sha256"])
    if not path.is_file():
        return False
    form = FileForm(file["format"], file["encoding"], file["delimiter"], file["header_row"])
    try:
        next(read_cells(path.read_bytes(), file["source_member"], form, [file["note_column"]]), None)
    except LectureError:
        return False
    return True
