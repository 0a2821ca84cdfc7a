"""Job offers over time: what one snapshot cannot say, since an offer that is filled vanishes without notice."""

from __future__ import annotations

from typing import Any

import dagster as dg

from dagster_project.closure import code_version
from dagster_project.defs import OWNER
from dagster_project.defs.geography import table_result
from dagster_project.defs.raw import raw_key
from dagster_project.settings import Settings
from dagster_project.sources import offers_seen
from dagster_project.sources.catalogue import load_catalogue
from dagster_project.sources.code import CARRIERS
from dagster_project.sources.derived import cached_table


def offer_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The table of offers seen, under `DQ_HOME/derived`; empty unless sources are live."""
    seen_code = code_version(offers_seen.__name__, cached_table.__module__, own=[__name__], without=CARRIERS)

    @dg.asset(
        key=["derived", "offres_vues"],
        deps=[raw_key(offers_seen.DATASET)],
        group_name="acces_emploi",
        kinds={"python", "parquet"},
        owners=[OWNER],
        description=(
            "Premier et dernier jour où chaque offre a été reçue, et jour où elle a disparu, d’après toutes les "
            "collectes archivées ; vide hors collecte en direct."
        ),
        code_version=seen_code,
    )
    def offres_vues() -> dg.MaterializeResult[Any]:
        receptions = offers_seen.live_receptions(load_catalogue()[offers_seen.DATASET], settings)
        salt = seen_code + offers_seen.reception_facts(receptions)
        path = settings.derived_dir / "offres_vues.parquet"
        rows = cached_table(path, [], salt, lambda: offers_seen.build_offers_seen(receptions))
        return table_result(path, rows, {"collectes": len(receptions)})

    return [offres_vues]
