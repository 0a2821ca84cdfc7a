"""Cells read again by the evaluator's own path: the same texts at the same rows as the readers give."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.audit.recompute.cells import FileForm, Row, read_cells
from dagster_project.release.verifier_preuve import LectureError
from dagster_project.sources.readers import ReadResult
from tests.readers_support import dbf_bytes, make_dataset, read, write_shapes


def form(kind: str = "csv", encoding: str = "utf-8", delimiter: str = ";", header_row: int = 1) -> FileForm:
    return FileForm(kind, encoding, delimiter, header_row)


def rows(data: bytes, columns: Iterable[str], how: FileForm | None = None, member: str = "table.csv") -> list[Row]:
    return list(read_cells(data, member, how or form(), list(columns)))


def as_read(result: ReadResult, columns: Iterable[str]) -> list[Row]:
    """What the product's reader found, in the same shape."""
    numbers = result.table.column("_source_row").to_pylist()
    texts = zip(*(result.table.column(name).to_pylist() for name in columns), strict=True)
    return list(zip(numbers, texts, strict=True))


def test_a_record_is_numbered_by_the_line_it_begins_on() -> None:
    data = '\ufeffCODE ;A\r\nx;1\r\ny;"deux\r\nlignes"\r\nz;3\r\n'.encode()
    assert rows(data, ["A", "CODE"]) == [(2, ("1", "x")), (3, ("deux\r\nlignes", "y")), (5, ("3", "z"))]


def test_the_header_may_come_lower_and_the_encoding_be_old() -> None:
    data = "Insee\nfait à Paris\nCODE;NOM\nx;Écart\n".encode("cp1252")
    assert rows(data, ["NOM"], form(encoding="cp1252", header_row=3)) == [(4, ("Écart",))]


def test_a_column_is_found_whatever_its_case_when_only_one_answers() -> None:
    assert rows(b"code;a\nx;1\n", ["CODE"]) == [(2, ("x",))]
    assert rows(b"code;CODE\nx;y\n", ["CODE"]) == [(2, ("y",))]
    for header in (b"a;a\nx;y\n", b"b;c\nx;y\n"):
        with pytest.raises(LectureError, match="une fois et une seule"):
            rows(header, ["A"])


def test_a_malformed_record_is_left_out_and_a_short_row_has_no_such_cell() -> None:
    assert rows(b'C;A\nx;"1" 2\ny;3\nz\n', ["A"]) == [(3, ("3",)), (4, (None,))]


def test_a_member_of_a_zip_is_read_and_a_missing_one_is_said() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("dossier/table.csv", "C;A\nx;1\n")
    assert rows(packed.getvalue(), ["A"], member="dossier/table.csv") == [(2, ("1",))]
    with pytest.raises(LectureError, match="autre"):
        rows(packed.getvalue(), ["A"], member="autre.csv")


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(LectureError, match="orc"):
        rows(b"", ["A"], form("orc"))


CELL = st.text(st.sampled_from('ab1 ,.;"\n\u00a0\u202fé'), max_size=5)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6), end=st.sampled_from(["\n", "\r\n"]))
def test_csv_cells_are_those_of_the_reader(tmp_path: Path, table: list[tuple[str, str]], end: str) -> None:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if set(cell) & set('";\n') else cell

    lines = ["K;A;B", *(f"k{i};{quoted(a)};{quoted(b)}" for i, (a, b) in enumerate(table))]
    data = (end.join(lines) + end).encode()
    path = tmp_path / "table.csv"
    path.write_bytes(data)
    columns = ["K", "A", "B"]
    assert rows(data, columns) == as_read(read(make_dataset("csv", ["K"]), path), columns)


def test_workbook_cells_are_those_of_the_reader(tmp_path: Path) -> None:
    import datetime as dt

    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = "Feuille 1"
    for line in (
        ["titre"],
        ["CODE", "N"],
        ["01053", 1053],
        ["x", 12.5],
        ["y", True],
        ["z", dt.datetime.fromisoformat("2026-01-02")],
    ):
        sheet.append(line)
    path = tmp_path / "table.xlsx"
    book.save(path)
    dataset = make_dataset("xlsx", ["CODE"], header_row=2)
    found = rows(path.read_bytes(), ["CODE", "N"], form("xlsx", header_row=2), "table.xlsx#Feuille 1")
    assert found == as_read(read(dataset, path), ["CODE", "N"])
    assert found[:2] == [(3, ("01053", "1053")), (4, ("x", "12.5"))]
    with pytest.raises(LectureError, match="Feuille 2"):
        rows(path.read_bytes(), ["N"], form("xlsx"), "table.xlsx#Feuille 2")


