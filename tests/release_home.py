"""A home with a small build that waits for promotion: real contracts and seeds, a handful of invented rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from dagster_project.identity.lock import BuildLock
from dagster_project.quality.corrections import Correction, Expect, corrections_table
from dagster_project.quality.report_model import DatasetInfo, DbtTest, QualityReport, RunInfo, ValidationInfo
from dagster_project.quality.results import ExpectationResult
from dagster_project.release.places import building_path
from dagster_project.release.plan import Published, published
from dagster_project.settings import PROJECT_ROOT, Settings
from dagster_project.sources.catalogue import Dataset, load_catalogue
from tests.locks import make_lock
from tests.release_rows import Row, rows_of, source_files, source_presence

MODELS = PROJECT_ROOT / "dbt_models" / "models"
SEEDS = PROJECT_ROOT / "seeds"
REFERENCE = "reference"
PROJECT = "data_et_quartiers"
RAW = f"source.{PROJECT}.raw.insee_revn"
NUMBERS = {"scale", "minimum", "maximum", "coefficient"}
KEY = "zone_level, zone_code, generation, vintage"


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def lock(code: str = "a", sources: str = "demo", at: datetime = NOON, base_url: str | None = None) -> BuildLock:
    """The lock of an invented build, named for its digit and its moment."""
    return make_lock(
        code,
        release_id=f"{at:%Y%m%dT%H%M%SZ}-{code * 12}",
        built_at=at.isoformat(),
        settings={
            "sources": sources,
            "territory": "france",
            "demo_seed": 7 if sources == "demo" else None,
            "public_base_url": base_url,
        },
    )


def write_home(settings: Settings, shift: float = 0.0) -> None:
    """Everything that a promotion reads; `shift` is added to every value, so that two builds differ."""
    for folder in (settings.derived_dir / "dbt", settings.reports_dir, settings.releases_dir):
        folder.mkdir(parents=True, exist_ok=True)
    (settings.derived_dir / "dbt" / "manifest.json").write_text(json.dumps(manifest(settings)), encoding="utf-8")
    (settings.reports_dir / "qualite.json").write_text(report().model_dump_json(), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(source_files(open_datasets())), settings.derived_dir / "source_file.parquet")
    pq.write_table(pa.Table.from_pylist(source_presence()), settings.derived_dir / "source_presence.parquet")
    pq.write_table(corrections(), settings.derived_dir / "corrections.parquet")
    path = building_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        _write_build(connection, shift)


def open_datasets() -> dict[str, Dataset]:
    """Datasets under one licence, which is then that of the release."""
    return {name: found for name, found in load_catalogue().items() if "Licence Ouverte" in found.origin.licence.name}


@cache
def seeds() -> frozenset[str]:
    """Seeds that their YAML describes."""
    content = yaml.safe_load((MODELS / "references.yml").read_text(encoding="utf-8"))
    return frozenset(seed["name"] for seed in content["seeds"])


@cache
def described() -> dict[str, dict[str, Any]]:
    """Marts and seeds as their YAML describes them, by name."""
    files = [*sorted((MODELS / "marts").rglob("*.yml")), MODELS / "references.yml"]
    contents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
    return {
        node["name"]: node for content in contents for node in [*content.get("models", ()), *content.get("seeds", ())]
    }


def manifest(settings: Settings) -> dict[str, Any]:
    """What dbt would say of the same project, as far as a release reads it."""
    nodes: dict[str, Any] = {}
    for name, node in described().items():
        unique_id = f"{'seed' if name in seeds() else 'model'}.{PROJECT}.{name}"
        nodes[unique_id] = _node(name, node, settings)
        for key in [test["cle_unique"] for test in node.get("data_tests", ()) if "cle_unique" in test]:
            nodes[f"test.{PROJECT}.cle_unique_{name}"] = {
                "resource_type": "test",
                "name": f"cle_unique_{name}",
                "attached_node": unique_id,
                "test_metadata": {"name": "cle_unique", "kwargs": key["arguments"]},
                "columns": {},
            }
    return {"nodes": nodes, "sources": {RAW: {"source_name": "raw", "name": "insee_revn"}}, "unit_tests": {}}


def _node(name: str, node: Mapping[str, Any], settings: Settings) -> Row:
    seed = name in seeds()
    sql = f"select * from read_parquet('{settings.raw_dir}/insee_revn.parquet')"
    return {
        "resource_type": "seed" if seed else "model",
        "name": name,
        "schema": REFERENCE if seed else "marts",
        "description": node["description"],
        "config": node.get("config", {}),
        "columns": {
            column["name"]: {
                "name": column["name"],
                "description": column["description"],
                "meta": {},
                "config": column.get("config", {}),
            }
            for column in node["columns"]
        },
        "checksum": {"checksum": name},
        "depends_on": {"nodes": [] if seed else [RAW]},
        "compiled_code": None if seed else sql,
    }


# What a release holds of dbt's tables; marts by their name in dbt, with their name in a release.
TABLES: tuple[Published, ...] = published(manifest(Settings(home=Path())))
MARTS = {table.table: table.name for table in TABLES if table.schema == "marts"}


def report() -> QualityReport:
    """One check of each kind, one of them not evaluated."""
    received = ValidationInfo(file="REVN_2021", name="fichier_vide", passed=True, required=True, message="12 octets")
    named = {"title": "t", "producer": "p", "page": "p", "licence": "l", "licence_url": "l", "citation": "c"}
    expectation = ExpectationResult(
        suite="s",
        table="indicator_value",
        id="vue",
        type="t",
        severity="critical",
        reason="Il le faut",
        passed=True,
        observed="0 ligne",
        kwargs={},
    )
    test = DbtTest(
        unique_id=f"test.{PROJECT}.cle_unique_absence",
        name="cle_unique_absence",
        model="absence",
        kind="data",
        status="pass",
        blocking=True,
        failures=0,
    )
    return QualityReport(
        run=RunInfo(run_id="r", built_at="2026-01-01T00:00:00+00:00", real=False, sources="demo", territory="france"),
        datasets=[DatasetInfo(id="insee_revn", rows=1, validations=[received], **named)],
        expectations=[expectation, expectation.model_copy(update={"id": "reelle", "skipped": True})],
        dbt_tests=[test],
    )


def corrections() -> pa.Table:
    """One that concerns every zone, and has no value."""
    pad = Correction(
        id="zeros",
        dataset="anct_analyse_qpv",
        vintage="2024",
        column="COG",
        action="pad",
        width=5,
        reason="Les codes de communes ont perdu leur zéro initial dans ce fichier.",
        reported_by="Data & Quartiers",
        reported_on=date(2026, 1, 1),
        expect=Expect(pattern="[1-9][0-9]{3}"),
    )
    return corrections_table([pad], load_catalogue())


def _write_build(connection: duckdb.DuckDBPyConnection, shift: float) -> None:
    connection.execute("create schema marts")
    connection.execute("create schema reference")
    for seed in [table.table for table in TABLES if table.schema == REFERENCE]:
        source = f"read_csv('{SEEDS / seed}.csv', all_varchar = true)"
        connection.execute(f"create table reference.{seed} as select * {_cast(seed)} from {source}")
    for mart in MARTS:
        columns = described()[mart]["columns"]
        if any(_indicator(column) for column in columns):
            connection.execute(f"create view marts.{mart} as {_pivot(columns)}")
        else:
            declared = ", ".join(f"{column['name']} {column['data_type']}" for column in columns)
            connection.execute(f"create table marts.{mart} ({declared})")
            if rows := rows_of(mart, shift):
                insert(connection, f"marts.{mart}", rows)


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
    """Append rows to a table; a column that a row does not name stays empty."""
    names = dict.fromkeys(name for row in rows for name in row)
    connection.register("new_rows", pa.Table.from_pydict({name: [row.get(name) for row in rows] for name in names}))
    connection.execute(f"insert into {table} by name select * from new_rows")
    connection.unregister("new_rows")


def _cast(seed: str) -> str:
    names = sorted({column["name"] for column in described()[seed]["columns"]} & NUMBERS)
    return f"replace ({', '.join(f'cast({name} as double) as {name}' for name in names)})" if names else ""


def _pivot(columns: Iterable[Mapping[str, Any]]) -> str:
    codes = {column["name"]: _indicator(column) for column in columns if _indicator(column)}
    values = ", ".join(f"max(value) filter (where indicator_code = '{code}') as {name}" for name, code in codes.items())
    wanted = ", ".join(f"'{code}'" for code in codes.values())
    return f"select {KEY}, {values} from marts.indicator_value where indicator_code in ({wanted}) group by all"


def _indicator(column: Mapping[str, Any]) -> str | None:
    code: str | None = column["config"]["meta"].get("indicator")
    return code
