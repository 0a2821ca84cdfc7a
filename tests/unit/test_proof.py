"""Proofs: made from a release, checked by a program that has nothing but Python, refused for one byte."""

from __future__ import annotations

import ast
import itertools
import json
import math
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.audit.explain.figure import load_figures
from dagster_project.audit.proof import ModelledFigureError, build_proof, write_proof
from dagster_project.identity.lock import LOCK_NAME
from dagster_project.release import verifier_preuve as program
from tests.draws import BYTES, PROOFS
from tests.release_samples import FIGURES, SOURCE, ZONES, Rows, Sample, figure_key, make_sample

SCRIPT = Path(program.__file__)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_sample(tmp_path_factory.mktemp("release") / "home")


@pytest.fixture(scope="module")
def proofs(sample: Sample) -> dict[str, dict[str, Any]]:
    """A proof of every figure of the sample, by its key."""
    with sample.release.tables() as connection:
        keys = [figure_key(indicator, zone) for indicator, zone, *_ in FIGURES]
        figures = load_figures(connection, keys)
        return {figure.row["figure_id"]: build_proof(sample.release, figure) for figure in figures}


def written(proof: dict[str, Any]) -> bytes:
    return program.canonique(proof).encode()


def sealed_again(proof: dict[str, Any]) -> bytes:
    """The same proof after a change, with digests and seal that suit it: only the sum can betray it."""
    return written(program.sceller({k: v for k, v in proof.items() if k not in {"empreintes", "sceau"}}))


def test_every_kind_of_figure_has_a_proof_that_is_accepted(proofs: dict[str, dict[str, Any]]) -> None:
    assert len(proofs) == len(FIGURES)
    assert {key: program.verifier(written(proof)) for key, proof in proofs.items()} == {key: [] for key in proofs}


def test_a_proof_says_what_the_release_says(proofs: dict[str, dict[str, Any]]) -> None:
    proof = proofs[figure_key("TAUX", "QP004")]
    first = proof["entrees"][0]
    assert (first["texte"], first["ligne"], first["colonne"], first["membre"]) == ("50", 6, "TX", "taux.csv")
    assert first["correction"]["action"] == "override"
    assert proof["chiffre"]["valeur"] == 60.0
    assert proof["fichiers"][first["fichier"] - 1]["sha256"] == program.hashlib.sha256(SOURCE).hexdigest()
    assert [entry["role"] for entry in proof["entrees"]] == ["value", "key", "zone", "zone_type"]
    absent = proofs[figure_key("TAUX", "QP002")]["entrees"]
    assert absent[0]["motif"] == {"statut": "secret_primaire", "libelle": "Effectif trop faible"}
    assert (absent[1]["role"], absent[1]["texte"]) == ("note", "0")
    searched = proofs[figure_key("TAUX", "QP005")]["entrees"][0]
    assert searched["recherche"] == {"colonne": "CODGEO", "code": "QP005"}


