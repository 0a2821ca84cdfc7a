"""How often an API is asked: its pace, the waits it asks for, and how many times a request is tried again."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

from dagster_project.sources import http_policy as policy
from dagster_project.sources.http_policy import FetchError

_log = logging.getLogger(__name__)
_sleep = time.sleep


class TryAgainError(Exception):
    """An attempt that brought nothing usable and may succeed later.

    Attributes:
        after: seconds the server asks to wait, where it says.
        status: what it answered, where it answered.
    """

    def __init__(self, reason: str, after: float | None = None, status: int | None = None) -> None:
        super().__init__(reason)
        self.after, self.status = after, status


class Pace:
    """Spaces the requests of one client, and repeats those that fail.

    Args:
        per_second: requests a second at most, retries included.
        retries: attempts after the first one.
        backoff: seconds before the second attempt; doubled at each further one.
        clock: monotonic seconds.
        sleep: waits that many seconds.
        now: seconds since 1970, that dates of `Retry-After` are compared with.
    """

    def __init__(
        self,
        per_second: float = 3.0,
        *,
        retries: int = 4,
        backoff: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        if per_second <= 0:
            raise ValueError(f"{per_second} requests a second: expected more than 0")
        self.clock, self.now = clock, now
        self._interval, self._retries, self._backoff = 1 / per_second, retries, backoff
        self._sleep = sleep or _sleep
        self._next = float("-inf")

    def call[Result](self, attempt: Callable[[], Result]) -> Result:
        """The result of the first attempt that has one, each in its turn.

        Raises:
            FetchError: every attempt failed, or the server asks for a wait beyond MAX_WAIT_S.
        """
        failures = 0
        while True:
            self._turn()
            try:
                return attempt()
            except TryAgainError as error:
                failures += 1
                self._wait(error, failures)

    def _turn(self) -> None:
        early = self._next - self.clock()
        if early > 0:
            self._sleep(early)
        self._next = self.clock() + self._interval

    def _wait(self, error: TryAgainError, failures: int) -> None:
        if failures > self._retries:
            tries = f"{failures} attempts" if failures > 1 else "one attempt"
            raise FetchError(f"{error} ({tries}); run again later", transient=True, status=error.status) from None
        if error.after is not None and error.after > policy.MAX_WAIT_S:
            message = f"the server asks to wait {error.after:.0f} s before trying again (Retry-After); run again later"
            raise FetchError(message, transient=True, status=error.status) from None
        jitter = random.uniform(0, self._backoff / 4)  # noqa: S311  spreads retries, guards nothing
        seconds = min(policy.MAX_WAIT_S, self._backoff * 2 ** (failures - 1) + jitter)
        seconds = seconds if error.after is None else error.after
        _log.warning("attempt %d failed (%s), trying again in %.1f s", failures, error, seconds)
        self._sleep(seconds)


def retry_after(header: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` asks to wait: seconds or an HTTP date; None when it says nothing usable."""
    text = (header or "").strip()
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        if text:
            _log.warning("Retry-After %r is neither seconds nor a date: ignored", text[:40])
        return None
    # a date without a zone is in UTC (RFC 9110, section 5.6.7)
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)
