"""JSON records: literals kept, null kept apart from '', errors with a position."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dagster_project.sources.readers import ReadError, ReadResult
from tests.readers_support import cells, make_dataset, read


def read_json(tmp_path: Path, content: str | bytes, *columns: str, **more: Any) -> ReadResult:
    path = tmp_path / "records.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(make_dataset("json", columns or ("id",), **more), path)


def test_numbers_keep_their_literal(tmp_path: Path) -> None:
    content = '[{"id": 1, "m": 19875.060, "e": 1E5, "n": -0.0, "big": 123456789012345678901, "nan": NaN}]'
    result = read_json(tmp_path, content)
    assert cells(result, "id", "m", "e", "n", "big", "nan") == [
        ("1", "19875.060", "1E5", "-0.0", "123456789012345678901", "NaN")
    ]


def test_null_missing_and_empty_differ(tmp_path: Path) -> None:
    result = read_json(tmp_path, '[{"id": "a", "x": null}, {"id": "b"}, {"id": "c", "x": ""}, {"id": "d", "x": " y "}]')
    assert cells(result, "id", "x") == [("a", None), ("b", None), ("c", ""), ("d", " y ")]
    assert result.table.column("_source_row").to_pylist() == [1, 2, 3, 4]


def test_nested_values_become_json_text(tmp_path: Path) -> None:
    result = read_json(tmp_path, '[{"id": 1, "x": {"é": [1.50, "2", null, true]}, "y": [], "z": false}]')
    assert cells(result, "x", "y", "z") == [('{"é": [1.50, "2", null, true]}', "[]", "false")]


def test_columns_in_order_of_appearance_also_across_batches(tmp_path: Path) -> None:
    records = ['{"id": 1, "b": "x"}'] + ['{"id": 2}'] * 20_000 + ['{"id": 3, "late": "y"}']
    result = read_json(tmp_path, f"[{','.join(records)}]")
    assert result.table.column_names[:3] == ["id", "b", "late"]
    assert result.table.num_rows == 20_002
    assert result.table.column("late").null_count == 20_001
    assert cells(result, "id", "late")[-1] == ("3", "y")


def test_an_element_that_is_no_record_is_rejected(tmp_path: Path) -> None:
    result = read_json(tmp_path, '[{"id": 1}, 12, {"id": 2}]')
    assert cells(result, "id", "_source_row") == [("1", 1), ("2", 3)]
    assert [(reject.row, reject.content) for reject in result.rejects] == [(2, "12")]


def test_byte_order_mark_and_blanks(tmp_path: Path) -> None:
    assert cells(read_json(tmp_path, '\ufeff \n[ {"id" : "é"} ] \n'), "id") == [("é",)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('[{"id": 1}, {"id": ', "truncated"),
        ('[{"id": 1}', "truncated"),
        ('[{"id": 1},]', "after a comma"),
        ('[{"id": 1} {"id": 2}]', "expected ','"),
        ('[{"id": 1}] []', "after the end"),
        ('[{"id": 1, "id": 2}]', "'id' stands twice"),
        ('{"id": 1}', "array of records"),
        ("", "array of records"),
        ("<html>", "array of records"),
    ],
)
def test_malformed_documents(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(ReadError, match=problem):
        read_json(tmp_path, content)


def test_error_position(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="line 3, character 8"):
        read_json(tmp_path, '[\n{"id": 1},\n{"id": x}]')


def test_undecodable_byte(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"line 2, byte 9 \(0xE9\)"):
        read_json(tmp_path, b'[\n{"id":"\xe9"}]')


def test_lone_surrogate_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot be read as utf-8"):
        read_json(tmp_path, r'[{"id": "\ud800"}]')


def test_missing_column(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="looks like it: 'id_poste'"):
        read_json(tmp_path, '[{"id_poste": 1}]', "id_postes")


# --- records inside an object, and what is never kept -----------------------------------------------------------------


def test_records_may_stand_in_an_object(tmp_path: Path) -> None:
    content = '{"filtres": [{"id": "non"}], "resultats": [{"id": "a", "lieu": {"lat": 48.10}}, {"id": "b"}], "n": 2}'
    result = read_json(tmp_path, content, records="resultats")
    assert cells(result, "id", "lieu", "_source_row") == [("a", '{"lat": 48.10}', 1), ("b", None, 2)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('[{"id": 1}]', "expected an object whose 'resultats' holds the records"),
        ('{"autres": []}', "no 'resultats' in the object"),
        ('{"resultats": {"id": 1}}', "should be one array"),
        ('{"resultats": [{"id": 1}], "resultats": [{"id": 2}]}', "should be one array"),
        ('{"resultats": [{"id": 1}]', "truncated"),
        ('{"resultats": [{"id": 1}]} []', "after the end"),
    ],
)
def test_an_object_without_its_records(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(ReadError, match=problem):
        read_json(tmp_path, content, records="resultats")


def test_personal_members_never_enter_the_table(tmp_path: Path) -> None:
    content = (
        '[{"id": 1, "contact": {"nom": "Mme Fictive"}, "entreprise": {"nom": "E", "description": "Mme Fictive"}},'
        ' {"id": 2, "entreprise": null}, "Mme Fictive"]'
    )
    result = read_json(tmp_path, content, dropped_columns=["contact", "agence", "entreprise.description"])
    assert cells(result, "id", "entreprise") == [("1", '{"nom": "E"}'), ("2", None)]
    assert "contact" not in result.table.column_names
    assert [reject.content for reject in result.rejects] == ["[retiré]"]
    assert "Fictive" not in str(result.table.to_pydict())
