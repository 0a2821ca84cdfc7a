"""What dbt keeps of one home serves another, and what it runs there reads the other's files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dagster_project.defs import dbt_project
from dagster_project.release.places import building_path
from dagster_project.settings import Settings

SHOWN = "stg_anct__qpv_2024"


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in dbt_project.dbt_environment(Settings(home=tmp_path)):
        monkeypatch.delenv(name, raising=False)  # put back at the end: dbt is told by these
    dbt_project.ensure_manifest(Settings(home=tmp_path / "first"))
    folder = tmp_path / "target"
    folder.mkdir()
    shutil.copyfile(dbt_project.PARTIAL_PARSE, folder / dbt_project.PARTIAL_PARSE.name)
    return folder


def test_what_dbt_keeps_of_one_home_serves_another(tmp_path: Path, target: Path) -> None:
    read = []
    for home in ("one", "other"):
        project, stopped = dbt_project._read_project(Settings(home=tmp_path / home), target)
        assert stopped is None
        read.append({name: node.created_at for name, node in project.nodes.items()})
    assert len(read[0]) > 100
    assert read[0] == read[1]


def test_files_are_read_in_the_home_of_the_run(tmp_path: Path, target: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    building_path(settings).parent.mkdir(parents=True)
    assert dbt_project.invoke_dbt(["compile", "--select", SHOWN], settings, target) is None
    (compiled,) = (target / "compiled").rglob(f"{SHOWN}.sql")
    assert f"'{settings.raw_dir}/anct_qpv_2024.parquet'" in compiled.read_text(encoding="utf-8")
