"""Two releases file by file, and two tables cell by cell: where the first difference is, and what it is.

SHA256SUMS ─▶ files that differ ─▶ of a Parquet table: first key, first column, both values
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project import sql
from dagster_project.release.sums import SUMS, read_sums
from dagster_project.sources import disk

if TYPE_CHECKING:
    import duckdb

# Columns that name the build and not what it found: they are looked at when nothing else differs.
BUILD_COLUMNS = ("run_id",)
MEASURED = {"DOUBLE", "FLOAT", "BLOB"}  # never part of a key: what may differ cannot say which row it is


@dataclass(frozen=True)
class Difference:
    """What differs in one file.

    Attributes:
        file: its name in the release.
        what: the difference in words, one line.
        key: of a table, the columns that identify the first row that differs, and their values.
        column: of a row that is in both, the first column that differs.
    """

    file: str
    what: str
    key: tuple[tuple[str, Any], ...] = ()
    column: str | None = None

    def __str__(self) -> str:
        row = ", ".join(f"{name}={value}" for name, value in self.key)
        where = f" at {row}" if row else ""
        return f"{self.file}{where}{f', column {self.column}' if self.column else ''}: {self.what}"


def compare_releases(expected_sums: Path, found: Path) -> list[Difference]:
    """What differs between a release, known by its sums, and another.

    Args:
        expected_sums: `SHA256SUMS` of the original; the files beside it, where present, tell what differs within.
        found: folder of the other release.

    Returns:
        One entry per file that differs, tables first; nothing when the sums are the same, byte for byte.

    Raises:
        ReleaseError: the sums cannot be read.
    """
    expected, sums = read_sums(expected_sums), read_sums(found / SUMS)
    names = {name for name in expected.keys() | sums.keys() if expected.get(name) != sums.get(name)}
    ordered = sorted(names, key=lambda name: (not name.endswith(".parquet"), name))
    return [_difference(name, expected, sums, expected_sums.parent, found) for name in ordered]


def _difference(
    name: str, expected: Mapping[str, str], sums: Mapping[str, str], original: Path, found: Path
) -> Difference:
    if name not in sums:
        return Difference(name, "missing from the release made")
    if name not in expected:
        return Difference(name, "not in the original")
    if (original / name).is_file():
        if disk.sha256_of(original / name) != expected[name]:
            return Difference(name, f"the original in {original} no longer has the digest of its {SUMS}")
        if name.endswith(".parquet"):
            return compare_tables(original / name, found / name)
    return Difference(name, f"{expected[name][:12]}… expected, {sums[name][:12]}… made")


def compare_tables(original: Path, made: Path) -> Difference:
    """The first difference between two Parquet tables whose bytes differ, for what to look at first.

    A row is identified by its leading columns: released tables begin with their key. Rows are taken in the order
    of that key.
    """
    import duckdb

    with duckdb.connect() as db:
        for table, path in (("original", original), ("made", made)):
            db.execute(f"create view {table} as from {sql.parquet(path)}")
        before, after = _columns(db, "original"), _columns(db, "made")
        if before != after:
            return Difference(original.name, _schema_difference(before, after))
        key = _key(db, before)
        if not key:
            return _first_row_without_key(db, original.name, list(before))
        return _first_by_key(db, original.name, list(before), key) or Difference(
            original.name, "same rows, written in another order or by another writer"
        )


def _columns(db: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return {str(name): str(kind) for name, kind, *_ in db.execute(f"describe {table}").fetchall()}


def _schema_difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    absent, added = [c for c in before if c not in after], [c for c in after if c not in before]
    retyped = [f"{c} ({before[c]} → {after[c]})" for c in before if c in after and before[c] != after[c]]
    said = [
        f"{label} {', '.join(names)}"
        for label, names in (("lacks columns", absent), ("adds columns", added), ("other types:", retyped))
        if names
    ]
    return "; ".join(said) or "columns in another order"


def _key(db: duckdb.DuckDBPyConnection, columns: Mapping[str, str]) -> list[str]:
    """Columns that identify a row in both tables, none of them for nothing; empty when there are none.

    The shortest leading run that does, without measured quantities, then without what it does not need.
    """
    names = [column for column, kind in columns.items() if kind not in MEASURED]
    lengths = range(1, len(names) + 1)
    key = next((names[:length] for length in lengths if _identifies(db, names[:length])), [])
    for column in reversed(key):
        rest = [other for other in key if other != column]
        if rest and _identifies(db, rest):
            key = rest
    return key


def _identifies(db: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> bool:
    repeated = " union all ".join(
        f"(select 1 from {table} group by {sql.identifiers(columns)} having count(*) > 1 limit 1)"
        for table in ("original", "made")
    )
    return not db.execute(repeated).fetchall()


def _first_by_key(
    db: duckdb.DuckDBPyConnection, file: str, columns: Sequence[str], key: Sequence[str]
) -> Difference | None:
    others = [column for column in columns if column not in key]
    figures = [column for column in others if column not in BUILD_COLUMNS]
    same_row = " and ".join(f"o.{sql.identifier(c)} is not distinct from m.{sql.identifier(c)}" for c in key)
    shown = ", ".join(f"coalesce(o.{sql.identifier(c)}, m.{sql.identifier(c)})" for c in key)
    for compared in (figures, others):
        changed = ", ".join(f"o.{sql.identifier(c)} is distinct from m.{sql.identifier(c)}" for c in compared)
        row = db.execute(
            f"""select o._here, m._here, list_position([{changed}], true) as changed, {shown},
                    {", ".join(f"o.{sql.identifier(c)}, m.{sql.identifier(c)}" for c in compared) or "null"}
                from (select *, true as _here from original) as o
                full join (select *, true as _here from made) as m on {same_row}
                where o._here is null or m._here is null or changed is not null
                order by {", ".join(str(position + 4) for position in range(len(key)))} limit 1"""
        ).fetchone()
        if row is not None:
            return _described(file, row, key, compared)
    return None


def _described(file: str, row: tuple[Any, ...], key: Sequence[str], compared: Sequence[str]) -> Difference:
    in_original, in_made, changed, *values = row
    identity = tuple(zip(key, values, strict=False))
    if not (in_original and in_made):
        return Difference(file, "row missing" if in_original else "row not in the original", identity)
    before, after = values[len(key) + 2 * (changed - 1) :][:2]
    return Difference(file, f"{_shown(before)} expected, {_shown(after)} made", identity, compared[changed - 1])


def _first_row_without_key(db: duckdb.DuckDBPyConnection, file: str, columns: Sequence[str]) -> Difference:
    """Where no column identifies a row: the first row, whole, that one table has more often than the other."""
    names = sql.identifiers(columns)
    for left, right, what in (("original", "made", "row missing"), ("made", "original", "row not in the original")):
        row = db.execute(
            f"select {names} from {left} except all select {names} from {right} order by all limit 1"
        ).fetchone()
        if row is not None:
            return Difference(file, what, tuple(zip(columns, row, strict=True)))
    return Difference(file, "same rows, written in another order or by another writer")


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return "null" if value is None else repr(value)
