"""`dcat.jsonld`: the release as a DCAT-AP 3.0.1 catalogue that data.gouv.fr and others may harvest.

Each dataset has a stable URI and the same as its identifier, so that the next release updates it and does not add
another; its licence stands on each distribution, which names a file of this very release with its digest. Editions
of the sources are rows of one table, not files, so that a series of datasets would have no members.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dagster_project.release.contract import DescribedDataset, load_contents
from dagster_project.release.coverage import Coverage
from dagster_project.release.edition import DESCRIPTION, NAME, PUBLISHER, TITLE, Edition
from dagster_project.release.files import ReleaseFile
from dagster_project.release.sources import SourceDataset, licences

EU = "http://publications.europa.eu/resource/authority"
IANA = "https://www.iana.org/assignments/media-types"
GEOJSON_LITERAL = f"{IANA}/application/vnd.geo+json"
# Sources change once a year or less.
FREQUENCY = f"{EU}/frequency/ANNUAL"
FRANCE = f"{EU}/country/FRA"
EU_FORMATS = {"csv": "CSV", "parquet": "PARQUET", "json": "JSON", "geojson": "GEOJSON", "html": "HTML"}
CONTEXT = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geosparql": "http://www.opengis.net/ont/geosparql#",
    "locn": "http://www.w3.org/ns/locn#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
Node = dict[str, Any]


def dcat(files: Sequence[ReleaseFile], sources: Sequence[SourceDataset], coverage: Coverage, edition: Edition) -> str:
    """Text of `dcat.jsonld`; datasets of which the release has no file are left out."""
    by_name = {file.name: file for file in files}
    datasets = []
    for described in load_contents().datasets:
        held = _files_of(described, by_name)
        if held:
            datasets.append(_dataset(described, held, sources, coverage, edition))
    content = {
        "@context": CONTEXT,
        "@graph": [
            _catalogue(datasets, sources, edition),
            *datasets,
            _publisher(edition),
            *(_licence(name, url) for name, url in licences(sources)),
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _files_of(described: DescribedDataset, files: Mapping[str, ReleaseFile]) -> list[ReleaseFile]:
    tables = [file for name in described.tables for file in files.values() if file.table and file.table.name == name]
    return tables + [files[name] for name in described.files if name in files]


def _catalogue(datasets: Sequence[Node], sources: Sequence[SourceDataset], edition: Edition) -> Node:
    node: Node = {
        "@id": edition.stable_uri("catalogue"),
        "@type": "dcat:Catalog",
        "dct:title": _french(edition.marked(TITLE)),
        "dct:description": _french(edition.explained(DESCRIPTION)),
        "dct:publisher": {"@id": edition.stable_uri("editeur")},
        "dct:language": {"@id": f"{EU}/language/FRA"},
        **_terms(sources),
        "dct:modified": _date(edition),
        "dcat:themeTaxonomy": {"@id": f"{EU}/data-theme"},
        "dcat:dataset": [{"@id": dataset["@id"]} for dataset in datasets],
    }
    if edition.base_url:
        node["foaf:homepage"] = {"@id": f"{edition.base_url}/current/"}
    return node


def _dataset(
    described: DescribedDataset,
    files: Sequence[ReleaseFile],
    sources: Sequence[SourceDataset],
    coverage: Coverage,
    edition: Edition,
) -> Node:
    uri = edition.stable_uri(described.id)
    fictitious = ["données fictives"] if edition.fictitious else []
    node: Node = {
        "@id": uri,
        "@type": "dcat:Dataset",
        "dct:identifier": f"{NAME}-{described.id}",
        "dct:title": _french(edition.marked(described.title)),
        "dct:description": _french(edition.explained(described.description)),
        "dct:publisher": {"@id": edition.stable_uri("editeur")},
        "dct:language": {"@id": f"{EU}/language/FRA"},
        "dct:accessRights": {"@id": f"{EU}/access-right/PUBLIC"},
        "dct:modified": _date(edition),
        "dct:accrualPeriodicity": {"@id": FREQUENCY},
        "dct:provenance": _provenance(sources),
        "dct:relation": [{"@id": page} for page in sorted({source.page for source in sources})],
        "dcat:version": edition.release_id,
        "dcat:theme": {"@id": f"{EU}/data-theme/{described.theme}"},
        "dcat:keyword": [_french(word) for word in [*described.keywords, *fictitious]],
        "dcat:distribution": [_distribution(file, sources, edition) for file in files],
    }
    if coverage.period:
        first, last = coverage.period
        node["dct:temporal"] = {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": {"@type": "xsd:date", "@value": first},
            "dcat:endDate": {"@type": "xsd:date", "@value": last},
        }
    if coverage.geojson:
        node["dct:spatial"] = _places(coverage, edition)
    return node


def _places(coverage: Coverage, edition: Edition) -> list[Node]:
    """The extent as a polygon (GeoJSON for udata, WKT for DCAT), and the country when the territory is real."""
    place: Node = {
        "@type": "dct:Location",
        "locn:geometry": {"@type": GEOJSON_LITERAL, "@value": coverage.geojson},
        "dcat:bbox": {"@type": "geosparql:wktLiteral", "@value": coverage.wkt},
    }
    return [place] if edition.fictitious else [place, {"@id": FRANCE}]


def _provenance(sources: Sequence[SourceDataset]) -> Node:
    producers = " ; ".join(sorted({source.producer for source in sources}))
    text = (
        f"Calculé à partir de fichiers de {producers} ; chaque chiffre mène à leurs lignes (lineage.parquet), et "
        "ATTRIBUTION.md donne licences, citations et empreintes."
    )
    return {"@type": "dct:ProvenanceStatement", "rdfs:label": _french(text)}


def _distribution(file: ReleaseFile, sources: Sequence[SourceDataset], edition: Edition) -> Node:
    uri = edition.file_uri(file.name)
    node: Node = {
        # A name of its own: a file may be distributed by one dataset only, and is not its own description.
        "@id": f"{edition.stable_uri('fichier')}-{file.name}",
        "@type": "dcat:Distribution",
        "dct:identifier": file.name,
        "dct:title": _french(file.title),
        "dct:description": _french(file.description),
        **_terms(sources),
        "dct:modified": _date(edition),
        "dcat:accessURL": {"@id": uri},
        "dcat:downloadURL": {"@id": uri},
        "dcat:mediaType": {"@id": f"{IANA}/{file.media_type}"},
    }
    if file.suffix in EU_FORMATS:
        node["dct:format"] = {"@id": f"{EU}/file-type/{EU_FORMATS[file.suffix]}"}
    if file.size is not None:
        node["dcat:byteSize"] = {"@type": "xsd:nonNegativeInteger", "@value": str(file.size)}
        node["spdx:checksum"] = {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
            "spdx:checksumValue": {"@type": "xsd:hexBinary", "@value": file.sha256},
        }
    return node


def _terms(sources: Sequence[SourceDataset]) -> Node:
    """The licence; where sources have several, which DCAT-AP does not allow, the statement that says so."""
    known = licences(sources)
    if len(known) == 1:
        return {"dct:license": {"@id": known[0][1]}}
    text = f"Licences des sources : {' ; '.join(name for name, _ in known)}. Voir ATTRIBUTION.md."
    return {"dct:rights": {"@type": "dct:RightsStatement", "rdfs:label": _french(text)}}


def _publisher(edition: Edition) -> Node:
    return {"@id": edition.stable_uri("editeur"), "@type": "foaf:Agent", "foaf:name": PUBLISHER}


def _licence(name: str, url: str) -> Node:
    return {"@id": url, "@type": "dct:LicenseDocument", "rdfs:label": _french(name)}


def _french(text: str) -> Node:
    return {"@language": "fr", "@value": text}


def _date(edition: Edition) -> Node:
    return {"@type": "xsd:dateTime", "@value": edition.timestamp}
