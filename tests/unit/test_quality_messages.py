"""What a person reads when a table is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dagster_project.quality.messages import refusals
from dagster_project.quality.results import ExpectationResult
from dagster_project.quality.suites import Suite, load_suites
from tests.failures import none_of

SUITE = load_suites()["insee_revn"]
RULE = next(rule for rule in SUITE.expectations if rule.id == "taux-de-pauvrete-plausible")
ROW = {
    "taux_pauvrete": 468.0,
    "_vintage": "2021",
    "_source_member": "REVN_2021.csv",
    "_source_row": 5,
    "CODGEO": "QP096004",
    "LIBGEO": "Le Pré",
    "TP60": "468",
}


def failed(**found: Any) -> ExpectationResult:
    known = {
        "suite": SUITE.name,
        "table": SUITE.table,
        **RULE.model_dump(include={"id", "type", "severity", "reason", "kwargs"}),
        "passed": False,
        "observed": "1 ligne contraire sur 97",
    }
    return ExpectationResult(**{**known, **found})


def test_the_rule_the_row_and_what_to_do_are_named() -> None:
    rule, row, advice = refusals(SUITE, [failed(unexpected_count=1, failing_rows=[ROW])]).splitlines()
    assert rule == f"taux-de-pauvrete-plausible : 1 ligne contraire sur 97. {RULE.reason}"
    assert row == ("    REVN_2021.csv ligne 5, CODGEO QP096004, LIBGEO Le Pré : taux_pauvrete = nombre(TP60) = 468")
    assert advice.startswith("Que faire : ")
    assert advice.endswith("expectations/insee_revn.json.")


def test_a_few_rows_are_shown_and_the_others_counted() -> None:
    text = refusals(SUITE, [failed(unexpected_count=1234, failing_rows=[ROW] * 20)])
    assert text.count("REVN_2021.csv ligne 5") == 3
    assert "… et 1\u202f231 autres" in text


def test_a_rule_that_cannot_be_evaluated_says_why() -> None:
    text = refusals(SUITE, [failed(observed="non évaluable", error="TP60 : colonne absente de la table")])
    assert "taux-de-pauvrete-plausible : TP60 : colonne absente de la table." in text


def test_an_empty_cell_is_said_to_be_empty() -> None:
    text = refusals(SUITE, [failed(unexpected_count=1, failing_rows=[{**ROW, "taux_pauvrete": None}])])
    assert "taux_pauvrete = nombre(TP60) = vide" in text


def test_the_advice_names_the_suite() -> None:
    def wrong(suite: Suite) -> Iterator[str]:
        rule = suite.expectations[0]
        result = failed(**rule.model_dump(include={"id", "type", "severity", "reason", "kwargs"}))
        if f"expectations/{suite.name}.json" not in (text := refusals(suite, [result])):
            yield text

    none_of(f"{name}: {what}" for name, suite in load_suites().items() for what in wrong(suite))


def test_nothing_is_said_of_what_holds() -> None:
    assert refusals(SUITE, []) == ""
