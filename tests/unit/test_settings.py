"""Settings: precedence, and the guard between real and fictitious figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from dagster_project.settings import PROJECT_ROOT, WEST, Settings, SettingsError, load_settings, remember


def test_explicit_argument_beats_environment_beats_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(Settings(home=tmp_path, sources="mirror", mirror="/remembered", territory="west"))
    assert load_settings(home=tmp_path).territory == "west"
    monkeypatch.setenv("DQ_TERRITORY", "dep:35")
    assert load_settings(home=tmp_path).territory == "dep:35"
    assert load_settings(home=tmp_path, territory="france").territory == "france"
    assert load_settings(home=tmp_path).mirror == "/remembered"


def test_fictitious_figures_never_replace_real_ones(tmp_path: Path) -> None:
    remember(Settings(home=tmp_path, sources="mirror", mirror="/somewhere"))
    with pytest.raises(SettingsError, match="DQ_HOME"):
        load_settings(home=tmp_path, sources="demo")


def test_real_sources_may_follow_a_demonstration(tmp_path: Path) -> None:
    remember(Settings(home=tmp_path, sources="demo"))
    assert load_settings(home=tmp_path, sources="mirror", mirror="/m").sources == "mirror"


def test_a_mirror_needs_a_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--mirror"):
        load_settings(home=tmp_path, sources="mirror")


@pytest.mark.parametrize(
    ("territory", "codes"),
    [("france", None), ("west", WEST), ("dep:44,35", ("35", "44")), ("dep:2A,974", ("2A", "974"))],
)
def test_territory_names_departements(territory: str, codes: tuple[str, ...] | None) -> None:
    assert Settings(territory=territory).departements == codes


@pytest.mark.parametrize("territory", ["bretagne", "dep:", "dep:35;drop", "dep:3500"])
def test_unknown_territory_is_refused(territory: str) -> None:
    with pytest.raises(ValidationError, match="territor"):
        Settings(territory=territory)


def test_no_other_module_reads_the_environment() -> None:
    """`os.environ` may be written for child processes, and read in one module only."""
    reading = re.compile(r"os\.getenv|os\.environ\.get|os\.environ\[[^\]]+\](?!\s*=)|environ\.get")
    offenders = [
        path.relative_to(PROJECT_ROOT).as_posix()
        for path in (PROJECT_ROOT / "dagster_project").rglob("*.py")
        if path.name != "settings.py" and reading.search(path.read_text(encoding="utf-8"))
    ]
    assert offenders == []
