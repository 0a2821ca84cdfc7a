"""The demonstration city: streets, transit, workplaces, offers and demand in producers' formats, and their truth."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from datetime import date, datetime
from pathlib import Path

import pytest
import shapely

from dagster_project.demo_territory.territory import build_territory, fails_luhn
from tests.demo_city import (
    APPELLATIONS,
    BASINS,
    BMO,
    CITY_FOLDERS,
    COMMUTING,
    DEMAND,
    FEEDS,
    FLAT,
    GTFS,
    MARKET,
    PAGE,
    PARTNER,
    ROME_V3,
    ROME_V4,
    STREETS,
    TOWN,
    Timetable,
    city_ways,
    distances,
    graph_of,
    lines_of,
    members,
    read,
    seconds,
    town_ways,
)
from tests.demo_dwellings import buildings, in_metres, qpv_2024, summary
from tests.demo_files import demo_paths

SEED = 7
SEEDS = (SEED, 20190101)
BOARDS = {"francetravail_offres": PAGE, "francetravail_offres_plat": FLAT, "partenaire_offres": PARTNER}


@pytest.fixture(scope="module", params=SEEDS)
def mirror(request, demo_world) -> Path:
    return demo_world(request.param)


@pytest.fixture(scope="module")
def offers(mirror) -> dict[str, dict[str, dict]]:
    """By board, then by number."""
    page = {offer["id"]: offer for offer in json.loads((mirror / PAGE).read_bytes())["resultats"]}
    flat = {row["id"]: row for row in read(mirror / FLAT)}
    partner = {row["offre_id"]: row for row in read(mirror / PARTNER, ";")}
    return dict(zip(BOARDS, (page, flat, partner), strict=True))


def test_every_file_is_there_and_small(mirror):
    paths = demo_paths(*CITY_FOLDERS)
    assert [path for path in paths if not (mirror / path).is_file()] == []
    assert sum((mirror / path).stat().st_size for path in paths) < 1_250_000


def test_no_person_can_be_reached(mirror):
    for path in demo_paths(*CITY_FOLDERS):
        text = (mirror / path).read_bytes().decode("utf-8", "replace")
        assert not re.search(r"[\w.]+@[\w.]+\.\w", text), path
        assert not re.search(r"\b0[1-9]([ .]?\d\d){4}\b", text) or path.startswith("jobs/bassin"), path
        assert '"contact"' not in text, path


# Streets


def test_streets_carry_the_tags_that_routers_read(mirror):
    lines = lines_of(mirror)
    tags = [line["properties"] for line in lines]
    assert all(isinstance(value, str) for one in tags for value in one.values())
    assert all(one["name"] for one in tags)
    assert {one.get("oneway") for one in tags} == {None, "no", "yes", "-1"}
    assert {one.get("maxspeed") for one in tags} == {None, "50"}
    assert {tags.get("maxspeed") for tags, _ in town_ways(mirror)} == {None, "30"}
    assert Counter(one["highway"] for one in tags)["footway"] == 1
    assert sum(one.get("bridge") == "yes" for one in tags) == 1
    features = json.loads((mirror / STREETS).read_bytes())["features"]
    assert {feature["geometry"]["type"] for feature in features} == {"Point", "LineString"}


def test_the_grid_covers_the_qpv_and_the_homes_of_the_city(mirror):
    points = [point for _, line in city_ways(mirror) for point in line]
    west, south, east, north = shapely.MultiPoint(points).bounds
    zones = [row for row in read(mirror / "_verite/zones.csv") if row["zone_level"] == "QPV"]
    code = next(row["zone_code"] for row in read(mirror / "_verite/zones.csv") if row["name"] == "Port-Brumelle")
    here = [row["zone_code"] for row in zones if code in row["communes"].split()]
    assert {code[:2] for code in here} == {"QP", "QN"}
    box = in_metres(shapely.box(west, south, east, north))
    shapes = qpv_2024(mirror)
    assert all(box.contains(shapes[code]) for code in here if code in shapes)
    homes, _ = buildings(mirror)
    features = json.loads((mirror / "admin/region_52_com.geojson").read_bytes())["features"]
    tile = in_metres(next(shapely.geometry.shape(f["geometry"]) for f in features if f["properties"]["code"] == code))
    inside = homes[shapely.contains_xy(tile, homes[:, 0], homes[:, 1])]
    assert len(inside) > 1_000
    assert shapely.contains_xy(box, inside[:, 0], inside[:, 1]).all()


def test_the_town_is_osm_xml_with_a_byte_order_mark(mirror):
    content = (mirror / TOWN).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf<?xml")
    assert b'<osm version="0.6"' in content
    assert b'v="river"' in content
    assert b"<relation" in content
    assert len(town_ways(mirror)) > 20


@pytest.mark.parametrize("network", ["rennes", "redon"])
def test_true_distances_are_those_of_the_published_streets(mirror, network):
    ways = city_ways(mirror) if network == "rennes" else town_ways(mirror)
    graphs = {mode: graph_of(ways, mode) for mode in ("voiture", "velo", "marche")}
    cases = [row for row in read(mirror / "_verite/rues_distances.csv") if row["reseau"] == network]
    assert len(cases) > 20
    reached = {}
    for row in cases:
        start, end = ((float(row[f"lon_{side}"]), float(row[f"lat_{side}"])) for side in "od")
        if (row["mode"], start) not in reached:
            reached[row["mode"], start] = distances(graphs[row["mode"]], start)
        found = reached[row["mode"], start].get(end)
        assert (found is not None) == (row["atteignable"] == "1"), row["cas"]
        if found is not None:
            assert float(row["metres"]) == pytest.approx(found, abs=0.001), row["cas"]
            assert float(row["metres"]) == pytest.approx(float(row["metres_grille"]), rel=0.002)


def test_true_distances_show_the_bridge_the_one_ways_the_path_and_the_island(mirror):
    cases = {
        (row["origine"], row["destination"], row["mode"]): row
        for row in read(mirror / "_verite/rues_distances.csv")
        if row["reseau"] == "rennes"
    }

    def grid(*key: str) -> float:
        return float(cases[key]["metres_grille"])

    for mode in ("voiture", "velo", "marche"):
        assert grid("rive nord", "rive sud", mode) == 9 * 250  # four blocks to the bridge, over it, four back
    with_it, against = "sens unique, dans le sens", "sens unique, à contresens"
    assert grid(with_it, "chemin", "voiture") == 4 * 250
    assert grid(against, "chemin", "voiture") == grid(against, "chemin", "velo") == 6 * 250
    assert grid(against, "chemin", "marche") == 4 * 250
    assert grid(against, "rue", "voiture") == grid(with_it, "rue", "voiture") + 2 * 250
    assert grid("allée piétonne", "centre", "voiture") == 8 * 250
    assert grid("allée piétonne", "centre", "marche") == pytest.approx(4 * 250 * 2**0.5, abs=0.001)
    islands = [row for (_, end, _), row in cases.items() if end == "île"]
    assert len(islands) > 10
    assert all(row["atteignable"] == "0" and not row["metres"] for row in islands)


def test_seconds_by_car_are_those_of_the_shortest_way_at_the_limit(mirror):
    for row in read(mirror / "_verite/rues_distances.csv"):
        if row["secondes_min"]:
            limit = {"rennes": 50, "redon": 30}[row["reseau"]]
            assert float(row["secondes_min"]) == pytest.approx(float(row["metres"]) / (limit / 3.6), abs=0.001)
            assert row["mode"] == "voiture"


# Transit


def test_the_feed_has_two_bus_lines_and_a_tram_by_frequencies(mirror):
    tables = members(mirror / GTFS)
    routes = read_member(tables["routes.txt"])
    assert sorted(row["route_type"] for row in routes) == ["0", "3", "3"]
    stops = read_member(tables["stops.txt"])
    assert 40 <= len(stops) <= 80
    assert any(ord(char) > 127 for row in stops for char in row["stop_name"])
    trips = {row["trip_id"]: row for row in read_member(tables["trips.txt"])}
    assert {row["direction_id"] for row in trips.values()} == {"0", "1"}
    tram = {row["route_id"] for row in routes if row["route_type"] == "0"}
    frequencies = read_member(tables["frequencies.txt"])
    assert {trips[row["trip_id"]]["route_id"] for row in frequencies} == tram
    assert any(row["headway_secs"] == "360" for row in frequencies)
    times = read_member(tables["stop_times.txt"])
    assert max(seconds(row["arrival_time"]) for row in times) > 25 * 3600
    sequences = [int(row["stop_sequence"]) for row in times if row["trip_id"] == times[0]["trip_id"]]
    assert sorted(sequences) == list(range(1, len(sequences) + 1))
    assert {row["stop_id"] for row in times} == {row["stop_id"] for row in stops}


def read_member(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_true_arrivals_are_those_of_a_scan_of_the_timetable(mirror):
    days: dict[str, Timetable] = {}
    cases = read(mirror / "_verite/tc_arrivees.csv")
    assert len(cases) > 35
    for row in cases:
        timetable = days.setdefault(row["date_service"], Timetable(mirror, date.fromisoformat(row["date_service"])))
        found = timetable.arrival(row["arret_depart"], row["arret_arrivee"], seconds(row["depart"]))
        assert found == (seconds(row["arrivee"]) if row["arrivee"] else None), row
    assert {row["correspondances"] for row in cases} == {"0", "1", ""}
    assert any(row["arrivee"] > "24" for row in cases)


def test_trains_carry_the_difficulties_of_the_real_ones(mirror):
    folders = {feed: mirror / "gtfs" / feed for feed in FEEDS}
    assert not (folders["sncf-tgv-2025"] / "calendar.txt").exists()
    night = read(folders["sncf-intercites-2013"] / "stop_times.txt")
    assert max(row["arrival_time"] for row in night) == "41:18:00"
    cut = folders["sncf-ter-2021-tronque"]
    timed = {row["trip_id"] for row in read(cut / "stop_times.txt")}
    trips = {row["trip_id"] for row in read(cut / "trips.txt")}
    assert timed < trips
    assert len(timed) < 0.2 * len(trips)
    for feed, folder in folders.items():
        known = {row["stop_id"] for row in read(folder / "stops.txt")}
        assert {row["stop_id"] for row in read(folder / "stop_times.txt")} <= known, feed


# Workplaces


def test_establishments_stand_in_the_centre_and_in_an_estate(mirror):
    rows = summary(mirror)
    city = [row for row in rows.values() if row["libelle_com"] == "Port-Brumelle"]
    estate = next(row for row in city if row["TYP_IRIS"] == "A")
    most = sorted((row["ecosi_emp_vol_26"] for row in city), reverse=True)
    assert most[0] == estate["ecosi_emp_vol_26"] > 1.5 * most[1]
    assert most[1] > 2 * most[len(most) // 2]
    for row in rows.values():
        assert (row["ecosi_emp_vol_26"] is None) == (row["ecosi_etab_vol_26"] is None) == (row["TYP_IRIS"] == "Z")
        assert row["ecosi_emp_vol_26"] is None or row["ecosi_emp_vol_26"] <= row["ecosi_etab_vol_26"]
    basins = {row["code_commune_insee"]: row["code_bassin_BMO"] for row in read(mirror / BASINS)}
    assert all(f"{row['ze2020']:.0f}" == basins[row["COM"]] for row in rows.values())


# Offers


def test_offers_have_the_volumes_and_defects_of_the_real_ones(mirror, offers):
    page, flat, partner = (offers[board] for board in BOARDS)
    assert (len(page), len(flat), len(partner)) == (150, 120, 200)
    placed = [offer for offer in page.values() if "latitude" in offer["lieuTravail"]]
    assert 1 <= len(page) - len(placed) <= 15
    assert {offer["nombrePostes"] for offer in page.values()} == {1, 2, 3, 4, 5}
    assert {len(row["commune"]) for row in flat.values()} == {0, 7}
    assert {row["precision"] for row in partner.values()} == {"adresse", "commune"}
    assert {row["rome_version"] for row in partner.values()} == {"v3", "v4"}
    assert all(fails_luhn(row["siret"]) and len(row["siret"]) == 14 for row in partner.values())
    city = Counter(offer["lieuTravail"]["commune"] for offer in placed).most_common(1)[0]
    assert 0.5 * len(placed) < city[1] < len(placed)


def test_most_offers_of_the_partner_are_open_on_the_day_of_the_snapshot(offers):
    page, flat, partner = (offers[board] for board in BOARDS)
    days = [offer["dateCreation"] for offer in page.values()] + [row["date_creation"] for row in flat.values()]
    days += [row["date_creation"] for row in partner.values()]
    snapshot = max(day[:10] for day in days)
    closed = [row for row in partner.values() if row["date_fin"] < snapshot]
    assert 5 <= len(closed) <= 0.15 * len(partner)
    assert all(row["date_creation"] < row["date_fin"] for row in partner.values())


def test_offers_lie_in_their_communes(mirror, offers):
    features = [
        feature
        for region in (52, 53)
        for feature in json.loads((mirror / f"admin/region_{region}_com.geojson").read_bytes())["features"]
    ]
    communes = {f["properties"]["code"]: shapely.geometry.shape(f["geometry"]) for f in features}
    for offer in offers["francetravail_offres"].values():
        place = offer["lieuTravail"]
        if "commune" in place:
            assert shapely.contains_xy(communes[place["commune"]], place["longitude"], place["latitude"]), offer["id"]
    for row in offers["partenaire_offres"].values():
        assert row["commune_insee"] in communes
        if row["lon"]:
            assert shapely.contains_xy(communes[row["commune_insee"]], float(row["lon"]), float(row["lat"]))


def test_codes_of_offers_are_in_the_lists_of_their_version(mirror, offers):
    old, new = ({row["code_rome"] for row in read(mirror / path)} for path in (ROME_V3, ROME_V4))
    parents = {row["code_rome_parent"] for row in read(mirror / ROME_V4)}
    assert (len(old), len(new)) == (60, 92)
    assert parents == old
    assert {row["code_rome"] for row in read(mirror / APPELLATIONS)} == old
    assert {offer["romeCode"] for offer in offers["francetravail_offres"].values()} <= new
    for row in offers["partenaire_offres"].values():
        assert row["code_rome"] in (old if row["rome_version"] == "v3" else new)


def facts(board: str, row: dict) -> tuple[str, str, datetime, str]:
    """Occupation, commune, day and bare title."""
    if board == "francetravail_offres":
        found = row["romeCode"], row["lieuTravail"].get("commune", ""), row["dateCreation"], row["intitule"]
    elif board == "francetravail_offres_plat":
        found = row["rome_code"], row["commune"].removesuffix(".0"), row["date_creation"], row["intitule"]
    else:
        found = row["code_rome"], row["commune_insee"], row["date_creation"], row["intitule"]
    code, commune, created, title = found
    bare = re.sub(r"[^a-z]+", " ", title.lower().replace("h/f", "")).strip()
    return code, commune, datetime.fromisoformat(created[:10]), bare


def test_pairs_said_to_be_one_offer_are_the_only_likely_ones(mirror, offers):
    parent = {row["code_rome"]: row["code_rome_parent"] for row in read(mirror / ROME_V4)}
    pairs = read(mirror / "_verite/doublons_offres.csv")
    assert Counter((pair["doublon"], pair["raison"]) for pair in pairs) == {
        ("1", "republiée"): 6,
        ("1", "chez le partenaire"): 20,
        ("1", "même identifiant"): 15,
        ("0", "trop tard"): 4,
        ("0", "autre intitulé"): 4,
        ("0", "autre commune"): 4,
    }
    said = {
        frozenset(((pair["source_a"], pair["offre_a"]), (pair["source_b"], pair["offre_b"])))
        for pair in pairs
        if pair["doublon"] == "1"
    }
    groups: dict[tuple[str, str, str], list[tuple[datetime, tuple[str, str]]]] = defaultdict(list)
    for board, rows in offers.items():
        for number, row in rows.items():
            code, commune, created, title = facts(board, row)
            if commune:
                groups[parent[code], commune, title].append((created, (board, number)))
    found = {
        frozenset((first, second))
        for members_ in groups.values()
        for rank, (one, first) in enumerate(members_)
        for other, second in members_[rank + 1 :]
        if abs((one - other).days) <= 7
    }
    numbers = {pair for pair in said if len({number for _, number in pair}) == 1}
    assert found <= said
    assert said - found <= numbers  # an offer without commune is known by its number only


# Demand


def test_demand_follows_the_rules_of_the_convention(mirror):
    rows = read(mirror / DEMAND, ";")
    assert {row["generation"] for row in rows} == {"QP2015", "QN2024"}
    assert {len(row["code_qpv"]) for row in rows} == {8}
    shown = {row["n_demandeurs"] for row in rows}
    assert {"ns", "0"} <= shown
    assert not {"1", "2", "3", "4"} & shown
    true = {
        (row["zone_code"], row["code_rome"]): int(row["n_demandeurs"])
        for row in read(mirror / "_verite/demande_rome.csv")
    }
    for row in rows:
        value = true.get((row["code_qpv"], row["code_rome"]), 0)
        assert row["n_demandeurs"] == ("ns" if 0 < value < 5 else str(value))
    homes, counts = buildings(mirror)
    present = {row["code_qpv"] for row in rows}
    for code, shape in qpv_2024(mirror).items():
        dwellings = counts[shapely.contains_xy(shape, homes[:, 0], homes[:, 1])].sum()
        assert (code in present) == (dwellings >= 500), (code, dwellings)
    assert len(present) < len({code for code, _ in true})


def test_some_occupations_are_sought_and_never_offered(mirror, offers):
    parent = {row["code_rome"]: row["code_rome_parent"] for row in read(mirror / ROME_V4)}
    offered = {parent[facts(board, row)[0]] for board, rows in offers.items() for row in rows.values()}
    sought = {row["code_rome"] for row in read(mirror / DEMAND, ";") if row["n_demandeurs"] not in ("0", "ns")}
    assert {"C1503", "G1201", "K2107", "M1402"} <= sought - offered


def test_larger_areas_hold_the_seekers_of_smaller_ones(mirror):
    records = json.loads((mirror / MARKET).read_bytes())
    assert {tuple(record) for record in records} == {
        ("codeTypeTerritoire", "codeTerritoire", "codeRome", "valeur", "periode")
    }
    assert min(record["valeur"] for record in records) >= 5
    value = {(r["codeTypeTerritoire"], r["codeTerritoire"], r["codeRome"]): r["valeur"] for r in records}
    zones = [row for row in read(mirror / "_verite/zones.csv") if row["zone_level"] in ("EPCI", "DEP")]
    for zone in zones:
        for job in {key[2] for key in value}:
            parts = sum(value.get(("COM", code, job), 0) for code in zone["communes"].split())
            assert parts <= value.get((zone["zone_level"], zone["zone_code"], job), 4)
    levels = {level for level, *_ in value}
    assert levels == {"COM", "EPCI", "DEP"}


def test_communes_have_shares_of_modes_and_a_basin(mirror):
    lines = (mirror / COMMUTING).read_bytes().decode("utf-8-sig").split("\r\n")
    assert lines[0].startswith("Insee - Statistiques locales")
    rows = [line.split(";") for line in lines[3:]]
    territory = build_territory(SEED)
    assert len(rows) == len(territory.communes(2024)) == len(read(mirror / BASINS))
    assert sum("N/A" in cell for row in rows for cell in row) == 4
    assert all(0 <= float(cell) <= 100 for row in rows for cell in row[2:] if "N/A" not in cell)
    needs = read(mirror / BMO)
    assert {row["BE24"] for row in needs} == {row["code_bassin_BMO"] for row in read(mirror / BASINS)}
    assert any(row["xmet"] == "*" for row in needs)


# Against the real files


@pytest.mark.real_data
def test_other_formats_are_those_of_the_real_ones(mirror, real_data):
    here, there = (members(folder / GTFS) for folder in (mirror, real_data))
    assert here.keys() - there.keys() == {"frequencies.txt"}
    assert there.keys() <= here.keys()
    for name, text in there.items():
        assert here[name].split("\r\n")[0] == text.split("\r\n")[0], name
    pages = [json.loads((folder / PAGE).read_bytes()) for folder in (mirror, real_data)]
    assert list(pages[0]) == list(pages[1])
    keys, known = ({key for offer in page["resultats"] for key in offer} for page in pages)
    assert keys <= known
    assert {key for key in known if all(key in offer for offer in pages[1]["resultats"])} <= keys
    for part in ("lieuTravail", "entreprise", "salaire", "origineOffre"):
        small, large = ({key for offer in page["resultats"] for key in offer[part]} for page in pages)
        assert small <= large
    roads = [json.loads((folder / STREETS).read_bytes()) for folder in (mirror, real_data)]
    assert list(roads[0]) == list(roads[1])
    tags, used = ({key for feature in road["features"] for key in feature["properties"]} for road in roads)
    assert tags <= used
    titles = [(folder / COMMUTING).read_bytes().split(b"\r\n")[:3] for folder in (mirror, real_data)]
    assert titles[0] == titles[1]
    heads = [(folder / TOWN).read_bytes()[:41] for folder in (mirror, real_data)]
    assert heads[0] == heads[1]
