"""IRIS, tiles, dwellings and health of the demonstration: all count the same people, and hide what producers hide."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from dagster_project.demo_territory.admin import legal_population
from dagster_project.demo_territory.iris_files import FILES
from dagster_project.demo_territory.territory import build_territory
from tests.demo_dwellings import (
    BUILDINGS,
    C2S,
    CAF,
    CNAM,
    CONTOURS,
    CORRESPONDENCE,
    FILOSOFI,
    NATURAL,
    ORS,
    REFERENCE,
    SUMMARIES,
    TILES,
    buildings,
    columns_of,
    features_of,
    in_metres,
    iris_contours,
    qpv_2024,
    rows_of,
    summary,
    true_zones,
)

SEED = 7
HEALTH = ("asthme", "diabete", "ald")


@pytest.fixture(scope="module")
def mirror(demo_world) -> Path:
    return demo_world(SEED)


@pytest.fixture(scope="module")
def zones(mirror):
    return true_zones(mirror)


def total(zones: dict[str, dict[str, int]], name: str) -> int:
    return sum(counts[name] for counts in zones.values())


# Files


# Contours


def test_iris_tile_their_communes(mirror):
    communes = {}
    for region in (52, 53):
        for feature in json.loads((mirror / f"admin/region_{region}_com.geojson").read_bytes())["features"]:
            communes[feature["properties"]["code"]] = shapely.geometry.shape(feature["geometry"])
    merged = {feature["properties"]["code_commune"] for feature in features_of(mirror)} - communes.keys()
    assert len(merged) == 1  # contours are of 2022: one commune merged in 2024
    pieces = defaultdict(list)
    for code, contour in iris_contours(mirror).items():
        assert contour.is_valid
        pieces[code[:5]].append(contour)
    for code, parts in pieces.items():
        assert shapely.coverage_is_valid(parts)
        whole = communes.get(code)
        if whole is not None and shapely.union_all(parts).area > 0.9 * whole.area:
            assert sum(part.area for part in parts) == pytest.approx(whole.area, rel=1e-7)
            assert shapely.union_all(parts).symmetric_difference(whole).area < 1e-7 * whole.area


def test_codes_and_types_of_iris(mirror):
    rows = rows_of(mirror / REFERENCE)
    kinds = Counter(row["TYP_IRIS"] for row in rows)
    assert len(rows) >= 150
    assert (kinds["D"], set(kinds)) == (1, {"H", "A", "D", "Z"})
    assert kinds["A"] >= 3
    properties = {feature["properties"]["code_iris"]: feature["properties"] for feature in features_of(mirror)}
    assert properties.keys() == {row["CODE_IRIS"] for row in rows}
    for row in rows:
        code, of = row["CODE_IRIS"], properties[row["CODE_IRIS"]]
        assert re.fullmatch(r"\d{9}", code)
        assert code.endswith("0000") == (row["TYP_IRIS"] == "Z") == (of["population"] is None)
        assert (row["DEPCOM"], row["GRD_QUART"]) == (code[:5], code[:7])
        assert of["code_commune"] == row["DEPCOM"]
        assert row["UU2020"].startswith(row["DEP"])
    units = defaultdict(set)
    for row in rows:
        units[row["UU2020"]].add(row["DEPCOM"])
    assert sum(len(communes) > 1 for communes in units.values()) >= 5
    assert {code for code in units if code.endswith("000")} == {"96000", "98000", "99000"}


def test_each_file_holds_iris_of_its_departement(mirror):
    for departement, files in FILES.items():
        for file in files:
            features = json.loads((mirror / f"iris/departements_iris/{file}.geojson").read_bytes())["features"]
            assert {feature["properties"]["code_departement"] for feature in features} == {departement}
            assert set(pq.read_table(mirror / f"iris/agg_iris_{file}.parquet")["dep"].to_pylist()) == {departement}


def test_qpv_cut_iris(mirror):
    iris = [in_metres(shape) for shape in iris_contours(mirror).values()]
    tree = shapely.STRtree(iris)
    touched, covered = [], []
    for shape in qpv_2024(mirror).values():
        parts = [iris[rank].intersection(shape).area for rank in tree.query(shape, predicate="intersects")]
        touched.append(sum(part > 0.02 * shape.area for part in parts))
        covered += [
            part / iris[rank].area for rank, part in zip(tree.query(shape, predicate="intersects"), parts, strict=True)
        ]
    assert max(touched) >= 4
    assert np.mean(np.array(touched) > 1) > 0.5
    assert max(covered) > 0.7  # an IRIS nearly inside a QPV
    assert max(covered) < 0.999


# One population


def test_qpv_of_2024_add_up_to_the_published_digest(mirror, zones):
    seen = 0
    for row in rows_of(mirror / "insee/analyse_qpv.csv", ","):
        true = zones["QPV", "QN2024"][row["codeQPV"]]
        assert true["persons"] == int(row["popMuniQPV"])
        assert true["households"] == float(row["nombre_menages"])
        assert true["social_dwellings"] == float(row["nombre_logements_sociaux"])
        assert true["caf_households"] == float(row["allocataires_CAF"])
        for name, column in (("immigrants", "partPopImmi"), ("foreigners", "partPopEt")):
            assert 100 * true[name] / true["persons"] == pytest.approx(float(row[column]), abs=0.051)
        if row["taux_pauvrete_60%"]:
            assert 100 * true["poor_persons"] / true["persons"] == pytest.approx(
                float(row["taux_pauvrete_60%"]), abs=0.6
            )
        seen += 1
    assert seen == 26  # one QPV is on two lines


def test_every_level_adds_up_to_the_legal_population(mirror, zones):
    territory = build_territory(SEED)
    legal = defaultdict(int)
    for commune in territory.communes(2023):
        for cell in commune.cells[:1]:
            legal[territory.commune_at(cell, 2024).code] += legal_population(commune)[0]
    communes = zones["COM", "COG"]
    assert {code: counts["persons"] for code, counts in communes.items()} == legal
    by_commune = defaultdict(Counter)
    for code, counts in zones["IRIS", "COG"].items():
        here = next(cell for commune in territory.communes(2022) if commune.code == code[:5] for cell in commune.cells)
        by_commune[territory.commune_at(here, 2024).code].update(counts)
    assert {code: dict(counts) for code, counts in by_commune.items()} == communes


@pytest.mark.parametrize("generation", ["QP2015", "QN2024"])
def test_qpv_and_the_rest_of_their_communes_add_up_to_them(zones, generation):
    outside, inside = zones["HQPV", generation], zones["QPV", generation]
    assert len(inside) == {"QP2015": 24, "QN2024": 25}[generation]
    for name in next(iter(inside.values())):
        communes = sum(zones["COM", "COG"][code][name] for code in outside)
        assert total(outside, name) + total(inside, name) == communes


def test_buildings_hold_the_dwellings_of_the_truth(mirror, zones):
    points, count = buildings(mirror)
    assert 10_000 < len(points) < 35_000
    iris = iris_contours(mirror)
    tree = shapely.STRtree([in_metres(shape) for shape in iris.values()])
    place, which = tree.query(shapely.points(points), predicate="intersects")
    assert sorted(place.tolist()) == list(range(len(points)))  # each in one IRIS
    held = np.bincount(which, weights=count[place], minlength=len(iris))
    for code, dwellings in zip(iris, held, strict=True):
        households = zones["IRIS", "COG"][code]["households"]
        assert households <= dwellings <= 1.35 * households + 12
    for code, shape in qpv_2024(mirror).items():
        inside = count[shapely.contains_xy(shape, points[:, 0], points[:, 1])].sum()
        true = zones["QPV", "QN2024"][code]
        assert max(true["households"], true["social_dwellings"]) <= inside <= 1.3 * true["households"]


def test_qpv_are_poorer_than_their_host_iris_which_are_poorer_than_the_rest(zones):
    def share(counts: dict[str, int], part: str, whole: str) -> float:
        return counts[part] / counts[whole]

    for part, whole in (("poor_persons", "persons"), ("immigrants", "persons"), ("social_households", "households")):
        inside = sum(c[part] for c in zones["QPV", "QN2024"].values()) / total(zones["QPV", "QN2024"], whole)
        outside = sum(c[part] for c in zones["HQPV", "QN2024"].values()) / total(zones["HQPV", "QN2024"], whole)
        assert inside > 1.8 * outside
    rates = [share(c, "poor_persons", "persons") for c in zones["IRIS", "COG"].values() if c["persons"] > 500]
    assert np.quantile(rates, 0.95) - np.quantile(rates, 0.05) > 0.15


def test_passages_between_generations(mirror, zones):
    rows = rows_of(mirror / "_verite/passage_qpv.csv", ",")
    weights = {row["code_2015"]: float(row["weight"]) for row in rows}
    assert all(0.5 < weight <= 1 for weight in weights.values())
    assert sum(weight == 1 for weight in weights.values()) >= 8  # unchanged perimeters
    assert 24 - len(weights) == 1  # the one that left
    for row in rows:
        assert int(row["persons"]) <= zones["QPV", "QN2024"][row["code_2024"]]["persons"]
    listed = [{name.strip(): cell for name, cell in row.items()} for row in rows_of(mirror / CORRESPONDENCE)]
    assert all(name != name.strip() for name in columns_of(mirror / CORRESPONDENCE))
    links = {row["QP2015_1"]: row["QP2024"] for row in listed if row["QP2015_1"]}
    assert links == {row["code_2015"]: row["code_2024"] for row in rows}
    assert {row["Statut"] for row in listed} == {"Inchangé", "Modifié", "Nouveau"}


# What files say


def test_compilation_gives_the_true_shares_rounded(mirror, zones):
    table, true = summary(mirror), zones["IRIS", "COG"]
    gone = true.keys() - table.keys()
    assert len(gone) == 1  # merged in 2024, after the contours
    assert sum(row["P22_POP"] for row in table.values()) == total(true, "persons")
    for code in table.keys() & true.keys():
        row, counts = table[code], true[code]
        if counts["persons"] != row["P22_POP"]:
            assert code.endswith("0000")  # the commune that the other joined
            continue
        for column, part, whole in (
            ("dm_imm_pct_22", "immigrants", "persons"),
            ("dm_etr_pct_22", "foreigners", "persons"),
            ("log_lochlm_pct_22", "social_households", "households"),
        ):
            expected = round(100 * counts[part] / counts[whole], 2) if counts[whole] else None
            assert row[column] == pytest.approx(expected) if expected is not None else row[column] is None
        ages = [row[f"dm_{name}_pct_22"] for name in ("0014", "1524", "2554", "5564", "6579", "80p")]
        if counts["persons"]:
            assert sum(ages) == pytest.approx(100, abs=0.05)
    assert any(row["P22_POP"] == 0 and row["dm_imm_pct_22"] is None for row in table.values())
    assert all(row["rev_disp_med_21"] is None for row in table.values() if row["TYP_IRIS"] == "Z")


def test_filosofi_gives_the_true_poverty_or_hides_it(mirror, zones):
    cut = {row["CODE_IRIS"] for row in rows_of(mirror / REFERENCE) if row["TYP_IRIS"] != "Z"}
    for path in FILOSOFI:
        rows, suffix = rows_of(mirror / path), re.search(r"20(\d\d)", path)[1]
        assert {row["IRIS"] for row in rows} <= cut
        hidden = sum(row[f"DISP_TP60{suffix}"] == "" for row in rows)
        assert 0.1 < hidden / len(rows) < 0.3
        assert all(row[f"DISP_MED{suffix}"] for row in rows)
        for row in rows:
            shares = [row[f"DISP_{name}{suffix}"] for name in ("PACT", "PPEN", "PPAT", "PPSOC", "PIMPOT")]
            assert sum(float(share.replace(",", ".")) for share in shares) == pytest.approx(100, abs=0.3)
            if suffix == "19" and row["DISP_TP6019"]:
                true = zones["IRIS", "COG"][row["IRIS"]]
                rate = 100 * true["poor_persons"] / true["persons"]
                assert float(row["DISP_TP6019"].replace(",", ".")) == pytest.approx(rate, abs=0.051)


def test_caf_rows_are_diffused_or_empty(mirror, zones):
    notes = set()
    for path in CAF:
        text = (mirror / path).read_bytes().decode("utf-8-sig")
        assert ("\u202f" in text) == (path in CAF[:2])
        assert (mirror / path).read_bytes().startswith(b"\xef\xbb\xbf") == (path in CAF[:2])
        for row in rows_of(mirror / path):
            names = list(row)[list(row).index("NOTE") + 1 :]
            notes.add(row["NOTE"])
            if row["NOTE"] != "0":
                assert not any(row[name] for name in names)
                continue
            counts = {name: int(row[name].replace("\u202f", "")) for name in names if row[name]}
            assert min(counts.values()) >= 5
            families = [name in counts for name in ("AI", "AM", "ACSSENF", "ACAVENF")]
            assert sum(families) != 3
            if path == CAF[-1]:
                assert counts["A"] == zones["IRIS", "COG"][row["CODGEO"]]["caf_households"]
                if all(families):
                    assert sum(counts[name] for name in ("AI", "AM", "ACSSENF", "ACAVENF")) == counts["A"]
    assert notes == {"0", "2", "3", "4"}


def test_c2s_is_true_or_masked(mirror, zones):
    columns = {"C": "covered", "C_C2SNP": "c2s_free", "C_C2SP": "c2s_paid"}
    masked = 0
    for row in rows_of(mirror / C2S):
        for column, name in columns.items():
            true = zones["IRIS", "COG"][row["CODGEO"]][name]
            masked += row[column] == "ns"
            assert row[column] == ("ns" if 0 < true < 5 else str(true))
    assert masked


def test_tiles_add_up_to_totals_whatever_is_imputed(mirror, zones):
    tiles, natural = rows_of(mirror / TILES, ","), rows_of(mirror / NATURAL, ",")
    names = columns_of(mirror / NATURAL, ",")[3:]
    assert columns_of(mirror / TILES, ",")[6:] == names
    assert len({row["idcar_200m"] for row in tiles}) == len(tiles)
    people = total(zones["COM", "COG"], "persons")
    assert sum(int(row["ind"]) for row in tiles) == sum(int(row["ind"]) for row in natural) == people
    for part, column in (("households", "men"), ("social_dwellings", "log_soc")):
        assert sum(float(row[column]) for row in natural) == total(zones["COM", "COG"], part)
    of_natural = {row["idcar_nat"]: row for row in natural}
    sums = defaultdict(lambda: defaultdict(float))
    for row in tiles:
        for name in names:
            sums[row["idcar_nat"]][name] += float(row[name])
    assert sums.keys() == of_natural.keys()
    for code, held in sums.items():
        for name in names:
            if name != "men_pauv":  # capped tile by tile
                assert held[name] == pytest.approx(float(of_natural[code][name]), abs=0.01)


def test_tiles_of_few_households_are_imputed_and_named_by_their_corner(mirror):
    tiles, natural = rows_of(mirror / TILES, ","), rows_of(mirror / NATURAL, ",")
    corner = re.compile(r"CRS3035RES(\d+)mN(\d+)E(\d+)")
    masked = [row for row in tiles if row["i_est_200"] == "1"]
    assert 0.1 < len(masked) / len(tiles) < 0.8
    assert all(float(row["men"]) >= 11 for row in (*natural, *(row for row in tiles if row["i_est_200"] == "0")))
    assert any(not float(row["men"]).is_integer() for row in masked)
    assert len({row["tmaille"] for row in natural}) >= 3
    for row in tiles:
        side, north, east = map(int, corner.fullmatch(row["idcar_200m"]).groups())
        assert (side, north % 200, east % 200) == (200, 0, 0)
        for name in ("idcar_1km", "idcar_nat"):
            wide, low, left = map(int, corner.fullmatch(row[name]).groups())
            assert low <= north < low + wide
            assert left <= east < left + wide
        assert float(row["men_pauv"]) <= 0.8 * float(row["men"]) + 0.15 or row["i_est_200"] == "1"
        assert re.fullmatch(r"(\d{5})+", row["lcog_geo"])
    assert any(len(row["lcog_geo"]) > 5 for row in tiles)


def test_partner_file_keeps_its_convention(mirror, zones):
    rows = rows_of(mirror / ORS)
    counts = ("n_beneficiaires", "n_asthme", "n_diabete", "n_ald")
    seen, regions = Counter(), Counter()
    for row in rows:
        cells = [row[name] for name in counts]
        whole = row["cla_age_5"] == "tsage"
        assert all(cell in {"", "0", "ns"} or int(cell) >= 11 for cell in cells)
        assert (row["sexe"] == "9") == whole
        if row["niveau"] == "REGION":
            assert all(cells)
            regions[row["code"]] += 1
        elif whole:
            true = zones["IRIS", "COG"][row["code"]]
            for name, cell in zip(("covered", *HEALTH), cells, strict=True):
                assert cell == ("ns" if 0 < true[name] < 11 else str(true[name]))
        else:
            assert cells[0] != ""
            assert cells[1:] == ["", "", ""]
            seen[row["code"]] += 1
    assert set(seen.values()) == set(regions.values()) == {40}
    assert set(seen) == set(zones["IRIS", "COG"])
    assert set(regions) == {"98", "99"}
    assert any(row["n_asthme"] == "ns" for row in rows)


def test_cnam_file_is_rounded_to_tens_and_masked(mirror):
    rows = rows_of(mirror / CNAM)
    assert {(row["region"], row["dept"]) for row in rows} == {("98", "96"), ("98", "98"), ("99", "99"), ("99", "999")}
    assert any(row["Ntop"] == "" == row["prev"] for row in rows)
    assert all(int(row["Npop"]) % 10 == 0 for row in rows)
    keys = [tuple(list(row.values())[:9]) for row in rows]
    assert len(set(keys)) == len(keys)


# What was planted


@pytest.mark.parametrize("rates", ["crude", "standardised"])
@pytest.mark.parametrize("seed", [SEED, 1, 20190101])
def test_all_qpv_but_the_named_one_lie_in_sensitive_zones(demo_world, seed, rates):
    mirror = demo_world(seed)
    codes, index, cut = sensitive(mirror, rates)
    points, count = buildings(mirror)
    tree = shapely.STRtree([in_metres(shape) for shape in iris_contours(mirror).values()])
    place, which = tree.query(shapely.points(points), predicate="intersects")
    iris = np.empty(len(points), dtype=int)
    iris[place] = which
    assert list(iris_contours(mirror)) == codes
    (exception,) = rows_of(mirror / "_verite/contre_exemple.csv", ",")
    for code, shape in qpv_2024(mirror).items():
        inside = shapely.contains_xy(shape, points[:, 0], points[:, 1])
        here, weights = index[iris[inside]], count[inside]
        if code == exception["code"]:
            assert here.max() < cut - 0.5
        else:
            above = weights[here > cut + 0.5].sum() / weights.sum()
            assert above > 0.55, code


def sensitive(mirror: Path, rates: str) -> tuple[list[str], np.ndarray, float]:
    """Codes of IRIS, mean of the z-scores of the three rates, and its third quartile weighted by population."""
    true = true_zones(mirror)["IRIS", "COG"]
    codes = list(iris_contours(mirror))
    people = np.array([true[code]["persons"] for code in codes], dtype=float)
    covered = np.array([true[code]["covered"] for code in codes], dtype=float)
    expected = expected_cases(mirror, codes) if rates == "standardised" else {}
    scores = []
    for name in HEALTH:
        rate = np.array([true[code][name] for code in codes]) / np.maximum(expected.get(name, covered), 1)
        rate = np.clip(rate, *np.quantile(rate[covered > 0], (0.01, 0.99)))
        mean = np.average(rate, weights=people)
        scores.append((rate - mean) / np.sqrt(np.average((rate - mean) ** 2, weights=people)))
    index = np.mean(scores, axis=0)
    order = np.argsort(index)
    reached = np.cumsum(people[order]) / people.sum()
    return codes, index, float(index[order][np.searchsorted(reached, 0.75)])


def expected_cases(mirror: Path, codes: list[str]) -> dict[str, np.ndarray]:
    """Cases that each IRIS would have at the rates of all régions together, from the partner's file as delivered."""

    def count(text: str) -> float:
        return 5.0 if text == "ns" else float(text)

    rows = [row for row in rows_of(mirror / ORS) if row["cla_age_5"] != "tsage"]
    rank = {code: number for number, code in enumerate(codes)}
    reference = defaultdict(Counter)
    for row in rows:
        if row["niveau"] == "REGION":
            for name in ("beneficiaires", *HEALTH):
                reference[row["sexe"], row["cla_age_5"]][name] += count(row[f"n_{name}"])
    found = {name: np.zeros(len(codes)) for name in HEALTH}
    for row in (row for row in rows if row["niveau"] == "IRIS"):
        held = reference[row["sexe"], row["cla_age_5"]]
        for name in HEALTH:
            found[name][rank[row["code"]]] += count(row["n_beneficiaires"]) * held[name] / held["beneficiaires"]
    return found


# Against the real files


@pytest.mark.real_data
def test_contours_and_compilation_have_the_real_columns(mirror, real_data):
    def shape(folder, path):
        content = json.loads((folder / path).read_bytes())
        return list(content), list(content["features"][0]["properties"])

    assert shape(mirror, CONTOURS[0]) == shape(real_data, CONTOURS[0])
    here, there = (pq.read_schema(folder / SUMMARIES[0]) for folder in (mirror, real_data))
    assert set(here.names) <= set(there.names)
    assert [here.field(name).type for name in here.names] == [there.field(name).type for name in here.names]


@pytest.mark.real_data
def test_no_real_iris_or_building_bears_an_invented_code(mirror, real_data):
    real = {row["CODE_IRIS"] for row in rows_of(real_data / REFERENCE)} | {
        row["UU2020"] for row in rows_of(real_data / REFERENCE)
    }
    for row in rows_of(mirror / REFERENCE):
        assert not {row["CODE_IRIS"], row["UU2020"]} & real
    assert len({row["batiment_groupe_id"] for row in rows_of(mirror / BUILDINGS, ",")}) == len(buildings(mirror)[0])
