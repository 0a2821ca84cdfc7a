"""The proof of a figure: one small file that says from which cells it comes, and lets anyone do the sum again.

Keys and words are French: auditors read it. `verifier_preuve.py`, shipped in every release, checks it with nothing
but Python. The file is sealed: each section and each field has its digest, and all of it one seal.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dagster_project.audit.explain.figure import Figure, Input
from dagster_project.audit.release_folder import ReleaseFolder
from dagster_project.release.verifier_preuve import COMPTABLES, FICTIF, FORMAT, canonique, sceller
from dagster_project.text_files import replace_text

FILE_FIELDS = {
    "nom": "name",
    "sha256": "source_sha256",
    "taille": "size",
    "recu_le": "fetched_at",
    "adresse": "url",
    "copie": "copy_of",
    "producteur": "producer",
    "titre": "title",
    "citation": "citation",
    "licence": "licence",
    "licence_url": "licence_url",
    "page": "page",
}
READING_FIELDS = {
    "format": "format",
    "encodage": "encoding",
    "separateur": "delimiter",
    "ligne_entete": "header_row",
}

UNIT_FIELDS = {"code": "code", "poids": "weight", "fondement": "basis", "habitants": "population"}


class UnprovableFigureError(ValueError):
    """A figure that no sum of cells gives; the message says why."""


class ModelledFigureError(UnprovableFigureError):
    """A figure that a statistical model made has no proof by sums; its explanation names the model."""


class WithoutCellsError(UnprovableFigureError):
    """A figure whose source is not there has no cell to prove it by."""


def build_proof(release: ReleaseFolder, figure: Figure) -> dict[str, Any]:
    """The proof of a figure, sealed.

    Raises:
        ModelledFigureError: a statistical model made it.
        WithoutCellsError: its source is absent.
    """
    row, indicator = figure.row, figure.indicator
    if row["method"] == "M4":
        raise ModelledFigureError(
            f"{row['figure_id']} vient d’un modèle statistique : une preuve par le calcul n’en dit rien. "
            "« dq explain » en nomme le modèle, la version et les paramètres"
        )
    if not any(entry.cell["role"] in COMPTABLES for entry in figure.inputs):
        raise WithoutCellsError(
            f"{row['figure_id']} n’a pas de cellule : {figure.absent_source or 'la version ne dit pas pourquoi'}"
        )
    files: list[dict[str, Any]] = []
    # What only sets weights enters no sum: the proof states the weights.
    inputs = [entry for entry in figure.inputs if entry.cell["role"] != "weight"]
    for entry in inputs:
        if (file := _file(entry)) not in files:
            files.append(file)
    return sceller(
        {
            "format": FORMAT,
            "avertissement": FICTIF if release.fictitious else None,
            "version": {
                "identifiant": release.release_id,
                "construction": release.build_id,
                "sources": release.sources_kind,
                "territoire": release.territory,
            },
            "chiffre": {
                "cle": row["figure_id"],
                "indicateur": row["indicator_code"],
                "niveau": row["zone_level"],
                "zone": row["zone_code"],
                "nom_zone": figure.zone["name"],
                "generation": row["generation"],
                "edition": row["vintage"],
                "periode": row["reference_period"],
                "valeur": row["value"],
                "numerateur": row["numerator"],
                "denominateur": row["denominator"],
                "couverture": row["coverage"],
                "unite": row["unit"],
                "statut": row["status"],
                "methode": row["method"],
            },
            "definition": {
                "libelle": indicator["libelle_fr"],
                "definition": indicator["definition_fr"],
                "formule": indicator["formula"],
                "mesusage": indicator["mesusage_fr"],
            },
            "formule": {
                "chemin": _path(figure),
                "echelle": float(indicator["scale"]),
                "termes": [
                    {
                        "role": term.role,
                        "variable": term.variable,
                        "coefficient": term.coefficient,
                        "niveau_de_depart": figure.path.from_level,
                        "variable_de_base": term.base,
                    }
                    for term in figure.path.terms
                ],
            },
            "fichiers": files,
            "unites": [{name: unit[column] for name, column in UNIT_FIELDS.items()} for unit in figure.units],
            "entrees": [
                _entry(rank, entry, files.index(_file(entry)) + 1, row["zone_code"])
                for rank, entry in enumerate(inputs, start=1)
            ],
        }
    )


def write_proof(path: Path, proof: dict[str, Any]) -> None:
    """Write a proof in its canonical form."""
    replace_text(path, canonique(proof))


def _path(figure: Figure) -> str:
    if figure.path.terms[0].role != "value":
        return "rapport"
    return "somme d’unités" if figure.crossed else "valeur publiée"


def _file(entry: Input) -> dict[str, Any]:
    """An archived file, and how it is read."""
    file = entry.file
    described = {name: file.get(column) for name, column in FILE_FIELDS.items()}
    reading = {name: file.get(column) for name, column in READING_FIELDS.items()}
    return {**described, "sha256": entry.cell["source_sha256"], "lecture": reading}


def _entry(rank: int, entry: Input, file: int, zone: str) -> dict[str, Any]:
    cell = entry.cell
    absent = entry.status not in {None, "ok"}
    return {
        "numero": rank,
        "role": cell["role"],
        "terme": cell["term"],
        "variable": cell["variable"],
        "poids": cell["weight"],
        "jeu": cell["dataset"],
        "fichier": file,
        "membre": cell["source_member"],
        "ligne": cell["source_row"],
        "colonne": cell["source_column"],
        "texte": cell["raw_value"],
        "motif": {"statut": entry.status, "libelle": entry.reason} if absent else None,
        "recherche": {"colonne": entry.key_column, "code": zone} if absent and cell["source_row"] is None else None,
        "correction": _correction(entry),
    }


def _correction(entry: Input) -> dict[str, Any] | None:
    correction = entry.correction
    if correction is None:
        return None
    return {
        "identifiant": correction["correction_id"],
        "action": correction["action"],
        "valeur": correction["corrected_value"],
        "motif": correction["reason"],
        "signalee_par": correction["reported_by"],
        "signalee_le": correction["reported_on"],
    }
