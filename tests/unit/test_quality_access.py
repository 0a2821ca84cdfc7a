"""What became of streets, timetables, offers and journeys, as the quality report tells it."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from dagster_project.quality.access import MEASURES, Access, access_of
from tests.unit.test_quality_report import page, report

WAREHOUSE = """
create schema marts;
create table marts.mart_reseau (
    dataset varchar, vintage varchar, file varchar, kind varchar, status varchar, reason_fr varchar,
    problem varchar, problem_count bigint, problem_fr varchar
);
create table marts.mart_offres_compte (
    vintage varchar, source varchar, mesure varchar, n_offres bigint, n_postes bigint
);
create table marts.mart_trajets_compte (
    kind varchar, mode varchar, moment varchar, n_trajets bigint, n_hors_atteinte bigint
);
"""
ROWS = """
insert into marts.mart_reseau values
    ('bus', '2021', 'lignes', 'horaires', 'retenu', '12 arrêts', 'non_tries', 1229, 'courses triées'),
    ('bus', '2021', 'lignes', 'horaires', 'retenu', '12 arrêts', 'sans_arret', 2, 'courses <sans> arrêt'),
    ('car', '2009', 'cars', 'horaires', 'refuse', 'horaires tronqués', 'aucune', null, null),
    ('osm', '2020', 'ville', 'rues', 'retenu', '93 voies', 'aucune', null, null);
insert into marts.mart_offres_compte values
    ('2026', 'agence', 'sans_localisation', 1, 2),
    ('2026', 'agence', 'close', 3, 4), ('2026', 'agence', 'recues', 8, 9);
insert into marts.mart_trajets_compte values
    ('lieux_emploi', 'tc', 'aller', 8000, 2000), ('lieux_emploi', 'voiture', 'aller', 9, 0);
"""


def access(rows: str = ROWS) -> Access:
    with duckdb.connect() as connection:
        connection.execute(WAREHOUSE + rows)
        return access_of(connection)


def test_each_network_is_told_once_with_its_problems() -> None:
    networks = {network.file: network for network in access().networks}
    assert list(networks) == ["ville", "lignes", "cars"]
    assert [(problem.count, problem.text) for problem in networks["lignes"].problems] == [
        (1229, "courses triées"),
        (2, "courses <sans> arrêt"),
    ]
    assert networks["ville"].problems == networks["cars"].problems == []


def test_measures_and_modes_are_in_the_order_of_the_story() -> None:
    found = access()
    assert [row.measure for row in found.offers] == ["recues", "close", "sans_localisation"]
    assert [(row.mode, row.share) for row in found.trips] == [("voiture", 0.0), ("tc", 25.0)]


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_of_the_table_has_words(measure: str) -> None:
    row = f"insert into marts.mart_offres_compte values ('2026', 'agence', '{measure}', 1, 1)"
    assert access(row).offers[0].measure_fr != measure


def test_the_page_tells_it(tmp_path: Path) -> None:
    text = page(tmp_path, report(access=access()))
    assert "ce que sont devenus les rues, les horaires et les offres" in text
    assert "1\u202f229 courses triées ; 2 courses &lt;sans&gt; arrêt" in text
    assert '<span class="tag meh">refusé</span></td><td>horaires tronqués' in text
    assert "Closes (date de fin passée)" in text
    assert "Transports en commun, aller, le matin" in text
    assert '<td class="n">8\u202f000</td><td class="n">2\u202f000</td><td class="n">25&#8239;%</td>' in text
    assert 'aria-label="Trajets hors d’atteinte par mode" tabindex="0"' in text
    assert "src=" not in text
    assert json.loads((tmp_path / "qualite.json").read_text(encoding="utf-8"))["access"]["trips"][1]["computed"] == 8000


def test_nothing_is_said_of_what_was_not_received(tmp_path: Path) -> None:
    found = access("")
    assert not found.told
    assert "Accès à l’emploi" not in page(tmp_path, report(access=found))
    assert "<h3>Trajets</h3>" not in page(tmp_path, report(access=access().model_copy(update={"trips": []})))
