"""What the tables of a release mean: descriptions, units, keys and why a cell may be empty.

All of it stands in dbt's contracts and, for tables that dbt does not make, in `contents.yml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from dagster_project.release.absence import Reason, declared_reason, figure_reason
from dagster_project.release.errors import ReleaseError
from dagster_project.text_files import read_json

CONTENTS = Path(__file__).parent / "contents.yml"
KEY_TEST = "cle_unique"


@dataclass(frozen=True)
class ColumnDoc:
    """A column in words.

    Attributes:
        indicator: code of the indicator that a wide mart's column holds, if it does.
        reason: why a cell may be empty; None when none may be.
    """

    name: str
    description: str
    unit: str | None = None
    indicator: str | None = None
    sources: tuple[str, ...] = ()
    reason: Reason | None = None

    @property
    def title(self) -> str:
        """The first words of the description, up to the first stop."""
        for stop in (". ", " ; ", " : "):
            head, found, _ = self.description.partition(stop)
            if found:
                return head
        return self.description.rstrip(".")


@dataclass(frozen=True)
class TableDoc:
    """A table in words, its columns by name, and the columns that name a row."""

    name: str
    description: str
    columns: Mapping[str, ColumnDoc]
    key: tuple[str, ...]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DescribedTable(_Strict):
    """A table that dbt does not make. `absence`: the label of empty cells, by column that may have some."""

    description: str
    key: tuple[str, ...]
    columns: dict[str, str]
    absence: dict[str, str] = {}

    @model_validator(mode="after")
    def _known(self) -> DescribedTable:
        if unknown := self.absence.keys() - self.columns.keys():
            raise ValueError(f"absence of columns that are not described: {sorted(unknown)}")
        return self


class DescribedDataset(_Strict):
    """Tables and files that a catalogue presents as one dataset. `theme` is a code of the EU's data-theme list."""

    id: str
    title: str
    description: str
    tables: tuple[str, ...]
    files: tuple[str, ...] = ()
    theme: str
    keywords: tuple[str, ...]


class Contents(_Strict):
    """`contents.yml`."""

    tables: dict[str, DescribedTable]
    files: dict[str, str]
    datasets: tuple[DescribedDataset, ...]


@cache
def load_contents() -> Contents:
    """What a release holds besides what dbt describes."""
    return Contents.model_validate(yaml.safe_load(CONTENTS.read_text(encoding="utf-8")))


def load_manifest(path: Path) -> dict[str, Any]:
    """What dbt parsed and compiled; raises ReleaseError when it has not run."""
    try:
        return read_json(path)
    except FileNotFoundError as error:
        raise ReleaseError(f"{path} does not exist: run the dbt step before the release") from error


def table_docs(manifest: Mapping[str, Any]) -> dict[str, TableDoc]:
    """Every model, seed and described table, by name."""
    keys = _keys(manifest)
    docs = {
        name: TableDoc(
            name,
            table.description,
            {
                column: ColumnDoc(column, text, reason=_reason(column, table.absence.get(column), None))
                for column, text in table.columns.items()
            },
            table.key,
        )
        for name, table in load_contents().tables.items()
    }
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] in {"model", "seed"}:
            columns = {name: _column(column) for name, column in node["columns"].items()}
            docs[node["name"]] = TableDoc(node["name"], node["description"], columns, keys.get(unique_id, ()))
    return docs


def _column(column: Mapping[str, Any]) -> ColumnDoc:
    meta = column["config"].get("meta") or column["meta"]
    return ColumnDoc(
        column["name"],
        column["description"],
        meta.get("unit"),
        meta.get("indicator"),
        tuple(meta.get("sources", ())),
        _reason(column["name"], meta.get("absence"), meta.get("indicator")),
    )


def _reason(column: str, said: str | Mapping[str, Any] | None, indicator: str | None) -> Reason | None:
    if indicator:
        return figure_reason(column)
    return None if said is None else declared_reason(said)


def _keys(manifest: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Columns of the key test of each node."""
    return {
        node["attached_node"]: tuple(node["test_metadata"]["kwargs"]["columns"])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == KEY_TEST
    }
