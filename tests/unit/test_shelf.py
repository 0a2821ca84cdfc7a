"""The maintainer's shelf says what is there: rooms, layers, folders, dates, targets, versions, links."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest

from dagster_project.settings import PROJECT_ROOT
from tests.failures import none_of
from tests.graph_runs import run

PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "docs/decisions.md")
ARCHITECTURE = "docs/architecture.md"


def text(page: str) -> str:
    return (PROJECT_ROOT / page).read_text(encoding="utf-8")


def first_cells(page: str, header: str) -> list[str]:
    """Names in the first cells of the table whose header's first cell is this; several of one cell as one."""
    lines = iter(text(page).splitlines())
    assert any(line.startswith(f"| {header} |") for line in lines), f"{page} has no table that begins with {header}"
    next(lines)
    rows = itertools.takewhile(lambda line: line.startswith("| "), lines)
    return [" | ".join(re.findall(r"`([^`]+)`", row.split(" | ")[0])) for row in rows]


def pyproject() -> dict[str, object]:
    return tomllib.loads(text("pyproject.toml"))


def entries(folder: Path) -> Iterator[str]:
    """What stands in a folder, folders with a slash after their name; less what no one wrote."""
    for path in folder.iterdir():
        if path.is_dir() and any(file.suffix != ".pyc" for file in path.rglob("*") if file.is_file()):
            yield f"{path.name}/"
        elif path.is_file() and path.name != "__init__.py":
            yield path.name


def test_every_room_on_disk_has_its_line_and_every_line_its_room() -> None:
    rooms = first_cells(ARCHITECTURE, "Room")
    assert sorted(rooms) == sorted(entries(PROJECT_ROOT / "dagster_project"))


def test_every_folder_beside_the_package_has_its_line_and_every_line_its_folder() -> None:
    listed = run(["git", "ls-files"])
    if listed.code:
        pytest.skip(f"what was committed is asked of git: {listed.err.strip()}")
    folders = {PurePath(line).parent.parts for line in listed.out.splitlines()} - {()}
    shown = {folder for folder in folders if folder[0] != "dagster_project" and not folder[0].startswith(".")}
    # dbt's folders each, down to its layers; of others the first alone.
    wanted = {folder[:3] if folder[0] == "dbt_models" else folder[:1] for folder in shown} - {("dbt_models", "models")}
    assert sorted(first_cells(ARCHITECTURE, "Folder")) == sorted("/".join([*folder, ""]) for folder in wanted)


def test_layers_are_those_that_the_linter_holds() -> None:
    (contract,) = pyproject()["tool"]["importlinter"]["contracts"]  # type: ignore[index]
    assert first_cells(ARCHITECTURE, "Layer, top first") == contract["layers"]


def test_every_decision_is_dated() -> None:
    undated = re.findall(r"^## (.+)\n(?!\n\*\d{4}-\d{2}-\d{2}\*\n)", text("docs/decisions.md"), re.MULTILINE)
    assert undated == [], "under the heading, the day it was taken: *2026-12-01*"


def test_the_changelog_has_the_version_of_the_program() -> None:
    project = pyproject()["project"]
    assert f"## [{project['version']}] - " in text("CHANGELOG.md")  # type: ignore[index]


def test_help_names_every_target() -> None:
    makefile = text("Makefile")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    shown = run(["make", "--no-print-directory", "help"]).out.splitlines()
    assert {line.split()[0] for line in shown} == set(phony.split())
    assert [line for line in shown if len(line.split()) < 3] == []


def test_links_and_named_files_exist() -> None:
    def missing(page: str) -> Iterator[str]:
        for target in re.findall(r"\]\(([^)#]+)\)", text(page)):
            if not target.startswith("https://") and not (PROJECT_ROOT / page).parent.joinpath(target).exists():
                yield f"{page} leads to {target}"

    none_of(line for page in PAGES for line in missing(page))


def test_pages_name_targets_that_exist() -> None:
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)`", text(page))}
    assert named <= set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
