"""Code version of a dbt node: each thing that shapes its table moves it, and nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dagster_project.identity import dbt_code
from dagster_project.identity.dbt_code import NodeVersions

PROFILE = "p:\n  outputs:\n    local: {type: duckdb, path: /a, threads: 2, settings: {memory_limit: 1GB}}\n"
PROJECT = "name: p\nvars: {seuil: 11, autre: 1}\n"
ENVIRONMENT = {"DQ_DBT_DEPARTEMENTS": "35", "DQ_DBT_REAL": "1", "DQ_DBT_RAW": "/raw", "DQ_DBT_BUILD_ID": "b"}
COLUMN = {"name": "taux", "data_type": "double", "description": "d", "meta": {"indicator": "A"}, "constraints": []}


def macro(name: str, sql: str, *calls: str, package: str = "p") -> dict[str, Any]:
    return {"name": name, "package_name": package, "macro_sql": sql, "depends_on": {"macros": list(calls)}}


def manifest(**changed: str) -> dict[str, Any]:
    """A model reaches `near`, which reaches `deep` and back, and one of dbt's; not `other`."""
    sql = {"deep": "select 1", "other": "select 9", "schema": "{{ name }}", "dbt": "x"} | changed
    return {
        "metadata": {"project_name": "p"},
        "macros": {
            "macro.p.near": macro("near", "{{ deep() }}", "macro.p.deep"),
            "macro.p.deep": macro("deep", sql["deep"], "macro.p.near", "macro.dbt.inner"),
            "macro.dbt.inner": macro("inner", sql["dbt"], package="dbt"),
            "macro.p.other": macro("other", sql["other"]),
            "macro.p.generate_schema_name": macro("generate_schema_name", sql["schema"]),
            "macro.dbt.generate_schema_name": macro("generate_schema_name", "y", package="dbt"),
        },
        "sources": {"source.p.raw.t": {"identifier": "t", "meta": {"external_location": "/raw/{name}.parquet"}}},
    }


def model(sql: str = "{{ near() }}", **more: Any) -> dict[str, Any]:
    node = {
        "resource_type": "model",
        "raw_code": sql,
        "depends_on": {"macros": ["macro.p.near", "macro.gone.away"], "nodes": ["source.p.raw.t", "seed.p.s"]},
        "config": {"materialized": "table", "contract": {"enforced": True}, "meta": {"owner": "a"}, "tags": []},
        "columns": {"taux": COLUMN},
    }
    return {**node, **more}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "profiles.yml").write_text(PROFILE, encoding="utf-8")
    (tmp_path / "dbt_project.yml").write_text(PROJECT, encoding="utf-8")
    return tmp_path


def version(
    project: Path,
    node: dict[str, Any] | None = None,
    content: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    return NodeVersions(content or manifest(), environment or ENVIRONMENT, project).of(node or model())


def test_macros_reached_through_others_count_and_others_do_not(project: Path) -> None:
    known = version(project)
    assert version(project, content=manifest(deep="select 2")) != known
    assert version(project, content=manifest(dbt="z")) != known
    assert version(project, content=manifest(other="select 8")) == known
    assert version(project, model("{{ near() }} -- ")) != known


def test_a_macro_that_replaces_one_of_dbt_acts_on_every_node(project: Path) -> None:
    node = model("select 1", depends_on={"macros": [], "nodes": []})
    assert version(project, node, manifest(schema="{{ other }}")) != version(project, node)


@pytest.mark.parametrize(
    ("sql", "name", "counts"),
    [
        ("{{ env_var('DQ_DBT_REAL', '') }}", "DQ_DBT_REAL", True),
        ('{{ env_var( "DQ_DBT_DEPARTEMENTS") }}', "DQ_DBT_DEPARTEMENTS", True),
        ("{{ env_var('DQ_DBT_REAL') }}", "DQ_DBT_DEPARTEMENTS", False),
        ("{{ env_var('DQ_DBT_BUILD_ID') }}", "DQ_DBT_BUILD_ID", False),
        ("{{ env_var('DQ_DBT_RAW') }}", "DQ_DBT_RAW", False),
        ("{{ env_var(name) }}", "DQ_DBT_DEPARTEMENTS", True),
        ("{{ env_var(name) }}", "DQ_DBT_RAW", False),
        ("select 1", "DQ_DBT_REAL", False),
    ],
)
def test_variables_of_the_environment_count_where_they_are_read(
    project: Path, sql: str, name: str, counts: bool
) -> None:
    """By the model, as here, or by a macro it reaches."""
    changed = {**ENVIRONMENT, name: "autre"}
    assert (version(project, model(sql)) != version(project, model(sql), environment=changed)) == counts
    content = manifest(deep=sql)
    assert (version(project, content=content) != version(project, content=content, environment=changed)) == counts


@pytest.mark.parametrize(("sql", "counts"), [("{{ var('seuil') }}", True), ("{{ var('autre') }}", False)])
def test_variables_of_the_project_count_where_they_are_read(project: Path, sql: str, counts: bool) -> None:
    known = version(project, model(sql))
    (project / "dbt_project.yml").write_text(PROJECT.replace("11", "12"), encoding="utf-8")
    assert (version(project, model(sql)) != known) == counts


def column(**changed: Any) -> dict[str, Any]:
    return {"columns": {"taux": {**COLUMN, **changed}}}


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"config": {**model()["config"], "materialized": "view"}}, True),
        ({"config": {**model()["config"], "pre-hook": [{"sql": "set x"}]}}, True),
        ({"config": {**model()["config"], "meta": {"owner": "b"}}}, False),
        ({"config": {**model()["config"], "tags": ["t"]}}, False),
        ({"description": "autre"}, False),
        (column(data_type="bigint"), True),
        (column(constraints=[{"type": "not_null"}]), True),
        (column(description="autre"), False),
        (column(meta={"indicator": "B"}), False),
        ({"columns": {}}, True),
    ],
)
def test_configuration_and_contract_count_and_prose_does_not(
    project: Path, change: dict[str, Any], counts: bool
) -> None:
    assert (version(project, model(**change)) != version(project)) == counts