def test_a_proof_written_twice_is_the_same_file(
    sample: Sample, proofs: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    proof = proofs[figure_key("PART", "QP001")]
    for name in ("a", "b"):
        write_proof(tmp_path / "preuves" / name, proof)
    assert (tmp_path / "preuves" / "a").read_bytes() == (tmp_path / "preuves" / "b").read_bytes() == written(proof)


def test_fictitious_figures_say_so_and_must(tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "home")
    build = sample.folder / LOCK_NAME
    build.write_text(build.read_text(encoding="utf-8").replace("mirror", "demo"), encoding="utf-8")
    with sample.release.tables() as connection:
        (figure,) = load_figures(connection, [figure_key("PART", "QP001")])
    proof = build_proof(sample.release, figure)
    assert proof["avertissement"] == program.FICTIF
    assert program.verifier(written(proof)) == []
    assert program.verifier(sealed_again({**proof, "avertissement": None})) == [
        "avertissement : il ne dit pas si les données sont fictives"
    ]


def test_a_figure_of_a_model_has_no_proof_by_sums(tmp_path: Path) -> None:
    def model(tables: dict[str, Rows]) -> None:
        tables["indicator_value"][0]["method"] = "M4"
        key.append(tables["indicator_value"][0]["figure_id"])

    key: list[str] = []
    sample = make_sample(tmp_path / "home", model)
    with sample.release.tables() as connection:
        (figure,) = load_figures(connection, key)
    with pytest.raises(ModelledFigureError, match="modèle statistique"):
        build_proof(sample.release, figure)


def mutations(data: bytes) -> Iterator[bytes]:
    """At each place: a byte lost or added, then a bit flipped or a byte replaced by another of the file's own."""
    draw = random.Random(20260101)  # noqa: S311 (a test's own draw)
    for at in range(0, len(data), BYTES):
        added = bytes([draw.choice(b' \n0"a')]) + data[at : at + 1]
        flipped = bytes([data[at] ^ 1 << draw.randrange(8)])
        other = bytes([draw.choice([byte for byte in b' \t09,.:{}"efn-' if byte != data[at]])])
        for byte in (draw.choice([b"", added]), draw.choice([flipped, other])):
            yield data[:at] + byte + data[at + 1 :]


def test_one_byte_changed_anywhere_is_refused(proofs: dict[str, dict[str, Any]]) -> None:
    whole = proofs[figure_key("TAUX", "ENSEMBLE")]
    data = written(whole)
    accepted = [changed for changed in mutations(data) if not program.verifier(changed)]
    assert accepted == []
    assert program.verifier(data + b"\n") == [f"forme : ligne {data.count(b'\n') + 1}, octet {len(data)} : "
                                              "ce n’est pas l’écriture canonique"]  # fmt: skip
    assert program.verifier(b"\xef\xbb\xbf" + data) != []


CHANGED: dict[str, tuple[str, str, str]] = {
    "a figure": ('"valeur": 24.68', '"valeur": 24.69', "section chiffre, champ « valeur » : 24.69 est écrit, "
                 "le calcul donne 24.68"),
    "a unit": ('"unite": "%"', '"unite": "‰"', "section chiffre, champ « unite » : le contenu '‰' n’a pas "
               "l’empreinte annoncée"),
    "a text": ('"texte": "5 000"', '"texte": "6 000"', "entrée 2, champ « texte » : le contenu '6 000' n’a pas "
               "l’empreinte annoncée"),
    "a file": ('"nom": "zones.csv"', '"nom": "zone.csv"', "fichier 2, champ « nom » : le contenu 'zone.csv' n’a pas "
               "l’empreinte annoncée"),
    "a member twice": ('"ligne": 2,', '"ligne": 2, "ligne": 2,', "contenu : un champ n’a pas la forme attendue "
                       "(le champ « ligne » figure deux fois)"),
    "an unknown member": ('"numero": 1,', '"numero": 1, "autre": 1,', "entrees, n° 1 : le champ « autre » est inconnu"),
    "a missing member": ('"numero": 1,', "", "entrees, n° 1 : le champ « numero » manque"),
    "a space": ('"numero": 1,', '"numero":  1,', "ce n’est pas l’écriture canonique"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), CHANGED.values(), ids=CHANGED)
def test_what_differs_is_named(proofs: dict[str, dict[str, Any]], old: str, new: str, said: str) -> None:
    text = written(proofs[figure_key("PART", "QP001")]).decode()
    assert old in text
    assert any(said in refusal for refusal in program.verifier(text.replace(old, new, 1).encode()))


def test_a_digest_or_the_seal_that_was_changed_is_named(proofs: dict[str, dict[str, Any]]) -> None:
    proof = proofs[figure_key("PART", "QP001")]
    section, field = proof["empreintes"]["chiffre"]["section"], proof["empreintes"]["entrees"][0]["champs"]["texte"]
    cases = {
        section: "section chiffre : les empreintes écrites ne sont pas celles du contenu",
        field: "entrée 1, champ « texte » : son empreinte est fausse",
        proof["sceau"]: "sceau : ce n’est pas celui du contenu",
    }
    for digest, said in cases.items():
        other = ("0" if digest[0] != "0" else "1") + digest[1:]
        assert said in program.verifier(written(proof).replace(digest.encode(), other.encode(), 1))


FORGED: dict[str, tuple[tuple[Any, ...], Any, str]] = {
    "value": (("chiffre", "valeur"), 25.0, "section chiffre, champ « valeur » : 25.0 est écrit, le calcul donne 24.68"),
    "key": (("chiffre", "zone"), "QP002", "section chiffre, champ « cle »"),
    "status": (("chiffre", "statut"), "nd", "section chiffre, champ « statut » : 'nd' est écrit, le calcul donne 'ok'"),
    "text": (("entrees", 0, "texte"), "1 235", "le calcul donne 24.7"),
    "weight": (("entrees", 0, "poids"), 2.0, "entrée 1, champ « poids » : 2.0 n’est pas celui du terme a"),
    "zone": (("entrees", 2, "texte"), "QP002", "entrée 3, champ « texte » : la cellule nomme 'QP002'"),
    "number": (("entrees", 1, "numero"), 3, "entrée 2, champ « numero » : 3 au lieu de 2"),
    "file": (("entrees", 1, "fichier"), 9, "entrée 2, champ « fichier » : la preuve n’a pas de fichier 9"),
    "role": (("entrees", 1, "role"), "autre", "entrée 2, champ « role » : 'autre' est inconnu de ce programme"),
    "reason": (("entrees", 0, "motif"), {"statut": "nd", "libelle": "x"}, "entrée 1, champ « motif »"),
    "search": (("entrees", 0, "recherche"), {"colonne": "A", "code": "QP001"}, "entrée 1, champ « recherche »"),
    "row": (("entrees", 0, "ligne"), None, "entrée 1, champ « recherche »"),
    "term": (("formule", "termes"), [], "section formule, champ « termes »"),
    "format": (("format",), "autre/2", "format : 'autre/2' au lieu de"),
    "not a number": (("formule", "echelle"), "cent", "contenu : un champ n’a pas la forme attendue"),
}


@pytest.mark.parametrize(("path", "value", "said"), FORGED.values(), ids=FORGED)
def test_a_forged_proof_is_betrayed_by_the_sum(
    proofs: dict[str, dict[str, Any]], path: tuple[Any, ...], value: Any, said: str
) -> None:
    proof = json.loads(written(proofs[figure_key("PART", "QP001")]))
    parent = proof
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    assert any(said in refusal for refusal in program.verifier(sealed_again(proof)))


def test_the_source_file_is_read_again(proofs: dict[str, dict[str, Any]]) -> None:
    for proof in proofs.values():
        refusals, seen = program.verifier_source(proof, SOURCE, "taux.csv")
        assert refusals == []
        assert "empreinte conforme" in seen[0]
    refusals, _ = program.verifier_source(proofs[figure_key("PART", "QP001")], SOURCE + b" ", "taux.csv")
    assert "aucune entrée ne cite ce fichier" in refusals[0]


def test_a_proof_that_misquotes_its_source_is_refused(proofs: dict[str, dict[str, Any]]) -> None:
    proof = json.loads(written(proofs[figure_key("TAUX", "QP001")]))
    proof["entrees"][0].update(texte="46,9")
    assert program.verifier_source(proof, SOURCE, "taux.csv")[0] == [
        "entrée 1, champ « texte » : '46,9', mais taux.csv porte '46,8' (ligne 2, TX)"
    ]
    proof["entrees"][0].update(ligne=5)
    refusals, _ = program.verifier_source(proof, SOURCE, "taux.csv")
    assert refusals == ["entrée 1, champ « ligne » : taux.csv n’a pas d’enregistrement à la ligne 5"]
    proof["entrees"][0].update(ligne=None, recherche={"colonne": "CODGEO", "code": "QP001"})
    refusals, _ = program.verifier_source(proof, SOURCE, "taux.csv")
    assert refusals == ["entrée 1 : taux.csv porte QP001 à la ligne 2, alors que la zone y est dite absente"]
    proof["entrees"][0].update(ligne=2, recherche=None, colonne="TAUX")
    assert "la colonne « TAUX »" in program.verifier_source(proof, SOURCE, "taux.csv")[0][0]


def run(*arguments: str | Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """The program alone: no environment, no site packages, no folder of the project."""
    command = [python, "-I", "-S", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONIOENCODING": "utf-8"})


def test_the_program_runs_alone(proofs: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    script = Path(shutil.copyfile(SCRIPT, tmp_path / "verifier_preuve.py"))
    proof, source, zones = tmp_path / "preuve.json", tmp_path / "taux.csv", tmp_path / "zones.csv"
    write_proof(proof, proofs[figure_key("PART", "QP001")])
    source.write_bytes(SOURCE)
    zones.write_bytes(ZONES)
    done = run(script, proof, "--source", source, "--source", zones)
    assert (done.returncode, done.stderr) == (0, "")
    assert "PREUVE ACCEPTÉE : PART.QPV.QP001.QP2015.2021 : 24.68 % (statut : ok)" in done.stdout
    assert "taux.csv : empreinte conforme ; 3 cellule(s) relue(s) sur 3 citée(s)" in done.stdout
    source.write_bytes(SOURCE.replace(b"5 000", b"5 001"))
    done = run(script, proof, "--source", source)
    assert done.returncode == 1
    assert "PREUVE REFUSÉE : preuve.json\n  - taux.csv : aucune entrée ne cite ce fichier" in done.stdout
    proof.write_bytes(proof.read_bytes().replace(b"24.68", b"24.69"))
    done = run(script, proof)
    assert done.returncode == 1
    assert "24.69 est écrit, le calcul donne 24.68" in done.stdout
    done = run(script, tmp_path / "absente.json")
    assert done.returncode == 2
    assert "ILLISIBLE" in done.stderr
    assert run(script).returncode == 2


def test_the_program_is_plain_old_python() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")])
    }
    assert imported <= sys.stdlib_module_names
    assert "dagster_project" not in SCRIPT.read_text(encoding="utf-8")


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.13"])
def test_the_program_runs_on_other_pythons(version: str, proofs: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    python = shutil.which(f"python{version}")
    if python is None or run("--version", python=python).returncode:
        pytest.skip(f"no Python {version} on this machine")
    write_proof(tmp_path / "preuve.json", proofs[figure_key("PART", "QP001")])
    assert run(SCRIPT, tmp_path / "preuve.json", python=python).returncode == 0


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("46,8", 46.8), ("1\u202f234", 1234.0), ("1\u00a0234,5", 1234.5), (" 12 ", 12.0), ("-0.5", -0.5)),
        *(("1e3", 1000.0), (".5", 0.5), ("5.", 5.0), ("", None), ("ns", None), ("nan", None), ("inf", None)),
        *(("1e999", None), ("1,2,3", None), ("٣", None), ("1_000", None), (None, None), ("12 %", None)),
    ],
)
def test_numbers_as_french_producers_write_them(text: str | None, number: float | None) -> None:
    assert program.nombre(text) == number


@pytest.mark.parametrize(
    ("action", "given", "expected"),
    [(None, None, 12.0), ("flag", None, 12.0), ("override", 7.0, 7.0), ("scale", 10.0, 120.0), ("drop", None, None)],
)
def test_corrections_are_applied(action: str | None, given: float | None, expected: float | None) -> None:
    assert program.valeur_corrigee("12", action, given) == expected


def test_an_unreadable_text_is_not_scaled() -> None:
    assert program.valeur_corrigee("ns", "scale", 10.0) is None


FLOATS = st.floats(-1e9, 1e9)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from([1.0, -1.0, 2.0]), FLOATS), min_size=1),
       st.lists(st.tuples(st.sampled_from("abcdef"), st.just(1.0), st.floats(0.5, 1e9)), min_size=1),
       st.sampled_from([1.0, 100.0, 1000.0]), st.randoms())  # fmt: skip
