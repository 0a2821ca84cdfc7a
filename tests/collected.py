"""What a session collected, and whether that is the whole suite: `docs/tests.csv` is held against it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

SUITE = Path(__file__).parent
IDS = pytest.StashKey[list[str]]()
MODULES = pytest.StashKey[set[str]]()
PARTIAL = pytest.StashKey[bool]()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> None:
    """A module whose tests are gone, or that skips itself, is asked for all the same: its tests must not be missed."""
    found = parent.session.stash.setdefault(MODULES, set())
    if module_path.is_relative_to(SUITE.parent):
        found.add(module_path.relative_to(SUITE.parent).as_posix())


@pytest.hookimpl(tryfirst=True)  # before anything is deselected
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    session.stash[IDS] = [item.nodeid for item in items]


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """`-k`, `-m`, `--deselect`, `--lf`."""
    if items:
        items[0].session.stash[PARTIAL] = True


def collected_ids(session: pytest.Session) -> list[str]:
    """Names of the tests of this session, in the order of collection."""
    return session.stash[IDS]


def is_whole(session: pytest.Session) -> bool:
    """Whether every file of tests was asked for, and every test of it kept."""
    files = {path.relative_to(SUITE.parent).as_posix() for path in SUITE.rglob("test_*.py")}
    return not session.stash.get(PARTIAL, False) and files <= session.stash.get(MODULES, set())
