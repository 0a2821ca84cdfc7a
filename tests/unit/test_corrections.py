"""Declared corrections: what is accepted, what they become, and when their guard fails."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.quality.corrections import (
    CorrectionError,
    check_guards,
    corrections_table,
    load_corrections,
)
from dagster_project.sources.catalogue import load_catalogue

CATALOGUE = load_catalogue()
DATASET = CATALOGUE["anct_analyse_qpv"]

OVERRIDE = """corrections:
  - id: population-fausse
    dataset: anct_analyse_qpv
    vintage: "2024"
    column: popMuniQPV
    zones: [QN09601M, QN09602M]
    action: override
    value: 3100
    reason: La population publiée est celle du quartier voisin ; la bonne est dans la table des populations.
    reported_by: contrôle des doublons
    reported_on: 2026-01-15
    expect: {cells: "1296"}
"""


def write(folder: Path, text: str) -> Path:
    (folder / "essai.yml").write_text(text, encoding="utf-8")
    return folder


def raw(path: Path, cells: list[tuple[str, str, str]]) -> Path:
    rows = ", ".join(
        f"('{zone}', '{cell}', '{code}', '2024', {row})" for row, (zone, cell, code) in enumerate(cells, 2)
    )
    with duckdb.connect() as connection:
        connection.execute(
            f"""copy (select * from (values {rows}) as t ("codeQPV", "popMuniQPV", "COG", _vintage, _source_row))
            to '{path}' (format parquet)"""
        )
    return path


def test_the_committed_corrections_are_well_formed() -> None:
    found = {entry.id: entry for entry in load_corrections(CATALOGUE)}
    assert found["lannion-population-repetee"].zones == ("QN02201M", "QN02202M")
    assert (found["codes-communes-sans-zero"].action, found["codes-communes-sans-zero"].width) == ("pad", 5)


def test_a_correction_becomes_a_row_per_zone(tmp_path: Path) -> None:
    rows = corrections_table(load_corrections(CATALOGUE, write(tmp_path, OVERRIDE)), CATALOGUE).to_pylist()
    assert [(row["zone_code"], row["source_column"], row["action"], row["corrected_value"]) for row in rows] == [
        ("QN09601M", "popMuniQPV", "override", 3100.0),
        ("QN09602M", "popMuniQPV", "override", 3100.0),
    ]
    assert rows[0]["reported_on"] == "2026-01-15"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("action: override", "action: overide"), "action"),
        (("    value: 3100\n", ""), "`value` goes with"),
        (("zones: [QN09601M, QN09602M]", "zones: []"), "zones"),
        (('expect: {cells: "1296"}', "expect: {}"), "either `cells`"),
        (('vintage: "2024"', 'vintage: "2031"'), "anct_analyse_qpv 2031"),
        (("dataset: anct_analyse_qpv", "dataset: anct_inconnu"), "anct_inconnu"),
        (("    value: 3100\n", "    value: 3100\n    colour: red\n"), "colour"),
        (("corrections:", "correction:"), "corrections"),
    ],
)
def test_a_malformed_correction_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(CorrectionError, match=message) as error:
        load_corrections(CATALOGUE, write(tmp_path, OVERRIDE.replace(*change)))
    assert "essai.yml" in str(error.value)


def test_an_id_is_used_once(tmp_path: Path) -> None:
    twice = OVERRIDE + OVERRIDE.removeprefix("corrections:\n")
    with pytest.raises(CorrectionError, match="used twice"):
        load_corrections(CATALOGUE, write(tmp_path, twice))


@pytest.mark.parametrize(
    ("cells", "holds", "said"),
    [
        ([("QN09601M", "1296", "1053"), ("QN09602M", "1296", "1053")], True, "2 cellules"),
        ([("QN09601M", "1296", "1053"), ("QN09602M", "3102", "1053")], False, "QN09602M, ligne 3 : « 3102 »"),
        ([("QN09601M", "1296", "1053")], False, "absents du fichier : QN09602M"),
    ],
)
def test_a_guard_fails_once_the_error_is_mended(
    tmp_path: Path, cells: list[tuple[str, str, str]], holds: bool, said: str
) -> None:
    corrections = load_corrections(CATALOGUE, write(tmp_path, OVERRIDE))
    (guard,) = check_guards(DATASET, raw(tmp_path / "raw.parquet", cells), corrections)
    assert guard.holds is holds
    assert said in guard.observed


@pytest.mark.parametrize(("code", "holds"), [("1053", True), ("01053", False)])
def test_a_pattern_guard_fails_once_no_cell_has_it(tmp_path: Path, code: str, holds: bool) -> None:
    entry = next(entry for entry in load_corrections(CATALOGUE) if entry.action == "pad")
    (guard,) = check_guards(DATASET, raw(tmp_path / "raw.parquet", [("QN09601M", "12", code)]), [entry])
    assert guard.holds is holds


def test_other_datasets_are_left_aside(tmp_path: Path) -> None:
    assert check_guards(CATALOGUE["insee_revn"], tmp_path / "absent.parquet", load_corrections(CATALOGUE)) == []


@pytest.mark.real_data
def test_the_real_files_still_carry_every_declared_error(real_data: Path, tmp_path: Path) -> None:
    from dagster_project.settings import Settings
    from dagster_project.sources.raw import build_raw

    settings = Settings(home=tmp_path / "home", sources="mirror", mirror=str(real_data))
    corrections = load_corrections(CATALOGUE)
    for dataset in {entry.dataset for entry in corrections}:
        path = build_raw(CATALOGUE[dataset], settings).path
        assert [g.observed for g in check_guards(CATALOGUE[dataset], path, corrections) if not g.holds] == []
