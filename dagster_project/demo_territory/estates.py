"""What each QPV holds, exactly: the counts that its dwellings must add up to, and the ground that they stand on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dagster_project.demo_territory import names
from dagster_project.demo_territory.ground import MARGIN, Ground
from dagster_project.demo_territory.income import Incomes
from dagster_project.demo_territory.population import Floats, Latent, beneficiaries, census
from dagster_project.demo_territory.qpv_files import DIGEST_YEAR, Digest, poverty_rates
from dagster_project.demo_territory.territory import STRADDLE_SHARE, Cell, Qpv, Territory

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

SIZES = ("MEN1", "MEN2", "MEN3", "MEN45", "MEN6")  # households by persons
COUNTS = ("POP", "MEN", *SIZES, "IMMI", "ET", "SOCIAL", "POOR", "CAF")
LEAST_GROUND = 400.0  # square metres to build on
CROWDED = 3.0  # how much denser than the QPV the streets that left it can be
SOCIAL_2015 = 0.75  # social dwellings per household where the digest says nothing


@dataclass(frozen=True)
class Plot:
    """A piece of ground in one commune, and its share of the households of its estate."""

    cell: Cell
    ground: BaseGeometry
    share: float


@dataclass(frozen=True)
class Estate:
    """A QPV of 2024, or the part of a QPV of 2015 that left it, with its exact counts.

    `POOR` counts persons, `SOCIAL` social dwellings (vacant ones too), `CAF` households.
    """

    code: str
    counts: dict[str, int]
    plots: tuple[Plot, ...]


def build_estates(
    territory: Territory, latent: dict[str, Latent], incomes: Incomes, digest: Digest, ground: Ground
) -> list[Estate]:
    """Estates of both generations, that share no ground."""
    new = _counts(territory, latent, "QN2024", incomes, digest.truth["nombre_logements_sociaux"])
    old = _counts(territory, latent, "QP2015", incomes, None)
    rank_of = {qpv.code: rank for rank, qpv in enumerate(territory.qpv2015)}
    found: list[Estate] = []
    for rank, qpv in enumerate(territory.qpv2024):
        before = latent["QP2015"].households[rank_of[qpv.parent]] if qpv.parent else np.nan
        growth = float(latent["QN2024"].households[rank] / before)
        found += _estates(qpv, new[rank], growth, ground)
    dropped = next(qpv for qpv in territory.qpv2015 if qpv.name == names.DROPPED_2024)
    plots = _plots([(ground.safe[dropped.code], 1.0)], dropped, ground)
    found.append(Estate(dropped.code, old[rank_of[dropped.code]], tuple(plots)))
    return found


def _counts(
    territory: Territory, latent: dict[str, Latent], generation: str, incomes: Incomes, social: Floats | None
) -> list[dict[str, int]]:
    people = census(latent[generation], DIGEST_YEAR, territory.seed, generation)
    caf = beneficiaries(latent[generation], DIGEST_YEAR, territory.seed, generation)
    poor = np.rint(people["POP"] * poverty_rates(latent[generation], incomes) / 100)
    columns = {name: people[name] for name in ("POP", "MEN", *SIZES, "IMMI")}
    columns |= {"ET": people["ET_F"] + people["ET_H"], "POOR": poor, "CAF": caf["A"]}
    columns["SOCIAL"] = np.rint(SOCIAL_2015 * people["MEN"]) if social is None else social
    return [{name: int(columns[name][rank]) for name in COUNTS} for rank in range(len(poor))]


def _estates(qpv: Qpv, counts: dict[str, int], growth: float, ground: Ground) -> Iterator[Estate]:
    """A QPV of 2024, cut between what was already in its parent and what is new; then what left the parent."""
    inside = ground.safe[qpv.code]
    if qpv.statut != "M" or qpv.parent is None:
        yield Estate(qpv.code, counts, tuple(_plots([(inside, 1.0)], qpv, ground)))
        return
    before = ground.qpv[qpv.parent]
    kept, added = inside.intersection(before.buffer(-MARGIN)), inside.difference(before.buffer(MARGIN))
    share = 1.0 if added.area < LEAST_GROUND else min(kept.area / (kept.area + added.area), 0.97 / growth)
    yield Estate(qpv.code, counts, tuple(_plots([(kept, share), (added, 1 - share)], qpv, ground)))
    left = ground.safe[qpv.parent].difference(ground.qpv[qpv.code].buffer(MARGIN))
    plots = tuple(_plots([(left, 1.0)], qpv, ground))
    part = min(1 / growth - share, CROWDED * sum(plot.ground.area for plot in plots) / inside.area)
    scaled = {name: round(part * value) for name, value in counts.items()}
    scaled["MEN"] = sum(scaled[name] for name in SIZES)
    if plots and scaled["MEN"] > 0:
        yield Estate(qpv.parent, scaled, plots)


def _plots(pieces: list[tuple[BaseGeometry, float]], qpv: Qpv, ground: Ground) -> Iterator[Plot]:
    shares = (STRADDLE_SHARE, 1 - STRADDLE_SHARE) if len(qpv.cells) > 1 else (1.0,)
    for shape, share in pieces:
        places = []
        for cell, here in zip(qpv.cells, shares, strict=True):
            place = shape.intersection(ground.tiles[cell].buffer(-MARGIN))
            if share > 0 and place.area > LEAST_GROUND:
                places.append((cell, place, here))
        whole = sum(here for *_, here in places)
        yield from (Plot(cell, place, share * here / whole) for cell, place, here in places)
