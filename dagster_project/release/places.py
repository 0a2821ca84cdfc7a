"""Where a build waits and where releases are: what readers of either need, without what makes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dagster_project.identity.lock import LOCK_NAME
from dagster_project.settings import Settings

CURRENT = "current"


@dataclass(frozen=True)
class Release:
    """A published release: its name under `releases/`, its folder, and the digest of what made it."""

    release_id: str
    path: Path
    build_id: str


def building_path(settings: Settings) -> Path:
    """Where dbt builds, beside the warehouse that readers use.

    The file bears the warehouse's name: DuckDB names a database after its file, and views keep that name.
    """
    return settings.derived_dir / "building" / settings.warehouse.name


def current_release(settings: Settings) -> Release | None:
    """The promoted release, or None when there is none yet."""
    link = settings.releases_dir / CURRENT
    if not link.is_symlink() or not (link / LOCK_NAME).exists():
        return None
    folder = link.resolve()
    lock = json.loads((folder / LOCK_NAME).read_text(encoding="utf-8"))
    return Release(folder.name, folder, lock["build_id"])


def is_current(settings: Settings, build_id: str) -> bool:
    """True when the release and the warehouse are those of this build, and no build waits for promotion.

    A build that waits beside its own release is what a crash left before the warehouse followed.
    """
    known = current_release(settings)
    published = known is not None and known.build_id == build_id
    return published and settings.warehouse.exists() and not building_path(settings).exists()
