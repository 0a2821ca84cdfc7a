"""The measured error of figures brought from one geography to another, as the quality report shows it."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import duckdb

ALL = "toutes"
CLASSES = (ALL, "forte", "partielle", "faible")
COLUMNS = (
    *("benchmark_code", "libelle_fr", "nature", "method", "generation", "vintage", "coverage_class", "zones"),
    *("published_total", "estimated_total", "bias", "mean_absolute_error", "root_mean_square_error"),
    *("error_q05", "error_q50", "error_q95", "leave_one_out"),
)
# The picture, in pixels: names on the left, errors on the right, one line per variable.
NAMES, PLOT, LINE, TOP = 440, 460, 26, 34
TICKS = 5


class DownscalingError(BaseModel):
    """A row of `mart_erreur_report`: errors are estimate less published, in points for rates, in units for counts."""

    model_config = ConfigDict(extra="forbid")

    benchmark_code: str
    libelle_fr: str
    nature: Literal["count", "rate"]
    method: str
    generation: str
    vintage: str
    coverage_class: str
    zones: int
    published_total: float | None
    estimated_total: float | None
    bias: float
    mean_absolute_error: float
    root_mean_square_error: float
    error_q05: float
    error_q50: float
    error_q95: float
    leave_one_out: float | None


@dataclass(frozen=True)
class Bar:
    """One line of the picture, in pixels from its top left corner: the 90 % range and the median."""

    label: str
    detail: str
    y: float
    low: float
    high: float
    median: float


@dataclass(frozen=True)
class Picture:
    """What the SVG needs: bars, the place of zero, ticks with their labels."""

    title: str
    unit: str
    width: int
    height: int
    names: int
    zero: float
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, float], ...]


def downscaling_errors(connection: duckdb.DuckDBPyConnection) -> list[DownscalingError]:
    """Measured errors of a built warehouse, by variable and class of coverage."""
    rows = connection.sql(f"select {', '.join(COLUMNS)} from marts.mart_erreur_report").fetchall()
    errors = [DownscalingError(**dict(zip(COLUMNS, row, strict=True))) for row in rows]
    return sorted(errors, key=lambda error: (error.nature, error.benchmark_code, CLASSES.index(error.coverage_class)))


def pictures(errors: Iterable[DownscalingError]) -> list[Picture]:
    """Two pictures: rates in points, counts in units, over all classes of coverage."""
    whole = [error for error in errors if error.coverage_class == ALL]
    drawn = [("Taux", "points", "rate"), ("Effectifs", "unités", "count")]
    return [
        _picture(title, unit, [error for error in whole if error.nature == nature])
        for title, unit, nature in drawn
        if any(error.nature == nature for error in whole)
    ]


def _picture(title: str, unit: str, errors: Sequence[DownscalingError]) -> Picture:
    low = min(0.0, *(error.error_q05 for error in errors))
    high = max(0.0, *(error.error_q95 for error in errors))
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return round(NAMES + PLOT * (value - low) / span, 1)

    bars = tuple(
        Bar(
            label=f"{error.libelle_fr}, {error.vintage} ({error.generation})",
            detail=f"{error.method}, {error.zones} quartiers",
            y=TOP + LINE * (rank + 0.5),
            low=place(error.error_q05),
            high=place(error.error_q95),
            median=place(error.error_q50),
        )
        for rank, error in enumerate(errors)
    )
    step = _step(span)
    ticks = tuple(
        (place(step * rank), step * rank) for rank in range(math.ceil(low / step), math.floor(high / step) + 1)
    )
    height = TOP + LINE * len(errors) + 10
    return Picture(title, unit, NAMES + PLOT + 40, height, NAMES, place(0.0), bars, ticks)


def _step(span: float) -> float:
    """A round distance between ticks: one, two or five times a power of ten, about TICKS of them."""
    rough = max(span / TICKS, sys.float_info.min)  # a tenth of the smallest of numbers is none
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough)
