"""Zips: the declared member is read, its name and the zip's digest go to the lineage."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest

from dagster_project.sources.readers import ReadError, read_file
from tests.readers_support import archived, cells, dbf_bytes, make_dataset, make_file, read, write_shapes


def make_zip(tmp_path: Path, members: dict[str, bytes]) -> Path:
    path = tmp_path / "livraison.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as container:
        for name, data in members.items():
            container.writestr(name, data)
    return path


def live(member: str | None) -> dict[str, str | None]:
    return {"url": "https://example.org/livraison.zip", "member": member}


def test_member_is_read_and_named(tmp_path: Path) -> None:
    path = make_zip(tmp_path, {"donnees/TABLE_2021.csv": b"CODE;A\n1;x\n", "donnees/meta_TABLE.csv": b"x\n"})
    dataset = make_dataset("csv", ["CODE"], files=[make_file(live=live("TABLE_*.csv"))])
    result = read(dataset, path)
    assert cells(result, "CODE", "_source_member", "_source_sha256") == [
        ("1", "donnees/TABLE_2021.csv", archived(path).sha256)
    ]


def test_the_only_member_of_the_format_needs_no_pattern(tmp_path: Path) -> None:
    path = make_zip(tmp_path, {"lisez-moi.txt": b"x", "t.csv": b"CODE\n1\n"})
    assert cells(read(make_dataset("csv", ["CODE"]), path), "CODE") == [("1",)]


@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("a.txt",)])
def test_ambiguous_or_absent_member_lists_what_is_there(tmp_path: Path, names: tuple[str, ...]) -> None:
    path = make_zip(tmp_path, dict.fromkeys(names, b"CODE\n1\n"))
    with pytest.raises(ReadError) as caught:
        read(make_dataset("csv", ["CODE"]), path)
    assert all(text in str(caught.value) for text in (repr(names[0]), "member"))


def test_pattern_depends_on_where_the_file_comes_from(tmp_path: Path) -> None:
    path = make_zip(tmp_path, {"officiel.csv": b"CODE\nlive\n", "copie.csv": b"CODE\nmirror\n"})
    mirror = {"paths": ["x.zip"], "copy_of": "third_party", "member": "copie.csv"}
    dataset = make_dataset("csv", ["CODE"], files=[make_file(live=live("officiel.csv"), mirror=mirror)])
    vintage = dataset.vintages[0]
    for origin in ("mirror", "live"):
        result = read_file(dataset, vintage, vintage.files[0], [archived(path, origin=origin)])
        assert cells(result, "CODE") == [(origin,)]


def test_truncated_zip(tmp_path: Path) -> None:
    path = make_zip(tmp_path, {"t.csv": b"CODE\n1\n"})
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ReadError, match=r"livraison\.zip"):
        read(make_dataset("csv", ["CODE"]), path)


def test_damaged_member(tmp_path: Path) -> None:
    path = make_zip(tmp_path, {"t.csv": b"CODE\n" + b"1\n" * 500})
    data = bytearray(path.read_bytes())
    data[40] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(ReadError, match="cannot be read"):
        read(make_dataset("csv", ["CODE"]), path)


def test_workbook_is_not_taken_for_a_container(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["code"])
    sheet.append(["A"])
    book.save(tmp_path / "t.xlsx")
    dataset = make_dataset("xlsx", ["code"])
    assert cells(read(dataset, tmp_path / "t.xlsx"), "code") == [("A",)]
    zipped = make_zip(tmp_path, {"dossier/t.xlsx": (tmp_path / "t.xlsx").read_bytes()})
    assert cells(read(dataset, zipped), "code", "_source_member") == [("A", "dossier/t.xlsx#Sheet")]


def test_shapefile_in_a_zip(tmp_path: Path) -> None:
    shp = write_shapes(tmp_path, ["POLYGON ((350000 6790000, 350100 6790000, 350100 6790100, 350000 6790000))"])
    members = {f"SIG/zones{suffix}": shp.with_suffix(suffix).read_bytes() for suffix in (".shp", ".shx")}
    members["SIG/zones.DBF"] = dbf_bytes([("CODE", "C", 8)], [[b"QP096001"]])
    members["SIG/autres.dbf"] = b"x"
    path = make_zip(tmp_path, members)
    dataset = make_dataset("shapefile", ["CODE"], files=[make_file(crs="EPSG:2154", live=live("*zones.shp"))])
    result = read(dataset, path)
    digest = archived(path).sha256
    assert cells(result, "CODE", "_source_member", "_source_sha256", "_geometry_sha256") == [
        ("QP096001", "SIG/zones.DBF", digest, digest)
    ]
