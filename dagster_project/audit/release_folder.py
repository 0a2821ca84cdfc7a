"""A release as an auditor receives it: a folder of files, and the archive its sources lie in.

Nothing here opens the warehouse: what cannot be shown from the release and the archive is not shown.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.settings import Settings

if TYPE_CHECKING:
    import duckdb

LINEAGE, FIGURES = "lineage", "indicator_value"
# Without these, no figure can be explained.
NEEDED = (
    *(FIGURES, LINEAGE, "zone_input", "dim_zone", "mart_comparaison", "source_file", "corrections"),
    *("indicator", "indicator_term", "variable_column", "note_status", "known_break", "absence"),
)
# What releases did not say before figures were brought from other geographies: nothing was.
ADDED_COLUMNS = {
    LINEAGE: {"term": "null::varchar"},
    "indicator_term": {
        "path": "if(role = 'value', 1, 2)",
        "from_level": "null::varchar",
        "base_variable": "null::varchar",
    },
}
ADDED_TABLES = {
    "crosswalk": "from_level varchar, from_code varchar, from_generation varchar, to_level varchar, to_code varchar, "
    "to_generation varchar, weight double, basis varchar, population double",
    "figure_component": "figure_id varchar, component_figure_id varchar",
    "crosswalk_input": "zone_level varchar, zone_code varchar, generation varchar, dataset varchar, "
    "source_sha256 varchar, source_member varchar, source_row bigint, source_column varchar, raw_value varchar",
    "mart_reseau": "dataset varchar, vintage varchar, file varchar, kind varchar, status varchar, reason_fr varchar",
    "source_presence": "dataset varchar, vintage varchar, present boolean, status varchar, reason_fr varchar",
}
MEMORY = "1GB"
Record = dict[str, Any]


class UnknownReleaseError(LookupError):
    """No such release, or it is not whole; the message says where it was looked for and what to do."""


@dataclass(frozen=True)
class ReleaseFolder:
    """One release.

    Attributes:
        path: its folder; its name is the release id.
        archive: folder of the archive that holds the bytes its figures come from.
    """

    path: Path
    archive: Path

    @property
    def release_id(self) -> str:
        return self.path.name

    def object_path(self, sha256: str) -> Path:
        """Where the archive keeps the bytes with this digest."""
        return self.archive / "objects" / sha256[:2] / sha256

    def has(self, table: str) -> bool:
        """Whether the release holds this table."""
        return (self.path / f"{table}.parquet").is_file()

    @property
    def lock(self) -> Record:
        """`build.lock.json`, or `build.json` in a release without lock; empty when there is neither."""
        return next((found for name in ("build.lock.json", "build.json") if (found := self.json(name))), {})

    @property
    def sources_kind(self) -> str:
        """demo, mirror or live."""
        return str(self.lock.get("sources_kind") or self.lock.get("settings", {}).get("sources", "")) or "inconnu"

    @property
    def territory(self) -> str:
        return str(self.lock.get("territory") or self.lock.get("settings", {}).get("territory", "")) or "inconnu"

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
                relation = f"read_parquet({_literal(path)})"
                added = _added(connection, path.stem, relation)
                connection.execute(f'create view "{path.stem}" as select *{added} from {relation}')
            for table, columns in ADDED_TABLES.items():
                if not self.has(table):
                    connection.execute(f"create table {table} ({columns})")
            yield connection


def _added(connection: duckdb.DuckDBPyConnection, table: str, relation: str) -> str:
    """SQL of the columns that a release made before them lacks."""
    added = ADDED_COLUMNS.get(table, {})
    known = {row[0] for row in connection.execute(f"describe from {relation}").fetchall()} if added else set()
    return "".join(f", {sql} as {name}" for name, sql in added.items() if name not in known)


def open_release(settings: Settings, release: str | None = None) -> ReleaseFolder:
    """The release that a person names.

    Args:
        settings: whose home is looked in.
        release: `current`, `previous` (the one before it), an id or the beginning of one, or a release folder; None
            is the current release.

    Raises:
        UnknownReleaseError: there is none, or it lacks a table.
    """
    folder = _folder(settings, release)
    missing = [name for name in NEEDED if not (folder / f"{name}.parquet").is_file()]
    if missing:
        raise UnknownReleaseError(
            f"{folder} n’est pas une version complète : {', '.join(f'{name}.parquet' for name in missing)} manque. "
            "Publier de nouveau (dq run), ou désigner une autre version (--release)"
        )
    beside = folder.parent.parent / "archive"
    return ReleaseFolder(folder, beside if beside.is_dir() else settings.archive_dir)


def _folder(settings: Settings, release: str | None) -> Path:
    releases = settings.releases_dir
    known = sorted(path.name for path in releases.glob("*") if path.is_dir() and not path.is_symlink())
    current = releases / "current"
    if release in {None, "current", "previous"}:
        if not current.is_dir():
            raise UnknownReleaseError(f"aucune version publiée dans {releases} : lancer « dq run » d’abord")
        before = [name for name in known if name < current.resolve().name]
        if release != "previous":
            return current.resolve()
        if not before:
            raise UnknownReleaseError(f"{current.resolve().name} est la première version de {releases}")
        return releases / before[-1]
    named = [name for name in known if release and name.startswith(release)]
    if len(named) == 1:
        return releases / named[0]
    if not named and release and Path(release).is_dir():
        return Path(release).resolve()
    what = f"{len(named)} versions commencent par" if named else "pas de version"
    raise UnknownReleaseError(f"{what} {release} dans {releases}. Versions présentes : {', '.join(known) or 'aucune'}")


def ask(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
    """Run a query with its `?` filled in; returns the connection, to fetch from.

    Parameters (text, whole numbers, None, lists of them) are written as SQL literals: DuckDB's own binding imports
    pandas, which takes longer than all that `dq explain` asks.
    """
    pieces = query.split("?")
    if len(pieces) != len(parameters) + 1:
        raise ValueError(f"{len(pieces) - 1} places for {len(parameters)} parameters: {query}")
    values = [*map(_literal, parameters), ""]
    return connection.execute("".join(piece + value for piece, value in zip(pieces, values, strict=True)))


def records(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> list[Record]:
    """Rows of a query, as dictionaries by column name; see `ask`."""
    cursor = ask(connection, query, parameters)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, bool | int):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"
