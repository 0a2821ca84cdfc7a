"""Crossing zones: ours against tobler, geopandas.overlay and the bare floor, on real layers and whole-France sizes.

Each way runs in processes of its own, in turn, so that what disturbs the machine disturbs all of them; a round makes
one process of each. Areas must agree pair by pair. A table goes to the terminal and to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import shapely

from benchmarks.crosswalk_layers import column_of, shapes_of, write_layers
from benchmarks.measure import run
from benchmarks.report import machine, place, table
from dagster_project.settings import PROJECT_ROOT

DOCUMENT = PROJECT_ROOT / "docs" / "benchmarks.md"
BEGIN = "<!-- benchmarks.crosswalk: begin (written by `python -m benchmarks.crosswalk`; edit outside) -->"
END = "<!-- benchmarks.crosswalk: end -->"
LIBRARIES = ("shapely", "geopandas", "tobler", "numpy")
TOLERANCE = 1e-9
NAMES = {
    "floor": "floor: tree, one intersection, area",
    "ours": "`area_overlaps`, repair included",
    "tobler": "`tobler.area_interpolate`",
    "overlay": "`geopandas.overlay`",
    "square_floor": "floor: cells by arithmetic, clip to rectangle",
    "square_ours": "`tile_shares`, repair included",
    "square_tree": "`area_overlaps` on drawn squares",
}
# Ways of each size, the floor first; and how often one process repeats its work (a short one, often).
SIZES: dict[str, tuple[tuple[str, ...], int]] = {
    "west": (("floor", "ours", "tobler", "overlay"), 5),
    "france": (("floor", "ours", "tobler", "overlay"), 1),
    "squares": (("square_floor", "square_ours", "square_tree", "tobler"), 1),
}
# What is asked: size, way, the way it is held against, at most how many times its CPU time.
BARS = (
    ("west", "ours", "tobler", 1.0),
    ("west", "ours", "floor", 1.3),
    ("france", "ours", "tobler", 1.0),
    ("squares", "square_ours", "square_floor", 2.0),
)


@dataclass
class Spent:
    """What one way took, one value per round: medians of its process."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)


Spending = Mapping[tuple[str, str], Spent]


class DisagreementError(RuntimeError):
    """Two ways give different areas: a faster one that is wrong is worth nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    options = _options(arguments)
    if not options.mirror.is_dir():
        print("no folder of real sources: pass --mirror or set DQ_TEST_REAL_DATA", file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="dq-crosswalk-", dir=options.work))
    try:
        described = write_layers(options.mirror, folder)
        spent = _measure(folder, options.sizes, options.rounds)
        agreed = [line for size in options.sizes for line in agreement(folder, size)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    content = render(spent, {size: described[size] for size in options.sizes}, agreed, options.rounds)
    print(content)
    if not options.dry:
        place(DOCUMENT, content, BEGIN, END)
    return 0


def _measure(folder: Path, sizes: Sequence[str], rounds: int) -> Spending:
    spent = {(size, way): Spent() for size in sizes for way in SIZES[size][0]}
    for number in range(rounds):
        for (size, way), so_far in spent.items():
            found = _process(folder, size, way, SIZES[size][1])
            so_far.wall.append(median(found["wall"]))
            so_far.cpu.append(median(found["cpu"]))
            so_far.peak_mb.append(found["peak_mb"])
            print(f"round {number + 1}: {size} {way}: {so_far.cpu[-1]:.3f} s", file=sys.stderr, flush=True)
    if "west" in sizes:  # for the people it gives, not for its time
        _process(folder, "west", "tobler_default", 1)
    return spent


def _process(folder: Path, size: str, way: str, times: int) -> dict[str, list[float]]:
    out = folder / f"{size}-{way}.result.parquet"
    command = [sys.executable, "-m", "benchmarks.crosswalk_ways", way, size, str(folder), str(out), str(times)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {**os.environ, **threads}
    _, output = run(command, cwd=PROJECT_ROOT, environment=environment, log=folder / f"{size}-{way}.err")
    found: dict[str, list[float]] = json.loads(output)
    return found


def agreement(folder: Path, size: str) -> list[str]:
    """What the ways of a size agree on, in words.

    Raises:
        DisagreementError: pairs or weights differ by more than TOLERANCE, relative to the weight (on squares, shares).
    """
    floor, *others = [way for way in SIZES[size][0] if way != "tobler"]
    wanted = _result(folder, size, floor)
    # Clipping keeps a pair that only touches, with an area of 0.
    wanted = {pair: area for pair, area in wanted.items() if area > 0}
    worst = {way: _largest_gap(size, way, wanted, _result(folder, size, way)) for way in others}
    total = sum(wanted.values())
    gaps = ", ".join(f"{NAMES[way]} {gap:.1e}" for way, gap in worst.items())
    kind = "gap of a share of a square" if size == "squares" else "relative gap of a weight"
    lines = [f"- {size}: {len(wanted):,} pairs, {total / 1e6:.4f} km² in common; largest {kind}: {gaps}."]
    return lines + (_people(folder) if size == "west" else [])


def _result(folder: Path, size: str, way: str) -> dict[tuple[int, int], float]:
    found = pq.read_table(folder / f"{size}-{way}.result.parquet").to_pydict()
    pairs = zip(found["left"], found["right"], strict=True)
    return dict(zip(pairs, found["area"], strict=True))


def _largest_gap(
    size: str, way: str, wanted: Mapping[tuple[int, int], float], found: Mapping[tuple[int, int], float]
) -> float:
    # On squares the floor clips each, we sum along boundaries: shares under the precision of coordinates may differ.
    scale = (lambda _: 40_000.0) if size == "squares" else (lambda area: area)
    alone = {pair: area for pair, area in {**wanted, **found}.items() if not (pair in wanted and pair in found)}
    stray = {pair: area for pair, area in alone.items() if size != "squares" or area / scale(area) > TOLERANCE}
    gap = max(abs(found[pair] - area) / scale(area) for pair, area in wanted.items() if pair in found)
    if stray or gap > TOLERANCE:
        raise DisagreementError(f"{size}, {way}: {len(stray)} pairs on one side only, largest relative gap {gap:.2e}")
    return gap


def _people(folder: Path) -> list[str]:
    """What tobler's areas and its default do to the inhabitants of QPV."""
    pairs = pq.read_table(folder / "west-ours.result.parquet")
    left, right, area = (pairs[name].to_numpy() for name in ("left", "right", "area"))
    iris = shapely.area(shapes_of(folder / "west-iris.parquet"))
    people = column_of(folder / "west-iris.parquet", "people")
    ours = np.bincount(left, people[right] * area / iris[right])
    named = {way: _column(folder / f"west-{way}.result.parquet") for way in ("tobler", "tobler_default")}
    gap = np.abs(named["tobler"] / ours - 1).max()
    return [
        f"- west: inhabitants of QPV by area, ours {ours.sum():,.0f}; tobler with `allocate_total=False` "
        f"{named['tobler'].sum():,.0f}, up to {gap:.1e} off for one QPV (its areas are float32); with its default "
        f"{named['tobler_default'].sum():,.0f}, for it gives QPV the whole of every IRIS touched."
    ]


