"""What the chain costs beside the bare work it does, at three sizes, and the line through them.

At each size, in a folder of its own: a first `dq run`, a second one with nothing changed, the bare program over the
same bytes and the same compiled SQL (its marts must be the same, row by row), `dbt build` alone on the raw tables,
and `dq run` once more with everything to rebuild but caches warm. A table goes to the terminal and to
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
from pathlib import Path
from statistics import median

from benchmarks.compare import assert_same
from benchmarks.measure import Cost, repeat
from benchmarks.report import NAMES, Size, place, render
from benchmarks.sandbox import Sandbox
from dagster_project.release.places import building_path
from dagster_project.settings import PROJECT_ROOT, Settings, SourcesKind

DOCUMENT = PROJECT_ROOT / "docs" / "benchmarks.md"
SIZES: dict[str, tuple[SourcesKind, str]] = {
    "demonstration": ("demo", "france"),
    "west": ("mirror", "west"),
    "france": ("mirror", "france"),
}


class BenchmarkError(RuntimeError):
    """A run did not do what it is measured for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    options = _options(arguments)
    folder = Path(tempfile.mkdtemp(prefix="dq-bench-", dir=options.work))
    sizes: list[Size] = []
    skipped: dict[str, str] = {}
    try:
        sandbox = Sandbox(folder)
        for name in options.sizes:
            kind, territory = SIZES[name]
            if kind == "mirror" and not options.mirror.is_dir():
                skipped[name] = "no folder of real sources: pass --mirror or set DQ_TEST_REAL_DATA"
                _tell(f"{name}: skipped, {skipped[name]}")
                continue
            settings = _settings(folder / name, kind, territory, options.mirror)
            sizes.append(_Bench(sandbox, settings, Size(name), (options.repeat, options.repeat_whole)).measure())
    finally:
        if options.keep:
            _tell(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if not sizes:
        return 1
    content = render(sizes, skipped, (options.repeat, options.repeat_whole))
    print(content)
    if not options.dry:
        place(DOCUMENT, content)
    return 0


def _settings(home: Path, kind: SourcesKind, territory: str, mirror: Path) -> Settings:
    return Settings(
        home=home, sources=kind, mirror=str(mirror.absolute()) if kind == "mirror" else None, territory=territory
    )


class _Bench:
    """The measures of one size. Order matters: each starts from what the one before left."""

    def __init__(self, sandbox: Sandbox, settings: Settings, size: Size, repetitions: tuple[int, int]) -> None:
        self._sandbox, self._settings, self._size = sandbox, settings, size
        self._small, self._whole = repetitions
        self._plan = settings.home.with_suffix(".plan.json")
        self._aside = settings.home.with_suffix(".bare")
        self._spent: list[dict[str, float]] = []

    def measure(self) -> Size:
        """Everything, into the `Size` given."""
        self._note("first", self._whole, self._first)
        self._note("second", self._small, self._second)
        self._sandbox.plan(self._settings, self._plan)
        plan = json.loads(self._plan.read_text(encoding="utf-8"))
        self._note("bare", self._small, self._bare)
        compared = self._compare()
        self._note("dbt", self._small, lambda: self._dbt(plan["environment"]))
        self._note("rebuild", self._whole, self._rebuild)
        self._compare()
        size = self._size
        size.costs = {key: size.costs[key] for key in NAMES}
        size.phases = {phase: median(spent[phase] for spent in self._spent) for phase in self._spent[0]}
        size.raw_rows, size.nodes = plan["rows"], plan["nodes"]
        size.figures, size.compared = compared["indicator_value"], len(compared)
        shutil.rmtree(self._aside)
        return size

    def _note(self, key: str, times: int, once: Callable[[], Cost]) -> None:
        cost = repeat(times, once)
        self._size.costs[key] = cost
        _tell(f"{self._size.name}: {NAMES[key]}: {cost.wall_s:.1f} s, CPU {cost.cpu_s:.1f} s, {cost.peak_mb:.0f} MB")

    def _first(self) -> Cost:
        shutil.rmtree(self._settings.home, ignore_errors=True)
        self._sandbox.forget_parse()
        return self._released(True)

    def _second(self) -> Cost:
        return self._released(False)

    def _rebuild(self) -> Cost:
        # Without a current release nothing counts as done; what is kept of earlier runs stays: archive, raw tables,
        # contours, results of expectations and of dbt's unit tests, dbt's parse.
        (self._settings.releases_dir / "current").unlink()
        return self._released(True)

    def _released(self, expected: bool) -> Cost:
        cost, output = self._sandbox.dq(self._settings)
        released = json.loads(output)["released"]
        if bool(released) != expected:
            raise BenchmarkError(f"{self._size.name}: released {released!r}, expected {'one' if expected else 'none'}")
        return cost

    def _bare(self) -> Cost:
        cost, output = self._sandbox.bare(self._plan, self._aside)
        spent = json.loads(output)
        self._spent.append({"start": cost.wall_s - sum(spent.values()), **spent})
        return cost

    def _dbt(self, environment: dict[str, str]) -> Cost:
        parsed = self._settings.derived_dir / "dbt" / "partial_parse.msgpack"
        cost = self._sandbox.dbt(environment, parsed, self._settings.home.with_suffix(".dbt"))
        building_path(self._settings).unlink()
        return cost

    def _compare(self) -> dict[str, int]:
        released = self._settings.releases_dir / "current"
        plan = json.loads(self._plan.read_text(encoding="utf-8"))
        return assert_same(self._aside / "release", released, [table["name"] for table in plan["released"]])


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spine", description=__doc__)
    mirror = Path(os.environ.get("DQ_TEST_REAL_DATA", PROJECT_ROOT.parent / "shared" / "data"))
    parser.add_argument("--mirror", type=Path, default=mirror, help="folder that holds copies of the real sources")
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--repeat", type=_positive, default=3, help="of bare work, dbt alone, run with nothing changed")
    parser.add_argument("--repeat-whole", type=_positive, default=1, help="of whole runs")
    parser.add_argument("--work", type=Path, help="folder for the measured homes; default a temporary one")
    parser.add_argument("--keep", action="store_true", help="leave that folder")
    parser.add_argument("--dry", action="store_true", help="do not write the document")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
