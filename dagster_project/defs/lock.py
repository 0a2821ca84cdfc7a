"""The lock of the run: drawn once the raw tables stand, before anything is made of them."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from dagster_project.closure import code_version
from dagster_project.defs import OWNER
from dagster_project.defs.dbt_project import MANIFEST
from dagster_project.defs.raw import raw_key
from dagster_project.identity.drawing import draw_lock
from dagster_project.identity.lock import BuildLock, pending_lock_path, write_pending_lock
from dagster_project.settings import Settings
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.sources.code import CARRIERS
from dagster_project.text_files import read_json

LOCK_KEY = dg.AssetKey(["releases", "lock"])


def lock_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The lock, which the report and the release are dated and named by."""

    @dg.asset(
        key=LOCK_KEY,
        deps=[raw_key(dataset) for dataset in load_catalogue()],
        group_name="publication",
        kinds={"python", "json"},
        owners=[OWNER],
        description="Verrou : tout ce qu’il faut pour refaire la même version, octet pour octet, depuis l’archive.",
        code_version=code_version(draw_lock.__module__, own=[__name__], without=CARRIERS),
    )
    def build_lock(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        lock = draw_lock(settings, read_json(MANIFEST), run_id=context.run_id, now=datetime.now(UTC))
        write_pending_lock(settings, lock)
        return dg.MaterializeResult(data_version=dg.DataVersion(lock.build_id), metadata=_shown(settings, lock))

    return [build_lock]


def _shown(settings: Settings, lock: BuildLock) -> dict[str, Any]:
    return {
        "fichier": dg.MetadataValue.path(str(pending_lock_path(settings))),
        "version": lock.release_id,
        "fichiers_sources": len(lock.sources),
        "commit_git": lock.code.git_commit or "inconnu",
        "depot_sans_modification": {True: "oui", False: "non", None: "inconnu"}[lock.code.tree_clean],
        "code": lock.code_label,
        "bibliotheques": len(lock.libraries),
    }
