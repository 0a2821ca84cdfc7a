"""Do CSV, JSON and Parquet of a release say the same, cell by cell? Asked of DuckDB, from what the descriptor says.

Nothing of the exporters is used: a null of Parquet is explained by the `absenceReason` that `datapackage.json` gives,
and must be the text of the other formats.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

Schema = Mapping[str, Any]


def descriptor(folder: Path) -> dict[str, Schema]:
    """Resources of the data package, by path."""
    content = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    return {resource["path"]: resource for resource in content["resources"]}


def empty_cells(folder: Path) -> dict[str, int]:
    """Cells of each CSV and JSON table that hold nothing, not even a label; none is right."""
    found = {}
    resources = descriptor(folder)
    with duckdb.connect() as connection:
        for path, resource in resources.items():
            if path.endswith(".csv"):
                names = [field["name"] for field in resource["schema"]["fields"]]
                empty = " + ".join(f"count(*) filter (where coalesce(\"{name}\", '') = '')" for name in names)
                found[path] = _count(connection, f"select {empty} from {_csv(folder / path)}")
            elif path.endswith(".json") and "schema" in resource:
                cells = f"select unnest(row) as cell from {_json_rows(folder / path)}"
                found[path] = _count(
                    connection, f"select count(*) from ({cells}) where coalesce(cell ->> '$', '') = ''"
                )
    return found


def disagreements(folder: Path) -> dict[str, int]:
    """Cells by format, table and column where a text format and Parquet do not say the same; none is right."""
    found = {}
    resources = descriptor(folder)
    with duckdb.connect() as connection:
        for path, resource in resources.items():
            parquet = f"{Path(path).stem}.parquet"
            if path.endswith((".csv", ".json")) and parquet in resources and "schema" in resource:
                fields = {field["name"]: field for field in resources[parquet]["schema"]["fields"]}
                names = [field["name"] for field in resource["schema"]["fields"]]
                text = _csv(folder / path) if path.endswith(".csv") else _json_table(folder / path, names)
                found |= _compare(connection, path, folder / parquet, text, {name: fields[name] for name in names})
    return found


def _compare(
    connection: duckdb.DuckDBPyConnection, path: str, parquet: Path, text: str, fields: Mapping[str, Schema]
) -> dict[str, int]:
    checks = ", ".join(f"count(*) filter (where not coalesce({_same(field)}, false))" for field in fields.values())
    reasons = ", ".join(f'{field.get("absenceReason", "null")} as "why {name}"' for name, field in fields.items())
    typed = f"select *, {reasons}, row_number() over () as row_rank from read_parquet('{parquet}')"
    counts = connection.execute(
        f"""select {checks}, count(*) filter (where p.row_rank is null or t.row_rank is null)
            from ({typed}) as p full join (select *, row_number() over () as row_rank from {text}) as t
            on p.row_rank = t.row_rank"""
    ).fetchone()
    assert counts is not None
    return {f"{path} {name}": count for name, count in zip([*fields, "rows"], counts, strict=True)}


def _same(field: Schema) -> str:
    """SQL: the typed cell is the value that the text writes, or the text is the reason why there is none."""
    typed, text, why = f'p."{field["name"]}"', f't."{field["name"]}"', f'p."why {field["name"]}"'
    value = {
        "number": f"try_cast({text} as double) = {typed}",
        "integer": f"try_cast({text} as bigint) = {typed}",
        "boolean": f"{text} = cast({typed} as varchar)",
        "array": f"{text} = array_to_string({typed}, ' ')",
        "string": f"{text} = {typed}",
    }[field["type"]]
    return f"case when {typed} is null then {text} = {why} else {value} end"


def _csv(path: Path) -> str:
    return f"read_csv('{path}', all_varchar = true, delim = ';', header = true, quote = '\"', escape = '\"')"


def _json_rows(path: Path) -> str:
    columns = "{columns: 'varchar[]', rows: 'json[][]'}"
    options = f"columns = {columns}, format = 'unstructured', maximum_object_size = 1000000000"
    return f"(select unnest(rows) as row from read_json('{path}', {options}))"


def _json_table(path: Path, names: list[str]) -> str:
    written = json.loads(path.read_text(encoding="utf-8"))["columns"]
    assert written == names
    cells = ", ".join(f"row[{number}] ->> '$' as \"{name}\"" for number, name in enumerate(names, 1))
    return f"(select {cells} from {_json_rows(path)})"


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
