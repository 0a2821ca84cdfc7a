"""Raw tables: one asset per dataset of the catalogue, from the producer's bytes to verbatim text."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg

from dagster_project.defs import OWNER
from dagster_project.demo_territory import ensure_demo
from dagster_project.settings import Settings
from dagster_project.sources import partner
from dagster_project.sources.catalogue import Dataset, load_catalogue
from dagster_project.sources.code import raw_code_version
from dagster_project.sources.http import FetchError
from dagster_project.sources.raw import RAW_VALIDATION_NAMES, RawError, RawResult, build_raw
from dagster_project.sources.validation import Validation

BLOCKING_CHECK = "validations_critiques"
WARNING_CHECK = "validations_alertes"
FETCH_RETRIES = 2
FETCH_RETRY_WAIT_S = 30
FileValidation = tuple[str, Validation]


def raw_key(dataset_id: str) -> dg.AssetKey:
    return dg.AssetKey(["raw", dataset_id])


def raw_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """One asset per dataset, in catalogue order."""
    return [_raw_asset(dataset, settings) for dataset in load_catalogue().values()]


def _spec(dataset: Dataset) -> dg.AssetSpec:
    origin = dataset.origin
    return dg.AssetSpec(
        key=raw_key(dataset.id),
        deps=[raw_key(name) for name in partner.lists_of(dataset)],
        description=f"{origin.title}. {origin.description}",
        group_name=f"sources_{dataset.producer}",
        kinds={"python", dataset.format if dataset.format != "shapefile" else "geojson"},
        owners=[OWNER],
        code_version=raw_code_version(dataset),
        tags={"producer": dataset.producer, "access": origin.access, "layer": "raw"},
        metadata={
            "page_officielle": dg.MetadataValue.url(origin.page),
            "licence": origin.licence.name,
            "citation": origin.citation,
            "millesimes": ", ".join(vintage.vintage for vintage in dataset.vintages),
            "secret": dataset.secrecy,
            "catalogue": dg.MetadataValue.path(f"dagster_project/sources/catalogue/{dataset.producer}.yml"),
            "dagster/column_schema": dg.TableSchema(
                [dg.TableColumn(column.name, "text", description=column.meaning) for column in dataset.columns]
            ),
        },
        # An annual table is late when half a year has passed beyond its rhythm, not on day 366.
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=dataset.rhythm_days * 1.5)),
    )


def _check_specs(dataset: Dataset) -> list[dg.AssetCheckSpec]:
    names = ", ".join([*RAW_VALIDATION_NAMES, *(partner.RULES if dataset.convention else ())])
    return [
        dg.AssetCheckSpec(
            BLOCKING_CHECK,
            asset=raw_key(dataset.id),
            blocking=True,
            description=f"Validations des fichiers reçus qui arrêtent la chaîne, parmi : {names}.",
        ),
        dg.AssetCheckSpec(
            WARNING_CHECK,
            asset=raw_key(dataset.id),
            description="Validations des fichiers reçus qui demandent un regard, sans arrêter la chaîne.",
        ),
    ]


def _raw_asset(dataset: Dataset, settings: Settings) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=f"raw__{dataset.id}",
        specs=[_spec(dataset)],
        check_specs=_check_specs(dataset),
    )
    def raw_table(context: dg.AssetExecutionContext) -> Iterator[Any]:
        try:
            ensure_demo(settings)
            result = build_raw(dataset, settings, progress=context.log.info)
        except FetchError as error:
            if error.transient:
                raise dg.RetryRequested(max_retries=FETCH_RETRIES, seconds_to_wait=FETCH_RETRY_WAIT_S) from error
            raise dg.Failure(description=str(error), allow_retries=False) from error
        except RawError as error:
            yield from _checks(dataset, error.validations)
            raise dg.Failure(description=str(error), allow_retries=False) from error
        yield from _checks(dataset, result.validations)
        yield _materialisation(dataset, result)

    return raw_table


def _checks(dataset: Dataset, validations: list[FileValidation]) -> Iterator[dg.AssetCheckResult]:
    """All validations of all files, in two results: those that stop the dataset, and those that only warn."""
    for name, required in ((BLOCKING_CHECK, True), (WARNING_CHECK, False)):
        concerned = [(file, v) for file, v in validations if v.required == required]
        failed = [(file, validation) for file, validation in concerned if not validation.passed]
        yield dg.AssetCheckResult(
            asset_key=raw_key(dataset.id),
            check_name=name,
            passed=not failed,
            severity=dg.AssetCheckSeverity.ERROR if required else dg.AssetCheckSeverity.WARN,
            description=" ; ".join(f"{file} : {validation.message}" for file, validation in failed[:5])
            or f"{len(concerned)} validations réussies",
            metadata={"validations": dg.MetadataValue.table(_records(concerned))} if concerned else {},
        )


def _records(validations: list[FileValidation]) -> list[dg.TableRecord]:
    return [
        dg.TableRecord(
            {"fichier": file, "validation": v.name, "resultat": "ok" if v.passed else "échec", "detail": v.message}
        )
        for file, v in validations
    ]


def _materialisation(dataset: Dataset, result: RawResult) -> dg.MaterializeResult[Any]:
    files = [dg.TableRecord({key: str(value) for key, value in file.items()}) for file in result.files]
    return dg.MaterializeResult(
        asset_key=raw_key(dataset.id),
        data_version=dg.DataVersion(result.content_version),
        metadata={
            "dagster/row_count": result.rows,
            "dagster/uri": str(result.path),
            "rejets": result.rejects,
            "octets_nouveaux": result.changed,
            "lignes_par_millesime": dg.MetadataValue.json(result.vintages),
            "fichiers": dg.MetadataValue.table(files) if files else "aucun",
            "millesimes_absents": ", ".join(f"{vintage} ({why})" for vintage, why in result.absent.items()) or "aucun",
        },
    )
