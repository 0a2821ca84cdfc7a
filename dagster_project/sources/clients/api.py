"""An API of France Travail: requests with a token, answers in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from dagster_project.settings import Settings
from dagster_project.sources.clients.oauth import TOKEN_URL, Credentials, Scopes, TokenClient
from dagster_project.sources.clients.rate import Pace
from dagster_project.sources.clients.transport import Answer, Transport, transient_status
from dagster_project.sources.http_policy import FetchError

NO_KEY = "access by key: set DQ_FRANCETRAVAIL_CLIENT_ID and DQ_FRANCETRAVAIL_CLIENT_SECRET (francetravail.io)"
_DONE = (HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.PARTIAL_CONTENT)


class AccessError(FetchError):
    """The key does not open this API: no other request will fare better."""


class Api:
    """Sends requests with the current token, and another token once when the server refuses it.

    Args:
        base_url: address before the path of each resource.
        scopes: pair of scopes of this API, named in errors.
        transport: carries the requests.
        tokens: gives the token.
    """

    def __init__(self, base_url: str, scopes: Scopes, transport: Transport, tokens: TokenClient) -> None:
        self.base_url, self.transport = base_url.rstrip("/"), transport
        self._scopes, self._tokens = scopes, tokens

    def get(self, path: str, params: Mapping[str, str]) -> Answer:
        """Ask for a resource.

        Raises:
            AccessError: the key or its scopes are refused.
            FetchError: no usable answer; `status` is what the server answered.
        """
        return self._ask("GET", path, params=params)

    def post(self, path: str, payload: Any, usable: Callable[[Answer], bool] = lambda _: False) -> Answer:
        """Ask with a JSON body; `usable` tells of refusals that are answers. Raises as `get` does."""
        return self._ask("POST", path, payload=payload, usable=usable)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        payload: Any = None,
        usable: Callable[[Answer], bool] = lambda _: False,
    ) -> Answer:
        url = self.base_url + path

        def send() -> Answer:
            headers = {"Accept": "application/json", "Authorization": f"Bearer {self._token()}"}
            return self.transport.send(
                method,
                url,
                headers=headers,
                params=params,
                payload=payload,
                faulty=lambda answer: None if usable(answer) else transient_status(answer) or _not_json(answer),
            )

        answer = send()
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self._tokens.forget()
            answer = send()
        if answer.status in _DONE or usable(answer):
            return answer
        raise self._refused(url, answer)

    def _token(self) -> str:
        try:
            return self._tokens.bearer()
        except FetchError as error:
            if error.transient:
                raise
            raise AccessError(str(error), status=error.status) from None

    def _refused(self, url: str, answer: Answer) -> FetchError:
        pair = f"{self._scopes.api!r} and {self._scopes.data!r}"
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return AccessError(f"{url}: a fresh token is refused too (HTTP 401); check the key", status=answer.status)
        if answer.status == HTTPStatus.FORBIDDEN:
            said = "without a word, as when only one scope was asked" if not answer.body.strip() else "refused"
            return AccessError(
                f"{url}: HTTP 403, {said}; this API needs both scopes {pair}: check that the application is "
                "subscribed to it on francetravail.io",
                status=answer.status,
            )
        message = _message(answer)
        said = f"the server says {self._tokens.masked(message)!r}" if message else "not an answer that carries data"
        return FetchError(f"{url}: HTTP {answer.status}; {said}", status=answer.status)


@contextmanager
def open_api(
    settings: Settings, base_url: str, scopes: Scopes, *, token_url: str = TOKEN_URL, pace: Pace | None = None
) -> Iterator[Api]:
    """An API of France Travail, under the key of the settings, until the end of the block.

    Args:
        settings: the key, timeouts, retries.
        base_url: address of the API.
        scopes: its pair of scopes.
        token_url: address of the token server.
        pace: by default 3 requests a second, and the retries of the settings.

    Raises:
        AccessError: the settings hold no key.
    """
    credentials = Credentials.of(settings)
    if credentials is None:
        raise AccessError(NO_KEY)
    with Transport(settings, pace) as transport:
        yield Api(base_url, scopes, transport, TokenClient(transport, credentials, scopes, url=token_url))


def decoded(answer: Answer) -> Any:
    """What an answer that `Api` let through holds; None where the server had nothing to say (204)."""
    return None if answer.status == HTTPStatus.NO_CONTENT else json.loads(answer.body)


def _not_json(answer: Answer) -> str | None:
    if answer.status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return None
    try:
        json.loads(answer.body)
    except ValueError:
        return "the answer is not JSON"
    return None


def _message(answer: Answer) -> str | None:
    """The server's own words, where it has some."""
    try:
        message = json.loads(answer.body).get("message")
    except (ValueError, AttributeError):
        return None
    return message[:200] if isinstance(message, str) else None
