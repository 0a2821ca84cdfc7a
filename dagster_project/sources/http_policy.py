"""Rules of a download: how often to try, how long to wait, what to follow, what proves that bytes are the same."""

from __future__ import annotations

import ipaddress
import logging
import re
import time
from collections.abc import Collection, Mapping
from email.message import Message
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InvalidHeader
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from dagster_project.settings import Settings
from dagster_project.sources.archive import ArchivedFile
from dagster_project.sources.redaction import redact

_log = logging.getLogger(__name__)

MAX_WAIT_S = 300.0
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
HEADERS = {
    "User-Agent": "data-et-quartiers/0.1 (python-requests)",
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # the producer's bytes, which alone can be resumed
}
_sleep = time.sleep


class FetchError(RuntimeError):
    """A file could not be fetched.

    Attributes:
        transient: whether trying again later may succeed without anybody doing anything.
        status: what the server answered, where it is an answer that stopped the fetch.
    """

    def __init__(self, message: str, transient: bool = False, status: int | None = None) -> None:
        super().__init__(redact(message))
        self.transient, self.status = transient, status


class _Redacted(logging.Filter):
    """urllib3 logs the addresses it retries, with their query."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        return True


class _PoliteRetry(Retry):
    """urllib3's Retry, except that a wait beyond MAX_WAIT_S fails at once instead of holding the run."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        try:
            return super().get_retry_after(response)
        except InvalidHeader:
            _log.warning("Retry-After %r is neither seconds nor a date: ignored", response.headers.get("Retry-After"))
            return None

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        asked = self.get_retry_after(response) if response is not None else None
        if asked is not None and asked > MAX_WAIT_S:
            raise FetchError(
                f"the server asks to wait {asked:.0f} s before trying again (Retry-After); run again later",
                transient=True,
            )
        wait(asked or self.get_backoff_time())


class _Session(requests.Session):
    """A session that leaves redirects to the caller, which logs and checks each of them."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002  requests calls it so
        return None


def open_session(settings: Settings, methods: Collection[str] = ("GET",)) -> requests.Session:
    """A session that retries connections, reads and the statuses of TRY_AGAIN, with back-off.

    Args:
        settings: how often and how long.
        methods: those that may be sent twice without harm.
    """
    retry = _PoliteRetry(
        total=settings.max_retries,
        connect=settings.max_retries,
        read=settings.max_retries,
        status=settings.max_retries,
        status_forcelist=TRY_AGAIN,
        allowed_methods=methods,
        backoff_factor=settings.backoff_factor,
        backoff_max=MAX_WAIT_S,
        backoff_jitter=settings.backoff_factor / 4,
        raise_on_status=False,  # the last answer is then described by the caller
    )
    session = _Session()
    session.headers.update(HEADERS)
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logger = logging.getLogger(name)
        if not any(isinstance(existing, _Redacted) for existing in logger.filters):
            logger.addFilter(_Redacted())
    return session


def redirect_refusal(url: str, target: str) -> str | None:
    """Why a redirect must not be followed; None when it may be."""
    try:
        source, destination = urlsplit(url), urlsplit(target)
    except ValueError:
        return "not an address"
    if destination.scheme not in ("http", "https"):
        return "neither http nor https"
    if (source.scheme, destination.scheme) == ("https", "http"):
        return "from https to http, where the bytes could be altered on the way"
    if _is_internal(destination.hostname) and not _is_internal(source.hostname):
        return "from a public address to one of this machine or its network"
    return None


def _is_internal(host: str | None) -> bool:
    if host is None or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def conditions(previous: ArchivedFile | None) -> dict[str, str]:
    """Conditional request headers from an earlier answer (its header names are lower-case)."""
    if previous is None:
        return {}
    names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    return {names[name]: previous.headers[name] for name in names if name in previous.headers}


def strong_validator(headers: Mapping[str, str]) -> str | None:
    """What proves that two answers are parts of the same bytes; a weak ETag does not."""
    if is_encoded(headers):
        return None
    etag = headers.get("ETag")
    if etag is not None:
        return None if etag.startswith("W/") else etag
    return headers.get("Last-Modified")


def is_encoded(headers: Mapping[str, str]) -> bool:
    """Whether the server compressed the body although it was asked not to."""
    return headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity")


def length(headers: Mapping[str, str]) -> int | None:
    """Announced size of the body in bytes, where it can be compared with what is received."""
    text = headers.get("Content-Length", "")
    return int(text) if text.isdecimal() and not is_encoded(headers) else None


def file_name(headers: Mapping[str, str], url: str) -> str:
    """The name the server gives to the file, without folders or control characters."""
    message = Message()
    message["Content-Disposition"] = next((v for k, v in headers.items() if k.lower() == "content-disposition"), "")
    name = message.get_filename() or unquote(urlsplit(url).path)
    return re.sub(r"[\x00-\x1f\x7f]", "", PurePosixPath(name.replace("\\", "/")).name) or "index"


def plain(error: Exception) -> str:
    """The innermost reason of a network error, on one line and without secrets."""
    reason: Any = error
    while True:
        inner = getattr(reason, "reason", None) or next((a for a in reason.args if isinstance(a, Exception)), None)
        if not isinstance(inner, Exception):
            break
        reason = inner
    return redact(" ".join(f"{type(reason).__name__}: {reason}".split())[:300])


def wait(seconds: float) -> None:
    """Pause between two attempts."""
    if seconds > 0:
        _log.info("waiting %.1f s before trying again", seconds)
        _sleep(seconds)
