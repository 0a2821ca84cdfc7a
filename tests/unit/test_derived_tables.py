"""Derived files: made once from the same inputs, in one piece or table by table, and never half written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.sources import derived
from dagster_project.sources.derived import cached_table, cached_tables

SCHEMA = pa.schema([("rank", pa.int64()), ("name", pa.string())])


def table(*ranks: int) -> pa.Table:
    return pa.table({"rank": list(ranks), "name": [f"n{rank}" for rank in ranks]}, SCHEMA)


def never() -> pa.Table:
    raise AssertionError("made again")


def test_tables_that_come_one_by_one_make_the_file_of_their_whole(tmp_path: Path) -> None:
    parts, whole = tmp_path / "parts.parquet", tmp_path / "whole.parquet"
    assert cached_tables(parts, [], "a", SCHEMA, lambda: iter([table(3), table(1, 2)])) == 3
    assert cached_table(whole, [], "a", lambda: table(3, 1, 2)) == 3
    assert parts.read_bytes() == whole.read_bytes()


def test_small_tables_share_a_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived, "ROW_GROUP", 3)
    path = tmp_path / "t.parquet"
    cached_tables(path, [], "a", SCHEMA, lambda: (table(rank) for rank in range(7)))
    groups = pq.read_metadata(path)
    assert [groups.row_group(rank).num_rows for rank in range(groups.num_row_groups)] == [3, 3, 1]
    assert pq.read_table(path)["rank"].to_pylist() == list(range(7))


def test_a_file_without_a_row_has_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    assert cached_tables(path, [], "a", SCHEMA, lambda: []) == 0
    assert pq.read_table(path).schema.equals(SCHEMA)


def test_a_file_is_made_again_when_an_input_or_the_salt_changes(tmp_path: Path) -> None:
    path, source = tmp_path / "t.parquet", tmp_path / "source"
    source.write_text("one")
    cached_tables(path, [source], "a", SCHEMA, lambda: [table(1)])
    assert cached_tables(path, [source], "a", SCHEMA, never) == 1
    assert cached_table(path, [source], "a", never) == 1
    assert cached_tables(path, [source], "b", SCHEMA, lambda: [table(1, 2)]) == 2
    source.write_text("two")
    assert cached_tables(path, [source], "b", SCHEMA, lambda: [table(1, 2, 3)]) == 3


def test_tables_that_stop_halfway_leave_the_last_file(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    cached_tables(path, [], "a", SCHEMA, lambda: [table(1)])
    before = path.read_bytes()

    def broken() -> Iterator[pa.Table]:
        yield table(2)
        raise RuntimeError("the engine died")

    with pytest.raises(RuntimeError, match="the engine died"):
        cached_tables(path, [], "b", SCHEMA, broken)
    assert path.read_bytes() == before
