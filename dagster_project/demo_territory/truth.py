"""True values, unmasked and unrounded, for tests that compare what is published with what is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dagster_project.demo_territory import names
from dagster_project.demo_territory.admin import legal_population
from dagster_project.demo_territory.filosofi import LEVELS, FilosofiTable
from dagster_project.demo_territory.population import POP_CENSUS, Latent, census
from dagster_project.demo_territory.qpv_files import DIGEST_YEAR, Digest
from dagster_project.demo_territory.qpv_table import Table
from dagster_project.demo_territory.territory import Commune, Qpv, Territory, region_of
from dagster_project.demo_territory.writers import csv_bytes

FOLDER = "_verite"
ZONE_COLUMNS = (
    "zone_code",
    "generation",
    "zone_level",
    "name",
    "communes",
    "epci",
    "departement",
    "region",
    "population",
)
VALUE_COLUMNS = ("dataset", "edition", "zone_level", "zone_code", "generation", "variable", "value", "masked")
LINK_COLUMNS = ("code_2024", "statut", "code_2015")


def files(
    territory: Territory,
    latent: dict[str, Latent],
    tables: list[Table],
    comparators: list[FilosofiTable],
    digest: Digest,
) -> dict[str, bytes]:
    """zones.csv (lists joined by a space), valeurs.csv and correspondance.csv: UTF-8, comma, decimal point."""
    values: list[list[str]] = []
    for table in tables:
        values.extend(_qpv_values(table))
    for comparator in comparators:
        values.extend(_comparator_values(comparator))
    values.extend(_digest_values(digest))
    links = [[qpv.code, qpv.statut, qpv.parent or ""] for qpv in territory.qpv2024]
    content = {
        "zones": (ZONE_COLUMNS, list(_zones(territory, latent))),
        "valeurs": (VALUE_COLUMNS, values),
        "correspondance": (LINK_COLUMNS, links),
    }
    return {
        f"{FOLDER}/{name}.csv": csv_bytes(header, rows, separator=",", line_end="\n")
        for name, (header, rows) in content.items()
    }


def _zones(territory: Territory, latent: dict[str, Latent]) -> Iterator[list[str]]:
    for generation, qpvs, year, reference in (
        ("QP2015", territory.qpv2015, 2015, POP_CENSUS[2021]),
        ("QN2024", territory.qpv2024, 2024, DIGEST_YEAR),
    ):
        people = census(latent[generation], reference, territory.seed, generation)["POP"]
        for qpv, count in zip(qpvs, people, strict=True):
            yield _qpv_zone(qpv, territory.communes_of(qpv, year), int(count))
    communes = territory.communes(2024)
    population = {commune.code: legal_population(commune)[0] for commune in communes}
    for commune in communes:
        place = [commune.code, commune.epci or "", commune.departement, commune.region]
        yield [commune.code, "", "COM", commune.name, *place, str(population[commune.code])]
    for level, labels in (
        ("EPCI", {row[0]: row[2] for row in territory.epci}),
        ("DEP", names.DEPARTEMENTS),
        ("REG", names.REGIONS),
        ("FRM", {"1": names.PAYS}),
    ):
        for code, label in labels.items():
            held = [commune for commune in communes if _key(commune, level) == code]
            total = sum(population[commune.code] for commune in held)
            departement = code if level == "DEP" else ""
            region = region_of(code) if level == "DEP" else code if level == "REG" else ""
            epci = code if level == "EPCI" else ""
            inside = " ".join(commune.code for commune in held)
            yield [code, "", level, label, inside, epci, departement, region, str(total)]


def _key(commune: Commune, level: str) -> str | None:
    return {"EPCI": commune.epci, "DEP": commune.departement, "REG": commune.region, "FRM": "1"}[level]


def _qpv_zone(qpv: Qpv, communes: tuple[Commune, ...], population: int) -> list[str]:
    codes = " ".join(commune.code for commune in communes)
    epci = " ".join(sorted({commune.epci for commune in communes if commune.epci}))
    first = communes[0]
    return [qpv.code, qpv.generation, "QPV", qpv.name, codes, epci, first.departement, first.region, str(population)]


def _qpv_values(table: Table) -> Iterator[list[str]]:
    edition, codes = table.edition, [*table.codes, "Ensemble"]
    for variable, values in table.truth.items():
        hidden = table.hidden.get(variable, np.zeros(len(table.codes), dtype=np.bool_))
        for code, value, masked in zip(codes, values, [*hidden, False], strict=True):
            level = "ENSEMBLE" if code == "Ensemble" else "QPV"
            if not np.isnan(value):
                place = (edition.dataset, edition.vintage, level, code, "QP2015", variable)
                yield [*place, *_shown(value, masked=bool(masked))]


def _comparator_values(table: FilosofiTable) -> Iterator[list[str]]:
    for variable, values in table.truth.items():
        for row, (code, value) in enumerate(zip(table.codes, values, strict=True)):
            place = (table.dataset, str(table.year), LEVELS[table.level], code, "", variable)
            yield [*place, *_shown(value, masked=table.hidden(variable, row))]


def _digest_values(digest: Digest) -> Iterator[list[str]]:
    for variable, values in digest.truth.items():
        for rank, (qpv, value) in enumerate(zip(digest.territory.qpv2024, values, strict=True)):
            place = ("anct_analyse_qpv", "2024", "QPV", qpv.code, "QN2024", variable)
            yield [*place, *_shown(value, masked=digest.hidden(variable, rank))]


def _shown(value: float, *, masked: bool) -> tuple[str, str]:
    return str(int(value)) if float(value).is_integer() else f"{value:.6f}", "1" if masked else "0"
