"""Figures that a model makes as a weighted sum: explained, recomputed, and found out when something is changed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.audit.explain.assemble import explain
from dagster_project.audit.explain.find import Asked, find_figure
from dagster_project.audit.explain.model import Explanation
from dagster_project.audit.explain.text import render
from dagster_project.audit.recompute import recompute
from dagster_project.audit.recompute.cells import FileForm, read_cells
from dagster_project.audit.recompute.weighted import COMPLEMENT, OFFERS, TRIPS, weigh
from dagster_project.audit.verify import verify
from dagster_project.release.verifier_preuve import LectureError
from tests.release_samples import Rows, Sample, copy_sample, figure_key, make_sample

TRIP, FAR = figure_key("PART", "QP001"), figure_key("PART", "QP005")
STREETS = "rues ville_2020 ; horaires bus_2021, service du 2021-05-04"
NETWORKS = [
    {"dataset": dataset, "vintage": vintage, "file": file, "kind": kind, "status": status, "reason_fr": reason}
    for dataset, vintage, file, kind, status, reason in (
        ("osm", "2020", "ville", "rues", "retenu", "93 voies"),
        ("bus", "2021", "bus", "horaires", "retenu", "12 arrêts"),
        ("car", "2009", "car", "horaires", "hors_validite", "dates passées"),
    )
]


def access(tables: dict[str, Rows]) -> None:
    """A figure of travel times, and one of a zone in no network."""
    for row in tables["indicator_value"]:
        row.update(model=None, model_version=None, model_parameters=None)
        model = {"method": "M4", "model": TRIPS, "model_version": "1"}
        if row["figure_id"] == TRIP:
            row.update(model, model_parameters=STREETS, value=12.34, numerator=617.0, status="estime")
        elif row["figure_id"] == FAR:
            row.update(model)
    tables["lineage"] = [row for row in tables["lineage"] if row["figure_id"] != FAR]
    for row in tables["lineage"]:
        if row["figure_id"] == TRIP:
            row.update(term="QP001", weight=0.5 if row["variable"] == "a" else row["weight"])
    tables["mart_reseau"] = NETWORKS


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_sample(tmp_path_factory.mktemp("release") / "home", access)


@pytest.fixture
def spoilt(sample: Sample, tmp_path: Path) -> Sample:
    return copy_sample(sample, tmp_path / "home")


def explained(sample: Sample, indicator: str, zone: str) -> Explanation:
    with sample.release.tables() as connection:
        return explain(connection, sample.release, find_figure(connection, Asked(indicator, zone)))


def findings(sample: Sample) -> list[str]:
    return [str(f) for c in verify(sample.release, sample=None).chapters for f in c.findings]


def test_a_release_with_models_has_nothing_against_it(sample: Sample) -> None:
    assert findings(sample) == []
    assert recompute(sample.release, [TRIP]).by_method == {"M4": 1}


def test_the_sum_is_made_again_and_its_cells_are_named(sample: Sample) -> None:
    explanation = explained(sample, "PART", "QP001")
    assert explanation.weighted is not None
    assert (explanation.weighted.value, explanation.weighted.agrees, explanation.weighted.cells) == (12.34, True, 2)
    text = render(explanation)
    assert "100 × Σ (poids × cellule) / Σ (poids × cellule) = 100 × 617 / 5\u202f000 = 12,34\u202f%" in text
    assert "Formule déclarée\u00a0: formule de PART" in text
    assert "– rues ville_2020" in text
    assert "– horaires bus_2021, service du 2021-05-04" in text
    assert "QP001\u00a0: «\u00a01\u202f234\u00a0», poids 0,5" in text
    assert "taux.csv, ligne 2, colonne A" in text
    assert "Valeur estimée par un modèle, sans intervalle" in text


def test_a_sum_that_does_not_agree_is_said(spoilt: Sample) -> None:
    spoilt.rewrite("lineage", "select * replace (if(weight = 0.5, 0.25, weight) as weight) from lineage", sums=True)
    explanation = explained(spoilt, "PART", "QP001")
    assert explanation.weighted is not None
    assert not explanation.weighted.agrees
    assert "et non le chiffre publié" in " ".join(render(explanation).split())


def test_a_zone_in_no_network_says_which_there_are(sample: Sample) -> None:
    why = explained(sample, "PART", "QP005").absent_source or ""
    assert why.startswith("Cette zone n’est dans aucun réseau retenu")
    assert "Réseaux retenus : horaires bus 2021, rues ville 2020." in why
    assert "horaires car 2009 (dates passées)" in why


REASONS = {
    "convention": (OFFERS, "convention", None, "n’est remise que par convention"),
    "masked": (OFFERS, "secret_primaire", None, "sont masqués"),
    "no journey": (OFFERS, "non_couvert", None, "Aucun trajet n’a été calculé depuis cette zone vers"),
    "no offer": (OFFERS, "nd", None, "Aucune offre du bassin"),
    "few people": (TRIPS, "non_couvert", 0.1, "que 10\u202f% des habitants"),
    "no place": (TRIPS, "non_couvert", 0.9, "Aucun lieu d’emploi n’est atteint"),
}


@pytest.mark.parametrize(("model", "status", "coverage", "said"), REASONS.values(), ids=REASONS)
def test_a_model_without_a_value_says_why(
    spoilt: Sample, model: str, status: str, coverage: float | None, said: str
) -> None:
    changed = {"model": f"'{model}'", "status": f"'{status}'", "coverage": f"{coverage or 'null'}::double"}
    columns = ", ".join(f"if(figure_id = '{FAR}', {value}, {name}) as {name}" for name, value in changed.items())
    spoilt.rewrite("indicator_value", f"select * replace ({columns}) from indicator_value", sums=True)
    explanation = explained(spoilt, "PART", "QP005")
    assert said in (explanation.absent_source or "")
    assert json.loads(explanation.model_dump_json())["weighted"] is None


SPOILT = {
    "weight": ("lineage", "select * replace (if(weight = 0.5, 0.6, weight) as weight) from lineage",
               "la valeur ne se retrouve pas"),
    "text": ("lineage", f"select * replace (if(figure_id = '{TRIP}' and variable = 'a', '12', raw_value) as raw_value) "
             "from lineage", "le fichier ne porte pas ce texte à cette place"),
    "cells": ("lineage", f"from lineage where figure_id != '{TRIP}'",
              f"{TRIP} : aucune ligne de lineage.parquet n’entre dans son calcul"),
    "absent": ("indicator_value", f"select * replace (if(figure_id = '{FAR}', 'lissage', model) as model) from "
               "indicator_value", f"{FAR} : aucune ligne de lineage.parquet n’entre dans son calcul"),
    "value": ("indicator_value", f"select * replace (if(figure_id = '{FAR}', 3, value) as value) from indicator_value",
              f"{FAR} : aucune ligne de lineage.parquet n’entre dans son calcul"),
    "network": ("mart_reseau", "select * replace ('refuse' as status) from mart_reseau",
                f"{TRIP} : mart_reseau.parquet ne dit pas retenu ce qu’il cite : rues ville_2020"),
    "no network": ("indicator_value", "select * replace ('sans date' as model_parameters) from indicator_value",
                   f"{TRIP} : ses paramètres ne citent aucun réseau"),
    "edition": ("source_file", "select * replace ('1999' as vintage) from source_file",
                f"{TRIP} : taux.csv n’est pas de l’édition 2021"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "query", "message"), SPOILT.values(), ids=SPOILT)
def test_what_is_changed_is_found(spoilt: Sample, table: str, query: str, message: str) -> None:
    spoilt.rewrite(table, query, sums=True)
    assert any(message in found for found in findings(spoilt))


def test_zero_within_reach_needs_no_cell(spoilt: Sample) -> None:
    zero = f"figure_id = '{FAR}'"
    values = {"value": "0", "numerator": "null", "status": "'ok'", "model_parameters": f"'{STREETS}'"}
    columns = ", ".join(f"if({zero}, {value}, {name}) as {name}" for name, value in values.items())
    spoilt.rewrite("indicator_value", f"select * replace ({columns}) from indicator_value", sums=True)
    assert not any(FAR in found and "n’entre dans son calcul" in found for found in findings(spoilt))


CELLS = st.lists(st.tuples(st.floats(0, 1e3), st.integers(0, 500)), min_size=1, max_size=30)


@given(CELLS)
def test_a_sum_over_offers_counts_an_unsaid_post_as_one(cells: list[tuple[float, int]]) -> None:
    said = [("numerator", weight, float(posts) or None) for weight, posts in cells]
    value, above, below = weigh(OFFERS, said, 1.0, ratio=True)
    assert value == pytest.approx(math.fsum(weight * max(1, posts) for weight, posts in cells))
    assert (above, below) == (None, None)


def test_the_other_sums() -> None:
    cells = [("numerator", 2.0, 3.0), ("denominator", 1.0, 4.0)]
    assert weigh(TRIPS, cells, 100.0, ratio=True) == (150.0, 6.0, 4.0)
    assert weigh(TRIPS, cells[:1], 1.0, ratio=False) == (6.0, 6.0, None)
    assert weigh(TRIPS, cells[:1], 1.0, ratio=True) == (None, 6.0, 0.0)
    assert weigh(TRIPS, [("numerator", 1.0, None)], 1.0, ratio=False) == (None, None, None)
    assert weigh(COMPLEMENT, [("numerator", -1.0, 73.5)], 1.0, ratio=False) == (26.5, None, None)


JSON = FileForm("json", "utf-8", "", 1)


def test_records_inside_an_object_are_those_that_carry_the_columns() -> None:
    page = {
        "resultats": [{"id": "A", "lieuTravail": {"commune": "35238"}, "nombrePostes": 2}, {"id": "B"}],
        "filtresPossibles": [{"filtre": "typeContrat", "agregation": []}],
        "total": 2,
    }
    data = json.dumps(page).encode()
    assert list(read_cells(data, "", JSON, ["nombrePostes", "lieuTravail"])) == [
        (1, ("2", '{"commune": "35238"}')),
        (2, (None, None)),
    ]
    with pytest.raises(LectureError, match="0 listes de l’objet JSON portent les colonnes absente"):
        list(read_cells(data, "", JSON, ["absente"]))
    twice = json.dumps({"a": [{"x": 1}], "b": [{"x": 2}]}).encode()
    with pytest.raises(LectureError, match="2 listes"):
        list(read_cells(twice, "", JSON, ["x"]))
