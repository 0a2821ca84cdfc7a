"""Job offers of the fictitious territory, in three boards, and which of them are the same offer.

Two base offers of one occupation and one commune are never nearer than `APART` days, so that a likeness that nobody
planned cannot be taken for a duplicate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from dagster_project.demo_territory import city_names, rome
from dagster_project.demo_territory.dwellings import Dwellings
from dagster_project.demo_territory.geometry import to_degrees
from dagster_project.demo_territory.rome import Occupation
from dagster_project.demo_territory.streets import Network, Node
from dagster_project.demo_territory.territory import CITIES, Commune, fails_luhn, stream

BOARD, FLAT, PARTNER = "francetravail_offres", "francetravail_offres_plat", "partenaire_offres"
PREFIX = {BOARD: "9D", FLAT: "9E", PARTNER: "INT-"}
SIZES = {BOARD: 150, FLAT: 120, PARTNER: 200}
TWICE = {BOARD: 6, PARTNER: 20}  # offers of the board published again: there, or by the partner
SAME_ID = 15  # offers of the page that the flat file holds too, under the same number
LURES = 12  # pairs that are alike but are two offers
FIRST, LAST = datetime(2026, 6, 22, 8, tzinfo=UTC), datetime(2026, 11, 20, 18, tzinfo=UTC)
APART, WIDE, SHIFT = 10.0, 30.0, 5  # days
IN_CITY, IN_ESTATE, IN_CENTRE = 0.7, 0.4, 0.45
NO_PLACE, NO_NAME = 0.04, 0.08
LATER = 14  # days: too late to be the same offer


@dataclass(frozen=True)
class Offer:
    """One offer of one board; `lon` and `lat` are None where it says no more than a département."""

    board: str
    number: str
    job: Occupation
    title: str
    commune: Commune
    lon: float | None
    lat: float | None
    precise: bool
    created: datetime
    posts: int
    contract: str
    employer: int  # rank in city_names.EMPLOYERS
    named: bool = True


@dataclass(frozen=True)
class Pair:
    """Two offers that look alike, and whether they are one."""

    first: Offer
    second: Offer
    same: bool
    why: str


@dataclass(frozen=True)
class Offers:
    """Everything published, by board, and the pairs that a deduplication must judge."""

    boards: dict[str, list[Offer]]
    pairs: list[Pair]


def siret(employer: int) -> str:
    """A number that no establishment bears: its check digit is wrong."""
    stem = f"99{employer:07d}0001"
    return next(f"{stem}{digit}" for digit in range(10) if fails_luhn(f"{stem}{digit}"))


def build_offers(dwellings: Dwellings, city: Network, estate: Node) -> Offers:
    """Draw the three boards."""
    draw = _Draw(dwellings, city, estate)
    boards: dict[str, list[Offer]] = {board: [] for board in SIZES}
    pairs: list[Pair] = []

    rng = stream(dwellings.territory.seed, "numbers of offers")  # that say nothing of which offers are the same
    numbers = {board: rng.permutation(size).tolist() for board, size in SIZES.items()}

    def add(offer: Offer) -> Offer:
        held = boards[offer.board]
        held.append(replace(offer, number=f"{PREFIX[offer.board]}{numbers[offer.board][len(held)]:05d}"))
        return held[-1]

    for board, count in TWICE.items():
        for rank in range(count):
            first = add(draw.base(BOARD, WIDE))
            second = add(draw.again(first, board, rank))
            pairs.append(Pair(first, second, same=True, why="republiée" if board == BOARD else "chez le partenaire"))
    for rank in range(LURES):
        first = add(draw.base(BOARD, WIDE))
        lure, why = draw.lure(first, rank)
        pairs.append(Pair(first, add(lure), same=False, why=why))
    island = draw.base(BOARD, WIDE)
    add(draw.placed(island, draw.commune_at(city.metres(city.island)), city.metres(city.island)))
    while len(boards[BOARD]) < SIZES[BOARD]:
        add(draw.base(BOARD, APART))
    copied = [offer for offer in boards[BOARD] if offer not in {pair.first for pair in pairs}][-SAME_ID:]
    for offer in copied:
        boards[FLAT].append(replace(offer, board=FLAT))
        pairs.append(Pair(offer, boards[FLAT][-1], same=True, why="même identifiant"))
    for board in (FLAT, PARTNER):
        while len(boards[board]) < SIZES[board]:
            add(draw.base(board, APART))
    return Offers({board: sorted(held, key=_latest) for board, held in boards.items()}, pairs)


def _latest(offer: Offer) -> tuple[float, str]:
    return -offer.created.timestamp(), offer.number


class _Draw:
    """Draws offers, and remembers what stands where and when."""

    def __init__(self, dwellings: Dwellings, city: Network, estate: Node) -> None:
        territory = self.territory = dwellings.territory
        self.rng = stream(territory.seed, "offers")
        self.city, self.estate, self.ground = city, estate, dwellings.ground
        self.cells = [territory.cell_of[name] for name in CITIES if name != city_names.CITY]
        self.communes = [territory.commune_at(cell, 2024) for cell in self.cells]
        self.home = territory.commune_at(territory.cell_of[city_names.CITY], 2024)
        self.pull = np.array([commune.pop for commune in self.communes])
        self.jobs = [job for job in rome.V4 if job.parent not in rome.WITHOUT_OFFER]
        self.weight = np.array([rome.WEIGHT if job.code in rome.SOUGHT else 1.0 for job in self.jobs]) ** 0.4
        self.held: dict[tuple[str, str], list[datetime]] = {}

    def base(self, board: str, apart: float) -> Offer:
        """An offer far enough in time from all those of its occupation in its commune."""
        rng = self.rng
        while True:
            job = self.jobs[rng.choice(len(self.jobs), p=self.weight / self.weight.sum())]
            local = rng.random() < IN_CITY
            where = int(rng.choice(len(self.communes), p=self.pull / self.pull.sum()))
            commune = self.home if local else self.communes[where]
            created = FIRST + timedelta(minutes=int(rng.integers(0, int((LAST - FIRST).total_seconds() // 60))))
            if self._free(job, commune, created, apart):
                break
        self.held.setdefault((job.parent, commune.code), []).append(created)
        offer = Offer(
            board, "", job, f"{job.person} (H/F)", commune, None, None, True, created,
            int(rng.choice(5, p=(0.82, 0.08, 0.05, 0.03, 0.02))) + 1,
            ("CDI", "CDD", "MIS")[rng.choice(3, p=(0.5, 0.28, 0.22))],
            int(rng.integers(len(city_names.EMPLOYERS))), bool(rng.random() > NO_NAME),
        )  # fmt: skip
        if apart < WIDE and rng.random() < NO_PLACE:
            return replace(offer, precise=False)
        if local and rng.random() < (0.75 if board == PARTNER else 0.9):
            return self.placed(offer, commune, self._address())
        cell = commune.cells[0]
        middle = self.ground.tiles[cell].centroid
        return replace(self.placed(offer, commune, (middle.x, middle.y)), precise=False)

    def again(self, first: Offer, board: str, rank: int) -> Offer:
        """The same offer some days later, its title written otherwise; a partner may know the older code only."""
        title = (first.title, first.title.upper(), first.title.replace("(H/F)", "H/F"))[rank % 3]
        parent = next(job for job in rome.V4 if job.code == first.job.parent)
        job = parent if board == PARTNER and rank % 2 else first.job
        return replace(first, board=board, job=job, title=title, created=self._after(first, rank % (SHIFT + 1)))

    def lure(self, first: Offer, rank: int) -> tuple[Offer, str]:
        """Another offer that differs by one thing only."""
        if rank % 3 == 0:
            return replace(first, board=PARTNER, created=self._after(first, LATER)), "trop tard"
        if rank % 3 == 1:
            work = {code: label for code, label, _ in rome.V3}[first.job.parent]
            title = f"Poste d'encadrement : {work.lower()}"
            return replace(first, board=PARTNER, title=title, created=self._after(first, 2)), "autre intitulé"
        other = next(c for c in self.communes if c != first.commune and self._free(first.job, c, first.created, WIDE))
        middle = self.ground.tiles[other.cells[0]].centroid
        moved = self.placed(replace(first, board=PARTNER, created=first.created), other, (middle.x, middle.y))
        self.held.setdefault((first.job.parent, other.code), []).append(first.created)
        return replace(moved, precise=False), "autre commune"

    def commune_at(self, point: tuple[float, float]) -> Commune:
        """The commune of a point (EPSG:2154)."""
        from shapely import contains_xy

        cell = next(cell for cell, tile in self.ground.tiles.items() if contains_xy(tile, *point))
        return self.territory.commune_at(cell, 2024)

    def placed(self, offer: Offer, commune: Commune, point: tuple[float, float]) -> Offer:
        """The offer at a point (EPSG:2154) of a commune."""
        lon, lat = to_degrees([np.array([point])], 6)[0][0].tolist()
        return replace(offer, commune=commune, lon=lon, lat=lat)

    def _free(self, job: Occupation, commune: Commune, created: datetime, apart: float) -> bool:
        dates = self.held.get((job.parent, commune.code), [])
        return all(abs(created - date) > timedelta(days=apart) for date in dates)

    def _after(self, first: Offer, days: int) -> datetime:
        created = first.created + timedelta(days=days, hours=1)
        self.held[first.job.parent, first.commune.code].append(created)
        return created

    def _address(self) -> tuple[float, float]:
        """A crossing in the commune: around the estate, around the centre, or anywhere in the streets."""
        from shapely import contains_xy

        while True:
            point = self.city.metres(self._crossing())
            if contains_xy(self.ground.tiles[self.home.cells[0]], *point):
                return point

    def _crossing(self) -> Node:
        rng, kind = self.rng, self.rng.random()
        if kind < IN_ESTATE:
            node = self.estate[0] + int(rng.integers(-1, 2)), self.estate[1] + int(rng.integers(-1, 2))
        elif kind < IN_ESTATE + IN_CENTRE:
            node = self.city.centre[0] + int(rng.integers(-3, 4)), self.city.centre[1] + int(rng.integers(0, 4))
        else:
            node = int(rng.integers(self.city.columns)), int(rng.integers(self.city.rows))
        return min(max(node[0], 0), self.city.columns - 1), min(max(node[1], 0), self.city.rows - 1)
