"""Non-take-up of the C2S at the size of France: every model of the theme, in dbt, on an invented nation.

1,514 QPV in two editions with counts and three of the CMU-C, the rest of their communes, communes that have IRIS, EPCI
(`benchmarks.nonrecours_nation`). A table goes to the terminal and to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.dbt import Models, dbt, models_of, slowest
from benchmarks.measure import Cost
from benchmarks.nonrecours_nation import SIZES, Nation, write_nation
from benchmarks.report import QUIET, machine, place, table
from dagster_project.settings import PROJECT_ROOT

DOCUMENT = PROJECT_ROOT / "docs" / "benchmarks.md"
BEGIN = "<!-- benchmarks.nonrecours: begin (written by `python -m benchmarks.nonrecours`; edit outside) -->"
END = "<!-- benchmarks.nonrecours: end -->"
LIBRARIES = ("numpy", "scipy", "pyarrow", "duckdb", "dbt-duckdb")
MOST_S, MOST_MB = 60, 2_000
SELECTED = ["path:models/intermediate/non_recours", "path:models/marts/non_recours"]
# What figures lead to is drawn from marts that the benchmark has not; profiles are a convention's.
EXCLUDED = ["int_entrees__non_recours", "int_composants__non_recours", "mart_non_recours", "mart_non_recours_profil*"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status: 1 when the theme took longer or more memory than allowed."""
    options = _options(arguments)
    nation = SIZES["small" if options.small else "france"]
    folder = Path(tempfile.mkdtemp(prefix="dq-nonrecours-", dir=options.work))
    try:
        cost, models = measure(nation, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    content = render(nation, cost, models)
    print(content)
    if not options.dry:
        place(DOCUMENT, content, BEGIN, END)
    return int(cost.wall_s > MOST_S or cost.peak_mb > MOST_MB)


def measure(nation: Nation, folder: Path) -> tuple[Cost, Models]:
    """What one build of the theme costs, and the seconds of each model, the slowest first."""
    write_nation(nation, folder / "warehouse.duckdb")
    dbt(folder, ["seed", "--select", "c2s_national", "c2s_rule", "household_type", "indicator", "secrecy_rule"])
    cost, _ = dbt(folder, ["run", "--select", *SELECTED, "--exclude", *EXCLUDED])
    return cost, models_of(folder)


def render(nation: Nation, cost: Cost, models: Models) -> str:
    """All of the output, without the markers."""
    busy = "" if cost.others <= QUIET else " **The machine was not quiet: read CPU seconds rather than wall time.**"
    facts = (
        f"## Non-take-up of the C2S\n\n{machine(LIBRARIES)}\nAn invented nation: {nation.qpv:,} QPV, "
        f"{nation.communes:,} communes, {nation.epci:,} EPCI and the rest of the communes of QPV; two editions of "
        f"counts; 1,000 draws. One `dbt run` of all models of the theme, its start included. Other processes used "
        f"{cost.others:.0%} of the machine.{busy}"
    )
    rows = [["whole theme", f"{cost.wall_s:.1f}", f"{cost.cpu_s:.1f}", f"{cost.peak_mb:.0f}"]]
    kept = "kept" if cost.wall_s <= MOST_S else "**exceeded**"
    memory = "kept" if cost.peak_mb <= MOST_MB else "**exceeded**"
    lines = [
        f"- wall {cost.wall_s:.1f} s (bar ≤ {MOST_S} s: {kept}).",
        f"- memory {cost.peak_mb:.0f} MB (bar ≤ {MOST_MB:,}: {memory}).",
        f"- {slowest(models)}.",
    ]
    return "\n\n".join([facts, table(["step", "wall s", "CPU s", "peak MB"], rows), "\n".join(lines)]) + "\n"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nonrecours", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a small nation, to try")
    parser.add_argument("--work", type=Path, help="folder for what is written; default a temporary one")
    parser.add_argument("--dry", action="store_true", help="do not write the document")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
