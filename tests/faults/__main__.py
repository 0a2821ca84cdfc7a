"""Show that each fault is caught: `python -m tests.faults [ID …]`.

    checkout ─▶ a copy ─▶ for each fault, that copy with the fault in it ─▶ its test alone ─▶ caught, or escaped

The checkout is never written to. Status 1 when a fault escaped or could not be shown.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults import Fault, load, problems

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "var", "target", "logs", "__pycache__", "*.egg-info")
TIMEOUT_S = 600
WAREHOUSE = "warehouse.duckdb"
CAUGHT, ESCAPED, ERROR = "caught", "escaped", "error"
Verdict = tuple[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the status is that of the process."""
    options = _parser().parse_args(arguments)
    faults = load()
    if unknown := set(options.ids) - {fault.id for fault in faults}:
        sys.exit(f"no such fault: {', '.join(sorted(unknown))}")
    chosen = [fault for fault in faults if not options.ids or fault.id in options.ids]
    if options.list:
        print(_markdown(chosen))
        return 0
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        return _show(chosen, Path(name), options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("ids", nargs="*", metavar="ID", help="faults to show; all when none is named")
    parser.add_argument("--list", action="store_true", help="print the table of faults, in Markdown, and run nothing")
    parser.add_argument("--clean", action="store_true", help="first show that each test passes without its fault")
    parser.add_argument("--processes", type=int, default=2, help="tests at once (2)")
    parser.add_argument(
        "--home", type=Path, help="finished home for tests that dbt plays, only read; without it one run makes one"
    )
    return parser


def _show(faults: list[Fault], folder: Path, options: argparse.Namespace) -> int:
    base = folder / "base"
    shutil.copytree(ROOT, base, ignore=LEFT_OUT)
    # Compiled once, for all copies; checked by content, since a fault may keep the size and the second of its file.
    modes = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(base, quiet=2, invalidation_mode=modes)
    home = _home(base, folder, options.home) if any(fault.dbt_test for fault in faults) else None
    verdicts = {}
    with ThreadPoolExecutor(options.processes) as pool:
        asked = [(fault, pool.submit(_judge, fault, base, home, options.clean)) for fault in faults]
        for fault, answer in asked:
            verdict, why, seconds = answer.result()
            verdicts[fault.id] = verdict
            print(f"{verdict:8} {seconds:5.1f} s  {fault.id:34} {fault.room:16} {fault.test}", flush=True)
            if why:
                print("".join(f"           {line}\n" for line in why.splitlines()), end="", flush=True)
    counts = {kind: list(verdicts.values()).count(kind) for kind in (CAUGHT, ESCAPED, ERROR)}
    print(f"{len(faults)} faults: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return 0 if counts[CAUGHT] == len(faults) else 1


def _judge(fault: Fault, base: Path, home: Path | None, clean: bool) -> tuple[str, str, float]:
    start = time.monotonic()
    if found := list(problems(fault, base)):
        return ERROR, "\n".join(found), 0.0
    with tempfile.TemporaryDirectory(prefix=f"{fault.id}-", dir=base.parent) as name:
        copy = Path(name) / "checkout"
        shutil.copytree(base, copy, copy_function=os.link, ignore=shutil.ignore_patterns("target"))
        if fault.dbt_test:  # not as links: dbt writes over them
            shutil.copytree(base / "dbt_models" / "target", copy / "dbt_models" / "target")
        if clean and (before := _play(fault, copy, home))[0] != ESCAPED:
            return ERROR, f"its test does not pass without it\n{before[1]}", time.monotonic() - start
        fault.apply(copy)
        try:
            verdict, why = _play(fault, copy, home)
        except subprocess.TimeoutExpired:
            verdict, why = ERROR, f"its test did not end within {TIMEOUT_S} s"
    return verdict, "" if verdict == CAUGHT else why, time.monotonic() - start


def _play(fault: Fault, copy: Path, home: Path | None) -> Verdict:
    return _dbt(fault, copy, home) if home and fault.dbt_test else _pytest(fault, copy)


def _pytest(fault: Fault, copy: Path) -> Verdict:
    """A test that fails catches; one that is skipped, absent or broken shows nothing."""
    quiet = ["-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
    done = _run([sys.executable, "-m", "pytest", *quiet, fault.test], copy)
    counts = {kind: int(number) for number, kind in re.findall(r"(\d+) (failed|passed|skipped|error)", done.stdout)}
    if done.returncode == 1 and counts.get("failed"):
        return CAUGHT, ""
    if done.returncode == 0 and counts.get("passed") and not counts.get("skipped"):
        return ESCAPED, ""
    return ERROR, _tail(done)


def _dbt(fault: Fault, copy: Path, home: Path) -> Verdict:
    """A unit test of dbt reads the columns of the tables that its model reads: a finished home has them all."""
    shutil.copyfile(home / "warehouse.duckdb", copy / WAREHOUSE)
    done = _run_dbt(copy, home, "test", "--select", str(fault.dbt_test))
    results = copy / "dbt_models" / "target" / "run_results.json"
    if not results.exists():
        return ERROR, _tail(done)
    found = {result["status"] for result in json.loads(results.read_text(encoding="utf-8"))["results"]}
    results.unlink()
    known = {frozenset({"fail"}): CAUGHT, frozenset({"pass"}): ESCAPED}
    return known.get(frozenset(found), ERROR), _tail(done)


def _run_dbt(copy: Path, home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """dbt from the root of a copy; whatever the copy, it reads the same settings, which spares it another parse."""
    folder, dbt = str(copy / "dbt_models"), str(Path(sys.executable).with_name("dbt"))
    places = {"WAREHOUSE": WAREHOUSE, "RAW": str(home / "raw"), "DERIVED": str(home / "derived")}
    return _run(
        [dbt, *command, "--project-dir", folder, "--profiles-dir", folder],
        copy,
        **{f"DQ_DBT_{name}": place for name, place in places.items()},
    )


def _home(base: Path, folder: Path, given: Path | None) -> Path:
    """A home in which the demonstration ran; what dbt parsed of the project is left for the copies."""
    home = given.absolute() if given else folder / "home"
    if given is None:
        done = _run([sys.executable, "-m", "dagster_project.commands", "run", "--json"], base, DQ_HOME=str(home))
        if done.returncode:
            sys.exit(f"the demonstration run failed\n{_tail(done)}")
    parsed = _run_dbt(base, home, "parse")
    if parsed.returncode:
        sys.exit(f"dbt cannot read the project\n{_tail(parsed)}")
    return home


def _run(command: list[str], copy: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DQ_", "DAGSTER_"))}
    real = Path(os.environ.get("DQ_TEST_REAL_DATA", ROOT.parent / "shared" / "data"))
    fixed = {"PYTHONPATH": str(copy), "DQ_TEST_REAL_DATA": str(real), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    return subprocess.run(
        command,
        cwd=copy,
        env={**inherited, **fixed, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def _tail(done: subprocess.CompletedProcess[str]) -> str:
    return "\n".join(f"{done.stdout}\n{done.stderr}".strip().splitlines()[-12:])


def _markdown(faults: list[Fault]) -> str:
    rows = [f"| `{f.id}` | {f.room} | {f.wrong} | `{f.test}` |" for f in faults]
    return "\n".join(["| Fault | Room | What the product then does wrong | Caught by |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    sys.exit(main())
