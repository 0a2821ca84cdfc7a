"""Seeds are data that figures depend on: they agree with each other, with the catalogue and with dbt's models."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.catalogue import Dataset, load_catalogue
from scripts.generate import observed, themes

MODELS = PROJECT_ROOT / "dbt_models" / "models"
LEVELS = {"QPV", "HQPV", "UUENV", "IRIS", "ENSQPV", "COM", "EPCI", "DEP", "REG", "FRM"}
STATUSES = {"ok", "secret_primaire", "secret_secondaire", "nd", "non_couvert", "estime", "convention"}
# Numbers that are no figure of a zone: posts, lists of communes, contours, context at département level, and tiles of
# natural level, which only the geometry reads.
NOT_STATISTICS = {
    *("anct_adultes_relais", "anct_fonjep", "dgcl_epci", "ign_contours_iris", "cnam_pathologies"),
    "insee_filosofi_carreaux_nat",
    "drees_c2s_national",  # the whole country, on which a model is calibrated
    # offers, seekers and projects, which are points and occupations rather than zones; inventories of files; context
    *("francetravail_offres", "francetravail_offres_plat", "francetravail_marche", "francetravail_bmo"),
    *("partenaire_offres", "partenaire_demande_rome", "osm_reseau", "star_gtfs", "sncf_gtfs", "insee_parts_modales"),
    "partenaire_c2s_profils",  # cells of a profile, which a model reads
}
# Read by the claim tests, at equal income; by the figures of travel times.
READ_BY_MODELS = {"iris_med", "iris_employeurs"}
Row = dict[str, str]


def seed(name: str) -> list[Row]:
    with (PROJECT_ROOT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


INDICATORS, TERMS, MAPPING = seed("indicator"), seed("indicator_term"), seed("variable_column")
BENCHMARKS, CLAIMS = seed("downscaling_benchmark"), seed("claim")
# Made by a statistical model out of other figures: no term of theirs.
MODELLED = {row["indicator_code"] for row in INDICATORS if row["formula"].endswith("(modèle)")}
BREAKS, REFERENCES, NOTES = seed("known_break"), seed("edition_reference"), seed("note_status")
CATALOGUE = load_catalogue()
DATASETS_OF = {v: {row["dataset"] for row in MAPPING if row["variable"] == v} for v in {r["variable"] for r in MAPPING}}


def repeated(keys: Iterator[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [key for key, count in Counter(keys).items() if count > 1]


def vintages(row: Row, dataset: Dataset) -> set[str]:
    return {v.vintage for v in dataset.vintages if row["vintage"] in ("*", v.vintage)}


# --- each seed by itself ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((PROJECT_ROOT / "seeds").glob("*.csv")), ids=lambda path: path.stem)
def test_every_row_has_as_many_cells_as_the_header(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    assert [(number, row) for number, row in enumerate(rows, 2) if len(row) != len(header)] == []
    assert [number for number, row in enumerate(rows, 2) if any(cell != cell.strip() for cell in row)] == []


def test_keys_are_unique() -> None:
    assert repeated((row["indicator_code"],) for row in INDICATORS) == []
    assert repeated((row["column_name"],) for row in INDICATORS) == []
    assert repeated((row["libelle_fr"],) for row in INDICATORS) == []
    assert repeated((r["indicator_code"], r["path"], r["role"], r["variable"]) for r in TERMS) == []
    assert repeated((r["variable_group"], r["vintage"]) for r in BREAKS) == []
    assert repeated((r["dataset"], r["vintage"], r["variable_group"]) for r in REFERENCES) == []
    assert repeated((r["dataset"], r["note_code"]) for r in NOTES) == []
    assert repeated((r["reference_id"],) for r in seed("reference_figure")) == []


@pytest.mark.parametrize("row", INDICATORS, ids=lambda row: row["indicator_code"])
def test_an_indicator_is_described_in_full(row: Row) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", row["indicator_code"])
    assert re.fullmatch(r"[a-z][a-z0-9_]{2,62}", row["column_name"])
    assert 10 <= len(row["libelle_fr"]) <= 90
    assert 30 <= len(row["definition_fr"]) <= 400
    assert 30 <= len(row["mesusage_fr"]) <= 400
    assert row["definition_fr"].endswith(".")
    assert row["mesusage_fr"].endswith(".")
    assert row["libelle_fr"][0].isupper()
    assert not row["libelle_fr"].endswith(".")
    assert not re.search(r"'\w", row["libelle_fr"] + row["definition_fr"] + row["mesusage_fr"]), "apostrophes are ’"
    assert row["direction"] in {"good", "bad", "neutral"}
    assert row["scale"] in {"1", "100", "1000"}
    assert row["unit"]
    assert row["formula"]
    assert row["owner"]
    assert row["secrecy_rule"]
    assert set(row["levels"].split(",")) <= LEVELS


def test_percentages_end_in_pct_and_nothing_else_does() -> None:
    wrong = [r["indicator_code"] for r in INDICATORS if (r["unit"] == "%") != r["column_name"].endswith("_pct")]
    assert wrong == []


def test_texts_for_readers_are_french_sentences_with_a_source() -> None:
    for row in BREAKS:
        assert len(row["reason_fr"]) > 20
        assert len(row["citation"]) > 10
    for row in (*REFERENCES, *NOTES):
        assert len(row["basis"]) > 10
    assert {row["status"] for row in NOTES} <= STATUSES - {"ok"}


def test_every_indicator_has_a_tolerance_and_every_tolerance_a_reason() -> None:
    thresholds = seed("diff_threshold")
    known = {name: {row[name] for row in INDICATORS} | {"*"} for name in ("indicator_code", "theme", "unit")}
    assert repeated((row["indicator_code"], row["theme"], row["unit"]) for row in thresholds) == []
    assert [row for row in thresholds if {row["indicator_code"], row["theme"], row["unit"]} == {"*"}], "a general one"
    for row in thresholds:
        assert all(row[name] in names for name, names in known.items()), row
        assert min(float(row["absolute"]), float(row["relative"])) >= 0, row
        assert float(row["absolute"]) + float(row["relative"]) > 0, f"{row}: every difference would be beyond it"
        assert len(row["reason_fr"]) > 20, row
        assert "'" not in row["reason_fr"], "apostrophes are ’"


# --- terms and formulas -------------------------------------------------------------------------------------------


def terms(code: str, role: str) -> set[str]:
    of_role = [row for row in TERMS if row["indicator_code"] == code and row["role"] == role]
    return {row[name] for row in of_role for name in ("variable", "base_variable")} - {""}


def test_every_indicator_has_terms_and_every_term_an_indicator() -> None:
    assert {row["indicator_code"] for row in TERMS} == {row["indicator_code"] for row in INDICATORS} - MODELLED
    assert {"A_SOCIO", "A_SANTE"} <= MODELLED
    assert {row["role"] for row in TERMS} <= {"value", "numerator", "denominator", "parameter"}
    # a published percentage times its base is a count again
    assert {float(row["coefficient"]) for row in TERMS if not row["base_variable"]} <= {1.0, -1.0}
    assert {float(row["coefficient"]) for row in TERMS if row["base_variable"]} == {0.01}


def test_no_median_or_other_quantile_crosses_geographies() -> None:
    crossing = {row["variable"] for row in TERMS if row["from_level"]}
    crossing |= {row["numerator_variable"] for row in BENCHMARKS}
    assert crossing
    assert [name for name in crossing if re.search(r"_(med|q\d|d\d)$", name)] == []


def test_the_primary_claim_is_one_and_fixed() -> None:
    primary = [row for row in CLAIMS if row["is_primary"] == "true"]
    assert [(r["mesh"], r["index_code"], r["cut_quantile"]) for r in primary] == [("IRIS", "A_SANTE", "0.75")]
    assert {row["mesh"] for row in CLAIMS} == {"IRIS", "COM", "CARREAU"}
    assert {row["generation"] for row in CLAIMS} == {"QP2015", "QN2024"}


@pytest.mark.parametrize(
    "row", [r for r in INDICATORS if r["indicator_code"] not in MODELLED], ids=lambda row: row["indicator_code"]
)
def test_the_formula_shown_is_the_formula_computed(row: Row) -> None:
    numerator, denominator = (terms(row["indicator_code"], role) for role in ("numerator", "denominator"))
    value = terms(row["indicator_code"], "value")
    assert bool(numerator) == bool(denominator), "a ratio has both"
    assert len(value) + bool(numerator) >= 1
    assert len(value) <= 1
    assert set(re.findall(r"[a-z]\w+", row["numerator"])) == numerator
    assert set(re.findall(r"[a-z]\w+", row["denominator"])) == denominator
    named = {word for word in re.findall(r"[a-z]\w+", row["formula"]) if word in DATASETS_OF}
    assert named == numerator | denominator | value
    assert (row["formula"].count("100 ×") == 1) == (row["scale"] == "100" and bool(numerator))


def test_every_variable_of_a_term_has_a_column_and_no_column_is_mapped_for_nothing() -> None:
    used = {row[name] for row in TERMS for name in ("variable", "base_variable")}
    compared = ("numerator_variable", "base_variable", "denominator_variable", "published_variable")
    used |= {row[name] for row in BENCHMARKS for name in (*compared, "published_denominator")}
    assert (used | READ_BY_MODELS) - {""} == set(DATASETS_OF)


def test_the_sources_of_an_indicator_feed_its_variables() -> None:
    wrong = {}
    for row in (r for r in INDICATORS if r["indicator_code"] not in MODELLED):
        fed: set[str] = set().union(
            *(DATASETS_OF[t["variable"]] for t in TERMS if t["indicator_code"] == row["indicator_code"])
        )
        if set(row["source_datasets"].split(",")) - fed:
            wrong[row["indicator_code"]] = fed
    assert wrong == {}


# --- variables, the catalogue and dbt -----------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", sorted({row["dataset"] for row in MAPPING}))
def test_mapped_columns_are_those_of_the_catalogue(dataset: str) -> None:
    entry = CATALOGUE[dataset]
    declared = {column.name for column in entry.columns}
    notes = {column.name for column in entry.columns if column.type == "note"}
    carried = {v.vintage: declared - set(v.columns_absent) for v in entry.vintages}
    for row in (r for r in MAPPING if r["dataset"] == dataset):
        where = vintages(row, entry)
        assert where, f"{row}: no such vintage in the catalogue"
        assert row["source_column"] in declared, row
        lacking = {v for v in where if row["source_column"] not in carried[v]}
        assert lacking == set() if row["vintage"] != "*" else lacking != where, (row, lacking)
        assert not row["note_column"] or row["note_column"] in notes, row
        assert not row["note_column"] or any(row["note_column"] in carried[v] for v in where), row


def test_a_variable_has_one_column_in_an_edition_and_a_column_one_variable() -> None:
    of_variable: Counter[tuple[str, str, str]] = Counter()
    of_column: Counter[tuple[str, str, str]] = Counter()
    for row in MAPPING:
        entry = CATALOGUE[row["dataset"]]
        for vintage in vintages(row, entry):
            absent = next(v.columns_absent for v in entry.vintages if v.vintage == vintage)
            if row["source_column"] not in absent:
                of_variable[row["dataset"], vintage, row["variable"]] += 1
                of_column[row["dataset"], vintage, row["source_column"]] += 1
    assert [key for key, count in of_variable.items() if count > 1] == []
    assert [key for key, count in of_column.items() if count > 1] == []


def test_groups_of_breaks_and_periods_exist() -> None:
    known = {(r["dataset"], r["variable_group"]) for r in MAPPING}
    assert {row["variable_group"] for row in BREAKS} <= {group for _, group in known}
    for row in REFERENCES:
        assert (row["dataset"], row["variable_group"]) in known, row
        assert row["vintage"] in {v.vintage for v in CATALOGUE[row["dataset"]].vintages}, row
    mapped = {(r["variable_group"], v) for r in MAPPING for v in vintages(r, CATALOGUE[r["dataset"]])}
    for row in BREAKS:
        assert row["vintage"] == "*" or (row["variable_group"], row["vintage"]) in mapped, row


def test_notes_speak_of_datasets_that_exist() -> None:
    assert {row["dataset"] for row in NOTES} <= {"*", *CATALOGUE}


def test_every_dataset_of_statistics_feeds_observations() -> None:
    numeric = {"count", "amount", "share", "index"}
    statistics = {d.id for d in CATALOGUE.values() if any(column.type in numeric for column in d.columns)}
    assert set(observed()) == statistics - NOT_STATISTICS
    assert set(observed()) == {row["dataset"] for row in MAPPING}


def test_every_theme_without_a_formula_has_a_model() -> None:
    modelled = {path.stem for path in (MODELS / "intermediate").rglob("int_indicateurs__*.sql")}
    assert {f"int_indicateurs__{theme}" for theme in themes()["modelled"]} <= modelled
    # A theme all of whose figures a model makes has no terms to sum, and the other way round.
    summed = {row["theme"] for row in INDICATORS if row["indicator_code"] not in MODELLED}
    assert summed == {*themes()["formula"], *themes()["reported"]}


def test_figures_expected_and_referenced_speak_of_known_indicators() -> None:
    codes = {row["indicator_code"] for row in INDICATORS}
    for row in (*seed("expected_figure"), *seed("reference_figure")):
        assert row["indicator_code"] in codes
        assert float(row["expected"]) == float(row["expected"])
        assert re.fullmatch(r"\d{4}", row["vintage"])
