"""One byte of a source changes: the next run's comparison gives every changed figure that cause, and no other."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from dagster_project.audit.diff.page import DATA, PAGE, TABLE
from tests.graph_runs import CHANGED_COLUMN, CHANGED_LINE, Changed, Finished, Home

pytestmark = pytest.mark.end_to_end


def test_a_first_run_has_nothing_to_compare_with(finished: Finished) -> None:
    page = (finished.home.settings.reports_dir / PAGE).read_text(encoding="utf-8")
    assert f"La version {finished.home.release.name} est la première" in page


def test_a_byte_of_a_source_is_the_cause_of_all_that_it_changes(finished: Finished, changed: Changed) -> None:
    home, ran, old = changed.home, changed.ran, finished.home.release.name
    assert ran.code == 0, ran.err
    changes = pq.read_table(home.settings.reports_dir / TABLE).to_pylist()
    assert {row["figure_id"] for row in changes} == figures_of(home, changed.zone)
    for row in changes:
        assert (row["main_cause"], row["causes"]) == ("vintage", ["vintage"]), row["figure_id"]
        assert row["due_vintage"] == row["difference"], row["figure_id"]
        assert row["change"] == "valeur", row["figure_id"]
    summary = json.loads((home.settings.reports_dir / DATA).read_text(encoding="utf-8"))
    assert (summary["before"]["release_id"], summary["after"]["release_id"]) == (old, home.release.name)
    assert (summary["changed"], summary["residual"], summary["program_differences"]) == (len(changes), 0, [])
    audit = json.loads(
        (home.settings.reports_dir / "audits" / f"{ran.json['run_id']}.json").read_text(encoding="utf-8")
    )
    assert f"{len(changes)} chiffres : valeur modifiée." in audit["changes"]
    assert home.dq("release", "diff", old, "current", "--json", "--fail-on-residual").json == summary


def figures_of(home: Home, zone: str) -> set[str]:
    """Published figures that read the cell, as the lineage says."""
    cell = [("source_row", "=", CHANGED_LINE), ("source_column", "=", CHANGED_COLUMN)]
    lineage = pq.read_table(home.release / "lineage.parquet", filters=cell)
    published = pq.read_table(home.release / "indicator_value.parquet", filters=[("status", "=", "ok")])
    return {
        figure
        for figure in set(lineage["figure_id"].to_pylist()) & set(published["figure_id"].to_pylist())
        if f".{zone}." in figure and figure.endswith(".2021")
    }
