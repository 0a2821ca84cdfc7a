"""The measured error of downscaling, as the quality report draws it."""

from __future__ import annotations

from types import SimpleNamespace

import duckdb
from hypothesis import example, given
from hypothesis import strategies as st

from dagster_project.pages.environment import environment
from dagster_project.quality.downscaling import COLUMNS, DownscalingError, downscaling_errors, pictures


def error(**changes: object) -> DownscalingError:
    row = {
        "benchmark_code": "IMM_2024",
        "libelle_fr": "Part des immigrés",
        "nature": "rate",
        "method": "M2",
        "generation": "QN2024",
        "vintage": "2022",
        "coverage_class": "toutes",
        "zones": 76,
        "published_total": None,
        "estimated_total": None,
        "bias": -4.7,
        "mean_absolute_error": 4.9,
        "root_mean_square_error": 6.7,
        "error_q05": -13.8,
        "error_q50": -4.0,
        "error_q95": 0.7,
        "leave_one_out": 0.91,
    }
    return DownscalingError.model_validate(row | changes)


def test_rows_come_in_order_of_nature_variable_and_coverage() -> None:
    classes = ("faible", "toutes", "forte")
    rows = [error(coverage_class=name).model_dump() for name in classes]
    rows.append(error(benchmark_code="POP", nature="count", published_total=9.0, estimated_total=7.0).model_dump())
    values = ", ".join(
        "(" + ", ".join("null" if row[name] is None else repr(row[name]) for name in COLUMNS) + ")" for row in rows
    )
    with duckdb.connect() as connection:
        connection.execute(
            f"create schema marts; create table marts.mart_erreur_report as "
            f"from (values {values}) t({', '.join(COLUMNS)})"
        )
        found = [(row.benchmark_code, row.coverage_class) for row in downscaling_errors(connection)]
    assert found == [("POP", "toutes"), ("IMM_2024", "toutes"), ("IMM_2024", "forte"), ("IMM_2024", "faible")]


def test_rates_and_counts_are_drawn_apart_and_classes_are_left_to_the_table() -> None:
    drawn = pictures([error(), error(coverage_class="forte"), error(benchmark_code="POP", nature="count")])
    assert [(picture.title, len(picture.bars)) for picture in drawn] == [("Taux", 1), ("Effectifs", 1)]
    assert pictures([]) == []


@given(
    st.lists(
        st.tuples(*[st.floats(-1e6, 1e6, allow_nan=False)] * 3).map(sorted),
        min_size=1,
        max_size=8,
    )
)
@example([[0.0, 0.0, 5e-324]])
def test_every_mark_stands_inside_the_picture_in_the_order_of_its_value(ranges: list[list[float]]) -> None:
    (picture,) = pictures(
        [
            error(benchmark_code=f"V{rank}", error_q05=a, error_q50=b, error_q95=c)
            for rank, (a, b, c) in enumerate(ranges)
        ]
    )
    for bar in picture.bars:
        assert picture.names <= bar.low <= bar.median <= bar.high <= picture.width
        assert 0 < bar.y < picture.height
    places = [place for place, _ in picture.ticks]
    assert places == sorted(places)
    assert picture.names <= picture.zero <= picture.width


def test_the_page_names_each_variable_and_gives_its_numbers() -> None:
    template = environment().get_template("quality/error.html.j2")

    errors = [error(), error(leave_one_out=None, coverage_class="forte")]

    html = template.render(report=SimpleNamespace(downscaling=errors), pictures=pictures(errors))
    assert "Part des immigrés, 2022 (QN2024)" in html
    assert "−13,8" in html
    assert "91&#8239;%" in html
    assert '<td class="n">—</td>' in html
    assert "http" not in html
