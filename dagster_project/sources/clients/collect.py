"""What a catalogue entry that names a client is made of: one table, whole, and how it was come by."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from dagster_project.settings import Settings
from dagster_project.sources.clients import marche, oauth, offres
from dagster_project.sources.clients.api import open_api
from dagster_project.sources.clients.marche import Marche, Territoire
from dagster_project.sources.clients.offres import Offres
from dagster_project.sources.clients.snapshot import WHOLE_HEADER
from dagster_project.sources.http_policy import FetchError

# every département of which offers may be asked; 20 is 2A and 2B
DEPARTEMENTS = (
    *(f"{number:02}" for number in range(1, 96) if number != 20),  # noqa: PLR2004
    *("2A", "2B", "971", "972", "973", "974", "976"),
)


@dataclass(frozen=True)
class Collected:
    """A table of an API.

    Attributes:
        content: its bytes, canonical: the same table gives the same bytes.
        address: what was asked, without query.
        notes: counts and gaps of the collection, kept in the log of the archive as headers.
    """

    content: bytes
    address: str
    notes: dict[str, str] = field(default_factory=dict)


def collect(client: str, settings: Settings) -> Collected:
    """The whole table of a client, for the territory of the settings.

    Args:
        client: `francetravail_offres` or `francetravail_marche`.
        settings: the key, the territory, timeouts and retries.

    Raises:
        AccessError: there is no key, or it is refused.
        FetchError: the table could not be had whole.
    """
    return {"francetravail_offres": _offers, "francetravail_marche": _market}[client](settings)


def _offers(settings: Settings) -> Collected:
    with open_api(settings, offres.BASE_URL, offres.SCOPES, token_url=oauth.TOKEN_URL) as api:
        client = Offres(api)
        harvest = client.harvest(settings.departements or DEPARTEMENTS, client.metiers())
    if harvest.interrupted:
        departement, reason = next(iter(harvest.interrupted.items()))
        gaps = ", ".join(harvest.interrupted)
        raise FetchError(f"offers of {gaps} could not be had; {departement}: {reason}", transient=True)
    notes = {
        "x-dq-comptes": json.dumps(harvest.counts),
        WHOLE_HEADER: ",".join(harvest.whole),
        "x-dq-plafond": str(harvest.cap),
    }
    return Collected(harvest.content(), offres.BASE_URL + offres.SEARCH, notes)


def _market(settings: Settings) -> Collected:
    with open_api(settings, offres.BASE_URL, offres.SCOPES, token_url=oauth.TOKEN_URL) as api:
        codes = Offres(api).metiers()
    with open_api(settings, marche.BASE_URL, marche.SCOPES, token_url=oauth.TOKEN_URL) as api:
        places = [Territoire("DEP", code) for code in settings.departements or DEPARTEMENTS]
        market = Marche(api).job_seekers(places, codes)
    return Collected(market.content(), marche.BASE_URL + marche.DEMANDEURS, {"x-dq-comptes": json.dumps(market.counts)})
