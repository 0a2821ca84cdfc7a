"""What is wrong with a feed: problems that are counted, and reasons to refuse it. Messages are in French."""

from __future__ import annotations

from dataclasses import dataclass, field


class FeedRefused(ValueError):  # noqa: N818 - an answer about the data, not a fault of the program
    """The feed cannot be used; the message names the file or the dates, and what to do, in French."""


@dataclass(frozen=True)
class FeedProblem:
    """One kind of problem met in a feed.

    Attributes:
        code: stable name of the kind.
        count: how many rows or trips have it.
        file: member of the feed where it was met.
        row: first row that has it, counted from 1 with the header (None when no row has: something is missing).
        example: identifier or text of that row.
        message: the problem and what was done about it, in French.
    """

    code: str
    count: int
    file: str
    row: int | None
    example: str
    message: str


@dataclass
class FeedReport:
    """Problems of one feed, in the order they were met, and what is kept of it."""

    feed: str
    stops: int = 0
    trips: int = 0
    stop_times: int = 0
    trips_set_aside: int = 0
    problems: list[FeedProblem] = field(default_factory=list)

    def add(self, code: str, count: int, message: str, *, file: str, row: int | None = None, example: str = "") -> None:
        """Note a problem, unless nothing has it."""
        if count:
            self.problems.append(FeedProblem(code, count, file, row, example, message))

    def count(self, code: str) -> int:
        """How many rows or trips have a problem."""
        return sum(problem.count for problem in self.problems if problem.code == code)


def thousands(number: int) -> str:
    """A whole number as French writes it (narrow no-break space)."""
    return f"{number:,}".replace(",", "\u202f")
