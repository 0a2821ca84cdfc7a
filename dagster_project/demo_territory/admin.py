"""Administrative files: INSEE's code officiel géographique, legal populations, EPCI, and contours."""

from __future__ import annotations

from typing import Any

from dagster_project.demo_territory import names
from dagster_project.demo_territory.geometry import Geometry
from dagster_project.demo_territory.income import persons_at
from dagster_project.demo_territory.territory import (
    Cell,
    Commune,
    Territory,
    capitals,
    fails_luhn,
    region_of,
    strip_article,
)
from dagster_project.demo_territory.writers import csv_bytes, geojson, words, xlsx

COMMUNE_COLUMNS = words("TYPECOM COM REG DEP CTCD ARR TNCC NCC NCCENR LIBELLE CAN COMPARENT")
MOVE_COLUMNS = words(
    "MOD DATE_EFF TYPECOM_AV COM_AV TNCC_AV NCC_AV NCCENR_AV LIBELLE_AV "
    "TYPECOM_AP COM_AP TNCC_AP NCC_AP NCCENR_AP LIBELLE_AP"
)
POPULATION_COLUMNS = words("REG Région DEP CODARR CODCAN CODCOM COM Commune PMUN PCAP PTOT")
EPCI_COLUMNS = words(
    "dept siren raison_sociale nature_juridique mode_financ nb_membres total_pop_tot total_pop_mun "
    "dep_com insee siren_membre nom_membre ptot_2024 pmun_2024"
)
LEGAL_POPULATION_YEAR, LEGAL_GEOGRAPHY = 2021, 2023
SHEET = "Epcicom2024"


def communes_csv(territory: Territory, year: int) -> bytes:
    """COG of a year: communes, then « communes déléguées » of the mergers before it, whose codes repeat."""
    rows = [_commune_row(commune) for commune in territory.communes(year)]
    for merger in territory.mergers:
        if merger.date <= f"{year}-01-01":
            for cell in merger.before:
                old = territory.commune_at(cell, int(merger.date[:4]) - 1)
                parent = territory.commune_at(cell, year).code
                rows.append(["COMD", old.code, "", "", "", "", *_names(old.name), "", parent])
    return csv_bytes(COMMUNE_COLUMNS, rows, separator=",")


def _commune_row(commune: Commune) -> list[str]:
    departement, canton = commune.departement, f"{commune.departement}{1 + int(commune.code[2:]) % 7:02d}"
    place = [commune.region, departement, f"{departement}D", f"{departement}1"]
    return ["COM", commune.code, *place, *_names(commune.name), canton, ""]


def _names(name: str) -> list[str]:
    """TNCC, NCC, NCCENR, LIBELLE."""
    kind, bare = strip_article(name)
    return [str(kind), capitals(bare), bare, name]


def departements_csv(territory: Territory) -> bytes:
    """COG of départements; the chief town is the most populated commune."""
    rows = []
    for code, name in names.DEPARTEMENTS.items():
        chief = max((c for c in territory.communes(2024) if c.departement == code), key=lambda c: c.pop)
        rows.append([code, region_of(code), chief.code, *_names(name)])
    return csv_bytes(("DEP", "REG", "CHEFLIEU", "TNCC", "NCC", "NCCENR", "LIBELLE"), rows, separator=",")


def regions_csv(territory: Territory) -> bytes:
    """COG of régions."""
    rows = []
    for code, name in names.REGIONS.items():
        chief = max((c for c in territory.communes(2024) if c.region == code), key=lambda c: c.pop)
        rows.append([code, chief.code, *_names(name)])
    return csv_bytes(("REG", "CHEFLIEU", "TNCC", "NCC", "NCCENR", "LIBELLE"), rows, separator=",")


