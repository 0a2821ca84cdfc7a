"""CSV: what stands in the file is what stands in the table, or an error says where it does not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.sources.catalogue import Dataset
from dagster_project.sources.readers import LINEAGE_COLUMNS, ReadError, ReadResult
from dagster_project.sources.readers import csv as csv_reader
from dagster_project.sources.readers.base import Part, Source
from tests.readers_support import archived, cells, make_dataset, read


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read_text(tmp_path: Path, content: str | bytes, columns: tuple[str, ...] = ("CODE",), **more: Any) -> ReadResult:
    return read(make_dataset("csv", columns, **more), write(tmp_path, content))


def test_insee_layout_is_kept_verbatim(tmp_path: Path) -> None:
    content = "\ufeffCODE;POP ;\u00a0TAUX;;;\r\nQP096001;1\u202f234; 12,5;;;\r\nEnsemble;7\u00a0000;;;;\r\n"
    result = read_text(tmp_path, content, ("CODE", "POP", "TAUX"))
    assert result.table.column_names == ["CODE", "POP", "TAUX", *LINEAGE_COLUMNS]
    assert cells(result, "CODE", "POP", "TAUX") == [("QP096001", "1\u202f234", " 12,5"), ("Ensemble", "7\u00a0000", "")]
    assert result.header == ("CODE", "POP ", "\u00a0TAUX")
    assert result.rejects == []


def test_lineage_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "CODE;A\n1;x\n2;y\n")
    table = read(make_dataset("csv", ["CODE"]), path).table
    assert table.column("_source_row").to_pylist() == [2, 3]
    assert set(table.column("_source_sha256").to_pylist()) == {archived(path).sha256}
    assert set(table.column("_source_member").to_pylist()) == {"table.csv"}
    assert set(table.column("_vintage").to_pylist()) == {"2021"}
    assert {str(table.schema.field(name).type) for name in ("CODE", "A")} == {"string"}


def test_empty_cell_is_not_null(tmp_path: Path) -> None:
    for content in ("CODE;A\n1;\n", 'CODE;A\n"1";\n'):
        assert read_text(tmp_path, content).table.column("A").null_count == 0


def test_values_that_look_like_null_or_numbers_stay_text(tmp_path: Path) -> None:
    result = read_text(tmp_path, "CODE;A\n01001;NA\n2A004;null\n1e5;true\n")
    assert cells(result, "CODE", "A") == [("01001", "NA"), ("2A004", "null"), ("1e5", "true")]


def test_quotes_and_line_breaks_inside_cells(tmp_path: Path) -> None:
    content = 'CODE,NOM\r\n1,"a, ""b"""\r\n2,"deux\r\nlignes"\r\n3,c\r\n'
    result = read_text(tmp_path, content, delimiter=",")
    assert cells(result, "CODE", "NOM", "_source_row") == [
        ("1", 'a, "b"', 2),
        ("2", "deux\r\nlignes", 3),
        ("3", "c", 5),
    ]


def test_blank_lines_and_lines_of_separators_are_not_rows(tmp_path: Path) -> None:
    for quote in ("", '"'):
        content = f"CODE;A\n{quote}1{quote};x\n\n;y\n;\n2;z\n\n"
        assert cells(read_text(tmp_path, content), "CODE", "A", "_source_row") == [
            ("1", "x", 2),
            ("", "y", 4),
            ("2", "z", 6),
        ]


def test_last_line_without_line_end(tmp_path: Path) -> None:
    assert cells(read_text(tmp_path, "CODE;A\n1;x\n2;y"), "CODE") == [("1",), ("2",)]


def test_header_below_a_title(tmp_path: Path) -> None:
    result = read_text(tmp_path, "Titre du fichier\n\nCODE;A\n1;x\n", header_row=3)
    assert cells(result, "CODE", "_source_row") == [("1", 4)]


def test_cp1252(tmp_path: Path) -> None:
    for content in ("CODE;LIBELLÉ\n1;Chênes – Œillets\n", 'CODE;LIBELLÉ\n1;"Chênes – Œillets"\n'):
        result = read_text(tmp_path, content.encode("cp1252"), encoding="cp1252")
        assert cells(result, "LIBELLÉ") == [("Chênes – Œillets",)]


