"""One byte of a source changes: the next run's comparison gives every changed figure that cause, and no other."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dagster_project.audit.diff.page import DATA, PAGE, TABLE
from tests.graph_runs import Finished, Home
from tests.mirror_files import read_table, set_cell

pytestmark = [pytest.mark.end_to_end, pytest.mark.xdist_group("graph")]

# A cell of a count that one figure publishes and that others divide by.
LINE, COLUMN = 5, "ABC"


def test_a_first_run_has_nothing_to_compare_with(finished: Finished) -> None:
    page = (finished.home.settings.reports_dir / PAGE).read_text(encoding="utf-8")
    assert f"La version {finished.home.release.name} est la première" in page


def test_a_byte_of_a_source_is_the_cause_of_all_that_it_changes(finished: Finished, tmp_path: Path) -> None:
    home = finished.copy(tmp_path / "home")
    old = home.release.name
    zone = change_one_byte(home.demo / "insee" / "IPRO_2021.csv")
    ran = home.dq("run", "--json")
    assert ran.code == 0, ran.err
    changes = pq.read_table(home.settings.reports_dir / TABLE).to_pylist()
    assert {row["figure_id"] for row in changes} == figures_of(home, zone)
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


def change_one_byte(path: Path) -> str:
    """Change the last digit of the cell; the zone of its row."""
    text = read_table(path)[LINE - 1][read_table(path)[0].index(COLUMN)]
    assert text[-1].isdigit(), "the row chosen must have a number there"
    set_cell(path, LINE, COLUMN, text[:-1] + ("1" if text.endswith("0") else "0"))
    return read_table(path)[LINE - 1][0]


def figures_of(home: Home, zone: str) -> set[str]:
    """Published figures that read the cell, as the lineage says."""
    lineage = pq.read_table(
        home.release / "lineage.parquet", filters=[("source_row", "=", LINE), ("source_column", "=", COLUMN)]
    )
    published = pq.read_table(home.release / "indicator_value.parquet", filters=[("status", "=", "ok")])
    return {
        figure
        for figure in set(lineage["figure_id"].to_pylist()) & set(published["figure_id"].to_pylist())
        if f".{zone}." in figure and figure.endswith(".2021")
    }
