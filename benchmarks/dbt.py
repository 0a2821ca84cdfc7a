"""dbt on a warehouse of its own, for benchmarks of some of its models."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Cost, program, run
from dagster_project.settings import PROJECT_ROOT

Models = list[tuple[str, float]]
SLOWEST = 3


def dbt(folder: Path, arguments: Sequence[str]) -> tuple[Cost, str]:
    """One command of dbt, in the warehouse and with the artifacts of the folder: what it cost, and its output."""
    project, target = str(PROJECT_ROOT / "dbt_models"), str(folder / "target")
    folders = ["--project-dir", project, "--profiles-dir", project, "--target-path", target, "--log-path", target]
    quiet = ["--log-level", "warn", "--log-level-file", "none"]
    environment = {
        **inherited(),
        "DQ_DBT_WAREHOUSE": str(folder / "warehouse.duckdb"),
        "DQ_DBT_RAW": str(folder / "raw"),
        "DQ_DBT_DERIVED": str(folder / "derived"),
    }
    command = [program("dbt"), *arguments, *folders, *quiet]
    return run(command, cwd=PROJECT_ROOT, environment=environment, log=folder / "dbt.err")


def inherited() -> dict[str, str]:
    """Environment of a measured process: a developer's own DQ_* variables must not change what is measured."""
    return {key: value for key, value in os.environ.items() if not key.startswith("DQ_")}


def models_of(folder: Path) -> Models:
    """Seconds of each model of the last `dbt run` in the folder, the slowest first."""
    results = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    spent = [(str(each["unique_id"]).rsplit(".", 1)[-1], float(each["execution_time"])) for each in results]
    return sorted(spent, key=lambda each: -each[1])


def slowest(models: Models) -> str:
    """How many models there are, and which cost most."""
    told = ", ".join(f"`{name}` {seconds:.1f} s" for name, seconds in models[:SLOWEST])
    return f"{len(models)} models, the slowest {told}"
