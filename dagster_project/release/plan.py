"""Which tables a release holds, where they come from, and in which formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.release.contract import load_contents

MARTS = "marts"
CHECKS = "checks"
FLAT = ("parquet", "csv")
WIDE = ("parquet", "csv", "json")


@dataclass(frozen=True)
class Published:
    """A table of dbt that releases hold: its schema and name, its name in a release, and its formats there."""

    schema: str
    table: str
    name: str
    formats: tuple[str, ...] = FLAT


@dataclass(frozen=True)
class Plan:
    """Where a table comes from, under which documentation, and what it is written as.

    `built` is the catalogue of what dbt built, in the connection that the release is made with.
    """

    name: str
    relation: str
    documented_as: str
    formats: tuple[str, ...]
    built: str


def published(manifest: Mapping[str, Any]) -> tuple[Published, ...]:
    """What a release holds of dbt's tables, in a fixed order: marts, then reference tables.

    A mart is published because it stands under `marts/`, a seed because its contract says `published: true`. A mart
    whose columns hold an indicator each, one row per zone and edition, is also written as JSON. A contract may say
    otherwise: `released_as`, a name of its own in releases, and `formats`; such marts come after the others.
    """
    found = []
    for node in manifest["nodes"].values():
        meta = node.get("config", {}).get("meta", {})
        is_mart = node["resource_type"] == "model" and node["schema"] == MARTS
        if is_mart or (node["resource_type"] == "seed" and meta.get("published")):
            formats = tuple(meta.get("formats", WIDE if _holds_indicators(node) else FLAT))
            table = Published(node["schema"], node["name"], meta.get("released_as", node["name"]), formats)
            found.append((not is_mart, "released_as" in meta, node["name"], table))
    return tuple(table for *_, table in sorted(found, key=lambda item: item[:3]))


def _holds_indicators(node: Mapping[str, Any]) -> bool:
    return any(column["config"].get("meta", {}).get("indicator") for column in node["columns"].values())


def derived_tables() -> tuple[str, ...]:
    """Tables made by Python that a release holds, as `contents.yml` describes them."""
    return tuple(name for name in load_contents().tables if name != CHECKS)


def plans(tables: Sequence[Published], built: str, derived: Path) -> Iterator[Plan]:
    """Every table of a release that its build made, in a fixed order.

    Args:
        tables: those of dbt.
        built: catalogue of what dbt built.
        derived: folder of derived Parquet files.
    """
    for table in tables:
        yield Plan(table.name, f"{built}.{table.schema}.{table.table}", table.table, table.formats, built)
    for name in derived_tables():
        yield Plan(name, f"read_parquet('{derived / name}.parquet')", name, FLAT, built)


def checks_plan(built: str, relation: str) -> Plan:
    """The table of checks, which the quality report gives."""
    return Plan(CHECKS, relation, CHECKS, FLAT, built)
