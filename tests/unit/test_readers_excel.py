"""Excel: sheet rows, numbers as they read in a sheet, clear errors on the wrong sheet."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from dagster_project.sources.readers import ReadError
from dagster_project.sources.readers.excel import as_text
from tests.readers_support import cells, make_dataset, read


def workbook(tmp_path: Path, rows: list[list[Any]], title: str = "Feuille", first_row: int = 1) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for offset, row in enumerate(rows):
        for column, value in enumerate(row, start=1):
            sheet.cell(first_row + offset, column, value)
    path = tmp_path / "classeur.xlsx"
    book.save(path)
    return path


def test_cells_and_addresses(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["dept", " siren\u00a0", "nom"], ["01", 200990001.0, "CC d'Essai "], ["2A", 1053, None]])
    result = read(make_dataset("xlsx", ["siren", "dept"]), path)
    assert cells(result, "dept", "siren", "nom", "_source_row") == [
        ("01", "200990001", "CC d'Essai ", 2),
        ("2A", "1053", "", 3),
    ]
    assert result.header == ("dept", " siren\u00a0", "nom")
    assert set(result.table.column("_source_member").to_pylist()) == {"classeur.xlsx#Feuille"}


def test_header_below_a_title_and_blank_rows(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["Titre"], [], ["code", "x"], ["A", 1.5], [], ["B", 2]], first_row=3)
    result = read(make_dataset("xlsx", ["code"], header_row=5), path)
    assert cells(result, "code", "x", "_source_row") == [("A", "1.5", 6), ("B", "2", 8)]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (1053.0, "1053"),
        (-9.3, "-9.3"),
        (1e18, "1000000000000000000"),
        (0.0, "0"),
        ("01001", "01001"),
        (" ns ", " ns "),
        (True, "TRUE"),
        (dt.date(2024, 1, 2), "2024-01-02"),
        (dt.datetime.fromisoformat("2024-01-02T03:04"), "2024-01-02 03:04:00"),
        ("", ""),
    ],
)
def test_as_text(cell: Any, text: str) -> None:
    assert as_text(cell) == text


def test_unnamed_columns(tmp_path: Path) -> None:
    dataset = make_dataset("xlsx", ["code"])
    path = workbook(tmp_path, [["code", None, "x", None], ["A", None, 1, None]])
    assert cells(read(dataset, path), "code", "x") == [("A", "1")]
    path = workbook(tmp_path, [["code", None], ["A", None], ["B", "note"]])
    with pytest.raises(ReadError, match=r"row 3: column 2 .*'note'"):
        read(dataset, path)


def test_wrong_sheet_lists_those_that_exist(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["code"], ["A"]], title="Epci2024")
    assert cells(read(make_dataset("xlsx", ["code"], sheet="Epci2024"), path), "code") == [("A",)]
    with pytest.raises(ReadError, match=r"no sheet 'Epci2023'.*\['Epci2024'\]"):
        read(make_dataset("xlsx", ["code"], sheet="Epci2023"), path)


def test_several_sheets_need_a_choice(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["code"], ["A"]])
    book = openpyxl.load_workbook(path)
    book.create_sheet("Notes")
    book.save(path)
    with pytest.raises(ReadError, match="Set `sheet`"):
        read(make_dataset("xlsx", ["code"]), path)


def test_not_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "classeur.xlsx"
    path.write_bytes(b"<html>Service indisponible</html>")
    with pytest.raises(ReadError, match="not a readable Excel workbook"):
        read(make_dataset("xlsx", ["code"]), path)


def test_missing_column_and_missing_header(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["siren_2023"], ["A"]])
    with pytest.raises(ReadError, match="looks like it: 'siren_2023'"):
        read(make_dataset("xlsx", ["siren_2024"]), path)
    with pytest.raises(ReadError, match="ends before row 9"):
        read(make_dataset("xlsx", ["siren_2023"], header_row=9), path)
