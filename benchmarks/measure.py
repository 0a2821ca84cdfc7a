"""Running a process and seeing what it costs: wall time, CPU time, peak memory of its whole tree."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

SAMPLE_EVERY_S = 0.05
TAIL_LINES = 30


class MeasureError(RuntimeError):
    """A measured process failed; the message holds the command and the end of what it wrote."""


@dataclass(frozen=True)
class Cost:
    """What one process cost, children included.

    Attributes:
        wall_s: seconds from launch to exit.
        cpu_s: user and system seconds of the process and of every child it waited for.
        peak_mb: highest sum of resident memory over the tree, in MB (10^6 bytes), sampled every SAMPLE_EVERY_S.
        others: share of the machine's CPU time that other processes used meanwhile, from 0 to 1.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    others: float


def run(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], log: Path) -> tuple[Cost, str]:
    """Run a command to its end.

    Args:
        command: program and arguments.
        cwd: its working directory.
        environment: all of its environment variables.
        log: file for its standard error.

    Returns:
        What it cost, and its standard output.

    Raises:
        MeasureError: it ended with another status than 0.
    """
    output = log.with_suffix(".out")
    with output.open("wb") as out, log.open("wb") as err:
        before, started = _busy_s(), time.monotonic()
        process = subprocess.Popen(list(command), cwd=cwd, env=dict(environment), stdout=out, stderr=err)
        sampler = _PeakSampler(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s, busy_s = time.monotonic() - started, _busy_s() - before
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = sampler.stop()
    if process.returncode:
        tail = "\n".join([*_tail(output), *_tail(log)])
        raise MeasureError(f"{' '.join(command)} ended with status {process.returncode}\n{tail}")
    cpu_s = usage.ru_utime + usage.ru_stime
    others = max(0.0, busy_s - cpu_s) / (wall_s * (os.cpu_count() or 1))
    return Cost(wall_s, cpu_s, peak / 1e6, others), output.read_text(encoding="utf-8")


def repeat(times: int, once: Callable[[], Cost]) -> Cost:
    """Medians of several repetitions; for `others` the worst."""
    costs = [once() for _ in range(times)]
    return Cost(
        median(cost.wall_s for cost in costs),
        median(cost.cpu_s for cost in costs),
        median(cost.peak_mb for cost in costs),
        max(cost.others for cost in costs),
    )


def program(name: str) -> str:
    """Path of a program of this environment."""
    return str(Path(sys.executable).parent / name)


class _PeakSampler:
    """Samples the tree of a process in a thread until told to stop."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._ended = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        while True:
            self._peak = max(self._peak, _tree_rss(self._pid))
            if self._ended.wait(SAMPLE_EVERY_S):
                return


def _tree_rss(pid: int) -> int:
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_rss(process) for process in tree)


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0  # ended between the listing and the question


def _busy_s() -> float:
    """CPU seconds that the whole machine has spent on anything, since it started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _tail(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