@pytest.mark.parametrize(
    ("change", "counts"), [(column(meta={"indicator": "B"}), True), (column(description="autre"), False)]
)
def test_a_model_written_from_its_own_columns_sees_their_labels(
    project: Path, change: dict[str, Any], counts: bool
) -> None:
    sql = "{{ large(model.columns) }}"
    assert (version(project, model(sql, **change)) != version(project, model(sql))) == counts


def test_columns_without_a_contract_shape_nothing(project: Path) -> None:
    free = {"config": {"materialized": "table", "contract": {"enforced": False}}}
    assert version(project, model(**free, **column(data_type="bigint"))) == version(project, model(**free))


def test_a_source_counts_by_its_file_and_not_its_folder(project: Path) -> None:
    known, moved, other = version(project), manifest(), manifest()
    moved["sources"]["source.p.raw.t"]["meta"]["external_location"] = "/elsewhere/{name}.parquet"
    other["sources"]["source.p.raw.t"]["meta"]["external_location"] = "/raw/{name}.csv"
    assert version(project, content=moved) == known
    assert version(project, content=other) != known


def test_the_profile_counts_less_place_and_threads(project: Path) -> None:
    known = version(project)
    profile = project / "profiles.yml"
    profile.write_text(PROFILE.replace("/a", "/b").replace("threads: 2", "threads: 8"), encoding="utf-8")
    assert version(project) == known
    profile.write_text(PROFILE.replace("memory_limit: 1GB", "timezone: UTC"), encoding="utf-8")
    assert version(project) != known


@pytest.mark.parametrize("library", dbt_code.LIBRARIES)
def test_dbt_and_the_database_count(project: Path, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    known, installed = version(project), dbt_code.version
    monkeypatch.setattr(dbt_code, "version", lambda name: "99" if name == library else installed(name))
    assert version(project) != known


def seed(checksum: str, **config: Any) -> dict[str, Any]:
    return {
        "resource_type": "seed",
        "raw_code": "",
        "checksum": {"name": "sha256", "checksum": checksum},
        "config": {"materialized": "seed", "column_types": {"vintage": "varchar"}, **config},
    }


def test_a_seed_counts_by_its_contents_and_the_types_of_its_columns(project: Path) -> None:
    known = version(project, seed("a"))
    assert version(project, seed("a")) == known
    assert version(project, seed("b")) != known
    assert version(project, seed("a", column_types={"vintage": "bigint"})) != known


def test_a_seed_too_large_for_dbt_to_hash_is_hashed_here(project: Path) -> None:
    large = {**seed(""), "checksum": {"name": "path", "checksum": "seeds/s.csv"}}
    large |= {"root_path": str(project), "original_file_path": "s.csv"}
    (project / "s.csv").write_text("a\n1\n", encoding="utf-8")
    known = version(project, large)
    (project / "s.csv").write_text("a\n2\n", encoding="utf-8")
    assert version(project, large) != known
