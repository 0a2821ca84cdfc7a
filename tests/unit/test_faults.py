"""The list of deliberate faults stays true while code moves: nothing is run here (`python -m tests.faults` does)."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.settings import PROJECT_ROOT
from tests.faults import Fault, load, problems

FAULTS = load()
PACKAGE = PROJECT_ROOT / "dagster_project"


def fault(**changes: str) -> Fault:
    given = {"id": "f", "file": "a.py", "find": "x > 1", "replace": "x > 2", "wrong": "…", "test": "tests/t.py::test_a"}
    return Fault(**{**given, **changes})


def test_every_fault_still_fits_the_code_and_names_a_test_that_is_there() -> None:
    assert [problem for fault in FAULTS for problem in problems(fault, PROJECT_ROOT)] == []


def test_faults_have_a_name_each_and_say_what_is_wrong() -> None:
    names = [fault.id for fault in FAULTS]
    assert len(names) == len(set(names))
    assert [fault.id for fault in FAULTS if not fault.wrong.endswith(".") or len(fault.wrong.split()) < 5] == []


def test_every_room_has_faults() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert {"release", "sources"} <= rooms
    assert len(FAULTS) >= 40
    assert rooms | {"dbt_models", "expectations", "seeds"} <= {fault.room for fault in FAULTS}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"file": "b.py"}, ["f: b.py is not there"]),
        ({"find": "y > 1"}, ["f: its text stands 0 times in a.py, expected once"]),
        ({"find": "x"}, ["f: its text stands 2 times in a.py, expected once"]),
        ({"replace": "x > 1"}, ["f: it changes nothing"]),
        ({"test": "tests/t.py::test_b"}, ["f: there is no test tests/t.py::test_b"]),
        ({"test": "tests/u.py::test_a"}, ["f: there is no test tests/u.py::test_a"]),
        ({"test": "tests/t.py::test_a[case]"}, []),
        ({"test": "dbt:ratio"}, []),
        ({"test": "dbt:autre"}, ["f: there is no test dbt:autre"]),
    ],
)
def test_a_fault_that_no_longer_fits_is_named(tmp_path: Path, changes: dict[str, str], said: list[str]) -> None:
    for name, text in {
        "a.py": "x = 0\nif x > 1:\n    pass\n",
        "tests/t.py": "def test_a():\n    pass\n",
        "dbt_models/tests/unit/u.yml": "unit_tests:\n  - name: ratio\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert list(problems(fault(**changes), tmp_path)) == said


def test_a_fault_changes_the_copy_and_not_the_file_it_is_linked_to(tmp_path: Path) -> None:
    original, copy = tmp_path / "a.py", tmp_path / "copy"
    original.write_text("if x > 1:\n", encoding="utf-8")
    copy.mkdir()
    (copy / "a.py").hardlink_to(original)
    fault().apply(copy)
    assert (copy / "a.py").read_text(encoding="utf-8") == "if x > 2:\n"
    assert original.read_text(encoding="utf-8") == "if x > 1:\n"
    with pytest.raises(ValueError, match="found 0 times"):
        fault().apply(copy)
