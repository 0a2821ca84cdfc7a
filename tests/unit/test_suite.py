"""The suite itself: nothing that the first one protected is lost, and every test has its place."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scripts.map_tests import LISTED, MAP, RENAMED, ROOT, known_faults, map_tests, read, with_faults
from tests import collected, grouping, once, parts
from tests.collected import collected_ids, is_whole

# Of the ids of the first suite, sorted, one a line.
FIRST_COUNT, FIRST_DIGEST = 4824, "dc23019fd85a261e4af219fc4d5aca0cd73d4e99257840a02e1506bbc2590ee9"
A_FEW = ["tests/a.py::test_a", "tests/a.py::test_b[1]", "tests/a.py::test_b[2]", "tests/a.py::test_c[x]"]


@pytest.fixture
def whole(request: pytest.FixtureRequest) -> pytest.Session:
    """This session, if it collected every test."""
    if not is_whole(request.session):
        pytest.skip("part of the suite: `make test` collects all of it")
    return request.session


def test_the_map_names_every_test_of_the_first_suite() -> None:
    first = [row["first_test"] for row in read(MAP)]
    assert len(first) == FIRST_COUNT
    assert hashlib.sha256("\n".join(sorted(first)).encode()).hexdigest() == FIRST_DIGEST


def test_a_test_that_ended_has_a_reason_and_a_rule_is_of_use() -> None:
    rows, rules = read(MAP), read(RENAMED)
    assert [row["first_test"] for row in rows if not (row["test"] or row["reason"])] == []
    of_use = {rule["pattern"] for rule in rules if any(re.fullmatch(rule["pattern"], r["first_test"]) for r in rows)}
    assert {rule["pattern"] for rule in rules} - of_use == set()


def test_every_test_that_the_map_names_is_collected(whole: pytest.Session) -> None:
    """`python scripts/map_tests.py` writes the map again; tests/renamed.csv says what took another name, and why."""
    now = set(collected_ids(whole))
    assert [row["test"] for row in read(MAP) if row["test"] and row["test"] not in now] == []


def test_a_session_is_whole_although_a_module_lost_its_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the map would be held against nothing as soon as a file is emptied, or skips itself."""
    monkeypatch.setattr(collected, "SUITE", tmp_path / "tests")
    file = tmp_path / "tests" / "test_emptied.py"
    file.parent.mkdir()
    file.touch()
    session = cast("Any", SimpleNamespace(stash=pytest.Stash()))
    collected.pytest_collection_modifyitems(session, [])
    assert not is_whole(session)
    collected.pytest_pycollect_makemodule(file, cast("Any", SimpleNamespace(session=session)))
    assert is_whole(session)


def test_the_map_names_the_faults_that_were_tried() -> None:
    rows = read(MAP)
    assert rows == with_faults(rows, known_faults())


def test_a_test_keeps_its_name_or_is_renamed_or_is_listed_or_is_missed() -> None:
    rule = {"pattern": r"tests/a\.py::test_c\[(.)\]", "test": r"tests/b.py::test_c[\1]", "reason": "moved"}
    now = {"tests/a.py::test_a", "tests/a.py::test_b", "tests/b.py::test_c[x]"}
    rows, unsaid = map_tests(A_FEW, now, [rule])
    assert [(row["test"], row["reason"]) for row in rows] == [
        ("tests/a.py::test_a", ""),
        ("tests/a.py::test_b", LISTED),
        ("tests/a.py::test_b", LISTED),
        ("tests/b.py::test_c[x]", "moved"),
    ]
    assert unsaid == []
    assert map_tests(A_FEW, now, [])[1] == ["tests/a.py::test_c[x]"]
    assert map_tests(A_FEW, now - {"tests/b.py::test_c[x]"}, [rule])[1] == ["tests/a.py::test_c[x]"]


def test_every_file_of_tests_is_in_one_part() -> None:
    files = [name for names in parts.parts(ROOT / "tests").values() for name in names]
    assert sorted(files) == sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py"))


def test_a_module_is_one_group_but_for_the_tests_set_apart() -> None:
    module = "tests/integration/test_graph.py::"
    changed = "test_a_changed_cell_changes_the_figures_made_of_it_and_no_other"
    assert grouping.group_of(f"{module}test_a[x::y.py]") == grouping.group_of(f"{module}test_b") != grouping.CHANGED
    assert grouping.group_of(f"{module}{changed}") == grouping.CHANGED


def test_the_groups_that_start_first_have_tests(whole: pytest.Session) -> None:
    assert grouping.unknown_groups(collected_ids(whole)) == set()


def test_a_part_is_run_again_when_any_file_of_the_project_changes(tmp_path) -> None:
    for name in ("dagster_project/a.py", "seeds/a.csv", "tests/unit/test_a.py", "target/manifest.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("a", encoding="utf-8")
    before = parts.code_digest(tmp_path)
    (tmp_path / "target/manifest.json").write_text("b", encoding="utf-8")
    assert parts.code_digest(tmp_path) == before
    (tmp_path / "seeds/a.csv").write_text("b", encoding="utf-8")
    assert parts.code_digest(tmp_path) != before


def test_what_is_made_once_is_made_once_and_a_failure_is_told_to_all(tmp_path) -> None:
    made = []

    def make(folder) -> None:
        made.append(folder)
        folder.mkdir()

    assert once.made_once(tmp_path / "a", make) == once.made_once(tmp_path / "a", make) == tmp_path / "a"
    assert made == [tmp_path / "a"]

    def fail(folder) -> None:
        made.append(folder)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        once.made_once(tmp_path / "b", fail)
    with pytest.raises(once.NotMadeError, match="b: disk full"):
        once.made_once(tmp_path / "b", make)
    assert made == [tmp_path / "a", tmp_path / "b"]
