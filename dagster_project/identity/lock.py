"""The lock of a build: all that it takes to make the same release again, byte for byte, from the archive alone.

A run draws its lock once its raw tables stand: from then on the lock says what the time is and which run this is,
so that nothing else in a release depends on a clock or on Dagster. It holds names and digests, no folder of a machine.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from dagster_project.identity.build import describe_build
from dagster_project.settings import TERRITORY, Settings, SourcesKind
from dagster_project.sources.locked import LockedFile
from dagster_project.text_files import replace_text

LOCK_NAME = "build.lock.json"
LOCK_VERSION = 1
# Of the folder that a release is: raised when a table, a column or a file that readers need changes its meaning.
RELEASE_FORMAT = 1
_ERRORS_SHOWN = 3
_SHA256 = r"^[0-9a-f]{64}$"
Digests = dict[str, str]


class LockError(ValueError):
    """A lock cannot be used; the message, one line, names the file and what is wrong with it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LockedCode(_Strict):
    """The program. The commit is where to find it; `files` is what counts."""

    git_commit: str | None = Field(description="None outside a checkout")
    tree_clean: bool | None = Field(description="nothing in the checkout differed from the commit")
    code_digest: str = Field(pattern=_SHA256, description="of `files`, seeds and expectations together")
    dbt_manifest_digest: str = Field(pattern=_SHA256, description="without times, paths and invocation ids")
    files: Digests = Field(
        description="digest of each file that shapes a release, by its path in the project; of Python, comments aside"
    )


class LockedSettings(_Strict):
    """Settings that shape figures; all others only say where and how to work."""

    sources: SourcesKind
    territory: str = Field(pattern=TERRITORY)
    demo_seed: int | None = Field(description="of the fictitious territory; None on real sources")
    public_base_url: str | None = Field(None, description="address that the descriptions of the release name")


class BuildLock(_Strict):
    """`build.lock.json`. See the module; `load_lock` reads one, `drawing.draw_lock` makes one."""

    lock_version: int
    release_format: int = Field(RELEASE_FORMAT, description="of the release folder; see `audit.release_formats`")
    release_id: str = Field(pattern=r"^\d{8}T\d{6}Z-[0-9a-f]{12}$")
    build_id: str = Field(pattern=_SHA256, description="digest of what figures depend on")
    built_at: AwareDatetime = Field(description="UTC, to the second: the only clock reading in a release")
    run_id: str = Field(min_length=1, description="Dagster's, of the run that drew the lock")
    settings: LockedSettings
    code: LockedCode
    python: str = Field(pattern=r"^\d+\.\d+\.\d+")
    libraries: dict[str, str] = Field(description="installed version of each library of requirements.lock")
    seeds: Digests
    expectations: Digests
    raw: Digests = Field(description="data version of each raw table: bytes, catalogue entry, reading code")
    sources: tuple[LockedFile, ...]

    def canonical(self) -> str:
        """The one text of this lock: sorted keys, one space a level, a newline at the end."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=1, ensure_ascii=False) + "\n"

    @property
    def code_label(self) -> str:
        """Short name of the code, for people."""
        return self.code.code_digest[:12]

    def as_rebuilt_from(self, original: BuildLock) -> Self:
        """This lock with what a rebuild cannot find by itself: when, in which run, from which commit.

        The commit is taken over when the code is the same, whatever checkout it stands in.
        """
        code = self.code
        if code.code_digest == original.code.code_digest:
            known = {"git_commit": original.code.git_commit, "tree_clean": original.code.tree_clean}
            code = code.model_copy(update=known)
        update = {
            "built_at": original.built_at,
            "run_id": original.run_id,
            "release_id": release_id_of(original.built_at, self.build_id),
            "code": code,
        }
        return self.model_copy(update=update)


def release_id_of(built_at: datetime, build_id: str) -> str:
    """The name of a release: when it was built, and of what."""
    return f"{built_at:%Y%m%dT%H%M%SZ}-{build_id[:12]}"


def pending_lock_path(settings: Settings) -> Path:
    """Where a run keeps its lock until a release takes it over."""
    return settings.derived_dir / LOCK_NAME


def write_pending_lock(settings: Settings, lock: BuildLock) -> None:
    """Keep the lock of the run under way."""
    replace_text(pending_lock_path(settings), lock.canonical())


def pending_lock(settings: Settings) -> BuildLock:
    """The lock of the run under way; raises LockError when it is not of the present raw tables and code."""
    path = pending_lock_path(settings)
    lock = load_lock(path)
    if lock.build_id != describe_build(settings).build_id:
        raise LockError(f"{path} is of other raw tables or other code: run the whole graph, which draws it anew")
    return lock


def lock_path(path: Path) -> Path:
    """The lock itself, where a release folder was named; raises LockError when there is none."""
    found = path / LOCK_NAME if path.is_dir() else path
    if not found.is_file():
        raise LockError(f"{found}: no such file; name a release folder or its {LOCK_NAME}")
    return found


def load_lock(path: Path) -> BuildLock:
    """Read a lock, or that of a release folder; raises LockError naming the file and the first things wrong."""
    path = lock_path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise LockError(f"{path}: cannot be read as JSON ({error}); take the copy of another release folder") from error
    version = content.get("lock_version") if isinstance(content, dict) else None
    if version != LOCK_VERSION:
        written = f"lock version {version}" if version is not None else "no lock_version"
        raise LockError(
            f"{path}: {written}, this program reads version {LOCK_VERSION}; rebuild with the program it names"
        )
    try:
        return BuildLock.model_validate(content)
    except ValidationError as error:
        raise LockError(f"{path}: {_in_words(error)}") from error


def _in_words(error: ValidationError) -> str:
    kinds = {"extra_forbidden": "unknown key", "missing": "missing"}
    found = [
        f"{'.'.join(map(str, problem['loc']))}: {kinds.get(problem['type'], problem['msg'])}"
        for problem in error.errors(include_url=False, include_input=False)
    ]
    more = f" (and {len(found) - _ERRORS_SHOWN} more)" if len(found) > _ERRORS_SHOWN else ""
    return "; ".join(found[:_ERRORS_SHOWN]) + more
