"""What a module's results depend on: found by reading, compared here with what another tool finds."""

from __future__ import annotations

from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest

from dagster_project import closure as closures
from dagster_project.closure import ClosureError, closure, code_version
from dagster_project.settings import PROJECT_ROOT

FILES = {
    "__init__": "",
    "entry": "from dagster_project import near\n\ndef run():\n    import dagster_project.deep.inner\n",
    "near": "import typing, duckdb\nif typing.TYPE_CHECKING:\n    from dagster_project import typed\n",
    "typed": "",
    "deep/__init__": "from dagster_project.deep import shared",
    "deep/inner": "from .sibling import VALUE",
    "deep/sibling": "from ..above import VALUE",
    "deep/shared": "",
    "above": "import yaml\nVALUE = 1",
    "chooser/__init__": "from importlib import import_module as pick, import_module\nimport_module(pick.__name__)\n",
    "chooser/one": "",
    "chooser/two": "import dagster_project.above",
    "literal": "import importlib\nimportlib.import_module('dagster_project.typed')\n",
    "documented": '"""Text."""\nprint(__doc__)\n',
    "stranger": "import not_a_distribution_at_all",
    "lost": "from dagster_project.nowhere import something",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "dagster_project"
    for name, text in FILES.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(closures, "ROOT", tmp_path)
    return folder


def names(*entries: str, **options: list[str]) -> set[str]:
    found = closure(*(f"dagster_project.{entry}" for entry in entries), **options).modules
    return {name.removeprefix("dagster_project").removeprefix(".") for name in found}


def test_imports_are_followed_wherever_they_stand(project: Path) -> None:
    """At the top and in a function, absolute and relative, through a package; not those for type checkers."""
    reached = {"", "entry", "near", "deep", "deep.inner", "deep.sibling", "deep.shared", "above"}
    assert names("entry") == reached


def test_only_the_distributions_that_are_imported_count(project: Path) -> None:
    assert set(closure("dagster_project.entry").libraries) == {"duckdb", "PyYAML"}


def test_a_computed_name_reaches_the_whole_package_unless_the_caller_knows_better(project: Path) -> None:
    assert names("chooser") == {"", "chooser", "chooser.one", "chooser.two", "above"}
    narrowed = names("chooser", "chooser.one", narrowed=["dagster_project.chooser"])
    assert narrowed == {"", "chooser", "chooser.one"}
    assert names("literal") == {"", "literal", "typed"}


def test_the_closure_stops_where_it_is_told(project: Path) -> None:
    assert names("entry", without=["dagster_project.deep.sibling"]) == {
        "", "entry", "near", "deep", "deep.inner", "deep.shared",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["entry", "near", "deep/__init__", "deep/sibling", "above"])
def test_code_moves_the_version_and_prose_does_not(project: Path, name: str) -> None:
    path, known = project / f"{name}.py", code_version("dagster_project.entry")
    source = path.read_text(encoding="utf-8")
    path.write_text(f'"""What it is for."""\n# why\n{source}\n\n\n', encoding="utf-8")
    assert code_version("dagster_project.entry") == known
    path.write_text(f"{source}\nEXTRA = 1\n", encoding="utf-8")
    assert code_version("dagster_project.entry") != known


def test_prose_that_the_module_reads_is_code(project: Path) -> None:
    known = code_version("dagster_project.documented")
    (project / "documented.py").write_text('"""Other text."""\nprint(__doc__)\n', encoding="utf-8")
    assert code_version("dagster_project.documented") != known


def test_modules_that_are_not_reached_change_nothing(project: Path) -> None:
    known = code_version("dagster_project.entry")
    for name in ("typed", "chooser/one", "literal"):
        (project / f"{name}.py").write_text("CHANGED = True\n", encoding="utf-8")
    assert code_version("dagster_project.entry") == known


def test_of_own_modules_only_the_text_counts(project: Path) -> None:
    def version() -> str:
        return code_version("dagster_project.near", own=["dagster_project.chooser"])

    known = version()
    (project / "chooser" / "two.py").write_text("CHANGED = True\n", encoding="utf-8")
    assert version() == known
    (project / "chooser" / "__init__.py").write_text("CHANGED = True\n", encoding="utf-8")
    assert version() != known


def test_files_and_facts_count(project: Path) -> None:
    def version(fact: int = 1) -> str:
        return code_version("dagster_project.near", files=["data/*.csv"], facts={"fact": fact})

    data = project.parent / "data"
    data.mkdir()
    (data / "a.csv").write_text("1", encoding="utf-8")
    seen = {version(), version(fact=2)}
    (data / "a.csv").write_text("2", encoding="utf-8")
    seen.add(version())
    (data / "a.csv").rename(data / "b.csv")
    seen.add(version())
    assert len(seen) == 4


def test_the_version_of_a_library_counts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = code_version("dagster_project.near"), code_version("dagster_project.above")
    installed = closures._installed
    monkeypatch.setattr(closures, "_installed", lambda name: "99" if name == "duckdb" else installed(name))
    now = code_version("dagster_project.near"), code_version("dagster_project.above")
    assert (now[0] != known[0], now[1] == known[1]) == (True, True)


@pytest.mark.parametrize(
    ("entry", "files", "message"),
    [
        ("nowhere", [], "the caller names the module dagster_project.nowhere"),
        ("lost", [], r"dagster_project\.lost names the module dagster_project\.nowhere"),
        ("stranger", [], r"'not_a_distribution_at_all'.*closure\.DISTRIBUTIONS"),
        ("near", ["data/*.csv"], r"'data/\*\.csv' is declared as data"),
    ],
)
def test_what_is_not_there_is_an_error(project: Path, entry: str, files: list[str], message: str) -> None:
    with pytest.raises(ClosureError, match=message):
        code_version(f"dagster_project.{entry}", files=files)


def test_the_closures_of_the_project_are_those_of_an_import_graph() -> None:
    """grimp builds import-linter's graph; packages above a module and readers found by name are ours to add."""
    graph = grimp.build_graph("dagster_project", exclude_type_checking_imports=True, cache_dir=None)
    readers = {name for name in graph.modules if name.startswith("dagster_project.sources.readers.")}
    for entry in sorted(graph.modules - {closures.__name__}):
        expected, waiting = set[str](), {entry}
        while waiting:
            name = waiting.pop()
            if name in expected or name == closures.__name__:
                continue
            expected.add(name)
            waiting |= graph.find_modules_directly_imported_by(name)
            waiting |= {name.rpartition(".")[0]} - {""}
            waiting |= readers if name == "dagster_project.sources.readers" else set()
        assert set(closure(entry).modules) == expected, entry


def test_every_library_is_known_by_its_distribution() -> None:
    known = packages_distributions()
    modules = [
        ".".join(path.relative_to(PROJECT_ROOT).with_suffix("").parts)
        for path in (PROJECT_ROOT / "dagster_project").rglob("*.py")
        if path.name != "__init__.py"
    ]
    found = set(closure(*modules).libraries)
    canonical = {name.lower().replace("_", "-") for name in found}
    owners = {name.lower().replace("_", "-") for names in known.values() for name in names}
    assert canonical <= owners
    for imported, distributions in closures.DISTRIBUTIONS.items():
        assert sorted(known[imported]) == sorted(distributions)
