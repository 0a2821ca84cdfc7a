"""Parquet: any type becomes text, nulls stay nulls."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


def test_doubles_are_shortest_decimals_and_nan_is_an_empty_cell(tmp_path: Path) -> None:
    values = [0.1, 1553.91, 200073260.0, 1e10, 1.5e-7, 123456789012345680.0, -0.5, float("nan"), None]
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"code": ["x"] * len(values), "n": pa.array(values, pa.float64())}), path)
    texts = [text for (text,) in cells(read(make_dataset("parquet", ["code"]), path), "n")]
    assert texts == [
        *("0.1", "1553.91", "200073260", "10000000000", "0.00000015", "123456789012345680", "-0.5"),
        *("", None),
    ]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_double_is_found_again_from_its_text(tmp_path: Path, values: list[float]) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"code": ["x"] * len(values), "n": values}), path)
    texts = [text for (text,) in cells(read(make_dataset("parquet", ["code"]), path), "n")]
    assert [float(text) for text in texts] == values
    assert not any(set(text) & set("eE") for text in texts)


def test_rows_are_numbered_by_record_over_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"code": ["a", "b", "c"]}), path, row_group_size=1)
    assert cells(read(make_dataset("parquet", ["code"]), path), "_source_row", "code") == [
        *((1, "a"), (2, "b"), (3, "c")),
    ]
