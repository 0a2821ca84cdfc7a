"""Is every neighbourhood in a sensitive zone? k of n, counter-examples, and how much the cut decides.

A QPV is sensitive when at least the required share of its population lives in sensitive zones. Its critical standing is
the highest cut at which it still is: it gives the verdict at any cut, the curve and the distance to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagster_project.models import weighing
from dagster_project.models.arrow_tables import Mask, Vector
from dagster_project.models.field import Field

GRID = np.round(np.arange(0, 100) / 100, 2)


@dataclass(frozen=True)
class Standing:
    """Where each QPV stands at one cut; all (QPV,).

    `critical` is the highest cut quantile at which the QPV is sensitive, 0 when it never is for want of known zones.
    A QPV is undecided when the zones without a value could tip it either way.
    """

    share_sensitive: Vector
    share_unknown: Vector
    critical: Vector
    sensitive: Mask
    undecided: Mask

    @property
    def refuting(self) -> Mask:
        """Counter-examples: not sensitive, whatever the unknown zones hold."""
        refuting: Mask = ~self.sensitive & ~self.undecided
        return refuting


@dataclass(frozen=True)
class Curve:
    """k of n against the share of people labelled sensitive, over the fixed grid of cuts.

    `auc` is the area under the exact curve, 0.5 for neighbourhoods spread as the population is. `smallest_share` and
    `smallest_cut`: the least share of people labelled, and its cut quantile, at which all n are sensitive.
    """

    cuts: Vector
    labelled: Vector
    k: Vector
    n: int
    auc: float
    smallest_share: float
    smallest_cut: float


def stand(field: Field, cut_quantile: float, required: float) -> Standing:
    """Apply the rule at one cut."""
    share = field.shares @ field.sensitive(cut_quantile).astype(np.float64)
    unknown = np.clip(1.0 - field.shares @ field.known.astype(np.float64), 0.0, 1.0)
    floor = required - weighing.SHARE_TOLERANCE
    sensitive = share >= floor
    return Standing(
        share, unknown, critical_standing(field, required), sensitive, ~sensitive & (share + unknown >= floor)
    )


def critical_standing(field: Field, required: float) -> Vector:
    """(QPV,) highest standing s such that zones standing at s or above hold the required share; 0 when none does."""
    known = np.flatnonzero(field.known)
    order = known[np.argsort(-field.standing[known], kind="stable")]
    reached = np.cumsum(field.shares[:, order], axis=1) >= required - weighing.SHARE_TOLERANCE
    if not len(order):
        return np.zeros(len(field.qpv))
    first = np.argmax(reached, axis=1)
    return np.where(reached.any(axis=1), field.standing[order[first]], 0.0)


def curve(field: Field, required: float) -> Curve:
    """Sensitive neighbourhoods at every cut; only those whose known zones hold the required share are counted."""
    critical = critical_standing(field, required)
    critical = critical[critical > 0]
    known = field.known
    standing, people = field.standing[known], field.population[known]
    total = people.sum()

    def labelled(cut: float) -> float:
        return float(people[weighing.reaches(standing, cut)].sum() / total)

    counts = np.array([float(weighing.reaches(critical, cut).sum()) for cut in GRID])
    steps = np.unique(critical)[::-1]
    x = np.array([0.0, *(labelled(step) for step in steps), 1.0])
    y = np.array([0.0, *((critical >= step).mean() for step in steps), 1.0])
    # k rises at the cut itself, not between two: the area is that of the steps, each counted from its own share on
    area = float(np.sum(np.diff(x) * y[:-1])) if len(critical) else float("nan")
    smallest = float(critical.min()) if len(critical) else float("nan")
    return Curve(
        cuts=GRID,
        labelled=np.array([labelled(cut) for cut in GRID]),
        k=counts,
        n=len(critical),
        auc=area,
        smallest_share=labelled(smallest) if len(critical) else float("nan"),
        smallest_cut=smallest,
    )
