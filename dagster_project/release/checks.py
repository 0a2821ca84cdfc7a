"""Every check of a build as one table: files received, expectations, tests; what each asks, and what it found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dagster_project.quality.report_model import DatasetInfo, DbtTest, QualityReport
from dagster_project.quality.results import ExpectationResult
from dagster_project.release.errors import ReleaseError

if TYPE_CHECKING:
    import pyarrow as pa

SEVERITY = {"critical": "bloquante", "warning": "avertissement", "info": "information"}
# What dbt's generic tests and ours demand, with their arguments.
DEMANDS = {
    "not_null": "La colonne « {column} » est toujours renseignée",
    "unique": "La colonne « {column} » ne porte jamais deux fois la même valeur",
    "accepted_values": "La colonne « {column} » ne prend que les valeurs {values}",
    "relationships": "Chaque « {column} » se retrouve dans « {field} » de {to}",
    "cle_unique": "Une seule ligne par {columns}",
    "aucune_ligne": "La table des anomalies est vide",
    "valeur_et_statut": "Une valeur est présente si, et seulement si, son statut le dit",
    "valeurs_bornees": "Une valeur reste entre les bornes de son indicateur",
    "cumuls_croissants": "En plus de temps, on n’atteint pas moins d’établissements",
    "partage_entier": "Les établissements partagés entre les habitants qui les atteignent le sont en entier",
    "reference_publiee": "Les totaux publiés ailleurs se retrouvent dans nos chiffres",
    "figures_sans_entree": "Chaque chiffre a des cellules sources",
    "recalcul_acces_emploi": "Les chiffres qui sont des sommes d’offres se recalculent à partir d’elles",
    "recalcul_par_les_entrees": "Chaque chiffre se recalcule à partir de ses cellules sources",
    "poids_des_generations": "Un quartier de 2015 ne donne pas plus que tous ses habitants à ceux de 2024",
    "chiffres_attendus": "Les chiffres calculés à la main se retrouvent",
}
Row = dict[str, Any]


def read_report(path: Path) -> QualityReport:
    """What was checked, from the data of the quality report; raises ReleaseError when it cannot be read."""
    try:
        return QualityReport.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ReleaseError(f"{path} does not exist: write the quality report before the release") from error
    except ValidationError as error:
        raise ReleaseError(f"{path} is not a quality report ({error}); write it again") from error


def checks_table(report: QualityReport, manifest: Mapping[str, Any]) -> pa.Table:
    """One row per check; see `contents.yml` for the columns.

    Args:
        report: what was checked in the build.
        manifest: what dbt parsed, for what its tests ask.
    """
    import pyarrow as pa

    rows = [row for dataset in report.datasets for row in _received(dataset)]
    rows += [_expectation(result) for result in report.expectations]
    nodes = {**manifest["nodes"], **manifest.get("unit_tests", {})}
    rows += [_dbt_test(test, nodes.get(test.unique_id, {})) for test in report.dbt_tests]
    kinds = {"passed": pa.bool_()}
    names = ("kind", "table", "file", "check", "severity", "passed", "observed", "reason")
    return pa.Table.from_pylist(rows, pa.schema([(name, kinds.get(name, pa.string())) for name in names]))


def _received(dataset: DatasetInfo) -> Iterator[Row]:
    for check in dataset.validations:
        yield {
            "kind": "fichier reçu",
            "table": dataset.id,
            "file": check.file,
            "check": check.name,
            "severity": "bloquante" if check.required else "avertissement",
            "passed": check.passed,
            "observed": check.message,
            "reason": f"Contrôle de réception : {check.name.replace('_', ' ')}",
        }


def _expectation(result: ExpectationResult) -> Row:
    return {
        "kind": "attente",
        "table": result.table,
        "file": None,
        "check": result.id,
        "severity": SEVERITY[result.severity],
        "passed": None if result.skipped else result.passed,
        "observed": None if result.skipped else result.error or result.observed,
        "reason": result.reason,
    }


def _dbt_test(test: DbtTest, node: Mapping[str, Any]) -> Row:
    skipped = test.status == "skipped"
    found = "" if test.failures is None else f"{test.failures} ligne{'s' if test.failures > 1 else ''} en défaut"
    return {
        "kind": "test unitaire" if test.kind == "unit" else "test",
        "table": test.model,
        "file": None,
        "check": test.name,
        "severity": "bloquante" if test.blocking else "avertissement",
        "passed": None if skipped else test.passed,
        "observed": None if skipped else found or test.message or test.status,
        "reason": _demand(node, test.name),
    }


def _demand(node: Mapping[str, Any], name: str) -> str:
    """What a test demands: its own description, else the sentence of its kind, else its name."""
    if node.get("description"):
        return str(node["description"])
    metadata = node.get("test_metadata") or {}
    given = metadata.get("kwargs", {})
    words = {key: ", ".join(map(str, value)) if isinstance(value, list) else value for key, value in given.items()}
    words["column"] = given.get("column_name")
    words["to"] = str(given.get("to", "")).removeprefix("ref('").removesuffix("')")
    return DEMANDS.get(metadata.get("name", ""), name).format_map(words)
