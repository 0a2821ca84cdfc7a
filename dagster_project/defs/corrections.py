"""Corrections as checks: each one holds only as long as the error it mends is still in the producer's file."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.defs.raw import raw_key
from dagster_project.quality.corrections import check_guards, load_corrections
from dagster_project.settings import Settings
from dagster_project.sources.catalogue import load_catalogue

CHECK = "corrections_encore_justifiees"


def correction_checks(settings: Settings) -> dg.AssetChecksDefinition:
    """One blocking check per dataset under correction: a mended error must not be corrected a second time."""
    corrections = load_corrections(load_catalogue())
    concerned = sorted({entry.dataset for entry in corrections})
    specs = [
        dg.AssetCheckSpec(
            CHECK,
            asset=raw_key(dataset),
            blocking=True,
            description="Les erreurs que réparent ou signalent des corrections déclarées sont encore dans le fichier.",
            metadata={"corrections": "corrections/*.yml"},
        )
        for dataset in concerned
    ]

    @dg.multi_asset_check(name="corrections_sources", specs=specs, can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        for key in sorted(context.selected_asset_check_keys):
            yield _judged(key, settings)

    def _judged(key: dg.AssetCheckKey, settings: Settings) -> dg.AssetCheckResult:
        dataset = load_catalogue()[key.asset_key.path[-1]]
        raw = settings.raw_dir / f"{dataset.id}.parquet"
        # Corrections name real zones: there is nothing to check on the demonstration territory.
        guards = [] if settings.sources == "demo" else check_guards(dataset, raw, corrections)
        mended = [guard for guard in guards if not guard.holds]
        advice = " ; ".join(
            f"{guard.correction.id} : l’erreur n’est plus là ({guard.observed}) ; retirer cette correction"
            for guard in mended
        )
        return dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=not mended,
            severity=dg.AssetCheckSeverity.ERROR,
            description=advice or f"{len(guards)} corrections toujours justifiées",
            metadata={
                "constats": dg.MetadataValue.json({guard.correction.id: guard.observed for guard in guards}),
            },
        )

    return checks
