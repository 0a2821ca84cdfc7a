"""What tests cost, by kind: processor seconds beside wall time, in the summary of each session.

Processor seconds count the workers and every command they waited for; those of processes that other processes started
and left are missing. Wall times of several workers overlap: their sum is not that of the session.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Generator, Sequence
from typing import Any

import pytest

COSTS = pytest.StashKey[dict[str, list[float]]]()
IN_OUTPUT = "costs"


def kind_of(item: pytest.Item) -> str:
    """`real`: on the producers' files; `graph`: on a run of the whole graph; else the folder's name."""
    if item.get_closest_marker("real_data"):
        return "real"
    if item.get_closest_marker("end_to_end") or "finished" in getattr(item, "fixturenames", ()):
        return "graph"
    return item.path.parent.name


def pytest_configure(config: pytest.Config) -> None:
    config.stash[COSTS] = {}


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    before = _clocks()
    try:
        return (yield)
    finally:
        _add(session.config, "(collection)", (0, *_since(before)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    before = _clocks()
    try:
        return (yield)
    finally:
        _add(item.config, kind_of(item), (1, *_since(before)))


def _clocks() -> tuple[float, float]:
    """Processor seconds of this process and of the commands that it has waited for; wall time."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used), time.monotonic()


def _since(before: tuple[float, float]) -> tuple[float, ...]:
    return tuple(now - then for now, then in zip(_clocks(), before, strict=True))


def _add(config: pytest.Config, kind: str, costs: Sequence[float]) -> None:
    known = config.stash[COSTS].get(kind, (0, 0.0, 0.0))
    config.stash[COSTS][kind] = [one + more for one, more in zip(known, costs, strict=True)]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[IN_OUTPUT] = session.config.stash[COSTS]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up, in the process that started the workers, what each of them tells when it ends."""
    for kind, costs in getattr(node, "workeroutput", {}).get(IN_OUTPUT, {}).items():
        _add(node.config, kind, costs)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    costs = sorted(config.stash[COSTS].items(), key=lambda entry: -entry[1][1])
    if not costs:
        return
    terminalreporter.section("costs by kind")
    terminalreporter.write_line(f"{'kind':<14}{'cases':>7}{'CPU s':>9}{'wall s':>9}")
    whole = [sum(column) for column in zip(*(numbers for _, numbers in costs), strict=True)]
    for kind, (count, cpu, wall) in [*costs, ("all", whole)]:
        terminalreporter.write_line(f"{kind:<14}{count:>7.0f}{cpu:>9.1f}{wall:>9.1f}")
