"""`dq doctor`: what is missing on this machine, and what to do about it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from dagster_project.commands import doctor
from dagster_project.commands.doctor import NEEDED_BYTES, Finding, examine
from dagster_project.settings import Settings


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def finding(settings: Settings, subject: str) -> Finding:
    (found,) = [one for one in examine(settings) if one.subject == subject]
    return found


def test_this_machine_can_run_the_project(settings: Settings) -> None:
    findings = examine(settings)
    assert [one.subject for one in findings if not one.ok and not one.optional] == []
    assert len({one.subject for one in findings}) == len(findings)
    assert all(one.advice for one in findings)


def test_nothing_is_written(settings: Settings, tmp_path: Path) -> None:
    examine(settings)
    assert list(tmp_path.iterdir()) == []


def test_another_python_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 11, 4, "final", 0))
    found = finding(settings, "Python 3.12")
    assert (found.ok, found.optional) == (False, False)
    assert found.advice == "3.11.4 trouvé : installez Python 3.12"


def test_a_tool_that_is_not_installed(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    assert [(finding(settings, name).ok, finding(settings, name).optional) for name in ("dbt", "dagster")] == [
        (False, False)
    ] * 2
    assert "make" in finding(settings, "dbt").advice


def test_the_advice_for_a_missing_tool_is_a_target_of_the_makefile(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    advice = finding(settings, "dbt").advice
    target = advice.partition("« make ")[2].partition(" »")[0]
    makefile = (doctor.PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {line.partition(":")[0] for line in makefile.splitlines() if ":" in line}
    assert target in targets, f"« make {target} » does not exist"


def test_a_home_that_cannot_be_written(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    found = finding(settings, "DQ_HOME")
    assert (found.ok, found.optional) == (False, False)
    assert str(settings.home) in found.advice
    assert "DQ_HOME" in found.advice


@pytest.mark.parametrize(("free", "ok"), [(NEEDED_BYTES - 1, False), (NEEDED_BYTES, True)])
def test_disk_space(settings: Settings, monkeypatch: pytest.MonkeyPatch, free: int, ok: bool) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10 * NEEDED_BYTES, 0, free))
    found = finding(settings, "espace disque")
    assert found.ok is ok
    assert ("il en faut 2" in found.advice) is not ok


def test_a_mirror_folder_that_does_not_exist(settings: Settings, tmp_path: Path) -> None:
    absent = settings.model_copy(update={"sources": "mirror", "mirror": str(tmp_path / "nulle-part")})
    found = finding(absent, "miroir")
    assert (found.ok, found.optional) == (False, False)
    assert str(tmp_path / "nulle-part") in found.advice
    assert "DQ_MIRROR" in found.advice
    (tmp_path / "nulle-part").mkdir()
    assert finding(absent, "miroir").ok


def test_a_mirror_over_http_is_not_looked_for_on_disk(settings: Settings) -> None:
    over_http = settings.model_copy(update={"sources": "mirror", "mirror": "http://127.0.0.1:9/data"})
    assert finding(over_http, "sources").ok


def test_what_only_tests_need_is_optional(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(doctor, "PROJECT_ROOT", tmp_path / "projet")
    missing = [one for one in examine(settings) if not one.ok]
    assert [one.subject for one in missing] == ["navigateur", "fichiers réels de test"]
    assert all(one.optional for one in missing)
