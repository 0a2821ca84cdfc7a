"""A lock with invented contents, for tests."""

from __future__ import annotations

from typing import Any

from dagster_project.identity.lock import LOCK_VERSION, RELEASE_FORMAT, BuildLock

SHA = "c" * 64


def lock_content(build: str = "a", **changes: Any) -> dict[str, Any]:
    """What a lock file holds, before it is text; `build` is one hexadecimal digit."""
    part = {
        "key": "insee_exemple/2021/TABLE_2021",
        "sha256": SHA,
        "size": 12,
        "origin": "demo",
        "fetched_at": "2026-01-02T11:59:58+00:00",
        "name": "TABLE_2021.csv",
        "url": "demo:insee/TABLE_2021.csv",
    }
    return {
        "lock_version": LOCK_VERSION,
        "release_format": RELEASE_FORMAT,
        "release_id": f"20260102T120000Z-{build * 12}",
        "build_id": build * 64,
        "built_at": "2026-01-02T12:00:00Z",
        "run_id": "0cf69415-51e0-4b3d-8be6-400eba5d5151",
        "settings": {"sources": "demo", "territory": "france", "demo_seed": 7},
        "code": {
            "git_commit": None,
            "tree_clean": None,
            "code_digest": SHA,
            "dbt_manifest_digest": SHA,
            "files": {"dagster_project/geo/contours.py": SHA},
        },
        "python": "3.12.3",
        "libraries": {"duckdb": "1.5.0"},
        "seeds": {"indicator.csv": SHA},
        "expectations": {"insee_demo.json": SHA},
        "raw": {"insee_exemple": SHA},
        "sources": [
            {"dataset": "insee_exemple", "vintage": "2021", "file": "TABLE_2021", "parts": [part], "references": []}
        ],
        **changes,
    }


def make_lock(build: str = "a", **changes: Any) -> BuildLock:
    return BuildLock.model_validate(lock_content(build, **changes))
