"""How tests are shared out between workers: whole modules, the longest first.

A group of tests goes to one worker, and the next free worker takes the next group. A module is a group, so that what
its fixtures make is made once; tests of a long module that share nothing with it but the finished run stand below in a
group of their own. Whoever takes a group that needs the finished run while another worker makes it waits
(`tests/once.py`): the groups on the real files, which need none, start beside it.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

CHANGED = "a changed cell"
APART = {
    "integration/test_graph::test_a_changed_cell_changes_the_figures_made_of_it_and_no_other": CHANGED,
    "integration/test_release_diff::test_a_byte_of_a_source_is_the_cause_of_all_that_it_changes": CHANGED,
}
# In the order in which they start. Times are in docs/tests.md; the rest follows in the order of collection.
LONGEST = (
    "integration/test_real_sources",
    "integration/test_audit",
    "integration/test_mutation",
    "integration/test_recipes",
    "integration/test_code_versions",
    "integration/test_new_edition",
    "integration/test_rebuild",
    CHANGED,
    "integration/test_column_lineage",
    "integration/test_suites",
    "integration/test_graph",
    "integration/test_definitions",
    "unit/test_crosswalk_benchmark",
    "unit/test_demo_dwellings",
    "unit/test_demo",
    "unit/test_nonrecours_estimate",
    "unit/test_promote_crashes",
)


def group_of(test: str) -> str:
    """Name of the group of a test, from its id."""
    module, _, rest = test.removeprefix("tests/").partition("::")
    module = module.removesuffix(".py")
    return APART.get(f"{module}::{rest.partition('[')[0]}", module)


def arrange(items: list[pytest.Item]) -> None:
    """Put the longest groups first; tests of a group stay in their order."""
    place = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(group_of(item.nodeid), len(place)))


def unknown_groups(tests: list[str]) -> set[str]:
    """Groups named above of which no test is there."""
    return {*LONGEST, *APART.values()} - {group_of(test) for test in tests}


class Groups(LoadScopeScheduling):
    """The scheduler of xdist that keeps tests of one scope together; here a scope is a group.

    xdist's own `xdist_group` marks count for nothing under pytest 9.2: it adds them to a field that is no longer read.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def scheduler(config: pytest.Config, log: Any) -> Groups | None:
    """The scheduler above, unless another way of sharing out was asked for."""
    return Groups(config, log) if config.getoption("dist") == "load" else None
