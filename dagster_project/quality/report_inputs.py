"""Gathering what a report needs: raw manifests, rejected rows, dbt's own results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.quality.report_model import DatasetInfo, DbtTest, RejectInfo, SourceFileInfo, ValidationInfo
from dagster_project.sources.catalogue import Dataset

REJECTS_SHOWN = 20


class ReportInputError(ValueError):
    """A file that the report is made from is absent or not what it should be."""


def dataset_infos(raw_dir: Path, datasets: Iterable[Dataset]) -> list[DatasetInfo]:
    """What the catalogue, the raw manifest and the rejects say of each dataset that has a raw table."""
    return [
        _dataset_info(raw_dir, dataset, _json(raw_dir / f"{dataset.id}.json"))
        for dataset in datasets
        if (raw_dir / f"{dataset.id}.json").exists()
    ]


def _dataset_info(raw_dir: Path, dataset: Dataset, manifest: dict[str, Any]) -> DatasetInfo:
    checks = ("file", "name", "passed", "required", "message")
    received = ("name", "sha256", "size", "fetched_at", "origin", "url")
    return DatasetInfo(
        id=dataset.id,
        title=dataset.origin.title,
        producer=dataset.origin.producer,
        page=dataset.origin.page,
        licence=dataset.origin.licence.name,
        licence_url=dataset.origin.licence.url,
        citation=dataset.origin.citation,
        rows=manifest["rows"],
        sources=[
            SourceFileInfo(vintage=file["vintage"], **{name: part[name] for name in received})
            for file in manifest["files"]
            for part in file["parts"]
        ],
        validations=[ValidationInfo(**{name: check[name] for name in checks}) for check in manifest["validations"]],
        reject_count=manifest["rejects"],
        rejects=_rejects(raw_dir / f"{dataset.id}.rejects.parquet") if manifest["rejects"] else [],
    )


def _rejects(path: Path) -> list[RejectInfo]:
    with duckdb.connect() as db:
        rows = db.execute(
            "select source_member, row, reason, content from read_parquet(?) order by vintage, file, row limit ?",
            [str(path), REJECTS_SHOWN],
        ).fetchall()
    return [RejectInfo(file=file, row=row, reason=reason, content=content) for file, row, reason, content in rows]


def dbt_tests(
    run_results: Iterable[Path], manifest: Path, failing_rows: Mapping[str, list[dict[str, Any]]] | None = None
) -> list[DbtTest]:
    """Data and unit tests of dbt, from its own `run_results.json` and `manifest.json`, by table and name.

    dbt lists results as its threads end; the report must be the same each time.

    Args:
        run_results: what dbt wrote when it ended, and results kept from earlier in the same form; of a test that
            stands in several, the first counts.
        manifest: what dbt parsed.
        failing_rows: first failing rows by test `unique_id`, when the caller has them.
    """
    parsed = _json(manifest)
    results: dict[str, dict[str, Any]] = {}
    for path in run_results:
        results = {result["unique_id"]: result for result in _json(path)["results"]} | results
    nodes = {**parsed.get("nodes", {}), **parsed.get("unit_tests", {})}
    rows = failing_rows or {}
    tests = [
        _dbt_test(result, nodes.get(unique_id, {}), rows.get(unique_id, []))
        for unique_id, result in results.items()
        if unique_id.startswith(("test.", "unit_test."))
    ]
    return sorted(tests, key=lambda test: (test.model, test.kind, test.name, test.unique_id))


def _dbt_test(result: dict[str, Any], node: dict[str, Any], rows: list[dict[str, Any]]) -> DbtTest:
    unique_id = result["unique_id"]
    model = (
        node.get("attached_node") or node.get("model") or next(iter(node.get("depends_on", {}).get("nodes", [])), "")
    )
    # dbt: success is for unit tests, runtime error for a query that failed.
    status = {"success": "pass", "runtime error": "error"}.get(result["status"], result["status"])
    return DbtTest(
        unique_id=unique_id,
        name=node.get("name", unique_id.split(".")[2]),
        model=model.split(".")[-1],
        kind="unit" if unique_id.startswith("unit_test.") else "data",
        status=status,
        blocking=str(node.get("config", {}).get("severity") or "error").lower() == "error",
        failures=result.get("failures"),
        message=result.get("message"),
        failing_rows=rows,
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ReportInputError(f"{path} does not exist: run the step that writes it first") from error
    except ValueError as error:
        raise ReportInputError(f"{path} is not JSON ({error}): remove it and run again") from error
    if not isinstance(content, dict):
        raise ReportInputError(f"{path}: expected a JSON object")
    return content
