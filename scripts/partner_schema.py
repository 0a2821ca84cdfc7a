"""Write docs/schemas/ors_sante_iris.schema.json from the catalogue: python scripts/partner_schema.py.

A Table Schema (https://specs.frictionlessdata.io/table-schema/), so that a partner can check a file before sending it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.catalogue import Column, Convention, Dataset, Shape, load_catalogue

PARTNER = "ors_sante_iris"
SCHEMA = PROJECT_ROOT / "docs" / "schemas" / f"{PARTNER}.schema.json"


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
    constraints: dict[str, Any] = {"required": True} if column.name in dataset.key else {}
    if column.values:
        constraints["enum"] = list(column.values)
    if column.pattern:
        constraints["pattern"] = f"^({column.pattern})$"
    if column.name in convention.counts:
        constraints["pattern"] = f"^(0|{_at_least(convention.threshold)}|{convention.masked})$"
    return {"name": column.name, "type": "string", "description": column.meaning, "constraints": constraints}


def _at_least(threshold: int) -> str:
    """Regular expression of whole numbers of two digits or more that reach a threshold of two digits."""
    tens, units = divmod(threshold, 10)
    if tens not in range(1, 9):
        raise ValueError(f"threshold {threshold}: two digits expected, below 90")
    return rf"{tens}[{units}-9]|[{tens + 1}-9]\d|[1-9]\d{{2,}}"


def _rules(convention: Convention) -> list[str]:
    """What Table Schema cannot say, in French."""
    low = f"de 1 à {convention.threshold - 1}"
    whole = convention.denominator
    return [
        f"Un effectif {low} s’écrit « {convention.masked} » ; le fichier qui en porte un est refusé en entier.",
        f"Aucun de {', '.join(convention.numerators)} ne dépasse {whole}, lequel, écrit « {convention.masked} », "
        f"n’admet aucun effectif de {convention.threshold} ou plus.",
        *(
            f"{shape.meaning[0].upper()}{shape.meaning[1:]} ; les autres effectifs vides."
            for shape in convention.shapes
        ),
        *(
            f"{code.column} est un code de {code.dataset} ({code.dataset_column}) là où "
            f"{' et '.join(f'{name} = {value}' for name, value in code.where.items())}."
            for code in convention.codes
        ),
    ]


def _shape(shape: Shape, convention: Convention) -> str:
    others = "" if set(shape.filled) == set(convention.counts) else ", les autres effectifs vides"
    return f"{shape.meaning[0].upper()}{shape.meaning[1:]}{others}."


def text() -> str:
    """The schema as it is published."""
    return json.dumps(table_schema(load_catalogue()[PARTNER]), indent=2, ensure_ascii=False) + "\n"


def write(path: Path = SCHEMA) -> None:
    """Publish it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    write()
