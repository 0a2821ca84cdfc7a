"""Hiring needs by employment basin, the basins of communes, and how people of each commune go to work."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from dagster_project.demo_territory import names
from dagster_project.demo_territory.secrecy import least_shown
from dagster_project.demo_territory.territory import Commune, Territory, capitals, stream
from dagster_project.demo_territory.workplaces import EMPLOYMENT_ZONE_NAMES, zone_of
from dagster_project.demo_territory.writers import csv_bytes

BMO, BASINS = "jobs/BMO_2024_ouest.csv", "jobs/bassin_emploi.csv"
MODES = "commuting/INSEE_Statistiques_locales_territoires_ville_quartiers.csv"
# FAP of the survey of hiring needs: real codes of that nomenclature too.
TRADES = (
    ("A1X40", "Horticulture", "Z", "Autres métiers"),
    ("B0X30", "Chantier, sans qualification", "O", "Ouvriers du bâtiment"),
    ("B2X30", "Second œuvre", "O", "Ouvriers du bâtiment"),
    ("E3X20", "Agroalimentaire, sans qualification", "I", "Ouvriers de l'industrie"),
    ("G0A40", "Maintenance, sans qualification", "I", "Ouvriers de l'industrie"),
    ("J0X33", "Manutention", "Z", "Autres métiers"),
    ("J3X40", "Conduite de véhicules", "Z", "Autres métiers"),
    ("L2X61", "Comptabilité, employés", "A", "Administration"),
    ("M1X81", "Informatique, techniciens", "C", "Encadrement"),
    ("R1X60", "Vente", "V", "Vente et services"),
    ("S0X41", "Cuisine, bouche", "V", "Vente et services"),
    ("S2X81", "Service en salle", "V", "Vente et services"),
    ("T4X60", "Nettoyage, propreté", "V", "Vente et services"),
    ("V1X80", "Soins infirmiers", "S", "Social et soins"),
    ("V3X90", "Action sociale", "S", "Social et soins"),
)
BMO_COLUMNS = (
    *("annee", "Code métier BMO", "Nom métier BMO", "Famille_met", "Lbl_fam_met", "REG", "NOM_REG", "Dept", "NomDept"),
    *("BE24", "NOMBE24", "met", "xmet", "smet"),
)
BASIN_COLUMNS = ("reg", "dep", "code_commune_insee", "code_bassin_BMO", "lib_bassin_BMO")
MODE_COLUMNS = (
    *("Code", "Libellé", "Part des actifs occupés de 15 ans ou plus  les transports en commun 2021"),
    *(
        "Part des ménages ayant au moins 1 voiture 2021",
        "Part des actifs occ 15 ans ou plus voiture pour travailler 2021",
    ),
    "Part des actifs occ 15 ans ou plus vélo pour travailler 2021",
)
TITLES = ("Insee - Statistiques locales; ; ; ; ; ", "Référentiel géographique : France par commune; ; ; ; ; ")
ABSENT = "N/A - résultat non disponible"
HIDDEN = "*"  # projects too few to be published
YEAR = 2024


def files(territory: Territory) -> dict[str, bytes]:
    """The three files; in each, basins are the zones d'emploi."""
    communes = territory.communes(YEAR)
    return {BMO: _needs(territory, communes), BASINS: _basins(territory, communes), MODES: _modes(territory, communes)}


def _needs(territory: Territory, communes: Sequence[Commune]) -> bytes:
    """Projects of hiring, difficult ones, seasonal ones, by trade, département and basin."""
    rng = stream(territory.seed, "hiring needs")
    people: dict[tuple[str, int], float] = {}
    for commune in communes:
        key = commune.departement, zone_of(territory, commune)
        people[key] = people.get(key, 0.0) + commune.pop
    rows, least = [], least_shown("francetravail_bmo")
    for code, label, family, family_label in TRADES:
        for (departement, zone), count in sorted(people.items(), key=lambda item: (item[0][1], item[0][0])):
            projects = int(rng.poisson(count / 1_000 * rng.uniform(0.2, 2.0)))
            parts = [projects, *(int(rng.binomial(projects, share)) for share in (0.55, 0.2))]
            shown = [str(part) if part >= least else HIDDEN for part in parts]
            region = next(commune.region for commune in communes if commune.departement == departement)
            place = [region, names.REGIONS[region], departement, names.DEPARTEMENTS[departement]]
            basin = [str(zone), capitals(EMPLOYMENT_ZONE_NAMES[zone])]
            rows.append([str(YEAR), code, label, family, family_label, *place, *basin, *shown])
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([BMO_COLUMNS, *rows])  # labels hold commas
    return text.getvalue().encode()


def _basins(territory: Territory, communes: Sequence[Commune]) -> bytes:
    rows = []
    for commune in communes:
        zone = zone_of(territory, commune)
        place = [commune.region, commune.departement, commune.code]
        rows.append([*place, str(zone), capitals(EMPLOYMENT_ZONE_NAMES[zone])])
    return csv_bytes(BASIN_COLUMNS, rows, separator=",", last_line_end=False)


def _modes(territory: Territory, communes: Sequence[Commune]) -> bytes:
    """Shares by commune, decimal point; the smallest commune has none."""
    rng = stream(territory.seed, "modes of commuting")
    smallest = min(communes, key=lambda commune: commune.pop)
    rows = []
    for commune in communes:
        city = float(np.clip(np.log10(commune.pop) - 3, 0, 2)) / 2  # 0 in a village, 1 in the largest city
        transit, bicycle = 1 + 17 * city * rng.uniform(0.8, 1.2), 0.4 + 5 * city * rng.uniform(0.7, 1.3)
        equipped, car = 96 - 22 * city * rng.uniform(0.9, 1.1), 90 - 30 * city * rng.uniform(0.9, 1.1)
        shares = [f"{share:.1f}".removesuffix(".0") for share in (transit, equipped, car, bicycle)]
        rows.append([commune.code, commune.name, *(shares if commune is not smallest else [ABSENT] * len(shares))])
    lines = [*TITLES, *(";".join(row) for row in (MODE_COLUMNS, *rows))]
    return "\r\n".join(lines).encode("utf-8-sig")
