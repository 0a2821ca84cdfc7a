"""The fictitious territory: régions, départements, EPCI, communes and both generations of QPV.

Codes are ones that no real zone bears. The territory carries the difficulties of the real one: two mergers of
communes, a change of name, a commune outside any EPCI, EPCI over two départements and over two régions, a QPV over
two communes, and QPV that come, go or change between 2015 and 2024.
"""
# ruff: noqa: PLR2004 - the map is drawn by its columns and rows, events by their years

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from dagster_project.demo_territory import names

COLUMNS, ROWS = 10, 6
Cell = tuple[int, int]

# Commune (2015 name): inhabitants in 2013. The others draw theirs.
CITIES = {
    "Port-Brumelle": 118_000,
    "La Grée-Morvelle": 31_500,
    "Pencarvel": 21_400,
    "Lisse-la-Vieille": 34_200,
    "Fontvelaine": 86_300,
    "Grandlorme-l'Étang": 15_800,
    "Noirvau-le-Haut": 38_900,
    "Castelombre": 74_600,
    "Ambreville-la-Grande": 17_300,
    "Saint-Ybard-sur-Onde": 13_600,
    "Lochrist-en-Velune": 9_800,
    "Orgevelle": 6_900,
    "Boisvalin": 5_400,
    "Les Quatre-Amers": 58,  # too small for Filosofi: absent from its files
    "L'Île-aux-Huîtriers": 640,
}
OUTSIDE_EPCI = "L'Île-aux-Huîtriers"
UNCHANGED_2024 = frozenset(
    {
        "Le Vallon Des Cormorans",
        "Pré Aux Sarcelles",
        "Bas Quartier Saint-Thurvin",
        "Rive Noire",
        "Forges Neuves – Tréfilerie Morvelin",
        "Les Houillats",
        "Phare De L'Onde",
        "Grand Ambre",
    }
)
BOW_TIE_2024 = "Cap Cendrelle"
STRADDLE_SHARE = 0.6  # of the straddling QPV's inhabitants, in the first of its two communes