def test_a_ratio_is_the_exact_one_up_to_rounding(
    above: list[tuple[str, float, float]], below: list[tuple[str, float, float]], scale: float, draw: random.Random
) -> None:
    terms = [("numerator", *term) for term in above] + [("denominator", *term) for term in below]
    value, numerator, denominator = program.calculer(terms, scale)
    exact = [sum(Fraction(weight) * Fraction(cell) for _, weight, cell in side) for side in (above, below)]
    assert numerator == pytest.approx(float(exact[0]), rel=1e-9, abs=1e-3)
    assert denominator == pytest.approx(float(exact[1]), rel=1e-9)
    assert value is not None
    assert math.isclose(value, scale * numerator / denominator, rel_tol=1e-15)


@given(st.permutations([("b", 0.1), ("a", 0.2), ("d", 0.3), ("c", 1e16), ("e", -1e16)]))
def test_sums_follow_the_order_of_variables(terms: list[tuple[str, float]]) -> None:
    value, *_ = program.calculer([("value", variable, 1.0, cell) for variable, cell in terms], 1.0)
    assert value == 0.0 + 0.2 + 0.1 + 1e16 + 0.3 + -1e16


def test_an_absent_cell_or_an_empty_denominator_gives_no_value() -> None:
    assert program.calculer([("value", "a", 1.0, None)], 1.0) == (None, None, None)
    assert program.calculer([("numerator", "a", 1.0, 3.0), ("denominator", "b", 1.0, 0.0)], 1.0) == (None, 3.0, 0.0)
    assert program.calculer([("numerator", "a", 1.0, 3.0)], 1.0) == (None, 3.0, None)


