"""The quality report: what it says, and that it opens anywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from dagster_project.quality.report import build_report
from dagster_project.quality.report_inputs import ReportInputError, dataset_infos, dbt_tests
from dagster_project.quality.report_model import (
    DatasetInfo,
    DbtTest,
    QualityReport,
    RejectInfo,
    RunInfo,
    SourceFileInfo,
    ValidationInfo,
)
from dagster_project.quality.results import ExpectationResult
from dagster_project.sources.catalogue import load_catalogue
from tests.browser import offline_browser


def expectation(**changes: object) -> ExpectationResult:
    return ExpectationResult.model_validate(
        {
            "suite": "insee_revn",
            "table": "insee_revn",
            "id": "taux-plausible",
            "type": "expect_column_values_to_be_between",
            "severity": "critical",
            "reason": "Un taux de pauvreté va de 5 à 95 %.",
            "passed": True,
            "observed": "0 ligne contraire sur 24 (0 %)",
            "kwargs": {"column": "taux", "min_value": 5},
            **changes,
        }
    )


FAILED = expectation(
    passed=False,
    observed="1 ligne contraire sur 24 (4,17 %)",
    failing_rows=[{"taux": 468.0, "_vintage": "2021", "_source_row": 4, "LIBGEO": "<b>Pré & Cité</b>", "X": None}],
)


def report(**changes: object) -> QualityReport:
    dataset = DatasetInfo(
        id="insee_revn",
        title="Revenus des quartiers",
        producer="INSEE",
        page="https://www.insee.fr/",
        licence="Licence Ouverte 2.0",
        licence_url="https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
        citation="Insee, table Revenus.",
        rows=96,
        sources=[
            SourceFileInfo(
                name="REVN_2021.csv",
                vintage="2021",
                sha256="ab" * 32,
                size=1_234_567,
                fetched_at="2026-11-23T23:26:15+00:00",
                origin="demo",
                url="mirror:insee/REVN_2021.csv",
            )
        ],
        validations=[ValidationInfo(file="REVN_2021", name="signature", passed=True, required=True, message="Bien.")],
    )
    content = {
        "run": RunInfo(
            run_id="r1", built_at="2026-11-23T23:30:00+00:00", real=True, sources="mirror", territory="west"
        ),
        "datasets": [dataset],
        "expectations": [expectation()],
        "dbt_tests": [],
    }
    return QualityReport.model_validate({**content, **changes})


def page(tmp_path: Path, made: QualityReport) -> str:
    build_report(tmp_path / "qualite.html", made)
    return (tmp_path / "qualite.html").read_text(encoding="utf-8")


def test_when_all_is_well(tmp_path):
    text = page(tmp_path, report())
    assert "Conforme" in text
    assert "Ce qui a échoué" not in text
    assert "fictives" not in text
    assert "1,2\u202fMo" in text
    assert "abababababab" in text
    assert "23/11/2026 à 23\u202fh\u202f26 (UTC)" in text


def test_a_failing_row_is_shown_and_its_text_cannot_become_markup(tmp_path):
    summary = build_report(tmp_path / "q.html", report(expectations=[FAILED]))
    text = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert summary["verdict"] == "bloque"
    assert (summary["bloquants"], summary["avertissements"]) == (1, 0)
    assert "&lt;b&gt;Pré &amp; Cité&lt;/b&gt;" in text
    assert "<b>Pré" not in text
    assert "<td>468</td>" in text
    assert 'id="insee_revn--taux-plausible"' in text
    assert 'href="#insee_revn--taux-plausible"' in text


def test_warnings_do_not_block(tmp_path):
    made = report(expectations=[FAILED.model_copy(update={"severity": "warning"})])
    assert made.verdict == "avertissements"
    assert "Publiable, avec des avertissements" in page(tmp_path, made)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"required": True}, "bloque"),
        ({"required": False}, "avertissements"),
    ],
)
def test_a_failed_file_check(changes, verdict, tmp_path):
    made = report()
    made.datasets[0].validations.append(
        ValidationInfo(file="REVN_2021", name="variation_taille", passed=False, message="+40 %", **changes)
    )
    assert made.verdict == verdict
    assert "+40 %" in page(tmp_path, made)


def test_fictitious_data_are_said_to_be_so(tmp_path):
    made = report()
    made.run.real = False
    assert "Données fictives" in page(tmp_path, made)


def test_rejects_and_marts_and_dbt_tests_appear(tmp_path):
    made = report(
        expectations=[expectation(table="indicator_value", suite="indicator_value"), FAILED],
        dbt_tests=[
            DbtTest(
                unique_id="test.x.cle",
                name="cle_unique",
                model="dim_zone",
                kind="data",
                status="fail",
                blocking=True,
                failures=2,
                failing_rows=[{"zone_code": "QP096001", "n_rows": 2}],
            )
        ],
    )
    made.datasets[0].reject_count = 1
    made.datasets[0].rejects = [RejectInfo(file="REVN_2021.csv", row=12, reason="cellule de trop", content="a;b;c")]
    text = page(tmp_path, made)
    assert "Table publiée <code>indicator_value</code>" in text
    assert "cellule de trop" in text
    assert "QP096001" in text
    assert made.verdict == "bloque"


def test_the_data_are_written_beside_the_page(tmp_path):
    made = report(expectations=[FAILED])
    build_report(tmp_path / "qualite.html", made)
    assert QualityReport.model_validate_json((tmp_path / "qualite.json").read_text(encoding="utf-8")) == made


def test_the_page_loads_nothing_and_is_well_structured(tmp_path):
    text = page(tmp_path, report(expectations=[FAILED]))
    assert '<html lang="fr">' in text
    assert text.count("<h1>") == 1
    assert "<script" not in text
    assert re.findall(r"""(?:src|srcset|data)=["'](?!data:)""", text) == []
    assert re.findall(r"<link(?![^>]*href=\"data:)", text) == []
    identifiers = re.findall(r'\bid="([^"]+)"', text)
    assert len(identifiers) == len(set(identifiers))
    targets = set(re.findall(r'href="#([^"]+)"', text))
    assert targets <= set(identifiers)


