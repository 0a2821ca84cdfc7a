"""Identity of a build: a digest of everything its figures depend on.

Same inputs, same code, same settings: same `build_id`, so nothing is computed again. Anything that changes a
figure changes the digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from dagster_project.closure import code_version
from dagster_project.identity.dbt_code import modules_called
from dagster_project.pages.files import template_files
from dagster_project.settings import PROJECT_ROOT, Settings
from dagster_project.sources.catalogue import load_catalogue

# The graph, by name since this layer imports none of it, less what moves no figure: when it runs, how a run is shown,
# what it is compared with, how bytes travel, and the code of raw tables, which is in each table's own version.
GRAPH = "dagster_project.definitions"
OUTSIDE = (
    "dagster_project.defs.automation",
    "dagster_project.defs.comparison",
    "dagster_project.defs.progress",
    "dagster_project.defs.raw",
    "dagster_project.sources.code",
    "dagster_project.sources.fetch",
    "dagster_project.sources.http",
    "dagster_project.sources.http_policy",
)
FILES = (
    "dbt_models/*.yml",
    "dbt_models/macros/**/*.sql",
    "dbt_models/models/**/*.sql",
    "dbt_models/models/**/*.py",
    "dbt_models/models/**/*.yml",
    "dbt_models/tests/**/*",
    "seeds/*.csv",
    "expectations/*.json",
    "corrections/*.yml",
    *template_files("lineage", "quality"),
    "dagster_project/release/*.yml",
)
NAMES_SHOWN = 5
LIBRARIES = ("duckdb", "dbt-core", "dbt-duckdb", "great-expectations", "shapely", "pyarrow")


@dataclass(frozen=True)
class Build:
    """What a build is made of. `build_id` is 64 hexadecimal digits."""

    build_id: str
    sources: dict[str, str]
    code: str
    libraries: dict[str, str]
    sources_kind: str
    territory: str


def digest_files(paths: Iterable[Path], root: Path) -> str:
    """One digest of names and contents, independent of where the project lies."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@cache
def code_digest(road_engine: str = "valhalla") -> str:
    """Digest of all code and reference data that figures depend on, once raw tables are there.

    Travel times also depend on the engine that the settings name.
    """
    engine = None if road_engine == "valhalla" else road_engine
    return code_version(GRAPH, *_called_by_models(), files=FILES, without=OUTSIDE, facts=engine)


def _called_by_models() -> list[str]:
    """Modules of ours that dbt's Python models call: the graph does not import them, dbt does."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(PROJECT_ROOT.glob("dbt_models/models/**/*.py"))]
    return sorted({module for text in texts for module in modules_called(text)})


def raw_versions(raw_dir: Path) -> dict[str, str]:
    """Data version of each raw table of the catalogue, from its manifest; a dataset that left it counts no more."""
    paths = [raw_dir / f"{dataset}.json" for dataset in sorted(load_catalogue())]
    return {path.stem: json.loads(path.read_text(encoding="utf-8"))["data_version"] for path in paths if path.exists()}


class MixedOriginsError(RuntimeError):
    """Raw tables of the demonstration and of real sources stand side by side; nothing may be made of both."""


def check_origins(settings: Settings) -> None:
    """Refuse to build when a raw table comes from the other world than the run; raises MixedOriginsError."""
    expected = "demo" if settings.sources == "demo" else "real"
    foreign = [
        path.stem
        for path in sorted(settings.raw_dir.glob("*.json"))
        if json.loads(path.read_text(encoding="utf-8")).get("origin", expected) != expected
    ]
    if foreign:
        shown = ", ".join(foreign[:NAMES_SHOWN]) + (", …" if len(foreign) > NAMES_SHOWN else "")
        raise MixedOriginsError(
            f"{settings.raw_dir} holds {len(foreign)} table(s) that are not {expected} ({shown}): fictitious and real "
            "figures must not meet. Run the whole graph without --select, or use another DQ_HOME"
        )


def describe_build(settings: Settings) -> Build:
    """The build that the present raw tables and code would make; raises MixedOriginsError."""
    check_origins(settings)
    content = {
        "sources": raw_versions(settings.raw_dir),
        "code": code_digest(settings.road_engine),
        "libraries": {name: version(name) for name in LIBRARIES},
        "sources_kind": settings.sources,
        "territory": settings.territory,
    }
    build_id = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return Build(build_id=build_id, **content)  # type: ignore[arg-type]
