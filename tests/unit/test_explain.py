"""`dq explain`: one figure, all that its release says of it, in French and as data."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import jsonschema
import pytest
from typer.testing import CliRunner

from dagster_project.audit.explain.assemble import explain
from dagster_project.audit.explain.context import models_of
from dagster_project.audit.explain.find import Asked, UnknownFigureError, find_figure
from dagster_project.audit.explain.layout import WIDTH
from dagster_project.audit.explain.model import Explanation
from dagster_project.audit.explain.text import render
from dagster_project.audit.release_folder import UnknownReleaseError, ask, open_release
from dagster_project.commands.app import app
from dagster_project.release import verifier_preuve
from dagster_project.settings import Settings
from scripts import explain_schema
from tests.release_samples import RELEASE_ID, SOURCE, Rows, Sample, copy_sample, figure_key, make_sample, sha

MODELS = {
    "stg_essai__taux": {"sql": "select 1 as stg", "code_version": "aaa", "depends_on": ["raw.essai_taux"]},
    "stg_autre": {"sql": "select 2", "code_version": "bbb", "depends_on": ["raw.autre"]},
    "obs_essai_taux": {"sql": "select 3", "code_version": "ccc", "depends_on": ["staging.stg_essai__taux"]},
    "obs_autre": {"sql": "select 4", "code_version": "ddd", "depends_on": ["staging.stg_autre", "raw.essai_zones"]},
    "observation": {"sql": "", "code_version": "e", "depends_on": ["x.obs_essai_taux", "x.obs_autre"]},
    "int_termes__essais": {"sql": "select 5", "code_version": "f", "depends_on": ["x.observation"]},
    "int_termes__autres": {"sql": "select 6", "code_version": "g", "depends_on": ["x.observation"]},
    "indicator_value": {
        "sql": "select 7",
        "code_version": "h",
        "depends_on": ["x.int_termes__essais", "x.int_termes__autres"],
    },
}
CHECKS = [
    {
        "kind": kind,
        "table": table,
        "file": file,
        "check": name,
        "severity": "bloquante",
        "passed": passed,
        "observed": "vu",
        "reason": "parce que",
    }
    for kind, table, file, name, passed in (
        ("attente", "essai_taux", None, "codes_connus", True),
        ("fichier reçu", "essai_taux", "TAUX_2021", "taille", True),
        ("fichier reçu", "essai_taux", "TAUX_1999", "taille", True),
        ("test", "indicator_value", None, "bornes", False),
        ("test", "autre_table", None, "hors_sujet", False),
    )
]


def complete(tables: dict[str, Rows]) -> None:
    """An earlier edition, a second zone that bears the same code, and what later releases add."""
    first = next(row for row in tables["indicator_value"] if row["figure_id"] == figure_key("TAUX", "QP001"))
    for vintage, level, value in (("2019", "QPV", 40.0), ("2023", "QPV", None), ("2021", "COM", 1.0)):
        key = f"TAUX.{level}.{'QP001' if level == 'QPV' else 'QP002'}.QP2015.{vintage}"
        zone = {"zone_level": level, "zone_code": key.split(".")[2]}
        status = "ok" if value is not None else "nd"
        tables["indicator_value"].append({**first, **zone, "vintage": vintage, "value": value, "figure_id": key,
                                          "status": status})  # fmt: skip
    tables["indicator_value"].sort(key=lambda row: row["figure_id"])
    tables["checks"] = CHECKS


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    sample = make_sample(tmp_path_factory.mktemp("release") / "home", complete)
    (sample.folder / "models.json").write_text(json.dumps(MODELS), encoding="utf-8")
    return sample


def explained(sample: Sample, *asked: str, **more: str) -> Explanation:
    with sample.release.tables() as connection:
        return explain(connection, sample.release, find_figure(connection, Asked(*asked, **more)))


def test_a_figure_names_its_cells_and_their_files(sample: Sample) -> None:
    explanation = explained(sample, "TAUX", "QP001", "2021")
    assert explanation.figure.value == 46.8
    assert explanation.figure.value_fr == "46,8\u202f%"
    assert explanation.figure.status_fr == "Valeur publiée"
    cell = explanation.inputs[0]
    assert (cell.file, cell.sha256, cell.row, cell.column) == ("taux.csv", sha(SOURCE), 2, "TX")
    assert (cell.raw_value, cell.value, cell.producer) == ("46,8", 46.8, "Institut d’essai")
    assert (cell.licence, cell.page) == ("Licence Ouverte 2.0", "https://example.org/essai")
    assert (cell.fetched_at, cell.copy_of_fr) == ("2026-01-01T08:30:00+00:00", "octets du producteur")
    assert [entry.role for entry in explanation.inputs] == ["value", "key", "zone", "zone_type"]


FORMULAS = {
    ("TAUX", "QP001"): ("tx", "46,8\u202f%"),
    ("TAUX", "QP002"): ("tx", "(secret primaire) = pas de valeur"),
    ("TAUX", "QP005"): ("tx", "(non couvert) = pas de valeur"),
    ("PART", "QP001"): ("100 × a / b", "100 × 1\u202f234 / 5\u202f000 = 24,68\u202f%"),
    ("PART", "QP002"): ("100 × a / b", "100 × 12 / 0 = pas de valeur"),
    ("ECART", "QP001"): ("(−a + b) / (2 × a)", "(−1\u202f234 + 5\u202f000) / (2 × 1\u202f234) ≈ 1,53\u202fratio"),
}


@pytest.mark.parametrize(("figure", "formula"), FORMULAS.items(), ids=str)
def test_the_formula_has_its_numbers_put_in(sample: Sample, figure: tuple[str, str], formula: tuple[str, str]) -> None:
    found = explained(sample, *figure, "2021", level="QPV").formula
    assert (found.symbolic, found.numeric) == formula


def test_an_absent_value_says_why(sample: Sample) -> None:
    secret = explained(sample, "TAUX", "QP002", level="QPV").inputs[0]
    assert (secret.status, secret.status_fr) == ("secret_primaire", "Effectif trop faible")
    absent = explained(sample, "TAUX", "QP005").inputs[0]
    assert (absent.row, absent.status, absent.file) == (None, "non_couvert", "taux.csv")


def test_a_corrected_cell_keeps_the_producers_text(sample: Sample) -> None:
    explanation = explained(sample, "TAUX", "QP004")
    assert (explanation.inputs[0].raw_value, explanation.inputs[0].value) == ("50", 60.0)
    assert [entry.correction_id for entry in explanation.corrections] == ["taux-qp004"]
    assert "Correction taux-qp004 (valeur remplacée par 60, colonne TX)" in render(explanation)


def test_the_latest_edition_that_has_a_value_is_taken(sample: Sample) -> None:
    explanation = explained(sample, "taux", "qp001")
    assert explanation.figure.vintage == "2021"
    assert [edition.vintage for edition in explanation.editions] == ["2019", "2021", "2023"]
    assert "2019\u00a0: 40\u202f%\u202f; 2023\u00a0: —" in render(explanation)
    assert explained(sample, "TAUX", "QP001", "2019").figure.value == 40.0


def test_comparisons_and_breaks(sample: Sample) -> None:
    explanation = explained(sample, "TAUX", "QP001")
    (comparison,) = explanation.comparisons
    assert (comparison.level, comparison.value, comparison.figure_id) == (
        "ENSQPV",
        30.0,
        figure_key("TAUX", "ENSEMBLE"),
    )
    assert [known.reason for known in explanation.breaks] == ["La définition a changé"]
    assert "écart +16,8" in render(explanation)


def test_only_the_models_that_it_went_through(sample: Sample) -> None:
    explanation = explained(sample, "TAUX", "QP001")
    names = [model.name for model in explanation.models]
    assert names == ["stg_essai__taux", "obs_essai_taux", "observation", "int_termes__essais", "indicator_value"]
    assert (explanation.models[0].sql, explanation.models[0].code_version) == ("select 1 as stg", "aaa")
    assert "select 1 as stg" in render(explanation, sql=True)
    assert "select 1 as stg" not in render(explanation)


@pytest.mark.parametrize(("bridge", "ending"), [("int_crosswalk__iris", "crosswalk"), ("int_report__iris", "reportes")])
def test_models_of_figures_made_of_other_units_are_known_by_their_names_of_then(bridge: str, ending: str) -> None:
    """A release made before these models took another name is told as its own program told it."""
    parents = {
        "stg_essai__taux": ["raw.essai_taux"],
        bridge: ["x.stg_essai__taux"],
        "int_termes__essais": ["x.stg_essai__taux"],
        f"int_termes__essais_{ending}": [f"x.{bridge}"],
        "int_termes__autres": ["x.stg_essai__taux"],
        "indicator_value": ["x.int_termes__essais", f"x.int_termes__essais_{ending}", "x.int_termes__autres"],
    }
    told = SimpleNamespace(json=lambda _: {name: {"depends_on": above} for name, above in parents.items()})
    cell = SimpleNamespace(cell={"dataset": "essai_taux"})

    def names(*, crossed: bool) -> list[str]:
        figure = SimpleNamespace(inputs=[cell], indicator={"theme": "essais"}, crossed=crossed)
        return [model.name for model in models_of(cast("Any", told), cast("Any", figure))[0]]

    assert names(crossed=True) == ["stg_essai__taux", bridge, f"int_termes__essais_{ending}", "indicator_value"]
    assert names(crossed=False) == ["stg_essai__taux", "int_termes__essais", "indicator_value"]


def test_models_may_be_a_list(sample: Sample, tmp_path: Path) -> None:
    other = copy_sample(sample, tmp_path / "home")
    listed = [
        {"name": name, "checksum": m["code_version"], **m, "compiled_sql": m["sql"]} for name, m in MODELS.items()
    ]
    for entry in listed:
        del entry["sql"], entry["code_version"]
    (other.folder / "models.json").write_text(json.dumps(listed), encoding="utf-8")
    assert explained(other, "TAUX", "QP001").models == explained(sample, "TAUX", "QP001").models


def test_only_the_checks_that_covered_it(sample: Sample) -> None:
    explanation = explained(sample, "TAUX", "QP001")
    assert [(check.table, check.check) for check in explanation.checks] == [
        ("essai_taux", "codes_connus"),
        ("essai_taux", "taille"),
        ("indicator_value", "bornes"),
    ]
    text = render(explanation)
    assert "attente\u00a0: 1 réussi sur 1" in text.replace(" :", "\u00a0:")
    assert "ÉCHEC indicator_value.bornes" in text


def test_what_a_release_does_not_hold_is_said(tmp_path: Path) -> None:
    bare = make_sample(tmp_path / "home")
    explanation = explained(bare, "TAUX", "QP001")
    notes = (explanation.models_note, explanation.checks_note)
    assert [name for name, note in zip(("models.json", "checks.parquet"), notes, strict=True)
            if name not in (note or "")] == []  # fmt: skip
    text = render(explanation)
    assert "ne contient pas models.json" in text
    assert "ne contient pas checks.parquet" in text


def test_the_run_is_told_from_the_lock(sample: Sample, tmp_path: Path) -> None:
    other = copy_sample(sample, tmp_path / "home")
    code = {"git_commit": "abc", "tree_clean": False, "code_digest": "d" * 64, "files": {}}
    lock = {"run_id": "run", "built_at": "2026-01-01T00:00:00Z", "build_id": "b", "code": code, "python": "3.12.1",
            "libraries": {"duckdb": "1.5.6"}, "settings": {"sources": "live", "territory": "france"}}  # fmt: skip
    (other.folder / "build.lock.json").write_text(json.dumps(lock), encoding="utf-8")
    explanation = explained(other, "TAUX", "QP001")
    assert (explanation.run.lock_file, explanation.run.git_commit) == ("build.lock.json", "abc")
    assert (explanation.release.sources, explanation.release.territory) == ("live", "france")
    assert "commit abc (modifié depuis)" in render(explanation)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"indicator": "TAU", "zone": "QP001"}, r"pas d’indicateur TAU .*\n  TAUX +Taux"),
        ({"indicator": "écarts", "zone": "QP001"}, r"\n  ECART +Écart"),
        ({"indicator": "ZZZZZZ", "zone": "QP001"}, r"indicator.csv"),
        ({"indicator": "TAUX", "zone": "QP01"}, r"pas de zone QP01 .*\n  QP001 +Quartier QP001"),
        ({"indicator": "TAUX", "zone": "quartier qp003"}, r"QP003"),
        ({"indicator": "TAUX", "zone": "QP003", "level": "COM"}, r"existe pour : .*QPV \(QP2015\)"),
        ({"indicator": "TAUX", "zone": "QP001", "vintage": "1999"}, r"Éditions présentes : 2019, 2021, 2023"),
        ({"indicator": "TAUX", "zone": "QP002"}, r"plusieurs zones : COM .*, QPV .*--level"),
    ],
)
def test_an_unknown_figure_says_what_comes_near(sample: Sample, asked: dict[str, str], said: str) -> None:
    with sample.release.tables() as connection, pytest.raises(UnknownFigureError, match=f"(?s){said}"):
        find_figure(connection, Asked(**asked))


def test_the_published_schema_is_that_of_the_model() -> None:
    assert explain_schema.SCHEMA.read_text(encoding="utf-8") == explain_schema.text(), "run scripts/explain_schema.py"


def schema() -> Any:
    return json.loads(explain_schema.SCHEMA.read_text(encoding="utf-8"))


runner = CliRunner()


def dq(sample: Sample, *arguments: str) -> Any:
    return runner.invoke(app, list(arguments), env={"DQ_HOME": str(sample.home)})


def test_the_command_answers_as_text_as_data_and_as_proof(sample: Sample, tmp_path: Path) -> None:
    text = dq(sample, "explain", "PART", "QP001")
    assert text.exit_code == 0
    assert "100 × 1\u202f234 / 5\u202f000 = 24,68\u202f%" in text.stdout
    assert "espaces rendues visibles\u00a0: 1[U+202F]234" in text.stdout
    assert [line for line in text.stdout.splitlines() if len(line) > WIDTH] == []
    proof = tmp_path / "preuve.json"
    data = dq(sample, "explain", "PART", "QP001", "--json", "--proof", str(proof))
    content = json.loads(data.stdout)
    jsonschema.validate(content, schema(), cls=jsonschema.Draft202012Validator)
    assert (content["figure"]["value"], content["release"]["release_id"]) == (24.68, RELEASE_ID)
    assert verifier_preuve.verifier(proof.read_bytes()) == []
    assert "Preuve écrite" in data.stderr


def test_the_command_fails_in_french(sample: Sample, tmp_path: Path) -> None:
    unknown = dq(sample, "explain", "TAUX", "QP01")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "Qui s’en approche" in unknown.stderr
    assert dq(sample, "explain", "TAUX", "QP001", "--release", "autre").exit_code == 1
    assert dq(Sample(tmp_path), "explain", "TAUX", "QP001").exit_code == 1


def test_a_release_is_found_by_its_name_or_its_folder(sample: Sample, tmp_path: Path) -> None:
    found = {open_release(sample.settings, name).path for name in (None, RELEASE_ID, str(sample.folder))}
    assert found == {sample.folder.resolve()}
    assert open_release(Settings(home=tmp_path), str(sample.folder)).archive == (sample.home / "archive").resolve()
    with pytest.raises(UnknownReleaseError, match=f"Versions présentes : {RELEASE_ID}"):
        open_release(sample.settings, "autre")
    with pytest.raises(UnknownReleaseError, match="dq run"):
        open_release(Settings(home=tmp_path))
    (tmp_path / "vide").mkdir()
    with pytest.raises(UnknownReleaseError, match=r"pas de build\.lock\.json"):
        open_release(sample.settings, str(tmp_path / "vide"))
    partial = copy_sample(sample, tmp_path / "home").folder
    (partial / "lineage.parquet").unlink()
    with pytest.raises(UnknownReleaseError, match=r"lineage\.parquet"):
        open_release(sample.settings, str(partial))


def test_text_in_a_query_cannot_leave_its_quotes(sample: Sample) -> None:
    with sample.release.tables() as connection:
        asked = "'; select 1 --"
        assert ask(connection, "select ?, ?, ?", [asked, None, ["a'b", "c"]]).fetchall() == [
            (asked, None, ["a'b", "c"])
        ]
        with pytest.raises(ValueError, match="2 places for 1"):
            ask(connection, "select ?, ?", [1])
