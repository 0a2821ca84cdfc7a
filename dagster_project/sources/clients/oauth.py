"""Access tokens of France Travail: OAuth2 client credentials.

Scopes come in pairs, that of the API and that of its data: with the first alone the server gives a valid token, and
then answers 403 without a word to every request. The secret travels in the body of one request and is kept nowhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from pydantic import SecretStr

from dagster_project.settings import Settings
from dagster_project.sources.clients.transport import Answer, Transport
from dagster_project.sources.http_policy import FetchError

TOKEN_URL = "https://entreprise.francetravail.fr/connexion/oauth2/access_token?realm=%2Fpartenaire"  # noqa: S105
_MARGIN_S = 60.0  # a token is renewed before it expires: a request under way must not lose it
_DEFAULT_LIFE_S = 300.0  # where the server does not say how long it lasts
_ADVICE = {
    "invalid_client": "check DQ_FRANCETRAVAIL_CLIENT_ID and DQ_FRANCETRAVAIL_CLIENT_SECRET",
    "invalid_scope": "subscribe the application to this API on francetravail.io",
    "unauthorized_client": "the application has no right to client credentials: check it on francetravail.io",
    "unsupported_grant_type": "the server no longer takes client credentials: check francetravail.io",
    "invalid_request": "the server does not understand the request: check that the client is up to date",
}


class Scopes(NamedTuple):
    """The pair of scopes that opens an API."""

    api: str
    data: str


@dataclass(frozen=True)
class Credentials:
    """Key of an application registered on francetravail.io."""

    client_id: SecretStr
    client_secret: SecretStr

    @classmethod
    def of(cls, settings: Settings) -> Credentials | None:
        """Those of the settings; None when either is missing."""
        if settings.francetravail_client_id is None or settings.francetravail_client_secret is None:
            return None
        return cls(settings.francetravail_client_id, settings.francetravail_client_secret)


class TokenClient:
    """Holds the current token and asks for another when its life ends.

    Args:
        transport: carries the request, at its pace and by its clock.
        credentials: key of the application.
        scopes: pair of the API that will be asked.
        url: address of the token server.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        scopes: Scopes,
        *,
        url: str = TOKEN_URL,
    ) -> None:
        self._transport, self._credentials, self._scopes = transport, credentials, scopes
        self._url, self._clock = url, transport.pace.clock
        self._token, self._expires = "", float("-inf")

    def bearer(self) -> str:
        """A token that is still good for a while.

        Raises:
            FetchError: the server refuses it (the message names the scopes and what to do), or does not answer.
        """
        if self._clock() >= self._expires:
            self._renew()
        return self._token

    def forget(self) -> None:
        """The server no longer takes this token: the next one is asked for anew."""
        self._expires = float("-inf")

    def masked(self, text: str) -> str:
        """The text without what opens a door, which a server may echo."""
        secrets = (self._token, *(field.get_secret_value() for field in vars(self._credentials).values()))
        for secret in filter(None, secrets):
            text = text.replace(secret, "***")
        return text

    def _renew(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id.get_secret_value(),
            "client_secret": self._credentials.client_secret.get_secret_value(),
            "scope": " ".join(self._scopes),
        }
        answer = self._transport.send("POST", self._url, form=form)
        if answer.status != HTTPStatus.OK:
            raise FetchError(f"{self._url}: {_refusal(answer, self._scopes)}", status=answer.status)
        try:
            content = json.loads(answer.body)
            token, life = content["access_token"], float(content.get("expires_in", _DEFAULT_LIFE_S))
            life = life if 0 < life < float("inf") else _DEFAULT_LIFE_S
        except (ValueError, KeyError, TypeError, AttributeError):
            token, life = None, 0.0
        if not isinstance(token, str) or not token:
            # what was received is not shown: it may hold a token all the same
            raise FetchError(f"{self._url}: the answer holds no access_token; run again later", transient=True)
        # half the life of a token that lasts less than the margin, so that it serves at all
        self._token, self._expires = token, self._clock() + max(life - _MARGIN_S, life / 2)


def _refusal(answer: Answer, scopes: Scopes) -> str:
    """Why there is no token. Of the answer only known codes are quoted: a server may echo what it was sent."""
    try:
        content = json.loads(answer.body)
    except ValueError:
        content = None
    code = content.get("error") if isinstance(content, dict) else None
    known = code if isinstance(code, str) and code in _ADVICE else None
    advice = _ADVICE[known] if known else "check the key and the scopes of the application on francetravail.io"
    return (
        f"token refused (HTTP {answer.status}{f', {known}' if known else ''}) for scope {' '.join(scopes)!r}; {advice}"
    )
