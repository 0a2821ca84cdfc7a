"""On which day feeds are taken: valid for all of them, and as full as days get."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from dagster_project.routing.transit.calendar import services_on
from dagster_project.routing.transit.feed import Feed
from dagster_project.routing.transit.problems import FeedRefused

TUESDAY = 1
_DAYS_OF_A_WEEK = 7


def require_valid(feed: Feed, day: date) -> None:
    """Refuse a feed on a day its calendars do not reach.

    Raises:
        FeedRefused: names the dates of the feed.
    """
    first, last = feed.calendar.first, feed.calendar.last
    if not first <= day <= last:
        raise FeedRefused(
            f"{feed.name} : le réseau est valable du {first:%d/%m/%Y} au {last:%d/%m/%Y}, pas le {day:%d/%m/%Y} ; "
            "choisir une date dans cet intervalle ou un réseau d’une autre édition"
        )


def reference_tuesday(feeds: Sequence[Feed]) -> date:
    """The Tuesday, valid for every feed, with the most trips over all of them; the earliest among equals.

    Raises:
        FeedRefused: no Tuesday is valid for all, or none has a trip; names the dates of each feed.
    """
    first = max(feed.calendar.first for feed in feeds)
    last = min(feed.calendar.last for feed in feeds)
    day = first + timedelta((TUESDAY - first.weekday()) % _DAYS_OF_A_WEEK)
    best, most = day, 0
    while day <= last:
        trips = sum(_trips_on(feed, day) for feed in feeds)
        if trips > most:
            best, most = day, trips
        day += timedelta(_DAYS_OF_A_WEEK)
    if not most:
        dates = " ; ".join(
            f"{feed.name} du {feed.calendar.first:%d/%m/%Y} au {feed.calendar.last:%d/%m/%Y}" for feed in feeds
        )
        raise FeedRefused(f"aucun mardi desservi n’est commun à tous les réseaux ({dates}) ; choisir d’autres éditions")
    return best


def _trips_on(feed: Feed, day: date) -> int:
    return int(services_on(feed.calendar, day)[feed.trip_service].sum())
