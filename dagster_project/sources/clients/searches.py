"""A search of offers, and the ways to part it when it matches more offers than the API hands over.

The API serves the first offers of a search only. A search is parted by domaine professionnel, then by ROME codes, then
by halves of its creation window. Parts may overlap (an offer is kept once), and whoever parts checks that nothing
was lost: a list of codes may lack one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

# `grandDomaine` in the contract of the API; a longer code is part of its letter, or beside it: both are asked
GRANDS_DOMAINES = (*"ABCDEFGHIJKLMN", "C15", "L14", "M13", "M14", "M15", "M16", "M17", "M18")
# 1: France Travail, 2: partners. Clients of the API report that a search which names neither counts both and serves
# the first alone, so that each is asked for by itself.
ORIGINES = ("1", "2")
MAX_CODES = 200  # of `codeROME` in one search
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Search:
    """Offers of a département and an origin, created between two instants (UTC, whole seconds, both included)."""

    departement: str
    origine: str
    since: datetime
    until: datetime
    domaine: str | None = None
    codes: tuple[str, ...] = ()
    windowed: bool = False

    def params(self) -> dict[str, str]:
        """Query parameters, page apart. Newest first: an offer created meanwhile is outside the window."""
        found = {
            "departement": self.departement,
            "origineOffre": self.origine,
            "minCreationDate": f"{self.since:%Y-%m-%dT%H:%M:%SZ}",
            "maxCreationDate": f"{self.until:%Y-%m-%dT%H:%M:%SZ}",
            "sort": "1",
        }
        if self.codes:
            return {**found, "codeROME": ",".join(self.codes)}
        return {**found, "grandDomaine": self.domaine} if self.domaine else found

    def ways(self, codes: Sequence[str]) -> Iterator[list[Search]]:
        """Ways to part this search, the best first; none for one second of creation.

        Args:
            codes: ROME codes known to the caller, perhaps none.
        """
        if not self.windowed and self.domaine is None:
            yield [replace(self, domaine=domaine) for domaine in GRANDS_DOMAINES]
        elif not self.windowed and self.domaine and (known := self._codes(codes)):
            yield [replace(self, codes=known[at : at + MAX_CODES]) for at in range(0, len(known), MAX_CODES)]
        elif not self.windowed and len(self.codes) > 1:
            half = len(self.codes) // 2
            yield [replace(self, codes=self.codes[:half]), replace(self, codes=self.codes[half:])]
        if self.until - self.since > _SECOND:
            middle = self.since + timedelta(seconds=int((self.until - self.since).total_seconds()) // 2)
            # creations have fractions of a second: both halves hold the second in the middle, so that none is lost
            yield [replace(self, until=middle, windowed=True), replace(self, since=middle, windowed=True)]

    def _codes(self, codes: Sequence[str]) -> tuple[str, ...]:
        if self.codes or self.domaine is None:
            return ()
        return tuple(sorted({code for code in codes if code.startswith(self.domaine)}))
