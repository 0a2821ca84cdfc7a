"""How tests are shared out between workers: whole modules, the longest first.

With `--dist loadgroup` a group of tests goes to one worker, and the next free worker takes the next group. A module is
a group, so that what its fixtures make is made once; tests of a long module that share nothing but the finished run
carry an `xdist_group` mark of their own. Whoever takes a group that needs the finished run while another worker makes
it waits (`tests/once.py`): groups on the real files, which need none, come first beside it.
"""

from __future__ import annotations

import pytest

# In the order in which they start. Times are in docs/tests.md; the rest follows in the order of collection.
LONGEST = (
    "integration/test_real_sources",
    "integration/test_audit",
    "integration/test_mutation",
    "integration/test_code_versions",
    "integration/test_new_edition",
    "integration/test_rebuild",
    "a changed cell",
    "a changed byte",
    "integration/test_column_lineage",
    "integration/test_suites",
    "integration/test_graph",
    "integration/test_definitions",
    "unit/test_crosswalk_benchmark",
    "unit/test_models_claims",
    "unit/test_demo_dwellings",
    "unit/test_demo",
    "unit/test_nonrecours_estimate",
    "unit/test_promote_crashes",
)


def group_of(item: pytest.Item) -> str:
    marker = item.get_closest_marker("xdist_group")
    if marker:
        return str(marker.args[0])
    return item.nodeid.partition("::")[0].removeprefix("tests/").removesuffix(".py")


def arrange(items: list[pytest.Item]) -> None:
    """Mark each test with its group, and put the longest groups first; tests of a group stay in their order."""
    place = {name: rank for rank, name in enumerate(LONGEST)}
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(group_of(item)))
    items.sort(key=lambda item: place.get(group_of(item), len(place)))


def unknown_groups(items: list[pytest.Item]) -> set[str]:
    """Names above that no test bears any more."""
    return set(LONGEST) - {group_of(item) for item in items}
