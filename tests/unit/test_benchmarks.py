from __future__ import annotations

import os
import sys
from pathlib import Path

import duckdb
import pytest

from benchmarks import bare, measure
from benchmarks.compare import DifferenceError, assert_same
from benchmarks.fit import fit
from benchmarks.measure import Cost, MeasureError, repeat, run
from benchmarks.plan import _in_order, _step
from benchmarks.report import BEGIN, END, Size, place, render
from benchmarks.spine import main
from dagster_project.settings import Settings


def run_python(code: str, folder: Path) -> tuple[Cost, str]:
    return run([sys.executable, "-c", code], cwd=folder, environment=dict(os.environ), log=folder / "x.err")


def release(folder: Path, rows: str) -> Path:
    folder.mkdir()
    duckdb.sql(f"copy (select * from {rows} as v(a, b, run_id)) to '{folder}/t.parquet' (format parquet)")
    return folder


def a_size(name: str, bare_s: float, whole_s: float) -> Size:
    costs = {key: Cost(bare_s, 1.0, 100.0, 0.0) for key in ("bare", "dbt", "second")}
    costs |= {key: Cost(whole_s, 1.0, 100.0, 0.0) for key in ("first", "rebuild")}
    return Size(name, costs, {"start": 0.5, "sql": 1.0}, 10, {"model": 3, "test": 2}, 7, 1)


