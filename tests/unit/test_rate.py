"""Pace of requests, on a clock that only waits move."""

from __future__ import annotations

import pytest

from dagster_project.sources.clients.rate import Pace, TryAgainError, retry_after
from dagster_project.sources.http_policy import FetchError
from tests.francetravail_api import NOW, Time


def pace(time: Time, **options: float) -> Pace:
    return Pace(**options, clock=time.clock, sleep=time.sleep, now=time.now)  # type: ignore[arg-type]


def test_requests_keep_their_distance() -> None:
    time = Time()
    steady = pace(time, per_second=2)
    starts = [steady.call(time.clock) for _ in range(4)]
    assert starts == [0, 0.5, 1, 1.5]


def test_a_slow_request_is_not_waited_for_twice() -> None:
    time = Time()
    steady = pace(time, per_second=2)
    for _ in range(3):
        steady.call(lambda: None)
        time.seconds += 3
    assert time.waits == []


def test_waits_double_and_end() -> None:
    time = Time()

    def failing() -> None:
        raise TryAgainError("HTTP 500", status=500)

    with pytest.raises(FetchError, match=r"HTTP 500 \(4 attempts\)") as caught:
        pace(time, per_second=1000, retries=3, backoff=8.0).call(failing)
    assert (caught.value.transient, caught.value.status) == (True, 500)
    assert [round(wait / 8) for wait in time.waits if wait > 1] == [1, 2, 4]


def test_a_pace_must_be_one() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        Pace(0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *((None, None), ("", None), ("12", 12), (" 0 ", 0), ("demain", None), ("-3", None), ("1.5", None)),
        *(("Sun, 01 Mar 2026 12:01:30 GMT", 90), ("Sun, 01 Mar 2026 11:00:00 GMT", 0), ("Sun, 99 Mar 2026", None)),
        ("Sun, 01 Mar 2026 12:01:30", 90),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW.timestamp()) == seconds
