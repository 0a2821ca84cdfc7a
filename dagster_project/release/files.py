"""The files of a release as its descriptions list them: name, title, format, size, digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.release.contract import load_contents
from dagster_project.release.database import DATABASE
from dagster_project.release.errors import ReleaseError
from dagster_project.release.tables import ReleasedTable

MEDIA_TYPES = {
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv",
    "json": "application/json",
    "geojson": "application/geo+json",
    "jsonld": "application/ld+json",
    "html": "text/html",
    "md": "text/markdown",
    "txt": "text/plain",
    "contenu": "text/plain",
    "duckdb": "application/octet-stream",
    "py": "text/plain",
}
IN_WORDS = {"csv": "CSV", "parquet": "Parquet", "json": "JSON"}


@dataclass(frozen=True)
class ReleaseFile:
    """One file. Size and digest are None for the database, whose bytes differ from one writing to the next."""

    name: str
    title: str
    description: str
    size: int | None
    sha256: str | None
    table: ReleasedTable | None = None

    @property
    def suffix(self) -> str:
        return self.name.rsplit(".", 1)[-1]

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.suffix]


def list_files(folder: Path, digests: Mapping[str, str], tables: Sequence[ReleasedTable]) -> list[ReleaseFile]:
    """Every file of the folder by name; raises ReleaseError on one whose format is not known."""
    owners = {table.file(suffix): table for table in tables for suffix in table.formats}
    titles = load_contents().files
    found = []
    for name in sorted([*digests, DATABASE]):
        table = owners.get(name)
        suffix = name.rsplit(".", 1)[-1]
        if suffix not in MEDIA_TYPES:
            raise ReleaseError(f"{name}: the format {suffix!r} has no media type in dagster_project/release/files.py")
        title = f"{table.name} ({IN_WORDS[suffix]})" if table else titles.get(name, name)
        description = table.doc.description if table else title
        fixed = name != DATABASE
        size = (folder / name).stat().st_size if fixed else None
        found.append(ReleaseFile(name, title, description, size, digests.get(name) if fixed else None, table))
    return found
