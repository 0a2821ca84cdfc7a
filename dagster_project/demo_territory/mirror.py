"""Every file of the fictitious territory, by path in the mirror, with its true values beside."""

from __future__ import annotations

from dagster_project.demo_territory import (
    admin,
    c2s_profiles,
    city,
    dwelling_truth,
    eligibility_files,
    health_files,
    iris_files,
    qpv_files,
    truth,
)
from dagster_project.demo_territory.dwellings import Dwellings, build_dwellings
from dagster_project.demo_territory.eligibility import Eligibility
from dagster_project.demo_territory.filosofi import filosofi_tables
from dagster_project.demo_territory.geometry import build_geometry
from dagster_project.demo_territory.income import Incomes
from dagster_project.demo_territory.iris_benefits import CAF_YEARS, IrisBenefits
from dagster_project.demo_territory.iris_income import FILOSOFI_YEARS, IrisIncomes
from dagster_project.demo_territory.population import latents
from dagster_project.demo_territory.qpv_tables import QpvTables
from dagster_project.demo_territory.territory import build_territory
from dagster_project.demo_territory.tiles import Tiles

README = """\
TERRITOIRE FICTIF

Les fichiers de ce dossier décrivent un territoire qui n'existe pas. Les noms, les codes, les contours et tous les
chiffres sont inventés par un programme à partir d'une graine (voir generateur.json). Ils ne disent rien d'aucun
quartier, d'aucune commune ni d'aucun organisme réel, et ne doivent pas être publiés comme des statistiques.

Ils ont la forme exacte des fichiers des producteurs (INSEE, ANCT, DGCL, Etalab, IGN, CNAM, DREES, CSTB,
France Travail, OpenStreetMap, réseaux de transport), avec leurs difficultés : séparateurs, encodages, colonnes
vides, cellules masquées par le secret statistique. Les chemins sont ceux du miroir réel : les fichiers nommés region_52
et region_53 portent les régions inventées 98 et 99 ; ceux qui portent le numéro d'un département réel (22 à 85)
décrivent les départements inventés 96, 98 et 99 ; ceux qui portent le nom d'une ville réelle (rennes, redon) décrivent
des villes inventées.

Les IRIS, les carreaux, les logements et les effectifs de santé comptent tous les mêmes habitants, à une seule date.

La ville de Port-Brumelle a des rues en damier (roads/rennes.geojson), deux lignes de bus et un tramway (dossier
gtfs/star-rennes-20120709), des établissements employeurs, des offres et des demandeurs d'emploi ; Lisse-la-Vieille a un
petit réseau de rues (roads/redon.sans_contact.osm), et des trains les relient. Une rivière n'a qu'un pont ; un îlot de
rues n'est relié à rien. Les horaires des bus valent de 2012 à 2027, ceux des trains en 2013, 2021 ou 2025 ; le fichier
de 2021 est tronqué exprès. Les codes ROME et FAP sont ceux des nomenclatures publiques, leurs libellés sont les nôtres.

Le dossier _verite contient les vraies valeurs, sans secret ni arrondi, pour les tests. Le fichier non_recours.csv donne
les parts vraies de personnes qui ont droit à la complémentaire santé solidaire (C2S), sans et avec participation, et
leur non-recours. Sur la ville :
- rues_distances.csv : plus court chemin en voiture, à vélo et à pied entre deux carrefours ; metres_grille sur le
  damier (EPSG:2154), metres sur l'ellipsoïde, secondes_min à la vitesse limite (voiture), vides si rien n'y mène ;
- tc_arrivees.csv : arrivée la plus tôt d'un nom d'arrêt à un autre, sans marche, 120 s par correspondance ;
- doublons_offres.csv : paires d'offres qui se ressemblent, doublon = 1 si c'est la même offre ;
- demande_rome.csv : demandeurs d'emploi par QPV et code ROME (version 3).

Le fichier health/c2s_profils_partenaire.csv tire à part qui a droit à la C2S et qui l'a : il ne s'additionne pas aux
autres fichiers. _verite/non_recours_profils.csv donne les vrais effets sur le logit du recours (référence : seul, de 18
à 59 ans, locataire du parc social), et ceux des quartiers.
"""


def build_files(seed: int) -> dict[str, bytes]:
    """Path to bytes, for every dataset of the catalogue, and the truth. The same seed gives the same bytes."""
    territory = build_territory(seed)
    latent = latents(territory)
    geometry = build_geometry(territory)
    incomes = Incomes(territory, latent["QP2015"])
    eligibility = Eligibility(incomes)
    tables = QpvTables(territory, latent["QP2015"], incomes, eligibility).all()
    comparators = filosofi_tables(incomes)
    digest = qpv_files.digest(territory, latent["QN2024"], incomes)
    files = {
        "README.txt": README.encode(),
        "admin/commune_2021.csv": admin.communes_csv(territory, 2021),
        "admin/communes.csv": admin.communes_csv(territory, 2024),
        "admin/departements.csv": admin.departements_csv(territory),
        "admin/regions.csv": admin.regions_csv(territory),
        "admin/mouvements-communes.csv": admin.moves_csv(territory),
        "admin/donnees_communes.csv": admin.populations_csv(territory),
        "admin/epcicom.xlsx": admin.epci_xlsx(territory),
        "qpv/qpv2024_simplified.geojson": qpv_files.perimeters_2024(territory, geometry),
        "qpv/liste-correspondance-qp2024-qp2015.csv": qpv_files.correspondence_csv(territory),
        "insee/analyse_qpv.csv": digest.to_bytes(),
    }
    files |= admin.contours(territory, geometry) | qpv_files.perimeters_2015(territory, geometry)
    files |= qpv_files.posts(territory)
    files |= {table.edition.path: table.to_bytes() for table in tables}
    files |= {table.path: table.to_bytes() for table in comparators}
    dwellings = build_dwellings(territory, geometry, latent, eligibility, digest)
    files |= _dwelling_files(dwellings) | city.files(dwellings) | c2s_profiles.files(dwellings)
    files |= eligibility_files.files(eligibility, dwellings)
    return files | truth.files(territory, latent, tables, comparators, digest) | dwelling_truth.files(dwellings)


def _dwelling_files(dwellings: Dwellings) -> dict[str, bytes]:
    """Files of IRIS, tiles, buildings and health: all count the same dwellings."""
    incomes, benefits, tiles = IrisIncomes(dwellings), IrisBenefits(dwellings), Tiles(dwellings)
    files = {
        "iris/iris_2021.csv": iris_files.reference_csv(dwellings),
        "iris/beneficiaires_CNAM_IRIS.csv": benefits.c2s_csv(),
        "carreaux/carreaux_200m_met.csv": tiles.csv(),
        "carreaux/carreaux_nivNaturel_met.csv": tiles.natural_csv(),
        "housing/bdnb_logements.csv": iris_files.buildings_csv(dwellings),
        "health/ors_sante_iris.csv": health_files.ors_csv(dwellings),
        "health/echantillon_effectifs.csv": health_files.cnam_csv(dwellings),
    }
    files |= {f"iris/BASE_TD_FILO_DISP_IRIS_{year}.csv": incomes.csv(year) for year in FILOSOFI_YEARS}
    files |= {f"iris/data_CAF_{year}_IRIS.csv": benefits.caf_csv(year) for year in CAF_YEARS}
    return files | iris_files.contours(dwellings) | iris_files.summaries(dwellings, incomes)
