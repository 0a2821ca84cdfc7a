"""The schema that partners are given: up to date, and saying of a count what the door says."""

from __future__ import annotations

import json
import re

import pytest

from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.catalogue import Dataset, load_catalogue
from scripts import partner_schema

DATASET = load_catalogue()["ors_sante_iris"]
OFFERS = load_catalogue()["partenaire_offres"]
DEMAND = load_catalogue()["partenaire_demande_rome"]
PROFILES = load_catalogue()["partenaire_c2s_profils"]
each_partner = pytest.mark.parametrize("dataset", partner_schema.partners(), ids=lambda dataset: dataset.id)
PAGE = (PROJECT_ROOT / "docs" / "partenaires.md").read_text(encoding="utf-8")


def constraints(name: str, dataset: Dataset = DATASET) -> dict[str, object]:
    [field] = [field for field in partner_schema.table_schema(dataset)["fields"] if field["name"] == name]
    return dict(field["constraints"])


def test_each_convention_has_a_schema() -> None:
    assert [dataset.id for dataset in partner_schema.partners()] == [DATASET.id, OFFERS.id, DEMAND.id, PROFILES.id]


@each_partner
def test_the_published_schema_is_up_to_date(dataset: Dataset) -> None:
    published = partner_schema.schema_path(dataset).read_text(encoding="utf-8")
    assert published == partner_schema.text(dataset), "run scripts/partner_schema.py"
    assert json.loads(published)["primaryKey"] == list(dataset.key)


@pytest.mark.parametrize("name", ["n_beneficiaires", "n_asthme", "n_diabete", "n_ald"])
def test_a_count_is_zero_the_threshold_or_more_or_the_mark(name: str) -> None:
    pattern = str(constraints(name)["pattern"])
    allowed = [str(number) for number in range(200) if re.search(pattern, str(number))]
    assert allowed == ["0", *(str(number) for number in range(11, 200))]
    assert re.search(pattern, "ns")
    assert not any(re.search(pattern, text) for text in ("", "-11", "011", "11,5", "1 200", "NS"))


def test_a_threshold_of_one_digit() -> None:
    pattern = str(constraints("n_demandeurs", DEMAND)["pattern"])
    assert [n for n in range(200) if re.search(pattern, str(n))] == [0, *range(5, 200)]
    assert re.search(pattern, "ns")
    assert not any(re.search(pattern, text) for text in ("", "-5", "05", "5,5", "NS"))
    assert constraints("n_demandeurs", DEMAND)["required"]


def test_a_position_is_two_numbers_in_degrees() -> None:
    assert constraints("lat", OFFERS) == {"minimum": -90.0, "maximum": 90.0}
    assert constraints("lon", OFFERS) == {"minimum": -180.0, "maximum": 180.0}
    assert "lat et lon sont remplis ensemble, ou laissés vides." in partner_schema.table_schema(OFFERS)["regles"]


def test_lists_and_forms_are_those_of_the_catalogue() -> None:
    assert constraints("sexe") == {"required": True, "enum": ["1", "2", "9"]}
    ages = [f"{age:02d}-{age + 4:02d}" for age in range(0, 95, 5)]
    assert constraints("cla_age_5")["enum"] == [*ages, "95et+", "tsage"]
    form = str(constraints("code")["pattern"])
    assert all(re.search(form, code) for code in ("350380101", "2A0040101", "53"))
    assert not any(re.search(form, code) for code in ("10040101", "3503801011", "2C0040101", "5"))


def test_a_dataset_without_convention_has_no_partner_schema() -> None:
    with pytest.raises(ValueError, match="insee_demo is not delivered under a convention"):
        partner_schema.table_schema(load_catalogue()["insee_demo"])


@each_partner
def test_the_page_names_every_column_and_every_check(dataset: Dataset) -> None:
    from dagster_project.sources.partner import RULES

    assert [name for name in (*(column.name for column in dataset.columns), *RULES) if f"`{name}`" not in PAGE] == []
    assert partner_schema.schema_path(dataset).name in PAGE
    assert dataset.convention is not None
    if dataset.convention.threshold is not None:
        assert f"entier d’au moins {dataset.convention.threshold}" in PAGE
