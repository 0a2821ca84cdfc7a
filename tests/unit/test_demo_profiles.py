"""The demonstration's file of C2S profiles: under the convention, and with effects that the model finds."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dagster_project.demo_territory import c2s_profiles
from dagster_project.demo_territory.secrecy import least_shown
from dagster_project.models.nonrecours.profils.parameters import MODALITIES
from dagster_project.sources.catalogue import load_catalogue
from tests.profile_grounds import SCHEMA, estimated

Row = dict[str, str]


def read(content: bytes, delimiter: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))


@pytest.fixture(scope="module")
def files(demo_world: Callable[[int], Path]) -> dict[str, list[Row]]:
    mirror = demo_world(7)
    return {
        path: read((mirror / path).read_bytes(), delimiter)
        for path, delimiter in ((c2s_profiles.PATH, ";"), (c2s_profiles.TRUTH_PATH, ","))
    }


@pytest.fixture(scope="module")
def cells(files: dict[str, list[Row]]) -> pa.Table:
    rows: list[dict[str, Any]] = [
        row | {name: None if row[name] == "ns" else int(row[name]) for name in ("n_eligibles", "n_beneficiaires")}
        for row in files[c2s_profiles.PATH]
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


def test_its_lists_are_those_of_the_convention_and_of_the_model() -> None:
    columns = {column.name: column.values for column in load_catalogue()["partenaire_c2s_profils"].columns}
    for name, modalities in MODALITIES.items():
        assert set(modalities) == set(columns[name]) == set(c2s_profiles.EFFECTS[name])
    assert tuple(columns) == c2s_profiles.COLUMNS


def test_each_qpv_of_2015_has_every_profile(files: dict[str, list[Row]]) -> None:
    rows = files[c2s_profiles.PATH]
    zones = {row["code_zone"] for row in rows}
    assert len(rows) == len(zones) * len(c2s_profiles.PROFILES)
    assert {(row["generation"], row["annee"]) for row in rows} == {("QP2015", "2021")}
    assert {row["modality"] for row in files[c2s_profiles.TRUTH_PATH] if row["term"] == "zone"} == zones


def test_counts_are_those_that_may_be_delivered(files: dict[str, list[Row]]) -> None:
    counts = [row[name] for row in files[c2s_profiles.PATH] for name in ("n_eligibles", "n_beneficiaires")]
    assert "ns" in counts
    assert "0" in counts
    assert min(int(count) for count in counts if count not in ("ns", "0")) == least_shown("partenaire_c2s_profils")


def test_the_model_finds_the_true_effects(files: dict[str, list[Row]], cells: pa.Table) -> None:
    truth = {(row["term"], row["modality"]): float(row["coefficient"]) for row in files[c2s_profiles.TRUTH_PATH]}
    found = estimated(cells, masked_below=least_shown("partenaire_c2s_profils"))
    held = []
    for row in found["effet"].to_pylist():
        if row["ci_low"] is not None:
            true = truth[row["term"], row["modality"]]
            assert row["coefficient"] == pytest.approx(true, abs=0.35)
            held.append(log(row["ci_low"]) <= true <= log(row["ci_high"]))
    assert sum(held) >= len(held) - 2  # intervals at 90 %, nine of them
    shown = [status == "ok" for status in found["prediction"]["status"].to_pylist()]
    assert 0.05 < sum(shown) / len(shown) < 0.5
