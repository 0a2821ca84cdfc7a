"""Slices that are kept from one build to the next."""

from __future__ import annotations

from pathlib import Path

from dagster_project.lineage.cache import SliceCache, Slices

READ = {("raw", "a"): {"x": "VARCHAR"}}


class Cutter:
    """Counts how often it is asked to cut."""

    def __init__(self) -> None:
        self.cuts = 0

    def __call__(self) -> Slices:
        self.cuts += 1
        return {"x": f"select {self.cuts}"}


def test_a_query_is_cut_once_while_it_and_what_it_reads_stay_the_same(tmp_path: Path) -> None:
    cutter, path = Cutter(), tmp_path / "slices.json"
    for _ in range(3):
        cache = SliceCache(path)
        assert cache.of("select x from a", READ, cutter) == {"x": "select 1"}
        cache.save()
    assert cutter.cuts == 1


def test_another_query_or_another_column_read_is_cut_anew(tmp_path: Path) -> None:
    cutter, cache = Cutter(), SliceCache(tmp_path / "slices.json")
    cache.of("select x from a", READ, cutter)
    cache.of("select x as y from a", READ, cutter)
    cache.of("select x from a", {("raw", "a"): {"x": "VARCHAR", "z": "VARCHAR"}}, cutter)
    assert cutter.cuts == 3


def test_what_a_build_does_not_use_leaves_the_file(tmp_path: Path) -> None:
    cutter, path = Cutter(), tmp_path / "slices.json"
    first = SliceCache(path)
    first.of("select 1", {}, cutter)
    first.save()
    second = SliceCache(path)
    second.of("select 2", {}, cutter)
    second.save()
    SliceCache(path).of("select 1", {}, cutter)
    assert cutter.cuts == 3


def test_without_a_file_everything_is_cut(tmp_path: Path) -> None:
    cutter = Cutter()
    for _ in range(2):
        cache = SliceCache(None)
        cache.of("select 1", {}, cutter)
        cache.save()
    assert cutter.cuts == 2
    assert list(tmp_path.iterdir()) == []
