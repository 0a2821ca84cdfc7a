"""Write what follows from the seeds, the catalogue and the contracts of staging: `make generate`.

dbt needs a file for each model and knows its references before it reads any seed. What a theme, an indicator or a
dataset of statistics needs by its mere existence is therefore written: observations by dataset, terms and figures by
theme, wide marts and their contracts, the raw tables, and the lists that macros loop over. A test fails when a
committed file is not what this gives, or when one is left behind.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.catalogue import load_catalogue
from scripts.contract_style import styled

DBT = PROJECT_ROOT / "dbt_models"
MODELS = DBT / "models"
MARK = "Written by `make generate`"
KEYS = {
    "zone_level": "Niveau de la zone : QPV, ENSQPV, COM, EPCI, DEP, REG ou FRM.",
    "zone_code": "Code officiel de la zone.",
    "generation": "Génération des périmètres (QP2015, QN2024) ou COG pour les zones administratives.",
    "vintage": "Édition de la table source.",
}


@cache
def _seed(name: str) -> tuple[dict[str, str], ...]:
    with (PROJECT_ROOT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def themes() -> dict[str, list[str]]:
    """Themes in the order of the indicator seed, by what makes their figures.

    `all` of them; those that a `formula` makes (seed `indicator_term`), from another geography when `crossed`; those
    that only models make, `modelled`.
    """
    theme_of = {row["indicator_code"]: row["theme"] for row in _seed("indicator")}
    every = list(dict.fromkeys(theme_of.values()))
    crossing = {bool(row["from_level"]): set[str]() for row in _seed("indicator_term")}
    for row in _seed("indicator_term"):
        crossing[bool(row["from_level"])].add(theme_of[row["indicator_code"]])
    formula, crossed = crossing.get(False, set()), crossing.get(True, set())
    return {
        "all": every,
        "formula": [theme for theme in every if theme in formula],
        "crossed": [theme for theme in every if theme in crossed],
        "modelled": [theme for theme in every if theme not in formula | crossed],
    }


@dataclass(frozen=True)
class Statistics:
    """A dataset whose cells feed indicators.

    Attributes:
        staging: its staging model.
        key: source column that holds the code of a row; none where the file has a single row for a single zone.
        units: whether rows are not zones but what zones are made of: tiles, buildings.
        level: level of its rows, where the staging model needs no SQL of its own.
    """

    staging: str
    key: str | None
    units: bool
    level: str | None


def observed() -> dict[str, Statistics]:
    """Datasets of statistics by name, as the contracts of their staging models say in meta."""
    found = {}
    for table in yaml.safe_load((MODELS / "staging" / "staging.yml").read_text(encoding="utf-8"))["models"]:
        meta = table.get("config", {}).get("meta", {})
        if meta.keys() & {"zone_key", "unit_key"}:
            units = "unit_key" in meta
            key = meta["unit_key" if units else "zone_key"]
            dataset = table["name"].removeprefix("stg_").replace("__", "_", 1)
            found[dataset] = Statistics(table["name"], key, units, meta.get("zone_level"))
    return found


def written() -> dict[Path, str]:
    """Path and text of every file that follows from others."""
    return dict(_written())


def _written() -> Iterator[tuple[Path, str]]:
    made, intermediate = themes(), MODELS / "intermediate"
    yield DBT / "macros" / "lists.sql", _lists()
    yield MODELS / "raw.yml", f"# {MARK} from the catalogue.\n{styled(_raw())}"
    for dataset, table in observed().items():
        if table.level:
            yield (
                MODELS / "staging" / dataset.partition("_")[0] / f"{table.staging}.sql",
                _call(_staging(dataset, table)),
            )
        yield intermediate / "observations" / f"obs_{dataset}.sql", _call(f"observation('{dataset}')")
    for kind, suffix in (("formula", ""), ("crossed", "_crosswalk")):
        for theme in made[kind]:
            for prefix, macro in (("int_termes__", "termes"), ("int_indicateurs__", "indicateurs")):
                path = intermediate / "indicateurs" / f"{prefix}{theme}{suffix}.sql"
                yield path, _call(f"{macro}{suffix}('{theme}')")
    for theme in made["all"]:
        mart = MODELS / "marts" / theme / f"mart_{theme}"
        yield mart.with_suffix(".sql"), _call("config(materialized='view')", "table_large(model.columns)")
        yield mart.with_suffix(".yml"), f"# {MARK} from seeds/indicator.csv.\n{styled(_contract(theme))}"


def _call(*macros: str) -> str:
    return f"{{#- {MARK}. -#}}\n" + "".join(f"{{{{ {macro} }}}}\n" for macro in macros)


def _staging(dataset: str, table: Statistics) -> str:
    key = f", '{table.key}'" if table.key else ""
    if table.level == "QPV":
        return f"staging_table_qpv('{dataset}'{key})"
    return f"staging_table_administrative('{dataset}', '{table.level}'{key})"


def _lists() -> str:
    kinds = "".join(f"    '{kind}': {names},\n" for kind, names in themes().items())
    tables = "".join(f"    '{name}': {_entry(table)},\n" for name, table in observed().items())
    return (
        f"{{# {MARK} from the seeds and staging.yml; what the lists hold is said in scripts/generate.py. #}}\n"
        f"{{% macro themes(kind) -%}}\n{{{{ return({{\n{kinds}}}[kind]) }}}}\n{{%- endmacro %}}\n\n"
        f"{{% macro tables_statistiques() -%}}\n{{{{ return({{\n{tables}}}) }}}}\n{{%- endmacro %}}\n"
    )


def _entry(table: Statistics) -> str:
    """What the macro of observations needs to know of a dataset, as Jinja writes it."""
    key = f"'{table.key}'" if table.key else "none"
    return f"{{'staging': '{table.staging}', 'key': {key}, 'units': {str(table.units).lower()}}}"


def _raw() -> dict[str, Any]:
    """Raw tables as sources of dbt."""
    source = {
        "name": "raw",
        "description": "Raw tables, text as the producers wrote it, one Parquet file per dataset of the catalogue.",
        "meta": {"external_location": "{{ env_var('DQ_DBT_RAW', '../var/raw') }}/{name}.parquet"},
        "tables": [{"name": name} for name in load_catalogue()],
    }
    return {"version": 2, "sources": [source]}


def _contract(theme: str) -> dict[str, Any]:
    """Dbt properties of a wide mart: keys, then one documented column per indicator."""
    columns = [_key(name, meaning) for name, meaning in KEYS.items()]
    columns.extend(_column(row) for row in _seed("indicator") if row["theme"] == theme)
    model = {
        "name": f"mart_{theme}",
        "description": f"Indicateurs du thème « {theme} » : une ligne par zone et par édition.",
        "data_tests": [{"cle_unique": {"arguments": {"columns": list(KEYS)}}}],
        "columns": columns,
    }
    return {"version": 2, "models": [model]}


def _key(name: str, meaning: str) -> dict[str, Any]:
    unit = "année" if name == "vintage" else "code"
    meta = {"unit": unit, "formula": "tel que publié", "sources": ["indicator_value"]}
    return {"name": name, "data_type": "varchar", "description": meaning, "config": {"meta": meta}}


def _column(row: dict[str, str]) -> dict[str, Any]:
    meta = {
        "indicator": row["indicator_code"],
        "unit": row["unit"],
        "formula": row["formula"],
        "sources": row["source_datasets"].split(","),
    }
    return {
        "name": row["column_name"],
        "data_type": "double",
        "description": f"{row['libelle_fr']}. {row['definition_fr']}",
        "config": {"meta": meta},
    }


if __name__ == "__main__":
    for path, text in written().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
