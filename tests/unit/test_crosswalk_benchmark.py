"""The benchmark of crosswalks: what it compares, and what it says of it. Nothing here is timed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from benchmarks import crosswalk_ways
from benchmarks.crosswalk import (
    BARS,
    BEGIN,
    END,
    SIZES,
    DisagreementError,
    Spent,
    agreement,
    main,
    ratio,
    render,
    verdict,
)
from benchmarks.crosswalk_layers import column_of, shapes_of, write, write_layers
from benchmarks.report import BEGIN as SPINE_BEGIN
from benchmarks.report import place

X, Y = 352_000.0, 6_789_000.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small layers of every size: four IRIS in a row, three QPV, squares."""
    layers = tmp_path_factory.mktemp("layers")
    iris = np.array([shapely.box(X + 500 * i, Y, X + 500 * (i + 1), Y + 900) for i in range(4)], dtype=object)
    qpv = np.array([shapely.Point(X + 430 + 600 * i, Y + 450).buffer(190) for i in range(3)], dtype=object)
    for size in ("west", "france", "squares"):
        write(layers / f"{size}-qpv.parquet", qpv)
        write(layers / f"{size}-iris.parquet", iris, np.array([100.0, 200, 300, 400]))
    row, column = (grid.ravel() for grid in np.meshgrid(np.arange(33944, 33952), np.arange(1759, 1771), indexing="ij"))
    pq.write_table(pa.table({"column": column, "row": row}), layers / "squares.parquet")
    return layers


def run_ways(folder: Path, size: str) -> None:
    extra = ("tobler_default",) if size == "west" else ()
    for way in (*SIZES[size][0], *extra):
        crosswalk_ways.main(way, size, folder, folder / f"{size}-{way}.result.parquet", 1)


@pytest.mark.parametrize("size", SIZES)
def test_every_way_gives_the_same_areas(folder: Path, size: str) -> None:
    run_ways(folder, size)
    (said, *_) = agreement(folder, size)
    qpv = shapes_of(folder / f"{size}-qpv.parquet")
    assert f"{shapely.area(qpv).sum() / 1e6:.4f} km² in common" in said


def test_the_people_of_each_way_are_told(folder: Path) -> None:
    run_ways(folder, "west")
    _, people = agreement(folder, "west")
    ours = column_of(folder / "west-tobler.result.parquet", "people").sum()
    assert f"`allocate_total=False` {ours:,.0f}" in people
    assert "with its default 1,000," in people  # all four IRIS are touched: nobody is left out


def test_a_way_that_gives_another_area_is_denounced(folder: Path) -> None:
    run_ways(folder, "france")
    path = folder / "france-ours.result.parquet"
    found = pq.read_table(path)
    wrong = found["area"].to_numpy() * (1 + 1e-8)
    pq.write_table(found.set_column(2, "area", pa.array(wrong)), path)
    with pytest.raises(DisagreementError, match=r"france, ours: 0 pairs on one side only, .*1\.00e-08"):
        agreement(folder, "france")
    pq.write_table(found.slice(1), path)
    with pytest.raises(DisagreementError, match="1 pairs on one side only"):
        agreement(folder, "france")


def test_ratios_are_those_of_the_same_round() -> None:
    slow, fast = Spent(cpu=[2.0, 20.0, 3.0]), Spent(cpu=[1.0, 10.0, 1.0])
    assert ratio(slow, fast) == 2.0


def test_a_bar_is_kept_or_exceeded() -> None:
    spent = {("west", "ours"): Spent(cpu=[1.2]), ("west", "floor"): Spent(cpu=[1.0])}
    assert verdict(spent, "west", "ours", "floor", 1.3).endswith("(bar ≤ 1.3: kept)")
    assert verdict(spent, "west", "ours", "floor", 1.1).endswith("(bar ≤ 1.1: **exceeded**)")


def test_the_report_holds_every_way_and_every_bar(tmp_path: Path) -> None:
    ways = [(size, way) for size, (names, _) in SIZES.items() for way in names]
    spent = {key: Spent([0.1 * i], [0.1 * i], [300.0]) for i, key in enumerate(ways, start=1)}
    content = render(spent, dict.fromkeys(SIZES, "some × others"), ["- agreed"], 1)
    assert content.count("| some × others |") == len(ways)
    assert content.count("bar ≤") == len(BARS)
    document = tmp_path / "benchmarks.md"
    place(document, "spine")
    place(document, content, BEGIN, END)
    place(document, content, BEGIN, END)
    text = document.read_text(encoding="utf-8")
    assert text.count("- agreed") == 1
    assert text.index(SPINE_BEGIN) < text.index("spine") < text.index(BEGIN) < text.index("agreed") < text.index(END)


def test_without_real_files_nothing_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--mirror", str(tmp_path / "none"), "--work", str(tmp_path), "--dry"]) == 1
    assert "no folder of real sources" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real_data
def test_areas_and_people_of_the_real_west(real_data: Path, tmp_path: Path) -> None:
    described = write_layers(real_data, tmp_path)
    assert described["west"] == "78 QPV × 3,677 IRIS"
    assert described["france"] == "1,600 QPV × 49,000 IRIS"
    run_ways(tmp_path, "west")
    pairs, people = agreement(tmp_path, "west")
    assert "292 pairs, 21.3657 km² in common" in pairs
    assert "ours 138,547" in people
    ours, tobler = (pq.read_table(tmp_path / f"west-{way}.result.parquet") for way in ("ours", "tobler"))
    left, right, area = (ours[name].to_numpy() for name in ("left", "right", "area"))
    share = area / shapely.area(shapes_of(tmp_path / "west-iris.parquet"))[right]
    inhabitants = np.bincount(left, column_of(tmp_path / "west-iris.parquet", "people")[right] * share)
    np.testing.assert_allclose(tobler["people"].to_numpy(), inhabitants, rtol=1e-6)  # its areas are float32
