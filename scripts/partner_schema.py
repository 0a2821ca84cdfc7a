"""Write docs/schemas/<dataset>.schema.json, for each dataset under a convention: python scripts/partner_schema.py.

Table Schemas (https://specs.frictionlessdata.io/table-schema/), so that a partner can check a file before sending it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.catalogue import Column, Convention, Dataset, load_catalogue

SCHEMAS = PROJECT_ROOT / "docs" / "schemas"


def partners() -> list[Dataset]:
    """Datasets delivered under a convention."""
    return [dataset for dataset in load_catalogue().values() if dataset.convention is not None]


def schema_path(dataset: Dataset) -> Path:
    """Where the schema of a dataset is published."""
    return SCHEMAS / f"{dataset.id}.schema.json"


def table_schema(dataset: Dataset) -> dict[str, Any]:
    """The schema of a dataset delivered under a convention.

    Raises:
        ValueError: the dataset has no convention.
    """
    convention = dataset.convention
    if convention is None:
        raise ValueError(f"{dataset.id} is not delivered under a convention")
    return {
        "$schema": "https://frictionlessdata.io/schemas/table-schema.json",
        "name": dataset.id,
        "title": dataset.origin.title,
        "description": dataset.origin.description,
        "homepage": dataset.origin.page,
        "fields": [_field(column, dataset, convention) for column in dataset.columns],
        "primaryKey": list(dataset.key),
        "missingValues": [""],
        "regles": _rules(convention),
    }


def _field(column: Column, dataset: Dataset, convention: Convention) -> dict[str, Any]:
    constraints: dict[str, Any] = {"required": True} if column.name in (*dataset.key, *convention.required) else {}
    if column.values:
        constraints["enum"] = list(column.values)
    if column.pattern:
        constraints["pattern"] = f"^({column.pattern})$"
    if column.name in convention.counts and convention.threshold is not None:
        constraints["pattern"] = f"^(0|{_at_least(convention.threshold)}|{convention.masked})$"
    bounds = {"minimum": column.minimum, "maximum": column.maximum}
    constraints |= {name: bound for name, bound in bounds.items() if bound is not None}
    kind = "string" if set(bounds.values()) == {None} else "number"
    return {"name": column.name, "type": kind, "description": column.meaning, "constraints": constraints}


def _at_least(threshold: int) -> str:
    """Regular expression of whole numbers that reach a threshold of one or two digits."""
    tens, units = divmod(threshold, 10)
    if tens not in range(9):
        raise ValueError(f"threshold {threshold}: expected below 90")
    if tens == 0:
        return rf"[{units}-9]|[1-9]\d+"
    return rf"{tens}[{units}-9]|[{tens + 1}-9]\d|[1-9]\d{{2,}}"


def _rules(convention: Convention) -> list[str]:
    """What Table Schema cannot say, in French."""
    threshold, masked, whole = convention.threshold, convention.masked, convention.denominator
    return [
        "Une colonne qui n’est pas au schéma fait refuser le fichier en entier.",
        *(
            [
                f"Un effectif de 1 à {threshold - 1} s’écrit « {masked} » ; "
                "le fichier qui en porte un est refusé en entier."
            ]
            if threshold is not None
            else []
        ),
        *(
            [
                f"Aucun de {', '.join(convention.numerators)} ne dépasse {whole}, lequel, écrit « {masked} », "
                f"n’admet aucun effectif de {threshold} ou plus et, à 0, n’admet que 0."
            ]
            if whole
            else []
        ),
        *(f"{' et '.join(group)} sont remplis ensemble, ou laissés vides." for group in convention.together),
        *(
            f"{shape.meaning[0].upper()}{shape.meaning[1:]} ; les autres effectifs vides."
            for shape in convention.shapes
        ),
        *(
            f"{code.column} est un code de {' ou '.join(code.datasets)} ({code.dataset_column}){_where(code.where)}."
            for code in convention.codes
        ),
    ]


def _where(conditions: dict[str, str]) -> str:
    """Rows that a rule is about, in French; nothing when it is about all of them."""
    listed = " et ".join(f"{name} = {value}" for name, value in conditions.items())
    return f" là où {listed}" if listed else ""


def text(dataset: Dataset) -> str:
    """The schema as it is published."""
    return json.dumps(table_schema(dataset), indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    """Publish them all."""
    SCHEMAS.mkdir(parents=True, exist_ok=True)
    for dataset in partners():
        schema_path(dataset).write_text(text(dataset), encoding="utf-8")


if __name__ == "__main__":
    write()
