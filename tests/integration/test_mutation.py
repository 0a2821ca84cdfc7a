"""Lineage proven by mutation on the demonstration territory: what moves is what `figure_input` said would move."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.draws import MUTATION_BATCHES
from tests.graph_runs import Finished
from tests.mutation import Mutation, disjoint, other_text, prove

pytestmark = pytest.mark.end_to_end


def test_the_figures_that_move_are_exactly_those_the_lineage_predicts(finished: Finished, tmp_path: Path) -> None:
    settings = finished.home.settings
    proof = prove(settings, tmp_path, from_lineage=200, from_anywhere=60, seed=20260105, batches=MUTATION_BATCHES)
    assert len([m for m in proof.mutations if m.predicted]) >= 200
    assert len([m for m in proof.mutations if not m.predicted]) >= 20, "cells of no figure must be tried too"
    assert {"value", "numerator", "denominator", "key", "note", "zone"} <= set(proof.roles)
    assert (proof.missing, proof.extra) == ([], [])


@pytest.mark.parametrize(
    ("text", "roles", "expected"),
    [
        ("46,8", ("value",), "46,9"),
        ("1 299", ("numerator",), "1 290"),
        ("", ("value",), "7"),
        ("ns", ("value",), "7"),
        ("QP035005", ("key",), "QP03523Z"),
        ("0", ("note",), "5"),
        ("3", ("note",), "0"),
        ("1995-01-15", (), "1995-01-16"),
        ("Blosne", (), "Blosnx"),
    ],
)
def test_another_text_of_the_same_kind(text: str, roles: tuple[str, ...], expected: str) -> None:
    assert other_text(text, roles) == expected


def test_batches_never_predict_a_figure_twice() -> None:
    wanted = [{"a", "b"}, {"b"}, {"c"}, set(), {"a"}, {"c", "d"}]
    mutations = [Mutation(None, (), "", frozenset(figures)) for figures in wanted]  # type: ignore[arg-type]
    batches = disjoint(mutations)
    assert sorted(len(m.predicted) for batch in batches for m in batch) == sorted(map(len, wanted))
    for batch in batches:
        figures = [figure for m in batch for figure in m.predicted]
        assert len(figures) == len(set(figures))
