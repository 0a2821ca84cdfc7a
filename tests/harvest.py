"""A catalogue read as data.gouv.fr reads it when it harvests: the mapping of udata, in the few terms that it uses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import rdflib
from rdflib.namespace import DCAT, DCTERMS, RDF

SPDX = rdflib.Namespace("http://spdx.org/rdf/terms#")
GEOJSON = "https://www.iana.org/assignments/media-types/application/vnd.geo+json"
FREQUENCY = "http://publications.europa.eu/resource/authority/frequency/"


@dataclass(frozen=True)
class Resource:
    """A file as the harvester keeps it."""

    url: str
    title: str
    description: str
    mime: str
    format: str
    size: int | None
    sha256: str | None
    licence: str
    identifier: str


@dataclass(frozen=True)
class Harvested:
    """A dataset as the harvester keeps it."""

    uri: str
    identifier: str
    title: str
    description: str
    frequency: str
    tags: list[str]
    temporal: tuple[date, date]
    polygons: list[Any]
    provenance: str
    resources: list[Resource] = field(default_factory=list)


def harvest(path: Path) -> dict[str, Harvested]:
    """Datasets of a JSON-LD catalogue, by identifier; nothing is fetched."""
    graph = rdflib.Graph().parse(path, format="json-ld")
    assert len(list(graph.subjects(RDF.type, DCAT.Catalog))) == 1
    datasets = [_dataset(graph, node) for node in graph.subjects(RDF.type, DCAT.Dataset)]
    return {dataset.identifier: dataset for dataset in datasets}


def _dataset(graph: rdflib.Graph, node: Any) -> Harvested:
    assert isinstance(node, rdflib.URIRef), "a dataset without a URI of its own is added again at each harvest"
    period = graph.value(node, DCTERMS.temporal)
    assert isinstance(period, rdflib.BNode), "a period with a URI would be fetched"
    start, end = (graph.value(period, term) for term in (DCAT.startDate, DCAT.endDate))
    return Harvested(
        uri=str(node),
        identifier=str(graph.value(node, DCTERMS.identifier)),
        title=str(graph.value(node, DCTERMS.title)),
        description=str(graph.value(node, DCTERMS.description)),
        frequency=str(graph.value(node, DCTERMS.accrualPeriodicity)).removeprefix(FREQUENCY),
        tags=sorted(str(tag) for tag in graph.objects(node, DCAT.keyword)),
        temporal=(start.toPython(), end.toPython()),  # type: ignore[union-attr]
        polygons=list(_polygons(graph, node)),
        provenance=str(graph.value(graph.value(node, DCTERMS.provenance), rdflib.RDFS.label)),
        resources=[_resource(graph, file) for file in graph.objects(node, DCAT.distribution)],
    )


def _polygons(graph: rdflib.Graph, node: Any) -> Iterator[Any]:
    for place in graph.objects(node, DCTERMS.spatial):
        for literal in graph.objects(place):
            if isinstance(literal, rdflib.Literal) and str(literal.datatype) == GEOJSON:
                shape = json.loads(str(literal))
                assert shape["type"] == "Polygon"
                yield shape["coordinates"]


def _resource(graph: rdflib.Graph, node: Any) -> Resource:
    checksum = graph.value(node, SPDX.checksum)
    sha256 = None
    if checksum is not None:
        assert graph.value(checksum, SPDX.algorithm) == SPDX.checksumAlgorithm_sha256
        value = graph.value(checksum, SPDX.checksumValue)
        assert isinstance(value, rdflib.Literal)
        sha256 = str(value)
    size = graph.value(node, DCAT.byteSize)
    return Resource(
        url=str(graph.value(node, DCAT.downloadURL) or graph.value(node, DCAT.accessURL)),
        title=str(graph.value(node, DCTERMS.title)),
        description=str(graph.value(node, DCTERMS.description)),
        mime="/".join(str(graph.value(node, DCAT.mediaType)).split("/")[-2:]),
        format=str(graph.value(node, DCTERMS.format)).rsplit("/", 1)[-1].lower(),
        size=None if size is None else int(str(size)),
        sha256=sha256,
        licence=str(graph.value(node, DCTERMS.license)),
        identifier=str(graph.value(node, DCTERMS.identifier)),
    )
