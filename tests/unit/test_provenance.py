"""Identity of a build: it moves when, and only when, something that figures depend on moves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dagster_project.identity.build import MixedOriginsError, describe_build, digest_files
from dagster_project.settings import Settings


def write_manifest(settings: Settings, version: str, origin: str = "demo", name: str = "insee_demo") -> None:
    settings.raw_dir.mkdir(parents=True, exist_ok=True)
    content = {"data_version": version, "origin": origin}
    (settings.raw_dir / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_same_inputs_same_build(settings: Settings) -> None:
    write_manifest(settings, "v1")
    assert describe_build(settings) == describe_build(settings)


def test_bytes_and_territory_move_the_build(settings: Settings) -> None:
    write_manifest(settings, "v1")
    first = describe_build(settings).build_id
    write_manifest(settings, "v2")
    second = describe_build(settings).build_id
    west = describe_build(settings.model_copy(update={"territory": "west"})).build_id
    assert len({first, second, west}) == 3


@pytest.mark.parametrize(("sources", "foreign"), [("demo", "insee_revn"), ("mirror", "insee_demo")])
def test_fictitious_and_real_tables_are_never_built_together(settings: Settings, sources: str, foreign: str) -> None:
    write_manifest(settings, "v1", "demo", "insee_demo")
    write_manifest(settings, "v1", "real", "insee_revn")
    with pytest.raises(MixedOriginsError, match=rf"1 table\(s\).*\({foreign}\).*without --select.*DQ_HOME"):
        describe_build(settings.model_copy(update={"sources": sources}))


def test_digest_sees_names_and_contents_but_not_the_place(tmp_path: Path) -> None:
    for root in ("one", "two"):
        (tmp_path / root).mkdir()
        (tmp_path / root / "a.sql").write_text("select 1")
    one, two = (digest_files((tmp_path / r).iterdir(), tmp_path / r) for r in ("one", "two"))
    assert one == two
    (tmp_path / "two" / "a.sql").rename(tmp_path / "two" / "b.sql")
    assert digest_files((tmp_path / "two").iterdir(), tmp_path / "two") != one
