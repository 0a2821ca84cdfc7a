"""The source files of a release, as its descriptions cite them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

COPIES = {
    "producer_bytes": "octets du producteur",
    "third_party": "copie d’un tiers",
    "demo": "fichier fictif",
}


@dataclass(frozen=True)
class SourceFile:
    """One file as it was received."""

    name: str
    vintage: str
    sha256: str
    size: int
    fetched_at: str
    copy_of: str

    @property
    def copy_in_words(self) -> str:
        return COPIES[self.copy_of]


@dataclass(frozen=True)
class SourceDataset:
    """One dataset of the catalogue, with the files of it that the release is made of."""

    files: tuple[SourceFile, ...]
    id: str
    producer: str
    title: str
    citation: str
    page: str
    licence: str
    licence_url: str

    @property
    def vintages(self) -> tuple[str, ...]:
        return tuple(sorted({file.vintage for file in self.files}))


def read_sources(connection: duckdb.DuckDBPyConnection) -> list[SourceDataset]:
    """Datasets by identifier, from the release's table `source_file`."""
    files: dict[str, list[SourceFile]] = {}
    query = "select dataset, name, vintage, source_sha256, size, fetched_at, copy_of from source_file order by all"
    for dataset, *file in connection.execute(query).fetchall():
        files.setdefault(dataset, []).append(SourceFile(*file))
    origins = connection.execute(
        "select distinct dataset, producer, title, citation, page, licence, licence_url from source_file order by all"
    ).fetchall()
    return [SourceDataset(tuple(files[origin[0]]), *origin) for origin in origins]


def licences(sources: Sequence[SourceDataset]) -> list[tuple[str, str]]:
    """Licences by name and address, each once."""
    return sorted({(source.licence, source.licence_url) for source in sources})
