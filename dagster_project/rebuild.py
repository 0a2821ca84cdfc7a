"""The same release again from its lock: bytes from an archive, nothing from a network, a mirror or an inbox.

lock ─▶ same program? ─▶ empty home? ─▶ bytes from the archive ─▶ the graph ─▶ SHA256SUMS against the original's
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dagster_project.audit.byte_comparison import Difference, compare_releases
from dagster_project.identity.drawing import differing_program
from dagster_project.identity.lock import BuildLock, LockError, load_lock, lock_path
from dagster_project.release.sums import SUMS, read_sums
from dagster_project.runner import run_graph
from dagster_project.settings import Settings, load_settings
from dagster_project.sources import disk
from dagster_project.sources.archive import Archive
from dagster_project.sources.locked import restore

_LINES_SHOWN = 10
Progress = Callable[[str], None]


class RebuildError(RuntimeError):
    """The release cannot be made again here; the message says why and what to do."""


@dataclass(frozen=True)
class Rebuilt:
    """A release made again.

    Attributes:
        path: its folder.
        compared: whether the original's sums were beside its lock.
        differences: file by file, tables first; empty when the bytes are the same.
    """

    path: Path
    compared: bool
    differences: tuple[Difference, ...]

    @property
    def identical(self) -> bool:
        return self.compared and not self.differences


def rebuild(
    lock: Path,
    *,
    home: Path | None = None,
    archive: Path | None = None,
    allow_other_code: bool = False,
    progress: Progress,
) -> Rebuilt:
    """Make a release again in an empty home and compare it with the original.

    Args:
        lock: `build.lock.json`, or the release folder that holds it; its `SHA256SUMS` is looked for beside it.
        home: an empty folder; default DQ_HOME.
        archive: where the bytes are; default the archive of the home that holds the lock, else that of `home`.
        allow_other_code: go on when code, libraries or Python are not those of the lock; bytes may then differ.
        progress: told each step.

    Raises:
        LockError: the lock cannot be used.
        LockedBytesError: bytes are missing or damaged; nothing was built.
        RebuildError: the program is another one, the home holds something, or the run failed.
        ReleaseError: the original's sums cannot be read.
    """
    path = lock_path(lock).absolute()
    locked, sums = load_lock(path), path.parent / SUMS
    _check_sums(path, sums)
    settings = load_settings(**_explicit(path, locked, home))
    others = differing_program(locked)
    if others and not allow_other_code:
        raise RebuildError(_other_program(locked, others))
    source = (archive or _archive_beside(path) or settings.archive_dir).absolute()
    _refuse_occupied(settings, locked, source)
    progress(f"{locked.release_id}: bytes of {len(locked.sources)} source files from {source}")
    size = restore(locked.sources, source, settings.archive_dir, locked.release_id)
    progress(f"{size / 1e6:.1f} MB, every digest right; building in {settings.home}")
    outcome = run_graph(settings, force=True)
    if not outcome.succeeded or outcome.released is None:
        raise RebuildError("\n".join(["the run failed; no release was made", *outcome.errors]))
    made = settings.releases_dir / outcome.released
    return Rebuilt(made, sums.exists(), tuple(compare_releases(sums, made)) if sums.exists() else ())


def _explicit(path: Path, locked: BuildLock, home: Path | None) -> dict[str, object]:
    """Figures come from the lock's settings, whatever the environment says."""
    return {"home": home, "rebuild_lock": path, **locked.settings.model_dump(exclude_none=True)}


def _check_sums(path: Path, sums: Path) -> None:
    """A lock that was edited since its release would be rebuilt faithfully, and prove nothing."""
    expected = read_sums(sums).get(path.name) if sums.exists() else None
    if expected is not None and disk.sha256_of(path) != expected:
        raise LockError(f"{path} no longer has the digest that {sums} gives it; take an untouched copy of the release")


def _other_program(locked: BuildLock, others: list[str]) -> str:
    more = [f"… {len(others) - _LINES_SHOWN} more"] if len(others) > _LINES_SHOWN else []
    commit = locked.code.git_commit
    found = f"commit {commit}" + ("" if locked.code.tree_clean else ", with changes that were not committed")
    advice = f"Take the program of the lock ({found if commit else 'no commit was recorded'})"
    return "\n".join(
        [
            f"{locked.release_id} was made by another program; the same bytes cannot be promised:",
            *(f"  {line}" for line in others[:_LINES_SHOWN] + more),
            f"{advice} and its requirements.lock, or pass --allow-other-code.",
        ]
    )


def _archive_beside(lock: Path) -> Path | None:
    """`HOME/archive` of a lock that stands in `HOME/releases/<id>/`."""
    release = lock.resolve().parent
    archive = release.parent.parent / "archive"
    return archive if release.parent.name == "releases" and archive.is_dir() else None


def _refuse_occupied(settings: Settings, locked: BuildLock, source: Path) -> None:
    """A rebuild proves something only where nothing else can slip in."""
    home = settings.home
    held = [*settings.raw_dir.glob("*.json"), *settings.releases_dir.glob("[!.]*"), settings.warehouse]
    found = [path for path in held if path.exists() or path.is_symlink()]
    known = {(part.key, part.sha256) for file in locked.sources for part in file.parts}
    if not found and source.resolve() != settings.archive_dir.resolve():
        entries = Archive(settings.archive_dir).history()
        found = [settings.archive_dir] if any((entry.key, entry.sha256) not in known for entry in entries) else []
    if found:
        raise RebuildError(
            f"{home} holds something already ({found[0].relative_to(home)}): a release is made again in an empty "
            "folder; name one with --home"
        )
