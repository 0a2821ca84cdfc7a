"""Access to work at the size of a region: travel times of every mode, then the figures of both systems in dbt.

The region is invented (`benchmarks.access_region`): its 79 QPV have 10 homes each, its 60,000 offers stand at 6,000
places. Each step runs in a process of its own, through the code of the graph. A table goes to the terminal and to
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.access_handed import write_handed
from benchmarks.access_region import SIZES, Region, write_region
from benchmarks.dbt import Models, dbt, inherited, models_of, slowest
from benchmarks.measure import Cost, run
from benchmarks.report import QUIET, machine, place, table
from dagster_project.settings import PROJECT_ROOT

DOCUMENT = PROJECT_ROOT / "docs" / "benchmarks.md"
BEGIN = "<!-- benchmarks.access: begin (written by `python -m benchmarks.access`; edit outside) -->"
END = "<!-- benchmarks.access: end -->"
LIBRARIES = ("pyvalhalla", "osrm-bindings", "numba", "pyarrow", "duckdb", "dbt-duckdb")
MOST_MB = 2_000
NAMES = {
    "streets": "streets, tiles and timetable, once per extract",
    "trips": "trips of every home, all modes",
    "travel_times": "the table that dbt reads, and its version",
    "acces_emploi": "dbt: access to jobs (system B)",
    "mobilite": "dbt: access to work (system D)",
}
# Models of a system: those that its indicators need, of its own folder; what others hand over stands in the warehouse.
SELECTED = {
    "acces_emploi": "+int_indicateurs__acces_emploi,path:models/intermediate/emploi",
    "mobilite": "+int_indicateurs__mobilite,path:models/intermediate/mobilite",
}


@dataclass
class Measured:
    """What each step cost and made."""

    region: Region
    engine: str
    costs: dict[str, Cost] = field(default_factory=dict)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, Models] = field(default_factory=dict)
    load: float = 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status: 1 when a step took more memory than allowed."""
    options = _options(arguments)
    folder = Path(tempfile.mkdtemp(prefix="dq-access-", dir=options.work))
    try:
        measured = measure(SIZES["small" if options.small else "region"], folder, options.engine)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    content = render(measured)
    print(content)
    if not options.dry:
        place(DOCUMENT, content, BEGIN, END)
    return int(any(cost.peak_mb > MOST_MB for cost in measured.costs.values()))


def measure(region: Region, folder: Path, engine: str) -> Measured:
    """Make the region in a folder, then run every step on it, on one engine of roads."""
    write_region(region, folder)
    write_handed(region, folder)
    measured = Measured(region, engine)
    for step in ("streets", "trips", "travel_times"):
        _note(measured, step, partial(_step, folder, step, engine))
    _step(folder, "warehouse", engine)
    dbt(folder, ["parse"])
    dbt(folder, ["seed", "--select", "indicator", "secrecy_rule"])
    for system, selected in SELECTED.items():
        _note(measured, system, partial(dbt, folder, ["run", "--select", selected]))
        measured.models[system] = models_of(folder)
    return measured


def _note(measured: Measured, step: str, once: Callable[[], tuple[Cost, str]]) -> None:
    cost, output = once()
    measured.costs[step] = cost
    measured.made[step] = json.loads(output) if output.startswith("{") else {}
    measured.load = max(measured.load, os.getloadavg()[0])
    told = f"{step}: {cost.wall_s:.1f} s, CPU {cost.cpu_s:.1f} s, {cost.peak_mb:.0f} MB"
    print(told, file=sys.stderr, flush=True)


def _step(folder: Path, step: str, engine: str) -> tuple[Cost, str]:
    command = [sys.executable, "-m", "benchmarks.access_ways", step, str(folder)]
    environment = {**inherited(), "PYTHONPATH": str(PROJECT_ROOT), "DQ_ROAD_ENGINE": engine}
    return run(command, cwd=PROJECT_ROOT, environment=environment, log=folder / f"{step}.err")


def render(measured: Measured) -> str:
    """All of the output, without the markers."""
    region, streets, trips = measured.region, measured.made["streets"], measured.made["trips"]
    others = max(cost.others for cost in measured.costs.values())
    busy = "" if others <= QUIET else " **The machine was not quiet: read CPU seconds rather than wall time.**"
    facts = (
        f"## Access to work\n\n{machine(LIBRARIES)}\nAn invented region of {region.side_m / 1000:.0f} × "
        f"{region.side_m / 1000:.0f} km: {region.zones} QPV of 10 homes, {region.workplaces:,} workplaces, "
        f"{region.offers:,} offers at {region.places:,} places, {region.occupations} occupations; "
        f"{streets['ways']:,} streets, {region.lines} bus lines, {streets['stops']:,} stops. "
        f"Roads by {measured.engine}. One run of each step, "
        f"start of its process included; memory is the peak of the process and its children. Other processes used up "
        f"to {others:.0%} of the machine; load average up to {measured.load:.1f}.{busy}"
    )
    rows = [
        [NAMES[step], f"{cost.wall_s:.1f}", f"{cost.cpu_s:.1f}", f"{cost.peak_mb:.0f}"]
        for step, cost in measured.costs.items()
    ]
    peak = max(cost.peak_mb for cost in measured.costs.values())
    lines = [
        f"- trips: {trips['rows']:,} rows, of which {trips['reached']:,} with a time; out by public transport "
        f"{trips['transit_reached']:,} of {trips['transit']:,}. Parquet: {trips['mb']:.0f} MB.",
        *(f"- {NAMES[system]}: {slowest(models)}." for system, models in measured.models.items()),
        f"- memory: {peak:.0f} MB at most (bar ≤ {MOST_MB:,}: {'kept' if peak <= MOST_MB else '**exceeded**'}).",
    ]
    return "\n\n".join([facts, table(["step", "wall s", "CPU s", "peak MB"], rows), "\n".join(lines)]) + "\n"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.access", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a town instead of a region, to try")
    parser.add_argument("--engine", choices=["valhalla", "osrm"], default="valhalla", help="of roads")
    parser.add_argument("--work", type=Path, help="folder for what is written; default a temporary one")
    parser.add_argument("--dry", action="store_true", help="do not write the document")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
