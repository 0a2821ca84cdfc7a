"""A copy of the project in which one thing at a time is changed, and the code versions that result."""

from __future__ import annotations

import functools
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dagster_project import closure
from dagster_project.defs import dbt, dbt_project, geography
from dagster_project.identity import build
from dagster_project.quality.corrections import load_corrections
from dagster_project.settings import PROJECT_ROOT, Settings
from dagster_project.sources import catalogue
from dagster_project.text_files import read_json
from tests.graph_runs import run

COPIED = ("corrections", "dagster_project", "dbt_models", "expectations", "seeds")
LEFT_OUT = shutil.ignore_patterns("target", "logs", "__pycache__", ".user.yml")
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Edit:
    """A change to one file, named from the root of the project."""

    path: str
    change: Callable[[str], str]

    def apply(self, root: Path) -> None:
        file = root / self.path
        before = file.read_text(encoding="utf-8")
        after = self.change(before)
        assert after != before, f"nothing to change in {self.path}"
        file.write_text(after, encoding="utf-8")


def append(path: str, text: str) -> Edit:
    return Edit(path, lambda content: content + text)


def replace(path: str, pattern: str, text: str) -> Edit:
    """The first match."""
    return Edit(path, lambda content: re.sub(pattern, text, content, count=1))


def copy_project(folder: Path) -> Path:
    for name in COPIED:
        shutil.copytree(PROJECT_ROOT / name, folder / name, ignore=LEFT_OUT)
    return folder


@dataclass(frozen=True)
class Copy:
    """All that code versions are read from: the files, what dbt makes of its own, the settings."""

    root: Path
    parsed: Path
    settings: Settings

    @contextmanager
    def edited(self, edit: Edit) -> Iterator[None]:
        """The same copy with one file changed, for a while."""
        file = self.root / edit.path
        before = file.read_bytes()
        edit.apply(self.root)
        self._forget(edit)
        try:
            yield
        finally:
            file.write_bytes(before)
            self._forget(edit)

    def _forget(self, edit: Edit) -> None:
        """A process reads the catalogue once."""
        if edit.path.endswith(".yml") and "catalogue" in edit.path:
            catalogue.load_catalogue.cache_clear()

    def versions(self) -> dict[str, str]:
        """Code version of every asset."""
        from dagster_project.definitions import build_definitions

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(closure, "ROOT", self.root)
            patch.setattr(dbt, "ensure_manifest", lambda _: self.parsed)
            patch.setattr(dbt_project, "DBT_DIR", self.root / "dbt_models")
            folder = self.root / "dagster_project" / "sources" / "catalogue"
            for name in ("raw", "geography", "lineage", "release"):
                module = sys.modules[f"dagster_project.defs.{name}"]
                patch.setattr(module, "load_catalogue", functools.partial(catalogue.load_catalogue, folder))
            corrections = functools.partial(load_corrections, folder=self.root / "corrections")
            patch.setattr(geography, "load_corrections", corrections)
            graph = build_definitions(self.settings).resolve_asset_graph()
        return {key.to_user_string(): str(graph.get(key).code_version) for key in graph.get_all_asset_keys()}

    def build_code(self) -> str:
        """Digest by which an unchanged project is not built again."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(closure, "ROOT", self.root)
            return build.code_digest.__wrapped__()


def parsed_by_dbt(root: Path) -> Manifest:
    folder = str(root / "dbt_models")
    tool = str(Path(sys.executable).parent / "dbt")
    done = run([tool, "parse", "--project-dir", folder, "--profiles-dir", folder])
    assert done.code == 0, done.out
    return read_json(root / "dbt_models" / "target" / "manifest.json")


def write_taken(manifest: Manifest, edited: Manifest, edit: Edit, to: Path) -> Path:
    """Write the manifest with what dbt reads in one file taken from the manifest of the edited project."""
    name = edit.path.removeprefix("dbt_models/") if edit.path.startswith("dbt_models/") else f"../{edit.path}"

    def concerned(entry: dict[str, Any]) -> bool:
        return name in {entry["original_file_path"], str(entry.get("patch_path")).partition("://")[2]}

    content = manifest | {
        kind: manifest[kind] | {key: entry for key, entry in edited[kind].items() if concerned(entry)}
        for kind in ("macros", "nodes")
    }
    to.write_text(json.dumps(content), encoding="utf-8")
    return to
