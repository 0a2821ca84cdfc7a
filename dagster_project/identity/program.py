"""The program that makes a build: its files, its commit, its libraries; and how that of a lock differs from it."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dagster_project.closure import closure, file_digests
from dagster_project.identity.build import FILES, GRAPH, OUTSIDE
from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.code import CARRIERS

READING = "dagster_project.sources.raw"
CATALOGUE = "dagster_project/sources/catalogue/*.yml"
# What dbt writes of a moment or of a machine, in any part of its manifest.
_OF_THIS_PARSE = {
    *("created_at", "external_location", "relation_name", "root_path", "build_path", "compiled_path"),
    *("database", "compiled", "compiled_code", "extra_ctes", "extra_ctes_injected"),
}
_PARTS = ("nodes", "sources", "macros", "unit_tests", "exposures", "metrics", "groups", "semantic_models", "functions")
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==", re.MULTILINE)
_GIT_TIMEOUT_S = 30


@cache
def shaping_files() -> dict[str, str]:
    """Digest of every file of code that shapes a release, from the producers' bytes on, by its path in the project.

    The code of `build_id`, and that of raw tables with their catalogue. What fetches, orders and shows is left out: a
    release can be made again by a program that fetches better. Comments of Python count for nothing. Seeds and
    expectations are apart (`seed_files`, `expectation_files`).
    """
    modules = closure(GRAPH, without=OUTSIDE).modules | closure(READING, without=CARRIERS).modules
    data = file_digests(pattern for pattern in FILES if not pattern.startswith(("seeds/", "expectations/")))
    files = {_path(name): digest for name, digest in modules.items()} | data | file_digests([CATALOGUE])
    return dict(sorted(files.items()))


def _path(module: str) -> str:
    path = module.replace(".", "/")
    return f"{path}.py" if (PROJECT_ROOT / f"{path}.py").is_file() else f"{path}/__init__.py"


@cache
def seed_files(root: Path = PROJECT_ROOT) -> dict[str, str]:
    """SHA-256 of every seed, by file name."""
    return _digests(root / "seeds", (root / "seeds").glob("*.csv"))


@cache
def expectation_files(root: Path = PROJECT_ROOT) -> dict[str, str]:
    """SHA-256 of every expectation suite, by file name."""
    return _digests(root / "expectations", (root / "expectations").glob("*.json"))


def _digests(root: Path, paths: Iterator[Path]) -> dict[str, str]:
    names = {path.relative_to(root).as_posix(): path for path in paths if path.is_file()}
    return {name: hashlib.sha256(names[name].read_bytes()).hexdigest() for name in sorted(names)}


def digest_of(*parts: Mapping[str, str]) -> str:
    """One digest of several maps of names to digests."""
    return hashlib.sha256(json.dumps([dict(sorted(part.items())) for part in parts]).encode()).hexdigest()


@cache
def library_versions(requirements: Path = PROJECT_ROOT / "requirements.lock") -> dict[str, str]:
    """Installed version of every library that the requirements name; those not installed here are left out."""
    found = {}
    for name in sorted(_PINNED.findall(requirements.read_text(encoding="utf-8"))):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # needed on another system only
    return found


def python_version() -> str:
    return platform.python_version()


def git_state(root: Path = PROJECT_ROOT) -> tuple[str | None, bool | None]:
    """Commit of the checkout, and whether nothing in it differs from that commit; None where there is no checkout."""
    git = shutil.which("git")
    if git is None or _git(git, root, "rev-parse", "--show-toplevel") != str(root):
        return None, None
    commit = _git(git, root, "rev-parse", "HEAD")
    changes = _git(git, root, "status", "--porcelain")
    return commit or None, None if changes is None else not changes


def _git(git: str, root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            [git, "-C", str(root), *arguments], capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # what the checkout says is a help to readers; the digests are what counts
    return done.stdout.strip() if done.returncode == 0 else None


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """Digest of dbt's manifest without what a moment or a machine puts in it.

    Same project, same dbt: same digest, wherever and whenever it was parsed.
    """
    kept = {"dbt_version": manifest["metadata"]["dbt_version"], **{part: manifest.get(part, {}) for part in _PARTS}}
    return hashlib.sha256(json.dumps(_normal(kept), sort_keys=True).encode()).hexdigest()


def _normal(value: Any, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _normal(item, name) for name, item in value.items() if name not in _OF_THIS_PARSE}
    if isinstance(value, list):
        items = [_normal(item, key) for item in value]
        # dbt lists what a node depends on in the order in which it came across it.
        return sorted(items, key=str) if key in {"macros", "nodes", "refs", "sources"} else items
    return value
