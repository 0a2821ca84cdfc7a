"""True counts of zones, from dwellings: what estimates from IRIS and tiles are judged against."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dagster_project.demo_territory.dwellings import Dwellings
from dagster_project.demo_territory.health import is_counter_example
from dagster_project.demo_territory.population import Ints
from dagster_project.demo_territory.truth import FOLDER
from dagster_project.demo_territory.writers import csv_bytes

GEOGRAPHY = 2024
PASSAGE_COLUMNS = ("code_2015", "code_2024", "persons", "weight")
COUNTER_EXAMPLE_COLUMNS = ("code", "name", "claim")
CLAIM = "tous les QPV sont dans des zones sensibles"


def files(dwellings: Dwellings) -> dict[str, bytes]:
    """zones_logements.csv, passage_qpv.csv and contre_exemple.csv: UTF-8, comma, decimal point."""
    content = {
        "zones_logements": (("zone_level", "zone_code", "generation", *dwellings.counts), list(_zones(dwellings))),
        "passage_qpv": (PASSAGE_COLUMNS, list(_passages(dwellings))),
        "contre_exemple": (
            COUNTER_EXAMPLE_COLUMNS,
            [[qpv.code, qpv.name, CLAIM] for qpv in dwellings.territory.qpv2024 if is_counter_example(qpv)],
        ),
    }
    return {
        f"{FOLDER}/{name}.csv": csv_bytes(header, rows, separator=",", line_end="\n")
        for name, (header, rows) in content.items()
    }


def _zones(dwellings: Dwellings) -> Iterator[list[str]]:
    """QPV of both generations, the rest of their communes (HQPV, by code of commune), IRIS, communes."""
    territory = dwellings.territory
    cells = [territory.commune_at(cell, GEOGRAPHY).code for cell in dwellings.settlement.cells]
    codes = sorted(set(cells))
    commune = np.array([codes.index(code) for code in cells])[dwellings.settlement.cell]
    for generation, qpvs, zone in _generations(dwellings):
        yield from _rows(dwellings, "QPV", generation, qpvs, zone)
        hosts = np.unique(commune[zone >= 0])
        outside = np.where((zone < 0) & np.isin(commune, hosts), np.searchsorted(hosts, commune), -1)
        yield from _rows(dwellings, "HQPV", generation, [codes[host] for host in hosts], outside)
    yield from _rows(dwellings, "IRIS", "COG", [iris.code for iris in dwellings.zones], dwellings.iris)
    yield from _rows(dwellings, "COM", "COG", codes, commune)


def _generations(dwellings: Dwellings) -> Iterator[tuple[str, list[str], Ints]]:
    yield "QP2015", [qpv.code for qpv in dwellings.territory.qpv2015], dwellings.qp2015
    yield "QN2024", [qpv.code for qpv in dwellings.territory.qpv2024], dwellings.qn2024


def _rows(dwellings: Dwellings, level: str, generation: str, codes: list[str], zone: Ints) -> Iterator[list[str]]:
    sums = [dwellings.by_zone(values, zone, len(codes)) for values in dwellings.counts.values()]
    for rank, code in enumerate(codes):
        yield [level, code, generation, *(str(int(column[rank])) for column in sums)]


def _passages(dwellings: Dwellings) -> Iterator[list[str]]:
    """Share of the persons of each QPV of 2015 that live in each QPV of 2024."""
    territory, people = dwellings.territory, dwellings.counts["persons"]
    old = dwellings.by_zone(people, dwellings.qp2015, len(territory.qpv2015))
    both = (dwellings.qp2015 >= 0) & (dwellings.qn2024 >= 0)
    pairs, rank = np.unique(
        np.column_stack([dwellings.qp2015[both], dwellings.qn2024[both]]), axis=0, return_inverse=True
    )
    for (before, after), persons in zip(pairs, np.bincount(rank.reshape(-1), weights=people[both]), strict=True):
        codes = [territory.qpv2015[before].code, territory.qpv2024[after].code]
        yield [*codes, str(int(persons)), f"{persons / old[before]:.9f}"]