def test_unusual_separators_inside_cells_do_not_cut_lines(tmp_path: Path) -> None:
    value = "a\u2028b\x0bc\x85d\x1ce"
    for quote in ("", '"'):
        assert cells(read_text(tmp_path, f"CODE;A\n1;{quote}{value}{quote}\n2;x\n"), "A") == [(value,), ("x",)]


def test_rows_with_too_few_cells_are_rejected_with_line_and_column(tmp_path: Path) -> None:
    result = read_text(tmp_path, "CODE;A;B\n1;x;y\n2;x\n3;x;y\n")
    assert cells(result, "CODE") == [("1",), ("3",)]
    [reject] = result.rejects
    assert (reject.row, reject.content) == (3, "2;x")
    assert "2 cellules au lieu de 3" in reject.reason
    assert reject.reason.endswith("B")


def test_rows_with_content_beyond_the_last_column_are_rejected(tmp_path: Path) -> None:
    result = read_text(tmp_path, "CODE;A\n1;x\n2;x;trop\n3;x;;;\n")
    assert cells(result, "CODE") == [("1",), ("3",)]
    assert [reject.row for reject in result.rejects] == [3]


def test_rows_may_lack_only_unnamed_columns(tmp_path: Path) -> None:
    assert cells(read_text(tmp_path, "CODE;A;;\n1;x;;\n2;y\n"), "CODE", "A") == [("1", "x"), ("2", "y")]


@pytest.mark.parametrize("quote", ["", '"'])
def test_undecodable_rows_are_rejected_with_line_column_and_byte(tmp_path: Path, quote: str) -> None:
    content = f"CODE;NOM\n1;{quote}Étang{quote}\n2;".encode() + b"For\xeat\n3;fin\n"
    result = read_text(tmp_path, content)
    assert cells(result, "CODE", "NOM") == [("1", "Étang"), ("3", "fin")]
    [reject] = result.rejects
    assert reject.row == 3
    assert all(text in reject.reason for text in ("0xEA", "NOM", "utf-8"))
    assert reject.content == r"2;For\udceat"


def test_undecodable_byte_of_a_one_byte_encoding(tmp_path: Path) -> None:
    result = read_text(tmp_path, b"CODE;NOM\n1;\x81\n2;ok\n", encoding="cp1252")
    assert [reject.row for reject in result.rejects] == [2]
    assert cells(result, "NOM") == [("ok",)]


def test_an_unclosed_quote_counts_every_line_it_swallows(tmp_path: Path) -> None:
    result = read_text(tmp_path, 'CODE;A\n1;x\n2;"y\n3;z\n4;z\n')
    assert cells(result, "CODE") == [("1",)]
    assert [reject.row for reject in result.rejects] == [3, 4, 5]
    assert all("ligne 3" in reject.reason for reject in result.rejects)


def test_text_after_a_closing_quote_rejects_that_row_only(tmp_path: Path) -> None:
    result = read_text(tmp_path, 'CODE;A\n1;"x"y\n2;z\n')
    assert cells(result, "CODE") == [("2",)]
    assert [(reject.row, reject.content) for reject in result.rejects] == [(2, '1;"x"y')]


def test_unnamed_column_with_data_names_the_first_line(tmp_path: Path) -> None:
    for content in ("CODE;A;;\n1;x;;\n2;x;;oups\n", 'CODE;A;;\n"1";x;;\n2;x;;oups\n'):
        with pytest.raises(ReadError, match=r"line 3: column 4 has no name.*'oups'"):
            read_text(tmp_path, content)


def test_unnamed_column_in_the_middle_without_data_is_dropped(tmp_path: Path) -> None:
    for quote in ("", '"'):
        result = read_text(tmp_path, f"CODE;;A\n1;;{quote}x{quote}\n")
        assert cells(result, "CODE", "A") == [("1", "x")]


@pytest.mark.parametrize("header", ["CODE;A;A", "CODE;A;\u00a0A ", "CODE;a;A"])
def test_duplicated_column_names_are_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(ReadError, match="stands twice"):
        read_text(tmp_path, f"{header}\n1;2;3\n")


def test_reserved_column_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="reserved"):
        read_text(tmp_path, "CODE;_vintage\n1;2\n")


