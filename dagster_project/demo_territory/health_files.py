"""Health files: the partner's counts by IRIS, under the rules of its convention, and CNAM's by département."""

from __future__ import annotations

import numpy as np

from dagster_project.demo_territory.dwellings import Dwellings
from dagster_project.demo_territory.health import CONDITIONS
from dagster_project.demo_territory.population import Ints
from dagster_project.demo_territory.secrecy import least_shown
from dagster_project.demo_territory.territory import region_of
from dagster_project.demo_territory.writers import csv_bytes, words

YEAR = "2022"
BOTH, ALL_AGES = "9", "tsage"
CLASSES = (*(f"{low:02d}-{low + 4:02d}" for low in range(0, 95, 5)), "95et+")
ORS_COLUMNS = words("niveau code annee sexe cla_age_5 n_beneficiaires n_asthme n_diabete n_ald")
CNAM_COLUMNS = (
    *words("annee patho_niv1 patho_niv2 patho_niv3 top cla_age_5 sexe region dept Ntop Npop prev"),
    "Niveau prioritaire",
    *words("libelle_classe_age libelle_sexe tri"),
)
CNAM_YEARS = {"2022": 0.97, "2023": 1.0}  # patients, over those of the demonstration
COUNTRY = ("99", "999")  # region and département of the whole country
SEXES = {"1": "hommes", "2": "femmes", BOTH: "tous sexes"}

Cube = np.ndarray[tuple[int, int, int], np.dtype[np.int64]]  # zone x sex x age class


def ors_csv(dwellings: Dwellings) -> bytes:
    """Partner's schema: IRIS as a whole, beneficiaries of each IRIS by sex and age, rates of the régions."""
    names = ("beneficiaires", *CONDITIONS)
    zones = dwellings.zones
    by_iris = {name: _cube(dwellings, name, dwellings.person_iris, len(zones)) for name in names}
    rows: list[list[str]] = []
    for rank, iris in enumerate(zones):
        whole = [_shown(int(by_iris[name][rank].sum())) for name in names]
        rows.append(["IRIS", iris.code, YEAR, BOTH, ALL_AGES, *whole])
        for sex, age, persons in _by_sex_and_age(by_iris["beneficiaires"][rank]):
            rows.append(["IRIS", iris.code, YEAR, sex, age, _shown(persons), "", "", ""])
    regions = np.array([iris.commune.region for iris in zones])
    for region in sorted(set(regions.tolist())):
        sums = [cube[regions == region].sum(axis=0) for cube in by_iris.values()]
        for cells in zip(*(_by_sex_and_age(table) for table in sums), strict=True):
            sex, age, _ = cells[0]
            rows.append(["REGION", region, YEAR, sex, age, *(_shown(count) for *_, count in cells)])
    return csv_bytes(ORS_COLUMNS, rows)


def _cube(dwellings: Dwellings, name: str, zone: Ints, count: int) -> Cube:
    everyone, health = dwellings.persons, dwellings.health
    held = health.covered if name == "beneficiaires" else health.treated[name]
    age = np.minimum(everyone.age // 5, len(CLASSES) - 1)
    place = (zone * 2 + everyone.woman) * len(CLASSES) + age
    return np.bincount(place[held], minlength=count * 2 * len(CLASSES)).reshape(count, 2, len(CLASSES))


def _by_sex_and_age(table: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[tuple[str, str, int]]:
    return [(str(sex + 1), age, int(table[sex, rank])) for sex in range(2) for rank, age in enumerate(CLASSES)]


def _shown(count: int) -> str:
    return "ns" if 0 < count < least_shown("ors_sante_iris") else str(count)


def cnam_csv(dwellings: Dwellings) -> bytes:
    """Diabetes by département and for the whole country, in tens; no line end after the last line."""
    homes = np.array([iris.commune.departement for iris in dwellings.zones])
    codes = sorted(set(homes.tolist()))
    zone = np.searchsorted(codes, homes)[dwellings.person_iris]
    treated, covered = (_cube(dwellings, name, zone, len(codes)) for name in ("diabete", "beneficiaires"))
    places = [((region_of(code), code), treated[rank], covered[rank]) for rank, code in enumerate(codes)]
    places.append((COUNTRY, treated.sum(axis=0), covered.sum(axis=0)))
    rows = []
    for year, part in CNAM_YEARS.items():
        for place, patients, persons in places:
            for sex, age in ((sex, age) for sex in SEXES for age in (*CLASSES, ALL_AGES)):
                of_sex = slice(None) if sex == BOTH else slice(int(sex) - 1, int(sex))
                of_age = slice(None) if age == ALL_AGES else slice(CLASSES.index(age), CLASSES.index(age) + 1)
                cases, people = int(part * patients[of_sex, of_age].sum()), int(persons[of_sex, of_age].sum())
                rows.append(_cnam_row(year, place, sex, age, cases, people))
    return csv_bytes(CNAM_COLUMNS, rows, line_end="\n", last_line_end=False)


def _cnam_row(year: str, place: tuple[str, str], sex: str, age: str, cases: int, people: int) -> list[str]:
    hidden = cases < least_shown("cnam_pathologies")
    counts = (
        ["", str(_tens(people)), ""]
        if hidden
        else [str(_tens(cases)), str(_tens(people)), f"{100 * cases / people:.3f}"]
    )
    label = "tous âges" if age == ALL_AGES else "plus de 95 ans" if age == CLASSES[-1] else _ages(age)
    return [
        year,
        "Diabète",
        "Diabète",
        "Diabète",
        "DIA_CAT_CAT",
        age,
        sex,
        *place,
        *counts,
        "1,2,3",
        label,
        SEXES[sex],
        "2.0",
    ]


def _ages(age: str) -> str:
    low, high = age.split("-")
    return f"de {int(low)} à {int(high)} ans"


def _tens(count: int) -> int:
    return round(count / 10) * 10
