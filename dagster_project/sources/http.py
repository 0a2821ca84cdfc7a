"""Downloads over HTTP that survive what servers do: errors, waits, cut connections, redirects, endless bodies.

urllib3's Retry repeats requests that get no usable answer. What it cannot do is resume a body that was cut
on the way: the loop of `_Transfer` does that, with Range and If-Range, and starts again from the first byte
when the server cannot resume or the file changed in between.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from urllib.parse import urljoin

import requests
from urllib3.exceptions import HTTPError

from dagster_project.settings import Settings
from dagster_project.sources import http_policy as policy
from dagster_project.sources.archive import Archive, ArchivedFile
from dagster_project.sources.http_policy import FetchError, open_session
from dagster_project.sources.redaction import redact

__all__ = ["FetchError", "download", "open_session"]

_log = logging.getLogger(__name__)

CHUNK = 1 << 16
MAX_REDIRECTS = 10
MIN_PACE = 128  # bytes per second over a window of the read timeout; below it the transfer is given up
_now = time.monotonic


class _RestartError(Exception):
    """The bytes received so far cannot be completed: the transfer restarts from the first one."""


def download(
    url: str,
    archive: Archive,
    settings: Settings,
    session: requests.Session,
    *,
    key: str,
    origin: str,
    max_bytes: int,
) -> ArchivedFile:
    """Fetch an address into the archive.

    The request is conditional when the same address was fetched before under this key and its bytes are
    still in the archive; a 304 answer then returns the earlier file with `unchanged=True`.

    Raises:
        FetchError: nothing was kept; the message names the address and what to do.
        ArchiveError: the archive could not keep it (full disk).
    """
    previous = archive.latest(key, origin)
    if previous is not None and (previous.url != redact(url) or not archive.is_intact(previous.sha256)):
        previous = None
    transfer = _Transfer(url, settings, session, max_bytes)
    try:
        while True:
            headers = transfer.begin(previous)
            if transfer.not_modified and previous is not None:
                return archive.record_unchanged(previous, headers, transfer.redirects)
            try:
                return archive.store(
                    transfer.chunks(),
                    key=key,
                    name=policy.file_name(headers, transfer.final_url),
                    url=url,
                    final_url=transfer.final_url,
                    headers=headers,
                    origin=origin,
                    max_bytes=max_bytes,
                    redirects=transfer.redirects,
                )
            except _RestartError:
                _log.info("%s: starting again from the first byte", redact(url))
    finally:
        transfer.close()


class _Transfer:
    """One file on its way: the current response, what was received, and how often it was cut."""

    def __init__(self, url: str, settings: Settings, session: requests.Session, max_bytes: int) -> None:
        self.url = self.final_url = url
        self.redirects: list[dict[str, str]] = []
        self.not_modified = False
        self._settings, self._session, self._max_bytes = settings, session, max_bytes
        self._response: requests.Response | None = None
        self._whole: requests.Response | None = None  # a whole answer that came where a part was asked
        self._first: Mapping[str, str] = {}
        self._received = self._cuts = 0

    def close(self) -> None:
        """Give the connection back."""
        for response in (self._response, self._whole):
            if response is not None:
                response.close()

    def begin(self, previous: ArchivedFile | None) -> dict[str, str]:
        """Ask for the file from its first byte; returns the headers of the answer."""
        response, self._whole = self._whole, None
        if response is None:
            response = self._follow(policy.conditions(previous))
        self._response, self._first, self._received = response, response.headers, 0
        self.not_modified = response.status_code == HTTPStatus.NOT_MODIFIED and previous is not None
        if not self.not_modified:
            self._check_status(response)
            self._check_ceiling(policy.length(response.headers) or 0)
        return dict(response.headers)

    def chunks(self) -> Iterator[bytes]:
        """The body, resumed as often as it is cut and `max_retries` allows."""
        while self._response is not None:
            try:
                yield from self._body(self._response)
            except HTTPError as error:
                reason = error
            else:
                return
            self._resume(reason)

    def _body(self, response: requests.Response) -> Iterator[bytes]:
        window_start, window_bytes = _now(), 0
        # read1 hands over what has arrived: nothing received is lost when the connection is cut
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            self._received += len(chunk)
            window_bytes += len(chunk)
            self._check_ceiling(self._received)
            yield chunk
            if (elapsed := _now() - window_start) > self._settings.read_timeout_s:
                if window_bytes < MIN_PACE * elapsed:
                    raise self._error(f"only {window_bytes} bytes in {elapsed:.0f} s; run again later", transient=True)
                window_start, window_bytes = _now(), 0

    def _resume(self, reason: HTTPError) -> None:
        """Ask for the rest of the body. Raises _RestartError when it has to be asked whole."""
        self._cuts += 1
        total = policy.length(self._first)
        position = f"after {self._received} bytes" + (f" of {total}" if total is not None else "")
        if self._cuts > self._settings.max_retries:
            raise self._error(
                f"the transfer was cut {position}, {self._cuts} times in all ({policy.plain(reason)}); run again later",
                transient=True,
            )
        _log.warning("%s: cut %s (%s), resuming", redact(self.url), position, policy.plain(reason))
        factor = self._settings.backoff_factor
        jitter = random.uniform(0, factor / 4)  # noqa: S311  spreads retries, guards nothing
        policy.wait(min(policy.MAX_WAIT_S, factor * 2 ** (self._cuts - 1) + jitter))
        validator = policy.strong_validator(self._first)
        if validator is None or not self._received:
            raise _RestartError
        response = self._follow({"Range": f"bytes={self._received}-", "If-Range": validator})
        self.close()
        self._response = response
        if response.status_code == HTTPStatus.OK:
            self._whole, self._response = response, None
            raise _RestartError
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or (
            response.status_code == HTTPStatus.PARTIAL_CONTENT and not self._continues(response)
        ):
            raise _RestartError
        if response.status_code != HTTPStatus.PARTIAL_CONTENT:
            self._check_status(response)

    def _continues(self, response: requests.Response) -> bool:
        """Whether a partial answer starts at the byte wanted, in the same version of the file."""
        part = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
        total = policy.length(self._first)
        return (
            part is not None
            and int(part[1]) == self._received
            and (part[2] == "*" or total is None or int(part[2]) == total)
            and response.headers.get("ETag") in (None, self._first.get("ETag"))
            and not policy.is_encoded(response.headers)
        )

    def _follow(self, headers: Mapping[str, str]) -> requests.Response:
        """GET, following redirects one at a time."""
        url, self.redirects = self.url, []
        while True:
            response = self._get(url, headers)
            if not response.is_redirect:
                self.final_url = url
                return response
            response.close()
            location = response.headers["location"].encode("latin-1").decode("utf-8", "replace")
            try:
                target = urljoin(url, location)
            except ValueError:
                raise self._error(f"redirect to {location!r} refused: not an address") from None
            if refusal := policy.redirect_refusal(url, target):
                raise self._error(f"redirect to {target} refused: {refusal}")
            status = str(response.status_code)
            self.redirects.append({"status": status, "from": redact(url), "to": redact(target)})
            if len(self.redirects) > MAX_REDIRECTS:
                raise self._error(f"more than {MAX_REDIRECTS} redirects (a loop?), the last to {target}")
            url = target

    def _get(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        timeout = (self._settings.connect_timeout_s, self._settings.read_timeout_s)
        try:
            return self._session.get(url, headers=dict(headers), timeout=timeout, stream=True)
        # `from None` below: the original messages hold addresses with their secrets
        except FetchError as error:
            raise self._error(str(error), error.transient) from None
        except requests.exceptions.SSLError as error:
            raise self._error(f"{policy.plain(error)}; check the certificates and clock of this machine") from None
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.RetryError) as error:
            raise self._error(f"{policy.plain(error)}; check the network, or run again later", transient=True) from None
        except (requests.RequestException, HTTPError) as error:
            raise self._error(f"{policy.plain(error)}; check the address in the catalogue") from None

    def _check_status(self, response: requests.Response) -> None:
        status = response.status_code
        if status in (200, 203):
            return
        advice = {
            204: "the server sends no content: check the address in the catalogue",
            401: "the server wants credentials: check the access of this source in the catalogue",
            403: "the server refuses scripts: download the file by hand",
            404: "no such file any more: look for its new address on the page of the producer",
            410: "the file was withdrawn: look for its new address on the page of the producer",
            429: "the server asks for fewer requests: run again later",
        }.get(status, "run again later" if status in policy.TRY_AGAIN else "not an answer that carries a file")
        message = f"HTTP {status} {response.reason or ''}".rstrip() + f"; {advice}"
        raise FetchError(f"{self.url}: {message}", status in policy.TRY_AGAIN, status)

    def _check_ceiling(self, size: int) -> None:
        if size > self._max_bytes:
            raise self._error(
                f"more than the {self._max_bytes} bytes allowed; check that the address serves the right file, "
                "or raise bytes.maximum in its catalogue entry"
            )

    def _error(self, message: str, transient: bool = False) -> FetchError:
        return FetchError(f"{self.url}: {message}", transient)
