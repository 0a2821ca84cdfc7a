"""The city, its transit, its work: every file about reaching work, and their truth."""

from __future__ import annotations

from dagster_project.demo_territory import (
    labour_files,
    offer_files,
    rome,
    seekers,
    street_files,
    street_truth,
    trains,
    transit_files,
    transit_truth,
)
from dagster_project.demo_territory.dwellings import Dwellings
from dagster_project.demo_territory.offers import build_offers
from dagster_project.demo_territory.streets import build_city, build_town
from dagster_project.demo_territory.transit import build_transit
from dagster_project.demo_territory.workplaces import estate_node, suburb_node


def files(dwellings: Dwellings) -> dict[str, bytes]:
    """Path to bytes."""
    territory, ground = dwellings.territory, dwellings.ground
    city, town = build_city(territory, ground), build_town(territory, ground)
    estate = estate_node(dwellings, city)
    transit = build_transit(city, estate, suburb_node(dwellings, city, estate))
    found = street_files.files(territory, city, town) | transit_files.file(transit)
    found |= street_truth.file(territory, ground, (city, town), estate) | transit_truth.file(transit)
    found |= trains.files(territory, ground, city, town) | rome.files() | labour_files.files(territory)
    found |= offer_files.files(build_offers(dwellings, city, estate))
    return found | seekers.files(territory, seekers.build_seekers(dwellings))
