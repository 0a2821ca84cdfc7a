"""GeoJSON feature collections: properties as text, numbers as written, geometry in the declared CRS."""

from __future__ import annotations

import re

import numpy as np

from dagster_project.sources.readers.arrow import RecordBuilder
from dagster_project.sources.readers.base import Parsed, ReadError, Reject, Source
from dagster_project.sources.readers.columns import check_names
from dagster_project.sources.readers.geometry import Geometries, check_named_crs, geometry_columns
from dagster_project.sources.readers.json_text import Element, Scanner, as_text, read_text

_BATCH = 2_000  # features decoded before their text is let go


def read(source: Source) -> Parsed:
    """Read a FeatureCollection; raises ReadError (not JSON, not a collection, CRS in contradiction, columns)."""
    scanner = Scanner(source, read_text(source))
    collected = _Features(source)
    found = False
    if scanner.peek() == "{":
        for name in scanner.members():
            if name == "features" and scanner.peek() == "[":
                found = True
                for element in scanner.elements():
                    collected.add(element)
            else:
                value = scanner.value()
                if name == "crs":
                    check_named_crs(source, _named_crs(value), "its `crs` member")
        scanner.end()
    if not found:
        raise ReadError(f"{source.where}: expected a GeoJSON FeatureCollection; check `format` in the catalogue")
    return collected.finish()


def _named_crs(value: object) -> str | None:
    """EPSG:2154 from urn:ogc:def:crs:EPSG::2154; None when there is no code in it."""
    name = value.get("properties", {}).get("name") if isinstance(value, dict) else None
    match = re.search(r"\b(EPSG|OGC|IGNF):(?:[\d.]*:)?(\w+)$", name or "")
    return f"{match[1]}:{match[2]}" if match else None


class _Features:
    """Features gathered into columns, batch by batch."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._builder = RecordBuilder()
        self._rejects: list[Reject] = []
        self._pending: list[tuple[Element, dict[str, str | None]]] = []
        self._geometries: list[Geometries] = []

    def add(self, element: Element) -> None:
        feature = element.value
        if not isinstance(feature, dict) or not isinstance(feature.get("properties") or {}, dict):
            self._rejects.append(Reject.of(element.number, "l'élément n'est pas une entité GeoJSON", element.text))
            return
        # A Feature may carry its identifier outside its properties.
        members = {"id": feature["id"]} if "id" in feature else {}
        values = {name: as_text(value) for name, value in {**members, **(feature.get("properties") or {})}.items()}
        text = element.text if feature.get("geometry") is not None else ""
        self._pending.append((Element(element.number, None, text), values))
        if len(self._pending) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        import shapely

        if not self._pending:
            return
        geometries: Geometries = np.full(len(self._pending), None, dtype=object)
        given = np.array([bool(element.text) for element, _ in self._pending])
        texts = np.array([element.text for element, _ in self._pending if element.text], dtype=object)
        geometries[given] = shapely.from_geojson(texts, on_invalid="ignore")
        kept = ~given | ~shapely.is_missing(geometries)
        for is_kept, (element, values) in zip(kept, self._pending, strict=True):
            if is_kept:
                self._builder.add(values, element.number)
            else:
                self._rejects.append(Reject.of(element.number, _why_invalid(element.text), element.text))
        self._geometries.append(geometries[kept])
        self._pending = []

    def finish(self) -> Parsed:
        self._flush()
        columns, rows = self._builder.finish()
        check_names(self._source, list(columns))
        part = self._source.parts[0]
        geometries = np.concatenate([np.empty(0, dtype=object), *self._geometries])
        extra = geometry_columns(self._source, geometries, part.sha256, rows)
        rejects = sorted(self._rejects, key=lambda reject: reject.row)
        return Parsed(tuple(columns), columns, rows, rejects, part, dict(extra))


def _why_invalid(text: str) -> str:
    import shapely

    try:
        shapely.from_geojson(text)
    except shapely.errors.GEOSException as error:
        return f"géométrie illisible ({error})"
    return "géométrie illisible"
