"""`dataset.jsonld`: the release for search engines, in the vocabulary of schema.org."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dagster_project.release.coverage import Coverage, Indicator
from dagster_project.release.edition import DESCRIPTION, PUBLISHER, TITLE, Edition
from dagster_project.release.files import ReleaseFile
from dagster_project.release.sources import SourceDataset, licences

METHOD = (
    "Chiffres publiés par les producteurs, ou sommes de leurs effectifs divisées en dernier ; aucune moyenne de taux. "
    "Les valeurs secrètes ou absentes le restent, avec leur motif."
)


def schema_org(
    files: Sequence[ReleaseFile], sources: Sequence[SourceDataset], coverage: Coverage, edition: Edition
) -> str:
    """Text of `dataset.jsonld`: one schema.org Dataset."""
    urls = [url for _, url in licences(sources)]
    organisation = {"@type": "Organization", "name": PUBLISHER}
    content: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": edition.stable_uri("catalogue"),
        "identifier": edition.release_id,
        "version": edition.release_id,
        "name": edition.marked(TITLE),
        "description": edition.explained(DESCRIPTION),
        "inLanguage": "fr",
        "isAccessibleForFree": True,
        "keywords": ["quartiers prioritaires", "politique de la ville", "indicateurs"],
        "license": urls[0] if len(urls) == 1 else urls,
        "creator": organisation,
        "publisher": organisation,
        "datePublished": edition.date,
        "dateModified": edition.date,
        "measurementTechnique": METHOD,
        "variableMeasured": [_variable(indicator) for indicator in coverage.indicators],
        "isBasedOn": [_source(source) for source in sources],
        "distribution": [_download(file, edition) for file in files if file.table or file.suffix == "geojson"],
    }
    if coverage.period:
        content["temporalCoverage"] = "/".join(coverage.period)
    if coverage.extent:
        west, south, east, north = coverage.extent
        # schema.org writes a box as latitude and longitude of two corners.
        box = {"@type": "GeoShape", "box": f"{south} {west} {north} {east}"}
        content["spatialCoverage"] = {"@type": "Place", "geo": box}
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _variable(indicator: Indicator) -> dict[str, Any]:
    return {
        "@type": "PropertyValue",
        "propertyID": indicator.code,
        "name": indicator.name,
        "description": indicator.definition,
        "unitText": indicator.unit,
        "measurementTechnique": indicator.formula,
    }


def _source(source: SourceDataset) -> dict[str, Any]:
    return {
        "@type": "Dataset",
        "name": source.title,
        "description": source.citation,
        "url": source.page,
        "license": source.licence_url,
        "creator": {"@type": "Organization", "name": source.producer},
        "version": ", ".join(source.vintages),
    }


def _download(file: ReleaseFile, edition: Edition) -> dict[str, Any]:
    return {
        "@type": "DataDownload",
        "name": file.title,
        "description": file.description,
        "contentUrl": edition.file_uri(file.name),
        "encodingFormat": file.media_type,
        "contentSize": f"{file.size} B",
        "sha256": file.sha256,
    }
