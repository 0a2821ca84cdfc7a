"""Runs of the whole graph for tests: the `dq` command in a process and a home of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dagster_project.settings import PROJECT_ROOT, Settings
from tests.mirror_files import read_table, set_cell

TIMEOUT_S = 900
FINISHED = "finished.json"
# A cell of a count that one figure publishes and that others divide by.
CHANGED_FILE, CHANGED_LINE, CHANGED_COLUMN = "insee/IPRO_2021.csv", 5, "ABC"


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


def first_run(folder: Path) -> None:
    """Run the graph in an empty home below this folder, and write beside it what `finished_run` reads."""
    folder.mkdir(parents=True)
    home = Home(folder / "home")
    ran = home.dq("run", "--json")
    if ran.code:
        raise AssertionError(f"the demonstration run failed\n{ran.err}")
    objects, log = home.archived()
    told = {"ran": asdict(ran), "published": home.published(), "objects": objects, "log": log.decode("utf-8")}
    (folder / FINISHED).write_text(json.dumps(told), encoding="utf-8")


@dataclass(frozen=True)
class Changed:
    """A second run, after the last digit of one cell was changed: its home, how it ended, the cell."""

    home: Home
    ran: Ran
    zone: str
    value: int


def changed_run(folder: Path, finished: Finished) -> None:
    """Change one byte of a source in a copy of the finished home below this folder, and run the graph again."""
    folder.mkdir(parents=True)
    home = finished.copy(folder / "home")
    path = home.demo / CHANGED_FILE
    text = set_cell(path, CHANGED_LINE, CHANGED_COLUMN, "0")
    assert text[-1].isdigit(), "the row chosen must have a number there"
    set_cell(path, CHANGED_LINE, CHANGED_COLUMN, text[:-1] + ("1" if text.endswith("0") else "0"))
    (folder / FINISHED).write_text(json.dumps(asdict(home.dq("run", "--json"))), encoding="utf-8")


def read_changed_run(folder: Path) -> Changed:
    """The run that `changed_run` made there."""
    home = Home(folder / "home")
    header, *rows = read_table(home.demo / CHANGED_FILE)
    row = dict(zip(header, rows[CHANGED_LINE - 2], strict=True))
    ran = Ran(**json.loads((folder / FINISHED).read_text(encoding="utf-8")))
    return Changed(home, ran, row["CODGEO"], int(row[CHANGED_COLUMN].replace("\u202f", "")))


def west_run(folder: Path, mirror: Path) -> None:
    """Run the graph on the real files of Bretagne and Pays de la Loire, in an empty home below this folder."""
    folder.mkdir(parents=True)
    home = Home(folder / "home")
    ran = home.dq("run", "--sources", "mirror", "--mirror", str(mirror), "--territory", "west", "--json")
    if ran.code or ran.json["released"] != home.release.name:
        raise AssertionError(f"the run on the real files failed\n{ran.err}")


def finished_run(folder: Path) -> Finished:
    """The run that `first_run` made there, as it was when it ended."""
    told = json.loads((folder / FINISHED).read_text(encoding="utf-8"))
    archived = told["objects"], told["log"].encode("utf-8")
    return Finished(Home(folder / "home"), Ran(**told["ran"]), told["published"], archived)


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