def test_attributes_of_a_shapefile_are_those_of_the_reader(tmp_path: Path) -> None:
    shapes = write_shapes(tmp_path, ["POLYGON ((700000 6600000, 700010 6600000, 700010 6600010, 700000 6600000))"] * 3)
    data = dbf_bytes(
        [("CODE", "C", 8), ("POP", "N", 6)], [[b"OLD", b"1"], [b"QP1", b"12"], ["É".encode("cp1252"), b"3"]], deleted=1
    )
    path = shapes.with_suffix(".dbf")
    path.write_bytes(data)
    file = {"name": "zones", "live": {"note": "test"}, "crs": "EPSG:2154"}
    dataset = make_dataset("shapefile", ["CODE"], encoding="cp1252", files=[file])
    found = rows(data, ["CODE", "POP"], form("shapefile", "cp1252"), "zones.dbf")
    assert found == as_read(read(dataset, shapes, shapes.with_suffix(".shx"), path), ["CODE", "POP"])
    assert found == [(2, ("QP1", "12")), (3, ("É", "3"))]
    with pytest.raises(LectureError, match="tronquée"):
        rows(data[:-20], ["POP"], form("shapefile", "cp1252"), "zones.dbf")


@pytest.mark.parametrize("kind", ["json", "geojson"])
def test_json_cells_are_those_of_the_reader(tmp_path: Path, kind: str) -> None:
    records = [{"code": "1", "n": 1, "v": None}, {"code": "2", "n": [1, {"a": "é", "b": True}]}]
    text = json.dumps(records, ensure_ascii=False).replace('"n": 1,', '"n": 1.50e1,')
    if kind == "geojson":
        shape = '{"type": "Point", "coordinates": [2, 47]}'
        features = [
            f'{{"type": "Feature", "id": {i}, "properties": {json.dumps(record, ensure_ascii=False)}, '
            f'"geometry": {shape}}}'.replace('"n": 1,', '"n": 1.50e1,')
            for i, record in enumerate(records)
        ]
        text = f'{{"type": "FeatureCollection", "features": [{", ".join(features)}]}}'
    path = tmp_path / f"table.{kind}"
    path.write_text(text, encoding="utf-8")
    more = {"files": [{"name": "t", "live": {"note": "test"}, "crs": "OGC:CRS84"}]} if kind == "geojson" else {}
    found = rows(path.read_bytes(), ["code", "n"], form(kind), path.name)
    assert found == as_read(read(make_dataset(kind, ["code"], **more), path), ["code", "n"])
    assert found[0] == (1, ("1", "1.50e1"))


def test_bytes_that_are_not_what_they_should_be_are_said() -> None:
    for kind in ("json", "geojson"):
        with pytest.raises(LectureError, match=kind):
            rows(b"[{", ["a"], form(kind))
    with pytest.raises(LectureError, match="GeoJSON"):
        rows(b"{}", ["a"], form("geojson"))


def test_parquet_cells_are_those_of_the_reader(tmp_path: Path) -> None:
    import datetime as dt

    table = pa.table(
        {
            "Code": ["010010000", "2A0040101", "é"],
            "n": pa.array([1, None, 3], pa.int32()),
            "ok": [True, False, None],
            "jour": [dt.date(2021, 1, 2), None, dt.date(2021, 1, 3)],
            "cat": pa.array(["x", "y", "x"]).dictionary_encode(),
            "simple": pa.array([1.1, 16777216.0, None], pa.float32()),
        }
    )
    path = tmp_path / "table.parquet"
    pq.write_table(table, path, row_group_size=2)
    columns = ["Code", "n", "ok", "jour", "cat", "simple"]
    found = rows(path.read_bytes(), columns, form("parquet"), path.name)
    assert found == as_read(read(make_dataset("parquet", ["code"]), path), columns)
    assert found[0] == (1, ("010010000", "1", "true", "2021-01-02", "x", "1.1"))
    assert rows(path.read_bytes(), ["CODE"], form("parquet"), path.name)[1] == (2, ("2A0040101",))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=8))
def test_numbers_of_a_parquet_file_are_written_as_the_reader_writes_them(
    tmp_path: Path, values: list[float | None]
) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"code": ["x"] * len(values), "n": pa.array(values, pa.float64())}), path)
    found = rows(path.read_bytes(), ["n"], form("parquet"), path.name)
    assert found == as_read(read(make_dataset("parquet", ["code"]), path), ["n"])


def test_a_parquet_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"code": ["x"], "liste": [[1]]}), path)
    with pytest.raises(LectureError, match="liste"):
        rows(path.read_bytes(), ["liste"], form("parquet"), path.name)
    with pytest.raises(LectureError, match="une fois et une seule"):
        rows(path.read_bytes(), ["autre"], form("parquet"), path.name)
    with pytest.raises(LectureError, match="parquet"):
        rows(b"PAR1 tronque", ["code"], form("parquet"), path.name)
