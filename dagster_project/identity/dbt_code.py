"""Code version of a dbt model or seed: everything that shapes its table besides the tables it reads.

The tables it reads, seeds among them, are Dagster's to follow, by their data versions. What remains: its own text,
the macros it reaches, the variables these read, its configuration, its contract, dbt and DuckDB themselves.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from dagster_project.closure import PACKAGE, code_version

Node = Mapping[str, Any]

# Where a build stands and what it is called: no figure depends on these.
PLACES = frozenset({"DQ_DBT_WAREHOUSE", "DQ_DBT_RAW", "DQ_DBT_DERIVED", "DQ_DBT_BUILD_ID"})
LIBRARIES = ("dbt-core", "dbt-adapters", "dbt-duckdb", "duckdb")
_LABELS = {"meta", "tags", "docs", "group", "access"}
_PROSE = {"description", "doc_blocks"}
_CONTRACT = ("name", "data_type", "constraints", "quote")
_OF_EVERY_NODE = ("dispatch", "flags", "quoting", "on-run-start", "on-run-end")
# Macros that dbt calls by their name, without any model naming them.
_CALLED_BY_DBT = re.compile(r"materialization_|default__|duckdb__")
_READS_ITSELF = re.compile(r"\bmodel\s*[.\[]|\bgraph\b|\bmeta\b")


class NodeVersions:
    """Code versions of the nodes of one manifest, under one environment."""

    def __init__(self, manifest: Node, environment: Mapping[str, str], project_dir: Path) -> None:
        """Read what all nodes share.

        Args:
            manifest: dbt's manifest, as JSON reads it.
            environment: the variables that dbt is given (`env_var`).
            project_dir: folder of `dbt_project.yml` and `profiles.yml`.
        """
        self._macros: Mapping[str, Node] = manifest["macros"]
        self._sources: Mapping[str, Node] = manifest.get("sources", {})
        self._environment = environment
        self._everywhere = self._overriding(manifest)
        project = yaml.safe_load((project_dir / "dbt_project.yml").read_text(encoding="utf-8"))
        self._vars = project.get("vars", {})
        self._shared = {
            "libraries": {name: version(name) for name in LIBRARIES},
            "project": {name: project[name] for name in _OF_EVERY_NODE if name in project},
            "profile": _profile(project_dir / "profiles.yml"),
        }

    def of(self, node: Node) -> str:
        """Digest of 64 hexadecimal digits for a model or a seed of the manifest."""
        macros = self._reached([*node.get("depends_on", {}).get("macros", ()), *self._everywhere])
        texts = {name: self._macros[name]["macro_sql"] for name in macros}
        text = "\n".join([node.get("raw_code") or "", *texts.values()])
        reads_itself = bool(_READS_ITSELF.search(text))
        content = {
            **self._shared,
            "text": node.get("raw_code"),
            "python": code_version(*modules) if (modules := _modules(node)) else None,
            "seed": _seed_content(node),
            "macros": texts,
            "environment": self._read_from(self._environment, "env_var", text),
            "vars": self._read_from(self._vars, "var", text),
            "config": _config(node, reads_itself=reads_itself),
            "columns": _columns(node, reads_itself=reads_itself),
            "constraints": node.get("constraints"),
            "sources": {name: _location(self._sources[name]) for name in _parents(node) if name in self._sources},
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _reached(self, macros: Iterable[str]) -> set[str]:
        found: set[str] = set()
        waiting = [name for name in macros if name in self._macros]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += [other for other in self._macros[name]["depends_on"]["macros"] if other in self._macros]
        return found

    def _overriding(self, manifest: Node) -> list[str]:
        """Macros of the project that replace one of dbt's or of a package: they act on every node."""
        project = manifest.get("metadata", {}).get("project_name")
        ours = {name: macro for name, macro in self._macros.items() if macro.get("package_name") == project}
        theirs = {macro.get("name") for name, macro in self._macros.items() if name not in ours}
        return [
            name
            for name, macro in ours.items()
            if macro.get("name") in theirs or _CALLED_BY_DBT.match(str(macro.get("name")))
        ]

    @staticmethod
    def _read_from(values: Mapping[str, Any], function: str, text: str) -> dict[str, Any]:
        """The values that a text reads by `env_var('NAME')` or `var('name')`; all when a name is computed."""
        calls = re.findall(rf"(?<!\w){function}\(\s*(?:['\"](\w+)['\"])?", text)
        names = set(values) if "" in calls else set(calls)
        return {name: values.get(name) for name in sorted(names - PLACES)}


def modules_called(code: str) -> list[str]:
    """Modules of ours that the text of a Python model imports, sorted."""
    imports = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    return sorted({node.module for node in imports if node.module and node.module.split(".")[0] == PACKAGE})


def _modules(node: Node) -> list[str]:
    return modules_called(node.get("raw_code") or "") if node.get("language") == "python" else []


def _profile(path: Path) -> dict[str, Any]:
    """The connection, less its place on the disk and how many threads share the work."""
    outputs = next(iter(yaml.safe_load(path.read_text(encoding="utf-8")).values()))["outputs"]
    return {
        name: {key: value for key, value in output.items() if key not in {"path", "threads"}}
        for name, output in outputs.items()
    }


def _seed_content(node: Node) -> str | None:
    if node.get("resource_type") != "seed":
        return None
    checksum: Mapping[str, str] = node["checksum"]
    if checksum["name"] != "path":
        return checksum["checksum"]
    # Above 1 MiB, dbt gives the path for a checksum.
    return hashlib.sha256((Path(node["root_path"]) / node["original_file_path"]).read_bytes()).hexdigest()


def _config(node: Node, *, reads_itself: bool) -> dict[str, Any]:
    """All that is configured; labels only when the node's SQL is written from them."""
    config: Mapping[str, Any] = node.get("config", {})
    return {name: value for name, value in config.items() if reads_itself or name not in _LABELS}


def _columns(node: Node, *, reads_itself: bool) -> list[dict[str, Any]]:
    """What a node's columns bring to its SQL: their contract; all but prose when it reads its own properties."""
    columns: Iterable[Mapping[str, Any]] = node.get("columns", {}).values()
    if reads_itself:
        return [{name: value for name, value in column.items() if name not in _PROSE} for column in columns]
    if node.get("config", {}).get("contract", {}).get("enforced"):
        return [{name: column.get(name) for name in _CONTRACT} for column in columns]
    return []


def _parents(node: Node) -> list[str]:
    return list(node.get("depends_on", {}).get("nodes", ()))


def _location(source: Node) -> list[str | None]:
    """File of a source within its folder, which is a place."""
    location = str(source.get("meta", {}).get("external_location", ""))
    return [source.get("identifier"), location.rpartition("/")[2]]
