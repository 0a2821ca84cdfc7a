"""Recipes of CONTRIBUTING.md, carried out in a throw-away clone: they change what they say, no more, and it works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dagster_project.settings import PROJECT_ROOT
from tests.graph_runs import run

PAGE = PROJECT_ROOT / "CONTRIBUTING.md"
SNAPSHOTS = {
    "tests/unit/__snapshots__/test_catalogue.ambr",
    "tests/integration/__snapshots__/test_definitions.ambr",
}
# Most files of the product that a person may have to write, rows of seeds apart.
MOST_WRITTEN = {
    "an edition": 1,
    "a dataset": 4,
    "a published indicator": 0,
    "a model indicator": 4,
    "a theme": 0,
    "a check": 4,
    "a page": 3,
    "a command": 1,
}
IDENTITY = ["-c", "user.name=recipes", "-c", "user.email=recipes@exemple.invalid", "-c", "core.autocrlf=false"]


@dataclass(frozen=True)
class Recipe:
    """What a recipe adds, the files it names, and its commands."""

    what: str
    written: frozenset[str]
    rows: frozenset[str]
    follows: frozenset[str]
    commands: str


def recipes() -> dict[str, Recipe]:
    text = PAGE.read_text(encoding="utf-8")
    found = {}
    for part in re.split(r"^### Add ", text.partition("\n## Recipes\n")[2].partition("\n## ")[0], flags=re.MULTILINE)[
        1:
    ]:
        what, _, body = part.partition("\n")
        named, _, block = body.partition("```sh\n")
        commands, closed, after = block.partition("\n```\n")
        assert closed, f"the recipe for {what} has no block of commands"
        assert "```" not in after, f"the recipe for {what} has two blocks"
        found[what] = Recipe(what, *(_files(named, kind) for kind in ("Written by you", "Rows", "Follows")), commands)
    return found


def _files(text: str, kind: str) -> frozenset[str]:
    match = re.search(rf"^- {kind}: (.+?)(?=\n- |\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return frozenset(re.findall(r"`([^`]+)`", match[1])) if match else frozenset()


RECIPES = recipes()


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *IDENTITY, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as it stands, what is not committed yet included, as a repository of its own."""
    root = tmp_path_factory.mktemp("recipes") / "clone"
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"])
    assert listed.code == 0, listed.err
    for name in listed.out.splitlines():
        if (source := PROJECT_ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, root / name)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "the checkout")
    return root


def changed(root: Path) -> dict[str, str]:
    """Files that differ from the checkout: `M` for one that was there, `??` for a new one."""
    lines = git(root, "status", "--porcelain", "--untracked-files=all").splitlines()
    return {line[3:]: line[:2].strip() for line in lines}


def carry_out(recipe: Recipe, root: Path, home: Path) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DQ_", "DAGSTER_", "PYTEST_"))}
    programs = str(Path(sys.executable).parent)
    environment = {
        **inherited,
        "PATH": os.pathsep.join([programs, inherited.get("PATH", "")]),
        "PYTHONPATH": str(root),
        "DQ_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", recipe.commands],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("what", RECIPES)
def test_a_recipe_does_what_it_says_and_touches_nothing_else(what: str, clone: Path, tmp_path: Path) -> None:
    recipe = RECIPES[what]
    try:
        done = carry_out(recipe, clone, tmp_path / "home")
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
        found = changed(clone)
    finally:
        git(clone, "reset", "--quiet", "--hard")
        git(clone, "clean", "--quiet", "--force", "-d")  # what is ignored stays: dbt parses only what changed
    assert set(found) == recipe.written | recipe.rows | recipe.follows
    assert {path for path, how in found.items() if path.startswith("tests/") and how == "M"} <= SNAPSHOTS


def test_the_recipes_are_the_eight_and_ask_for_few_files() -> None:
    assert set(RECIPES) == set(MOST_WRITTEN)
    for what, recipe in RECIPES.items():
        product = {path for path in recipe.written if not path.startswith(("tests/", "docs/"))}
        assert len(product) <= MOST_WRITTEN[what], what
        assert all(path.startswith("seeds/") for path in recipe.rows), what
        assert {path for path in recipe.follows if path.startswith("tests/")} <= SNAPSHOTS, what
        assert re.search(r"^python -m pytest |^dq ", recipe.commands, re.MULTILINE), f"{what}: nothing is tried"
