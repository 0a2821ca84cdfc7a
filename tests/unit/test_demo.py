"""The demonstration territory: deterministic, in the producers' formats, coherent, and like no real place."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from python_calamine import CalamineWorkbook

from dagster_project.demo_territory import GENERATOR_VERSION, MARKER, DemoError, is_current, write_demo
from dagster_project.demo_territory import editions as ed
from dagster_project.demo_territory.geometry import to_degrees
from dagster_project.demo_territory.population import split
from dagster_project.demo_territory.secrecy import CAF_GROUPS, HELPED_GROUPS, JOBS_GROUPS, hide_small
from dagster_project.demo_territory.territory import build_territory, fails_luhn
from dagster_project.demo_territory.writers import number
from tests.demo_city import FIXED_PATHS
from tests.demo_dwellings import CORRESPONDENCE
from tests.demo_files import demo_files, demo_paths, tables_with_a_real_copy
from tests.failures import none_of

SEED = 7
QP2015 = re.compile(r"^QP(\d{3}|02[AB])\d{3}$")
QN2024 = re.compile(r"^QN(\d{3}|02[AB])\d{2}[A-Z]$")
QPV_EDITIONS = (
    *ed.demo_editions(),
    *ed.flat_demo_editions(),
    *ed.revn_editions(),
    *ed.ipro_editions(),
    *ed.filo_editions(),
)


@pytest.fixture(scope="module")
def mirror(demo_world) -> Path:
    return demo_world(SEED)


@pytest.fixture(scope="module")
def truth(mirror) -> dict[tuple[str, str], dict[str, dict[str, tuple[float, bool]]]]:
    """(dataset, edition) -> variable -> zone code -> (value, masked)."""
    found: dict = defaultdict(lambda: defaultdict(dict))
    for row in rows_of(mirror / "_verite/valeurs.csv", ","):
        key = (row["dataset"], row["edition"])
        found[key][row["variable"]][row["zone_code"]] = (float(row["value"]), row["masked"] == "1")
    return found


def rows_of(path: Path, delimiter: str = ";") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), delimiter=delimiter))


def header_of(path: Path, delimiter: str = ";") -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return next(csv.reader(lines, delimiter=delimiter))


def value_of(text: str) -> float:
    return float(text.replace("\u202f", "").replace("\u00a0", "").replace(",", "."))


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# Writing


def test_same_seed_gives_the_same_bytes(mirror, tmp_path):
    write_demo(tmp_path / "again", SEED)
    assert digests(tmp_path / "again") == digests(mirror)


def test_another_seed_gives_other_figures(mirror, demo_world):
    before, after = digests(mirror), digests(demo_world(SEED + 1))
    assert before.keys() == after.keys()
    same = {path for path in before if before[path] == after[path]}
    geography = {path for dataset, _, path in demo_files() if dataset.id.startswith("insee_cog_")}
    fixed = {"README.txt", "_verite/correspondance.csv", "_verite/contre_exemple.csv", CORRESPONDENCE}
    assert same <= fixed | geography | FIXED_PATHS | {*demo_paths(ends=".prj"), *demo_paths(ends=".shx")}


def test_another_seed_replaces_the_folder(tmp_path, quick):
    write_demo(tmp_path / "m", SEED)
    write_demo(tmp_path / "m", SEED + 1)
    assert is_current(tmp_path / "m", SEED + 1)
    assert (tmp_path / "m/a/b.txt").read_bytes() == b"%d" % (SEED + 1)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]  # nothing left aside


def test_files_are_those_of_the_editions_that_the_catalogue_says_are_shown(mirror):
    written = {path for path in digests(mirror) if not path.startswith("_verite/")} - {MARKER, "README.txt"}
    assert written == set(demo_paths())
    assert sum((mirror / path).stat().st_size for path in written) < 7_000_000
    assert json.loads((mirror / MARKER).read_text()) == {"version": GENERATOR_VERSION, "seed": SEED}
    assert "TERRITOIRE FICTIF" in (mirror / "README.txt").read_text(encoding="utf-8")


def test_nothing_is_done_when_the_marker_matches(tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / MARKER).write_text(json.dumps({"version": GENERATOR_VERSION, "seed": SEED}))
    write_demo(folder, SEED)
    assert [path.name for path in folder.iterdir()] == [MARKER]


@pytest.fixture
def quick(monkeypatch):
    """Two files instead of sixty, for what depends on the folder only."""
    monkeypatch.setattr("dagster_project.demo_territory.mirror.build_files", lambda seed: {"a/b.txt": b"%d" % seed})


def test_a_mirror_of_an_older_generator_is_replaced(tmp_path, quick):
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / MARKER).write_text(json.dumps({"version": "0", "seed": SEED}))
    (folder / "old.csv").write_text("x")
    write_demo(folder, SEED)
    assert is_current(folder, SEED)
    assert not (folder / "old.csv").exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "real.csv").write_text("x")
    with pytest.raises(DemoError, match="use another folder"):
        write_demo(tmp_path, SEED)
    assert [path.name for path in tmp_path.iterdir()] == ["real.csv"]


def test_a_failure_leaves_the_former_mirror_and_no_scrap(tmp_path, monkeypatch, quick):
    folder = tmp_path / "m"
    write_demo(folder, SEED)
    monkeypatch.setattr(
        "dagster_project.demo_territory._put_in_place", lambda *_: (_ for _ in ()).throw(OSError("full"))
    )
    with pytest.raises(OSError, match="full"):
        write_demo(folder, SEED + 1)
    assert (folder / "a/b.txt").read_bytes() == b"%d" % SEED
    assert is_current(folder, SEED)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


# Formats


def test_quirks_of_each_edition(mirror):
    def rules(edition):
        """What must hold of the bytes of an edition, by what is said when it does not."""
        content = (mirror / edition.path).read_bytes()
        text = content.decode("utf-8-sig")
        lines = text.removesuffix("\r\n").split("\r\n")
        return {
            "byte order mark": content.startswith(b"\xef\xbb\xbf") == edition.bom,
            "ends of lines": content.count(b"\n") == content.count(b"\r\n"),
            "end of the last line": text.endswith("\r\n") == edition.last_line_end,
            "width": {line.count(";") for line in lines} == {edition.width - 1},
            "total row": lines[1].startswith("Ensemble") == edition.summary,
            "quotes": text.startswith('"') == edition.quoted,
            **{
                f"separator {separator!r}": (separator in text) == (separator == edition.thousands)
                for separator in (ed.NARROW, ed.NO_BREAK)
            },
        }

    none_of(
        f"{edition.path}: {what}" for edition in QPV_EDITIONS for what, holds in rules(edition).items() if not holds
    )


def test_the_header_that_ends_with_a_space_is_kept(mirror):
    assert "EVOL_CA_N_E " in header_of(mirror / "insee/IPRO_2019.csv")


@pytest.mark.parametrize(
    ("value", "decimals", "options", "expected"),
    [
        (1234567, 0, {"thousands": "\u202f"}, "1\u202f234\u202f567"),
        (1234, 0, {"step": 10}, "1230"),
        (37.04, 1, {}, "37,0"),
        (37.04, 1, {"plain": True}, "37"),
        (-0.04, 1, {}, "0,0"),
        (-9.4, 1, {}, "-9,4"),
        (float("nan"), 1, {}, ""),
    ],
)
def test_numbers_are_written_as_in_french_tables(value, decimals, options, expected):
    assert number(value, decimals, **options) == expected


def test_workbook_is_read_by_calamine_with_its_types(mirror):
    book = CalamineWorkbook.from_path(mirror / "admin/epcicom.xlsx")
    assert book.sheet_names == ["Epcicom2024"]
    header, *rows = book.get_sheet_by_name("Epcicom2024").to_python()
    first = dict(zip(header, rows[0], strict=True))
    assert first["dept"] == "96"
    assert isinstance(first["siren"], float)
    communes = {row["COM"] for row in rows_of(mirror / "admin/communes.csv", ",") if row["TYPECOM"] == "COM"}
    members = [row[header.index("insee")] for row in rows]
    assert len(members) == len(set(members))
    assert len(communes - set(members)) == 1  # one commune is outside any EPCI
    for siren in {row[1] for row in rows}:
        group = [row for row in rows if row[1] == siren]
        assert {row[header.index("total_pop_mun")] for row in group} == {sum(row[-1] for row in group)}


def test_shapefiles_are_cp1252_without_cpg_and_agree_with_each_other(mirror):
    stems = {"QP_METROPOLE_LB93": 2154, "QP_METROPOLEOUTREMER_WGS84_EPSG4326": 4326}
    found = {}
    for stem in stems:
        path = mirror / f"qpv/{stem}.shp"
        assert not path.with_suffix(".cpg").exists()
        assert path.with_suffix(".dbf").read_bytes()[29] == 0x57
        _, _, shapes, fields = pyogrio.raw.read(path, encoding="cp1252")
        found[stem] = (shapely.from_wkb(shapes), fields)
        assert shapely.is_valid(found[stem][0]).all()
    metres, fields = found["QP_METROPOLE_LB93"]
    degrees, others = found["QP_METROPOLEOUTREMER_WGS84_EPSG4326"]
    assert [list(field) for field in fields] == [list(field) for field in others]
    assert "Cœur d’Ardoise" in fields[1]
    assert b"C\x9cur d\x92Ardoise" in (mirror / "qpv/QP_METROPOLE_LB93.dbf").read_bytes()
    assert list(fields[0]) != sorted(fields[0])
    for metric, geographic in zip(metres, degrees, strict=True):
        projected = to_degrees([shapely.get_coordinates(metric)], 9)[0]
        assert np.allclose(projected, shapely.get_coordinates(geographic), atol=1e-8)


def test_json_of_posts_keeps_the_real_defects(mirror):
    content = (mirror / "qpv/adulte-relais-2021.json").read_bytes()
    assert content.count(b"\n") == 1
    records = json.loads(content)
    assert {record["annee"] for record in records} == {2021}
    assert any("insee_dep" not in record for record in records)
    assert any(len(record["code_cv"]) == 10 for record in records)
    assert len({record["id_poste"] for record in records}) < len(records)
    assert all(fails_luhn(record["code_tiers"]) for record in records)
    assert len(json.loads((mirror / "qpv/postes-fonjep-2022.json").read_bytes())) > 10


# Codes and places


def test_codes_have_the_official_patterns(mirror):
    zones = rows_of(mirror / "_verite/zones.csv", ",")
    codes = {
        generation: [zone["zone_code"] for zone in zones if zone["generation"] == generation]
        for generation in ("QP2015", "QN2024")
    }
    assert (len(codes["QP2015"]), len(codes["QN2024"])) == (24, 25)
    assert all(QP2015.match(code) for code in codes["QP2015"])
    assert all(QN2024.match(code) for code in codes["QN2024"])
    assert all(fails_luhn(zone["zone_code"]) for zone in zones if zone["zone_level"] == "EPCI")


def test_qpv_come_go_and_change_between_generations(mirror):
    links = rows_of(mirror / "_verite/correspondance.csv", ",")
    assert {link["statut"] for link in links} == {"I", "M", "N"}
    assert all(link["code_2024"][-1] == link["statut"] for link in links)
    kept = [link["code_2015"] for link in links if link["code_2015"]]
    assert len(kept) == len(set(kept)) == 23
    assert any(link["code_2015"] and link["code_2015"][5:8] != "0" + link["code_2024"][5:7] for link in links)
    old = dict(zip(*qpv_2015(mirror), strict=True))
    new = qpv_2024(mirror)
    for link in links:
        if link["code_2015"]:
            a, b = old[link["code_2015"]], shapely.make_valid(new[link["code_2024"]])
            likeness = a.intersection(b).area / a.union(b).area
            assert likeness > (0.97 if link["statut"] == "I" else 0.5)


def test_a_merged_commune_keeps_its_old_name_in_2015_only(mirror):
    _, _, _, fields = pyogrio.raw.read(mirror / "qpv/QP_METROPOLE_LB93.shp", encoding="cp1252")
    old = dict(zip(fields[0], fields[2], strict=True))["QP098005"]
    move = next(
        row
        for row in rows_of(mirror / "admin/mouvements-communes.csv", ",")
        if row["LIBELLE_AV"] == old and row["TYPECOM_AP"] == "COM"
    )
    assert (move["MOD"], move["DATE_EFF"]) == ("32", "2019-01-01")
    present = {row["LIBELLE"]: row["TYPECOM"] for row in rows_of(mirror / "admin/communes.csv", ",")}
    assert present[old] == "COMD"
    assert present[move["LIBELLE_AP"]] == "COM"
    names = {e.path: {row["CODGEO"]: row["LIB_COM"] for row in rows_of(mirror / e.path)} for e in ed.demo_editions()}
    assert names["insee/DEMO_2019.csv"]["QP098005"] == old
    assert names["insee/DEMO_2021.csv"]["QP098005"] == move["LIBELLE_AP"]


def test_one_qpv_lies_over_two_communes_in_every_file(mirror):
    features = json.loads((mirror / "qpv/qpv2024_simplified.geojson").read_text(encoding="utf-8"))["features"]
    over = [f["properties"] for f in features if ", " in f["properties"]["insee_com"]]
    assert len(over) == 1
    lines = [r for r in rows_of(mirror / "insee/analyse_qpv.csv", ",") if r["codeQPV"] == over[0]["code_qp"]]
    assert [line["COG"] for line in lines] == over[0]["insee_com"].split(", ")
    assert {line["popMuniQPV"] for line in lines} == {lines[0]["popMuniQPV"]}
    row = next(r for r in rows_of(mirror / "insee/DEMO_2017.csv") if r["LIBGEO"] == over[0]["lib_qp"])
    assert row["LIB_COM"] == over[0]["lib_com"]


def qpv_2015(mirror: Path) -> tuple[list[str], list[shapely.Geometry]]:
    _, _, shapes, fields = pyogrio.raw.read(mirror / "qpv/QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp", encoding="cp1252")
    return list(fields[0]), list(shapely.from_wkb(shapes))


def qpv_2024(mirror: Path) -> dict[str, shapely.Geometry]:
    features = json.loads((mirror / "qpv/qpv2024_simplified.geojson").read_text(encoding="utf-8"))["features"]
    return {f["properties"]["code_qp"]: shapely.geometry.shape(f["geometry"]) for f in features}


def layer(mirror: Path, name: str) -> dict[str, shapely.Geometry]:
    found = {}
    for region in (52, 53):
        content = json.loads((mirror / f"admin/region_{region}_{name}.geojson").read_bytes())
        assert "crs" not in content
        found |= {f["properties"]["code"]: shapely.geometry.shape(f["geometry"]) for f in content["features"]}
    return found


def test_communes_tile_their_departements_and_epci(mirror):
    shapes = {level: layer(mirror, name) for level, name in (("COM", "com"), ("DEP", "dep"), ("EPCI", "epci"))}
    zones = [row for row in rows_of(mirror / "_verite/zones.csv", ",") if row["zone_level"] in shapes]
    assert sum(len(found) for found in shapes.values()) == len(zones)
    communes = shapes["COM"]
    for zone in zones:
        shape = shapes[zone["zone_level"]][zone["zone_code"]]
        parts = [communes[member] for member in zone["communes"].split()]
        assert shape.is_valid
        assert shape.equals(shapely.union_all(parts))
        assert sum(part.area for part in parts) == pytest.approx(shape.area, rel=1e-9)
    together = shapely.union_all(list(communes.values()))
    assert together.geom_type == "Polygon"
    assert sum(shape.area for shape in shapes["DEP"].values()) == pytest.approx(together.area, rel=1e-9)


def test_an_epci_over_two_regions_is_whole_in_both_files(mirror):
    codes = [
        {
            f["properties"]["code"]
            for f in json.loads((mirror / f"admin/region_{r}_epci.geojson").read_bytes())["features"]
        }
        for r in (52, 53)
    ]
    assert len(codes[0] & codes[1]) == 1


def test_qpv_lie_in_their_communes_far_at_sea(mirror):
    communes = layer(mirror, "com")
    zones = {row["zone_code"]: row["communes"].split() for row in rows_of(mirror / "_verite/zones.csv", ",")}
    now = {row["COM"] for row in rows_of(mirror / "admin/communes.csv", ",") if row["TYPECOM"] == "COM"}
    shapes = dict(zip(*qpv_2015(mirror), strict=True)) | qpv_2024(mirror)
    for code, shape in shapes.items():
        inside = [communes[member] for member in zones[code] if member in now]
        assert shapely.union_all(inside).contains(shapely.make_valid(shape)), code
        west, south, east, north = shape.bounds
        assert -8 < west < east < -6
        assert 45 < south < north < 46


def test_exactly_one_perimeter_of_2024_is_invalid(mirror):
    assert sum(not shape.is_valid for shape in qpv_2024(mirror).values()) == 1


def test_perimeters_of_a_generation_do_not_overlap(mirror):
    for shapes in (qpv_2015(mirror)[1], [shapely.make_valid(shape) for shape in qpv_2024(mirror).values()]):
        area = sum(shape.area for shape in shapes)
        assert shapely.union_all(shapes).area == pytest.approx(area, rel=1e-9)


# Figures


def test_split_keeps_totals():
    parts = split(np.array([10, 0, 7]), np.array([[1.0, 1, 1], [1, 2, 3], [0.2, 0.1, 0.7]]))
    assert parts.sum(axis=1).tolist() == [10, 0, 7]
    assert parts[0].tolist() == [4, 3, 3]


def add_up(columns: dict, total: str, parts: tuple[str, ...]) -> None:
    for code, (value, _) in columns[total].items():
        assert sum(columns[part][code][0] for part in parts) == value, (total, code)


def test_parts_add_up_in_truth(truth):
    jobs, demo = truth["insee_ipro", "2018"], truth["insee_demo", "2021"]
    add_up(demo, "A", ("AI", "AM", "ACSSENF", "ACAVENF"))
    add_up(demo, "ENF", ed.CAF[10:])
    for name in ("ABCDE", "ABC", "ABC_RSA", "A", "ABC_BAC", "ABC_DUR3", "CA", "CUI", "EAV"):
        add_up(jobs, name, (f"{name}_F", f"{name}_H"))
    add_up(jobs, "ABC", ("ABC_25", "ABC_2649", "ABC_50"))
    for sex in ("", "_F", "_H"):
        add_up(jobs, f"ABC{sex}", tuple(f"ABC_DUR{rank}{sex}" for rank in range(1, 5)))
    add_up(jobs, "CUI", ("CIE", "CAE"))
    add_up(jobs, "CIE", ("CIE_HS", "CIE_S"))
    for code, (total, _) in jobs["ABC"].items():  # « not known » is published nowhere
        known = sum(jobs[f"ABC_{name}"][code][0] for name in ("INFCAPBEP", "CAPBEP", "BAC", "SUPBAC"))
        assert 0.95 * total <= known <= total


def test_shares_of_income_add_up_to_100_in_truth(truth):
    filo = truth["insee_filosofi_qpv", "2018"]
    for code in filo["DISP_PACT_A18"]:
        parts = ("PACT", "PPEN", "PPAT", "PPSOC", "PIMPOT")
        assert sum(filo[f"DISP_{part}_A18"][code][0] for part in parts) == pytest.approx(100, abs=1e-4)


def test_quantiles_poverty_and_gini_come_from_one_distribution(truth):
    filo = truth["insee_filosofi_qpv", "2018"]
    line = 0.6 * truth["insee_filosofi_metropole", "2018"]["Q218"]["1"][0]
    levels = {
        "D1": 10,
        "D2": 20,
        "Q1": 25,
        "D3": 30,
        "D4": 40,
        "MED": 50,
        "D6": 60,
        "D7": 70,
        "Q3": 75,
        "D8": 80,
        "D9": 90,
    }
    for code, (poverty, _) in filo["DISP_TP60_A18"].items():
        known = [filo[f"DISP_{name}_A18"][code][0] for name in levels]
        assert known == sorted(known)
        assert poverty == pytest.approx(np.interp(line, known, list(levels.values())), abs=0.7)
        assert 0.15 < filo["DISP_GINI_A18"][code][0] < 0.35


@pytest.mark.parametrize("year", [2018, 2019])
def test_comparators_agree_with_each_other(truth, year):
    short = year - 2000
    people = {
        level: sum(value for value, _ in truth[f"insee_filosofi_{level}", str(year)][f"NBPERS{short}"].values())
        for level in ("dep", "reg", "metropole")
    }
    assert people["dep"] == pytest.approx(people["metropole"], abs=3)
    assert people["reg"] == pytest.approx(people["metropole"], abs=3)
    medians = [value for value, _ in truth["insee_filosofi_dep", str(year)][f"Q2{short}"].values()]
    assert min(medians) < truth["insee_filosofi_metropole", str(year)][f"Q2{short}"]["1"][0] < max(medians)


def test_qpv_are_poorer_and_younger_than_their_commune(truth):
    qpv = truth["insee_filosofi_qpv", "2018"]["DISP_MED_A18"]
    towns = truth["insee_filosofi_com", "2018"]["Q218"]
    assert max(value for value, _ in qpv.values()) < min(value for value, _ in towns.values())


def test_small_communes_publish_counts_and_median_only(mirror):
    rows = rows_of(mirror / "insee/FILO2018_DISP_COM.csv")
    small = [row for row in rows if not row["D118"]]
    assert 5 < len(small) < len(rows)
    for row in small:
        assert {name for name, cell in row.items() if cell} == {
            "CODGEO",
            "LIBGEO",
            "NBMEN18",
            "NBPERS18",
            "NBUC18",
            "Q218",
        }
        assert int(row["NBPERS18"]) <= 2000
    codes = {row["CODGEO"] for row in rows}
    listed = {row["COM"] for row in rows_of(mirror / "admin/commune_2021.csv", ",") if row["TYPECOM"] == "COM"}
    assert len(listed - codes) >= 1  # too small for any line
    assert codes <= listed


def test_edition_2021_of_revenus_repeats_filosofi_2017(mirror):
    flat = {row["codgeo"]: row for row in rows_of(mirror / "insee/data_filo17_qp_revdis.csv")}
    pairs = {"DISP_Q1": "disp_q1_a17", "DISP_Q2": "disp_q2_a17", "DISP_D9": "disp_d9_a17", "TP60": "tp60_a17"}
    pairs |= {"PACT": "disp_pact_a17", "PPSOC": "disp_ppsoc_a17", "PIMPOT": "disp_pimpot_a17"}
    rows = rows_of(mirror / "insee/REVN_2021.csv")
    assert len(rows) == 24
    for row in rows:
        for here, there in pairs.items():
            a, b = row[here], flat[row["CODGEO"]][there]
            assert (value_of(a) == value_of(b)) if a else not b


def test_flat_and_sheet_editions_of_demography_agree(mirror):
    for year in (2019, 2021):
        flat = {row["CODGEO"]: row for row in rows_of(mirror / f"insee/data_DEMO_{year}_V1_QP.csv")}
        for row in rows_of(mirror / f"insee/DEMO_{year}.csv"):
            for name in set(flat[row["CODGEO"]]) & set(row) - {"CODGEO", "LIB_COM"}:
                a, b = row[name], flat[row["CODGEO"]][name]
                assert a == b == "" or value_of(a) == value_of(b), (year, row["CODGEO"], name)


def test_published_cells_are_the_rounded_truth_or_masked(mirror, truth):
    def near(cell, value, step):
        return value_of(cell) == pytest.approx(value, abs=step)

    def wrong(edition):
        columns = truth[edition.dataset, edition.vintage]
        seen = 0
        for row in rows_of(mirror / edition.path):
            code = row[edition.columns[0]]
            for name in set(columns) & set(row):
                value, masked = columns[name].get(code, (float("nan"), True))
                cell = row[name]
                if code == "Ensemble":
                    counted = cell and name != "POP_MUN" and "," not in cell and abs(value) > 500
                    if counted and not near(cell, value, 50):
                        yield f"total of {name}: {cell} for {value}"
                elif (cell == "") != masked:
                    yield f"{code} {name}: {cell!r}, masked {masked}"
                elif cell:
                    seen += 1
                    if not near(cell, value, 5 if abs(value) > 1000 else 1):
                        yield f"{code} {name}: {cell} for {value}"
        if seen <= 300:
            yield f"{seen} cells only"

    none_of(f"{edition.path}: {what}" for edition in QPV_EDITIONS for what in wrong(edition))


def test_no_small_count_is_published_and_none_is_hidden_alone(mirror, truth):
    for year in (2017, 2018, 2019, 2020, 2021):
        columns = truth["insee_ipro", str(year)]
        rows = [row for row in rows_of(mirror / f"insee/IPRO_{year}.csv") if row["CODGEO"] != "Ensemble"]
        for row in rows:
            for name in (*ed.SEEKERS, *ed.CONTRACTS):
                assert not row.get(name) or value_of(row[name]) >= 5
            for group in (*JOBS_GROUPS, *HELPED_GROUPS):
                hidden = [columns[name][row["CODGEO"]][1] for name in group if name in columns]
                assert sum(hidden) != 1 or len(hidden) == 1, (year, row["CODGEO"], group)
    assert any(masked for _, masked in truth["insee_ipro", "2017"]["CUI_INFCAP"].values())
    assert any(masked for _, masked in truth["insee_demo", "2017"]["A_ETUD"].values())


def test_secondary_secrecy_hides_a_second_cell():
    truth = {"AI": np.array([50.0, 3]), "AM": np.array([40.0, 20]), "ACSSENF": np.array([9.0, 9])}
    truth["ACAVENF"] = np.array([30.0, 30])
    hidden = hide_small(truth, truth, CAF_GROUPS, 2, 5)
    assert {name: flags.tolist() for name, flags in hidden.items()} == {
        "AI": [False, True],
        "AM": [False, False],
        "ACSSENF": [False, True],
        "ACAVENF": [False, False],
    }


def test_notes_explain_rows_that_are_not_diffused(mirror):
    codes = set()
    for edition in QPV_EDITIONS:
        explained = {"NOTE_CNAF": ["A"], "NOTE_PE": ["ABC", "ABC_25"], "NOTE_ASP": ["CA"], "NOTE_RP": list(ed.RP)}
        explained |= {"NOTE_PE_T": list(ed.EVOL), "NOTE_ASP_E": [ed.EVOL_CA], "NOTE_CNAM": ["CC2S", "CCMUC"]}
        for row in rows_of(mirror / edition.path):
            for note, names in explained.items():
                if row.get(note) and row[note] != "0":
                    codes.add(row[note])
                    assert all(not row.get(name) for name in names), (edition.path, row["CODGEO"], note)
    assert codes == {"3", "4", "5", "6"}
    noted = [row for row in rows_of(mirror / "insee/data_filo17_qp_revdis.csv") if row["note"] == "1"]
    assert noted
    assert all(row["disp_q2_a17"] for row in noted)


def test_a_qpv_that_a_source_does_not_know_has_no_note_at_all(mirror):
    row = next(r for r in rows_of(mirror / "insee/REVN_2019.csv") if r["CODGEO"] == ed.LATE)
    assert (row["DISP_Q2"] != "", row["A"], row["NOTE_CNAF"]) == (True, "", "")
    assert ed.LATE not in {r["CODGEO"] for r in rows_of(mirror / "insee/IPRO_2019.csv")}


@pytest.mark.parametrize("seed", [1, 2, 20190101])
def test_total_rows_are_totals_of_truth_rounded_to_hundreds(demo_world, seed):
    mirror = demo_world(seed)
    values: dict = defaultdict(dict)
    for row in rows_of(mirror / "_verite/valeurs.csv", ","):
        if (row["dataset"], row["edition"]) == ("insee_demo", "2017"):
            values[row["variable"]][row["zone_code"]] = float(row["value"])
    total = next(row for row in rows_of(mirror / "insee/DEMO_2017.csv") if row["CODGEO"] == "Ensemble")
    for name in ("A", "ENF", "POP_MUN", "AM"):
        true = sum(value for code, value in values[name].items() if code != "Ensemble")
        assert values[name]["Ensemble"] == true
        assert value_of(total[name]) == (true if name == "POP_MUN" else round(true / 100) * 100)


def test_communes_hold_more_people_than_their_qpv(mirror):
    for row in rows_of(mirror / "insee/DEMO_2021.csv"):
        own, together, whole = (value_of(row[name]) for name in ("POP_MUN", "POP_COM_QP", "POP_COM"))
        assert own <= together < 0.6 * whole


# Against the real files


@pytest.mark.real_data
def test_text_tables_have_the_header_the_mark_and_the_ends_of_the_real_ones(mirror, real_data):
    def wrong(path):
        here, there = ((folder / path).read_bytes() for folder in (mirror, real_data))
        if here.split(b"\n")[0].strip() != there.split(b"\n")[0].strip():
            yield "header"
        if here[:3] != there[:3]:
            yield "byte order mark"
        if (b"\r\n" in here) != (b"\r\n" in there):
            yield "ends of lines"

    none_of(f"{path}: {what}" for path in tables_with_a_real_copy() for what in wrong(path))


@pytest.mark.real_data
def test_headers_of_other_formats_are_the_real_ones(mirror, real_data):
    def of_workbook(folder):
        return CalamineWorkbook.from_path(folder / "admin/epcicom.xlsx").get_sheet_by_name("Epcicom2024").to_python()[0]

    def of_geojson(folder, path):
        content = json.loads((folder / path).read_bytes())
        return list(content), content.get("crs"), list(content["features"][0]["properties"])

    assert of_workbook(mirror) == of_workbook(real_data)
    for path in demo_paths("admin/", "qpv/", ends=".geojson"):
        assert of_geojson(mirror, path) == of_geojson(real_data, path)
    for path in demo_paths("qpv/", ends=".json"):
        assert list(json.loads((mirror / path).read_bytes())[0]) == list(json.loads((real_data / path).read_bytes())[0])
    for path in demo_paths(ends=".prj"):
        assert (mirror / path).read_bytes() == (real_data / path).read_bytes()
    for path in demo_paths(ends=".dbf"):
        assert (mirror / path).read_bytes()[:4] == (real_data / path).read_bytes()[:4]
        assert (mirror / path).read_bytes()[8:129] == (real_data / path).read_bytes()[8:129]


def plain(name: str) -> str:
    spelled = name.replace("œ", "oe").replace("Œ", "OE")
    letters = "".join(char for char in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(char))
    return re.sub("[^A-Z0-9]+", " ", letters.upper()).strip()


@pytest.mark.real_data
def test_no_real_place_bears_an_invented_name_or_code(mirror, real_data):
    names, codes = set(), set()
    for file, code, columns in (
        ("admin/communes.csv", "COM", ("LIBELLE", "NCCENR")),
        ("admin/commune_2021.csv", "COM", ("LIBELLE", "NCCENR")),
        ("admin/mouvements-communes.csv", "COM_AV", ("LIBELLE_AV", "LIBELLE_AP")),
        ("admin/departements.csv", "DEP", ("LIBELLE", "NCCENR")),
        ("admin/regions.csv", "REG", ("LIBELLE", "NCCENR")),
        ("insee/analyse_qpv.csv", "codeQPV", ("lib_qp", "lib_epci")),
    ):
        for row in rows_of(real_data / file, ","):
            codes.add(row[code])
            names |= {plain(row[column]) for column in columns}
    for file in ("FILO2018_DISP_EPCI", "FILO2019_DISP_EPCI", "DEMO_2017", "DEMO_2021"):
        for row in rows_of(real_data / f"insee/{file}.csv"):
            codes.add(row["CODGEO"])
            names.add(plain(row["LIBGEO"]))
    book = CalamineWorkbook.from_path(real_data / "admin/epcicom.xlsx").get_sheet_by_index(0).to_python()[1:]
    names |= {plain(row[2]) for row in book}
    codes |= {str(int(row[1])) for row in book} | {str(int(row[10])) for row in book}
    features = json.loads((real_data / "qpv/qpv2024_simplified.geojson").read_bytes())["features"]
    names |= {plain(feature["properties"]["lib_qp"]) for feature in features}
    codes |= {feature["properties"]["code_qp"] for feature in features}

    territory = build_territory(SEED)
    zones = rows_of(mirror / "_verite/zones.csv", ",")
    invented = {zone["name"] for zone in zones} | {commune.name for commune in territory.base}
    assert {name for name in invented if plain(name) in names} == set()
    used = {zone["zone_code"] for zone in zones if zone["zone_level"] != "FRM"}
    used |= {commune.code for commune in territory.base}
    assert used & codes == set()
    members = CalamineWorkbook.from_path(mirror / "admin/epcicom.xlsx").get_sheet_by_index(0).to_python()[1:]
    assert {str(int(row[10])) for row in members} & codes == set()
