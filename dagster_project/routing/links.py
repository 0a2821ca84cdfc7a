"""Walking links between places: who is within reach of whom, and in how many seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Links:
    """Directed walks in compressed rows: those of source i are `first[i]` to `first[i + 1]`.

    Attributes:
        first: int64, as many as sources and one more.
        target: int32, positions of targets.
        seconds: int32, walking time, rounded up to the second.
    """

    first: npt.NDArray[np.int64]
    target: npt.NDArray[np.int32]
    seconds: npt.NDArray[np.int32]

    @classmethod
    def from_pairs(
        cls,
        sources: int,
        source: npt.ArrayLike,
        target: npt.ArrayLike,
        seconds: npt.ArrayLike,
    ) -> Links:
        """Links of (source, target, seconds) in any order; those without a finite time are left out.

        Args:
            sources: how many sources there are.
            source: positions of sources.
            target: positions of targets.
            seconds: walking times, whole or not; rounded up, for who is a moment late misses the bus.

        Raises:
            ValueError: a negative time, or a source out of range.
        """
        origin, goal, walk = np.asarray(source, np.int64), np.asarray(target, np.int32), np.asarray(seconds, np.float64)
        finite = np.isfinite(walk)
        origin, goal, walk = origin[finite], goal[finite], walk[finite]
        if (walk < 0).any():
            raise ValueError(f"a walk lasts {walk.min()} s: expected 0 or more")
        if len(origin) and not (origin.min() >= 0 and origin.max() < sources):
            raise ValueError(f"sources go from {origin.min()} to {origin.max()}: expected 0 to {sources - 1}")
        order = np.argsort(origin, kind="stable")
        first = np.concatenate([[0], np.cumsum(np.bincount(origin, minlength=sources))])
        return cls(first, goal[order], np.ceil(walk[order]).astype(np.int32))

    @classmethod
    def none(cls, sources: int) -> Links:
        """No link at all."""
        return cls.from_pairs(sources, [], [], [])

    def __len__(self) -> int:
        return len(self.first) - 1

    def require_targets(self, count: int, name: str) -> None:
        """Check that every link ends at one of `count` targets.

        Raises:
            ValueError: names the links and the range.
        """
        if len(self.target) and not (self.target.min() >= 0 and self.target.max() < count):
            raise ValueError(
                f"{name} have targets from {self.target.min()} to {self.target.max()}: expected 0 to {count - 1}"
            )

    def of(self, source: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Targets and seconds of one source."""
        here = slice(self.first[source], self.first[source + 1])
        return self.target[here], self.seconds[here]
