"""The audit page says what was refused and what left no trace; nothing of it needs a network."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dagster_project.quality.run_page import Audit, Check, Input, Step, write_audit


def audit(**changed: Any) -> Audit:
    content: dict[str, Any] = {
        "run_id": "run-1",
        "started_at": "2026-01-02T01:30:00+00:00",
        "ended_at": "2026-01-02T01:31:00+00:00",
        "succeeded": True,
        "sources": "mirror",
        "territory": "west",
        "real": True,
        "code_version": "abc",
        "released": "20260102T013000Z-aaaa",
        "current": "20260102T013000Z-aaaa",
        "steps": [Step(name="raw__insee_revn", status="reussie", seconds=1.5)],
        "inputs": [Input(dataset="insee_revn", data_version="f" * 64, rows=1404, rejects=0, new_bytes=True)],
        "checks": [Check(asset="raw/insee_revn", name="validations_critiques", blocking=True, passed=True)],
    }
    return Audit(**{**content, **changed})


def page(tmp_path: Path, **changed: Any) -> str:
    return write_audit(tmp_path, audit(**changed)).read_text(encoding="utf-8")


def text(html: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).split())


def test_a_good_run_says_what_it_published(tmp_path: Path) -> None:
    shown = text(page(tmp_path))
    assert "la version 20260102T013000Z-aaaa est publiée" in shown
    assert "aucune étape n’a échoué" in shown
    assert "1 contrôles étaient prévus ; 1 ont été exécutés, dont 0 refusé." in shown
    assert "Bretagne et Pays de la Loire" in shown
    assert "fictives" not in shown


def test_the_demonstration_says_that_it_is_fictitious(tmp_path: Path) -> None:
    assert "Données fictives" in page(tmp_path, real=False, sources="demo")


def test_a_refusal_is_told_with_its_reason(tmp_path: Path) -> None:
    step = Step(name="dbt_models", status="echouee", error="clé en double : QP096001 <2 lignes>")
    check = Check(asset="marts/dim_zone", name="unique", blocking=True, passed=False, description="2 résultats")
    shown = page(tmp_path, succeeded=False, released=None, steps=[step], checks=[check])
    assert "rien n’a été publié" in text(shown)
    assert "clé en double : QP096001 &lt;2 lignes&gt;" in shown
    assert "2 résultats" in shown


def test_a_check_without_a_trace_is_named(tmp_path: Path) -> None:
    shown = text(page(tmp_path, checks=[Check(asset="marts/dim_zone", name="muet")]))
    assert "1 n’ont laissé aucune trace" in shown
    assert "marts/dim_zone, muet" in shown


def test_an_unchanged_run_says_so(tmp_path: Path) -> None:
    assert "rien n’avait changé" in text(page(tmp_path, released=None))


def test_changes_are_listed(tmp_path: Path) -> None:
    assert "3 chiffres changés par une nouvelle édition" in page(
        tmp_path, changes=["3 chiffres changés par une nouvelle édition"]
    )


@pytest.mark.parametrize("name", ["audit.html", "audits/run-1.html"])
def test_pages_load_nothing_and_have_their_data_beside(tmp_path: Path, name: str) -> None:
    write_audit(tmp_path, audit())
    html = (tmp_path / name).read_text(encoding="utf-8")
    assert re.findall(r"(?:src|href)=\"(?!#|data:)[^\"]+", html) == []
    assert json.loads((tmp_path / "audits" / "run-1.json").read_text(encoding="utf-8"))["run_id"] == "run-1"
