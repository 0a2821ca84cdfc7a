"""Files of IRIS: contours, INSEE's list of IRIS, the compilation of the census, dwellings by building."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_project.demo_territory import names
from dagster_project.demo_territory.dwellings import Dwellings
from dagster_project.demo_territory.iris import Iris
from dagster_project.demo_territory.iris_income import IrisIncomes
from dagster_project.demo_territory.population import Floats, Ints
from dagster_project.demo_territory.territory import Cell, Commune, Territory, stream
from dagster_project.demo_territory.workplaces import establishments, zone_of
from dagster_project.demo_territory.writers import csv_bytes, geojson

# The nine files of the mirror share the three fictitious départements.
FILES = {"96": ("22", "29", "35"), "98": ("44", "49", "53"), "99": ("56", "72", "85")}
NOT_CUT = "(commune non irisée)"
REFERENCE_COLUMNS = ("CODE_IRIS", "LIB_IRIS", "TYP_IRIS", "GRD_QUART", "DEPCOM", "LIBCOM", "UU2020", "REG", "DEP")
REFERENCE_YEAR, SUMMARY_YEAR = 2021, 2024
AGES = {"0014": (0, 15), "1524": (15, 25), "2554": (25, 55), "5564": (55, 65), "6579": (65, 80), "80p": (80, 999)}


def urban_unit(territory: Territory, cell: Cell) -> str:
    """Code of the unité urbaine of 2020; « 96000 » for a rural commune of the département."""
    here = next(commune for commune in territory.base if commune.cells[0] == cell)
    units = (code for code, members in names.URBAN_UNITS.items() if here.name in members)
    return next(units, f"{here.departement}000")


def share_out(zones: Sequence[Iris]) -> dict[str, list[int]]:
    """Ranks of the IRIS that each file of the mirror holds, whole communes together, in order of code."""
    found: dict[str, list[int]] = {}
    for departement, files in FILES.items():
        communes = sorted({iris.commune.code for iris in zones if iris.commune.departement == departement})
        for file, part in zip(files, np.array_split(communes, len(files)), strict=True):
            kept = set(part.tolist())
            found[file] = [rank for rank, iris in enumerate(zones) if iris.commune.code in kept]
    return found


def contours(dwellings: Dwellings) -> dict[str, bytes]:
    """GeoJSON without crs member; population of the census, with decimals, for IRIS of a commune that is cut."""
    from shapely.geometry import mapping

    territory, zones = dwellings.territory, dwellings.zones
    rng = stream(territory.seed, "iris population")
    people = dwellings.by_zone(dwellings.counts["persons"], dwellings.iris, len(zones))
    weighted = people * (1 + rng.normal(0, 0.01, len(zones)))

    def feature(rank: int) -> tuple[dict[str, Any], dict[str, Any]]:
        iris = zones[rank]
        siren = iris.commune.epci
        properties = {
            "code_iris": iris.code,
            "libelle_iris": iris.name,
            "code_departement": iris.commune.departement,
            "code_commune": iris.commune.code,
            "libelle_commune": iris.commune.name,
            "population": None if iris.kind == "Z" else round(float(weighted[rank]), 9),
            "libelle_epci": territory.epci_name(siren) if siren else None,
        }
        return properties, mapping(iris.contour)

    return {
        f"iris/departements_iris/{file}.geojson": geojson([feature(rank) for rank in ranks], ascii_only=True)
        for file, ranks in share_out(zones).items()
    }


def reference_csv(dwellings: Dwellings) -> bytes:
    """INSEE's list of IRIS in the geography of 2021."""
    rows = []
    for iris in dwellings.zones:
        commune = dwellings.territory.commune_at(iris.cell, REFERENCE_YEAR)
        place = [commune.code, commune.name, urban_unit(dwellings.territory, commune.cells[0])]
        name = _long_name(iris, commune)
        rows.append([iris.code, name, iris.kind, iris.code[:7], *place, commune.region, commune.departement])
    return csv_bytes(REFERENCE_COLUMNS, rows, bom=True)


def buildings_csv(dwellings: Dwellings) -> bytes:
    """Dwellings by building, vacant ones too, in an order that says nothing of where they stand."""
    points, count = dwellings.settlement.points, building_dwellings(dwellings)
    order = stream(dwellings.territory.seed, "order of buildings").permutation(len(points))
    rows = [
        [f"bdnb-bg-{rank:04X}-{rank * 2654435761 % 2**32:08X}", str(count[row]), *map(repr, points[row].tolist())]
        for rank, row in enumerate(order)
    ]
    return csv_bytes(("batiment_groupe_id", "nb_log", "x", "y"), rows, separator=",", line_end="\n")


def building_dwellings(dwellings: Dwellings) -> Ints:
    """Dwellings of each building, vacant ones too."""
    rng = stream(dwellings.territory.seed, "buildings")
    lived_in = (dwellings.counts["households"] + dwellings.households.vacant_social).astype(np.int64)
    return np.asarray(lived_in + rng.binomial(lived_in, 0.06))


