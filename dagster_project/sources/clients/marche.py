"""France Travail, "Marché du travail v1": job seekers registered at the end of a quarter, by territory and ROME."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

from dagster_project.sources.clients.api import Api, decoded
from dagster_project.sources.clients.oauth import Scopes
from dagster_project.sources.clients.offer_fields import dumped
from dagster_project.sources.clients.transport import Answer
from dagster_project.sources.http_policy import FetchError

_log = logging.getLogger(__name__)

BASE_URL = "https://api.francetravail.io/partenaire/stats-offres-demandes-emploi"
SCOPES = Scopes("api_stats-offres-demandes-emploiv1", "offresetdemandesemploi")
DEMANDEURS = "/v1/indicateur/stat-demandeurs"
CATEGORIES = ("A", "B", "C")  # obliged to look for a job, working or not
# how the API says that it has no figure: an answer, although its status is that of a failure
_NO_FIGURE = ("pas pu trouver la liste", "n'est pas disponible")


class Territoire(NamedTuple):
    """A territory as the API names it: type (REG, DEP, EPCI, COM…) and code."""

    type: str
    code: str


@dataclass(frozen=True)
class Market:
    """Job seekers by territory and ROME.

    Attributes:
        records: `codeTypeTerritoire, codeTerritoire, codeRome, valeur, periode`, sorted; `valeur` is None where a
            category is not given.
        counts: `requetes`, `records`, `sans_donnee` (pairs of which the API has no figure) and `incomplets` (records
            whose `valeur` is None).
    """

    records: tuple[dict[str, Any], ...]
    counts: dict[str, int]

    def content(self) -> bytes:
        """Canonical JSON: an array of records."""
        return dumped(list(self.records))


class Marche:
    """Asks for job seekers through an open API.

    Args:
        api: opened with SCOPES on BASE_URL.
        categories: administrative categories added up.
    """

    def __init__(self, api: Api, *, categories: Sequence[str] = CATEGORIES) -> None:
        self.api, self._categories = api, tuple(categories)

    def job_seekers(self, territoires: Iterable[Territoire], codes_rome: Iterable[str]) -> Market:
        """Job seekers of each territory by ROME, in the last quarter known; one request per pair.

        Raises:
            AccessError: the key does not open this API.
            FetchError: a pair could not be asked: a table with holes would pass for one without job seekers.
        """
        counts, started = Counter({"sans_donnee": 0, "incomplets": 0}), self.api.transport.requests
        codes = sorted(set(codes_rome))
        records: list[dict[str, Any]] = []
        for territoire in sorted(set(territoires)):
            _log.info("job seekers of %s %s", *territoire)
            for code in codes:
                found = self._values(territoire, code)
                counts["sans_donnee"] += not found
                counts["incomplets"] += sum(value is None for value in found.values())
                records += [_record(territoire, code, value, period) for period, value in sorted(found.items())]
        counts["records"], counts["requetes"] = len(records), self.api.transport.requests - started
        return Market(tuple(records), dict(sorted(counts.items())))

    def _values(self, territoire: Territoire, code: str) -> dict[str, int | None]:
        """Job seekers by period; empty where the API has no figure."""
        question = {
            "codeTypeTerritoire": territoire.type,
            "codeTerritoire": territoire.code,
            "codeTypeActivite": "ROME",
            "codeActivite": code,
            "codeTypePeriode": "TRIMESTRE",
            "codeTypeNomenclature": "CATCAND",
            "listeCodeNomenclature": list(self._categories),
            "dernierePeriode": True,
            "sansCaracteristiques": True,
        }
        answer = self.api.post(DEMANDEURS, question, usable=_has_no_figure)
        if answer.status == HTTPStatus.NO_CONTENT or _has_no_figure(answer):
            return {}
        content = decoded(answer)
        values = content.get("listeValeursParPeriode") or [] if isinstance(content, dict) else None
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise FetchError(f"{DEMANDEURS}: the answer has no list of values; run again later", transient=True)
        given = {
            (str(v.get("codePeriode")), v.get("codeNomenclature")): v.get("valeurPrincipaleNombre") for v in values
        }
        return {period: self._sum(given, period) for period in {period for period, _ in given}}

    def _sum(self, given: dict[tuple[str, Any], Any], period: str) -> int | None:
        """Categories added up; None when one is not given: it may be secret as well as empty."""
        parts = [given.get((period, category)) for category in self._categories]
        whole = [int(part) for part in parts if isinstance(part, int | float)]
        return sum(whole) if len(whole) == len(parts) else None


def _record(territoire: Territoire, code: str, value: int | None, period: str) -> dict[str, Any]:
    return {
        "codeTypeTerritoire": territoire.type,
        "codeTerritoire": territoire.code,
        "codeRome": code,
        "valeur": value,
        "periode": period,
    }


def _has_no_figure(answer: Answer) -> bool:
    refused = answer.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
    return refused and any(words.encode() in answer.body for words in _NO_FIGURE)
