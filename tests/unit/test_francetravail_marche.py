"""Job seekers by territory and ROME, from a local API that answers and refuses as the real one does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dagster_project.settings import Settings
from dagster_project.sources.clients import marche
from dagster_project.sources.clients.api import AccessError
from dagster_project.sources.clients.marche import Marche, Market, Territoire
from dagster_project.sources.http_policy import FetchError
from tests.francetravail_api import CLIENT_ID, CLIENT_SECRET, DEMANDEURS_PATH, FakeApi, Time, opened
from tests.http_server import Asked, Reply, ScriptedServer

RENNES, ILLE = Territoire("EPCI", "243500139"), Territoire("DEP", "35")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedServer() as started:
        yield started


class Ground:
    def __init__(self, server: ScriptedServer, home: Path) -> None:
        self.server, self.api = server, FakeApi(server)
        self.settings = Settings(
            home=home, max_retries=2, francetravail_client_id=CLIENT_ID, francetravail_client_secret=CLIENT_SECRET
        )

    def ask(self, *territoires: Territoire, codes: tuple[str, ...] = ("K1302",)) -> Market:
        with opened(self.settings, self.server, Time(), base="/marche", scopes=marche.SCOPES) as api:
            return Marche(api).job_seekers(territoires or (ILLE,), codes)

    def questions(self) -> list[dict[str, Any]]:
        return [json.loads(asked.body) for asked in self.server.requests(DEMANDEURS_PATH)]


@pytest.fixture
def ground(server: ScriptedServer, tmp_path: Path) -> Ground:
    return Ground(server, tmp_path)


def values(**by_category: object) -> Reply:
    rows = [
        {
            "codeNomenclature": name,
            "codePeriode": "2025T4",
            "libPeriode": "4e trimestre 2025",
            "valeurPrincipaleNombre": n,
        }
        for name, n in by_category.items()
    ]
    return Reply(200, json.dumps({"listeValeursParPeriode": rows}).encode())


def test_job_seekers_of_the_three_categories_are_added_up(ground: Ground) -> None:
    ground.server.script(DEMANDEURS_PATH, values(A=10, B=3, C=4, D=90))
    market = ground.ask(RENNES, ILLE, codes=("K1302", "D1106", "K1302"))
    assert [tuple(record.values()) for record in market.records] == [
        ("DEP", "35", "D1106", 17, "2025T4"),
        ("DEP", "35", "K1302", 17, "2025T4"),
        ("EPCI", "243500139", "D1106", 17, "2025T4"),
        ("EPCI", "243500139", "K1302", 17, "2025T4"),
    ]
    assert list(market.records[0]) == ["codeTypeTerritoire", "codeTerritoire", "codeRome", "valeur", "periode"]
    assert json.loads(market.content()) == list(market.records)
    assert market.counts == {"incomplets": 0, "records": 4, "requetes": 5, "sans_donnee": 0}
    question = ground.questions()[0]
    assert (question["codeTypeTerritoire"], question["codeTerritoire"]) == ("DEP", "35")
    assert (question["codeTypeActivite"], question["codeActivite"]) == ("ROME", "D1106")


@pytest.mark.parametrize("reply", [values(A=10, C=4), values(A=10, B=None, C=4), values(A=10, B="nd", C=4)], ids=str)
def test_a_category_that_is_not_given_is_not_taken_for_none(ground: Ground, reply: Reply) -> None:
    ground.server.script(DEMANDEURS_PATH, reply)
    market = ground.ask()
    assert [record["valeur"] for record in market.records] == [None]
    assert market.counts["incomplets"] == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(204),
        Reply(500, b'{"message": "Le serveur n\'a pas pu trouver la liste"}'),
        Reply(400, b'{"message": "Ce territoire n\'est pas disponible pour cet indicateur"}'),
        Reply(200, b'{"listeValeursParPeriode": []}'),
        Reply(200, b"{}"),
    ],
    ids=["204", "500", "400", "empty", "nothing"],
)
def test_no_figure_is_an_answer(ground: Ground, reply: Reply) -> None:
    ground.server.script(DEMANDEURS_PATH, reply)
    market = ground.ask()
    assert (market.records, market.counts["sans_donnee"], len(ground.questions())) == ((), 1, 1)


def test_a_failure_that_passes_is_asked_again(ground: Ground) -> None:
    ground.server.script(DEMANDEURS_PATH, Reply(500, b"oups"), Reply(429), values(A=1, B=1, C=1))
    assert [record["valeur"] for record in ground.ask().records] == [3]


@pytest.mark.parametrize(
    "reply", [Reply(500, b"oups"), Reply(200, b"[]"), Reply(200, b'{"listeValeursParPeriode": 3}'), Reply(400)], ids=str
)
def test_a_table_with_a_hole_is_not_made(ground: Ground, reply: Reply) -> None:
    ground.server.script(DEMANDEURS_PATH, reply)
    with pytest.raises(FetchError):
        ground.ask()


def test_an_expired_token_is_renewed(ground: Ground) -> None:
    def reply(asked: Asked) -> Reply:
        return values(A=1, B=1, C=1) if asked.headers["authorization"].endswith("0002") else Reply(401)

    ground.server.script(DEMANDEURS_PATH, reply)
    assert len(ground.ask(codes=("A1101", "K1302")).records) == 2
    assert ground.api.tokens == 2


def test_an_empty_403_names_both_scopes(ground: Ground) -> None:
    ground.server.script(DEMANDEURS_PATH, Reply(403))
    with pytest.raises(AccessError, match="'api_stats-offres-demandes-emploiv1' and 'offresetdemandesemploi'"):
        ground.ask()
