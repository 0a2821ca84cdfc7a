"""What the Python assets of access to work make their tables of: homes, places of work, journeys, networks, offers."""

from __future__ import annotations

from dagster_project.geo.destinations import OFFERS
from dagster_project.geo.dwellings import DWELLINGS
from dagster_project.geo.origins import IRIS_PEOPLE
from dagster_project.geo.tiles import MESHES, PEOPLE
from dagster_project.lineage.origins import ROWS, Column, Condition, Origin, Relation
from dagster_project.routing.bundles import road_datasets, transit_datasets
from dagster_project.sources.catalogue import load_catalogue

CONTOURS = ("derived", "zone_geometries")
TILES, TILE = MESHES["200m"]
PLACED = {
    "francetravail_offres": ("lieuTravail",),
    "francetravail_offres_plat": ("longitude", "latitude"),
    "partenaire_offres": ("lon", "lat"),
}
KEY = ("zone_level", "zone_code", "generation")


def access_tables() -> dict[str, Relation]:
    """Relations by name of the table under `derived`."""
    return {
        "origins": _origins(),
        "destinations": _destinations(),
        "travel_times": _travel_times(),
        "networks": _networks(),
        "transit_supply": _supply(),
        "offres_vues": _seen(),
    }


def _homes() -> frozenset[Column]:
    """Where people live: dwellings, else tiles, else contours under the population of their IRIS."""
    dwellings = {("raw", DWELLINGS, name) for name in ("x", "y", "nb_log")}
    tiles = {("raw", TILES, TILE), ("raw", TILES, PEOPLE)}
    return frozenset({*dwellings, *tiles, (*CONTOURS, "geometry_wkb"), ("raw", IRIS_PEOPLE, "P22_POP")})


def _roads() -> frozenset[Column]:
    return frozenset(("raw", name, "empreinte") for name in road_datasets(load_catalogue().values()))


def _timetables() -> frozenset[Column]:
    return frozenset(("raw", name, "empreinte") for name in transit_datasets(load_catalogue().values()))


def _offers() -> frozenset[Column]:
    assert PLACED.keys() == OFFERS.keys()  # noqa: S101 - a new source of offers has places to declare
    return frozenset(("raw", table, name) for table, names in PLACED.items() for name in names)


def _zone() -> dict[str, Origin]:
    return {name: Origin(frozenset({(*CONTOURS, name)})) for name in KEY}


def _rows(*columns: frozenset[Column]) -> frozenset[Condition]:
    return frozenset({((*CONTOURS, ROWS), "from"), *((column, "join") for group in columns for column in group)})


def _relation(columns: dict[str, Origin], rows: frozenset[Condition]) -> Relation:
    return Relation(tuple(columns.items()), rows)


def _origins() -> Relation:
    homes = Origin(_homes())
    named = ("origin_rank", "weight", "x_m", "y_m", "lon", "lat", "basis")
    departement = {"departement": Origin(frozenset({(*CONTOURS, "zone_code")}))}
    return _relation({**_zone(), **dict.fromkeys(named, homes), **departement}, _rows(_homes()))


def _destinations() -> Relation:
    place = Origin(_offers() | {(*CONTOURS, "geometry_wkb")})
    identifier = Origin(_offers() | {(*CONTOURS, "zone_code")})
    columns = {"destination_id": identifier, "kind": Origin(constants=frozenset({"'lieux_emploi'", "'offres'"}))}
    columns |= dict.fromkeys(("lon", "lat", "x_m", "y_m"), place)
    return _relation({**columns, "departement": Origin(frozenset({(*CONTOURS, "zone_code")}))}, _rows(_offers()))


def _travel_times() -> Relation:
    ends = _homes() | _offers()
    by_road, by_transit = Origin(ends | _roads()), Origin(ends | _roads() | _timetables())
    modes = Origin(constants=frozenset(f"'{mode}'" for mode in ("voiture", "velo", "marche", "tc")))
    moments = Origin(constants=frozenset({"'aller'", "'retour'"}))
    columns = {**_zone(), "origin_rank": Origin(_homes())}
    columns |= {"destination_id": Origin(_offers() | {(*CONTOURS, "zone_code")})}
    columns |= {"kind": Origin(constants=frozenset({"'lieux_emploi'", "'offres'"})), "mode": modes, "moment": moments}
    columns |= dict.fromkeys(("seconds", "seconds_p25", "seconds_p75"), by_transit)
    columns |= {"metres": by_road, "road_vintage": Origin(_roads())}
    columns |= dict.fromkeys(("transit_vintage", "service_date"), Origin(_timetables()))
    return _relation(columns, _rows(ends, _roads(), _timetables()))


def _networks() -> Relation:
    received = Origin(_roads() | _timetables())
    names = ("dataset", "vintage", "file", "kind", "status", "reason_fr", "problem", "problem_count", "problem_fr")
    return _relation(dict.fromkeys(names, received), frozenset((column, "from") for column in received.values))


def _supply() -> Relation:
    served = Origin(_homes() | _timetables())
    people = dict.fromkeys(("frequent_people", "people", "coverage"), served)
    dates = dict.fromkeys(("transit_vintage", "service_date"), Origin(_timetables()))
    return _relation({**_zone(), "departures": served, **people, **dates}, _rows(_homes(), _timetables()))


def _seen() -> Relation:
    """Days on which offers were seen: of harvests in the archive, of which the raw table holds the last."""
    offer = Origin(frozenset({("raw", "francetravail_offres", "id")}))
    columns = {"offre_id": offer, "departement": Origin(frozenset({("raw", "francetravail_offres", "lieuTravail")}))}
    columns |= dict.fromkeys(("premiere_vue", "derniere_vue", "disparue_le"), offer)
    return _relation(columns, frozenset({(("raw", "francetravail_offres", ROWS), "from")}))
