"""Rows that a dbt test finds are shown in an order of their own, whatever order the query gives them in."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.release.report import FAILING_ROWS_SHOWN, failing_rows

TEST = {"original_file_path": "models/marts.yml", "path": "cle_unique.sql"}


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_the_first_rows_are_the_same_in_any_order(tmp_path: Path, order: str) -> None:
    compiled = tmp_path / "compiled" / "data_et_quartiers" / TEST["original_file_path"] / TEST["path"]
    compiled.parent.mkdir(parents=True)
    compiled.write_text(
        f"select 'QP' || n as zone_code from range(100, 200) as t(n) order by n {order}", encoding="utf-8"
    )
    with duckdb.connect() as connection:
        rows = failing_rows(connection, tmp_path, TEST)
    assert rows == [{"zone_code": f"QP{n}"} for n in range(100, 100 + FAILING_ROWS_SHOWN)]


def test_a_test_that_did_not_compile_has_no_rows(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        assert failing_rows(connection, tmp_path, TEST) == []
        assert failing_rows(connection, tmp_path, {}) == []
