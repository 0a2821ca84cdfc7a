"""Changing one cell of a file changes that cell, and nothing else of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.sources.catalogue import load_catalogue
from tests.cells import Cell, change_cells

CATALOGUE = load_catalogue()


@pytest.fixture(scope="module")
def mirror(demo_world: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, whose cells these tests change."""
    return Path(shutil.copytree(demo_world(7), tmp_path_factory.mktemp("cells") / "demo"))


def test_a_csv_changes_by_one_cell(mirror: Path) -> None:
    path = mirror / "insee" / "REVN_2021.csv"
    before = path.read_bytes()
    header, line = before.split(b"\r\n")[0], before.split(b"\r\n")[2]
    column = header.decode("utf-8-sig").split(";").index("CODGEO")
    code = line.decode().split(";")[column]
    change_cells(
        mirror, CATALOGUE["insee_revn"], [(Cell("insee_revn", "insee/REVN_2021.csv", 3, "CODGEO", code), "Z" * 8)]
    )
    after = path.read_bytes()
    assert len(after) == len(before)
    assert after.replace(b"Z" * 8, code.encode(), 1) == before


def test_a_record_of_a_dbf_changes_in_place(mirror: Path) -> None:
    path = mirror / "qpv" / "QP_METROPOLE_LB93.dbf"
    before = path.read_bytes()
    first = before[int.from_bytes(before[8:10], "little") + 1 :][:8].decode()
    cell = Cell("anct_qpv_2015", "qpv/QP_METROPOLE_LB93.dbf", 1, "CODE_QP", first)
    change_cells(mirror, CATALOGUE["anct_qpv_2015"], [(cell, "QP99999Z")])
    after = path.read_bytes()
    assert [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b] != []
    assert after.replace(b"QP99999Z", first.encode(), 1) == before


def test_a_cell_that_reads_otherwise_is_refused(mirror: Path) -> None:
    cell = Cell("insee_revn", "insee/REVN_2021.csv", 2, "CODGEO", "QP035005")
    with pytest.raises(ValueError, match="the file reads"):
        change_cells(mirror, CATALOGUE["insee_revn"], [(cell, "x")])


def test_a_cell_of_a_parquet_file_keeps_the_type_of_its_column(mirror: Path) -> None:
    import pyarrow.parquet as pq

    path = next((mirror / "iris").glob("agg_iris_*.parquet"))
    before = pq.read_table(path)
    text = f"{before.column('P22_POP')[1].as_py():g}"
    cell = Cell("insee_iris_synthese", f"iris/{path.name}", 2, "P22_POP", text)
    change_cells(mirror, CATALOGUE["insee_iris_synthese"], [(cell, "7")])
    after = pq.read_table(path)
    assert after.schema == before.schema
    assert after.column("P22_POP")[1].as_py() == 7
    differing = [n for n in before.column_names if before.column(n).to_pylist() != after.column(n).to_pylist()]
    assert differing == ["P22_POP"]
