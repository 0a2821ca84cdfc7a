"""What a release says of its files and marks, shared by those who read its lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dagster_project.audit.release_folder import ask

if TYPE_CHECKING:
    import duckdb


class NoteMeaning(NamedTuple):
    """What an empty cell means: a status of figures, and a French sentence."""

    status: str
    text: str


class NoteMeanings:
    """Meaning of empty cells, by dataset (`*` is any) and NOTE code ('' is none)."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        query = "select dataset, coalesce(note_code, ''), status, meaning_fr from note_status"
        self._known = {
            (dataset, code): NoteMeaning(status, text)
            for dataset, code, status, text in ask(connection, query).fetchall()
        }

    def of(self, dataset: str, code: str) -> NoteMeaning | None:
        """What the code means in this dataset; None when nothing says so."""
        return self._known.get((dataset, code)) or self._known.get(("*", code))


def status_labels(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What each status means, in French."""
    return dict(ask(connection, "select label, label_fr from absence").fetchall())


def key_column(connection: duckdb.DuckDBPyConnection, dataset: str, sha256: str) -> str | None:
    """The column that names zones in a file: known from its other rows, else from other files of its dataset."""
    query = (
        "select source_column from lineage where role = 'key' and dataset = ? "
        "order by source_sha256 != ?, source_column limit 1"
    )
    found = ask(connection, query, [dataset, sha256]).fetchone()
    return str(found[0]) if found else None
