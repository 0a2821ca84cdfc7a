"""Which cells of a profile may be shown: primary secrecy on three counts, then one more where a total would tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dagster_project.models.arrow_tables import Mask, Vector

PRIMARY, SECONDARY, SHOWN = "secret_primaire", "secret_secondaire", "ok"
FOR_ANOTHER = "Masquée pour qu’une autre cellule du quartier ne se déduise pas d’un total."


@dataclass(frozen=True)
class Counts:
    """Persons of each cell; not-a-number where the partner wrote `ns`."""

    eligible: Vector
    beneficiaries: Vector

    @property
    def others(self) -> Vector:
        """Eligible persons who do not have the C2S."""
        return self.eligible - self.beneficiaries


def statuses(counts: Counts, margins: Sequence[Sequence[int]], least: int) -> list[str]:
    """Status of each cell.

    Primary: fewer than `least` eligible persons, beneficiaries, or eligible persons without the C2S. The last two
    add up to the first, so that a small complement is a small count told; a complement of none says of each person of
    the cell that they have it, and a count of no beneficiary that nobody does.

    Secondary: totals of beneficiaries by QPV and by age are open data. A margin that hides one cell alone hides the
    smallest of those it showed as well, until no margin hides one alone. A cell in which nobody is eligible protects
    nothing: some profiles are known to be empty (a child who lives alone).

    Args:
        counts: one entry per cell.
        margins: cells that add up to a total, by rank; those of one zone and one modality, and of one zone.
        least: least count that is shown.
    """
    # not-a-number is never enough
    shown = (counts.eligible >= least) & (counts.beneficiaries >= least) & (counts.others >= least)
    primary = ~shown
    groups = [np.array(margin, dtype=np.int64) for margin in margins]
    changed = True
    while changed:  # every margin in turn, until none changes
        changed = sum(_hide_another(shown, counts.eligible, group) for group in groups) > 0
    return [PRIMARY if first else SHOWN if seen else SECONDARY for first, seen in zip(primary, shown, strict=True)]


def _hide_another(shown: Mask, eligible: Vector, group: NDArray[np.int64]) -> bool:
    """Whether one more cell of a margin had to be hidden."""
    seen = shown[group]
    if np.count_nonzero(~seen & (eligible[group] != 0)) != 1 or not seen.any():
        return False
    candidates = group[seen]
    shown[candidates[np.argmin(eligible[candidates])]] = False
    return True
