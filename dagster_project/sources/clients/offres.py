"""France Travail, "Offres d'emploi v2": every offer of a territory, in spite of pages, caps and moving totals.

Searches by département find no offer located in a whole region or abroad: the API places none there.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from dagster_project.sources.clients.api import AccessError, Api, decoded
from dagster_project.sources.clients.oauth import Scopes
from dagster_project.sources.clients.offer_fields import Offer, canonical, is_located, kept
from dagster_project.sources.clients.searches import ORIGINES, Search
from dagster_project.sources.http_policy import FetchError

_log = logging.getLogger(__name__)

BASE_URL = "https://api.francetravail.io/partenaire/offresdemploi"
SCOPES = Scopes("api_offresdemploiv2", "o2dsoffre")
SEARCH = "/v2/offres/search"
METIERS = "/v2/referentiel/metiers"
PAGE = 150
CAP = 3150  # offers that one search hands over; 1,150 until 2022: lowered when the API refuses a page
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)  # offers that are still open are not older
_RANGE = re.compile(r"(?:offres\s+)?(\d+)-(\d+)/(\d+)")
_GAPS = ("instables", "tronquees", "manquantes", "sans_id")  # what makes a département less than whole
_COUNTS = (*_GAPS, "recherches", "decoupages", "decoupages_incomplets", "relances", "doublons")
_BEYOND = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)


@dataclass(frozen=True)
class Harvest:
    """Offers of a territory, sorted by id, and what it took to get them.

    Attributes:
        offers: fields of `offer_fields.KEPT`.
        counts: by name, see `Offres.harvest`.
        whole: départements of which every offer was received.
        interrupted: départements given up, with the reason; nothing of them is in `offers`.
        cap: offers that one search handed over, as known at the end.
    """

    offers: tuple[Offer, ...]
    counts: dict[str, int]
    whole: tuple[str, ...]
    interrupted: dict[str, str]
    cap: int

    def content(self) -> bytes:
        """Canonical JSON, `{"resultats": […]}`."""
        return canonical(self.offers)


@dataclass(frozen=True)
class _Page:
    offers: list[Offer]
    total: int


class _RefusedError(Exception):
    """The search matches more offers than the API hands over."""


class Offres:
    """Harvests offers through an open API.

    Args:
        api: opened with SCOPES on BASE_URL.
        cap: offers that one search hands over, at most.
        restarts: how often a search whose total moves is read again.
        now: seconds since 1970; offers created later are left to the next harvest.
    """

    def __init__(self, api: Api, *, cap: int = CAP, restarts: int = 3, now: Callable[[], float] = time.time) -> None:
        self.api, self.cap = api, cap
        self._restarts, self._now = restarts, now
        self._codes: Sequence[str] = ()
        self._counts: Counter[str] = Counter()

    def harvest(self, departements: Iterable[str], codes_rome: Sequence[str] = ()) -> Harvest:
        """Every offer of these départements.

        Args:
            departements: codes, such as 35 or 2A.
            codes_rome: codes by which a domaine that is too large is parted; without them, its creation window is.

        Returns:
            The harvest. Its counts: `offres`, `requetes`, `recherches` (read to the end), `decoupages`,
            `decoupages_incomplets` (parts that did not hold all of it, parted again another way), `relances` (searches
            read again because their total moved), `instables` (their total moved each time), `tronquees` (one second
            of creation beyond the cap), `manquantes` (offers that the API counts and never handed over), `doublons`
            (ids met again on another page), `sans_id`, `sans_coordonnees`, `departements_interrompus`.

        Raises:
            AccessError: the key does not open this API.
            FetchError: no département could be harvested.
        """
        self._counts, self._codes = Counter(dict.fromkeys(_COUNTS, 0)), codes_rome
        until = datetime.fromtimestamp(int(self._now()), tz=UTC)
        asked, started = sorted(set(departements)), self.api.transport.requests
        found: dict[str, Offer] = {}
        whole: list[str] = []
        interrupted: dict[str, FetchError] = {}
        for departement in asked:
            _log.info("offers of %s", departement)
            before = self._gaps()
            try:
                offers = self._departement(departement, until)
            except AccessError:
                raise
            except FetchError as error:
                _log.warning("offers of %s given up: %s", departement, error)
                interrupted[departement] = error
                continue
            found |= offers
            if self._gaps() == before:
                whole.append(departement)
        if asked and len(interrupted) == len(asked):
            why = interrupted[asked[0]]
            raise FetchError(f"no département could be harvested; {asked[0]}: {why}", why.transient, why.status)
        self._counts["requetes"] = self.api.transport.requests - started
        self._counts["offres"] = len(found)
        self._counts["departements_interrompus"] = len(interrupted)
        self._counts["sans_coordonnees"] = sum(not is_located(offer) for offer in found.values())
        return Harvest(
            offers=tuple(offer for _, offer in sorted(found.items())),
            counts=dict(sorted(self._counts.items())),
            whole=tuple(whole),
            interrupted={departement: str(error) for departement, error in interrupted.items()},
            cap=self.cap,
        )

    def metiers(self) -> tuple[str, ...]:
        """ROME codes that the API knows, sorted.

        Raises:
            FetchError: it does not give them.
        """
        content = decoded(self.api.get(METIERS, {}))
        if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
            raise FetchError(f"{METIERS}: the answer is not a list of métiers; run again later", transient=True)
        return tuple(sorted({str(entry["code"]) for entry in content if entry.get("code")}))

    def _gaps(self) -> tuple[int, ...]:
        return tuple(self._counts[name] for name in _GAPS)

    def _departement(self, departement: str, until: datetime) -> dict[str, Offer]:
        found: dict[str, Offer] = {}
        for origine in ORIGINES:
            search = Search(departement, origine, OLDEST, until)
            offers, total = self._collect(search)
            self._counts["manquantes"] += self._missing(search, offers, total)
            found |= offers
        return found

    def _collect(self, search: Search) -> tuple[dict[str, Offer], int]:
        """Offers of a search by id, and how many the API said there were."""
        first = self._page(search, 0)
        if first.total <= self.cap:
            try:
                return self._read(search, first), first.total
            except _RefusedError:
                _log.info("%s: no longer fits in one search", search)
        found: dict[str, Offer] = {}
        parted = False
        for parts in search.ways(self._codes):
            parted = True
            self._counts["decoupages"] += 1
            for part in parts:
                found |= self._collect(part)[0]
            if not self._missing(search, found, first.total):
                return found, first.total
            self._counts["decoupages_incomplets"] += 1
        if not parted:
            self._counts["tronquees"] += 1
            found = self._first_ones(search, first)
        return found, first.total

    def _missing(self, search: Search, offers: dict[str, Offer], total: int) -> int:
        """Offers that the API still counts beyond those received; some may have vanished meanwhile."""
        if len(offers) >= total:
            return 0
        return max(0, self._page(search, 0).total - len(offers))

    def _read(self, search: Search, first: _Page) -> dict[str, Offer]:
        """All the pages of a search, read again when it moves under the reader."""
        seen: dict[str, Offer] = {}
        page = first
        for again in range(self._restarts + 1):
            if again:
                self._counts["relances"] += 1
                page = self._page(search, 0)
            found, steady = self._pages(search, page)
            if steady:
                self._counts["recherches"] += 1
                return found
            seen |= found
        self._counts["instables"] += 1
        return seen

    def _pages(self, search: Search, page: _Page) -> tuple[dict[str, Offer], bool]:
        """Offers of the pages from this first one on, and whether they are those that its total announced."""
        total, start, found = page.total, 0, dict[str, Offer]()
        while True:
            if page.total != total:
                return found, False
            self._counts["doublons"] += sum(offer["id"] in found for offer in page.offers)
            found |= {offer["id"]: offer for offer in page.offers}
            start += PAGE
            if start >= total:
                return found, len(found) == total
            if start >= self.cap:
                raise _RefusedError
            page = self._page(search, start)

    def _first_ones(self, search: Search, first: _Page) -> dict[str, Offer]:
        """What the API hands over of a search that is too large and cannot be parted."""
        found = {offer["id"]: offer for offer in first.offers}
        for start in range(PAGE, self.cap, PAGE):
            try:
                found |= {offer["id"]: offer for offer in self._page(search, start).offers}
            except _RefusedError:
                break
        return found

    def _page(self, search: Search, start: int) -> _Page:
        params = {**search.params(), "range": f"{start}-{start + PAGE - 1}"}
        try:
            answer = self.api.get(SEARCH, params)
        except FetchError as error:
            if error.status in _BEYOND and start:
                _log.warning("the API refuses offers from the %dth on: searches are parted below it", start + 1)
                self.cap = min(self.cap, start)
                raise _RefusedError from None
            raise
        if answer.status == HTTPStatus.NO_CONTENT:
            return _Page([], 0)
        content = decoded(answer)
        results = content.get("resultats") if isinstance(content, dict) else None
        if not isinstance(results, list) or not all(isinstance(offer, dict) for offer in results):
            raise FetchError(f"{SEARCH}: the answer has no list `resultats`; run again later", transient=True)
        offers = [kept(offer) for offer in results]
        named = [offer for offer in offers if isinstance(offer.get("id"), str) and offer["id"]]
        self._counts["sans_id"] += len(offers) - len(named)
        place = _RANGE.fullmatch(answer.headers.get("content-range", "").strip())
        if place is None and answer.status == HTTPStatus.OK:  # everything is there: the API says no more is to come
            return _Page(named, start + len(results))
        if place is None:
            raise FetchError(f"{SEARCH}: HTTP 206 without a Content-Range; the total is unknown", transient=True)
        return _Page(named, int(place[3]) if int(place[1]) == start else -1)
