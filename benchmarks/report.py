"""The tables of the benchmark, in Markdown, and their place in docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.fit import FIXED_BAR_S, SLOPE_BAR, Line, fit
from benchmarks.measure import Cost

BEGIN = "<!-- benchmarks.spine: begin (written by `make bench`; edit outside) -->"
END = "<!-- benchmarks.spine: end -->"
LIBRARIES = ("duckdb", "dbt-core", "dbt-duckdb", "dagster", "dagster-dbt", "great-expectations", "pyarrow", "shapely")
# Above this share of the machine used by others, wall times say little.
QUIET = 0.05
NAMES = {
    "bare": "bare work",
    "dbt": "`dbt build` alone",
    "first": "`dq run`, first",
    "second": "`dq run`, nothing changed",
    "rebuild": "`dq run`, all rebuilt, caches warm",
}


@dataclass
class Size:
    """What was measured at one size."""

    name: str
    costs: dict[str, Cost] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)
    raw_rows: int = 0
    nodes: dict[str, int] = field(default_factory=dict)
    figures: int = 0
    compared: int = 0


def render(sizes: Sequence[Size], skipped: Mapping[str, str], repetitions: tuple[int, int]) -> str:
    """All of the output, without the markers."""
    parts = [_facts(sizes, repetitions), _costs(sizes), _work(sizes), _verdict(sizes)]
    parts += [f"Not measured: {name} ({why})." for name, why in skipped.items()]
    return "\n\n".join(parts) + "\n"


def place(document: Path, content: str, begin: str = BEGIN, end: str = END) -> None:
    """Replace what stands between two markers; add them at the end when they are not there.

    Raises:
        ValueError: one marker stands without the other, or they are in the wrong order.
    """
    text = document.read_text(encoding="utf-8") if document.exists() else "# Benchmarks\n"
    if (begin in text) != (end in text) or text.find(begin) > text.find(end):
        raise ValueError(f"{document.name}: expected {begin!r} then {end!r}; mend the markers by hand")
    if begin not in text:
        text = f"{text.rstrip()}\n\n{begin}\n{end}\n"
    before, rest = text.split(begin, 1)
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(f"{before}{begin}\n\n{content}\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")


def machine(libraries: Sequence[str]) -> str:
    """When and on what a measure was made."""
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, {memory:.1f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}. {versions}."
    )


def _facts(sizes: Sequence[Size], repetitions: tuple[int, int]) -> str:
    small, whole = repetitions
    others = max((cost.others for size in sizes for cost in size.costs.values()), default=0.0)
    quiet = "" if others <= QUIET else " **The machine was not quiet: read CPU seconds rather than wall time.**"
    return (
        f"{machine(LIBRARIES)}\n"
        f"Medians of {small} (bare, dbt, nothing changed) and {whole} (first, rebuilt) repetitions; files warm in the "
        f"page cache. Other processes used at most {others:.0%} of the machine during a measure.{quiet}"
    )


def _costs(sizes: Sequence[Size]) -> str:
    rows = [
        [
            size.name,
            NAMES[key],
            f"{cost.wall_s:.1f}",
            f"{cost.cpu_s:.1f}",
            f"{cost.peak_mb:.0f}",
            f"{cost.wall_s / size.costs['bare'].wall_s:.1f}",
        ]
        for size in sizes
        for key, cost in size.costs.items()
    ]
    return table(["size", "what", "wall s", "CPU s", "peak MB", "× bare"], rows)


def _work(sizes: Sequence[Size]) -> str:
    phases = list(sizes[0].phases)
    rows = [
        [
            size.name,
            _thousands(size.raw_rows),
            " + ".join(f"{count} {kind}" for kind, count in size.nodes.items()),
            _thousands(size.figures),
            f"{size.compared} tables",
            *(f"{size.phases[phase]:.2f}" for phase in phases),
        ]
        for size in sizes
    ]
    header = ["size", "raw rows", "dbt nodes", "indicator_value rows", "bare = whole"]
    return table([*header, *(f"bare: {phase} s" for phase in phases)], rows)


def _verdict(sizes: Sequence[Size]) -> str:
    lines = []
    for key in ("first", "rebuild"):
        line = fit([size.costs["bare"].wall_s for size in sizes], [size.costs[key].wall_s for size in sizes])
        lines.append(f"- {NAMES[key]}: {_judged(line) if line else 'one size only, no line to fit'}")
    intro = f"Wall time = fixed part + slope × bare work, least squares over {len(sizes)} sizes:"
    return "\n".join([intro, "", *lines])


def _judged(line: Line) -> str:
    return (
        f"fixed part {line.fixed_s:.1f} s (bar ≤ {FIXED_BAR_S:.0f} s: {_kept(line.fixed_s <= FIXED_BAR_S)}), "
        f"slope {line.slope:.2f} (bar ≤ {SLOPE_BAR:.0f}: {_kept(line.slope <= SLOPE_BAR)}), "
        f"{line.points} points, largest residual {line.residual_s:.1f} s"
    )


def _kept(within: bool) -> str:
    return "kept" if within else "**exceeded**"


def _thousands(number: int) -> str:
    return f"{number:,}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    numeric = [all(_is_number(row[i]) for row in rows) for i in range(len(header))]
    ruler = ["---:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, ruler, *rows])


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "", 1).isdigit()
