"""Figures of travel times: their cells summed again under the weights of the release, and what was changed named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dagster_project.audit.recompute import recompute
from dagster_project.audit.recompute.weighted import TRIPS as MODEL
from tests.release_samples import FIGURES, SOURCE, Rows, Sample, copy_sample, figure_key, make_sample, sha

ROWS = {"QP001": (2, "1\u202f234", 1234.0), "QP004": (6, "7", 7.0), "ENSEMBLE": (7, "100", 100.0)}
# Of each indicator, its scale, then by place: weight above the bar, and below it.
WEIGHTS: dict[str, tuple[int, dict[str, tuple[float, float | None]]]] = {
    "CUMUL": (1, {"QP001": (0.1, None), "QP004": (0.7, None), "ENSEMBLE": (0.2, None)}),
    "PARTAGE": (1000, {"QP001": (0.001, None)}),
    "TEMPS": (1, {"QP001": (12.3, 0.9), "QP004": (45.6, 1.0)}),
    "DEPENDANCE": (100, {"QP001": (0.3, 1.0), "QP004": (0.0, 0.5)}),
}
CUMUL, TEMPS = figure_key("CUMUL", "QP001"), figure_key("TEMPS", "QP001")
OTHER = figure_key("ICM", "QP001")


def figure(like: dict[str, Any], code: str, *results: float | None, model: str = MODEL) -> dict[str, Any]:
    value, numerator, denominator = results
    return {
        **like,
        **{"indicator_code": code, "figure_id": figure_key(code, "QP001"), "zone_level": "QPV", "zone_code": "QP001"},
        **{"method": "M4", "value": value, "numerator": numerator, "denominator": denominator, "status": "ok"},
        **{"model": model, "model_version": "1", "model_parameters": "rues rennes_2013"},
    }


def cells(code: str) -> Rows:
    return [
        {
            **{"figure_id": figure_key(code, "QP001"), "role": role, "term": place, "variable": "a", "weight": weight},
            **{"dataset": "essai_taux", "source_sha256": sha(SOURCE), "source_member": "taux.csv"},
            **{"source_row": row, "source_column": "A", "raw_value": text, "correction_id": None},
        }
        for place, weights in WEIGHTS[code][1].items()
        for (row, text, _) in (ROWS[place],)
        for role, weight in zip(("numerator", "denominator"), weights, strict=True)
        if weight is not None
    ]


def outcome(code: str) -> tuple[float, float, float | None]:
    """Value, numerator, denominator, added place after place in the order of their names, as the chain does."""
    scale, weights = WEIGHTS[code]
    above = below = 0.0
    for place in sorted(weights):
        up, down = weights[place]
        above += up * ROWS[place][2]
        below += (down or 0.0) * ROWS[place][2]
    return (scale * above / below, above, below) if below else (scale * above, above, None)


def add(tables: dict[str, Rows]) -> None:
    like = tables["indicator_value"][0]
    for row in tables["indicator_value"]:
        row |= {"model": None, "model_version": None, "model_parameters": None}
    made = [figure(like, code, *outcome(code)) for code in WEIGHTS]
    made.append(figure(like, "ICM", 3.0, None, None, model="icm"))
    tables["indicator_value"] = sorted([*tables["indicator_value"], *made], key=lambda row: row["figure_id"])
    tables["lineage"] += [cell for code in WEIGHTS for cell in cells(code)]
    scales = {code: scale for code, (scale, _) in WEIGHTS.items()} | {"ICM": 1}
    tables["indicator"] += [
        {**tables["indicator"][0], "indicator_code": code, "scale": scale} for code, scale in scales.items()
    ]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_sample(tmp_path_factory.mktemp("release") / "home", add)


@pytest.fixture
def spoilt(sample: Sample, tmp_path: Path) -> Sample:
    return copy_sample(sample, tmp_path / "home")


def test_every_figure_is_found_again_to_the_last_digit(sample: Sample) -> None:
    result = recompute(sample.release)
    assert result.agrees, [str(difference) for difference in result.differences]
    assert result.by_method == {"M0": len(FIGURES), "M4": len(WEIGHTS)}
    assert result.identical == len(FIGURES) + len(WEIGHTS)


def test_figures_of_another_model_are_said_and_not_recomputed(sample: Sample) -> None:
    assert [(each.figure_id, each.model) for each in recompute(sample.release).modelled] == [(OTHER, "icm")]


def test_one_figure_may_be_asked_for_alone(sample: Sample) -> None:
    result = recompute(sample.release, [TEMPS])
    assert (result.by_method, result.identical, result.modelled) == ({"M4": 1}, 1, [])


def said(sample: Sample) -> list[str]:
    return [str(difference) for difference in recompute(sample.release).differences]


CHANGES = {
    "weight above": (
        "lineage",
        "select * replace (if(figure_id = '{cumul}' and term = 'QP004', 0.8, weight) as weight) from lineage",
        ["{cumul} : la valeur", "{cumul} : le numérateur"],
    ),
    "weight below": (
        "lineage",
        "select * replace (if(figure_id = '{temps}' and role = 'denominator' and term = 'QP001', 1, weight) as weight)"
        " from lineage",
        ["{temps} : la valeur", "{temps} : le dénominateur"],
    ),
    "value": (
        "indicator_value",
        "select * replace (if(figure_id = '{temps}', value * 1.000001, value) as value) from indicator_value",
        ["{temps} : la valeur"],
    ),
    "numerator": (
        "indicator_value",
        "select * replace (if(figure_id = '{cumul}', numerator + 1, numerator) as numerator) from indicator_value",
        ["{cumul} : le numérateur"],
    ),
    "value withheld": (
        "indicator_value",
        "select * replace (if(figure_id = '{cumul}', null, value) as value) from indicator_value",
        ["{cumul} : la valeur"],
    ),
    "cell removed": (
        "lineage",
        "from lineage where not (figure_id = '{cumul}' and term = 'ENSEMBLE')",
        ["{cumul} : la valeur", "{cumul} : le numérateur"],
    ),
    "side of the bar": (
        "lineage",
        "select * replace (if(figure_id = '{temps}' and term = 'QP004', 'numerator', role) as role) from lineage",
        ["{temps} : la valeur", "{temps} : le numérateur", "{temps} : le dénominateur"],
    ),
}


@pytest.mark.parametrize(("table", "query", "wrong"), CHANGES.values(), ids=CHANGES)
def test_what_was_changed_is_named(spoilt: Sample, table: str, query: str, wrong: list[str]) -> None:
    keys = {"cumul": CUMUL, "temps": TEMPS}
    spoilt.rewrite(table, query.format(**keys), sums=True)
    told = said(spoilt)
    assert [line.partition(" ne se retrouve pas (la version dit ")[0] for line in told] == [
        line.format(**keys) for line in wrong
    ]


def test_a_figure_whose_cells_are_all_gone_is_named_unless_it_is_zero(spoilt: Sample) -> None:
    spoilt.rewrite("lineage", f"from lineage where figure_id not in ('{CUMUL}', '{TEMPS}')", sums=True)
    spoilt.rewrite(
        "indicator_value",
        f"select * replace (if(figure_id = '{CUMUL}', 0, value) as value) from indicator_value",
        sums=True,
    )
    assert said(spoilt) == [f"{TEMPS} : aucune cellule n’entre dans son calcul"]


def test_figures_that_count_stops_and_homes_have_no_cell(tmp_path: Path) -> None:
    def supply(tables: dict[str, Rows]) -> None:
        add(tables)
        like = tables["indicator_value"][0]
        made = [figure(like, code, 12.0, 6.0, 0.5) for code in ("D_ARRETS", "D_COUV")]
        tables["indicator_value"] = sorted([*tables["indicator_value"], *made], key=lambda row: row["figure_id"])

    result = recompute(make_sample(tmp_path / "home", supply).release)
    assert result.agrees
    assert [each.figure_id.partition(".")[0] for each in result.modelled] == ["D_ARRETS", "D_COUV", "ICM"]


def test_a_difference_gives_both_numbers(spoilt: Sample) -> None:
    stated = outcome("CUMUL")[0]
    spoilt.rewrite(
        "indicator_value",
        f"select * replace (if(figure_id = '{CUMUL}', 200, value) as value) from indicator_value",
        sums=True,
    )
    assert said(spoilt) == [f"{CUMUL} : la valeur ne se retrouve pas (la version dit 200.0, on trouve {stated})"]


def test_a_text_that_the_archive_does_not_hold_is_named_with_its_place(spoilt: Sample) -> None:
    spoilt.rewrite(
        "lineage",
        f"select * replace (if(figure_id = '{TEMPS}' and term = 'QP004', '8', raw_value) as raw_value) from lineage",
        sums=True,
    )
    (line,) = said(spoilt)
    assert line == (
        f"{TEMPS} : taux.csv, ligne 6, colonne A : le fichier ne porte pas ce texte à cette place "
        "(la version dit '8', on trouve '7')"
    )


def test_the_sums_follow_the_bytes_when_the_archive_says_otherwise(spoilt: Sample) -> None:
    changed = SOURCE.replace(b"QP004;50;7;8", b"QP004;50;9;8")
    path = spoilt.object(changed)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(changed)
    for table in ("lineage", "source_file"):
        moved = f"replace(source_sha256, '{sha(SOURCE)}', '{sha(changed)}') as source_sha256"
        spoilt.rewrite(table, f"select * replace ({moved}) from {table}", sums=True)
    told = said(spoilt)
    assert any(line.startswith(f"{CUMUL} : le numérateur ne se retrouve pas") for line in told)
    assert not any(line.startswith(figure_key("PARTAGE", "QP001")) for line in told)


def test_a_file_that_is_not_in_the_archive_leaves_figures_unproven(spoilt: Sample) -> None:
    spoilt.object(SOURCE).unlink()
    result = recompute(spoilt.release, [CUMUL, TEMPS])
    assert (result.recomputed, result.unproven) == (0, 2)
    assert not result.agrees
