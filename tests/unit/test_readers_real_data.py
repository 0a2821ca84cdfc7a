"""Every real file of the catalogue, read in place.

Row counts come from the manifest of the files; cells from the text of the files and from published figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import shapely

from dagster_project.settings import Settings
from dagster_project.sources.catalogue import Dataset, SourceFile, Vintage, load_catalogue
from dagster_project.sources.raw import build_raw
from dagster_project.sources.readers import LINEAGE_COLUMNS, ReadResult, read_file
from tests.failures import none_of
from tests.readers_support import archived

pytestmark = pytest.mark.real_data

# Rows by département of the two regions; 3,677 and 3,661 in all.
CONTOURS = {"22": 414, "29": 449, "35": 516, "44": 504, "49": 370, "53": 278, "56": 363, "72": 456, "85": 327}
SYNTHESE = {"22": 410, "29": 449, "35": 516, "44": 504, "49": 362, "53": 278, "56": 363, "72": 454, "85": 325}
ROWS = {
    "insee/DEMO_2017.csv": 1346,
    "insee/DEMO_2018.csv": 1346,
    "insee/DEMO_2019.csv": 1346,
    "insee/DEMO_2021.csv": 1400,
    "insee/REVN_2017.csv": 1346,
    "insee/REVN_2018.csv": 1346,
    "insee/REVN_2019.csv": 1353,
    "insee/REVN_2021.csv": 1352,
    "insee/IPRO_2017.csv": 1346,
    "insee/IPRO_2018.csv": 1346,
    "insee/IPRO_2019.csv": 1346,
    "insee/IPRO_2020.csv": 1345,
    "insee/IPRO_2021.csv": 1345,
    "insee/data_filo16_qp_revdis.csv": 1353,
    "insee/data_filo17_qp_revdis.csv": 1353,
    "insee/data_filo18_qp_revdis.csv": 1353,
    "insee/data_DEMO_2019_V1_QP.csv": 1346,
    "insee/data_DEMO_2020_V1_QP.csv": 1400,
    "insee/data_DEMO_2021_V1_QP.csv": 1400,
    "insee/FILO2018_DISP_COM.csv": 31_330,
    "insee/FILO2018_DISP_EPCI.csv": 1244,
    "insee/FILO2018_DISP_DEP.csv": 98,
    "insee/FILO2018_DISP_REG.csv": 15,
    "insee/FILO2018_DISP_METROPOLE.csv": 1,
    "insee/FILO2019_DISP_COM.csv": 31_361,
    "insee/FILO2019_DISP_EPCI.csv": 1240,
    "insee/FILO2019_DISP_DEP.csv": 98,
    "insee/FILO2019_DISP_REG.csv": 15,
    "insee/FILO2019_DISP_METROPOLE.csv": 1,
    "insee/analyse_qpv.csv": 1713,
    "admin/commune_2021.csv": 37_742,
    "admin/communes.csv": 37_544,
    "admin/departements.csv": 101,
    "admin/regions.csv": 18,
    "admin/mouvements-communes.csv": 13_284,
    "admin/donnees_communes.csv": 34_970,
    "admin/epcicom.xlsx": 34_931,
    "admin/region_52_com.geojson": 1232,
    "admin/region_53_com.geojson": 1206,
    "admin/region_52_epci.geojson": 71,
    "admin/region_53_epci.geojson": 61,
    "admin/region_52_dep.geojson": 5,
    "admin/region_53_dep.geojson": 4,
    "qpv/QP_METROPOLE_LB93.shp": 1296,
    "qpv/QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp": 1514,
    "qpv/qpv2024_simplified.geojson": 1609,
    "qpv/adulte-relais-2020.json": 4660,
    "qpv/adulte-relais-2021.json": 5377,
    "qpv/adulte-relais-2022.json": 5623,
    "qpv/postes-fonjep-2020.json": 1455,
    "qpv/postes-fonjep-2021.json": 1462,
    "qpv/postes-fonjep-2022.json": 1429,
    "iris/BASE_TD_FILO_DISP_IRIS_2017.csv": 12_345,
    "iris/BASE_TD_FILO_DISP_IRIS_2018.csv": 12_395,
    "iris/BASE_TD_FILO_DISP_IRIS_2019.csv": 12_481,
    "iris/data_CAF_2016_IRIS.csv": 13_148,
    "iris/data_CAF_2017_IRIS.csv": 13_279,
    "iris/data_CAF_2018_IRIS.csv": 13_349,
    "iris/data_CAF_2019_IRIS.csv": 13_424,
    "iris/data_CAF_2020_IRIS.csv": 13_444,
    "iris/iris_2021.csv": 49_406,
    "health/echantillon_effectifs.csv": 866,
    **{f"iris/departements_iris/{department}.geojson": count for department, count in CONTOURS.items()},
    **{f"iris/agg_iris_{department}.parquet": count for department, count in SYNTHESE.items()},
}

# Named columns of the INSEE tables, the hundreds of empty ones left out.
COLUMNS = {
    "insee/DEMO_2017.csv": 33,
    "insee/DEMO_2021.csv": 34,
    "insee/REVN_2017.csv": 30,
    "insee/REVN_2021.csv": 31,
    "insee/IPRO_2017.csv": 82,
    "insee/IPRO_2018.csv": 85,
    "insee/IPRO_2019.csv": 49,
    "insee/IPRO_2020.csv": 61,
    "insee/data_filo16_qp_revdis.csv": 27,
    "iris/BASE_TD_FILO_DISP_IRIS_2017.csv": 32,
}


@dataclass(frozen=True)
class Entry:
    dataset: Dataset
    vintage: Vintage
    file: SourceFile


def entries() -> dict[str, Entry]:
    """Every file of the catalogue by the first path of its mirror copy."""
    return {
        file.mirror.paths[0]: Entry(dataset, vintage, file)
        for dataset in load_catalogue().values()
        for vintage in dataset.vintages
        for file in vintage.files
        if file.mirror and file.mirror.paths[0] in ROWS
    }


@cache
def read_real(folder: Path, path: str) -> ReadResult:
    entry = entries()[path]
    assert entry.file.mirror
    parts = [archived(folder / name) for name in entry.file.mirror.paths]
    return read_file(entry.dataset, entry.vintage, entry.file, parts)


def row(result: ReadResult, key: str, code: str) -> dict[str, Any]:
    position = result.table.column(key).to_pylist().index(code)
    [found] = result.table.slice(position, 1).to_pylist()
    return dict(found)


def test_the_catalogue_names_every_file() -> None:
    assert sorted(entries()) == sorted(ROWS)


def test_every_row_is_read(real_data: Path) -> None:
    def wrong(path: str) -> Iterator[str]:
        result = read_real(real_data, path)
        if result.table.num_rows != ROWS[path]:
            yield f"{result.table.num_rows} rows, not {ROWS[path]}"
        if result.rejects:
            yield f"{len(result.rejects)} rejects"
        if result.table.column_names[-4:] != list(LINEAGE_COLUMNS):
            yield f"last columns {result.table.column_names[-4:]}"

    none_of(f"{path}: {what}" for path in ROWS for what in wrong(path))


def test_empty_trailing_columns_are_left_out(real_data: Path) -> None:
    def wrong(path: str) -> Iterator[str]:
        result = read_real(real_data, path)
        columns = result.table.num_columns - len(LINEAGE_COLUMNS)
        if not len(result.header) == COLUMNS[path] == columns:
            yield f"{len(result.header)} names, {columns} columns, not {COLUMNS[path]}"

    none_of(f"{path}: {what}" for path in COLUMNS for what in wrong(path))


def test_source_row_is_the_physical_line(real_data: Path) -> None:
    """The line that `_source_row` points at begins with the first cell of the row."""

    def wrong(path: str) -> Iterator[str]:
        lines = (real_data / path).read_text(encoding="utf-8-sig").split("\n")
        table = read_real(real_data, path).table
        for position in (0, table.num_rows // 2, table.num_rows - 1):
            first, line = table.column(0)[position].as_py(), table.column("_source_row")[position].as_py()
            if not lines[line - 1].lstrip('"').startswith(first):
                yield f"row {position} begins with {first!r}, line {line} with {lines[line - 1][:20]!r}"

    none_of(f"{path}: {what}" for path in ROWS if path.endswith(".csv") for what in wrong(path))


def test_le_blosne_verbatim(real_data: Path) -> None:
    income = row(read_real(real_data, "insee/REVN_2021.csv"), "CODGEO", "QP035005")
    assert {name: income[name] for name in ("LIBGEO", "DISP_Q2", "TP60", "C", "CC2S", "NOTE_FILO")} == {
        "LIBGEO": "Le Blosne",
        "DISP_Q2": "13\u202f060",
        "TP60": "46,8",
        "C": "11\u202f224",
        "CC2S": "3\u202f530",
        "NOTE_FILO": "0",
    }
    jobs = row(read_real(real_data, "insee/IPRO_2021.csv"), "CODGEO", "QP035005")
    assert (jobs["ABC"], jobs["TX_TOT_EMPL"]) == ("1\u202f815", "47,3")


def test_no_break_space_is_kept(real_data: Path) -> None:
    table = read_real(real_data, "insee/data_filo18_qp_revdis.csv").table
    assert any("\u00a0" in value for value in table.column("DISP_MED_A18").to_pylist())


def test_header_cell_with_a_space_is_cleaned_and_remembered(real_data: Path) -> None:
    result = read_real(real_data, "insee/IPRO_2021.csv")
    assert "EVOL_CA_N_E " in result.header
    assert "EVOL_CA_N_E" in result.table.column_names


def test_total_row_is_kept(real_data: Path) -> None:
    table = read_real(real_data, "insee/data_DEMO_2019_V1_QP.csv").table
    assert (table.column("CODGEO")[0].as_py(), table.column("_source_row")[0].as_py()) == ("Ensemble", 2)


def test_workbook_numbers_are_whole(real_data: Path) -> None:
    found = row(read_real(real_data, "admin/epcicom.xlsx"), "insee", "01304")
    assert (found["siren"], found["ptot_2024"], found["dept"], found["_source_row"]) == ("200029999", "2920", "01", 2)
    assert found["_source_member"] == "epcicom.xlsx#Epcicom2024"


def test_json_numbers_keep_their_literal(real_data: Path) -> None:
    found = row(read_real(real_data, "qpv/adulte-relais-2020.json"), "id_poste", "00112R000102")
    assert (found["annee"], found["montant"], found["code_tiers"]) == ("2020", "19875.06", "77554402601284")


def test_shapefile_text_is_cp1252(real_data: Path) -> None:
    found = row(read_real(real_data, "qpv/QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp"), "CODE_QP", "QP971003")
    assert found["COMMUNE_QP"] == "Pointe-à-Pitre, Les Abymes"


def test_overseas_neighbourhoods_have_no_lambert_93(real_data: Path) -> None:
    table = read_real(real_data, "qpv/QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp").table
    codes, shapes = table.column("CODE_QP").to_pylist(), table.column("geometry").to_pylist()
    assert all((shape is None) == code[2:5].startswith(("97", "98")) for code, shape in zip(codes, shapes, strict=True))
    assert table.column("geometry").null_count == 1514 - 1296
    assert table.column("geometry_original").null_count == 0


def test_both_files_of_2015_agree_once_reprojected(real_data: Path) -> None:
    """The Lambert-93 file and the WGS84 file hold the same shape of Le Blosne, within a centimetre."""
    shapes = [
        shapely.from_wkb(row(read_real(real_data, f"qpv/{name}.shp"), "CODE_QP", "QP035005")["geometry"])
        for name in ("QP_METROPOLE_LB93", "QP_METROPOLEOUTREMER_WGS84_EPSG4326")
    ]
    assert shapely.hausdorff_distance(*shapes) < 0.01


def test_geojson_numbers_and_places(real_data: Path) -> None:
    found = row(read_real(real_data, "qpv/qpv2024_simplified.geojson"), "code_qp", "QN00101M")
    assert (found["fid"], found["insee_com"], found["siren_epci"]) == ("1.0", "01053", "200071751")
    assert found["_geometry_crs"] == "OGC:CRS84"


def test_raw_table_of_editions_with_other_columns_and_case(real_data: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", sources="mirror", mirror=str(real_data))
    result = build_raw(load_catalogue()["insee_filosofi_qpv"], settings)
    assert result.vintages == {"2016": 1353, "2017": 1353, "2018": 1353}
    assert len({name.lower() for name in result.columns}) == len(result.columns)
    table = pq.read_table(result.path)
    assert table.column("CODGEO").null_count == 0
    assert table.column("tp60_a16").null_count == 2 * 1353


IN_THE_WEST = {
    "iris/BASE_TD_FILO_DISP_IRIS_2017.csv": ("IRIS", 1004),
    "iris/BASE_TD_FILO_DISP_IRIS_2018.csv": ("IRIS", 1013),
    "iris/BASE_TD_FILO_DISP_IRIS_2019.csv": ("IRIS", 1021),
    "iris/data_CAF_2016_IRIS.csv": ("CODGEO", 1026),
    "iris/data_CAF_2017_IRIS.csv": ("CODGEO", 1108),
    "iris/data_CAF_2018_IRIS.csv": ("CODGEO", 1121),
    "iris/data_CAF_2019_IRIS.csv": ("CODGEO", 1121),
    "iris/data_CAF_2020_IRIS.csv": ("CODGEO", 1127),
    "iris/iris_2021.csv": ("CODE_IRIS", 3680),
}


def test_iris_of_the_two_regions(real_data: Path) -> None:
    def wrong(path: str, key: str, expected: int) -> Iterator[str]:
        codes = [code for code in read_real(real_data, path).table.column(key).to_pylist() if code[:2] in CONTOURS]
        if (len(codes), len(set(codes))) != (expected, expected):
            yield f"{len(codes)} rows, {len(set(codes))} codes, not {expected}"

    none_of(f"{path}: {what}" for path, known in IN_THE_WEST.items() for what in wrong(path, *known))


def test_contours_and_synthesis_of_iris(real_data: Path) -> None:
    contours = {
        code
        for department in CONTOURS
        for code in read_real(real_data, f"iris/departements_iris/{department}.geojson").table["code_iris"].to_pylist()
    }
    synthesis = {
        code
        for department in SYNTHESE
        for code in read_real(real_data, f"iris/agg_iris_{department}.parquet").table["code"].to_pylist()
    }
    assert (len(contours), len(synthesis)) == (3677, 3661)
    assert (len(contours - synthesis), len(synthesis - contours)) == (20, 4)


def test_parquet_numbers_are_written_out(real_data: Path) -> None:
    found = row(read_real(real_data, "iris/agg_iris_85.parquet"), "code", "850010000")
    names = ("epci", "P22_POP", "dm_imm_pct_22", "men_tot_stock_22", "rev_disp_med_21", "_source_row")
    assert tuple(found[name] for name in names) == ("200073260", "2808", "2.07", "1553.91", None, 1)


def test_every_cell_of_a_parquet_file_is_found_again_by_the_verification(real_data: Path) -> None:
    from dagster_project.audit.recompute.cells import FileForm, read_cells

    path = "iris/agg_iris_22.parquet"
    result = read_real(real_data, path)
    names = list(result.header)
    again = list(
        read_cells((real_data / path).read_bytes(), "agg_iris_22.parquet", FileForm("parquet", "", "", 1), names)
    )
    numbers = result.table.column("_source_row").to_pylist()
    assert again == list(
        zip(numbers, zip(*(result.table[name].to_pylist() for name in names), strict=True), strict=True)
    )


def test_properties_of_a_geojson_file_are_found_again_by_the_verification(real_data: Path) -> None:
    from dagster_project.audit.recompute.cells import FileForm, read_cells

    path = "iris/departements_iris/22.geojson"
    table, names = read_real(real_data, path).table, ["code_iris", "libelle_iris", "population"]
    again = list(read_cells((real_data / path).read_bytes(), "22.geojson", FileForm("geojson", "utf-8", "", 1), names))
    numbers = table.column("_source_row").to_pylist()
    assert again == list(zip(numbers, zip(*(table[name].to_pylist() for name in names), strict=True), strict=True))
