"""Shapefile: nothing guessed, neither the encoding nor the CRS; attributes and shapes kept in step."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from dagster_project.sources.catalogue import Dataset
from dagster_project.sources.readers import GEOMETRY_COLUMNS, LINEAGE_COLUMNS, ReadError
from tests.readers_support import archived, cells, dbf_bytes, make_dataset, make_file, read, write_shapes

FIELDS = [("CODE_QP", "C", 8), ("NOM_QP", "C", 40), ("SURFACE", "N", 10)]
HERE = "POLYGON ((350000 6790000, 350100 6790000, 350100 6790100, 350000 6790000))"
THERE = "POLYGON ((351000 6790000, 351100 6790000, 351100 6790100, 351000 6790000))"
RECORDS = [[b"QP096001", "Les Chênes".encode("cp1252"), b"12.50"], [b"QP096002", b"L'Essai", b""]]
LAMBERT_BY_IGN = 'PROJCS["RGF93_Lambert_93",GEOGCS["GCS_RGF_1993",DATUM["D"]],UNIT["Meter",1.0]]'


def shapefile(
    tmp_path: Path, records: list[list[bytes]] = RECORDS, deleted: int = 0, prj: str | None = None
) -> list[Path]:
    shp = write_shapes(tmp_path, [HERE, THERE])
    shp.with_suffix(".dbf").write_bytes(dbf_bytes(FIELDS, records, deleted))
    paths = [shp, shp.with_suffix(".dbf"), shp.with_suffix(".shx")]
    if prj:
        shp.with_suffix(".prj").write_text(prj)
        paths.append(shp.with_suffix(".prj"))
    return paths


def dataset(crs: str = "EPSG:2154", encoding: str = "cp1252") -> Dataset:
    return make_dataset("shapefile", ["CODE_QP", "NOM_QP"], encoding=encoding, files=[make_file(crs=crs)])


def test_attributes_geometry_and_lineage(tmp_path: Path) -> None:
    paths = shapefile(tmp_path, prj=LAMBERT_BY_IGN)
    result = read(dataset(), *paths)
    assert result.table.column_names == ["CODE_QP", "NOM_QP", "SURFACE", *GEOMETRY_COLUMNS, *LINEAGE_COLUMNS]
    assert cells(result, "CODE_QP", "NOM_QP", "SURFACE", "_source_row") == [
        ("QP096001", "Les Chênes", "12.50", 1),
        ("QP096002", "L'Essai", "", 2),
    ]
    shp, dbf = archived(paths[0]), archived(paths[1])
    assert cells(result, "_source_sha256", "_source_member", "_geometry_sha256", "_geometry_crs")[0] == (
        dbf.sha256,
        "zones.dbf",
        shp.sha256,
        "EPSG:2154",
    )
    for name in ("geometry", "geometry_original"):
        shapes = shapely.from_wkb(result.table.column(name).to_pylist())
        assert [shape.bounds[0] for shape in shapes] == [350_000, 351_000]


def test_companions_in_any_order_after_the_shp(tmp_path: Path) -> None:
    shp, dbf, shx = shapefile(tmp_path)
    assert read(dataset(), shp, shx, dbf).table.num_rows == 2


def test_declared_encoding_is_used_and_undecodable_records_rejected(tmp_path: Path) -> None:
    result = read(dataset(encoding="utf-8"), *shapefile(tmp_path))
    assert cells(result, "CODE_QP", "_source_row") == [("QP096002", 2)]
    [reject] = result.rejects
    assert reject.row == 1
    assert all(text in reject.reason for text in ("0xEA", "NOM_QP"))
    assert shapely.from_wkb(result.table.column("geometry")[0].as_py()).bounds[0] == 351_000


def test_deleted_records_go_with_their_shape(tmp_path: Path) -> None:
    result = read(dataset(), *shapefile(tmp_path, deleted=1))
    assert cells(result, "CODE_QP", "_source_row") == [("QP096002", 2)]
    assert shapely.from_wkb(result.table.column("geometry")[0].as_py()).bounds[0] == 351_000


def test_null_shape(tmp_path: Path) -> None:
    paths = shapefile(tmp_path)
    other = tmp_path / "null"
    other.mkdir()
    shp = write_shapes(other, [HERE, None])
    result = read(dataset(), shp, paths[1], shp.with_suffix(".shx"))
    assert [value is None for value in result.table.column("geometry").to_pylist()] == [False, True]


def test_prj_of_another_authority_code_is_an_error(tmp_path: Path) -> None:
    prj = 'PROJCS["RGF93 / CC48",GEOGCS["RGF93",AUTHORITY["EPSG","4171"]],UNIT["metre",1],AUTHORITY["EPSG","3948"]]'
    with pytest.raises(ReadError, match=r"zones.prj says EPSG:3948, the catalogue says EPSG:2154"):
        read(dataset(), *shapefile(tmp_path, prj=prj))


def test_prj_in_degrees_for_a_crs_in_metres_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="describes a geographic system"):
        read(dataset(), *shapefile(tmp_path, prj='GEOGCS["GCS_WGS_1984",DATUM["D"],UNIT["Degree",0.017]]'))


def test_prj_with_the_same_authority_code(tmp_path: Path) -> None:
    prj = 'PROJCS["RGF93 / Lambert-93",GEOGCS["RGF93",AUTHORITY["EPSG","4171"]],AUTHORITY["EPSG","2154"]]\n'
    assert read(dataset(), *shapefile(tmp_path, prj=prj)).table.num_rows == 2


def test_missing_companion(tmp_path: Path) -> None:
    shp, dbf, _ = shapefile(tmp_path)
    with pytest.raises(ReadError, match=r"the .shx of the shapefile is missing \(received: zones.shp, zones.dbf\)"):
        read(dataset(), shp, dbf)


def test_dbf_of_another_download(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"2 shapes in zones\.shp for 1 records"):
        read(dataset(), *shapefile(tmp_path, records=RECORDS[:1]))


def test_dbf_cut_short(tmp_path: Path) -> None:
    paths = shapefile(tmp_path)
    paths[1].write_bytes(paths[1].read_bytes()[:-40])
    with pytest.raises(ReadError, match="cut short"):
        read(dataset(), *paths)


def test_shp_that_is_not_one(tmp_path: Path) -> None:
    paths = shapefile(tmp_path)
    paths[0].write_bytes(b"<html></html>")
    with pytest.raises(ReadError, match="the shapes cannot be read"):
        read(dataset(), *paths)


def test_degrees_declared_as_metres(tmp_path: Path) -> None:
    shp = write_shapes(tmp_path, ["POLYGON ((3 46, 3.1 46, 3.1 46.1, 3 46))"])
    shp.with_suffix(".dbf").write_bytes(dbf_bytes(FIELDS, RECORDS[:1]))
    paths = [shp, shp.with_suffix(".dbf"), shp.with_suffix(".shx")]
    with pytest.raises(ReadError, match="not possible in EPSG:2154"):
        read(dataset(), *paths)
    assert read(dataset("EPSG:4326"), *paths).table.column("geometry").null_count == 0


def test_missing_column(tmp_path: Path) -> None:
    wanted = make_dataset("shapefile", ["CODE_QPV"], encoding="cp1252", files=[make_file(crs="EPSG:2154")])
    with pytest.raises(ReadError, match="looks like it: 'CODE_QP'"):
        read(wanted, *shapefile(tmp_path))