def _column(path: Path) -> npt.NDArray[np.float64]:
    return column_of(path, "people")


def render(spent: Spending, described: Mapping[str, str], agreed: Sequence[str], rounds: int) -> str:
    """All of the output, without the markers."""
    rows = []
    for (size, way), cost in spent.items():
        first = spent[size, SIZES[size][0][0]]
        peak = f"{median(cost.peak_mb):.0f}"
        times = (f"{median(cost.wall):.3f}", f"{median(cost.cpu):.3f}")
        rows.append([described[size], NAMES[way], *times, f"{ratio(cost, first):.2f}", peak])
    facts = (
        f"## Crossing zones\n\n{machine(LIBRARIES)}\nMedians of {rounds} processes of each way, in turn; seconds from "
        "geometries in memory to the area of every pair (squares: from their numbers, but tobler and `area_overlaps` "
        "are given them drawn). Ratios are medians, over rounds, of CPU seconds to those of the floor in the same "
        "round: every way runs on one thread. Memory is the peak of the whole process."
    )
    header = ["size", "way", "wall s", "CPU s", "× floor", "peak MB"]
    bars = [verdict(spent, *bar) for bar in BARS if (bar[0], bar[1]) in spent]
    return "\n\n".join([facts, table(header, rows), "\n".join(agreed), "\n".join(bars)]) + "\n"


def ratio(cost: Spent, other: Spent) -> float:
    """How many times the CPU seconds of another way, median over rounds."""
    return median(one / two for one, two in zip(cost.cpu, other.cpu, strict=True))


def verdict(spent: Spending, size: str, way: str, against: str, bar: float) -> str:
    """One bar, and whether it is kept."""
    found = ratio(spent[size, way], spent[size, against])
    kept = "kept" if found <= bar else "**exceeded**"
    return f"- {size}: {NAMES[way]} is {found:.2f} × {NAMES[against]} (bar ≤ {bar:.1f}: {kept})"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crosswalk", description=__doc__)
    mirror = Path(os.environ.get("DQ_TEST_REAL_DATA", PROJECT_ROOT.parent / "shared" / "data"))
    parser.add_argument("--mirror", type=Path, default=mirror, help="folder that holds copies of the real sources")
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--work", type=Path, help="folder for the layers; default a temporary one")
    parser.add_argument("--dry", action="store_true", help="do not write the document")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
