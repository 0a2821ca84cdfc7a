"""The demonstration release, audited as anyone may: recomputed, verified, explained, proven."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dagster_project.audit.explain.figure import Figure, load_figures
from dagster_project.audit.proof import build_proof, write_proof
from dagster_project.audit.recompute import recompute
from dagster_project.audit.release_folder import ReleaseFolder, open_release
from dagster_project.release import verifier_preuve
from scripts import explain_schema
from tests.draws import PROOFS
from tests.graph_runs import Finished

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def release(finished: Finished) -> ReleaseFolder:
    return open_release(finished.home.settings)


@pytest.fixture(scope="module")
def figures(release: ReleaseFolder) -> list[Figure]:
    """Figures drawn at random, but for those of statistical models, which no sum gives back."""
    with release.tables() as connection:
        proven = """
            select figure_id from indicator_value
            where method != 'M4' and dataset not in (select dataset from source_presence where not present)
            order by all
        """
        ids = [name for (name,) in connection.execute(proven).fetchall()]
        drawn = random.Random(3).sample(ids, PROOFS)  # noqa: S311 (a test's own draw)
        return list(load_figures(connection, drawn))


def test_every_figure_is_recomputed_from_the_archived_bytes(release: ReleaseFolder) -> None:
    result = recompute(release)
    assert [str(difference) for difference in result.differences] == []
    assert result.recomputed == result.figures - len(result.modelled) > 10_000
    assert set(result.by_method) == {"M0", "M1", "M2", "M3", "M4"}
    # Sums of offers are added as decimals by the chain: those of the audit agree, not always to the last digit.
    assert result.recomputed - result.by_method["M4"] < result.identical <= result.recomputed
    assert result.searched > 0, "the demonstration has zones that their files do not cover"


def test_the_command_finds_nothing_against_the_release(finished: Finished, tmp_path: Path) -> None:
    done = finished.home.dq("verify", "--json", "--sample", "200", "--report", str(tmp_path / "rapport.html"))
    assert done.code == 0, done.err
    content = done.json
    assert content["findings"] == 0
    *others, recomputed = content["chapters"]
    assert [chapter["notes"] for chapter in others] == [[]] * 4
    (modelled,) = recomputed["notes"]
    assert "chiffres de modèle, non recalculés" in modelled
    assert recomputed["counts"]["recalculés"] + int(modelled.split()[0]) == 200
    assert "Données fictives" in (tmp_path / "rapport.html").read_text(encoding="utf-8")


def test_a_thousand_figures_have_a_proof_that_gives_them_back(release: ReleaseFolder, figures: list[Figure]) -> None:
    assert len(figures) == PROOFS
    refused = {}
    for figure in figures:
        proof = build_proof(release, figure)
        assert proof["chiffre"]["valeur"] == figure.row["value"]
        if refusal := verifier_preuve.verifier(verifier_preuve.canonique(proof).encode()):
            refused[figure.row["figure_id"]] = refusal
    assert refused == {}


def test_the_released_program_checks_proofs_alone(
    release: ReleaseFolder, figures: list[Figure], tmp_path: Path
) -> None:
    """One figure of each status, with every source file that it cites read again from the archive."""
    by_status = {figure.row["status"]: figure for figure in figures}
    assert {"ok", "secret_primaire", "nd", "non_couvert"} <= by_status.keys()
    for status, figure in by_status.items():
        path = tmp_path / f"{status}.json"
        write_proof(path, build_proof(release, figure))
        sources = sorted({str(release.object_path(entry.cell["source_sha256"])) for entry in figure.inputs})
        command = [sys.executable, "-I", "-S", str(release.path / "verifier_preuve.py"), str(path)]
        command += [argument for source in sources for argument in ("--source", source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"PREUVE ACCEPTÉE : {figure.row['figure_id']}" in done.stdout
        assert verifier_preuve.FICTIF in done.stdout


def test_the_command_explains_a_figure_under_the_published_schema(finished: Finished, figures: list[Figure]) -> None:
    row = next(figure.row for figure in figures if figure.row["status"] == "ok" and figure.row["numerator"] is not None)
    asked = [row["indicator_code"], row["zone_code"], "--vintage", row["vintage"], "--level", row["zone_level"]]
    done = finished.home.dq("explain", *asked, "--json")
    assert done.code == 0, done.err
    content: dict[str, Any] = done.json
    jsonschema.validate(content, json.loads(explain_schema.SCHEMA.read_text(encoding="utf-8")))
    assert content["figure"]["figure_id"] == row["figure_id"]
    assert content["fictitious"] is True
    assert {entry["role"] for entry in content["inputs"]} >= {"numerator", "denominator", "key"}


def test_the_published_release_was_only_read(finished: Finished) -> None:
    finished.assert_untouched(finished.home)
