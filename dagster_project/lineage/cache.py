"""Slices of models that have not changed since they were cut: cutting takes longer than all the rest of the lineage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from dagster_project.closure import code_version
from dagster_project.lineage.column_origins import Schemas
from dagster_project.text_files import replace_text

# Column and the SQL that makes it.
Slices = dict[str, str]


class SliceCache:
    """Slices by digest of what they are cut from; what a build does not use leaves the file."""

    def __init__(self, path: Path | None) -> None:
        """Read the file, if there is one; None keeps nothing."""
        self._path = path
        self._known: dict[str, Slices] = json.loads(path.read_text(encoding="utf-8")) if path and path.exists() else {}
        self._used: dict[str, Slices] = {}
        self._code = code_version("dagster_project.lineage.slices") if path else ""

    def of(self, sql: str, schemas: Schemas, cut: Callable[[], Slices]) -> Slices:
        """The slices of a query over relations of these columns, cut when they are not known."""
        read = [[*table, *columns] for table, columns in sorted(schemas.items())]
        digest = hashlib.sha256(json.dumps([self._code, sql, read]).encode()).hexdigest()
        found = self._known.get(digest)
        self._used[digest] = cut() if found is None else found
        return self._used[digest]

    def save(self) -> None:
        """Keep what this build used."""
        if self._path is None or self._used == self._known:
            return
        replace_text(self._path, json.dumps(self._used, sort_keys=True))
