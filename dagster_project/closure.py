"""Code versions: what a result depends on in our own Python, in the libraries it calls, in the files it declares.

The closure of a module is the module, every module of ours that it imports (at its top, inside a function, or
through a package), and the distributions that these import themselves. Comments, docstrings, layout and what stands
under `if TYPE_CHECKING:` count for nothing: they never run.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeGuard

from dagster_project.settings import PROJECT_ROOT

ROOT = PROJECT_ROOT
PACKAGE = "dagster_project"
# Distributions whose name is not that of what they install; asking each installed one would take half a second.
DISTRIBUTIONS = {
    "osrm": ("osrm-bindings",),
    "valhalla": ("pyvalhalla",),
    "dbt": ("dbt-adapters", "dbt-core", "dbt-duckdb"),
    "yaml": ("PyYAML",),
}
_IMPORTERS = {"import_module", "__import__"}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class ClosureError(RuntimeError):
    """A module, a distribution or a declared file is not there; the message names it and who asks for it."""


@dataclass(frozen=True)
class Closure:
    """Digest of each module of ours, version of each distribution, both by name."""

    modules: dict[str, str]
    libraries: dict[str, str]


@dataclass(frozen=True)
class _Module:
    """What one module holds: `required` and `perhaps` are the dotted names it imports, the latter if they exist."""

    digest: str
    required: frozenset[str]
    perhaps: frozenset[str]
    computed: bool


def code_version(
    *entries: str,
    own: Iterable[str] = (),
    files: Iterable[str] = (),
    facts: object = None,
    without: Collection[str] = (),
    narrowed: Collection[str] = (),
) -> str:
    """Digest of everything that the code behind a result depends on.

    Args:
        entries: dotted names of the modules that do the work; their closure counts.
        own: modules of which only the text counts, because `entries` says which of their imports matter here.
        files: glob patterns of the data files that this code reads, from the project's root.
        facts: anything that JSON can write and that shapes the result: a catalogue entry, a parameter.
        without: modules where the closure stops, for a reason given by the caller.
        narrowed: modules that import by a computed name, of which the caller names the right one in `entries`.

    Returns:
        64 hexadecimal digits.

    Raises:
        ClosureError: a name or a pattern stands for nothing.
    """
    found = closure(*entries, without=without, narrowed=narrowed)
    content = {
        "python": sys.version_info[:2],
        "modules": found.modules,
        "libraries": found.libraries,
        "own": {name: _module(name).digest for name in own},
        "files": file_digests(files),
        "facts": facts,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def closure(*entries: str, without: Collection[str] = (), narrowed: Collection[str] = ()) -> Closure:
    """Modules of ours that `entries` reach, and the distributions that any of these imports.

    A module that imports by a computed name reaches its whole package, unless it is `narrowed`.
    """
    files = _files(ROOT)
    modules: dict[str, str] = {}
    without = {*without, __name__}  # how dependencies are found is not one of them
    foreign: set[str] = set()
    waiting = [(name, "the caller") for name in entries]
    while waiting:
        name, importer = waiting.pop()
        if name in modules or name in without:
            continue
        module = _module(name, importer)
        modules[name] = module.digest
        wanted = {*module.required, *module.perhaps & files.keys(), *_packages(name)}
        if module.computed and name not in narrowed:
            wanted |= _neighbours(name)
        ours = {other for other in wanted if _top(other) == PACKAGE}
        foreign |= {_top(other) for other in wanted - ours}
        waiting += [(other, name) for other in ours]
    libraries = {
        distribution: _installed(distribution)
        for name in foreign - sys.stdlib_module_names
        for distribution in DISTRIBUTIONS.get(name, (name,))
    }
    return Closure(modules, libraries)


@cache
def _installed(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError as error:
        raise ClosureError(
            f"no installed distribution is called {distribution!r}: if a module is imported under this name, "
            "name its distribution in closure.DISTRIBUTIONS"
        ) from error


def file_digests(patterns: Iterable[str]) -> dict[str, str]:
    """SHA-256 of the files that glob patterns name, by path from the project's root; each must name one at least."""
    digests: dict[str, str] = {}
    for pattern in patterns:
        paths = [path for path in ROOT.glob(pattern) if path.is_file()]
        if not paths:
            raise ClosureError(f"{pattern!r} is declared as data of the code, but {ROOT} has no such file")
        digests |= {path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    return digests


@cache  # by place: modules are edited, but do not come and go, while a process lives
def _files(root: Path) -> dict[str, Path]:
    """File of each module of ours, by dotted name."""
    paths = (root / PACKAGE).rglob("*.py")
    return {_dotted(path.relative_to(root)): path for path in paths}


def _dotted(path: Path) -> str:
    return ".".join((path.parent if path.name == "__init__.py" else path.with_suffix("")).parts)


def _top(name: str) -> str:
    return name.partition(".")[0]


def _packages(name: str) -> Iterator[str]:
    """The packages above a module: their `__init__` runs before it."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _package(name: str) -> str:
    """The package that a module's relative names start from."""
    return name if _files(ROOT)[name].name == "__init__.py" else name.rpartition(".")[0]


def _neighbours(name: str) -> set[str]:
    """Modules of the same package."""
    package = _package(name)
    return {other for other in _files(ROOT) if other.rpartition(".")[0] == package}


def _module(name: str, importer: str = "the caller") -> _Module:
    path = _files(ROOT).get(name)
    if path is None:
        raise ClosureError(f"{importer} names the module {name}, which is not under {ROOT}")
    return _parsed(path.read_bytes(), _package(name))


@cache  # by content, so that a changed file is read anew
def _parsed(source: bytes, package: str) -> _Module:
    tree = ast.parse(source)
    required: set[str] = set()
    perhaps: set[str] = set()
    computed = False
    documented = re.search(rb"\b__doc__\b", source)
    for node in _running(tree):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() if not documented:
                _strip_docstring(node)
            case ast.Import():
                required |= {alias.name for alias in node.names}
            case ast.ImportFrom():
                base = _base(node, package)
                required.add(base)
                perhaps |= {f"{base}.{alias.name}" for alias in node.names}
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)) if called in _IMPORTERS:
                literal = node.args[0] if node.args else None
                if isinstance(literal, ast.Constant) and not str(literal.value).startswith("."):
                    required.add(str(literal.value))
                else:
                    computed = True
    digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    return _Module(digest, frozenset(required), frozenset(perhaps), computed)


def _base(node: ast.ImportFrom, package: str) -> str:
    """Absolute name of what `from … import` starts from."""
    if not node.level:
        return node.module or ""
    parents = package.split(".")
    return ".".join([*parents[: len(parents) - node.level + 1], *([node.module] if node.module else [])])


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only type checkers see."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.orelse if _for_type_checkers(node) else ast.iter_child_nodes(node)


def _for_type_checkers(node: ast.AST) -> TypeGuard[ast.If]:
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            return True
    return False


def _strip_docstring(node: ast.AST) -> None:
    if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
        del node.body[0]
