"""The one way to name a release and to open it: which there are, since when, of what, and what their tables hold.

Nothing here opens the warehouse: what cannot be shown from the release and the archive is not shown. Every refusal is
an `UnknownReleaseError`, a French sentence that says what to do.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project import sql
from dagster_project.audit.release_formats import FORMATS, UNNUMBERED
from dagster_project.identity.lock import LOCK_NAME, RELEASE_FORMAT
from dagster_project.release.places import CURRENT, building_path
from dagster_project.settings import Settings

if TYPE_CHECKING:
    import duckdb

LINEAGE, FIGURES = "lineage", "indicator_value"
MEMORY = "1GB"
_STAMP, _STAMP_LENGTH = "%Y%m%dT%H%M%SZ", 16
Record = dict[str, Any]


class UnknownReleaseError(LookupError):
    """No such release, or it is not whole, or of another format; the message says where and what to do."""


@dataclass(frozen=True)
class ReleaseFolder:
    """One release. What it says of its making is read when asked for, and refused when it cannot be.

    Attributes:
        path: its folder; its name is the release id.
        archive: folder of the archive that holds the bytes its figures come from.
    """

    path: Path
    archive: Path

    @property
    def release_id(self) -> str:
        return self.path.name

    @cached_property
    def published_at(self) -> datetime | None:
        """UTC; None when the folder does not bear a release's name."""
        try:
            return datetime.strptime(self.release_id[:_STAMP_LENGTH], _STAMP).replace(tzinfo=UTC)
        except ValueError:
            return None

    @cached_property
    def lock(self) -> Record:
        """`build.lock.json`, of a format that this program reads; raises UnknownReleaseError."""
        lock = self.json(LOCK_NAME)
        if lock is None:
            raise UnknownReleaseError(
                f"{self.path} n’est pas une version que ce programme sache lire : pas de {LOCK_NAME} ; "
                "« dq release list » dit lesquelles il connaît"
            )
        try:
            lock = {**lock, "libraries": dict(lock["libraries"]), "files": dict(lock["code"]["files"])}
            number = lock.get("release_format", UNNUMBERED)
            _ = (lock["build_id"], lock["settings"]["sources"], lock["settings"]["territory"], lock["python"])
            known = number in FORMATS
        except (KeyError, TypeError, ValueError) as error:
            raise UnknownReleaseError(
                f"{self.path / LOCK_NAME} ne peut être lu ({error!r}) : reprendre la version d’une autre copie"
            ) from error
        if not known:
            raise UnknownReleaseError(
                f"{self.path} est au format {number!r}, que ce programme ne lit pas (il écrit le {RELEASE_FORMAT}) : "
                f"prendre le programme que nomme son {LOCK_NAME}"
            )
        return lock

    @property
    def build_id(self) -> str:
        """Digest of all that it is made of."""
        return str(self.lock["build_id"])

    @property
    def sources_kind(self) -> str:
        """demo, mirror or live."""
        return str(self.lock["settings"]["sources"])

    @property
    def territory(self) -> str:
        """france, west or dep:35,44."""
        return str(self.lock["settings"]["territory"])

    @property
    def fictitious(self) -> bool:
        return self.sources_kind == "demo"

    def object_path(self, sha256: str) -> Path:
        """Where the archive keeps the bytes with this digest."""
        return self.archive / "objects" / sha256[:2] / sha256

    def table_path(self, table: str) -> Path:
        """Where the release keeps this table."""
        return self.path / f"{table}.parquet"

    def has(self, table: str) -> bool:
        """Whether the release holds this table."""
        return self.table_path(table).is_file()

    def json(self, name: str) -> Any:
        """A JSON file of the release, None when it has none; raises UnknownReleaseError when it cannot be read."""
        path = self.path / name
        try:
            return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        except ValueError as error:
            raise UnknownReleaseError(
                f"{path} ne peut être lu ({error}) ; « dq verify » dit ce qui a changé"
            ) from error

    @contextmanager
    def tables(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection where each Parquet table of the release is a view under its own name."""
        import duckdb

        with (
            tempfile.TemporaryDirectory(prefix="dq-duckdb-") as scratch,
            duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": scratch}) as connection,
        ):
            for path in sorted(self.path.glob("*.parquet")):
                connection.execute(f"create view {sql.identifier(path.stem)} as from {sql.parquet(path)}")
            yield connection


def releases_of(settings: Settings) -> list[ReleaseFolder]:
    """Every whole release of a home, oldest first."""
    folders = [path for path in settings.releases_dir.glob("[!.]*") if path.is_dir() and not path.is_symlink()]
    return [_folder(path, settings) for path in sorted(folders) if (path / LOCK_NAME).is_file()]


def current_release(settings: Settings) -> ReleaseFolder | None:
    """The promoted release, or None when there is none yet."""
    link = settings.releases_dir / CURRENT
    return _folder(link, settings) if link.is_symlink() and (link / LOCK_NAME).is_file() else None


def previous_release(settings: Settings, release_id: str) -> ReleaseFolder | None:
    """The release that came just before another one; None when it is the first."""
    earlier = [release for release in releases_of(settings) if release.release_id < release_id]
    return earlier[-1] if earlier else None


def is_current(settings: Settings, build_id: str) -> bool:
    """True when the release and the warehouse are those of this build, and no build waits for promotion.

    A build that waits beside its own release is what a crash left before the warehouse followed. A release that
    cannot be read is not current: the next run publishes another.
    """
    known = current_release(settings)
    try:
        published = known is not None and known.build_id == build_id
    except UnknownReleaseError:
        return False
    return published and settings.warehouse.exists() and not building_path(settings).exists()


def find_release(settings: Settings, name: str | None = None) -> ReleaseFolder:
    """The release that a person names, whatever state it is in.

    Args:
        settings: whose home is looked in.
        name: `current` (also None), `previous` (the one before it), an id or the beginning of one, or a folder.

    Raises:
        UnknownReleaseError: none or several bear this name.
    """
    releases = settings.releases_dir
    if name in {None, "current", "previous"}:
        current = current_release(settings)
        if current is None:
            raise UnknownReleaseError(f"aucune version publiée dans {releases} : lancer « dq run » d’abord")
        found = previous_release(settings, current.release_id) if name == "previous" else current
        if found is None:
            raise UnknownReleaseError(f"{current.release_id} est la première version de {releases}")
        return found
    known = releases_of(settings)
    named = [release for release in known if name and release.release_id.startswith(name)]
    if len(named) == 1:
        return named[0]
    if not named and name and Path(name).is_dir():
        return _folder(Path(name), settings)
    what = f"{len(named)} versions commencent par" if named else "pas de version"
    ids = ", ".join(release.release_id for release in known) or "aucune"
    raise UnknownReleaseError(f"{what} {name} dans {releases}. Versions présentes : {ids}")


def open_release(settings: Settings, name: str | None = None) -> ReleaseFolder:
    """The same, whole: it holds every table of its format.

    A lock that was damaged does not stop an audit, which says so.

    Raises:
        UnknownReleaseError: there is none, it is of another format, or it lacks a table.
    """
    release = find_release(settings, name)
    try:
        number = release.lock.get("release_format", UNNUMBERED)
    except UnknownReleaseError as error:
        if not isinstance(error.__cause__, ValueError | KeyError | TypeError):
            raise
        number = RELEASE_FORMAT
    missing = [table for table in FORMATS[number].needed if not release.has(table)]
    if missing:
        raise UnknownReleaseError(
            f"{release.path} n’est pas une version complète : "
            f"{', '.join(release.table_path(table).name for table in missing)} manque. "
            "Publier de nouveau (dq run), ou désigner une autre version (--release)"
        )
    return release


def _folder(path: Path, settings: Settings) -> ReleaseFolder:
    """A release given as a folder brings the archive of its own home."""
    folder = path.resolve()
    beside = folder.parent.parent / "archive"
    return ReleaseFolder(folder, beside if beside.is_dir() else settings.archive_dir)


def ask(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
    """Run a query with its `?` filled in; returns the connection, to fetch from.

    Parameters (text, whole numbers, None, lists of them) are written as SQL literals: DuckDB's own binding imports
    pandas, which takes longer than all that `dq explain` asks.
    """
    pieces = query.split("?")
    if len(pieces) != len(parameters) + 1:
        raise ValueError(f"{len(pieces) - 1} places for {len(parameters)} parameters: {query}")
    values = [*map(sql.literal, parameters), ""]
    return connection.execute("".join(piece + value for piece, value in zip(pieces, values, strict=True)))


def records(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> list[Record]:
    """Rows of a query, as dictionaries by column name; see `ask`."""
    cursor = ask(connection, query, parameters)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
