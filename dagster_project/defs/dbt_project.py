"""The dbt project as Dagster needs it: a fresh manifest, the environment of a run, names and code versions."""

from __future__ import annotations

import gc
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

from dagster_project.defs import OWNER
from dagster_project.identity.build import digest_files
from dagster_project.identity.dbt_code import PLACES, NodeVersions
from dagster_project.privacy.secrecy import rules
from dagster_project.release.places import building_path
from dagster_project.settings import PROJECT_ROOT, Settings
from dagster_project.text_files import replace_text

DBT_DIR = PROJECT_ROOT / "dbt_models"
TARGET = DBT_DIR / "target"
MANIFEST = TARGET / "manifest.json"
PARTIAL_PARSE = TARGET / "partial_parse.msgpack"
# Results of the unit tests of this code, when they passed: of the checkout, so that each home need not play them.
UNIT_TESTS = TARGET / "unit_tests.json"
# What column lineage cut from the models, also of the checkout: nearly all of it is the same in every home.
COLUMN_SLICES = TARGET / "column_slices.json"


def dbt_environment(settings: Settings, build_id: str = "local") -> dict[str, str]:
    """Variables that `profiles.yml`, sources and macros read; nothing else configures dbt."""
    return {
        "DQ_DBT_WAREHOUSE": str(building_path(settings)),
        "DQ_DBT_RAW": str(settings.raw_dir),
        "DQ_DBT_DERIVED": str(settings.derived_dir),
        "DQ_DBT_DEPARTEMENTS": ",".join(settings.departements or ()),
        "DQ_DBT_REAL": "" if settings.sources == "demo" else "1",
        "DQ_DBT_BUILD_ID": build_id,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def invoke_dbt(arguments: list[str], settings: Settings, target: Path, build_id: str = "local") -> Exception | None:
    """Run one dbt command in this process: dagster-dbt has imported dbt already, a second process would again.

    Descriptions write our least counts by the variable of their rule; models read the seed, as any table.

    Args:
        arguments: the command and its options.
        settings: what dbt's environment is made of.
        target: folder of dbt's artifacts; `run_results.json` there says how each node ended.
        build_id: digest of the build, written on each figure.

    Returns:
        The error that stopped dbt before it ran anything, if one did.
    """
    project, stopped = _read_project(settings, target)
    if stopped:
        return stopped
    folders = {"raw": settings.raw_dir, "derived": settings.derived_dir}
    for source in project.sources.values():
        source.meta["external_location"] = f"{folders[source.source_name]}/{{name}}.parquet"
    os.environ.update(dbt_environment(settings, build_id))
    return _ended(_invoke(arguments, target, project))


def _read_project(settings: Settings, target: Path) -> tuple[Any, Exception | None]:
    """The project as dbt parses it, or the error that stopped it.

    Read with no place set, so that what dbt keeps of one home serves any other: a path in its profile that changes
    makes it read everything again, 5 s of CPU where 1 is enough.
    """
    os.environ.update(dbt_environment(settings))
    for name in PLACES:
        os.environ.pop(name, None)
    result = _invoke(["parse"], target, None)
    return result.result, _ended(result)


def _invoke(arguments: list[str], target: Path, project: Any) -> Any:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    folders = ["--project-dir", str(DBT_DIR), "--profiles-dir", str(DBT_DIR), "--target-path", str(target)]
    quiet = ["--log-level", "none", "--log-level-file", "warn", "--log-path", str(target)]
    told = ["--vars", json.dumps({code: rule.least for code, rule in rules().items()})]
    result = dbtRunner(manifest=project).invoke([*arguments, *folders, *quiet, *told])
    # The adapter would keep the database open, and locked, as long as this process lives.
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    gc.collect()  # a failed model leaves its connection in the cycles of its traceback
    return result


def _ended(result: Any) -> Exception | None:
    return result.exception if isinstance(result.exception, Exception) else None


def ensure_manifest(settings: Settings) -> Path:
    """Path of a manifest made from the project as it is now; parsed again only when a file changed.

    Raises:
        RuntimeError: dbt refuses the project; the message is dbt's own.
    """
    folders = ("models", "macros", "tests")
    files = [path for name in folders for path in (DBT_DIR / name).rglob("*") if path.is_file()]
    files += [*DBT_DIR.glob("*.yml"), *(PROJECT_ROOT / "seeds").glob("*.csv")]
    digest = digest_files(files, PROJECT_ROOT)
    stamp = TARGET / "project.sha256"
    if MANIFEST.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return MANIFEST
    stamp.unlink(missing_ok=True)  # killed between the two, a manifest must not pass for that of the files of before
    _parse(settings)
    replace_text(stamp, digest)
    return MANIFEST


def _parse(settings: Settings) -> None:
    """Parse aside, then put what dbt wrote in place: two processes may start at once, and dbt writes in place."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="parse-", dir=TARGET) as name:
        aside = Path(name)
        if PARTIAL_PARSE.exists():
            shutil.copyfile(PARTIAL_PARSE, aside / PARTIAL_PARSE.name)
        _, error = _read_project(settings, aside)
        if error:
            raise RuntimeError(f"dbt cannot read {DBT_DIR}: {error}") from error
        for path in (PARTIAL_PARSE, MANIFEST):
            (aside / path.name).replace(path)


def node_versions(manifest: Mapping[str, Any], settings: Settings) -> NodeVersions:
    """Code versions of the nodes of a manifest, as a run with these settings would build them."""
    return NodeVersions(manifest, dbt_environment(settings), DBT_DIR)


class Translator(DagsterDbtTranslator):
    """Keys and groups follow the layers; a model's code version sees all that shapes it."""

    def __init__(self, versions: NodeVersions) -> None:
        # Views stay ordinary assets: Dagster follows what stands behind a virtual one by date, not by content.
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))
        self._versions = versions

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`raw/x` and `derived/x` for sources, `reference/x` for seeds, `staging|intermediate|marts/x` for models."""
        props = dbt_resource_props
        layer = props["source_name"] if props["resource_type"] == "source" else props["schema"]
        return dg.AssetKey([layer, props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer, and the topic below it."""
        if dbt_resource_props["resource_type"] == "seed":
            return "reference"
        return "_".join(dbt_resource_props["fqn"][1:3])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:  # noqa: ARG002 (overridden)
        """Every table has an owner."""
        return [OWNER]

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """The layer, to select by."""
        return {"layer": dbt_resource_props["schema"]}

    def get_code_version(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Digest of what shapes the table besides the tables it reads."""
        return self._versions.of(dbt_resource_props)