def test_cost_counts_children_in_cpu_and_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child holds its memory until a sample has been taken of it: a fast one would end between two samples."""
    held, sampled = tmp_path / "held", tmp_path / "sampled"
    take_sample = measure._tree_rss

    def and_tell(pid: int) -> int:
        was_held, found = held.exists(), take_sample(pid)
        if was_held:
            sampled.touch()
        return found

    monkeypatch.setattr(measure, "_tree_rss", and_tell)
    child = "; ".join(
        [
            "import pathlib",
            "x = b'x' * 80_000_000",
            f"pathlib.Path({str(held)!r}).touch()",
            f"sampled = pathlib.Path({str(sampled)!r})",
            "exec('while not sampled.exists(): pass')",
        ]
    )
    cost, output = run_python(
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print(7)", tmp_path
    )
    assert output == "7\n"
    assert cost.cpu_s > 0
    assert cost.peak_mb > 80


def test_a_failing_process_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match=r"(?s)status 3.*no such thing"):
        run_python("import sys; print('no such thing', file=sys.stderr); sys.exit(3)", tmp_path)


def test_repetitions_give_medians_and_the_worst_disturbance() -> None:
    costs = iter([Cost(3, 30, 1, 0.0), Cost(1, 10, 2, 0.4), Cost(2, 20, 9, 0.1)])
    assert repeat(3, lambda: next(costs)) == Cost(2, 20, 2, 0.4)


def test_line_of_known_points() -> None:
    line = fit([2, 4, 6], [33, 36, 39])
    assert line is not None
    assert (line.fixed_s, line.slope, line.residual_s, line.points) == pytest.approx((30, 1.5, 0, 3))


def test_line_tells_how_far_points_are_from_it() -> None:
    line = fit([0, 1, 2], [0, 3, 0])
    assert line is not None
    assert (line.fixed_s, line.slope, line.residual_s) == pytest.approx((1, 0, 2))


def test_one_size_has_no_line() -> None:
    assert fit([2], [33]) is None
    assert fit([2, 2], [33, 34]) is None


def test_same_rows_in_another_order_and_run_are_the_same(tmp_path: Path) -> None:
    one = release(tmp_path / "a", "(values (1, 'x', 'r1'), (1, 'x', 'r1'), (2, null, 'r1'))")
    other = release(tmp_path / "b", "(values (2, null, 'r2'), (1, 'x', 'r2'), (1, 'x', 'r2'))")
    assert assert_same(one, other, ["t"]) == {"t": 3}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param("(1, 'x', 'r'), (2, 'y', 'r')", "1 rows only in the first release, 1 only", id="a value"),
        pytest.param("(1, 'x', 'r'), (1, 'x', 'r'), (2, null, 'r')", "0 rows only in the first", id="a repeated row"),
        pytest.param("(1.5, 'x', 'r'), (2, null, 'r')", "columns differ", id="a type"),
    ],
)
def test_another_figure_is_a_difference(tmp_path: Path, rows: str, message: str) -> None:
    one = release(tmp_path / "a", "(values (1, 'x', 'r'), (2, null, 'r'))")
    with pytest.raises(DifferenceError, match=message):
        assert_same(one, release(tmp_path / "b", f"(values {rows})"), ["t"])


def test_empty_tables_prove_nothing(tmp_path: Path) -> None:
    folders = [release(tmp_path / name, "(select * from (values (1, 'x', 'r')) where false)") for name in ("a", "b")]
    with pytest.raises(DifferenceError, match="empty"):
        assert_same(*folders, ["t"])


def test_steps_come_after_what_they_read() -> None:
    def node(kind: str, *parents: str) -> dict[str, object]:
        return {"resource_type": kind, "depends_on": {"nodes": list(parents)}}

    nodes = {
        "c": node("model", "b", "s"),
        "b": node("model", "source.raw"),
        "t": node("test", "c"),
        "s": {"resource_type": "seed", "depends_on": {}},
    }
    order = _in_order(nodes)
    assert sorted(order) == ["b", "c", "s"]
    assert order[-1] == "c"


def test_compiled_sql_reads_the_tables_of_the_bare_program(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    compiled = tmp_path / "compiled" / "p" / "models" / "m.sql"
    compiled.parent.mkdir(parents=True)
    compiled.write_text(f"select * from '{settings.raw_dir}/t.parquet'", encoding="utf-8")
    node = {
        "resource_type": "model",
        "name": "m",
        "schema": "marts",
        "relation_name": '"warehouse"."marts"."m"',
        "config": {"materialized": "table"},
        "package_name": "p",
        "original_file_path": "models/m.sql",
    }
    step = _step(settings, node, tmp_path)
    assert step["sql"] == f"select * from '{bare.OUT}/raw/t.parquet'"


def test_bare_runs_seeds_views_and_tables_in_order(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("code,label\n01,\n02,b\n", encoding="utf-8")
    steps = [
        {
            "kind": "seed",
            "schema": "reference",
            "relation": '"warehouse"."reference"."s"',
            "csv": str(tmp_path / "s.csv"),
            "columns": {"code": "VARCHAR", "label": "VARCHAR"},
        },
        {
            "kind": "view",
            "schema": "staging",
            "relation": '"warehouse"."staging"."v"',
            "sql": 'select * from "warehouse"."reference"."s" -- a comment ends the text',
        },
        {
            "kind": "table",
            "schema": "marts",
            "relation": '"warehouse"."marts"."t"',
            "sql": 'select * from "warehouse"."staging"."v"',
        },
    ]
    bare.run_sql({"steps": steps}, tmp_path)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        assert connection.execute("select * from marts.t order by code").fetchall() == [("01", None), ("02", "b")]


def test_report_says_ratio_line_and_bars() -> None:
    sizes = [a_size("demonstration", 2, 33), a_size("west", 4, 43), a_size("france", 6, 53)]
    text = render(sizes, {}, (3, 1))
    assert "| demonstration | `dq run`, first | 33.0 | 1.0 | 100 | 16.5 |" in text
    assert "fixed part 23.0 s (bar ≤ 40 s: kept), slope 5.00 (bar ≤ 2: **exceeded**), 3 points" in text
    assert str(Path.cwd()) not in text


def test_report_names_what_was_not_measured() -> None:
    text = render([a_size("demonstration", 2, 33)], {"west": "no files"}, (1, 1))
    assert "Not measured: west (no files)." in text
    assert "one size only" in text


def test_document_keeps_its_prose(tmp_path: Path) -> None:
    document = tmp_path / "docs" / "benchmarks.md"
    place(document, "first")
    document.write_text(f"intro\n{document.read_text(encoding='utf-8')}outro\n", encoding="utf-8")
    place(document, "second")
    text = document.read_text(encoding="utf-8")
    assert "first" not in text
    assert text.startswith("intro\n")
    assert text.endswith("outro\n")
    assert text.index(BEGIN) < text.index("second") < text.index(END)


def test_a_lone_marker_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text(f"x\n{END}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="markers"):
        place(document, "new")


def test_sizes_without_data_are_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--sizes", "west", "--mirror", str(tmp_path / "none"), "--work", str(tmp_path), "--dry"])
    assert status == 1
    assert "west: skipped" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
