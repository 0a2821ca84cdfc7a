"""A release made again from its lock: the same bytes, from the archive alone, wherever and whenever."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import socket
from pathlib import Path

import pytest

from dagster_project.identity.lock import LOCK_NAME, load_lock
from dagster_project.release.database import DATABASE
from dagster_project.release.sums import SUMS
from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.archive import Archive
from tests.graph_runs import Finished, Home, Ran

pytestmark = pytest.mark.end_to_end

# Whatever a machine may do otherwise: clock zone, language, order of sets.
ELSEWHERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "4242", "PYTHONUTF8": "1"}


def rebuild(finished: Finished, to: Path, archive: Path | None = None, **environment: str) -> Ran:
    named = ["--archive", str(archive)] if archive else []
    return Home(to).dq("rebuild", str(finished.home.release), *named, "--json", **environment)


@pytest.fixture(scope="module")
def rebuilt(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Ran]:
    home = Home(tmp_path_factory.mktemp("ailleurs") / "un autre dossier, accentué")
    mask = os.umask(0o077)
    try:
        ran = rebuild(finished, home.path, **ELSEWHERE)
    finally:
        os.umask(mask)
    return home, ran


def test_the_release_is_the_same_byte_for_byte(finished: Finished, rebuilt: tuple[Home, Ran]) -> None:
    home, ran = rebuilt
    assert ran.code == 0, ran.err
    assert (ran.json["identical"], ran.json["differences"]) == (True, [])
    original, made = finished.home.release, home.release
    assert made.name == original.name
    names = sorted(path.name for path in original.iterdir())
    assert sorted(path.name for path in made.iterdir()) == names
    assert {LOCK_NAME, SUMS, "qualite.html", "indicator_value.parquet"} <= set(names)
    # DuckDB writes no database twice with the same bytes: its contents are digested beside it.
    other = [name for name in names if (made / name).read_bytes() != (original / name).read_bytes()]
    assert set(other) <= {DATABASE}
    assert f"{DATABASE}.contenu" in names


def test_only_the_archive_was_read(finished: Finished, rebuilt: tuple[Home, Ran]) -> None:
    home, _ = rebuilt
    assert not home.demo.exists(), "the demonstration was not written again"
    log = home.settings.archive_dir / "log.jsonl"
    assert log.read_text(encoding="utf-8").count(f'"restored_from": "{finished.home.release.name}"') == sum(
        len(file.parts) for file in load_lock(home.release).sources
    )
    finished.assert_untouched(finished.home)


def test_a_rebuilt_home_is_one_to_go_on_with(rebuilt: tuple[Home, Ran]) -> None:
    home, _ = rebuilt
    before = home.published()
    ran = home.dq("run", "--json")
    assert (ran.code, ran.json["released"]) == (0, None), ran.err
    assert home.published() == before


def test_it_is_not_made_twice_in_one_home(finished: Finished, rebuilt: tuple[Home, Ran]) -> None:
    ran = rebuild(finished, rebuilt[0].path)
    assert ran.code == 1
    assert "holds something already" in ran.err


def test_a_missing_or_altered_object_is_named_before_anything_is_built(finished: Finished, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(finished.home.settings.archive_dir, archive)
    lock = load_lock(finished.home.release)
    first, last = lock.sources[0], lock.sources[-1]
    Archive(archive).object_path(first.parts[0].sha256).unlink()
    altered = Archive(archive).object_path(last.parts[0].sha256)
    altered.chmod(0o644)
    altered.write_bytes(altered.read_bytes()[:-1] + b"?")
    ran = rebuild(finished, tmp_path / "new", archive)
    assert ran.code == 1
    for file, problem in ((first, "has no object"), (last, "with other bytes")):
        (line,) = [line for line in ran.err.splitlines() if file.parts[0].sha256 in line]
        assert file.label in line
        assert problem in line
    assert not (tmp_path / "new" / "releases").exists()


def test_a_lock_says_nothing_of_the_machine(finished: Finished) -> None:
    text = (finished.home.release / LOCK_NAME).read_text(encoding="utf-8")
    assert load_lock(finished.home.release).canonical() == text
    folders = [str(finished.home.path), str(PROJECT_ROOT), str(Path.home()) + "/", f"/{getpass.getuser()}/"]
    assert [name for name in (*folders, "file:", "localhost") if name in text] == []
    assert f'"{socket.gethostname()}"' not in text
    assert re.findall(r'"(?:/|~|[A-Za-z]:\\)[^"]*"', text) == [], "no value is an absolute path"


def test_a_release_is_not_made_of_tables_of_several_runs(finished: Finished, tmp_path: Path) -> None:
    home = finished.copy(tmp_path / "home")
    ran = home.dq("run", "--select", 'key:"releases/current"')
    assert ran.code == 1
    assert "a release is made in one run, and this run leaves out" in ran.err
    finished.assert_untouched(home)
