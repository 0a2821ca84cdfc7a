"""What every reader receives and returns, and the errors they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from dagster_project.sources.catalogue import Dataset, SourceFile, Vintage

CONTENT_KEPT = 300  # characters of a rejected row that are kept beside its reason


class ReadError(ValueError):
    """A file cannot be read at all, or lacks a column the catalogue promises; the message says what to do."""


@dataclass(frozen=True)
class Reject:
    """A row that could not be read.

    Attributes:
        row: where it is, counted like `_source_row`.
        reason: why, in French (auditors read it), naming the column where there is one.
        content: the beginning of the row as received.
    """

    row: int
    reason: str
    content: str

    @staticmethod
    def of(row: int, reason: str, content: str) -> Reject:
        """A reject whose content can be written as UTF-8 whatever bytes it came from."""
        shown = content[:CONTENT_KEPT].encode("utf-8", "backslashreplace").decode("utf-8")
        return Reject(row, reason, shown)


@dataclass(frozen=True)
class Part:
    """One file on disk to be read: `path` holds the bytes, `sha256` and `member` say where they came from."""

    path: Path
    sha256: str
    member: str

    @property
    def suffix(self) -> str:
        """`.shp`, `.dbf`… in lower case."""
        return Path(self.member).suffix.lower()


@dataclass(frozen=True)
class Source:
    """One file of a vintage, opened: what a reader needs to know of it."""

    dataset: Dataset
    vintage: Vintage
    file: SourceFile
    parts: tuple[Part, ...]

    @property
    def path(self) -> Path:
        return self.parts[0].path

    @property
    def where(self) -> str:
        """How error messages name the file."""
        return f"{self.dataset.id} {self.vintage.vintage}, {self.parts[0].member}"


@dataclass(frozen=True)
class Parsed:
    """The rows of one file, before their lineage is attached.

    Attributes:
        header: column names as the producer wrote them, aligned with `columns`.
        columns: text columns by clean name.
        rows: `_source_row` of each row (int64).
        extra: columns computed by the reader (geometry), placed after the text columns.
        origin: the part whose digest and name go to `_source_sha256` and `_source_member`.
        origins: the same, row by row, where rows come from several parts.
    """

    header: tuple[str, ...]
    columns: dict[str, pa.ChunkedArray]
    rows: npt.NDArray[np.int64]
    rejects: list[Reject]
    origin: Part
    extra: dict[str, pa.Array | pa.ChunkedArray] = field(default_factory=dict)
    origins: tuple[Part, ...] = ()


@dataclass(frozen=True)
class ReadResult:
    """A file as a table: text columns, geometry where there is one, then the lineage columns."""

    table: pa.Table
    rejects: list[Reject]
    header: tuple[str, ...]


Reader = Callable[[Source], Parsed]
