"""Daily snapshots of offers: when each was first and last seen, since an offer that is filled vanishes without notice.

The state of a day is a function of the state before and of what was received: merging the same day again changes
nothing, and merging the same days in the same order always gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dagster_project.sources.clients.offer_fields import Offer, departement_of, dumped

WHOLE_HEADER = "x-dq-departements-entiers"  # of an archived harvest: départements received whole, comma between


class SnapshotError(ValueError):
    """A day that cannot be merged, or a state that cannot be read; the message says which."""


@dataclass(frozen=True)
class Seen:
    """An offer as last received.

    Attributes:
        offer: its fields.
        departement: where it is; None for a whole region or abroad.
        premiere_vue: day it was first received (ISO date).
        derniere_vue: day it was last received.
        disparue_le: first day on which its département was received whole without it; None while it may be open.
    """

    offer: Offer
    departement: str | None
    premiere_vue: str
    derniere_vue: str
    disparue_le: str | None = None


@dataclass(frozen=True)
class State:
    """All offers ever seen, by id, and the last day merged (empty before the first)."""

    day: str = ""
    offers: dict[str, Seen] = field(default_factory=dict)

    def records(self) -> list[dict[str, Any]]:
        """One record per offer, sorted by id: its fields, `premiere_vue`, `derniere_vue` and `disparue_le`."""
        return [
            {
                **seen.offer,
                "premiere_vue": seen.premiere_vue,
                "derniere_vue": seen.derniere_vue,
                "disparue_le": seen.disparue_le,
            }
            for _, seen in sorted(self.offers.items())
        ]

    def content(self) -> bytes:
        """Canonical JSON, which `read_state` takes back."""
        return dumped({"jour": self.day, "offres": [vars(seen) for _, seen in sorted(self.offers.items())]})


def merge(previous: State, offers: Iterable[Offer], whole: Collection[str], day: str) -> State:
    """The state after a day's harvest.

    Args:
        previous: state before; `State()` at the start.
        offers: those received.
        whole: départements of which every offer was received: only there does an absence mean that an offer is gone.
        day: day of the harvest (ISO date).

    Raises:
        SnapshotError: the day is not a date, or lies before the last one merged.
    """
    if not _is_day(day):
        raise SnapshotError(f"{day!r} is not a day such as 2026-01-31")
    if day < previous.day:
        raise SnapshotError(f"{day} lies before {previous.day}, already merged: days are merged in order")
    state = {identifier: _aged(seen, whole, day) for identifier, seen in previous.offers.items()}
    for offer in offers:
        before = previous.offers.get(offer["id"])
        first = before.premiere_vue if before else day
        state[offer["id"]] = Seen(offer, departement_of(offer), first, day)
    return State(day, dict(sorted(state.items())))


def read_state(content: bytes) -> State:
    """The state that `State.content` wrote; raises SnapshotError when these bytes are not one."""
    try:
        decoded = json.loads(content)
        return State(decoded["jour"], {entry["offer"]["id"]: Seen(**entry) for entry in decoded["offres"]})
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"not a state of snapshots ({type(error).__name__}: {error})") from error


def _aged(seen: Seen, whole: Collection[str], day: str) -> Seen:
    """An offer of before, were it not received today."""
    if seen.disparue_le is not None or seen.departement not in whole or seen.derniere_vue == day:
        return seen
    return Seen(seen.offer, seen.departement, seen.premiere_vue, seen.derniere_vue, day)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
