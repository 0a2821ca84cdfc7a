"""The lock: one text for one content, refusals a person understands, and nothing of this machine in it."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from dagster_project.identity import program
from dagster_project.identity.drawing import differing_program, draw_lock
from dagster_project.identity.lock import (
    LOCK_NAME,
    LockError,
    load_lock,
    pending_lock,
    write_pending_lock,
)
from dagster_project.settings import PROJECT_ROOT, Settings
from tests.locks import SHA, lock_content, make_lock

MANIFEST: dict[str, Any] = {"metadata": {"dbt_version": "1.11.0"}, "nodes": {"model.p.a": {"raw_code": "select 1"}}}
PARIS_NOON = datetime(2026, 7, 1, 12, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))


def write_raw(settings: Settings, version: str = "v1", dataset: str = "insee_revn") -> None:
    settings.raw_dir.mkdir(parents=True, exist_ok=True)
    part = make_lock().sources[0].parts[0].model_dump()
    file = {"vintage": "2021", "file": "REVN_2021", "parts": [part], "references": [], "header": ["CODGEO"], "rows": 1}
    manifest = {"dataset": dataset, "data_version": version, "origin": "demo", "files": [file]}
    (settings.raw_dir / f"{dataset}.json").write_text(json.dumps(manifest), encoding="utf-8")


def written(folder: Path, content: object) -> Path:
    path = folder / LOCK_NAME
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_lock_has_one_text_whatever_the_order_it_was_written_in(tmp_path: Path) -> None:
    lock = make_lock()
    shuffled = dict(sorted(lock_content().items(), reverse=True))
    assert load_lock(written(tmp_path, shuffled)).canonical() == lock.canonical()
    assert lock.canonical().endswith("}\n")
    assert list(json.loads(lock.canonical())) == sorted(lock_content())
    assert load_lock(written(tmp_path, lock.canonical())) == lock
    assert load_lock(tmp_path) == lock, "a release folder stands for its lock"


def without_digest() -> dict[str, Any]:
    content = lock_content()
    del content["sources"][0]["parts"][0]["sha256"]
    return content


def with_unknown_key() -> dict[str, Any]:
    content = lock_content()
    content["sources"][0]["parts"][0]["colour"] = "blue"
    return content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lock_content(lock_version=2), "lock version 2, this program reads version 1"),
        ({"build_id": "a" * 64}, "no lock_version"),
        ([], "no lock_version"),
        (lock_content(colour="blue"), "colour: unknown key"),
        (with_unknown_key(), "sources.0.parts.0.colour: unknown key"),
        (without_digest(), "sources.0.parts.0.sha256: missing"),
        (lock_content(release_id="../../elsewhere"), "release_id: String should match"),
        (lock_content(settings={"sources": "demo", "territory": "../x", "demo_seed": 1}), "settings.territory: "),
        ("{", "cannot be read as JSON (Expecting property name"),
        (b"\xff\xfe", "cannot be read as JSON ('utf-8' codec"),
    ],
    ids=["version", "no version", "list", "key", "deep key", "no digest", "escape", "territory", "torn", "no text"],
)
def test_a_lock_that_cannot_be_used_says_so_in_one_line(tmp_path: Path, content: object, said: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(LockError) as refusal:
        load_lock(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_absent_lock_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(LockError, match=r"name a release folder or its build\.lock\.json"):
        load_lock(tmp_path)


def test_a_run_reads_its_clock_once_to_the_second(settings: Settings) -> None:
    write_raw(settings)
    lock = draw_lock(settings, MANIFEST, run_id="r1", now=PARIS_NOON)
    assert lock.built_at.isoformat() == "2026-07-01T10:00:00+00:00"
    assert lock.release_id == f"20260701T100000Z-{lock.build_id[:12]}"
    assert lock.raw == {"insee_revn": "v1"}
    assert [(file.dataset, file.parts[0].sha256) for file in lock.sources] == [("insee_revn", SHA)]
    assert lock.settings.demo_seed == settings.demo_seed
    assert lock.code.code_digest == program.digest_of(lock.code.files, lock.seeds, lock.expectations)
    assert differing_program(lock) == []


def test_real_sources_have_no_seed(settings: Settings) -> None:
    real = settings.model_copy(update={"sources": "live"})
    assert draw_lock(real, MANIFEST, run_id="r1", now=PARIS_NOON).settings.demo_seed is None


def test_a_rebuild_takes_time_and_run_from_the_original_and_finds_the_rest(settings: Settings, tmp_path: Path) -> None:
    write_raw(settings)
    original = draw_lock(settings, MANIFEST, run_id="r1", now=PARIS_NOON)
    original = original.model_copy(update={"code": original.code.model_copy(update={"git_commit": "f" * 40})})
    path = written(tmp_path, original.canonical())
    rebuilding = settings.model_copy(update={"rebuild_lock": path})
    later = PARIS_NOON + timedelta(days=90)
    assert draw_lock(rebuilding, MANIFEST, run_id="r2", now=later).canonical() == original.canonical()
    write_raw(settings, "v2")
    other = draw_lock(rebuilding, MANIFEST, run_id="r2", now=later)
    assert (other.built_at, other.raw) == (original.built_at, {"insee_revn": "v2"})
    assert other.release_id != original.release_id


def test_the_lock_of_other_raw_tables_is_not_released(settings: Settings) -> None:
    write_raw(settings)
    lock = draw_lock(settings, MANIFEST, run_id="r1", now=PARIS_NOON)
    write_pending_lock(settings, lock)
    assert pending_lock(settings) == lock
    write_raw(settings, "v2")
    with pytest.raises(LockError, match="run the whole graph"):
        pending_lock(settings)


def test_the_program_of_a_lock_is_compared_name_by_name(settings: Settings) -> None:
    lock = draw_lock(settings, MANIFEST, run_id="r1", now=PARIS_NOON)
    seeds = {**lock.seeds, "indicator.csv": SHA, "gone.csv": SHA}
    libraries = {name: version for name, version in lock.libraries.items() if name != "duckdb"}
    other = lock.model_copy(update={"seeds": seeds, "libraries": libraries, "python": "3.12.99"})
    assert differing_program(other) == [
        "seeds/gone.csv: in the lock, absent here",
        "seeds/indicator.csv: other contents",
        "library duckdb: not in the lock",
        f"Python: 3.12.99 in the lock, {lock.python} here",
    ]


def test_every_installed_library_of_the_requirements_is_in(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.lock"
    text = "duckdb==1.0 \\\n    --hash=sha256:00\nuvicorn[standard]==0.1 \\\n    --hash=x\nno-such-library==3\n"
    requirements.write_text(text, encoding="utf-8")
    assert list(program.library_versions(requirements)) == ["duckdb", "uvicorn"]
    named = program.library_versions()
    assert {"dagster", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations", "pyarrow", "shapely"} <= named.keys()


def test_what_shapes_a_release_is_covered_and_what_fetches_is_not() -> None:
    files = program.shaping_files()
    shaping = ["dagster_project/release/promote.py", "dagster_project/pages/templates/quality/report.html.j2"]
    shaping += [
        "dagster_project/sources/catalogue/insee.yml",
        "dbt_models/macros/textes.sql",
        "dbt_models/profiles.yml",
    ]
    assert set(shaping) <= files.keys()
    assert not {"dagster_project/commands/app.py", "dagster_project/sources/http.py"} & files.keys()
    assert all((PROJECT_ROOT / name).is_file() for name in files)


def manifest(
    code: str = "select 1", home: str = "/one", parsed: float = 1.0, parents: tuple[str, ...] = ("a", "b")
) -> Any:
    node = {"raw_code": code, "created_at": parsed, "root_path": home, "depends_on": {"nodes": list(parents)}}
    source = {"relation_name": f"'{home}/raw/x.parquet'", "meta": {"external_location": f"{home}/raw"}, "name": "x"}
    metadata = {"dbt_version": "1.11.0", "generated_at": str(parsed), "invocation_id": str(parsed)}
    return {"metadata": metadata, "nodes": {"model.p.m": node}, "sources": {"source.p.x": source}}


def test_the_manifest_has_one_digest_on_every_machine() -> None:
    known = program.manifest_digest(manifest())
    assert program.manifest_digest(manifest(home="/two", parsed=2.0, parents=("b", "a"))) == known
    assert program.manifest_digest(manifest(code="select 2")) != known
    assert program.manifest_digest(manifest(parents=("a",))) != known


def test_the_checkout_says_its_commit_and_whether_it_is_clean(tmp_path: Path) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed")
    root = tmp_path / "checkout"
    root.mkdir()
    assert program.git_state(root) == (None, None)
    author = ["-c", "user.name=Essai", "-c", "user.email=essai@exemple.invalid"]
    (root / "a.txt").write_text("a", encoding="utf-8")
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "a"]):
        subprocess.run([git, "-C", str(root), *command], check=True)
    commit, clean = program.git_state(root)
    assert (len(commit or ""), clean) == (40, True)
    (root / "b.txt").write_text("b", encoding="utf-8")
    assert program.git_state(root) == (commit, False)
    (root / "inner").mkdir()
    assert program.git_state(root / "inner") == (None, None), "a folder of another project's checkout has no commit"
