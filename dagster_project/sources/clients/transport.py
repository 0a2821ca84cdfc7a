"""One request of an API and its whole answer: over the sessions of downloads, at a pace, tried again when it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from dagster_project.settings import Settings
from dagster_project.sources import http_policy as policy
from dagster_project.sources.clients.rate import Pace, TryAgainError, retry_after
from dagster_project.sources.http_policy import FetchError, open_session

_CHUNK = 1 << 16
_CEILING = 64 << 20  # no page of these APIs comes near it: what does is not one


@dataclass(frozen=True)
class Answer:
    """What a server answered, body read whole. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def transient_status(answer: Answer) -> str | None:
    """The status of an answer that may be another one later."""
    return f"HTTP {answer.status}" if answer.status in policy.TRY_AGAIN else None


class Transport:
    """Sends requests one after the other.

    Args:
        settings: timeouts, and how often to try again.
        pace: spacing and retries; by default 3 requests a second, and what the settings say.
    """

    def __init__(self, settings: Settings, pace: Pace | None = None) -> None:
        self.pace = pace or Pace(retries=settings.max_retries, backoff=settings.backoff_factor)
        self.requests = 0
        self._timeout = (settings.connect_timeout_s, settings.read_timeout_s)
        # the pace retries, POST included, and counts; a session that did so too would multiply the attempts
        self._session = open_session(settings.model_copy(update={"max_retries": 0}))

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        payload: Any = None,
        faulty: Callable[[Answer], str | None] | None = None,
    ) -> Answer:
        """Ask, as often as the pace allows, until an answer is worth reading.

        Args:
            method: GET or POST.
            url: address asked; redirects are not followed, so that credentials go nowhere else.
            headers: sent with the request.
            params: query of the address.
            form: body as a form.
            payload: body as JSON.
            faulty: why an answer is worth another attempt, None when it is not; by default, its status may change.

        Raises:
            FetchError: no answer, or only transient refusals (`status` is the last one).
        """

        def attempt() -> Answer:
            self.requests += 1
            try:
                with self._session.request(
                    method,
                    url,
                    headers=dict(headers or {}),
                    params=params,
                    data=form,
                    json=payload,
                    timeout=self._timeout,
                    stream=True,
                ) as response:
                    answer = Answer(response.status_code, _lower(response.headers), _body(response))
            # `from None` below: the original messages hold whole addresses
            except requests.exceptions.SSLError as error:
                raise FetchError(
                    f"{url}: {policy.plain(error)}; check the certificates and clock of this machine"
                ) from None
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                raise TryAgainError(f"{url}: {policy.plain(error)}") from None
            except (requests.RequestException, HTTPError) as error:
                raise FetchError(f"{url}: {policy.plain(error)}") from None
            if fault := (faulty or transient_status)(answer):
                wait = retry_after(answer.headers.get("retry-after"), self.pace.now())
                raise TryAgainError(f"{url}: {fault}", wait, answer.status)
            return answer

        return self.pace.call(attempt)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _body(response: requests.Response) -> bytes:
    received = bytearray()
    for chunk in response.iter_content(_CHUNK):
        received += chunk
        if len(received) > _CEILING:
            raise FetchError(f"{response.url}: more than {_CEILING} bytes; not a page of this API")
    return bytes(received)