def stream(seed: int, name: str) -> np.random.Generator:
    """An independent random stream for one purpose, so that adding a purpose never moves the others."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


@dataclass(frozen=True)
class Commune:
    """A commune at one date; `cells` are its tiles of the tessellation; `pop` is its population in 2013."""

    code: str
    name: str
    departement: str
    region: str
    epci: str | None
    cells: tuple[Cell, ...]
    pop: float
    growth: float  # per year


@dataclass(frozen=True)
class Qpv:
    """A priority neighbourhood of one generation. `communes` are cells, so that mergers can be followed."""

    code: str
    name: str
    generation: str
    cells: tuple[Cell, ...]
    slot: int
    slots: int
    statut: str = "I"  # I unchanged, M modified, N new; of QN2024
    parent: str | None = None  # the QP2015 it continues


@dataclass(frozen=True)
class Merger:
    """Communes that became one; the result keeps the code of the first."""

    date: str
    before: tuple[Cell, ...]
    name: str


@dataclass(frozen=True)
class Territory:
    """Everything that has a name and a code. Communes are asked by year."""

    seed: int
    base: tuple[Commune, ...]  # at 1 January 2015
    qpv2015: tuple[Qpv, ...]
    qpv2024: tuple[Qpv, ...]
    mergers: tuple[Merger, ...]
    epci: tuple[tuple[str, str, str, str, str], ...]  # siren, legal nature, name, tax regime, key
    cell_of: dict[str, Cell] = field(default_factory=dict)

    def communes(self, year: int) -> tuple[Commune, ...]:
        """Communes in force on 1 January of the year, sorted by code."""
        found = {commune.cells[0]: commune for commune in self.base}
        for merger in self.mergers:
            if merger.date <= f"{year}-01-01":
                parts = [found.pop(cell) for cell in merger.before]
                cells = tuple(cell for part in parts for cell in part.cells)
                pop = sum(part.pop for part in parts)
                growth = sum(part.growth * part.pop for part in parts) / pop
                found[cells[0]] = replace(parts[0], name=merger.name, cells=cells, pop=pop, growth=growth)
        before, after = names.RENAMED_2022
        if year >= 2022:
            cell = self.cell_of[before]
            found[cell] = replace(found[cell], name=after)
        return tuple(sorted(found.values(), key=lambda commune: commune.code))

    def commune_at(self, cell: Cell, year: int) -> Commune:
        """The commune that holds a tile on 1 January of the year."""
        return self._by_cell[year][cell]

    @cached_property
    def _by_cell(self) -> dict[int, dict[Cell, Commune]]:
        return {
            year: {cell: commune for commune in self.communes(year) for cell in commune.cells}
            for year in range(2013, 2025)
        }

    def communes_of(self, qpv: Qpv, year: int) -> tuple[Commune, ...]:
        """The communes of a QPV on 1 January of the year, sorted by name as the producers do."""
        found = {self.commune_at(cell, year).code: self.commune_at(cell, year) for cell in qpv.cells}
        return tuple(sorted(found.values(), key=lambda commune: commune.name))

    def epci_name(self, siren: str) -> str:
        return next(row[2] for row in self.epci if row[0] == siren)


def build_territory(seed: int) -> Territory:
    """The territory of a seed: names and codes never change, populations of small communes do."""
    sirens = dict(zip((row[0] for row in names.EPCI), _sirens(len(names.EPCI)), strict=True))
    base, cell_of = _communes(seed, sirens)
    qpv2015 = _qpv2015(cell_of)
    mergers = (
        Merger("2019-01-01", (cell_of["Grandlorme-l'Étang"], cell_of["Hautesève"]), names.MERGED_2019),
        Merger("2024-01-01", (cell_of["Lamberolle"], cell_of["Jonquerelle"]), names.MERGED_2024),
    )
    epci = tuple((sirens[key], nature, name, tax, key) for key, nature, name, tax in names.EPCI)
    return Territory(seed, base, qpv2015, _qpv2024(qpv2015, cell_of), mergers, epci, cell_of)


def departement_of(cell: Cell) -> str:
    return "96" if cell[0] < 4 else "98" if cell[0] < 7 else "99"


def region_of(departement: str) -> str:
    return "99" if departement == "99" else "98"


def fails_luhn(number: str) -> bool:
    """True for an identifier that no real body can bear: SIREN and SIRET end with a Luhn check digit."""
    digits = [int(char) for char in reversed(number)]
    total = sum(digit if rank % 2 == 0 else sum(divmod(2 * digit, 10)) for rank, digit in enumerate(digits))
    return total % 10 != 0


def _sirens(count: int) -> list[str]:
    candidates = (f"2009990{number:02d}" for number in range(11, 99, 7))
    return [siren for siren in candidates if fails_luhn(siren)][:count]


def _epci_key(cell: Cell) -> str:
    column, row = cell
    if column < 2:
        return "E1"
    if column < 4:
        return "E3" if row < 2 else "E2"
    if column == 4:
        return "E3" if row < 3 else "E4"
    if column == 5:
        return "E4"
    return "E5" if column == 6 or (column == 7 and row < 3) else "E6"


def _communes(seed: int, sirens: dict[str, str]) -> tuple[tuple[Commune, ...], dict[str, Cell]]:
    rng = stream(seed, "communes")
    cell_of = {names.COMMUNES[column][row]: (column, row) for column in range(COLUMNS) for row in range(ROWS)}
    numbers = dict.fromkeys(names.DEPARTEMENTS, 0)
    communes = []
    for name in sorted(cell_of, key=sort_key):
        cell = cell_of[name]
        departement = departement_of(cell)
        numbers[departement] += 1
        drawn = float(np.clip(np.exp(rng.normal(6.9, 0.8)), 130, 4_500))
        communes.append(
            Commune(
                code=f"{departement}{numbers[departement]:03d}",
                name=name,
                departement=departement,
                region=region_of(departement),
                epci=None if name == OUTSIDE_EPCI else sirens[_epci_key(cell)],
                cells=(cell,),
                pop=CITIES.get(name, round(drawn)),
                growth=float(rng.normal(0.003, 0.004)),
            )
        )
    return tuple(communes), cell_of


def _qpv2015(cell_of: dict[str, Cell]) -> tuple[Qpv, ...]:
    found = []
    numbers = dict.fromkeys(names.DEPARTEMENTS, 0)
    for where, labels in names.QPV.items():
        cells = tuple(cell_of[name] for name in where.split("+"))
        slots = len(labels) + (where in names.NEW_2024)
        for slot, label in enumerate(labels):
            departement = departement_of(cells[0])
            numbers[departement] += 1
            code = f"QP0{departement}{numbers[departement]:03d}"
            found.append(Qpv(code, label, "QP2015", cells, slot, slots))
    return tuple(found)


def _qpv2024(qpv2015: tuple[Qpv, ...], cell_of: dict[str, Cell]) -> tuple[Qpv, ...]:
    planned: list[tuple[str, str | None, Qpv]] = []
    for old in qpv2015:
        if old.name != names.DROPPED_2024:
            planned.append(("I" if old.name in UNCHANGED_2024 else "M", old.code, old))
        commune = next((name for name in names.NEW_2024 if cell_of[name] == old.cells[0]), None)
        if commune and len(old.cells) == 1 and old.slot == old.slots - 2:
            label = names.NEW_2024[commune]
            planned.append(("N", None, replace(old, name=label, slot=old.slots - 1)))
    found = []
    numbers = dict.fromkeys(names.DEPARTEMENTS, 0)
    for statut, parent, like in planned:
        departement = departement_of(like.cells[0])
        numbers[departement] += 1
        code = f"QN0{departement}{numbers[departement]:02d}{statut}"
        found.append(replace(like, code=code, generation="QN2024", statut=statut, parent=parent))
    return tuple(found)


def sort_key(name: str) -> str:
    """French alphabetical order as INSEE numbers communes: without article, accents and signs."""
    return _plain(strip_article(name)[1])


ARTICLES = {"Le ": 2, "La ": 3, "Les ": 4, "L'": 5}


def strip_article(name: str) -> tuple[int, str]:
    """INSEE's TNCC code of a name, and the name without its article."""
    for article, code in ARTICLES.items():
        if name.startswith(article):
            return code, name.removeprefix(article)
    return (1 if name[0] in "AEÉIOUŒ" else 0), name


def capitals(name: str) -> str:
    """INSEE's NCC: capitals without accents, hyphens, apostrophes or ligatures."""
    return _plain(name)


def _plain(name: str) -> str:
    import unicodedata

    spelled = name.replace("Œ", "OE").replace("œ", "oe")
    letters = "".join(char for char in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(char))
    return " ".join("".join(char if char.isalnum() else " " for char in letters).upper().split())
