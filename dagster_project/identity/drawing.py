"""Drawing the lock of a run, and telling how the present program differs from that of a lock.

Apart from the lock itself, which whoever reads a release needs: this part sees the whole program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dagster_project.identity import program
from dagster_project.identity.build import describe_build
from dagster_project.identity.lock import (
    LOCK_VERSION,
    BuildLock,
    LockedCode,
    LockedSettings,
    load_lock,
    release_id_of,
)
from dagster_project.settings import Settings
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.sources.locked import lock_sources


def draw_lock(settings: Settings, manifest: Mapping[str, Any], *, run_id: str, now: datetime) -> BuildLock:
    """The lock of what the present raw tables, code and settings make.

    Args:
        settings: of the run; in a rebuild they name the original lock, whose time and run are taken over.
        manifest: dbt's, as parsed from the project.
        run_id: Dagster's.
        now: the clock.

    Raises:
        MixedOriginsError: raw tables of the demonstration and of real sources stand side by side.
        LockError: the original of a rebuild cannot be read.
    """
    build, built_at = describe_build(settings), now.astimezone(UTC).replace(microsecond=0)
    code, seeds, expectations = program.shaping_files(), program.seed_files(), program.expectation_files()
    commit, clean = program.git_state()
    lock = BuildLock(
        lock_version=LOCK_VERSION,
        release_id=release_id_of(built_at, build.build_id),
        build_id=build.build_id,
        built_at=built_at,
        run_id=run_id,
        settings=LockedSettings(
            sources=settings.sources,
            territory=settings.territory,
            demo_seed=settings.demo_seed if settings.sources == "demo" else None,
            public_base_url=settings.public_base_url,
        ),
        code=LockedCode(
            git_commit=commit,
            tree_clean=clean,
            code_digest=program.digest_of(code, seeds, expectations),
            dbt_manifest_digest=program.manifest_digest(manifest),
            files=code,
        ),
        python=program.python_version(),
        libraries=program.library_versions(),
        seeds=seeds,
        expectations=expectations,
        raw=build.sources,
        sources=lock_sources(_manifests(settings)),
    )
    return lock.as_rebuilt_from(load_lock(settings.rebuild_lock)) if settings.rebuild_lock else lock


def _manifests(settings: Settings) -> list[dict[str, Any]]:
    paths = [settings.raw_dir / f"{dataset}.json" for dataset in load_catalogue()]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def differing_program(lock: BuildLock) -> list[str]:
    """How the present program differs from that of a lock, one line each; nothing when it is the same."""
    return [
        *_differing("", lock.code.files, program.shaping_files()),
        *_differing("seeds/", lock.seeds, program.seed_files()),
        *_differing("expectations/", lock.expectations, program.expectation_files()),
        *_differing("library ", lock.libraries, program.library_versions(), show=True),
        *_differing("", {"Python": lock.python}, {"Python": program.python_version()}, show=True),
    ]


def _differing(prefix: str, locked: Mapping[str, str], here: Mapping[str, str], *, show: bool = False) -> list[str]:
    lines = []
    for name in sorted(locked.keys() | here.keys()):
        before, now = locked.get(name), here.get(name)
        if before is None:
            lines.append(f"{prefix}{name}: not in the lock")
        elif now is None:
            lines.append(f"{prefix}{name}: in the lock, absent here")
        elif before != now:
            lines.append(f"{prefix}{name}: {f'{before} in the lock, {now} here' if show else 'other contents'}")
    return lines
