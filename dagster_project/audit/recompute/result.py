"""What a recomputation finds. Texts are in French: they go into reports."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

SHOWN = 200  # differences kept in full; the rest are counted
TOLERANCE = 1e-9  # relative
NAMED = ("la valeur", "le numérateur", "le dénominateur", "la couverture")
# Value, numerator, denominator.
Outcome = tuple[float | None, float | None, float | None]
# Kind of difference, reason, what the release says, what is found.
Fault = tuple[str, str, Any, Any]


@dataclass(frozen=True)
class Difference:
    """One disagreement between a release and the archived bytes.

    Attributes:
        what: the kind: cellule, fichier, valeur, statut, formule, couverture, methode.
        figure_id: a figure concerned; `figures` counts all of them.
        file: name of the archived file, its digest in `sha256`.
        row: its row, None when the difference is not in a cell.
        column: its column.
        expected: what the release says.
        found: what the bytes or the formula give.
        reason: one French sentence.
    """

    what: str
    reason: str
    figure_id: str | None = None
    figures: int = 1
    file: str | None = None
    sha256: str | None = None
    row: int | None = None
    column: str | None = None
    expected: str | None = None
    found: str | None = None

    @property
    def explained(self) -> str:
        """Where in the file, what is wrong, and both texts."""
        where = [self.file or "", f"ligne {self.row}" if self.row is not None else ""]
        place = ", ".join(filter(None, [*where, f"colonne {self.column}" if self.column else ""]))
        gap = f" (la version dit {self.expected}, on trouve {self.found})" if self.expected or self.found else ""
        return f"{place} : {self.reason}{gap}" if place else f"{self.reason}{gap}"

    def __str__(self) -> str:
        return f"{self.figure_id} : {self.explained}" if self.figure_id else self.explained


@dataclass(frozen=True)
class Modelled:
    """A figure that a statistical model made: said, not recomputed."""

    figure_id: str
    model: str
    version: str
    parameters: str


@dataclass
class Recomputation:
    """What was recomputed.

    Attributes:
        figures: figures asked for.
        by_method: figures whose value and status came out as published, by method.
        identical: those equal to the last digit; the others are within 1e-9 relative.
        cells: distinct cells read again and found as the release has them.
        files: archived files read.
        searched: zones looked for in the files that are said not to hold them.
        without_source: figures without a cell, as the release says of their absent source.
        unproven: figures that hang on a file that could not be read.
    """

    figures: int = 0
    by_method: dict[str, int] = field(default_factory=dict)
    identical: int = 0
    cells: int = 0
    files: int = 0
    searched: int = 0
    without_source: int = 0
    unproven: int = 0
    modelled: list[Modelled] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    uncounted: int = 0

    @property
    def agrees(self) -> bool:
        """Whether every figure asked for came out as published."""
        return not self.differences

    @property
    def recomputed(self) -> int:
        return sum(self.by_method.values())

    def judged(self, figure_id: str, method: str, faults: Sequence[Fault], *, identical: bool) -> None:
        """Count a figure that was recomputed, or keep what is wrong with it."""
        for what, reason, expected, found in faults:
            self.differs(Difference(what, reason, figure_id, expected=str(expected), found=str(found)))
        if not faults:
            self.by_method[method] = self.by_method.get(method, 0) + 1
            self.identical += identical

    def differs(self, difference: Difference) -> None:
        """Keep a difference, or only count it beyond SHOWN."""
        if len(self.differences) < SHOWN:
            self.differences.append(difference)
        else:
            self.uncounted += 1


def not_found_again(published: Sequence[float | None], obtained: Sequence[float | None]) -> Iterator[Fault]:
    """What differs of a value, a numerator, a denominator and, where it is given, a coverage."""
    for name, stated, found in zip(NAMED, published, obtained, strict=False):
        if not close(stated, found):
            yield "valeur", f"{name} ne se retrouve pas", stated, found


def close(stated: float | None, obtained: float | None) -> bool:
    """Whether two numbers agree within TOLERANCE; absent ones agree with absent ones."""
    if stated is None or obtained is None:
        return stated is obtained
    return math.isclose(stated, obtained, rel_tol=TOLERANCE)
