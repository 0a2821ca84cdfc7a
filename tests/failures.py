"""Rules that hold for each of many things: one test, which shows everything that breaks the rule."""

from __future__ import annotations

from collections.abc import Iterable


def none_of(failures: Iterable[str]) -> None:
    """Fails with every failure on a line of its own, so that all can be mended at once."""
    found = list(failures)
    assert not found, "\n".join([f"{len(found)} failures", *found])
