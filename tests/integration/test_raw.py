"""Raw tables, through the real fetch path, on a small folder mirror written here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from dagster_project.settings import Settings
from dagster_project.sources.catalogue import Dataset
from dagster_project.sources.http import FetchError
from dagster_project.sources.raw import RAW_VALIDATION_NAMES, RawError, RawResult, build_raw
from dagster_project.sources.validation import VALIDATION_NAMES
from tests.readers_support import make_dataset, make_file


def vintage(year: str, *names: str, absent: tuple[str, ...] = ()) -> dict[str, Any]:
    files = [make_file(name, mirror={"paths": [f"essai/{name}.csv"], "copy_of": "producer_bytes"}) for name in names]
    return {"vintage": year, "files": files, "columns_absent": list(absent)}


def two_vintages(**more: Any) -> Dataset:
    vintages = [vintage("2019", "T_2019", absent=("NOUVEAU",)), vintage("2018", "T_2018", absent=("NOUVEAU",))]
    return make_dataset("csv", ["CODGEO", "NOUVEAU"], vintages=vintages, **more)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    (folder / "essai").mkdir(parents=True)
    (folder / "essai" / "T_2018.csv").write_text(
        "codgeo;pop;;\r\nQP096002;1\u202f234;;\r\nQP096001;;;\r\n", encoding="utf-8"
    )
    (folder / "essai" / "T_2019.csv").write_text(
        'CODGEO,TX,POP\r\nQP096001,"12,5",7\r\n'.replace(",", ";"), encoding="utf-8"
    )
    return folder


@pytest.fixture
def on_mirror(tmp_path: Path, mirror: Path) -> Settings:
    return Settings(home=tmp_path / "home", sources="mirror", mirror=str(mirror))


def contents(settings: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(settings.raw_dir.iterdir())}


def check(result: RawResult | RawError, name: str) -> list[tuple[str, bool]]:
    return [(where, v.passed) for where, v in result.validations if v.name == name]


def test_vintages_are_united_by_name_in_order(on_mirror: Settings) -> None:
    result = build_raw(two_vintages(), on_mirror)
    table = pq.read_table(result.path)
    assert table.column_names == ["CODGEO", "POP", "TX", "_vintage", "_source_sha256", "_source_member", "_source_row"]
    assert table.select(["_vintage", "CODGEO", "POP", "TX", "_source_member", "_source_row"]).to_pydict() == {
        "_vintage": ["2018", "2018", "2019"],
        "CODGEO": ["QP096002", "QP096001", "QP096001"],
        "POP": ["1\u202f234", "", "7"],
        "TX": [None, None, "12;5"],
        "_source_member": ["T_2018.csv", "T_2018.csv", "T_2019.csv"],
        "_source_row": [2, 3, 2],
    }
    assert (result.rows, result.rejects, result.vintages) == (3, 0, {"2018": 2, "2019": 1})
    assert (result.changed, result.origin, result.columns) == (True, "real", table.column_names)


def test_names_read_the_same_in_sql(on_mirror: Settings) -> None:
    result = build_raw(two_vintages(), on_mirror)
    found = duckdb.sql(
        f"select codgeo, _vintage from '{result.path}' where \"CODGEO\" = 'QP096001' order by 2"
    ).fetchall()
    assert found == [("QP096001", "2018"), ("QP096001", "2019")]


def test_manifest_tells_what_was_received(on_mirror: Settings) -> None:
    result = build_raw(two_vintages(), on_mirror)
    manifest = json.loads((on_mirror.raw_dir / "essai_table.json").read_text(encoding="utf-8"))
    assert manifest["origin"] == "real"
    assert manifest["data_version"] == result.data_version
    assert [(f["vintage"], f["file"], f["header"], f["rows"]) for f in manifest["files"]] == [
        ("2018", "T_2018", ["codgeo", "pop"], 2),
        ("2019", "T_2019", ["CODGEO", "TX", "POP"], 1),
    ]
    assert manifest["files"][0]["parts"][0]["key"] == "essai_table/2018/T_2018"


def test_every_check_is_reported_once_per_file(on_mirror: Settings) -> None:
    result = build_raw(two_vintages(), on_mirror)
    names = [name for _, name in sorted({(RAW_VALIDATION_NAMES.index(v.name), v.name) for _, v in result.validations})]
    assert tuple(names) == RAW_VALIDATION_NAMES
    for name in VALIDATION_NAMES:
        assert [where for where, _ in check(result, name)] == ["T_2018", "T_2019"]
    assert check(result, "nombre_lignes") == [("2018", True), ("2019", True)]
    assert check(result, "lignes_rejetees") == [("essai_table", True)]


def test_unchanged_bytes_are_not_read_again(on_mirror: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_raw(two_vintages(), on_mirror)
    before = {path.name: path.stat().st_mtime_ns for path in on_mirror.raw_dir.iterdir()}
    monkeypatch.setattr("dagster_project.sources.raw.read_file", None)
    said: list[str] = []
    second = build_raw(two_vintages(), on_mirror, progress=said.append)
    assert not second.changed
    assert (second.data_version, second.rows, second.validations) == (first.data_version, first.rows, first.validations)
    assert {path.name: path.stat().st_mtime_ns for path in on_mirror.raw_dir.iterdir()} == before
    assert said[-1] == "essai_table: unchanged, 3 rows"


def test_damaged_output_is_rebuilt_with_the_same_bytes(on_mirror: Settings) -> None:
    result = build_raw(two_vintages(), on_mirror)
    expected = result.path.read_bytes()
    result.path.write_bytes(expected[:-1])
    again = build_raw(two_vintages(), on_mirror)
    assert (again.changed, again.data_version) == (True, result.data_version)
    assert result.path.read_bytes() == expected


def test_unreadable_manifest_means_rebuild(on_mirror: Settings) -> None:
    build_raw(two_vintages(), on_mirror)
    (on_mirror.raw_dir / "essai_table.json").write_text("{", encoding="utf-8")
    assert build_raw(two_vintages(), on_mirror).changed


def test_the_same_bytes_in_another_home_give_the_same_tables(tmp_path: Path, on_mirror: Settings) -> None:
    other = on_mirror.model_copy(update={"home": tmp_path / "other"})
    one, two = build_raw(two_vintages(), on_mirror), build_raw(two_vintages(), other)
    assert one.data_version == two.data_version
    for suffix in (".parquet", ".rejects.parquet"):
        assert one.path.with_suffix(suffix).read_bytes() == two.path.with_suffix(suffix).read_bytes()


@pytest.mark.parametrize("change", ["bytes", "entry", "code"])
def test_data_version_follows_bytes_entry_and_code(
    on_mirror: Settings, mirror: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    first = build_raw(two_vintages(), on_mirror)
    dataset = two_vintages()
    if change == "bytes":
        (mirror / "essai" / "T_2019.csv").write_text("CODGEO;TX;POP\nQP096001;1;8\n", encoding="utf-8")
    elif change == "entry":
        dataset = two_vintages(secrecy="autre règle")
    else:
        monkeypatch.setattr("dagster_project.sources.raw.raw_code_version", lambda _: "other")
    second = build_raw(dataset, on_mirror)
    assert second.changed
    assert second.data_version != first.data_version
    assert (second.content_version != first.content_version) == (change == "bytes")


def test_content_version_sees_rejects_and_survives_a_second_look(on_mirror: Settings, mirror: Path) -> None:
    first = build_raw(two_vintages(rejects_tolerated=1), on_mirror)
    assert build_raw(two_vintages(rejects_tolerated=1), on_mirror).content_version == first.content_version
    with (mirror / "essai" / "T_2019.csv").open("a", encoding="utf-8") as file:
        file.write("QP096003;3\r\n")
    second = build_raw(two_vintages(rejects_tolerated=1), on_mirror)
    assert second.rejects == 1
    assert second.content_version != first.content_version


def test_rejects_go_to_their_table_within_the_tolerance(on_mirror: Settings, mirror: Path) -> None:
    (mirror / "essai" / "T_2019.csv").write_text("CODGEO;TX;POP\nQP096001;1;8\nQP096002;2\n", encoding="utf-8")
    result = build_raw(two_vintages(rejects_tolerated=1), on_mirror)
    [row] = pq.read_table(on_mirror.raw_dir / "essai_table.rejects.parquet").to_pylist()
    assert {k: row[k] for k in ("vintage", "file", "source_member", "row", "content")} == {
        "vintage": "2019",
        "file": "T_2019",
        "source_member": "T_2019.csv",
        "row": 3,
        "content": "QP096002;2",
    }
    assert (result.rejects, result.rows) == (1, 3)


def test_too_many_rejects_name_file_line_and_column_and_change_nothing(on_mirror: Settings, mirror: Path) -> None:
    build_raw(two_vintages(), on_mirror)
    before = contents(on_mirror)
    (mirror / "essai" / "T_2019.csv").write_text("CODGEO;TX;POP\nQP096001;1;8\nQP096002;2\n", encoding="utf-8")
    with pytest.raises(RawError) as caught:
        build_raw(two_vintages(), on_mirror)
    assert all(text in str(caught.value) for text in ("T_2019.csv", "ligne 3", "POP", "rejects_tolerated"))
    assert check(caught.value, "lignes_rejetees") == [("essai_table", False)]
    assert contents(on_mirror) == before


def test_row_count_out_of_bounds(on_mirror: Settings) -> None:
    with pytest.raises(RawError, match="millésime 2019 : 1 lignes, attendu entre 2 et 9"):
        build_raw(two_vintages(rows={"minimum": 2, "maximum": 9}), on_mirror)
    assert not on_mirror.raw_dir.exists()


def test_failed_required_validation_stops_before_reading(
    on_mirror: Settings, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_raw(two_vintages(), on_mirror)
    before = contents(on_mirror)
    (mirror / "essai" / "T_2018.csv").write_text("<!DOCTYPE html><html><title>Erreur</title></html>", encoding="utf-8")
    monkeypatch.setattr("dagster_project.sources.raw.read_file", None)
    with pytest.raises(RawError, match="page_html") as caught:
        build_raw(two_vintages(), on_mirror)
    assert ("T_2018", False) in check(caught.value, "page_html")
    assert contents(on_mirror) == before


def test_renamed_column_is_one_clear_error(on_mirror: Settings, mirror: Path) -> None:
    (mirror / "essai" / "T_2019.csv").write_text("CODE_GEO;TX;POP\nQP096001;1;8\n", encoding="utf-8")
    with pytest.raises(RawError, match=r"expected 'CODGEO'.*looks like it: 'CODE_GEO'"):
        build_raw(two_vintages(), on_mirror)


def test_missing_file_is_a_fetch_error(on_mirror: Settings, mirror: Path) -> None:
    (mirror / "essai" / "T_2019.csv").unlink()
    with pytest.raises(FetchError):
        build_raw(two_vintages(), on_mirror)


def test_disk_full_leaves_the_previous_table(
    on_mirror: Settings, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_raw(two_vintages(), on_mirror)
    before = contents(on_mirror)
    (mirror / "essai" / "T_2019.csv").write_text("CODGEO;TX;POP\nQP096001;1;9\n", encoding="utf-8")

    def no_space(table: object, where: Path, **_: object) -> None:
        Path(where).write_bytes(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", no_space)
    with pytest.raises(RawError, match=r"cannot write to .*No space left on device.*free some space"):
        build_raw(two_vintages(), on_mirror)
    assert contents(on_mirror) == before


def test_files_of_a_vintage_follow_their_name(on_mirror: Settings, mirror: Path) -> None:
    for name in ("B", "A"):
        (mirror / "essai" / f"{name}.csv").write_text(f"CODGEO\n{name}\n", encoding="utf-8")
    dataset = make_dataset("csv", ["CODGEO"], vintages=[vintage("2021", "B", "A")])
    assert pq.read_table(build_raw(dataset, on_mirror).path).column("CODGEO").to_pylist() == ["A", "B"]


def test_duplicate_keys_are_not_the_readers_business(on_mirror: Settings, mirror: Path) -> None:
    (mirror / "essai" / "T_2019.csv").write_text("CODGEO;TX;POP\nQP096001;1;8\nQP096001;1;8\n", encoding="utf-8")
    assert build_raw(two_vintages(), on_mirror).vintages["2019"] == 2


def test_demonstration_is_kept_apart_and_has_no_row_bounds(tmp_path: Path, on_mirror: Settings, mirror: Path) -> None:
    elsewhere = Settings(home=tmp_path / "demo", sources="demo")
    for home in (elsewhere, on_mirror):
        shutil.copytree(mirror, home.demo_mirror)
    result = build_raw(two_vintages(rows={"minimum": 500, "maximum": 900}), elsewhere)
    assert (result.origin, check(result, "nombre_lignes")) == ("demo", [("2018", True), ("2019", True)])
    real = build_raw(two_vintages(), on_mirror)
    demo = build_raw(two_vintages(), on_mirror.model_copy(update={"sources": "demo"}))
    assert (demo.changed, demo.origin) == (True, "demo")
    assert demo.data_version != real.data_version
