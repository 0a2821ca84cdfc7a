"""Recipes of CONTRIBUTING.md, carried out in a throw-away clone: they work, and change what they say and no more."""

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
GIT, BASH = shutil.which("git") or "git", shutil.which("bash") or "bash"
IDENTITY = ["-c", "user.name=recipes", "-c", "user.email=recipes@exemple.invalid", "-c", "core.autocrlf=false"]


@dataclass(frozen=True)
class Recipe:
    """What a recipe adds, the files it names, and its commands."""

    what: str
    written: frozenset[str]
    rows: frozenset[str]
    follows: frozenset[str]
    commands: str

    @property
    def lines(self) -> list[str]:
        return self.commands.splitlines()


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
TEST, UPDATE = "python -m pytest ", "--snapshot-update"
TESTS = list(dict.fromkeys(line for recipe in RECIPES.values() for line in recipe.lines if line.startswith(TEST)))


def git(root: Path, *arguments: str) -> str:
    return subprocess.run([GIT, *IDENTITY, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as it stands, what is not committed yet included, as a repository of its own."""
    root = tmp_path_factory.mktemp("recipes") / "clone"
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"])
    if listed.code:
        pytest.skip(f"a clone is made of a git checkout: {listed.err.strip()}")
    for name in listed.out.splitlines():
        if (source := PROJECT_ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, root / name)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "the checkout")
    return root


def ran(commands: str, root: Path) -> str:
    """Run shell commands in the clone; what they say when one fails, nothing when all succeed."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DQ_", "DAGSTER_", "PYTEST_"))}
    environment = {
        **inherited,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", "")]),
        "PYTHONPATH": str(root),
        "DQ_HOME": str(root.parent / "home"),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    command = [BASH, "-euo", "pipefail", "-c", commands]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    return f"{commands[:200]}\n{done.stdout[-6000:]}{done.stderr[-3000:]}" if done.returncode else ""


def commit(root: Path) -> dict[str, str]:
    """Commit everything; the files that it changed, `M` for one that was there, `A` for a new one."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "a step")
    lines = git(root, "show", "--name-status", "--no-renames", "--format=").splitlines()
    return {path: how for how, _, path in (line.partition("\t") for line in lines)}


@dataclass(frozen=True)
class Outcome:
    """What the recipes did: failures by recipe or by test, files changed by each recipe and by the tests of all."""

    failures: dict[str, str]
    changed: dict[str, dict[str, str]]
    by_tests: dict[str, str]


@pytest.fixture(scope="module")
def outcome(clone: Path) -> Outcome:
    """The recipes carried out one after the other, then their tests, each once: several recipes share some."""
    failures, changed = {}, {}
    for what, recipe in RECIPES.items():
        failures[what] = ran("\n".join(line for line in recipe.lines if not line.startswith(TEST)), clone)
        changed[what] = commit(clone)
    for test in sorted(TESTS, key=lambda line: UPDATE not in line):
        failures[test] = ran(test, clone)
    return Outcome(failures, changed, commit(clone))


@pytest.mark.parametrize("what", RECIPES)
def test_a_recipe_works_and_touches_what_it_says_and_nothing_else(what: str, outcome: Outcome) -> None:
    recipe = RECIPES[what]
    assert outcome.failures[what] == ""
    assert set(outcome.changed[what]) == (recipe.written | recipe.rows | recipe.follows) - SNAPSHOTS
    touched = {path for path, how in outcome.changed[what].items() if path.startswith("tests/") and how != "A"}
    assert touched == set(), "a recipe changes no test but the reviewed snapshots"


@pytest.mark.parametrize("test", TESTS)
def test_the_test_of_a_recipe_passes(test: str, outcome: Outcome) -> None:
    assert outcome.failures[test] == ""


def test_snapshots_that_recipes_write_again_are_those_that_they_list(outcome: Outcome) -> None:
    """The graph and the catalogue changed, and a recipe lists the one that its commands write."""
    assert set(outcome.by_tests) == SNAPSHOTS
    for what, recipe in RECIPES.items():
        updated = {
            next(word for word in line.split() if word.endswith(".py")) for line in recipe.lines if UPDATE in line
        }
        assert {
            re.sub(r"__snapshots__/(.+)\.ambr", r"\1.py", path) for path in recipe.follows & SNAPSHOTS
        } == updated, what


def test_the_recipes_are_the_eight_and_ask_for_few_files() -> None:
    assert set(RECIPES) == set(MOST_WRITTEN)
    for what, recipe in RECIPES.items():
        product = {path for path in recipe.written if not path.startswith(("tests/", "docs/"))}
        assert len(product) <= MOST_WRITTEN[what], what
        assert all(path.startswith("seeds/") for path in recipe.rows), what
        assert re.search(r"^python -m pytest |^dq ", recipe.commands, re.MULTILINE), f"{what}: nothing is tried"
