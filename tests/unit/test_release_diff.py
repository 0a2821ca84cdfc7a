"""Every change of a release has its cause: six known causes injected alone and mixed, and what adds up."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dagster_project.audit.diff.causes import CONTRIBUTIONS, STEP, Cause
from dagster_project.audit.diff.compare import Comparison, compare
from dagster_project.audit.release_folder import ReleaseFolder, UnknownReleaseError
from tests.draws import RANDOM_MIXES
from tests.release_folders import VINTAGE, Cell, Indicator, Result, World, figure_id

ZONES = {f"QP09600{n}": f"Quartier {n}" for n in range(1, 9)}
Z1, Z2, Z3, Z4 = list(ZONES)[:4]
VARIABLES = ("actifs", "aides", "autres", "habitants", "taux")
TERMS = {
    "REV_TAUX": Indicator({("value", "taux"): 1.0}),
    "REV_PART": Indicator({("numerator", "aides"): 1.0, ("denominator", "habitants"): 1.0}, scale=100.0),
    "EMP_SOLDE": Indicator(
        {
            ("numerator", "actifs"): 1.0,
            ("numerator", "aides"): 1.0,
            ("numerator", "autres"): -1.0,
            ("denominator", "habitants"): 1.0,
        },
        scale=100.0,
        theme="emploi",
    ),
}
# In the file, and in no formula at first.
UNUSED = "reserve"
NUMBERS = {"actifs": 311.7, "aides": 47.3, "autres": 12.9, "habitants": 1831.0, "taux": 44.1, UNUSED: 21.7}
BASE = World(
    indicators=TERMS,
    zones=ZONES,
    cells={
        (VINTAGE, zone, variable): Cell(f"{number + index * 7.1:.1f}".replace(".", ","))
        for index, zone in enumerate(ZONES)
        for variable, number in NUMBERS.items()
    },
    columns={variable: variable.upper() for variable in NUMBERS},
)
# Figures that are sums over parts of their zones, not published as such. The parts that enter and leave are not the
# zones themselves, and nothing else befalls their cells: it could not be seen in figures that do not use them.
PARTS = ("IRIS1", "IRIS2")
COMPOSED = replace(
    BASE,
    method="M2",
    cells={
        **BASE.cells,
        **{(VINTAGE, part, v): Cell(f"{n * 1.3:.1f}") for part in PARTS for v, n in NUMBERS.items()},
    },
    parts={zone: {zone: 1.0, PARTS[0]: 0.5} for zone in ZONES},
)
Row = dict[str, Any]


def cell(zone: str, variable: str, vintage: str = VINTAGE) -> tuple[str, str, str]:
    return vintage, zone, variable


def opened(folder: Path) -> ReleaseFolder:
    return ReleaseFolder(folder, folder.parent / "archive")


def compared(old: World, new: World, folder: Path | None = None) -> tuple[Comparison, dict[str, Row]]:
    """The comparison, and its changes by figure."""
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        found = compare(opened(old.write(place / "old")), opened(new.write(place / "new")))
    return found, {row["figure_id"]: row for row in found.changes.to_pylist()}


def of(row: Row) -> tuple[str, str, set[str]]:
    return row["change"], row["main_cause"], set(row["causes"])


def due(row: Row) -> dict[str, float | None]:
    return {cause: row[f"due_{cause}"] for cause in CONTRIBUTIONS}


def assert_adds_up(row: Row) -> None:
    contributions = list(due(row).values())
    if row["difference"] is None:
        assert set(contributions) == {None}
        return
    scale = max(abs(row["value_before"]), abs(row["value_after"]))
    assert abs(math.fsum(contributions) - row["difference"]) <= 1e-12 * scale


# One cause at a time

ALONE: dict[Cause, tuple[World, set[str]]] = {
    Cause.VINTAGE: (
        BASE.revise({cell(Z1, "taux"): "51,2", cell(Z2, "aides"): "60"}),
        {figure_id("REV_TAUX", Z1), figure_id("REV_PART", Z2), figure_id("EMP_SOLDE", Z2)},
    ),
    Cause.CORRECTION: (
        BASE.correct({cell(Z1, "taux"): ("override", 12.5), cell(Z3, "habitants"): ("scale", 1000.0)}),
        {figure_id("REV_TAUX", Z1), figure_id("REV_PART", Z3), figure_id("EMP_SOLDE", Z3)},
    ),
    Cause.FORMULA: (
        BASE.reformulate("REV_PART", scale=1000.0),
        {figure_id("REV_PART", zone) for zone in ZONES},
    ),
    Cause.PERIMETER: (
        replace(BASE, zones={code: name for code, name in ZONES.items() if code != Z4}),
        {figure_id(code, Z4) for code in TERMS},
    ),
    Cause.SECRECY: (
        BASE.mask({cell(Z1, "taux"): "0", cell(Z2, "habitants"): "0"}),
        {figure_id("REV_TAUX", Z1), figure_id("REV_PART", Z2), figure_id("EMP_SOLDE", Z2)},
    ),
    Cause.CODE: (
        BASE.reprogram({figure_id("REV_TAUX", Z1): 1.5, figure_id("EMP_SOLDE", Z4): 0.9}),
        {figure_id("REV_TAUX", Z1), figure_id("EMP_SOLDE", Z4)},
    ),
}


@pytest.mark.parametrize("cause", ALONE)
@pytest.mark.parametrize("backwards", [False, True], ids=["done", "undone"])
def test_a_cause_alone_explains_all_that_it_changes(cause: Cause, backwards: bool) -> None:
    other, figures = ALONE[cause]
    found, changes = compared(other, BASE) if backwards else compared(BASE, other)
    assert changes.keys() == figures
    for row in changes.values():
        assert (row["main_cause"], row["causes"]) == (cause, [cause])
        assert_adds_up(row)
        if row["difference"] is not None:
            assert due(row) == {name: row["difference"] if name == cause else 0.0 for name in CONTRIBUTIONS}
    assert found.summary.residual == 0
    assert {count.cause: (count.main, count.involved) for count in found.summary.causes if count.main} == {
        cause: (len(figures), len(figures))
    }


def test_the_same_release_changes_nothing() -> None:
    found, changes = compared(BASE, BASE)
    assert changes == {}
    assert (found.summary.unchanged, found.summary.changed) == (len(ZONES) * len(TERMS), 0)


# What comes and goes


def only(old: World, new: World, name: str) -> Row:
    _, changes = compared(old, new)
    assert_adds_up(changes[name])
    return changes[name]


def test_a_new_edition_brings_figures() -> None:
    later = replace(BASE, cells={**BASE.cells, **{("2022", z, v): c for (_, z, v), c in BASE.cells.items()}})
    _, changes = compared(BASE, later)
    assert changes.keys() == {figure_id(code, zone, "2022") for code in TERMS for zone in ZONES}
    assert {of(row)[1] for row in changes.values()} == {Cause.VINTAGE}


def test_a_new_zone_in_a_new_edition_has_two_causes_and_the_zone_comes_first() -> None:
    later = replace(BASE, cells={**BASE.cells, **{("2022", z, v): c for (_, z, v), c in BASE.cells.items()}})
    without = replace(BASE, zones={code: name for code, name in ZONES.items() if code != Z1})
    _, changes = compared(without, later)
    assert of(changes[figure_id("REV_TAUX", Z1, "2022")]) == ("gagne", "perimeter", {"perimeter", "vintage"})
    assert of(changes[figure_id("REV_TAUX", Z1)]) == ("gagne", "perimeter", {"perimeter"})
    assert of(changes[figure_id("REV_TAUX", Z2, "2022")]) == ("gagne", "vintage", {"vintage"})


def test_a_new_indicator_is_a_formula() -> None:
    fewer = replace(BASE, indicators={code: i for code, i in TERMS.items() if code != "EMP_SOLDE"})
    found, changes = compared(fewer, BASE)
    assert {of(row)[:2] for row in changes.values()} == {("gagne", "formula")}
    assert [item.code for item in found.summary.indicators_gained.shown] == ["EMP_SOLDE"]


def test_a_column_that_a_revised_file_brings_is_the_source() -> None:
    shorter = replace(BASE, cells={key: c for key, c in BASE.cells.items() if key[2] != "autres"})
    row = only(shorter, BASE, figure_id("EMP_SOLDE", Z1))
    assert of(row) == ("gagne", "vintage", {"vintage"})


def test_a_column_that_was_not_read_is_the_formula() -> None:
    unread = replace(BASE, columns={v: c for v, c in BASE.columns.items() if v != "autres"})
    row = only(unread, BASE, figure_id("EMP_SOLDE", Z1))
    assert of(row) == ("gagne", "formula", {"formula"})


def test_an_indicator_that_becomes_published_is_a_formula() -> None:
    published = BASE.reformulate("REV_PART", terms={**TERMS["REV_PART"].terms, ("value", "taux"): 1.0})
    row = only(BASE, published, figure_id("REV_PART", Z1))
    assert of(row) == ("valeur", "formula", {"formula"})


def test_a_published_column_that_the_file_now_has_is_the_source() -> None:
    both = BASE.reformulate("REV_PART", terms={**TERMS["REV_PART"].terms, ("value", "taux"): 1.0})
    absent = replace(both, cells={key: c for key, c in both.cells.items() if key[2] != "taux"})
    row = only(absent, both, figure_id("REV_PART", Z1))
    assert of(row) == ("valeur", "vintage", {"vintage"})


def test_zones_that_come_go_and_change_are_listed() -> None:
    other = replace(BASE, zones={**{z: n for z, n in ZONES.items() if z != Z1}, "QP096099": "Neuf", Z2: "Renommé"})
    found, _ = compared(BASE, other)
    summary = found.summary
    assert [(item.code, item.detail) for item in summary.zones_gained.shown] == [("QP096099", "QPV QP2015")]
    assert [item.code for item in summary.zones_lost.shown] == [Z1]
    assert [(item.code, item.detail) for item in summary.zones_modified.shown] == [(Z2, "QPV QP2015 : nom")]


# Statuses


@pytest.mark.parametrize(
    ("change", "before", "after", "cause"),
    [
        (lambda w: w.mask({cell(Z1, "taux"): "3"}), "ok", "nd", Cause.VINTAGE),
        (lambda w: w.revise({cell(Z1, "taux"): "ns"}), "ok", "secret_primaire", Cause.SECRECY),
        (lambda w: w.correct({cell(Z1, "taux"): ("drop", None)}), "ok", "nd", Cause.CORRECTION),
        (lambda w: w.revise({cell(Z1, "habitants"): "0"}), "ok", "nd", Cause.VINTAGE),
        (lambda w: without_row(w, Z1), "ok", "non_couvert", Cause.VINTAGE),
        (
            lambda w: replace(
                w,
                indicators={**w.indicators, "REV_TAUX": Indicator({("value", "masque"): 1.0})},
                columns=MASKED.columns,
            ),
            "ok",
            "secret_primaire",
            Cause.FORMULA,
        ),
    ],
    ids=["emptied", "marked", "dropped", "empty denominator", "row gone", "hidden term"],
)
def test_a_status_changes_for_a_reason(change: Callable[[World], World], before: str, after: str, cause: Cause) -> None:
    old = MASKED if cause == Cause.FORMULA else BASE
    _, changes = compared(old, change(old))
    row = changes.get(figure_id("REV_TAUX", Z1)) or changes[figure_id("REV_PART", Z1)]
    assert (row["status_before"], row["status_after"]) == (before, after)
    assert of(row) == ("statut", cause, {cause})
    assert_adds_up(row)


MASKED = replace(
    BASE,
    cells={**BASE.cells, **{cell(zone, "masque"): Cell("", "0") for zone in ZONES}},
    columns={**BASE.columns, "masque": "MASQUE"},
)


def without_row(world: World, zone: str) -> World:
    return replace(world, cells={key: c for key, c in world.cells.items() if key[1] != zone})


def test_a_note_that_means_something_else_is_secrecy() -> None:
    masked = BASE.mask({cell(Z1, "taux"): "3", cell(Z2, "aides"): "0"})
    reread = replace(masked, notes={"0": "secret_primaire", "3": "secret_primaire"})
    found, changes = compared(masked, reread)
    assert changes.keys() == {figure_id("REV_TAUX", Z1)}
    assert of(changes[figure_id("REV_TAUX", Z1)]) == ("statut", "secrecy", {"secrecy"})
    (change,) = found.summary.status_changes
    assert (change.before, change.after, change.figures) == ("nd", "secret_primaire", 1)


def test_a_correction_that_the_producer_made_useless_leaves_nothing_to_explain() -> None:
    corrected = BASE.correct({cell(Z1, "taux"): ("override", 12.5)})
    mended = replace(BASE.revise({cell(Z1, "taux"): "12,5"}), corrections={})
    _, changes = compared(corrected, mended)
    assert changes == {}


def test_a_revised_text_under_the_same_override_is_no_cause() -> None:
    old = BASE.correct({cell(Z1, "aides"): ("override", 50.0)})
    new = old.revise({cell(Z1, "aides"): "99", cell(Z1, "habitants"): "2000"})
    row = only(old, new, figure_id("REV_PART", Z1))
    assert of(row) == ("valeur", "vintage", {"vintage"})
    flagged = BASE.correct({cell(Z1, "taux"): ("flag", None)})
    assert compared(BASE, flagged)[1] == {}


def test_a_cell_that_only_a_correction_makes_readable_hands_its_share_to_it() -> None:
    new = BASE.revise({cell(Z1, "taux"): "4x,1"}).correct({cell(Z1, "taux"): ("override", 50.0)})
    row = only(BASE, new, figure_id("REV_TAUX", Z1))
    assert of(row) == ("valeur", "correction", {"vintage", "correction"})
    assert due(row) == {**dict.fromkeys(CONTRIBUTIONS, 0.0), Cause.CORRECTION: row["difference"]}


def test_terms_that_change_without_the_value_are_said() -> None:
    doubled = BASE.revise({cell(Z1, "aides"): "94,6", cell(Z1, "habitants"): "3662"})
    row = only(BASE, doubled, figure_id("REV_PART", Z1))
    assert of(row) == ("composantes", "vintage", {"vintage"})
    assert (row["numerator_before"], row["numerator_after"]) == (47.3, 94.6)


def test_a_code_that_a_correction_completes_gives_its_row_back(tmp_path: Path) -> None:
    """The row that bears an incomplete code is found in the same bytes."""
    old, new = BASE.write(tmp_path / "old"), BASE.write(tmp_path / "new")
    name = figure_id("REV_TAUX", Z1)
    gone = f"if(figure_id = '{name}' and role = 'value', null, "
    rewrite(old / "lineage.parquet", f"* replace ({gone} source_row) as source_row, {gone} raw_value) as raw_value)")
    absent = f"if(figure_id = '{name}', "
    rewrite(
        old / "indicator_value.parquet",
        f"* replace ({absent} 'non_couvert', status) as status, {absent} null, value) as value)",
    )
    padding = "'codes-completes' as correction_id, 'insee_revn' as dataset, 'CODGEO' as source_column, 'pad' as action"
    with duckdb.connect() as db:
        db.execute(
            f"copy (select {padding}, null::double as corrected_value, 8 as width) to '{new / 'corrections.parquet'}'"
        )
    (row,) = compare(opened(old), opened(new)).changes.to_pylist()
    assert (row["figure_id"], *of(row)) == (name, "statut", "correction", {"correction"})


def rewrite(path: Path, selection: str) -> None:
    """The same table with another selection of its columns."""
    with duckdb.connect() as db:
        db.execute(f"create table t as select {selection} from read_parquet('{path}')")
        db.execute(f"copy t to '{path}' (format parquet)")


# Residuals


def test_a_figure_that_changes_while_nothing_does_is_a_residual() -> None:
    name = figure_id("REV_TAUX", Z1)
    new = BASE.reprogram({name: 1.5}, program=BASE.program)
    found, changes = compared(BASE, new)
    assert of(changes[name]) == ("valeur", "residual", {"residual"})
    assert due(changes[name])[Cause.RESIDUAL] == changes[name]["difference"]
    assert found.summary.residual == 1
    assert [figure.figure_id for figure in found.summary.residual_figures] == [name]


def test_a_residual_beside_a_cause_is_what_the_cause_leaves() -> None:
    name = figure_id("REV_TAUX", Z1)
    new = BASE.revise({cell(Z1, "taux"): "60"}).reprogram({name: 1.01}, program=BASE.program)
    row = only(BASE, new, name)
    assert of(row) == ("valeur", "vintage", {"vintage", "residual"})
    assert due(row)[Cause.RESIDUAL] == pytest.approx(0.6, rel=1e-12)
    assert due(row)[Cause.VINTAGE] == pytest.approx(15.9, rel=1e-12)


def test_a_status_that_no_input_explains_is_a_residual(tmp_path: Path) -> None:
    old, new = BASE.write(tmp_path / "old"), BASE.write(tmp_path / "new")
    concerned = f"if(figure_id = '{figure_id('REV_TAUX', Z1)}', "
    rewrite(
        new / "indicator_value.parquet",
        f"* replace ({concerned} 'nd', status) as status, {concerned} null, value) as value)",
    )
    (row,) = compare(opened(old), opened(new)).changes.to_pylist()
    assert of(row) == ("statut", "residual", {"residual"})


@pytest.mark.parametrize(("least", "cause"), [(11, "residual"), (20, "secrecy")])
@pytest.mark.parametrize("value", ["null", "1.5 * value"])
def test_what_a_rule_that_moved_does_is_secrecy(value: str, least: int, cause: str, tmp_path: Path) -> None:
    name = figure_id("REV_TAUX", Z1)
    old, new = BASE.write(tmp_path / "old"), BASE.write(tmp_path / "new")
    for folder, count in ((old, 11), (new, least)):
        rewrite(folder / "indicator.parquet", "*, 'essai' as secrecy_rule")
        with duckdb.connect() as db:
            rule = f"select 'essai' as secrecy_rule, {count} as least_count"
            db.execute(f"copy ({rule}) to '{folder / 'secrecy_rule.parquet'}' (format parquet)")
    status = "secret_primaire" if value == "null" else "ok"
    concerned = f"if(figure_id = '{name}', "
    changed = f"{concerned} '{status}', status) as status, {concerned} {value}, value) as value"
    rewrite(new / "indicator_value.parquet", f"* replace ({changed})")
    (row,) = compare(opened(old), opened(new)).changes.to_pylist()
    assert (row["main_cause"], set(row["causes"])) == (cause, {cause})
    assert_adds_up(row)
    if row["difference"] is not None:
        assert due(row)[Cause(cause)] == pytest.approx(row["difference"], rel=1e-12)


# Mixed


def chain(worlds: Iterable[World]) -> dict[str, list[Result | None]]:
    """Each figure of the last world after each cause, from worlds where the causes are introduced one by one."""
    results = [world.figures() for world in worlds]
    return {name: [step.get(name) for step in results] for name in results[-1]}


def assert_rightly_attributed(row: Row, states: list[Result | None], program: Cause) -> None:
    """Contributions are the differences between successive worlds, and the main cause is theirs."""
    names = [*list(STEP)[:-1], program]
    results = [state for state in states if state is not None]
    assert len(results) == len(names) + 1
    assert_adds_up(row)
    moved = {name for name, (a, b) in zip(names, pairwise(results), strict=True) if a != b}
    assert moved <= set(row["causes"])
    if results[0].value is None or results[-1].value is None:
        settled = max(k for k, result in enumerate(results) if result.status != results[-1].status)
        assert row["main_cause"] == names[settled]
        return
    carried, expected = results[0].value, {}
    for name, result in zip(names, results[1:], strict=True):
        value = carried if result.value is None else result.value
        expected[name], carried = value - carried, value
    scale = max(abs(results[0].value), abs(results[-1].value))
    for name in names:
        assert due(row)[name] == pytest.approx(expected[name], abs=1e-12 * scale)
    largest = max(abs(part) for part in expected.values())
    assert abs(expected[row["main_cause"]]) == pytest.approx(largest, abs=1e-12 * scale)


def test_the_six_causes_together() -> None:
    steps = [COMPOSED]
    for change in (
        lambda w: w.revise({cell(zone, "aides"): "55,5" for zone in ZONES}),
        lambda w: w.correct({cell(zone, "habitants"): ("override", 1500.0) for zone in (Z1, Z2)}),
        lambda w: w.reformulate("EMP_SOLDE", scale=1000.0),
        lambda w: w.recompose({Z1: {Z1: 0.6, "IRIS2": 0.4}, Z2: {Z2: 1.5, "IRIS1": 0.5}}),
        lambda w: w.mask({cell(Z4, "taux"): "0", cell(Z3, "taux"): "0"}),
        lambda w: w.reprogram({figure_id("EMP_SOLDE", zone): 1.001 for zone in ZONES}),
    ):
        steps.append(change(steps[-1]))
    found, changes = compared(steps[0], steps[-1])
    assert found.summary.residual == 0
    for name, row in changes.items():
        assert_rightly_attributed(row, chain(steps)[name], Cause.CODE)
    everything = {"vintage", "correction", "formula", "perimeter", "code"}
    assert set(changes[figure_id("EMP_SOLDE", Z2)]["causes"]) == everything
    assert {count.cause for count in found.summary.causes if count.involved} == everything | {"secrecy"}
    assert sum(count.main for count in found.summary.causes) == found.summary.changed == len(changes)


def test_cells_of_one_term_multiply() -> None:
    """A share and what it is a share of, revised and in other proportions of other parts."""
    first = replace(COMPOSED, indicators={"REV_PART": replace(TERMS["REV_PART"], bases={"aides": "actifs"})})
    revised = first.revise({cell(Z1, "aides"): "55,5", cell(Z2, "actifs"): "400", cell(Z3, "habitants"): "1900"})
    recomposed = revised.recompose({Z1: {Z1: 0.6, "IRIS1": 0.4}, Z4: {Z4: 0.5, "IRIS1": 0.5}})
    steps = [first, *[revised] * 3, *[recomposed] * 3]  # no correction, formula, mask or program
    found, changes = compared(steps[0], steps[-1])
    assert found.summary.residual == 0
    assert set(changes) == {figure_id("REV_PART", zone) for zone in (Z1, Z2, Z3, Z4)}
    for name, row in changes.items():
        assert_rightly_attributed(row, chain(steps)[name], Cause.CODE)
    assert changes[figure_id("REV_PART", Z2)]["main_cause"] == Cause.VINTAGE
    assert changes[figure_id("REV_PART", Z4)]["main_cause"] == Cause.PERIMETER


zone_sets = st.sets(st.sampled_from(list(ZONES)), max_size=4)
texts = st.decimals(min_value=1, max_value=99999, places=1).map(lambda number: str(number).replace(".", ","))
actions = st.one_of(
    st.tuples(st.just("override"), st.floats(1, 9999)),
    st.tuples(st.just("scale"), st.sampled_from([0.1, 10.0, 1000.0])),
    st.just(("drop", None)),
)


def shares_of(zone: str, kept: Iterable[str]) -> st.SearchStrategy[dict[str, float]]:
    share = st.floats(0.05, 2.0)
    fixed = {zone: share, **dict.fromkeys(kept, share)}
    return st.fixed_dictionaries(fixed, optional={part: share for part in PARTS if part not in fixed})


@settings(max_examples=RANDOM_MIXES, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(data=st.data())
def test_random_mixes_are_rightly_attributed(data: st.DataObject) -> None:
    """Hidden cells are not also revised: a cell changes once, and hiding it is then what changed it."""
    hidden = data.draw(st.sets(st.tuples(st.sampled_from(list(ZONES)), st.sampled_from(VARIABLES)), max_size=4))
    keys = st.tuples(st.just(VINTAGE), st.sampled_from(list(ZONES)), st.sampled_from(VARIABLES))
    open_keys = keys.filter(lambda key: key[1:] not in hidden)
    coefficients = st.sampled_from([-1.0, 0.5, 1.0, 2.0, 3.3])
    program = data.draw(st.sampled_from([Cause.CODE, Cause.RESIDUAL]))
    steps = [COMPOSED]
    steps.append(steps[-1].revise(data.draw(st.dictionaries(open_keys, texts, max_size=12))))
    steps.append(steps[-1].correct(data.draw(st.dictionaries(open_keys, actions, max_size=6))))
    code = data.draw(st.sampled_from(["REV_PART", "EMP_SOLDE"]))
    terms = (
        {term: data.draw(coefficients) for term in TERMS[code].terms} if data.draw(st.booleans()) else TERMS[code].terms
    )
    scale = data.draw(st.sampled_from([1.0, 100.0, 1000.0]))
    added = {("numerator", UNUSED): data.draw(coefficients)} if data.draw(st.booleans()) else {}
    steps.append(steps[-1].reformulate(code, terms={**terms, **added}, scale=scale))
    # A new term read in a part that leaves is a cell that neither release has: parts stay where terms are added.
    kept = (PARTS[0],) if added else ()
    shares = {zone: data.draw(shares_of(zone, kept)) for zone in data.draw(zone_sets)}
    steps.append(steps[-1].recompose(shares))
    steps.append(steps[-1].mask({cell(*key): "0" for key in hidden}))
    biased = data.draw(st.sets(st.sampled_from(sorted(BASE.figures())), max_size=5))
    steps.append(steps[-1].reprogram(dict.fromkeys(biased, 1.25), program="b" if program == Cause.CODE else "a"))
    found, changes = compared(steps[0], steps[-1])
    states = chain(steps)
    first, last = steps[0].figures(), steps[-1].figures()
    assert changes.keys() == {name for name, result in last.items() if result != first[name]}
    for name, row in changes.items():
        assert_rightly_attributed(row, states[name], program)
    explained = {name for name, row in changes.items() if "residual" not in row["causes"]}
    assert found.summary.residual == len(changes) - len(explained)
    if program == Cause.CODE:
        assert found.summary.residual == 0


# Thresholds


def test_what_moved_beyond_tolerance_is_told_by_the_narrowest_threshold(tmp_path: Path) -> None:
    thresholds = tmp_path / "thresholds.csv"
    thresholds.write_text(
        "indicator_code,theme,unit,absolute,relative,reason_fr\n"
        "*,*,*,0,0,tout\n*,*,%,1,0,un point\n*,emploi,*,0,0.5,moitié\nREV_PART,*,*,10,0,dix points\n",
        encoding="utf-8",
    )
    new = BASE.revise({cell(z, v): t for z, v, t in ((Z1, "taux", "45"), (Z2, "taux", "60"), (Z3, "aides", "70"))})
    found = compare(opened(BASE.write(tmp_path / "old")), opened(new.write(tmp_path / "new")), thresholds)
    told = {row["figure_id"]: (row["tolerated"], row["beyond_tolerance"]) for row in found.changes.to_pylist()}
    before = BASE.figures()[figure_id("EMP_SOLDE", Z3)].value
    assert before is not None
    assert told == {
        figure_id("REV_TAUX", Z1): (1.0, False),
        figure_id("REV_TAUX", Z2): (1.0, True),
        figure_id("REV_PART", Z3): (10.0, False),
        figure_id("EMP_SOLDE", Z3): (0.5 * abs(before), False),
    }
    assert [figure.figure_id for figure in found.summary.most_moved] == [figure_id("REV_TAUX", Z2)]
    assert found.summary.beyond_tolerance == 1


# What cannot be compared


def test_fictitious_and_real_releases_are_not_compared() -> None:
    with pytest.raises(UnknownReleaseError, match="même nature"):
        compared(BASE, replace(BASE, sources="mirror"))


def test_a_release_without_its_lineage_is_named(tmp_path: Path) -> None:
    old, new = BASE.write(tmp_path / "old"), BASE.write(tmp_path / "new")
    (old / "lineage.parquet").unlink()
    with pytest.raises(UnknownReleaseError, match=r"old/lineage\.parquet"):
        compare(opened(old), opened(new))
    with pytest.raises(UnknownReleaseError, match=r"pas de build\.lock\.json"):
        compare(opened(tmp_path), opened(new))
