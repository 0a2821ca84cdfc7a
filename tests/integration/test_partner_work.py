"""Offers, demand and C2S profiles delivered under a convention: what passes the door, and what stops there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.settings import Settings
from dagster_project.sources.absence import ABSENT_KEY
from dagster_project.sources.catalogue import Dataset, load_catalogue
from dagster_project.sources.raw import RawError, build_raw
from tests.integration.test_partner import small

OFFERS = small(load_catalogue()["partenaire_offres"])
DEMAND = small(load_catalogue()["partenaire_demande_rome"])
PROFILES = small(load_catalogue()["partenaire_c2s_profils"])
HEADERS = {dataset.id: ";".join(column.name for column in dataset.columns) for dataset in (OFFERS, DEMAND, PROFILES)}
OFFER = {
    "offre_id": "A-1",
    "source": "reseau",
    "code_rome": "N1103",
    "rome_version": "v3",
    "intitule": "Préparateur (H/F)",
    "date_creation": "2025-03-03",
    "date_fin": "",
    "nb_postes": "4",
    "contrat": "MIS",
    "commune_insee": "96001",
    "lat": "48.1102",
    "lon": "-1.6731",
    "precision": "adresse",
    "siret": "",
}
SEEKERS = {
    "code_qpv": "QP096001",
    "generation": "QP2015",
    "code_rome": "N1103",
    "n_demandeurs": "42",
    "categorie": "ABC",
    "date_obs": "2025-03-31",
}
PROFILE = {
    "code_zone": "QP096001",
    "generation": "QP2015",
    "annee": "2021",
    "type_menage": "monoparental",
    "tranche_age": "moins_18",
    "statut_occupation": "social",
    "n_eligibles": "214",
    "n_beneficiaires": "158",
}
LISTS = {
    "francetravail_rome_v3": ("code_rome", ["N1103", "K1304"]),
    "francetravail_rome_v4": ("code_rome", ["N1103", "K1304", "M1868"]),
    "anct_qpv_2015": ("CODE_QP", ["QP096001"]),
    "anct_qpv_2024": ("code_qp", ["QN09601M"]),
}
Deliver = Callable[..., str]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """A home where the lists of codes are built."""
    (tmp_path / "mirror").mkdir()
    settings = Settings(home=tmp_path / "home", sources="mirror", mirror=str(tmp_path / "mirror"))
    settings.raw_dir.mkdir(parents=True)
    settings.inbox_dir.mkdir(parents=True)
    for name, (column, codes) in LISTS.items():
        pq.write_table(pa.table({column: codes}), settings.raw_dir / f"{name}.parquet")
    return settings


def deliver(home: Settings, dataset: Dataset, *rows: dict[str, str], header: str = "", more: str = "") -> str:
    """Names of the rules that a delivery breaks and their messages; empty when it passes."""
    file = dataset.vintages[0].files[0].name
    lines = [header or HEADERS[dataset.id], *(";".join(row.values()) + more for row in rows)]
    (home.inbox_dir / f"{file}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    try:
        assert build_raw(dataset, home).rows == len(rows)
    except RawError as error:
        assert not (home.raw_dir / f"{dataset.id}.parquet").exists()
        return str(error)
    return ""


def rules(message: str) -> set[str]:
    return set(re.findall(r"\[([a-z_]+)\]", message))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"lat": "", "lon": "", "precision": "commune"},
        {"code_rome": "M1868", "rome_version": "v4"},
        {"siret": "12345678901234", "date_fin": "2025-04-01", "contrat": ""},
        {"commune_insee": "2A004"},
    ],
)
def test_a_sound_offer_passes(home: Settings, change: dict[str, str]) -> None:
    assert deliver(home, OFFERS, OFFER | change) == ""


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        ({"nb_postes": "0"}, "valeurs_permises", "nb_postes = « 0 »"),
        ({"nb_postes": ""}, "valeurs_permises", "nb_postes est vide"),
        ({"precision": "quartier"}, "valeurs_permises", "precision = « quartier »"),
        ({"lat": "95"}, "valeurs_permises", "attendu : un nombre, au moins -90.0 au plus 90.0"),
        ({"lat": "48,11"}, "valeurs_permises", "lat = « 48,11 »"),
        ({"lon": "nan"}, "valeurs_permises", "lon = « nan »"),
        ({"lon": "-181"}, "valeurs_permises", "lon = « -181 »"),
        ({"lon": ""}, "forme_des_lignes", "lat et lon sont à remplir ensemble"),
        ({"siret": "1234"}, "valeurs_permises", "siret = « 1234 »"),
        ({"commune_insee": "1001"}, "valeurs_permises", "commune_insee = « 1001 »"),
        ({"date_creation": "03/03/2025"}, "valeurs_permises", "date_creation = « 03/03/2025 »"),
        ({"code_rome": "M1868"}, "codes_connus", "code_rome = « M1868 » est inconnu de francetravail_rome_v3"),
        ({"rome_version": "v5"}, "valeurs_permises", "attendu : v3, v4"),
    ],
)
def test_an_offer_that_is_not_in_the_schema_is_refused(
    home: Settings, change: dict[str, str], rule: str, said: str
) -> None:
    message = deliver(home, OFFERS, OFFER | change)
    assert rules(message) == {rule}
    assert "ligne 2 (A-1)" in message
    assert said in message


def test_the_name_of_an_employer_is_refused(home: Settings) -> None:
    message = deliver(home, OFFERS, OFFER, header=f"{HEADERS[OFFERS.id]};entreprise", more=";Établissements Fictifs")
    assert rules(message) == {"colonnes_prevues"}
    assert "colonne entreprise" in message
    assert "Fictifs" not in message


def test_an_offer_delivered_twice_is_refused(home: Settings) -> None:
    assert rules(deliver(home, OFFERS, OFFER, OFFER | {"nb_postes": "2"})) == {"cle_unique"}


@pytest.mark.parametrize(
    "change",
    [
        *({"n_demandeurs": count} for count in ("0", "5", "ns")),
        {"code_qpv": "QN09601M", "generation": "QN2024"},
        {"code_rome": "M1868"},
    ],
)
def test_a_sound_demand_passes(home: Settings, change: dict[str, str]) -> None:
    assert deliver(home, DEMAND, SEEKERS | change) == ""


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        ({"n_demandeurs": "4"}, "seuil_effectifs", "un effectif de 1 à 4 ne peut pas être remis : écrire « ns »"),
        ({"n_demandeurs": "NS"}, "seuil_effectifs", "n’est ni un entier ni « ns »"),
        ({"n_demandeurs": ""}, "valeurs_permises", "n_demandeurs est vide"),
        ({"code_qpv": "QP096002"}, "codes_connus", "« QP096002 » est inconnu de anct_qpv_2015"),
        ({"generation": "QN2024"}, "codes_connus", "« QP096001 » est inconnu de anct_qpv_2024"),
        ({"code_rome": "Z9999"}, "valeurs_permises", "code_rome = « Z9999 »"),
        ({"code_rome": "N9999"}, "codes_connus", "inconnu de francetravail_rome_v3 ou francetravail_rome_v4"),
        ({"categorie": "D"}, "valeurs_permises", "categorie = « D »"),
    ],
)
def test_a_demand_that_is_not_in_the_schema_is_refused(
    home: Settings, change: dict[str, str], rule: str, said: str
) -> None:
    message = deliver(home, DEMAND, SEEKERS | change)
    assert rule in rules(message)
    assert said in message


def test_a_zone_and_an_occupation_have_one_row_per_category_and_date(home: Settings) -> None:
    assert deliver(home, DEMAND, SEEKERS, SEEKERS | {"categorie": "A"}) == ""
    (home.raw_dir / f"{DEMAND.id}.parquet").unlink()
    assert rules(deliver(home, DEMAND, SEEKERS, SEEKERS | {"n_demandeurs": "7"})) == {"cle_unique"}


def test_lists_that_are_absent_are_said_absent(home: Settings) -> None:
    for name in ("francetravail_rome_v3", "francetravail_rome_v4"):
        empty = pa.table({"code_rome": pa.array([], pa.string())}).replace_schema_metadata({ABSENT_KEY: b"non_couvert"})
        pq.write_table(empty, home.raw_dir / f"{name}.parquet")
    message = deliver(home, DEMAND, SEEKERS)
    assert rules(message) == {"codes_connus"}
    assert "(francetravail_rome_v3 ou francetravail_rome_v4) est absente" in message


def test_a_list_that_is_not_built_stops_the_file(home: Settings) -> None:
    (home.raw_dir / "francetravail_rome_v4.parquet").unlink()
    assert "(francetravail_rome_v4) n’est pas construite" in deliver(home, DEMAND, SEEKERS)


@pytest.mark.parametrize(
    "change",
    [
        {},
        *({"n_beneficiaires": count} for count in ("0", "11", "214", "ns")),
        {"n_eligibles": "0", "n_beneficiaires": "0"},
        {"n_eligibles": "ns", "n_beneficiaires": "0"},
        {"n_eligibles": "ns", "n_beneficiaires": "ns"},
        {"code_zone": "QN09601M", "generation": "QN2024"},
    ],
)
def test_a_sound_profile_passes(home: Settings, change: dict[str, str]) -> None:
    assert deliver(home, PROFILES, PROFILE | change) == ""


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        ({"n_beneficiaires": "7"}, "seuil_effectifs", "n_beneficiaires = 7 ; un effectif de 1 à 10 ne peut pas être"),
        ({"n_eligibles": "10", "n_beneficiaires": "0"}, "seuil_effectifs", "n_eligibles = 10"),
        ({"n_eligibles": "214,0"}, "seuil_effectifs", "n_eligibles = « 214,0 » n’est ni un entier ni « ns »"),
        ({"n_beneficiaires": ""}, "valeurs_permises", "n_beneficiaires est vide"),
        ({"n_beneficiaires": "215"}, "numerateurs", "n_beneficiaires dépasse n_eligibles (215 > 214)"),
        ({"n_eligibles": "ns"}, "numerateurs", "n_beneficiaires dépasse n_eligibles (158 > ns)"),
        ({"n_eligibles": "0", "n_beneficiaires": "ns"}, "numerateurs", "n_beneficiaires dépasse n_eligibles (ns > 0)"),
        ({"type_menage": "famille"}, "valeurs_permises", "type_menage = « famille »"),
        ({"tranche_age": "0_17"}, "valeurs_permises", "attendu : moins_18, 18_59, 60_plus"),
        ({"statut_occupation": "locataire"}, "valeurs_permises", "statut_occupation = « locataire »"),
        ({"annee": "2018"}, "valeurs_permises", "annee = « 2018 »"),
        ({"code_zone": "QP096002"}, "codes_connus", "« QP096002 » est inconnu de anct_qpv_2015"),
        ({"generation": "QN2024"}, "codes_connus", "« QP096001 » est inconnu de anct_qpv_2024"),
    ],
)
def test_a_profile_that_breaks_the_convention_is_refused_with_its_row_and_column(
    home: Settings, change: dict[str, str], rule: str, said: str
) -> None:
    message = deliver(home, PROFILES, PROFILE, PROFILE | {"type_menage": "autre"} | change)
    assert rules(message) == {rule}
    assert "ligne 3 (" in message
    assert said in message
    assert "Corriger le fichier avec le partenaire" in message


def test_a_profile_delivered_twice_is_refused(home: Settings) -> None:
    assert rules(deliver(home, PROFILES, PROFILE, PROFILE | {"n_eligibles": "300"})) == {"cle_unique"}


def test_a_column_that_could_name_a_person_is_refused(home: Settings) -> None:
    message = deliver(home, PROFILES, PROFILE, header=f"{HEADERS[PROFILES.id]};nir", more=";2960199")
    assert rules(message) == {"colonnes_prevues"}
    assert "2960199" not in message
