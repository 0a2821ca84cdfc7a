"""`datapackage.json`: the release described to the letter of Data Package 2.0.

Each column has its type, title, meaning and unit; each absence its labelled missing value, column by column: a label
such as `nd` means an empty cell in a column of values, and is a plain value in a column of statuses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dagster_project.release.edition import DESCRIPTION, NAME, PUBLISHER, TITLE, Edition
from dagster_project.release.errors import ReleaseError
from dagster_project.release.files import ReleaseFile
from dagster_project.release.sources import SourceDataset, licences
from dagster_project.release.tables import Column, ReleasedTable

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "number",
    "BIGINT": "integer",
    "INTEGER": "integer",
    "BOOLEAN": "boolean",
}
CSV_DIALECT = {"delimiter": ";", "header": True, "quoteChar": '"', "doubleQuote": True}
JSON_DIALECT = {"property": "rows", "itemType": "array", "header": False}
# frictionless 5.21 reads neither Parquet with nested or nullable columns nor JSON under a property: these have their
# schema, but are declared as files, whose size and digest it checks. Its Parquet reader goes by the name `parquet`.
FORMATS = {"parquet": "apache-parquet"}
# Columns whose value is the key of another table. Zones are named by three columns together.
ZONE = ("zone_level", "zone_code", "generation")
REFERENCES = {
    ("indicator_code",): "indicator",
    ("secrecy_rule",): "secrecy_rule",
    ZONE: "dim_zone",
    ("figure_id",): "indicator_value",
}


def datapackage(
    files: Sequence[ReleaseFile],
    labels: Mapping[str, str],
    sources: Sequence[SourceDataset],
    edition: Edition,
) -> str:
    """Text of `datapackage.json`.

    Args:
        files: every file to describe.
        labels: what each label of absence means, in French.
        sources: datasets that the release is made of.
        edition: the release.
    """
    tables = {file.table.name for file in files if file.table and file.suffix == "csv"}
    content = {
        "$schema": PROFILE,
        "name": NAME,
        "id": edition.file_uri("datapackage.json"),
        "title": edition.marked(TITLE),
        "description": edition.explained(DESCRIPTION),
        "version": edition.release_id,
        "created": edition.timestamp,
        "keywords": ["quartiers prioritaires", "politique de la ville", "indicateurs", "traçabilité"],
        "licenses": [{"title": name, "path": url} for name, url in licences(sources)],
        "contributors": [{"title": PUBLISHER, "roles": ["publisher"]}]
        + [{"title": producer, "roles": ["rightsHolder"]} for producer in sorted({s.producer for s in sources})],
        "sources": [
            {"title": source.citation, "path": source.page, "version": ", ".join(source.vintages)} for source in sources
        ],
        "resources": [_resource(file, labels, tables) for file in files],
    }
    if edition.base_url:
        content["homepage"] = f"{edition.base_url}/current/"
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _resource(file: ReleaseFile, labels: Mapping[str, str], tables: set[str]) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "name": file.name.lower() if file.suffix != "csv" else file.name.removesuffix(".csv"),
        "path": file.name,
        "title": file.title,
        "description": file.description,
        "format": FORMATS.get(file.suffix, file.suffix),
        "mediatype": file.media_type,
    }
    if file.sha256 and file.size is not None:
        resource |= {"bytes": file.size, "hash": f"sha256:{file.sha256}"}
    if file.suffix not in {"parquet", "duckdb"}:
        resource["encoding"] = "utf-8"
    if file.table and file.suffix == "csv":
        resource |= {"type": "table", "dialect": CSV_DIALECT, "schema": _schema(file.table, labels, tables)}
    elif file.table and file.suffix == "json":
        resource |= {"dialect": JSON_DIALECT, "schema": _schema(file.table, labels, tables)}
    elif file.table:
        resource["schema"] = _binary_schema(file.table)
    return resource


def _schema(table: ReleasedTable, labels: Mapping[str, str], tables: set[str]) -> dict[str, Any]:
    """Table Schema of CSV and JSON, where a label stands for what is absent."""
    fields = [_field(column) | _absence(column, labels) for column in table.flat_columns]
    schema: dict[str, Any] = {"fields": fields, "missingValues": []}
    if table.primary_key:
        schema["primaryKey"] = list(table.primary_key)
    references = list(_references(table, tables))
    if references:
        schema["foreignKeys"] = references
    return schema


def _binary_schema(table: ReleasedTable) -> dict[str, Any]:
    """Table Schema of Parquet, where a null is a null; `absenceReason` is SQL over the row that says why."""
    fields = []
    for column in table.columns:
        field = _field(column)
        if column.kind == "BLOB":
            field |= {"type": "string", "format": "binary"}
        elif column.kind.endswith("[]"):
            field |= {"type": "array"}
        if column.reason and not column.companion:
            field["absenceReason"] = column.label
        fields.append(field)
    schema: dict[str, Any] = {"fields": fields}
    if table.primary_key:
        schema["primaryKey"] = list(table.primary_key)
    return schema


def _field(column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "title": column.doc.title, "description": column.doc.description}
    if column.kind == "BLOB":
        return field
    if column.kind == "VARCHAR[]":
        field |= {"type": "list", "itemType": "string", "delimiter": " "}
    elif column.kind in TYPES:
        field["type"] = TYPES[column.kind]
    else:
        raise ReleaseError(f"{column.name}: the type {column.kind} has no equivalent in TYPES (datapackage.py)")
    if column.doc.unit and column.doc.unit != "—":
        field["unit"] = column.doc.unit
    return field


def _absence(column: Column, labels: Mapping[str, str]) -> dict[str, Any]:
    """The labels that may stand in the column; else it is always filled."""
    if column.reason is None:
        return {"constraints": {"required": True}}
    return {"missingValues": [{"value": label, "label": labels[label]} for label in column.reason.labels]}


def _references(table: ReleasedTable, tables: set[str]) -> list[dict[str, Any]]:
    """Foreign keys of a table to others of the release."""
    names = {column.name for column in table.flat_columns}
    return [
        {"fields": list(fields), "reference": {"resource": target, "fields": list(fields)}}
        for fields, target in REFERENCES.items()
        if set(fields) <= names and target in tables and target != table.name
    ]
