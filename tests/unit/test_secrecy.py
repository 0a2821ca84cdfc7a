"""Our thresholds have one home, the seed; what a partner or a producer masks has another, its catalogue entry."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml
from typer.testing import CliRunner

from dagster_project.commands.app import app
from dagster_project.demo_territory.secrecy import least_shown
from dagster_project.models.nonrecours.profils.secret import PRIMARY, SHOWN
from dagster_project.models.secrecy import Secrecy, masked_below, secrecy_rule
from dagster_project.privacy.secrecy import SEED, SecrecyError, rules, rules_table
from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.catalogue import CATALOGUE_DIR, CatalogueError, load_catalogue, load_file
from dagster_project.sources.derived import catalogue_table
from scripts.partner_schema import partners, table_schema
from tests.nonrecours_grounds import POOR, counts, lognormal, qpv, world
from tests.profile_grounds import drawn, estimated, table

DOCS = PROJECT_ROOT / "docs"
DBT = PROJECT_ROOT / "dbt_models"
CONVENTIONS = {dataset.id: dataset for dataset in partners() if dataset.least_shown is not None}
# Pages written by hand that say one of our least counts: the page, the rule, and the words around the number.
SAID = (
    ("modeles/acces-emploi.md", "demande_histogramme", "un métier de moins de {n} demandeurs est réuni"),
    (
        "modeles/non-recours-c2s.md",
        "c2s_estimation",
        "Moins de {n} éligibles ou de {n} bénéficiaires : `secret_primaire`",
    ),
    (
        "modeles/non-recours-profils.md",
        "c2s_profil",
        "moins de {n} éligibles, moins de {n} bénéficiaires, ou moins de {n} éligibles **sans** la C2S",
    ),
    ("modeles/non-recours-c2s.md", "c2s_profil", "les cases de moins de {n} masquées"),
    (
        "partenaires.md",
        "c2s_profil",
        "n’est publiée qu’avec au moins {n} éligibles, {n} bénéficiaires et {n} éligibles sans la C2S",
    ),
)
# The same for what a partner's file masks, `{n-1}` being the greatest count that it hides.
MASKED = (
    ("modeles/acces-emploi.md", "partenaire_demande_rome", "effectifs de 1 à {n-1} masqués"),
    ("modeles/indice-vulnerabilite.md", "ors_sante_iris", "milieu de 1 à {n-1}"),
    ("modeles/non-recours-profils.md", "partenaire_c2s_profils", "Un effectif de 1 à {n-1} est `ns`"),
    ("modeles/non-recours-profils.md", "partenaire_c2s_profils", "**de 1 à {n-1}**"),
    ("partenaires.md", "ors_sante_iris", "Un effectif est `0`, un entier d’au moins {n}, ou le texte `ns`"),
    ("partenaires.md", "partenaire_demande_rome", "`0`, un entier d’au moins {n}, ou `ns`"),
    ("partenaires.md", "partenaire_demande_rome", "**Un effectif de 1 à {n-1} est une rupture de la convention"),
    ("partenaires.md", "partenaire_c2s_profils", "`0`, un entier d’au moins {n}, ou `ns`"),
    ("partenaires.md", "partenaire_c2s_profils", "**Un effectif de 1 à {n-1} est une rupture de la convention"),
    ("partenaires.md", "partenaire_c2s_profils", "(de 1 à {n-1} en santé et pour les profils,"),
    ("partenaires.md", "partenaire_demande_rome", "de 1 à {n-1} pour la demande)"),
)


def seed_with(path: Path, code: str, least: int | str) -> Path:
    """A copy of the seed where one rule asks for another least count."""
    with SEED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert code in {row["secrecy_rule"] for row in rows}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | ({"least_count": least} if row["secrecy_rule"] == code else {}) for row in rows)
    return path


def of_rules(code: str, least: int | str, tmp_path: Path) -> dict[str, Secrecy]:
    return rules(seed_with(tmp_path / "secrecy_rule.csv", code, least))


# The seed


def test_every_rule_that_counts_says_its_number_and_its_ground() -> None:
    with SEED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["secrecy_rule"] for row in rows}) == len(rows)
    for row in rows:
        assert all(row[name] for name in ("applies_to", "wording_fr", "basis", "citation"))
        assert ("{n}" in row["wording_fr"]) == bool(row["least_count"])
        assert not re.search(r"\d", row["wording_fr"].replace("C2S", "")), "the number stands in least_count alone"


def test_indicators_name_rules_of_the_seed() -> None:
    with (PROJECT_ROOT / "seeds" / "indicator.csv").open(encoding="utf-8", newline="") as file:
        named = {row["secrecy_rule"] for row in csv.DictReader(file)}
    assert named == {"producteur", "demande_metier", "c2s_estimation"}
    assert named <= set(rules_table()["secrecy_rule"].to_pylist())


def test_every_rule_is_read_and_every_rule_read_exists() -> None:
    texts = [
        path.read_text(encoding="utf-8")
        for path in (DBT / "models").rglob("*")
        if path.suffix in {".sql", ".py", ".yml"}
    ]
    text = "\n".join(texts)
    calls = (
        r"effectif_minimal\('(\w+)'\)",
        r"secrecy_rule\(dbt\.ref\(\"secrecy_rule\"\)\.to_arrow_table\(\), \"(\w+)\"\)",
    )
    governed = {code for call in calls for code in re.findall(call, text)}
    assert governed == set(rules())
    told = set(re.findall(r"var\(.(\w+)., .n.\)", text))
    assert told
    assert told <= governed


def test_changing_a_rule_changes_its_number_and_its_sentence_alone(tmp_path: Path) -> None:
    for code, rule in rules().items():
        changed = rules(seed_with(tmp_path / f"{code}.csv", code, 20))
        assert {other for other in changed if changed[other] != rules()[other]} == {code}
        assert changed[code].least == 20
        assert changed[code].reason == rule.reason.replace(str(rule.least), "20") != rule.reason


@pytest.mark.parametrize("code", ["inconnue", "producteur"])
def test_a_rule_without_a_count_is_not_a_threshold(code: str) -> None:
    with pytest.raises(ValueError, match=f"no rule {code} with a least count"):
        secrecy_rule(rules_table(), code)


def test_a_least_count_that_hides_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecrecyError, match="hides nothing"):
        of_rules("c2s_profil", 1, tmp_path)


@pytest.mark.parametrize(
    ("least", "why"), [("", "no rule demande_metier with a least count"), ("onze", "onze"), ("4.5", "4.5")]
)
def test_a_rule_of_ours_has_a_least_count(least: str, why: str, tmp_path: Path) -> None:
    """Empty, dbt would compare with nothing: figures would go, and no one would say why."""
    with pytest.raises(SecrecyError, match=f"secrecy_rule.csv holds our thresholds of secrecy.*{why}"):
        of_rules("demande_metier", least, tmp_path)


def test_a_run_without_thresholds_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        rules(tmp_path / "secrecy_rule.csv")

    monkeypatch.setattr("dagster_project.runner.run_graph", absent)
    monkeypatch.setenv("DQ_HOME", str(tmp_path))
    done = CliRunner().invoke(app, ["run"])
    assert (done.exit_code, done.stderr.count("dq: ")) == (1, 1)
    assert "secrecy_rule.csv holds our thresholds of secrecy" in done.stderr


# What our rules govern, and what they do not


def test_the_rule_of_estimates_governs_what_is_told_of_them(tmp_path: Path) -> None:
    built = world()
    built.incomes(qpv("QP1"), lognormal(*POOR))
    built.zone(qpv("QP1"), counts(4000.0) | {"j": (15.0, 4000.0)})
    before = built.run()
    after = built.run(secrecy=of_rules("c2s_estimation", 20, tmp_path)["c2s_estimation"])
    rows, changed = ({row["indicator_code"]: row for row in each["estimation"].to_pylist()} for each in (before, after))
    assert {code for code in rows if rows[code] != changed[code]} == {"C_NR_J"}
    assert rows["C_NR_J"]["status"] != "secret_primaire"
    assert changed["C_NR_J"]["status"] == "secret_primaire"
    assert changed["C_NR_J"]["motif"] == "Moins de 20 éligibles ou moins de 20 bénéficiaires."
    for name in ("composante", "ajustement", "verrou", "calage"):
        assert before[name].equals(after[name])


@pytest.fixture(scope="module")
def cells() -> pa.Table:
    return table(drawn(15, seed=1))


@pytest.fixture(scope="module")
def found(cells: pa.Table) -> dict[str, pa.Table]:
    return estimated(cells)


def test_our_threshold_hides_cells_and_moves_no_effect(
    cells: pa.Table, found: dict[str, pa.Table], tmp_path: Path
) -> None:
    after = estimated(cells, secrecy=of_rules("c2s_profil", 20, tmp_path)["c2s_profil"])
    assert after["effet"].equals(found["effet"])
    shown = {name: np.array(each["prediction"]["status"]) == SHOWN for name, each in (("a", found), ("b", after))}
    assert 0 < shown["b"].sum() < shown["a"].sum()
    for before, row in zip(found["prediction"].to_pylist(), after["prediction"].to_pylist(), strict=True):
        if before["status"] == row["status"] == SHOWN:
            assert row == before
        if before["status"] == PRIMARY:
            assert row["status"] == PRIMARY
        if row["status"] == PRIMARY:
            assert row["motif"] == "Moins de 20 éligibles, de 20 bénéficiaires ou de 20 éligibles sans la C2S."


def test_the_bound_of_the_partner_moves_effects_and_hides_no_cell(cells: pa.Table, found: dict[str, pa.Table]) -> None:
    after = estimated(cells, masked_below=20)  # `ns` is now 1 to 19
    assert not after["effet"]["coefficient"].equals(found["effet"]["coefficient"])
    for name in ("status", "motif", "n_eligibles", "n_beneficiaires", "observed"):
        assert after["prediction"][name].equals(found["prediction"][name])


# The catalogue: what a file masks


def test_what_the_catalogue_masks_reaches_models() -> None:
    told = catalogue_table(load_catalogue())
    for name, dataset in CONVENTIONS.items():
        assert masked_below(told, name) == dataset.convention.threshold == least_shown(name)
    for unsaid in ("insee_cnam_iris", "inconnu"):
        with pytest.raises(ValueError, match=unsaid):
            masked_below(told, unsaid)


def entry(change: Callable[[dict[str, Any]], None], tmp_path: Path) -> Any:
    """The entry of job seekers by ROME, changed, as the catalogue reads it."""
    content = yaml.safe_load((CATALOGUE_DIR / "partenaire.yml").read_text(encoding="utf-8"))
    [chosen] = [one for one in content["datasets"] if one["id"] == "partenaire_demande_rome"]
    change(chosen)
    path = tmp_path / "one.yml"
    path.write_text(yaml.safe_dump({"datasets": [chosen]}, allow_unicode=True), encoding="utf-8")
    return load_file(path)[0]


def test_a_convention_writes_its_number_in_all_that_is_said_of_it(tmp_path: Path) -> None:
    changed = entry(lambda one: one["convention"].update(threshold=20), tmp_path)
    assert "au moins 20, ou le texte « ns » (de 1 à 19" in changed.secrecy
    assert {column.meaning for column in changed.columns if column.name == "n_demandeurs"} == {
        "Demandeurs d'emploi : 0, au moins 20, ou ns"
    }
    assert any("Un effectif de 1 à 19 s’écrit « ns »" in rule for rule in table_schema(changed)["regles"])


def test_texts_do_not_speak_of_a_count_that_the_entry_lacks(tmp_path: Path) -> None:
    def silent(one: dict[str, Any]) -> None:
        one["convention"] = {"required": ["n_demandeurs"]}

    with pytest.raises(CatalogueError, match="gives none"):
        entry(silent, tmp_path)
    with pytest.raises(CatalogueError, match="not `masked_below`"):
        entry(lambda one: one.update(masked_below=5), tmp_path)


@pytest.mark.parametrize("name", sorted(CONVENTIONS))
def test_expectations_hold_counts_to_the_convention(name: str) -> None:
    dataset = CONVENTIONS[name]
    n = dataset.least_shown
    assert n is not None
    suite = json.loads((PROJECT_ROOT / "expectations" / f"{name}.json").read_text(encoding="utf-8"))
    held = [one for one in suite["expectations"] if "rupture de la convention" in one["reason"]]
    assert {one["kwargs"]["column"] for one in held} == set(dataset.convention.counts)
    for one in held:
        assert f"au moins {n}, ou « ns » : un effectif de 1 à {n - 1} est" in one["reason"]
        for count in range(120):
            assert bool(re.search(one["kwargs"]["regex"], str(count))) == (count == 0 or count >= n)


def test_what_is_said_of_tiles_is_what_insee_masks() -> None:
    n, words = least_shown("insee_filosofi_carreaux"), {11: "onze"}
    assert n == least_shown("insee_filosofi_carreaux_nat")
    with (PROJECT_ROOT / "seeds" / "indicator.csv").open(encoding="utf-8", newline="") as file:
        said = {row["mesusage_fr"] for row in csv.DictReader(file) if row["indicator_code"] in {"CAR_PAUV", "CAR_HLM"}}
    assert len(said) >= 1
    assert all(f"moins de {words[n]} ménages" in text for text in said)
    suite = json.loads((PROJECT_ROOT / "expectations" / "insee_filosofi_carreaux_nat.json").read_text(encoding="utf-8"))
    [held] = [one for one in suite["expectations"] if one["id"] == "onze-menages-au-moins"]
    assert f"au moins {n} ménages" in held["reason"]
    assert held["kwargs"]["min_value"] == n


# Prose written by hand


@pytest.mark.parametrize(("page", "code", "words"), SAID)
def test_pages_say_our_least_counts(page: str, code: str, words: str) -> None:
    assert words.replace("{n}", str(rules()[code].least)) in flat(page)


@pytest.mark.parametrize(("page", "dataset", "words"), MASKED)
def test_pages_say_what_partners_mask(page: str, dataset: str, words: str) -> None:
    n = least_shown(dataset)
    assert words.replace("{n}", str(n)).replace("{n-1}", str(n - 1)) in flat(page)


def flat(page: str) -> str:
    """A page on one line."""
    return re.sub(r"\s+", " ", (DOCS / page).read_text(encoding="utf-8"))


def test_no_code_writes_a_threshold_of_its_own() -> None:
    """A least count beside a word of secrecy, in code or in what dbt says, is one that its home does not govern."""
    number = r"(?:[4-5]|1[01]|cinq|dix|onze)\b(?! ?%)"
    words = r"(?:personnes|demandeurs|éligibles|bénéficiaires|ménages|allocataires|patients)"
    said = re.compile(rf"(?:moins de|au moins|sous|under|least) {number} {words}|de 1 à (?:4|10)\b|1 to (?:4|10)\b")
    named = re.compile(
        r"(?i)\b(?:least(?:_count)?|smallest|threshold|seuil|masked\w*|min_persons)\b[^=\n]{0,12}= ?"
        r"(?:\"[^\"\n]*\", )?(?:5|10|11)(?:\.0)?\b"
    )
    wrong = [
        f"{path.relative_to(PROJECT_ROOT)}: {match.group()}"
        for folder, kinds in (("dagster_project", ("py", "yml")), ("dbt_models", ("sql", "py", "yml")))
        for kind in kinds
        for path in (PROJECT_ROOT / folder).rglob(f"*.{kind}")
        if not {"target", "tests"} & set(path.parts)
        for pattern in (said, named)
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []
