"""What became of every test of the first suite, in `docs/tests.csv`: `python scripts/map_tests.py`.

Columns: `first_test`, its id in the suite of commit bb6cc77; `test`, the test that protects the same today; `reason`,
why it has another id or none; `fault`, deliberate faults of `tests/faults` that this test, or another case of it,
catches (empty: none was tried).

A test keeps its id, or is a case of one test that now lists every failure, or stands in `tests/renamed.csv`
(`pattern`, a regular expression for whole ids; `test`, which may use its groups and is empty for a test that ended;
`reason`). The script fails, and writes nothing, while a test has none of these.
"""

from __future__ import annotations

import argparse
import csv
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAP = ROOT / "docs" / "tests.csv"
FAULTS = ROOT / "tests" / "faults" / "faults.toml"
RENAMED = ROOT / "tests" / "renamed.csv"
COLUMNS = ("first_test", "test", "reason", "fault")
SHOWN = 2000
LISTED = "one test lists every failure"
Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def function_of(test: str) -> str:
    """The test without its case."""
    return test.partition("[")[0]


def map_tests(first: Sequence[str], now: Collection[str], renamed: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """Rows of the map without faults, and the tests of which nothing is said."""
    rows, unsaid = [], []
    for test in first:
        found, reason = heir(test, now, renamed)
        if found is None or (found and found not in now):
            unsaid.append(test)
        rows.append({"first_test": test, "test": found or "", "reason": reason})
    return rows, unsaid


def heir(test: str, now: Collection[str], renamed: Sequence[Row]) -> tuple[str | None, str]:
    """The test that took its place, with the reason; empty where it ended, None where nothing is said."""
    for rule in renamed:  # first: another case may have taken the number of this one
        if match := re.fullmatch(rule["pattern"], test):
            return match.expand(rule["test"]), rule["reason"]
    if test in now:
        return test, ""
    return (function_of(test), LISTED) if function_of(test) in now else (None, "")


def with_faults(rows: Sequence[Row], faults: Mapping[str, str]) -> list[Row]:
    """The rows, with the ids of the faults that the test catches in any of its cases; `faults` is the test of each."""
    found: dict[str, list[str]] = defaultdict(list)
    for fault, test in faults.items():
        found[function_of(test)].append(fault)
    return [row | {"fault": " ".join(found.get(function_of(row["test"]), []))} for row in rows]


def collected() -> list[str]:
    """Ids of the tests that pytest finds in this checkout."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-p", "no:syrupy", "tests"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout[-SHOWN:])
    return [line for line in done.stdout.splitlines() if line.startswith("tests/") and "::" in line]


def known_faults() -> dict[str, str]:
    """Ids of the faults that were tried, each with the test that catches it."""
    return {fault["id"]: fault["test"] for fault in tomllib.loads(FAULTS.read_text(encoding="utf-8"))["fault"]}


def main() -> int:
    """Entry point; 0 when the map is written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=Path, help="ids of the first suite, one a line, to start a map from")
    given = parser.parse_args().first
    if given:
        lines = given.read_text(encoding="utf-8").splitlines()
        first = [line for line in lines if line.startswith("tests/") and "::" in line]
    else:
        first = [row["first_test"] for row in read(MAP)]
    rows, unsaid = map_tests(first, set(collected()), read(RENAMED))
    if unsaid:
        print("\n".join(["say in tests/renamed.csv what became of:", *unsaid]), file=sys.stderr)
        return 1
    with MAP.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(with_faults(rows, known_faults()))
    print(f"{len(rows)} tests in {MAP.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
