"""What would k be, were the neighbourhoods anywhere else in their own towns?

Zones that look alike lie together: dealing QPV labels out at random would make any claim significant. Each QPV is
replaced by a compact, contiguous group of zones of the same commune, as populous as itself, and the same rule applied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dagster_project.models import weighing
from dagster_project.models.arrow_tables import Mask, Vector
from dagster_project.models.field import Field

# With fewer zones than this in its commune, a neighbourhood may be drawn anywhere in its EPCI.
LEAST_CHOICE = 3

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Null:
    """Draws of k under the spatial null.

    `p` is the share of draws that do as well as the observed k, the observed one counted among them. `widened` QPV were
    drawn in their EPCI; `fixed` ones had nowhere to go and kept their own result.
    """

    counts: NDArray[np.int64]
    p: float
    widened: int
    fixed: int


def spatial_null(
    field: Field,
    pairs: Iterable[tuple[str, str]],
    sensitive: Mask,
    decided: Mask,
    *,
    cut_quantile: float,
    required: float,
    draws: int,
    seed: int,
) -> Null:
    """Draw the decided neighbourhoods elsewhere, `draws` times, independently of one another.

    A group starts from the home of an inhabitant drawn at random in the commune (so a zone is drawn in proportion to
    its population), takes whole rings of neighbours, then zones of the last ring in random order until it is as
    populous as the QPV; the last zone counts for what was still wanted. Zones without a value are not drawn. The QPV's
    own zones may be: the null is that it does no better than its town, itself included.

    Args:
        field: the zones and neighbourhoods.
        pairs: codes of zones that touch.
        sensitive: (QPV,) the observed result.
        decided: (QPV,) neighbourhoods that the claim can be tested on.
        cut_quantile: cut from which a zone is sensitive.
        required: share of a group's population that must live in sensitive zones.
        draws: number of draws.
        seed: seed; each QPV has its own stream.
    """
    fragile = field.sensitive(cut_quantile).astype(np.float64)
    drawable = field.known & (field.population > 0)
    touching = _adjacency(field, pairs, drawable)
    counts = np.zeros(draws, dtype=np.int64)
    widened = fixed = 0
    streams = np.random.default_rng(seed).spawn(len(field.qpv))
    for q in np.flatnonzero(decided):
        candidates, wide = _candidates(field, int(q), drawable)
        widened += wide
        if not len(candidates) or not field.qpv_population[q] > 0:
            fixed += 1
            counts += int(sensitive[q])
            continue
        shares = _draw_groups(
            field.population, fragile, touching, candidates, float(field.qpv_population[q]), draws, streams[q]
        )
        counts += weighing.reaches(shares, required)
    as_good = int((counts >= int(sensitive[decided].sum())).sum())
    return Null(counts, (1 + as_good) / (draws + 1), widened, fixed)


def _adjacency(field: Field, pairs: Iterable[tuple[str, str]], drawable: Mask) -> dict[int, list[int]]:
    position = {code: z for z, code in enumerate(field.codes) if drawable[z]}
    touching: dict[int, set[int]] = defaultdict(set)
    for a, b in pairs:
        if a != b and a in position and b in position:
            touching[position[a]].add(position[b])
            touching[position[b]].add(position[a])
    return {zone: sorted(others) for zone, others in touching.items()}


def _candidates(field: Field, q: int, drawable: Mask) -> tuple[Positions, bool]:
    """Zones where the neighbourhood could lie: its communes, or its EPCI where they offer no choice."""
    home = np.flatnonzero(field.shares[q] > 0)
    communes = {field.communes[z] for z in home}
    found = np.array([z for z in np.flatnonzero(drawable) if field.communes[z] in communes], dtype=np.int64)
    epcis = {field.epcis[z] for z in home} - {None}
    if len(found) >= LEAST_CHOICE or not epcis:
        return found, False
    return np.array([z for z in np.flatnonzero(drawable) if field.epcis[z] in epcis], dtype=np.int64), True


def _draw_groups(
    population: Vector,
    fragile: Vector,
    touching: dict[int, list[int]],
    candidates: Positions,
    wanted: float,
    draws: int,
    generator: np.random.Generator,
) -> Vector:
    """(draws,) share of each group's population in sensitive zones; groups of the same start are drawn together."""
    people = population[candidates]
    starts = generator.choice(len(candidates), size=draws, p=people / people.sum())
    allowed = set(candidates.tolist())
    shares = np.empty(draws)
    for start in np.unique(starts):
        members = np.flatnonzero(starts == start)
        inner, ring = _rings(population, touching, allowed, int(candidates[start]), wanted)
        held, held_fragile = population[inner].sum(), (population[inner] * fragile[inner]).sum()
        order = np.argsort(generator.random((len(members), len(ring))), axis=1)
        sizes, flags = population[ring][order], fragile[ring][order]
        taken = np.clip(wanted - held - (np.cumsum(sizes, axis=1) - sizes), 0.0, sizes)
        shares[members] = (held_fragile + (taken * flags).sum(axis=1)) / (held + taken.sum(axis=1))
    return shares


def _rings(
    population: Vector, touching: dict[int, list[int]], allowed: set[int], start: int, wanted: float
) -> tuple[Positions, Positions]:
    """Zones of the rings that fit whole within the wanted population, and those of the ring that exceeds it."""
    inner: list[int] = []
    ring, seen, held = [start], {start}, 0.0
    while ring:
        size = float(population[ring].sum())
        if held + size >= wanted:
            break
        inner += ring
        held += size
        beyond = {other for zone in ring for other in touching.get(zone, []) if other in allowed} - seen
        seen |= beyond
        ring = sorted(beyond)
    return np.array(inner, dtype=np.int64), np.array(ring, dtype=np.int64)
