"""What is built from an extract is built once, whole or not at all."""

from __future__ import annotations

import multiprocessing
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from dagster_project.routing.roads import valhalla
from dagster_project.routing.roads.engine import EngineError
from dagster_project.routing.roads.extract import ExtractRefused
from dagster_project.routing.roads.tiles import build_once, network_for
from tests.road_city import build_city, network_of, write_osm


def inodes(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


def test_a_second_engine_builds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_osm(build_city(), tmp_path / "city")
    cache = tmp_path / "cache"
    valhalla.Valhalla(network_of(source, cache))
    before = inodes(cache)
    monkeypatch.setattr(valhalla.subprocess, "run", lambda *_, **__: pytest.fail("built again"))
    network = network_of(source, cache)
    valhalla.Valhalla(network)
    assert inodes(cache) == before
    assert network.covers(build_city().corners.mean(axis=0)[None]).all()


def test_the_same_extract_gives_the_same_tiles(tmp_path: Path) -> None:
    source = write_osm(build_city(), tmp_path / "city")
    tiles = [valhalla.tiles_of(network_of(source, tmp_path / name)) for name in ("a", "b")]
    contents = [{path.name: path.read_bytes() for path in folder.rglob("*.gph")} for folder in tiles]
    assert contents[0] == contents[1]


def test_an_interrupted_build_leaves_nothing_and_the_next_one_works(tmp_path: Path) -> None:
    def interrupted(folder: Path) -> None:
        (folder / "half").write_text("written")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_once(tmp_path / "built", interrupted)
    assert [path.name for path in tmp_path.iterdir()] == ["built.lock"]
    assert build_once(tmp_path / "built", lambda folder: (folder / "whole").touch()).is_dir()


def test_what_a_killed_builder_left_is_swept(tmp_path: Path) -> None:
    left = tmp_path / "built.building"
    left.mkdir()
    (left / "half").touch()
    folder = build_once(tmp_path / "built", lambda folder: (folder / "whole").touch())
    assert [path.name for path in folder.iterdir()] == ["whole"]
    assert not left.exists()


def test_of_builders_at_once_one_builds(tmp_path: Path) -> None:
    built: list[Path] = []
    begun = Event()

    def build(folder: Path) -> None:
        built.append(folder)
        begun.set()
        (folder / "whole").touch()

    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: build_once(tmp_path / "built", build), range(32)))
    assert begun.is_set()
    assert len(built) == 1
    assert set(folders) == {tmp_path / "built"}


def test_builders_in_several_processes_agree(tmp_path: Path) -> None:
    source = write_osm(build_city(), tmp_path / "city")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        networks = pool.starmap(network_of, [(source, tmp_path / "cache")] * 4)
    assert len({network.pbf for network in networks}) == 1
    assert len(list((tmp_path / "cache").glob("*-network-*[0-9]"))) == 1


def test_a_refused_extract_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "plan.osm"
    source.write_bytes(b"no map")
    with pytest.raises(ExtractRefused, match=r"plan\.osm"):
        network_for(source, "0" * 64, tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


def test_a_builder_that_fails_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    network = network_of(write_osm(build_city(), tmp_path / "city"), tmp_path / "cache")
    network.pbf.write_bytes(b"damaged since")
    with pytest.raises(EngineError, match="valhalla_build_tiles"):
        valhalla.tiles_of(network)
    shutil.rmtree(network.pbf.parent)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]
