"""The independent evaluator: it finds the published values again, and names whatever does not come out."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.audit.recompute import MissingModelColumnsError, recompute
from dagster_project.audit.recompute.result import SHOWN, Difference, Recomputation
from tests.release_samples import FIGURES, SOURCE, Rows, Sample, copy_sample, figure_key, make_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_sample(tmp_path_factory.mktemp("release") / "home")


@pytest.fixture
def spoilt(sample: Sample, tmp_path: Path) -> Sample:
    return copy_sample(sample, tmp_path / "home")


def test_every_figure_is_found_again_to_the_last_digit(sample: Sample) -> None:
    result = recompute(sample.release)
    assert result.agrees, [str(difference) for difference in result.differences]
    assert result.figures == result.recomputed == result.identical == len(FIGURES)
    assert result.by_method == {"M0": len(FIGURES)}
    assert (result.files, result.searched, result.unproven) == (2, 1, 0)


def test_only_the_figures_asked_for_are_recomputed(sample: Sample) -> None:
    result = recompute(sample.release, [figure_key("PART", "QP001")])
    assert (result.figures, result.recomputed, result.cells) == (1, 1, 5)


def test_a_figure_that_is_not_in_the_release_is_said(sample: Sample) -> None:
    result = recompute(sample.release, ["PART.QPV.QP999.QP2015.2021"])
    assert [str(d) for d in result.differences] == ["PART.QPV.QP999.QP2015.2021 : ce chiffre n’est pas dans la version"]


KEY = figure_key("PART", "QP001")
CHANGES = {
    "value": (
        "indicator_value",
        "select * replace (if(figure_id = '{key}', 24.69, value) as value) from indicator_value",
        "{key} : la valeur ne se retrouve pas (la version dit 24.69, on trouve 24.68)",
    ),
    "numerator": (
        "indicator_value",
        "select * replace (if(figure_id = '{key}', 1235, numerator) as numerator) from indicator_value",
        "{key} : le numérateur ne se retrouve pas (la version dit 1235.0, on trouve 1234.0)",
    ),
    "status": (
        "indicator_value",
        "select * replace (if(figure_id = 'TAUX.QPV.QP002.QP2015.2021', 'nd', status) as status) from indicator_value",
        "TAUX.QPV.QP002.QP2015.2021 : les cellules donnent un autre statut "
        "(la version dit nd, on trouve secret_primaire)",
    ),
    "weight": (
        "lineage",
        "select * replace (if(figure_id = '{key}' and role = 'numerator', 2, weight) as weight) from lineage",
        "{key} : le poids de a n’est pas son coefficient (la version dit 2.0, on trouve 1.0)",
    ),
    "text": (
        "lineage",
        "select * replace (if(raw_value = '5 000', '5000', raw_value) as raw_value) from lineage",
        "ECART.QPV.QP001.QP2015.2021 : taux.csv, ligne 2, colonne B : le fichier ne porte pas ce texte à cette place "
        "(la version dit '5000', on trouve '5 000')",
    ),
    "row": (
        "lineage",
        "select * replace (if(figure_id = '{key}' and role = 'numerator', 5, source_row) as source_row) from lineage",
        "{key} : taux.csv, ligne 5, colonne A : le fichier ne porte pas ce texte à cette place "
        "(la version dit '1\\u202f234', on trouve aucune cellule)",
    ),
    "term": (
        "lineage",
        "select * from lineage where not (figure_id = '{key}' and role = 'denominator')",
        "{key} : les cellules ne sont pas celles de la formule (la version dit b (denominator) + a (numerator), "
        "on trouve a (numerator))",
    ),
    "all terms": (
        "lineage",
        "select * from lineage where figure_id != '{key}' or role not in ('numerator', 'denominator')",
        "{key} : aucune cellule n’entre dans son calcul",
    ),
    "scale": (
        "indicator",
        "select * replace (if(indicator_code = 'PART', 10, scale) as scale) from indicator",
        "{key} : la valeur ne se retrouve pas (la version dit 24.68, on trouve 2.468)",
    ),
}


@pytest.mark.parametrize(("table", "query", "message"), CHANGES.values(), ids=CHANGES)
def test_what_was_changed_is_named(spoilt: Sample, table: str, query: str, message: str) -> None:
    spoilt.rewrite(table, query.format(key=KEY), sums=True)
    assert message.format(key=KEY) in [str(difference) for difference in recompute(spoilt.release).differences]


def test_the_last_digits_may_differ_within_the_tolerance(spoilt: Sample) -> None:
    spoilt.rewrite("indicator_value", "select * replace (value * (1 + 1e-12) as value) from indicator_value", sums=True)
    result = recompute(spoilt.release)
    assert result.agrees
    assert result.recomputed == len(FIGURES)
    assert result.identical == sum(figure[3] is None for figure in FIGURES)


def test_a_zone_said_to_be_absent_is_looked_for(tmp_path: Path) -> None:
    def hide(tables: dict[str, Rows]) -> None:
        for row in tables["lineage"]:
            if row["figure_id"] == figure_key("PART", "QP004") and row["role"] in {"numerator", "denominator"}:
                row.update(source_row=None, raw_value=None)
        for row in tables["indicator_value"]:
            if row["figure_id"] == figure_key("PART", "QP004"):
                row.update(value=None, numerator=None, denominator=None, coverage=None, status="non_couvert")

    result = recompute(make_sample(tmp_path / "home", hide).release)
    assert [str(difference) for difference in result.differences] == [
        "PART.QPV.QP004.QP2015.2021 : taux.csv, ligne 6 : la zone QP004 est dite absente de ce fichier "
        "(la version dit aucune ligne, on trouve la ligne 6)"
    ]


@pytest.mark.parametrize("damage", ["flipped", "truncated", "missing"])
def test_bytes_that_are_not_those_of_the_digest_prove_nothing(spoilt: Sample, damage: str) -> None:
    path = spoilt.object(SOURCE)
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(SOURCE[:-1] if damage == "truncated" else bytes([SOURCE[0] ^ 1]) + SOURCE[1:])
    result = recompute(spoilt.release)
    (difference,) = result.differences
    assert (difference.what, difference.file, difference.figures) == ("fichier", "taux.csv", len(FIGURES))
    assert ("l’archive n’a pas ces octets" if damage == "missing" else "altéré") in str(difference)
    assert (result.recomputed, result.unproven) == (0, len(FIGURES))


def test_a_figure_of_a_model_names_its_model(tmp_path: Path) -> None:
    def model(tables: dict[str, Rows]) -> None:
        for row in tables["indicator_value"]:
            row.update(model=None, model_version=None, model_parameters=None)
            if row["figure_id"] == KEY:
                row.update(method="M4", model="lissage", model_version="1.2", model_parameters='{"k": 3}', value=1.0)

    result = recompute(make_sample(tmp_path / "home", model).release)
    assert result.agrees
    assert [(made.figure_id, made.model, made.version, made.parameters) for made in result.modelled] == [
        (KEY, "lissage", "1.2", '{"k": 3}')
    ]
    assert result.recomputed == len(FIGURES) - 1


def test_a_figure_of_a_model_that_is_not_named_is_refused(tmp_path: Path) -> None:
    def model(tables: dict[str, Rows]) -> None:
        tables["indicator_value"][0]["method"] = "M4"

    with pytest.raises(MissingModelColumnsError, match="model, model_version, model_parameters"):
        recompute(make_sample(tmp_path / "home", model).release)


def test_many_differences_are_counted_and_the_first_kept() -> None:
    result = Recomputation()
    for number in range(SHOWN + 3):
        result.differs(Difference("valeur", "non", f"F{number}"))
    assert (len(result.differences), result.uncounted) == (SHOWN, 3)