def test_datasets_are_described_from_their_raw_manifest(tmp_path):
    dataset = load_catalogue()["insee_cog_regions"]
    part = {"name": "regions.csv", "key": "k", "sha256": "0" * 64, "size": 10, "url": "mirror:x"}
    manifest = {
        "rows": 2,
        "rejects": 1,
        "files": [
            {"vintage": "2024", "parts": [{**part, "fetched_at": "2026-11-23T23:26:15+00:00", "origin": "demo"}]}
        ],
        "validations": [
            {"file": "F", "name": "signature", "passed": True, "required": True, "message": "Bien.", "details": {}}
        ],
    }
    (tmp_path / f"{dataset.id}.json").write_text(json.dumps(manifest), encoding="utf-8")
    with duckdb.connect() as db:
        db.execute(f"""
            copy (select '2024' as vintage, 'F' as file, 'regions.csv' as source_member, 3::bigint as row,
                'trop de cellules' as reason, 'a,b' as content)
            to '{tmp_path}/{dataset.id}.rejects.parquet' (format parquet)
        """)
    (made,) = dataset_infos(tmp_path, load_catalogue().values())
    assert (made.id, made.producer, made.rows) == (dataset.id, dataset.origin.producer, 2)
    assert made.rejects == [RejectInfo(file="regions.csv", row=3, reason="trop de cellules", content="a,b")]


def test_dbt_results_are_read_with_their_severity(tmp_path):
    node = {"name": "cle_unique_dim_zone", "attached_node": "model.dq.dim_zone", "config": {"severity": "WARN"}}
    unit = {"name": "division_par_zero", "model": "indicateurs", "config": {}}
    manifest = {"nodes": {"test.dq.cle.1": node}, "unit_tests": {"unit_test.dq.m.division": unit}}
    results = [
        {"unique_id": "unit_test.dq.m.division", "status": "fail", "failures": 1, "message": "actual differs"},
        {"unique_id": "model.dq.dim_zone", "status": "success"},
        {"unique_id": "test.dq.cle.1", "status": "warn", "failures": 3, "message": "Got 3 results"},
    ]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (tmp_path / "run_results.json").write_text(json.dumps({"results": results}), encoding="utf-8")
    data, tested = dbt_tests(
        [tmp_path / "run_results.json"], tmp_path / "manifest.json", {"test.dq.cle.1": [{"zone_code": "QP096001"}]}
    )
    assert (data.model, data.status, data.blocking, data.failures) == ("dim_zone", "warn", False, 3)
    assert data.failing_rows == [{"zone_code": "QP096001"}]
    assert (tested.kind, tested.model, tested.status, tested.blocking) == ("unit", "indicateurs", "fail", True)


@pytest.mark.parametrize("played", [True, False], ids=["played in this run", "kept from an earlier one"])
def test_the_report_is_the_same_whenever_unit_tests_were_played(tmp_path, played):
    units = [{"unique_id": f"unit_test.dq.m.{name}", "status": "pass", "failures": 0, "message": None} for name in "ab"]
    data = {"unique_id": "test.dq.z.1", "status": "pass", "failures": 0, "message": None}
    contents = {
        "manifest.json": {"nodes": {}, "unit_tests": {}},
        "run_results.json": {"results": [data, *reversed(units)] if played else [data]},
        "kept.json": {"code": "c", "results": units},
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    tests = dbt_tests([tmp_path / "run_results.json", tmp_path / "kept.json"], tmp_path / "manifest.json")
    assert [test.unique_id for test in tests] == ["test.dq.z.1", "unit_test.dq.m.a", "unit_test.dq.m.b"]


def test_a_missing_input_says_what_to_run(tmp_path):
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ReportInputError, match=r"run_results\.json does not exist"):
        dbt_tests([tmp_path / "run_results.json"], tmp_path / "manifest.json")


@pytest.mark.browser
def test_the_page_opens_offline_and_shows_a_failing_row(tmp_path):
    build_report(tmp_path / "qualite.html", report(expectations=[FAILED]))
    with offline_browser() as visit:
        opened = visit.open(tmp_path / "qualite.html")
        row = opened.get_by_role("region", name="Lignes en échec : taux-plausible")
        assert row.is_visible()
        assert "Pré & Cité" in row.inner_text()
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page scrolls sideways"
    assert visit.asked == []
    assert visit.errors == []
