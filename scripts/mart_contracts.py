"""Write the contracts of the wide marts from the indicator seed: `make contracts`.

The seed is the one place where an indicator is described; the YAML that dbt enforces and documents follows from
it. A test fails when the two differ.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from scripts.contract_style import styled

ROOT = Path(__file__).resolve().parent.parent
MARTS = ROOT / "dbt_models" / "models" / "marts"
KEYS = {
    "zone_level": "Niveau de la zone : QPV, ENSQPV, COM, EPCI, DEP, REG ou FRM.",
    "zone_code": "Code officiel de la zone.",
    "generation": "Génération des périmètres (QP2015, QN2024) ou COG pour les zones administratives.",
    "vintage": "Édition de la table source.",
}


def contract(theme: str, indicators: list[dict[str, str]]) -> dict[str, Any]:
    """Dbt properties of one wide mart: keys, then one documented column per indicator."""
    columns: list[dict[str, Any]] = [_key(name, meaning) for name, meaning in KEYS.items()]
    columns.extend(_column(row) for row in indicators)
    return {
        "version": 2,
        "models": [
            {
                "name": f"mart_{theme}",
                "description": f"Indicateurs du thème « {theme} » : une ligne par zone et par édition.",
                "data_tests": [{"cle_unique": {"arguments": {"columns": list(KEYS)}}}],
                "columns": columns,
            }
        ],
    }


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


def contracts() -> dict[Path, str]:
    """Path and text of every wide mart's contract."""
    with (ROOT / "seeds" / "indicator.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = {}
    for theme in dict.fromkeys(row["theme"] for row in rows):
        content = contract(theme, [row for row in rows if row["theme"] == theme])
        header = "# Written from seeds/indicator.csv by `make contracts`; edit the seed.\n"
        texts[MARTS / theme / f"mart_{theme}.yml"] = header + styled(content)
    return texts


if __name__ == "__main__":
    for path, text in contracts().items():
        path.write_text(text, encoding="utf-8")
