"""Columns of the models that dbt built, read from their compiled SQL. A model that cannot be read is a failure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster_project.lineage.cache import SliceCache
from dagster_project.lineage.column_origins import ROWS, LineageError, Origin, Relation, Schemas, Table
from dagster_project.lineage.declared import unpivoted_columns, without_notes

DIGEST = re.compile(r"'([0-9a-f]{12,64})'")
# Layers whose columns are shown with their SQL; a staging column is a cast or a new name.
SLICED = ("intermediate", "marts")
# In the place of a clause: what a Python model reads.
MODEL = "model"


@dataclass(frozen=True)
class ModelColumns:
    """Columns of the models of a project.

    Attributes:
        relations: of each model, the origins of its columns, spelt and ordered as in the warehouse.
        slices: of each column, the SQL that makes it.
        failures: of each model that could not be read entirely, why.
    """

    relations: dict[Table, Relation] = field(default_factory=dict)
    slices: dict[tuple[str, str, str], str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def read_models(
    manifest: Mapping[str, Any],
    compiled: Path,
    columns: Schemas,
    *,
    catalog: str,
    build_id: str,
    cache: Path | None = None,
) -> ModelColumns:
    """Read every model that has compiled SQL and stands in the warehouse.

    Args:
        manifest: dbt's.
        compiled: folder of compiled SQL, laid out as the project.
        columns: columns of every relation of the warehouse, and of the Parquet files that are dbt's sources.
        catalog: name of the database in the SQL.
        build_id: digest that the SQL of this build holds, or its first digits; shown as `build_id`, so that another
            build of the same models has the same lineage.
        cache: file of slices already cut, read and written; None cuts them all.
    """
    read, slices = ModelColumns(), SliceCache(cache)
    for node in manifest["nodes"].values():
        path = compiled / node["original_file_path"]
        table = (node["schema"], node["name"])
        if node["resource_type"] != "model" or table not in columns or not path.exists():
            continue
        if node["language"] == "python":
            read.relations[table] = _computed(manifest, node, columns)
            continue
        sql = _any_build(path.read_text(encoding="utf-8"), build_id)
        try:
            _read_model(read, manifest, node, sql, columns, catalog, slices)
        except LineageError as error:
            read.failures[node["name"]] = str(error)
    slices.save()
    return read


def _read_model(
    read: ModelColumns,
    manifest: Mapping[str, Any],
    node: Mapping[str, Any],
    sql: str,
    columns: Schemas,
    catalog: str,
    cache: SliceCache,
) -> None:
    from dagster_project.lineage.prepare import prepare
    from dagster_project.lineage.reader import read_query
    from dagster_project.lineage.slices import column_slices

    table = (node["schema"], node["name"])
    parents = [_relation(manifest, parent) for parent in node["depends_on"]["nodes"]]
    schemas = {parent: columns[parent] for parent in parents if parent in columns}
    files = {name: (schema, name) for schema, name in parents if (schema, name) in _sources(manifest)}
    query = prepare(sql, schemas, catalog, files, unpivoted_columns(node["name"]))
    relation = _spelt(read_query(query, schemas), list(columns[table]))
    read.relations[table] = without_notes(node["name"], relation)
    if node["schema"] in SLICED:
        spelling = {name.lower(): name for name in columns[table]}
        for name, text in cache.of(sql, schemas, lambda: dict(column_slices(query, schemas))).items():
            read.slices[(*table, spelling[name])] = text


def _computed(manifest: Mapping[str, Any], node: Mapping[str, Any], columns: Schemas) -> Relation:
    """A Python model: its columns are what the model says, and all that it reads decides of them all.

    Which column serves which is not SQL to be read: the model card says it.
    """
    parents = [_relation(manifest, parent) for parent in node["depends_on"]["nodes"]]
    rows = {((*parent, name), MODEL) for parent in parents for name in columns.get(parent, {})}
    rows |= {((*parent, ROWS), "from") for parent in parents}
    said = Origin(constants=frozenset({f"modèle {node['name']}"}))
    return Relation(tuple((name, said) for name in columns[node["schema"], node["name"]]), frozenset(rows))


def _any_build(sql: str, build_id: str) -> str:
    return DIGEST.sub(lambda literal: "'build_id'" if build_id.startswith(literal[1]) else literal[0], sql)


def _relation(manifest: Mapping[str, Any], unique_id: str) -> Table:
    if unique_id in manifest["sources"]:
        source = manifest["sources"][unique_id]
        return source["source_name"], source["name"]
    node = manifest["nodes"][unique_id]
    return node["schema"], node["name"]


def _sources(manifest: Mapping[str, Any]) -> set[Table]:
    return {(source["source_name"], source["name"]) for source in manifest["sources"].values()}


def _spelt(relation: Relation, built: list[str]) -> Relation:
    """The columns of the table that was built: the query must have given exactly these.

    Raises:
        LineageError: it has not, so that the query was misread.
    """
    if {name.lower() for name in built} != {name.lower() for name in relation.names}:
        raise LineageError(f"columns read are {', '.join(relation.names)}; the table has {', '.join(built)}")
    origins = {name.lower(): origin for name, origin in relation.columns}
    return Relation(tuple((name, origins[name.lower()]) for name in built), relation.rows)
