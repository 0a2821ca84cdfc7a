"""Figures made of other units than their zone: found again from the bytes, proven, explained, betrayed by a change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.audit.explain.assemble import explain
from dagster_project.audit.explain.figure import load_figures
from dagster_project.audit.explain.find import Asked, UnknownFigureError, find_figure
from dagster_project.audit.explain.layout import WIDTH
from dagster_project.audit.explain.model import Explanation
from dagster_project.audit.explain.text import render
from dagster_project.audit.proof import WithoutCellsError, build_proof
from dagster_project.audit.recompute import recompute
from dagster_project.audit.verify import verify
from dagster_project.audit.verify.agreement import verify_agreement
from dagster_project.release import verifier_preuve as program
from dagster_project.settings import PROJECT_ROOT
from tests.crossed_samples import ABSENT, REPORTED, UNITS, make_reported_sample
from tests.draws import BYTES
from tests.release_samples import FIGURES, Sample, copy_sample, figure_key, make_sample

SPREAD = figure_key("REPORT", "QP001")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_reported_sample(tmp_path_factory.mktemp("release") / "home")


@pytest.fixture
def spoilt(sample: Sample, tmp_path: Path) -> Sample:
    return copy_sample(sample, tmp_path / "home")


@pytest.fixture(scope="module")
def proofs(sample: Sample) -> dict[str, dict[str, Any]]:
    keys = [figure_key(code, zone) for code, zone, method, *_ in REPORTED if method != "M0"]
    with sample.release.tables() as connection:
        return {f.row["figure_id"]: build_proof(sample.release, f) for f in load_figures(connection, keys)}


def explained(sample: Sample, *asked: str) -> Explanation:
    with sample.release.tables() as connection:
        return explain(connection, sample.release, find_figure(connection, Asked(*asked)))


# Recomputed


def test_every_figure_is_found_again_to_the_last_digit(sample: Sample) -> None:
    result = recompute(sample.release)
    assert result.agrees, [str(difference) for difference in result.differences]
    assert result.by_method == {"M0": len(FIGURES), "M1": 1, "M2": 5}
    assert (result.identical, result.without_source) == (len(FIGURES) + 6, 1)


def test_the_bounds_of_coverage_are_those_of_the_models() -> None:
    variables = yaml.safe_load((PROJECT_ROOT / "dbt_models" / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    assert variables["couverture_minimale"] == program.COUVERTURE_MINIMALE
    assert variables["couverture_pleine"] == program.COUVERTURE_PLEINE


CHANGES = {
    "weight of a unit": (
        "crosswalk",
        "select * replace (if(from_code = 'U2', 0.4, weight) as weight) from crosswalk",
        "{key} : le poids de part pour l’unité U2 (la version dit 0.005, on trouve 0.004)",
    ),
    "weight of a cell": (
        "lineage",
        "select * replace (if(term = 'U2:pop', 0.6, weight) as weight) from lineage",
        "{key} : le poids de pop pour l’unité U2 (la version dit 0.6, on trouve 0.5)",
    ),
    "weight of a base": (
        "lineage",
        "select * replace (if(term = 'U2:part' and variable = 'pop', 2, weight) as weight) from lineage",
        "{key} : le poids de pop pour l’unité U2 (la version dit 2.0, on trouve 1.0)",
    ),
    "unit unknown": (
        "crosswalk",
        "from crosswalk where from_code != 'U2'",
        "{key} : crosswalk.parquet ne met pas l’unité U2 dans la zone (la version dit U2, on trouve aucun poids)",
    ),
    "population": (
        "crosswalk",
        "select * replace (if(from_code = 'U4', 150, population) as population) from crosswalk",
        "REPORT.QPV.QP002.QP2015.2021 : la couverture ne se retrouve pas "
        "(la version dit 0.4, on trouve 0.3333333333333333)",
    ),
    "status": (
        "indicator_value",
        "select * replace (if(status = 'estime', 'ok', status) as status) from indicator_value",
        "REPORT.QPV.QP002.QP2015.2021 : les cellules et la couverture donnent un autre statut "
        "(la version dit ok, on trouve estime)",
    ),
    "cell removed": (
        "lineage",
        "from lineage where term is distinct from 'U2:pop'",
        "{key} : les cellules de l’unité U2 ne sont pas celles de la formule "
        "(la version dit pop (denominator, terme pop) + part (numerator, terme part) + pop (numerator, terme part), "
        "on trouve part (numerator, terme part) + pop (numerator, terme part))",
    ),
    "set aside wrongly": (
        "lineage",
        "select * replace (if(term like 'U2:%', 'set_aside', role) as role) from lineage",
        "{key} : l’unité U2 est écartée, alors qu’elle a toutes ses cellules (la version dit U2, on trouve complète)",
    ),
    "source present": (
        "source_presence",
        "select * replace (true as present) from source_presence",
        "CONV.QPV.QP001.QP2015.2021 : aucune cellule n’entre dans son calcul",
    ),
    "other reason": (
        "source_presence",
        "select * replace ('non_couvert' as status) from source_presence",
        "CONV.QPV.QP001.QP2015.2021 : aucune cellule n’entre dans son calcul",
    ),
}


@pytest.mark.parametrize(("table", "query", "message"), CHANGES.values(), ids=CHANGES)
def test_what_was_changed_is_named(spoilt: Sample, table: str, query: str, message: str) -> None:
    spoilt.rewrite(table, query, sums=True)
    assert message.format(key=SPREAD) in [str(difference) for difference in recompute(spoilt.release).differences]


def test_a_changed_base_cell_in_the_file_moves_the_figures_of_its_unit(spoilt: Sample) -> None:
    """The bytes say otherwise than the lineage: the sums follow the bytes."""
    changed = UNITS.replace(b"U2;40;500", b"U2;40;600")
    digest = program.hashlib.sha256(changed).hexdigest()
    target = spoilt.release.object_path(digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(changed)
    for table in ("lineage", "source_file"):
        query = f"replace(source_sha256, '{program.hashlib.sha256(UNITS).hexdigest()}', '{digest}') as source_sha256"
        spoilt.rewrite(table, f"select * replace ({query}) from {table}", sums=True)
    said = [str(difference) for difference in recompute(spoilt.release).differences]
    assert f"{SPREAD} : le numérateur ne se retrouve pas (la version dit 300.0, on trouve 320.0)" in said
    assert [line for line in said if "QP004" in line or "QP002" in line] == []


# Verified


def test_a_whole_release_has_nothing_against_it(sample: Sample) -> None:
    verification = verify(sample.release, sample=None)
    assert [str(finding) for finding in verification.findings] == []


BROKEN = {
    "weight": ("lineage", "select * replace (if(term = 'U2:pop', 0.6, weight) as weight) from lineage",
               f"{SPREAD} : unité U2 : pop (denominator), de poids 0.6, n’est pas de la formule et de "
               "crosswalk.parquet"),
    "term": ("lineage", "from lineage where term is distinct from 'U2:pop'",
             f"{SPREAD} : unité U2 : il manque pop (denominator), de poids 0.5"),
    "key": ("lineage", "select * replace (if(role = 'key' and term = 'U2', 'U9', raw_value) as raw_value) from lineage",
            f"{SPREAD} : la cellule-clé porte « U9 », non la zone U2"),
    "no key": ("lineage", "from lineage where role != 'key' or term is distinct from 'U3'",
               "REPORT.QPV.QP004.QP2015.2021 : aucune cellule-clé pour la ligne 4 de unites.csv"),
    "both": ("lineage", "select * replace (if(term = 'U2:pop', 'set_aside', role) as role) from lineage",
             f"{SPREAD} : unité U2 : elle est à la fois comptée et écartée"),
    "unit of nowhere": ("crosswalk", "from crosswalk where from_code != 'U3'",
                        "REPORT.QPV.QP004.QP2015.2021 : unité U3 : écartée, elle n’est pas dans la zone"),
    "column": ("lineage", "select * replace (if(term = 'U3:pop', 'LOG', source_column) as source_column) from lineage",
               "REPORT.QPV.QP004.QP2015.2021 : pop ne vient pas de la colonne LOG de unites.csv"),
    "no source": ("source_presence", "from source_presence where false",
                  "CONV.QPV.QP001.QP2015.2021 : aucune ligne de lineage.parquet n’entre dans son calcul"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "query", "message"), BROKEN.values(), ids=BROKEN)
def test_whatever_contradicts_the_lineage_is_found(spoilt: Sample, table: str, query: str, message: str) -> None:
    spoilt.rewrite(table, query, sums=True)
    with spoilt.release.tables() as connection:
        assert message in [str(finding) for finding in verify_agreement(connection, spoilt.release).findings]


# Proven


def written(proof: dict[str, Any]) -> bytes:
    return program.canonique(proof).encode()


def sealed_again(proof: dict[str, Any]) -> bytes:
    return written(program.sceller({k: v for k, v in proof.items() if k not in {"empreintes", "sceau"}}))


def test_every_figure_of_units_has_a_proof_that_is_accepted(proofs: dict[str, dict[str, Any]]) -> None:
    assert len(proofs) == 6
    assert {key: program.verifier(written(proof)) for key, proof in proofs.items()} == {key: [] for key in proofs}


def test_a_proof_says_from_which_units(proofs: dict[str, dict[str, Any]]) -> None:
    proof = proofs[SPREAD]
    assert proof["unites"] == [
        {"code": "U1", "poids": 1.0, "fondement": "population", "habitants": 1000.0},
        {"code": "U2", "poids": 0.5, "fondement": "population", "habitants": 250.0},
    ]
    assert {(t["niveau_de_depart"], t["variable_de_base"]) for t in proof["formule"]["termes"]} == {
        ("IRIS", "pop"),
        ("IRIS", None),
    }
    assert [(e["terme"], e["variable"], e["poids"]) for e in proof["entrees"] if e["role"] == "numerator"] == [
        ("U1:part", "part", 0.01),
        ("U1:part", "pop", 1.0),
        ("U2:part", "part", 0.005),
        ("U2:part", "pop", 1.0),
    ]
    assert proof["chiffre"]["couverture"] == 1.0


def test_an_earlier_format_is_refused(proofs: dict[str, dict[str, Any]]) -> None:
    assert proofs[SPREAD]["format"] == "data-et-quartiers/preuve/2"
    refusals = program.verifier(sealed_again({**proofs[SPREAD], "format": "data-et-quartiers/preuve/1"}))
    assert refusals == ["format : 'data-et-quartiers/preuve/1' au lieu de 'data-et-quartiers/preuve/2'"]


def test_one_byte_changed_anywhere_is_refused(proofs: dict[str, dict[str, Any]]) -> None:
    data = written(proofs[figure_key("LOGES", "QP001")])
    flipped = (data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in range(0, len(data), BYTES))
    assert [changed for changed in flipped if not program.verifier(changed)] == []


FORGED: dict[str, tuple[tuple[Any, ...], Any, str]] = {
    "value": (("chiffre", "valeur"), 25.0, "champ « valeur » : 25.0 est écrit, le calcul donne 24.0"),
    "coverage": (("chiffre", "couverture"), 0.9, "champ « couverture » : 0.9 est écrit, le calcul donne 1.0"),
    "status": (("chiffre", "statut"), "estime", "champ « statut » : 'estime' est écrit, le calcul donne 'ok'"),
    "method": (("chiffre", "methode"), "M3", "ils ne partent pas tous du niveau CARREAU"),
    "published": (("chiffre", "methode"), "M0", "unité 1 : un chiffre de la zone même n’en a pas"),
    "weight of a unit": (("unites", 1, "poids"), 0.6, "« poids » : 0.5 n’est pas celui du terme pop"),
    "unit": (("unites", 1, "code"), "U9", "unité U2 : la preuve ne dit pas son poids"),
    "text of a base": (("entrees", 1, "texte"), "999", "le calcul donne"),
    "role": (("entrees", 1, "role"), "set_aside", "unité U1 : elle ne porte pas chaque terme"),
    "term": (("entrees", 0, "terme"), "U2:part", "unité U2 : elle ne porte pas chaque terme"),
    "base": (("formule", "termes", 1, "variable_de_base"), None, "elle ne porte pas chaque terme"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "value", "said"), FORGED.values(), ids=FORGED)
def test_a_forged_proof_is_betrayed(
    proofs: dict[str, dict[str, Any]], path: tuple[Any, ...], value: Any, said: str
) -> None:
    proof = json.loads(written(proofs[SPREAD]))
    parent = proof
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    refusals = program.verifier(sealed_again(proof))
    assert any(said in refusal for refusal in refusals), refusals


def test_coverage_is_that_of_the_inhabitants_of_the_units(proofs: dict[str, dict[str, Any]]) -> None:
    proof = json.loads(written(proofs[figure_key("REPORT", "QP002")]))
    proof["unites"][0]["habitants"] = 200.0
    assert program.verifier(sealed_again(proof)) == [
        "section chiffre, champ « couverture » : 0.4 est écrit, le calcul donne 0.5",
        "section chiffre, champ « statut » : 'estime' est écrit, le calcul donne 'ok'",
    ]


def test_a_unit_may_not_be_set_aside_with_all_its_cells(proofs: dict[str, dict[str, Any]]) -> None:
    proof = json.loads(written(proofs[figure_key("REPORT", "QP004")]))
    for entry in proof["entrees"]:
        if entry["role"] == "set_aside":
            entry.update(texte="5", motif=None)
    assert "unité U3 : elle est écartée, alors qu’elle a toutes ses cellules" in program.verifier(sealed_again(proof))


def test_a_published_figure_may_not_borrow_the_key_of_another_zone(sample: Sample) -> None:
    with sample.release.tables() as connection:
        (figure,) = load_figures(connection, [figure_key("PART", "QP001")])
    proof = json.loads(written(build_proof(sample.release, figure)))
    for entry in proof["entrees"]:
        if entry["role"] == "key":
            entry.update(texte="QP002", terme="QP002")
    assert any("non la zone QP001" in refusal for refusal in program.verifier(sealed_again(proof)))


def test_the_source_file_is_read_again(proofs: dict[str, dict[str, Any]]) -> None:
    refusals, seen = program.verifier_source(proofs[SPREAD], UNITS, "unites.csv")
    assert (refusals, seen) == ([], ["unites.csv : empreinte conforme ; 8 cellule(s) relue(s) sur 8 citée(s)"])


def test_a_figure_whose_source_is_absent_has_no_proof(sample: Sample) -> None:
    with sample.release.tables() as connection:
        (figure,) = load_figures(connection, [figure_key("CONV", "QP001")])
    with pytest.raises(WithoutCellsError, match=ABSENT):
        build_proof(sample.release, figure)


# Explained


def test_the_sums_are_told_with_their_units(sample: Sample) -> None:
    explanation = explained(sample, "REPORT", "QP001")
    assert explanation.formula.symbolic == "100 × Σ (poids × 0,01 × part × pop) / Σ (poids × pop)"
    assert explanation.formula.numeric == "100 × 300 / 1\u202f250 = 24\u202f%"
    assert explanation.reported is not None
    assert [(unit.code, unit.state) for unit in explanation.reported.units] == [("U1", "counted"), ("U2", "counted")]
    text = render(explanation)
    assert "IRIS U2\u00a0: poids 0,5, 250 habitants dans la zone" in text
    assert "numérateur\u00a0: part 40 × pop 500\u202f; dénominateur\u00a0: pop 500" in text
    assert "Couverture\u00a0: 100\u202f% des habitants" in text
    assert text.count("SHA-256") == 2
    assert [line for line in text.splitlines() if len(line) > WIDTH] == []


def test_units_set_aside_are_counted(sample: Sample) -> None:
    aside = explained(sample, "REPORT", "QP004")
    assert aside.reported is not None
    assert (aside.reported.counted, aside.reported.set_aside, aside.reported.without_cell) == (1, 1, 0)
    assert "Unités\u00a0: 2 IRIS, 1 retenue, 1 écartée faute d’une cellule." in render(aside)
    masked = explained(sample, "REPORT", "QP005")
    assert masked.reported is not None
    assert (masked.reported.counted, masked.reported.set_aside, masked.reported.without_cell) == (0, 1, 1)
    assert masked.formula.numeric == "(secret primaire) = pas de valeur"


def test_the_commune_is_meant_by_a_code_that_it_lends(tmp_path: Path) -> None:
    """What QPV leave of a commune bears its code: the commune is meant unless the level is said."""
    sample = make_sample(tmp_path / "home")
    more = "from figure union all select * replace ('{}' as zone_level, '{}' as generation, '{}' as figure_id) from one"
    rows = [more.format(level, generation, f"TAUX.{level}.QP001.{generation}.2021") for level, generation in
            (("COM", "COG"), ("HQPV", "QP2015"), ("HQPV", "QN2024"))]  # fmt: skip
    query = "with one as (from indicator_value where figure_id like 'TAUX.QPV.QP001.%') " + " union all ".join(
        row.removeprefix("from figure union all ") for row in rows
    )
    sample.rewrite("indicator_value", f"from indicator_value where zone_code != 'QP001' union all ({query})", sums=True)
    with sample.release.tables() as connection:
        assert find_figure(connection, Asked("TAUX", "QP001")).row["zone_level"] == "COM"
        rest = find_figure(connection, Asked("TAUX", "QP001", generation="QN2024", level="HQPV"))
        assert rest.row["zone_level"] == "HQPV"
        with pytest.raises(UnknownFigureError, match=r"plusieurs zones : HQPV \(reste de la commune\), QN2024"):
            find_figure(connection, Asked("TAUX", "QP001", level="HQPV"))


def test_an_absent_source_says_why(sample: Sample) -> None:
    explanation = explained(sample, "CONV", "QP001")
    assert explanation.absent_source == ABSENT
    assert explanation.formula.numeric == "source absente = pas de valeur"
    assert ABSENT in render(explanation)


def test_a_unit_of_unknown_population_counts_as_the_mean_unit_of_its_zone() -> None:
    units = [("A", 1.0, 300.0), ("B", 0.5, 150.0), ("C", 1.0, None)]
    assert program.couverture("IRIS", units, ["A", "B"]) == pytest.approx(450 / 750)
    assert program.couverture("IRIS", [("C", 1.0, None)], ["C"]) == 0.0
