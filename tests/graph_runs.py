"""Runs of the whole graph for tests: the `dq` command in a process and a home of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.settings import PROJECT_ROOT, Settings

TIMEOUT_S = 900


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Home:
    """A DQ_HOME that tests run the `dq` command in."""

    path: Path

    @property
    def settings(self) -> Settings:
        return Settings(home=self.path, sources="demo")

    @property
    def demo(self) -> Path:
        """Files of the demonstration territory, which a run fetches from."""
        return self.settings.demo_mirror

    @property
    def release(self) -> Path:
        return (self.settings.releases_dir / "current").resolve()

    def dq(self, *arguments: str, **environment: str) -> Ran:
        """Run `dq` in this home, whatever DQ_* variables the developer has."""
        return run(
            [sys.executable, "-m", "dagster_project.commands", *arguments], DQ_HOME=str(self.path), **environment
        )

    def copy(self, to: Path) -> Home:
        """The same home elsewhere, without Dagster's history, whose place is written in its instance file."""
        shutil.copytree(self.path, to, symlinks=True, ignore=shutil.ignore_patterns("dagster", "run.lock"))
        return Home(to)

    def published(self) -> dict[str, str]:
        """What readers use, file by file: the warehouse, every release, and where `current` points."""
        found = digests(self.settings.releases_dir, "releases")
        found["current"] = str((self.settings.releases_dir / "current").readlink())
        found["warehouse"] = digest(self.settings.warehouse)
        return found

    def failure_reports(self) -> list[Any]:
        """What failed runs reported, in JSON."""
        reports = sorted((self.settings.reports_dir / "failures").glob("*.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in reports]

    def archived(self) -> tuple[dict[str, str], bytes]:
        """Objects of the archive, and its log."""
        log = self.settings.archive_dir / "log.jsonl"
        return digests(self.settings.archive_dir / "objects", "objects"), log.read_bytes()


@dataclass(frozen=True)
class Finished:
    """A first run of the graph, and what it left, which nothing may change."""

    home: Home
    ran: Ran
    published: dict[str, str]
    archived: tuple[dict[str, str], bytes]

    def copy(self, to: Path) -> Home:
        return self.home.copy(to)

    def assert_untouched(self, home: Home) -> None:
        """What readers use in this copy is as the first run left it."""
        assert_untouched(home, self.published, self.archived)


def first_run(path: Path) -> Finished:
    """Run the graph in an empty home; the test that reads `ran` says whether it went well."""
    home = Home(path)
    ran = home.dq("run", "--json")
    if ran.code:
        raise AssertionError(f"the demonstration run failed\n{ran.err}")
    return Finished(home, ran, home.published(), home.archived())


def run(command: list[str], **environment: str) -> Ran:
    """Run a command of the project from its root, without inherited settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DQ_", "DAGSTER_HOME"))}
    quiet = {"DAGSTER_DISABLE_TELEMETRY": "yes", "NO_PROXY": "127.0.0.1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env={**inherited, **quiet, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests(folder: Path, label: str) -> dict[str, str]:
    """Digest of every file below a folder; links to folders are not followed."""
    return {f"{label}/{path.relative_to(folder)}": digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def assert_untouched(home: Home, published: Mapping[str, str], archived: tuple[dict[str, str], bytes]) -> None:
    """What readers use is byte for byte as it was; the archive has lost nothing and changed nothing."""
    assert home.published() == dict(published)
    objects, log = home.archived()
    assert archived[0].items() <= objects.items(), "an archived object was changed or removed"
    assert log.startswith(archived[1]), "the archive's log only grows"
    assert list(home.settings.archive_dir.rglob("*.part")) == [], "a temporary file was left"
    assert [path.name for path in home.settings.releases_dir.iterdir() if path.name.endswith(".partial")] == []