def summaries(dwellings: Dwellings, incomes: IrisIncomes) -> dict[str, bytes]:
    """The compilation by IRIS in the geography of 2024: communes that merged since the contours are one line."""
    zones, territory = dwellings.zones, dwellings.territory
    codes = [code_2024(territory, iris) for iris in zones]
    kept = sorted(set(codes))
    row_of = {code: row for row, code in enumerate(kept)}
    row = np.array([row_of[code] for code in codes])
    first = [zones[codes.index(code)] for code in kept]
    table = pa.table(_summary_columns(dwellings, incomes, first, row, kept))
    found = {}
    for file, ranks in share_out(zones).items():
        here = sorted({int(row[rank]) for rank in ranks if codes[rank] == zones[rank].code})
        found[f"iris/agg_iris_{file}.parquet"] = _parquet(table.take(pa.array(here)))
    return found


def code_2024(territory: Territory, iris: Iris) -> str:
    """Code of an IRIS once its commune took the code of the commune it merged into."""
    return territory.commune_at(iris.cell, SUMMARY_YEAR).code + iris.code[5:]


def _summary_columns(
    dwellings: Dwellings, incomes: IrisIncomes, first: Sequence[Iris], row: Ints, codes: list[str]
) -> dict[str, pa.Array]:
    territory = dwellings.territory
    communes = [territory.commune_at(iris.cell, SUMMARY_YEAR) for iris in first]
    texts = {
        "code": codes,
        "COM": [commune.code for commune in communes],
        "dep": [commune.departement for commune in communes],
        "reg": [commune.region for commune in communes],
        "uu2020": [urban_unit(territory, commune.cells[0]) for commune in communes],
        "libelle": [_long_name(iris, commune) for iris, commune in zip(first, communes, strict=True)],
        "libelle_com": [commune.name for commune in communes],
        "TYP_IRIS": [iris.kind for iris in first],
    }
    columns = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    columns["ze2020"] = _nullable(np.array([zone_of(territory, iris.commune) for iris in first], dtype=np.float64))
    columns["epci"] = pa.array([float(c.epci) if c.epci else None for c in communes], pa.float64())
    growth = np.array([commune.growth for commune in communes])
    zone = row[dwellings.iris]
    counts = {name: dwellings.by_zone(v, zone, len(codes)) for name, v in dwellings.counts.items()}
    numbers = dict(_numbers(dwellings, counts, growth, zone))
    numbers |= {name: incomes.first_of(values, row, len(codes)) for name, values in incomes.summary().items()}
    numbers |= establishments(dwellings, first, counts["persons"])
    return columns | {name: _nullable(values) for name, values in numbers.items()}


def _numbers(
    dwellings: Dwellings, counts: dict[str, Floats], growth: Floats, zone: Ints
) -> Iterator[tuple[str, Floats]]:
    rng = stream(dwellings.territory.seed, "earlier censuses")
    people, homes = counts["persons"], counts["households"]
    shown = people > 0
    yield "P22_POP", people
    earlier = {}
    for year in (2016, 2011):
        earlier[year] = np.rint(people * (1 + growth) ** (year - 2022) * (1 + rng.normal(0, 0.02, len(people))))
        yield f"P{year - 2000}_POP", earlier[year]
    everyone, where = dwellings.persons, zone[dwellings.settlement.home]
    of_person = where[everyone.household]
    for name, (low, high) in AGES.items():
        held = np.bincount(of_person[(everyone.age >= low) & (everyone.age < high)], minlength=len(people))
        yield f"dm_{name}_pct_22", percent(held, people, shown)
    for stem, count in (("imm", "immigrants"), ("etr", "foreigners")):
        now = percent(counts[count], people, shown)
        yield f"dm_{stem}_pct_22", now
        for year in (2016, 2011):
            drift = (1.0 - 0.02 * (2022 - year)) * (1 + rng.normal(0, 0.06, len(people)))
            yield f"dm_{stem}_pct_{year - 2000}", np.round(now * drift, 2)
    yield "log_lochlm_pct_22", percent(counts["social_households"], homes, shown)
    yield "men_tot_stock_22", homes
    for year in (2016, 2011):
        size = np.divide(people, homes, out=np.ones(len(homes)), where=shown) * (1 + 0.004 * (2022 - year))
        yield f"men_tot_stock_{year - 2000}", np.round(earlier[year] / size, 2)


def percent(part: Floats | Ints, whole: Floats, shown: np.ndarray[Any, np.dtype[np.bool_]]) -> Floats:
    """Percent to two decimals; nan where nothing is shown."""
    found = np.full(len(whole), np.nan)
    np.divide(100.0 * part, whole, out=found, where=shown)
    return np.round(found, 2)


def _nullable(values: Floats) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)  # nan is « not diffused »


def _parquet(table: pa.Table) -> bytes:
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="none", write_statistics=False)  # bytes that no library version moves
    return buffer.getvalue()


def _long_name(iris: Iris, commune: Commune) -> str:
    return f"{commune.name} {NOT_CUT}" if iris.kind == "Z" else iris.name
