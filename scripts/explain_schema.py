"""Write docs/schemas/explain.schema.json from the model of `dq explain --json`: python scripts/explain_schema.py."""

from __future__ import annotations

import json
from pathlib import Path

from dagster_project.audit.explain.model import json_schema
from dagster_project.settings import PROJECT_ROOT

SCHEMA = PROJECT_ROOT / "docs" / "schemas" / "explain.schema.json"


def text() -> str:
    """The schema as it is published."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def write(path: Path = SCHEMA) -> None:
    """Publish it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    write()
