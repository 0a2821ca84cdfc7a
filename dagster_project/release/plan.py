"""Which tables a release holds, where they come from, and in which formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARTS = (
    "crosswalk",
    "dim_zone",
    "figure_component",
    "indicator_value",
    "mart_acces_emploi",
    "mart_affirmation",
    "mart_affirmation_circularite",
    "mart_affirmation_contre_exemple",
    "mart_affirmation_courbe",
    "mart_affirmation_moran",
    "mart_comparaison",
    "mart_couverture",
    "mart_emploi",
    "mart_emploi_histogramme",
    "mart_erreur_report",
    "mart_erreur_zone",
    "mart_indice_variante",
    "mart_mobilite",
    "mart_modele_parametre",
    "mart_non_recours",
    "mart_non_recours_ajustement",
    "mart_non_recours_calage",
    "mart_non_recours_detail",
    "mart_non_recours_incertitude",
    "mart_non_recours_profil",
    "mart_non_recours_profil_calibration",
    "mart_non_recours_profil_effet",
    "mart_non_recours_profil_zone",
    "mart_non_recours_verrou",
    "mart_offres_carte",
    "mart_offres_compte",
    "mart_population",
    "mart_reseau",
    "mart_revenus",
    "mart_sante",
    "mart_trajets_compte",
    "mart_vulnerabilite",
)
REFERENCE = (
    "absence",
    "c2s_national",
    "c2s_rule",
    "claim",
    "downscaling_benchmark",
    "downscaling_family",
    "edition_reference",
    "household_type",
    "indicator",
    "indicator_term",
    "known_break",
    "note_status",
    "secrecy_rule",
    "variable_column",
)
DERIVED = ("source_file", "source_presence", "corrections")
# Marts with a column for each indicator, one row per zone and edition.
BY_ZONE = (
    "mart_acces_emploi",
    "mart_couverture",
    "mart_emploi",
    "mart_mobilite",
    "mart_non_recours",
    "mart_population",
    "mart_revenus",
    "mart_sante",
)
# Released as Parquet alone: a CSV of them would weigh more than everything else together.
LINEAGE = {"crosswalk_input": "crosswalk_input", "figure_input": "lineage", "zone_input": "zone_input"}
FLAT = ("parquet", "csv")
WIDE = ("parquet", "csv", "json")


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


def plans(built: str, derived: Path) -> Iterator[Plan]:
    """Every table of a release that its build made, in a fixed order.

    Args:
        built: catalogue of what dbt built.
        derived: folder of derived Parquet files.
    """
    for mart in MARTS:
        yield Plan(mart, f"{built}.marts.{mart}", mart, WIDE if mart in BY_ZONE else FLAT, built)
    for mart, name in LINEAGE.items():
        yield Plan(name, f"{built}.marts.{mart}", mart, ("parquet",), built)
    for seed in REFERENCE:
        yield Plan(seed, f"{built}.reference.{seed}", seed, FLAT, built)
    for name in DERIVED:
        yield Plan(name, f"read_parquet('{derived / name}.parquet')", name, FLAT, built)


def checks_plan(built: str, relation: str) -> Plan:
    """The table of checks, which the quality report gives."""
    return Plan("checks", relation, "checks", FLAT, built)
