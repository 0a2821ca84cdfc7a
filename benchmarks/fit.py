"""Fixed part and slope of the whole run against the bare work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FIXED_BAR_S = 40.0
SLOPE_BAR = 2.0


@dataclass(frozen=True)
class Line:
    """whole = fixed + slope x bare, in seconds.

    Attributes:
        residual_s: largest distance of a point from the line; 0 by construction when there are two points.
    """

    fixed_s: float
    slope: float
    residual_s: float
    points: int


def fit(bare_s: Sequence[float], whole_s: Sequence[float]) -> Line | None:
    """Ordinary least squares; None when no line is defined (fewer than two different sizes).

    Raises:
        ValueError: the two sequences differ in length.
    """
    pairs = list(zip(bare_s, whole_s, strict=True))
    if len(set(bare_s)) < 2:  # noqa: PLR2004 (two points make a line)
        return None
    mean_x, mean_y = sum(bare_s) / len(pairs), sum(whole_s) / len(pairs)
    spread = sum((x - mean_x) ** 2 for x, _ in pairs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread
    fixed = mean_y - slope * mean_x
    return Line(fixed, slope, max(abs(y - fixed - slope * x) for x, y in pairs), len(pairs))
