"""A copy of the project to measure: what is edited meanwhile changes nothing, and a first run is a first run."""

from __future__ import annotations

import compileall
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import Cost, program, run
from dagster_project.settings import PROJECT_ROOT, Settings

COPIED = ("benchmarks", "corrections", "dagster_project", "dbt_models", "expectations", "seeds")
LEFT_OUT = shutil.ignore_patterns("target", "logs", "__pycache__", ".user.yml")


class Sandbox:
    """A snapshot of the code, and commands run from it. `folder` must not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True)
        for name in COPIED:
            shutil.copytree(PROJECT_ROOT / name, self.root / name, ignore=LEFT_OUT)
        shutil.copyfile(PROJECT_ROOT / "requirements.lock", self.root / "requirements.lock")
        # Compiling our own modules belongs to installation.
        compileall.compile_dir(self.root / "dagster_project", quiet=1)
        compileall.compile_dir(self.root / "benchmarks", quiet=1)

    def forget_parse(self) -> None:
        """Remove dbt's parsed project, as on a fresh clone."""
        shutil.rmtree(self.root / "dbt_models" / "target", ignore_errors=True)

    def dq(self, settings: Settings, *arguments: str) -> tuple[Cost, str]:
        """`dq run` with these settings, as a process."""
        command = [sys.executable, "-m", "dagster_project.commands", "run", "--json", *arguments]
        return self._run("dq", command, _environment(settings))

    def plan(self, settings: Settings, path: Path) -> None:
        """Write the plan of the bare program for the run that has ended in this home."""
        self._run("plan", [sys.executable, "-m", "benchmarks.plan", str(path)], _environment(settings))

    def bare(self, plan: Path, out: Path) -> tuple[Cost, str]:
        """The bare program, as a process, into a folder that is removed first."""
        shutil.rmtree(out, ignore_errors=True)
        return self._run("bare", [sys.executable, "-m", "benchmarks.bare", str(plan), str(out)], {})

    def dbt(self, environment: Mapping[str, str], parsed: Path, target: Path) -> Cost:
        """`dbt build`, all tests included, as a process; the project is parsed already."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        shutil.copyfile(parsed, target / "partial_parse.msgpack")
        project = str(self.root / "dbt_models")
        folders = ["--project-dir", project, "--profiles-dir", project, "--target-path", str(target)]
        quiet = ["--log-level", "warn", "--log-level-file", "none"]
        cost, _ = self._run("dbt", [program("dbt"), "build", *folders, *quiet], environment)
        return cost

    def _run(self, name: str, command: list[str], environment: Mapping[str, str]) -> tuple[Cost, str]:
        # A developer's own DQ_* variables must not change what is measured.
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("DQ_", "DAGSTER_"))}
        return run(
            command,
            cwd=self.root,
            environment={**inherited, "PYTHONPATH": str(self.root), **environment},
            log=self.logs / f"{name}.err",
        )


def _environment(settings: Settings) -> dict[str, str]:
    given = settings.model_dump(include={"home", "sources", "mirror", "territory"}, exclude_none=True)
    return {**{f"DQ_{key.upper()}": str(value) for key, value in given.items()}, "DAGSTER_DISABLE_TELEMETRY": "yes"}
