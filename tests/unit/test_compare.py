"""Two releases compared: every file that differs is named, and of a table the first row and column."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest

from dagster_project.audit.byte_comparison import Difference, compare_releases, compare_tables
from dagster_project.release.errors import ReleaseError
from dagster_project.release.sums import SUMS, read_sums

COLUMNS = "zone_code varchar, vintage varchar, value double, status varchar, run_id varchar"
ROWS = [
    ("QP096001", "2020", 1.5, "publie", "a"),
    ("QP096001", "2021", None, "secret", "a"),
    ("QP096002", "2021", float("nan"), "publie", "a"),
    ("QP096003", "2021", 4.0, "publie", "a"),
]
Rows = list[tuple[object, ...]]


def table(path: Path, rows: Rows, columns: str = COLUMNS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as db:
        db.execute(f"create table t ({columns})")
        if rows:
            db.executemany(f"insert into t values ({', '.join('?' * len(rows[0]))})", rows)
        db.execute(f"copy t to '{path}' (format parquet)")
    return path


def with_cell(row: int, column: int, cell: object) -> Rows:
    changed = [list(cells) for cells in ROWS]
    changed[row][column] = cell
    return [tuple(cells) for cells in changed]


def compared(folder: Path, made: Rows, original: Rows | None = None, columns: str = COLUMNS) -> Difference:
    rows = list(ROWS) if original is None else original
    return compare_tables(
        table(folder / "o" / "t.parquet", rows, columns), table(folder / "m" / "t.parquet", made, columns)
    )


def test_the_first_cell_that_differs_is_named_with_its_key_and_both_values(tmp_path: Path) -> None:
    made = with_cell(3, 2, 4.000000000000001)
    made[1] = ("QP096001", "2021", 0.0, "publie", "a")
    found = compared(tmp_path, made[::-1])
    assert (found.key, found.column) == ((("zone_code", "QP096001"), ("vintage", "2021")), "value")
    assert str(found) == "t.parquet at zone_code=QP096001, vintage=2021, column value: null expected, 0.0 made"


def test_the_last_digit_counts(tmp_path: Path) -> None:
    found = compared(tmp_path, with_cell(3, 2, 4.000000000000001))
    assert (found.column, found.what) == ("value", "4.0 expected, 4.000000000000001 made")


def test_rows_gained_and_lost_are_named_by_their_key(tmp_path: Path) -> None:
    assert compared(tmp_path, ROWS[1:]).what == "row missing"
    gained = compared(tmp_path, [*ROWS, ("QP095999", "2021", 1.0, "publie", "a")])
    assert (gained.what, gained.key[0]) == ("row not in the original", ("zone_code", "QP095999"))


def test_the_build_is_looked_at_only_when_figures_agree(tmp_path: Path) -> None:
    other_build = [(*row[:-1], "b") for row in ROWS]
    assert compared(tmp_path, other_build).column == "run_id"
    changed = [(*row[:-1], "b") for row in with_cell(2, 3, "estime")]
    found = compared(tmp_path, changed)
    assert (found.key[0], found.column) == (("zone_code", "QP096002"), "status")


def test_columns_gained_lost_and_retyped_are_said(tmp_path: Path) -> None:
    original = table(tmp_path / "o" / "t.parquet", [("a", 1, 2)], "code varchar, value integer, gone integer")
    made = table(tmp_path / "m" / "t.parquet", [("a", 1.0, 2)], "code varchar, value double, new integer")
    said = "lacks columns gone; adds columns new; other types: value (INTEGER → DOUBLE)"
    assert compare_tables(original, made) == Difference("t.parquet", said)


def test_the_same_rows_in_another_order_are_said_to_be_that(tmp_path: Path) -> None:
    assert compared(tmp_path, ROWS[::-1]).what == "same rows, written in another order or by another writer"


def test_a_key_that_does_not_stand_first_is_found_and_holds_nothing_more(tmp_path: Path) -> None:
    columns = "zone_code varchar, value double, unit varchar, level varchar, other double"
    rows: Rows = [("QP096001", 1.0, "%", "COM", 5.0), ("QP096001", 1.0, "%", "DEP", 6.0)]
    made: Rows = [(zone, 2.0, unit, level, other) for zone, _, unit, level, other in rows]
    found = compared(tmp_path, made, rows, columns)
    assert (found.key, found.column) == ((("level", "COM"),), "value")


def test_rows_without_a_key_are_counted(tmp_path: Path) -> None:
    twice = [ROWS[0], ROWS[0], ROWS[3]]
    found = compared(tmp_path, [ROWS[0], ROWS[3], ROWS[3]], twice)
    assert (found.what, found.key[0]) == ("row missing", ("zone_code", "QP096001"))
    assert compared(tmp_path, twice, twice[:2]).what == "row not in the original"
    assert compared(tmp_path, twice[::-1], twice).what.startswith("same rows")


@pytest.mark.parametrize("column", [2, 3])
@pytest.mark.parametrize("row", range(len(ROWS)))
def test_one_changed_cell_is_found_wherever_it_is(tmp_path: Path, row: int, column: int) -> None:
    made = with_cell(row, column, 7.25 if column == 2 else "absent")
    found = compared(tmp_path, made)
    assert found.key == (("zone_code", ROWS[row][0]), ("vintage", ROWS[row][1]))
    assert found.column == ("value", "status")[column - 2]


def release(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    names = sorted(path.name for path in folder.iterdir() if path.name != SUMS)
    sums = (f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    (folder / SUMS).write_text("".join(sums), encoding="utf-8")
    return folder / SUMS


def test_files_are_compared_by_their_sums_tables_first(tmp_path: Path) -> None:
    table(tmp_path / "o" / "z.parquet", list(ROWS))
    table(tmp_path / "m" / "z.parquet", with_cell(0, 2, 2.5))
    sums = release(tmp_path / "o", {"a.csv": b"1", "same.txt": b"=", "gone.txt": b"x"})
    release(tmp_path / "m", {"a.csv": b"2", "same.txt": b"=", "new.txt": b"y"})
    found = compare_releases(sums, tmp_path / "m")
    assert [difference.file for difference in found] == ["z.parquet", "a.csv", "gone.txt", "new.txt"]
    assert [difference.what for difference in found[2:]] == ["missing from the release made", "not in the original"]
    assert found[0].column == "value"
    assert compare_releases(sums, tmp_path / "o") == []


def test_with_sums_alone_the_table_is_named(tmp_path: Path) -> None:
    table(tmp_path / "o" / "z.parquet", list(ROWS))
    table(tmp_path / "m" / "z.parquet", list(ROWS[1:]))
    sums = release(tmp_path / "o", {})
    release(tmp_path / "m", {})
    (tmp_path / "o" / "z.parquet").unlink()
    (found,) = compare_releases(sums, tmp_path / "m")
    assert found.file == "z.parquet"
    assert found.what.endswith("… made")


def test_an_original_that_was_altered_is_no_measure(tmp_path: Path) -> None:
    sums = release(tmp_path / "o", {"a.csv": b"1"})
    release(tmp_path / "m", {"a.csv": b"2"})
    (tmp_path / "o" / "a.csv").write_bytes(b"3")
    (found,) = compare_releases(sums, tmp_path / "m")
    assert "no longer has the digest of its SHA256SUMS" in found.what


def test_sums_that_cannot_be_read_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / SUMS
    path.write_text(f"{'0' * 64}  a.csv\nnothing\n", encoding="utf-8")
    with pytest.raises(ReleaseError, match="line 2: expected a SHA-256"):
        read_sums(path)
