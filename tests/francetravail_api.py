"""An API of France Travail on 127.0.0.1, made of generated offers, which misbehaves when it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dagster_project.settings import Settings
from dagster_project.sources.clients import marche, offres
from dagster_project.sources.clients.api import Api, open_api
from dagster_project.sources.clients.oauth import Scopes
from dagster_project.sources.clients.rate import Pace
from tests.http_server import Asked, Reply, ScriptedServer

CLIENT_ID = "PAR_essai_0123456789"
CLIENT_SECRET = "secret-tres-secret-0123456789"  # noqa: S105  invented
TOKEN_PATH, SEARCH_PATH = "/connexion/oauth2/access_token", "/offres" + offres.SEARCH
METIERS_PATH, DEMANDEURS_PATH = "/offres" + offres.METIERS, "/marche" + marche.DEMANDEURS
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = 150

Fault = Callable[[dict[str, str]], Reply | None]


def offer(
    number: int, *, departement: str = "35", created: datetime | None = None, rome: str = "K1302", **more: Any
) -> dict[str, Any]:
    """An invented offer, with the personal data that real ones carry."""
    created = created or NOW - timedelta(minutes=number + 1)
    return {
        "id": f"{number:06}{departement}",
        "intitule": f"Poste {number} (H/F)",
        "description": "Appelez Mme Untel au 06 12 34 56 78",
        "dateCreation": f"{created:%Y-%m-%dT%H:%M:%S}.{created.microsecond // 1000:03}Z",
        "lieuTravail": {
            "libelle": f"{departement} - Ville",
            "latitude": 48.1,
            "longitude": -1.6,
            "codePostal": f"{departement}000",
            "commune": f"{departement}238",
        },
        "romeCode": rome,
        "entreprise": {"nom": "ENTREPRISE INVENTÉE", "description": "Tél. 02 99 00 00 00"},
        "contact": {"nom": "Mme Untel", "courriel": "untel@exemple.invalid"},
        "agence": {"courriel": "agence@exemple.invalid"},
        "nombrePostes": 1,
        "origineOffre": {"origine": "1", "urlOrigine": "https://exemple.invalid/1"},
        **more,
    }


class FakeApi:
    """Answers as the contract says. `faults` are asked in turn at each search; the first reply given is sent."""

    def __init__(self, server: ScriptedServer, offers: Iterable[dict[str, Any]] = (), *, cap: int = 3150) -> None:
        self.server, self.offers, self.cap = server, list(offers), cap
        self.faults: list[Fault] = []
        self.tokens = 0
        self.expires_in: object = 1499
        self.good_for = 10**9  # requests that one token opens
        self.with_range = True
        self._left = 0
        self.codes = ["K1302", "D1106", "M1805"]
        server.script(TOKEN_PATH, self.token)
        server.script(SEARCH_PATH, self.search)
        server.script(METIERS_PATH, lambda asked: _json([{"code": code, "libelle": "Métier"} for code in self.codes]))

    def token(self, asked: Asked) -> Reply:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form["client_secret"] != CLIENT_SECRET or form["client_id"] != CLIENT_ID:
            return _json({"error": "invalid_client", "error_description": f"{form}"}, 400)
        self.tokens += 1
        self._left = self.good_for
        return _json({"access_token": f"jeton-{self.tokens:04}", "expires_in": self.expires_in, "scope": form["scope"]})

    def search(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer jeton-{self.tokens:04}" or self._left <= 0:
            return Reply(401)
        self._left -= 1
        params = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        for fault in self.faults:
            if (reply := fault(params)) is not None:
                return reply
        return self.page(params)

    def page(self, params: dict[str, str], total_change: int = 0) -> Reply:
        start, end = (int(part) for part in params["range"].split("-"))
        if end - start >= PAGE:
            return _json({"message": "La plage de résultats demandée est trop importante."}, 400)
        if start > self.cap - PAGE:
            message = f"La position de début doit être inférieure ou égale à {self.cap - PAGE}."
            return _json({"message": message}, 400)
        matching = [found for found in self.offers if _matches(found, params)]
        if not matching:
            return Reply(204, headers={"Content-Range": "*/0"})
        matching.sort(key=lambda found: (found["dateCreation"], found["id"]), reverse=True)
        total, rows = len(matching) + total_change, matching[start : end + 1]
        headers = {"Content-Range": f"offres {start}-{start + len(rows) - 1}/{total}"} if self.with_range else {}
        status = 200 if start == 0 and len(rows) == total else 206
        return Reply(status, json.dumps({"resultats": rows, "filtresPossibles": []}).encode(), headers)

    def pages_asked(self) -> list[dict[str, str]]:
        return [
            {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
            for asked in self.server.asked
            if asked.path.startswith(SEARCH_PATH)
        ]


def once(fault: Fault) -> Fault:
    """A fault that happens the first time only."""
    done: list[bool] = []

    def first_time(params: dict[str, str]) -> Reply | None:
        if done or (reply := fault(params)) is None:
            return None
        done.append(True)
        return reply

    return first_time


class Time:
    """A clock that only waits move."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []

    def clock(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    def now(self) -> float:
        return NOW.timestamp() + self.seconds


@contextmanager
def opened(
    settings: Settings, server: ScriptedServer, time: Time, *, base: str = "/offres", scopes: Scopes = offres.SCOPES
) -> Iterator[Api]:
    """The API of the server, asked at a pace that no test waits for."""
    pace = Pace(retries=settings.max_retries, clock=time.clock, sleep=time.sleep, now=time.now)
    with open_api(settings, server.url(base), scopes, token_url=server.url(TOKEN_PATH), pace=pace) as api:
        yield api


def _json(content: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(content).encode(), {"Content-Type": "application/json"})


def _matches(found: dict[str, Any], params: dict[str, str]) -> bool:
    created = found["dateCreation"]
    rome = str(found.get("romeCode", ""))
    codes = params.get("codeROME")
    return (
        found["id"][6:] in params["departement"].split(",")
        and found["origineOffre"]["origine"] == params.get("origineOffre", "1")
        and params["minCreationDate"][:19] <= created[:19]
        and created <= params["maxCreationDate"][:19] + ".000Z"
        and (codes is None or rome in codes.split(","))
        and rome.startswith(params.get("grandDomaine", ""))
    )