STRENGTH = ("secret_primaire", "secret_secondaire", "convention")


@pytest.mark.parametrize("statuses", [*itertools.product(("ok", *STRENGTH, "non_couvert", "nd"), repeat=2)])
def test_the_strongest_reason_prevails(statuses: tuple[str, str]) -> None:
    expected = next((strong for strong in STRENGTH if strong in statuses), "nd")
    for same in ("ok", "non_couvert"):
        expected = same if set(statuses) == {same} else expected
    assert program.statut_du_chiffre(statuses) == expected


# The macros' own arithmetic, on the same texts.
IN_SQL = """
with cell as (
    select proof, scale, role, variable, cast(weight as double) as weight,
        try_cast(replace(translate(text, ' ' || chr(160) || chr(8239), ''), ',', '.') as double) as value
    from (values {rows}) as t (proof, scale, role, variable, weight, text)
)
select
    sum(weight * value order by variable) filter (where role = 'numerator') as numerator,
    sum(weight * value order by variable) filter (where role = 'denominator') as denominator,
    any_value(scale) * numerator / denominator
from cell
group by proof
order by proof
"""


def test_a_thousand_random_proofs_recompute_to_the_last_digit(proofs: dict[str, dict[str, Any]]) -> None:
    """Random cells, coefficients and scales: the value in each proof is the one that SQL worked out."""
    import duckdb

    draw = random.Random(1000)  # noqa: S311 (a test's own draw)
    model = written(proofs[figure_key("ECART", "QP001")])
    drawn = [random_proof(json.loads(model), draw) for _ in range(PROOFS)]
    rows = ", ".join(
        f"({rank}, {proof['formule']['echelle']}::double, '{e['role']}', '{e['variable']}', '{e['poids']!r}', "
        f"'{e['texte']}')"
        for rank, proof in enumerate(drawn)
        for e in proof["entrees"]
    )
    with duckdb.connect() as connection:
        results = connection.execute(IN_SQL.format(rows=rows)).fetchall()
    for proof, (numerator, denominator, value) in zip(drawn, results, strict=True):
        proof["chiffre"].update(valeur=value, numerateur=numerator, denominateur=denominator)
        assert program.verifier(sealed_again(proof)) == []
        proof["chiffre"]["valeur"] = math.nextafter(value, math.inf)
        assert len(program.verifier(sealed_again(proof))) == 1


def random_proof(proof: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """A proof with a formula and cells drawn at random; its value is not that of the sum yet."""
    terms = [("numerator", name, draw.choice([1.0, -1.0, draw.random()])) for name in draw.sample("abcdefgh", 3)]
    terms += [("denominator", name, 1.0) for name in draw.sample("abcdefgh", draw.randint(1, 3))]
    entries = []
    for rank, (role, name, weight) in enumerate(sorted(terms), start=1):
        number = f"{draw.uniform(1, 10 ** draw.randint(1, 7)):,.{draw.randint(0, 6)}f}"
        text = number.replace(",", draw.choice([" ", "\u00a0", "\u202f"])).replace(".", draw.choice([".", ","]))
        changed = {"numero": rank, "role": role, "variable": name, "poids": weight, "texte": text}
        entries.append({**proof["entrees"][0], **changed})
    own: dict[str, Any] = {"niveau_de_depart": None, "variable_de_base": None}
    coefficients = [{"role": role, "variable": name, "coefficient": weight, **own} for role, name, weight in terms]
    formula = {**proof["formule"], "echelle": draw.choice([1.0, 100.0, 1000.0]), "termes": coefficients}
    return {**proof, "formule": formula, "entrees": entries}
