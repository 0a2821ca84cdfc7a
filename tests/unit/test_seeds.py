"""Seeds are data that figures depend on: they agree with each other, with the catalogue and with dbt's models."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.catalogue import Dataset, load_catalogue
from scripts.generate import observed, themes
from tests.failures import none_of

MODELS = PROJECT_ROOT / "dbt_models" / "models"
LEVELS = {"QPV", "HQPV", "UUENV", "IRIS", "ENSQPV", "COM", "EPCI", "DEP", "REG", "FRM"}
STATUSES = {"ok", "secret_primaire", "secret_secondaire", "nd", "non_couvert", "estime", "convention"}
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


def test_rows_have_as_many_cells_as_the_header_and_no_cell_has_spaces_around_it() -> None:
    def wrong(path: Path) -> Iterator[str]:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        for number, row in enumerate(rows, 2):
            if len(row) != len(header):
                yield f"{len(row)} cells on line {number}, {len(header)} in the header"
            yield from (f"spaces around {cell!r} on line {number}" for cell in row if cell != cell.strip())

    none_of(f"{path.stem}: {what}" for path in sorted((PROJECT_ROOT / "seeds").glob("*.csv")) for what in wrong(path))


def test_keys_are_unique() -> None:
    assert repeated((row["indicator_code"],) for row in INDICATORS) == []
    assert repeated((row["column_name"],) for row in INDICATORS) == []
    assert repeated((row["libelle_fr"],) for row in INDICATORS) == []
    assert repeated((r["indicator_code"], r["path"], r["role"], r["variable"]) for r in TERMS) == []
    assert repeated((r["variable_group"], r["vintage"]) for r in BREAKS) == []
    assert repeated((r["dataset"], r["vintage"], r["variable_group"]) for r in REFERENCES) == []
    assert repeated((r["dataset"], r["note_code"]) for r in NOTES) == []
    assert repeated((r["reference_id"],) for r in seed("reference_figure")) == []


def test_indicators_are_described_in_full() -> None:
    def rules(row: Row) -> dict[str, object]:
        """What must hold of an indicator, by what is said when it does not."""
        texts = row["libelle_fr"] + row["definition_fr"] + row["mesusage_fr"]
        return {
            "code": re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", row["indicator_code"]),
            "name of the column": re.fullmatch(r"[a-z][a-z0-9_]{2,62}", row["column_name"]),
            "length of the name": 10 <= len(row["libelle_fr"]) <= 90,
            "length of the definition": 30 <= len(row["definition_fr"]) <= 400,
            "length of the misuse": 30 <= len(row["mesusage_fr"]) <= 400,
            "definition ends with a full stop": row["definition_fr"].endswith("."),
            "misuse ends with a full stop": row["mesusage_fr"].endswith("."),
            "name begins with a capital": row["libelle_fr"][:1].isupper(),
            "name has no full stop": not row["libelle_fr"].endswith("."),
            "apostrophes are ’": not re.search(r"'\w", texts),
            "direction": row["direction"] in {"good", "bad", "neutral"},
            "scale": row["scale"] in {"1", "100", "1000"},
            **{f"{name} is filled": row[name] for name in ("unit", "formula", "owner", "secrecy_rule")},
            "levels": set(row["levels"].split(",")) <= LEVELS,
        }

    none_of(f"{row['indicator_code']}: {what}" for row in INDICATORS for what, holds in rules(row).items() if not holds)


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


def test_the_formula_shown_is_the_formula_computed() -> None:
    def rules(row: Row) -> dict[str, bool]:
        """What must hold of a formula, by what is said when it does not."""
        numerator, denominator, value = (
            terms(row["indicator_code"], role) for role in ("numerator", "denominator", "value")
        )
        named = {word for word in re.findall(r"[a-z]\w+", row["formula"]) if word in DATASETS_OF}
        return {
            "a ratio has both terms": bool(numerator) == bool(denominator),
            "there is a ratio or one value": len(value) + bool(numerator) >= 1 and len(value) <= 1,
            "numerator": set(re.findall(r"[a-z]\w+", row["numerator"])) == numerator,
            "denominator": set(re.findall(r"[a-z]\w+", row["denominator"])) == denominator,
            "names of the formula": named == numerator | denominator | value,
            "100 ×": (row["formula"].count("100 ×") == 1) == (row["scale"] == "100" and bool(numerator)),
        }

    computed = [row for row in INDICATORS if row["indicator_code"] not in MODELLED]
    none_of(f"{row['indicator_code']}: {what}" for row in computed for what, holds in rules(row).items() if not holds)


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


def test_mapped_columns_are_those_of_the_catalogue() -> None:
    def wrong(row: Row) -> Iterator[str]:
        if (entry := CATALOGUE.get(row["dataset"])) is None:
            yield "no such dataset in the catalogue"
            return
        declared = {column.name for column in entry.columns}
        notes = {column.name for column in entry.columns if column.type == "note"}
        carried = {v.vintage: declared - set(v.columns_absent) for v in entry.vintages}
        where, column, note = vintages(row, entry), row["source_column"], row["note_column"]
        if not where:
            yield "no such vintage in the catalogue"
        if column not in declared:
            yield "no such column in the catalogue"
        lacking = {v for v in where if column not in carried[v]}
        if lacking and (row["vintage"] != "*" or lacking == where):
            yield f"the column is absent of {sorted(lacking)}"
        if note and note not in notes:
            yield "the note is no column of notes"
        if note and not any(note in carried[v] for v in where):
            yield "the note is in no edition"

    none_of(f"{row}: {what}" for row in MAPPING for what in wrong(row))


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
    statistics = {dataset.id for dataset in CATALOGUE.values() if dataset.role == "statistics"}
    assert set(observed()) == statistics
    assert {row["dataset"] for row in MAPPING} == statistics


def test_every_theme_without_a_formula_has_a_model() -> None:
    modelled = {path.stem for path in (MODELS / "intermediate").rglob("int_indicateurs__*.sql")}
    assert {f"int_indicateurs__{theme}" for theme in themes()["modelled"]} <= modelled
    # A theme all of whose figures a model makes has no terms to sum, and the other way round.
    summed = {row["theme"] for row in INDICATORS if row["indicator_code"] not in MODELLED}
    assert summed == {*themes()["formula"], *themes()["crossed"]}


def test_figures_expected_and_referenced_speak_of_known_indicators() -> None:
    codes = {row["indicator_code"] for row in INDICATORS}
    for row in (*seed("expected_figure"), *seed("reference_figure")):
        assert row["indicator_code"] in codes
        assert float(row["expected"]) == float(row["expected"])
        assert re.fullmatch(r"\d{4}", row["vintage"])
