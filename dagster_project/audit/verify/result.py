"""What a verification looked at and what it found. Texts are in French: they go into a report that is filed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = "data-et-quartiers/verification/1"
SHOWN = 200  # findings kept in full, per chapter; the rest are counted


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be: where (file, object or figure), and what, as a French sentence."""

    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.subject} : {self.message}"


@dataclass
class Chapter:
    """One kind of verification.

    Attributes:
        key: stable name, for programs.
        title: French name.
        done: what was done, as a French sentence.
        counts: how many of what, by French name.
        findings: what is wrong, at most SHOWN; `more` counts the others.
        notes: what is worth knowing and is not wrong.
    """

    key: str
    title: str
    done: str
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    notes: list[str] = field(default_factory=list)

    def found(self, subject: str, message: str) -> None:
        """Keep a finding, or only count it beyond SHOWN."""
        if len(self.findings) < SHOWN:
            self.findings.append(Finding(subject, message))
        else:
            self.more += 1

    @property
    def total(self) -> int:
        return len(self.findings) + self.more


@dataclass
class Verification:
    """A whole verification. `seed` is None when every figure was recomputed."""

    release_id: str
    sources: str
    territory: str
    verified_at: str
    seed: int | None
    seconds: float = 0.0
    chapters: list[Chapter] = field(default_factory=list)

    @property
    def conforms(self) -> bool:
        """Whether nothing is wrong."""
        return self.total == 0

    @property
    def total(self) -> int:
        return sum(chapter.total for chapter in self.chapters)

    @property
    def findings(self) -> list[Finding]:
        return [finding for chapter in self.chapters for finding in chapter.findings]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"format": FORMAT, "conforms": self.conforms, "findings": self.total, **asdict(self)}
