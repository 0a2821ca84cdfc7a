"""The report of a verification: one French page that opens anywhere and can be filed, and its data as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from dagster_project.audit.verify.result import Verification
from dagster_project.pages.french import SOURCES, moment, number, plural, typeset


def write_report(path: Path, verification: Verification) -> None:
    """Write the page to `path`, and its data beside it under the suffix `.json`; both are replaced whole."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("dagster_project.audit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        nombre=number,
        moment=moment,
        typographie=typeset,
        provenance=lambda sources: SOURCES.get(sources, sources),
        constats=lambda count: plural(count, "constat"),
    )
    asked = next((c.counts.get("chiffres demandés", 0) for c in verification.chapters if c.key == "recalcul"), 0)
    page = environment.get_template("verification.html.j2").render(v=verification, asked=asked)
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, page)
    _replace(path.with_suffix(".json"), as_json(verification))


def as_json(verification: Verification) -> str:
    """The data of a verification."""
    return json.dumps(verification.as_dict(), indent=1, ensure_ascii=False) + "\n"


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
