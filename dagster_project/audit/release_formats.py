"""What a release of each format number holds, apart from what reads it: one entry a number.

A release of a number that has no entry is refused: it is read with the program that its lock names. Releases of format
1 made before 2026-12-01 do not bear it yet: they hold the same tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Format:
    """Tables without which a figure of such a release cannot be explained."""

    needed: tuple[str, ...]


UNNUMBERED = 1
FORMATS = MappingProxyType(
    {
        1: Format(
            needed=(
                *("indicator_value", "lineage", "zone_input", "dim_zone", "mart_comparaison", "source_file"),
                *("corrections", "indicator", "indicator_term", "variable_column", "note_status", "known_break"),
                *("absence", "crosswalk", "crosswalk_input", "figure_component", "mart_reseau", "source_presence"),
            )
        )
    }
)
