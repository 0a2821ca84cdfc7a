"""A rebuild says no before it does anything, and says why; what the graph makes is compared with the original."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_project import rebuild as module
from dagster_project.commands.app import app
from dagster_project.identity.drawing import draw_lock
from dagster_project.identity.lock import LOCK_NAME, BuildLock, LockError
from dagster_project.rebuild import RebuildError, Rebuilt, rebuild
from dagster_project.release.sums import SUMS
from dagster_project.runner import RunOutcome
from dagster_project.settings import Settings
from dagster_project.sources.archive import Archive
from tests.locks import make_lock

CONTENT = b"QP096001;12"
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def lock(settings: Settings) -> BuildLock:
    """A lock of this very program, whose one source is in the archive of its home."""
    archived = Archive(settings.archive_dir).store(
        [CONTENT],
        key="insee_exemple/2021/TABLE_2021",
        name="TABLE_2021.csv",
        url="demo:insee/TABLE_2021.csv",
        final_url="demo:insee/TABLE_2021.csv",
        headers={},
        origin="demo",
        max_bytes=100,
    )
    program = draw_lock(settings, {"metadata": {"dbt_version": "1"}}, run_id="r1", now=NOON)
    part = {"sha256": archived.sha256, "size": archived.size, "fetched_at": archived.fetched_at}
    source = make_lock().sources[0]
    parts = (source.parts[0].model_copy(update=part),)
    return program.model_copy(update={"sources": (source.model_copy(update={"parts": parts}),)})


@pytest.fixture
def original(settings: Settings, lock: BuildLock) -> Path:
    """The release folder of that lock, with one more file."""
    folder = settings.releases_dir / lock.release_id
    write_release(folder, lock.canonical(), "12")
    return folder


def write_release(folder: Path, lock: str, figure: str) -> None:
    folder.mkdir(parents=True)
    files = {LOCK_NAME: lock, "indicator_value.csv": f"value\n{figure}\n"}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    sums = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in files.items()]
    (folder / SUMS).write_text("".join(sums), encoding="utf-8")


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch, lock: BuildLock) -> list[str]:
    """A stand-in for the graph, which publishes the figure that this list holds; as it would be told, it runs once."""
    figures = ["12"]

    def run_graph(settings: Settings, *, force: bool) -> RunOutcome:
        assert force
        assert (settings.sources, settings.demo_seed) == ("demo", lock.settings.demo_seed)
        (part,) = lock.sources[0].parts
        assert Archive(settings.archive_dir).is_intact(part.sha256)
        if not figures:
            return RunOutcome("r2", succeeded=False, released=None, errors=("marts: refused",))
        write_release(settings.releases_dir / lock.release_id, lock.canonical(), figures[0])
        return RunOutcome("r2", succeeded=True, released=lock.release_id, errors=())

    monkeypatch.setattr(module, "run_graph", run_graph)
    return figures


def again(lock: Path, home: Path, **more: object) -> Rebuilt:
    return rebuild(lock, home=home, progress=lambda _: None, **more)  # type: ignore[arg-type]


def test_the_same_bytes_are_said_to_be_identical(original: Path, graph: list[str], tmp_path: Path) -> None:
    done = again(original, tmp_path / "new")
    assert (done.identical, done.differences) == (True, ())
    assert done.path == tmp_path / "new" / "releases" / original.name


def test_another_figure_is_named_and_the_command_fails(original: Path, graph: list[str], tmp_path: Path) -> None:
    graph[0] = "13"
    said = CliRunner().invoke(app, ["rebuild", str(original), "--home", str(tmp_path / "new"), "--json"])
    assert said.exit_code == 1
    content = json.loads(said.stdout)
    assert (content["identical"], [d["file"] for d in content["differences"]]) == (False, ["indicator_value.csv"])
    assert "indicator_value.csv: " in said.stderr


def test_without_the_original_s_sums_nothing_is_claimed(original: Path, graph: list[str], tmp_path: Path) -> None:
    (original / SUMS).unlink()
    said = CliRunner().invoke(app, ["rebuild", str(original / LOCK_NAME), "--home", str(tmp_path / "new")])
    assert said.exit_code == 0
    assert "compared with nothing" in said.stdout
    assert not again(original, tmp_path / "newer").identical


def test_a_failed_run_is_no_release(original: Path, graph: list[str], tmp_path: Path) -> None:
    graph.clear()
    with pytest.raises(RebuildError, match=r"no release was made\nmarts: refused"):
        again(original, tmp_path / "new")


def test_the_archive_may_be_named(original: Path, graph: list[str], settings: Settings, tmp_path: Path) -> None:
    moved = tmp_path / "cold"
    settings.archive_dir.rename(moved)
    elsewhere = tmp_path / "kept" / LOCK_NAME
    elsewhere.parent.mkdir()
    elsewhere.write_bytes((original / LOCK_NAME).read_bytes())
    assert again(elsewhere, tmp_path / "new", archive=moved).path.exists()
    with pytest.raises(RuntimeError, match=r"TABLE_2021 .* has no object"):
        again(elsewhere, tmp_path / "newer")


def test_a_home_may_be_made_again_in_place_from_its_archive(
    original: Path, graph: list[str], settings: Settings, tmp_path: Path
) -> None:
    saved = tmp_path / "saved"
    original.rename(saved)
    settings.releases_dir.rmdir()
    assert again(saved, settings.home).identical


@pytest.mark.parametrize("what", ["raw/insee_demo.json", "warehouse.duckdb", "releases/other", "archive/log.jsonl"])
def test_a_home_that_holds_something_is_left_alone(
    original: Path, graph: list[str], settings: Settings, tmp_path: Path, what: str
) -> None:
    held = tmp_path / "new" / what
    held.parent.mkdir(parents=True)
    log = (settings.archive_dir / "log.jsonl").read_text(encoding="utf-8")
    held.write_text(log.replace("insee_exemple", "autre"), encoding="utf-8")
    with pytest.raises(RebuildError, match=rf"holds something already \({Path(what).parts[0]}.*--home"):
        again(original, tmp_path / "new")


def test_another_program_is_refused_unless_it_is_allowed(
    original: Path, graph: list[str], lock: BuildLock, tmp_path: Path
) -> None:
    code = lock.code.model_copy(update={"git_commit": "f" * 40, "tree_clean": False})
    other = lock.model_copy(update={"python": "3.12.99", "code": code})
    path = tmp_path / LOCK_NAME
    path.write_text(other.canonical(), encoding="utf-8")
    with pytest.raises(RebuildError) as refusal:
        again(path, tmp_path / "new", archive=original.parents[1] / "archive")
    for said in ("Python: 3.12.99 in the lock", f"commit {'f' * 40}, with changes", "--allow-other-code"):
        assert said in str(refusal.value)
    assert not (tmp_path / "new").exists()
    assert again(path, tmp_path / "new", archive=original.parents[1] / "archive", allow_other_code=True).path.exists()


def test_a_lock_edited_since_its_release_is_refused(original: Path, tmp_path: Path) -> None:
    path = original / LOCK_NAME
    path.write_text(path.read_text(encoding="utf-8").replace('"r1"', '"r9"'), encoding="utf-8")
    with pytest.raises(LockError, match="no longer has the digest"):
        again(original, tmp_path / "new")
    assert not (tmp_path / "new").exists()
