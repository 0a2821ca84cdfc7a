"""Parquet: any type becomes text, nulls stay nulls."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.sources.readers import ReadError
from tests.readers_support import cells, make_dataset, read


def test_types_become_text(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    table = pa.table(
        {
            "code": ["01001", "2A004"],
            "n": pa.array([1, None], pa.int32()),
            "taux": [46.8, 3.0],
            "ok": [True, False],
            "jour": [dt.date(2021, 1, 2), None],
            "cat": pa.array(["x", "y"]).dictionary_encode(),
            "liste": [["é"], []],
            "octets": [b"\x01\xff", None],
        }
    )
    pq.write_table(table, path)
    result = read(make_dataset("parquet", ["code"]), path)
    names = ("code", "n", "taux", "ok", "jour", "cat", "liste", "octets", "_source_row")
    assert cells(result, *names) == [
        ("01001", "1", "46.8", "true", "2021-01-02", "x", '["é"]', "01ff", 1),
        ("2A004", None, "3", "false", None, "y", "[]", None, 2),
    ]


def test_not_parquet(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    path.write_bytes(b"PAR1 but not really")
    with pytest.raises(ReadError, match="not a readable Parquet file"):
        read(make_dataset("parquet", ["code"]), path)


def test_missing_column(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"codes": ["1"]}), path)
    with pytest.raises(ReadError, match="looks like it: 'codes'"):
        read(make_dataset("parquet", ["code"]), path)