def moves_csv(territory: Territory) -> bytes:
    """History of communes, latest first: 32 is a merger into a new commune, 10 a change of name."""
    rows: list[list[str]] = []
    for merger in territory.mergers:
        after = territory.commune_at(merger.before[0], int(merger.date[:4]))
        for cell in merger.before:
            old = territory.commune_at(cell, int(merger.date[:4]) - 1)
            before = ["32", merger.date, "COM", old.code, *_names(old.name)]
            rows.append([*before, "COMD", old.code, *_names(old.name)])
            rows.append([*before, "COM", after.code, *_names(after.name)])
    former, latter = names.RENAMED_2022
    code = territory.commune_at(territory.cell_of[former], 2022).code
    rows.append(["10", "2022-01-01", "COM", code, *_names(former), "COM", code, *_names(latter)])
    rows.sort(key=lambda row: (-int(row[1].replace("-", "")), row[3]))
    return csv_bytes(MOVE_COLUMNS, rows, separator=",")


def populations_csv(territory: Territory) -> bytes:
    """Legal populations 2021; communes merged on 1 January 2024 are still apart, as in the real file."""
    rows = []
    for commune in territory.communes(LEGAL_GEOGRAPHY):
        own, apart = legal_population(commune)
        canton = f"{1 + int(commune.code[2:]) % 7:02d}"
        place = [commune.region, names.REGIONS[commune.region], commune.departement, "1", canton, commune.code[2:]]
        rows.append([*place, commune.code, commune.name, str(own), str(apart), str(own + apart)])
    return csv_bytes(POPULATION_COLUMNS, rows)


def legal_population(commune: Commune) -> tuple[int, int]:
    """PMUN and PCAP (counted apart)."""
    own = persons_at(commune, LEGAL_POPULATION_YEAR)
    return own, round(0.012 * own)


def epci_xlsx(territory: Territory) -> bytes:
    """Composition of EPCI at 1 January 2024, largest member first; a commune outside any EPCI is absent."""
    rows: list[list[str | int]] = [list(EPCI_COLUMNS)]
    communes = territory.communes(2024)
    for siren, nature, name, tax, _ in territory.epci:
        members = sorted((c for c in communes if c.epci == siren), key=lambda c: (-c.pop, c.code))
        populations = [legal_population(commune) for commune in members]
        own, total = sum(pair[0] for pair in populations), sum(sum(pair) for pair in populations)
        seat = members[0].departement
        for commune, (municipal, apart) in zip(members, populations, strict=True):
            group: list[str | int] = [seat, int(siren), name, nature, tax, len(members), total, own]
            who: list[str | int] = [commune.departement, commune.code, _member_siren(commune), commune.name]
            rows.append([*group, *who, municipal + apart, municipal])
    return xlsx(SHEET, rows)


def _member_siren(commune: Commune) -> int:
    stem = f"21{commune.departement}{int(commune.code[2:]):04d}"
    return next(int(f"{stem}{digit}") for digit in range(10) if fails_luhn(f"{stem}{digit}"))


def contours(territory: Territory, geometry: Geometry) -> dict[str, bytes]:
    """Contours by région, at the mirror's paths: the files named 52 and 53 hold régions 98 and 99.

    An EPCI over two régions is whole in both, as the real ones are.
    """
    from shapely import Polygon, union_all
    from shapely.geometry import mapping

    tiles = {cell: Polygon(ring) for cell, ring in geometry.tiles.items()}
    communes = territory.communes(2024)

    def feature(code: str, name: str, cells: list[Cell]) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"code": code, "nom": name}, mapping(union_all([tiles[cell] for cell in cells]))

    def cells_of(kept: list[Commune]) -> list[Cell]:
        return [cell for commune in kept for cell in commune.cells]

    found: dict[str, bytes] = {}
    for stem, region in (("region_52", "98"), ("region_53", "99")):
        here = [commune for commune in communes if commune.region == region]
        sirens = sorted({commune.epci for commune in here if commune.epci})
        layers = {
            "com": [feature(c.code, c.name, list(c.cells)) for c in here],
            "epci": [
                feature(siren, territory.epci_name(siren), cells_of([c for c in communes if c.epci == siren]))
                for siren in sirens
            ],
            "dep": [
                feature(code, name, cells_of([c for c in here if c.departement == code]))
                for code, name in names.DEPARTEMENTS.items()
                if region_of(code) == region
            ],
        }
        found |= {
            f"admin/{stem}_{layer}.geojson": geojson(features, ascii_only=True) for layer, features in layers.items()
        }
    return found
