"""Data version of a table: what is in it, whatever the order of its rows and however it was made.

A table that is built again with the same rows keeps its version, and what is made from it stays up to date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dagster_project import sql

if TYPE_CHECKING:
    import duckdb

# Columns that name the build and not what it found: they change at every build.
BUILD_COLUMNS = frozenset({"run_id"})
_NESTED = ("STRUCT", "MAP", "UNION")


def content_version(connection: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, str]) -> str:
    """Digest of the rows of a relation, with the names and types of its columns.

    Args:
        connection: open on the database of the relation.
        relation: as SQL writes it after `from`.
        columns: DuckDB type of each column, in order; those in `BUILD_COLUMNS` are left out.

    Returns:
        64 hexadecimal digits; 0.0 and -0.0 count as the same number.
    """
    kept = {name: kind for name, kind in columns.items() if name not in BUILD_COLUMNS}
    hashed = ", ".join(_exact(name, kind) for name, kind in kept.items()) or "0"
    # A sum of hashes sees repeated rows, which an exclusive or would cancel.
    rows = connection.execute(f"select count(*), sum(hash({hashed})::hugeint)::varchar from {relation}").fetchall()
    return hashlib.sha256(json.dumps([list(kept.items()), rows]).encode()).hexdigest()


def _exact(name: str, kind: str) -> str:
    """To DuckDB's hash a null list, an empty list and a list of one null are the same: its JSON text tells them."""
    column = sql.identifier(name)
    return f"to_json({column})::varchar" if kind.endswith("]") or kind.startswith(_NESTED) else column
