"""The bare work, in one process: same bytes, same readers, same SQL, same tables written.

No fetching, no validation, no expectation, no test, no lineage, no orchestrator: the least that gives the same
figures. `python -m benchmarks.bare PLAN OUT` writes OUT/{raw,derived,release} and OUT/warehouse.duckdb, and prints
the seconds of each phase as JSON.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Plan = dict[str, Any]
OUT = "{out}"  # stands in the plan's SQL for the folder that is written to


def main(plan_path: Path, out: Path) -> dict[str, float]:
    """Do the work of a plan into an empty folder; returns seconds by phase, in order."""
    plan: Plan = json.loads(plan_path.read_text(encoding="utf-8"))
    for name in ("raw", "derived", "release"):
        (out / name).mkdir(parents=True)
    phases: dict[str, Callable[[Plan, Path], None]] = {
        "read": read_sources,
        "contours": derive_tables,
        "sql": run_sql,
        "export": export_release,
    }
    spent = {}
    for name, work in phases.items():
        started = time.perf_counter()
        work(plan, out)
        spent[name] = time.perf_counter() - started
    return spent


def read_sources(plan: Plan, out: Path) -> None:
    """Every file through its reader, and one Parquet per dataset."""
    import pyarrow.parquet as pq

    from dagster_project.sources.archive import ArchivedFile
    from dagster_project.sources.catalogue import Dataset
    from dagster_project.sources.raw_files import union_by_name
    from dagster_project.sources.readers import read_file

    for described in plan["datasets"]:
        dataset = Dataset.model_validate(described["entry"])
        vintages = {vintage.vintage: vintage for vintage in dataset.vintages}
        tables = []
        for received in described["files"]:
            vintage = vintages[received["vintage"]]
            file = next(file for file in vintage.files if file.name == received["file"])
            parts = []
            for part in received["parts"]:
                path = Path(part["path"])
                # The digest is a column of the raw table: it is part of the work.
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                kept = {**part, "path": path, "sha256": digest, "final_url": part["url"]}
                parts.append(ArchivedFile(**kept, headers={}, unchanged=True))
            tables.append(read_file(dataset, vintage, file, tuple(parts)).table)
        pq.write_table(union_by_name(tables), out / "raw" / f"{dataset.id}.parquet", compression="zstd")


def derive_tables(plan: Plan, out: Path) -> None:
    """Contours; the catalogue and the declared corrections as tables."""
    import pyarrow.parquet as pq

    from dagster_project.geo.contours import build_zone_geometries
    from dagster_project.quality.corrections import corrections_table, load_corrections
    from dagster_project.sources.catalogue import Dataset
    from dagster_project.sources.derived import catalogue_table

    datasets = {described["entry"]["id"]: Dataset.model_validate(described["entry"]) for described in plan["datasets"]}
    declared = load_corrections(datasets) if plan["environment"]["DQ_DBT_REAL"] else ()
    for name, table in (
        ("zone_geometries", build_zone_geometries(out / "raw")),
        ("catalogue", catalogue_table(datasets)),
        ("corrections", corrections_table(declared, datasets)),
    ):
        pq.write_table(table, out / "derived" / f"{name}.parquet", compression="zstd")


def run_sql(plan: Plan, out: Path) -> None:
    """Seeds, views and tables, one after the other, on one connection with the settings of the product."""
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "1500MB",
        "preserve_insertion_order": True,
    }
    # dbt compiled the catalogue's name into the SQL: the file must bear it.
    with duckdb.connect(str(out / "warehouse.duckdb"), config=settings) as connection:
        for schema in sorted({step["schema"] for step in plan["steps"]}):
            connection.execute(f"create schema {schema}")
        for step in plan["steps"]:
            connection.execute(_statement(step, out))


def _statement(step: dict[str, Any], out: Path) -> str:
    if step["kind"] == "seed":
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in step["columns"].items())
        source = f"read_csv('{step['csv']}', header = true, delim = ',', columns = {{{columns}}})"
        return f"create table {step['relation']} as select * from {source}"
    return f"create {step['kind']} {step['relation']} as ({step['sql'].replace(OUT, str(out))}\n)"


def export_release(plan: Plan, out: Path) -> None:
    """Marts and reference tables as a release has them: sorted, in Parquet and CSV."""
    import duckdb

    tables = [(f"{table['schema']}.{table['table']}", table["name"]) for table in plan["released"]]
    with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as connection:
        for table, name in tables:
            target = out / "release" / name
            ordered = f"(select * from {table} order by all)"
            columns = "* exclude (geometry) replace (array_to_string(communes, ' ') as communes)"
            columns = columns if name == "dim_zone" else "*"
            connection.execute(f"copy {ordered} to '{target}.parquet' (format parquet, compression zstd)")
            connection.execute(f"copy (select {columns} from {ordered}) to '{target}.csv' (header, delimiter ';')")


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