def test_missing_catalogue_column_says_what_looks_like_it_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ReadError) as caught:
        read_text(tmp_path, "CODE;DISP_MED_A18\n1;2\n", ("CODE", "DISP_MED_A17"))
    message = str(caught.value)
    assert "essai_table 2021, table.csv" in message
    assert "expected 'DISP_MED_A17'" in message
    assert "looks like it: 'DISP_MED_A18'" in message
    assert all(advice in message for advice in ("columns_absent", "variable_column"))


def test_missing_column_declared_absent_is_accepted(tmp_path: Path) -> None:
    result = read_text(tmp_path, "CODE;A\n1;2\n", ("CODE", "B"), columns_absent=["B"])
    assert cells(result, "CODE") == [("1",)]


def test_case_of_a_column_may_change(tmp_path: Path) -> None:
    assert read_text(tmp_path, "code;a\n1;2\n", ("CODE", "A")).header == ("code", "a")


@pytest.mark.parametrize("content", ["", "\n", ";;\n1;2;3\n"])
def test_no_header(tmp_path: Path, content: str) -> None:
    with pytest.raises(ReadError):
        read_text(tmp_path, content)


def test_header_row_beyond_the_end(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="line 5"):
        read_text(tmp_path, "CODE;A\n1;2\n", header_row=5)


def test_undecodable_header(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"line 1: byte 0xC9"):
        read_text(tmp_path, "CODE;LIBELLÉ\n1;2\n".encode("cp1252"))


def test_unknown_encoding(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="unknown encoding"):
        read_text(tmp_path, "CODE\n1\n", encoding="ansi-fr")


def test_header_only_gives_no_rows(tmp_path: Path) -> None:
    assert read_text(tmp_path, "CODE;A\n").table.num_rows == 0


def test_more_rows_than_a_batch(tmp_path: Path) -> None:
    content = 'CODE;A\n"0";x\n' + "".join(f"{i};x\n" for i in range(1, 45_000))
    result = read_text(tmp_path, content)
    assert result.table.num_rows == 45_000
    assert cells(result, "CODE", "_source_row")[44_999] == ("44999", 45_001)


def test_a_contour_written_in_a_cell_is_not_too_long(tmp_path: Path) -> None:
    contour = "1 2," * 100_000
    assert cells(read_text(tmp_path, f'CODE;A\n1;"{contour}"\n'), "A") == [(contour,)]


def source_of(dataset: Dataset, path: Path) -> Source:
    vintage = dataset.vintages[0]
    return Source(dataset, vintage, vintage.files[0], (Part(path, "0" * 64, path.name),))


CELL = st.text(st.characters(exclude_characters='";\r\n\x00', exclude_categories=["Cs"]), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8), end=st.sampled_from(["\n", "\r\n"]))
def test_both_ways_of_reading_agree(tmp_path: Path, rows: list[tuple[str, str, str]], end: str) -> None:
    dataset = make_dataset("csv", ["CODE"])
    lines = ["CODE;A;B", *(";".join(row) for row in rows)]
    path = write(tmp_path, end.join(lines) + end)
    fast, careful = csv_reader.read_regular(source_of(dataset, path)), csv_reader.read_any(source_of(dataset, path))
    assert fast is not None
    assert fast.rows.tolist() == careful.rows.tolist()
    assert {n: c.to_pylist() for n, c in fast.columns.items()} == {n: c.to_pylist() for n, c in careful.columns.items()}
    assert careful.rejects == []


def test_reading_a_regular_file_does_not_import_pandas(tmp_path: Path) -> None:
    import subprocess

    path = write(tmp_path, "CODE;A\n1;x\n")
    code = (
        "import sys; from pathlib import Path; from tests.readers_support import make_dataset, read; "
        f"read(make_dataset('csv', ['CODE']), Path({str(path)!r})); sys.exit('pandas' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@pytest.mark.parametrize("row", ["1;Mme Fictive;x", '1;"Mme Fictive";x'])
def test_dropped_columns_never_enter_the_table_nor_the_rejects(tmp_path: Path, row: str) -> None:
    result = read_text(tmp_path, f"CODE;Contact;A\n{row}\n2;Mme Fictive\n", dropped_columns=["contact"])
    assert result.table.column_names == ["CODE", "A", *LINEAGE_COLUMNS]
    assert cells(result, "CODE", "A") == [("1", "x")]
    assert [reject.content for reject in result.rejects] == ["[retiré]"]
