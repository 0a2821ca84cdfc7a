"""The models behind a release: what each is for, the SQL that ran, and what it reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dagster_project.release.errors import ReleaseError
from dagster_project.settings import Settings


def models_json(manifest: Mapping[str, Any], settings: Settings, built: str, code_versions: Mapping[str, str]) -> str:
    """Text of `models.json`: a list of models by name, as JSON.

    Each has `name`, `schema`, `description`, `depends_on` (`schema.name`), `compiled_sql` without any folder of this
    machine, `checksum` of the model's own file and, where given, `code_version`.

    Args:
        manifest: what dbt parsed and compiled.
        settings: where raw and derived tables are.
        built: catalogue of what dbt built, which its SQL names.
        code_versions: digest of all that shapes a model, by name.

    Raises:
        ReleaseError: a model was not compiled, because the run left it out.
    """
    nodes = manifest["nodes"]
    models = []
    for unique_id in sorted(nodes):
        node = nodes[unique_id]
        if node["resource_type"] != "model":
            continue
        model = {
            "name": node["name"],
            "schema": node["schema"],
            "description": node["description"],
            "depends_on": [_relation(manifest, parent) for parent in sorted(node["depends_on"]["nodes"])],
            "checksum": node["checksum"]["checksum"],
            "compiled_sql": _portable(node, settings, built),
        }
        if node["name"] in code_versions:
            model["code_version"] = code_versions[node["name"]]
        models.append(model)
    return json.dumps(models, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _relation(manifest: Mapping[str, Any], unique_id: str) -> str:
    if unique_id.startswith("source."):
        source = manifest["sources"][unique_id]
        return f"{source['source_name']}.{source['name']}"
    node = manifest["nodes"][unique_id]
    return f"{node['schema']}.{node['name']}"


def _portable(node: Mapping[str, Any], settings: Settings, built: str) -> str:
    """The SQL that ran, with folders relative to DQ_HOME and tables by schema and name."""
    sql: str | None = node.get("compiled_code")
    if not sql:
        raise ReleaseError(f"{node['name']} was not built in this run: a release is made in one run, without --select")
    # dbt writes the tables of a Python model as JSON: other letters than ASCII are escaped there
    for home in (str(settings.home), json.dumps(str(settings.home))[1:-1]):
        sql = sql.replace(f"{home}/", "")
    return sql.replace(f'"{built}".', "").strip()
