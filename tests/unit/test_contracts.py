"""Contracts of the marts: written from the seed, complete, and enforced by dbt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.catalogue import load_catalogue
from scripts import contract_style, generate
from tests.failures import none_of
from tests.release_home import MARTS

MARTS_DIR = PROJECT_ROOT / "dbt_models" / "models" / "marts"
PROPERTIES = sorted((PROJECT_ROOT / "dbt_models" / "models").rglob("*.yml"))
REQUIRED = ("sources", "unit", "formula")


@cache
def documented() -> dict[str, dict[str, Any]]:
    """Every mart that a YAML file describes, by name."""
    files = sorted(MARTS_DIR.rglob("*.yml"))
    models = [model for path in files for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]]
    return {model["name"]: model for model in models}


def test_committed_files_are_those_that_the_seeds_give() -> None:
    expected = generate.written()
    stale = [path for path, text in expected.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `make generate` and commit the result"
    files = [path for path in generate.DBT.rglob("*") if path.suffix in {".sql", ".yml"} and "target" not in path.parts]
    marked = {path for path in files if generate.MARK in path.read_text(encoding="utf-8")}
    assert marked - set(expected) == set(), "left behind: delete them"


def test_contracts_keep_to_one_style() -> None:
    """No anchors, whatever fits on one line, and comments at the top, where laying out again keeps them."""
    texts = {path: path.read_text(encoding="utf-8") for path in PROPERTIES}
    changed = [str(path) for path, text in texts.items() if text != contract_style.restyled(text)]
    assert changed == [], "python -m scripts.contract_style FILE, and read the difference"


def test_owners_stand_once() -> None:
    """Each folder of tables has its owner, which no table or column repeats."""
    project = yaml.safe_load((PROJECT_ROOT / "dbt_models" / "dbt_project.yml").read_text(encoding="utf-8"))
    seeds, folders = project["seeds"]["data_et_quartiers"], project["models"]["data_et_quartiers"]
    assert set(folders) == {path.name for path in (PROJECT_ROOT / "dbt_models" / "models").iterdir() if path.is_dir()}
    assert all(folder["+meta"]["owner"] for folder in (seeds, *folders.values()))
    repeated = re.compile(r"meta: \{[^}]*\bowner:|^\s*owner:", re.MULTILINE)
    assert [path.name for path in PROPERTIES if repeated.search(path.read_text(encoding="utf-8"))] == []


def test_every_mart_is_documented_and_published() -> None:
    models = {path.stem for path in MARTS_DIR.rglob("*.sql")}
    assert models == set(documented()) == set(MARTS)
    assert [name for name, model in documented().items() if len(model["description"]) < 20] == []


def test_columns_say_who_what_how_and_whence() -> None:
    known = {*load_catalogue(), *documented(), "observation", "archive", "catalogue", "corrections"}

    def wrong(column: dict[str, Any]) -> Iterator[str]:
        meta = column["config"]["meta"]
        if len(column["description"]) <= 5:
            yield "no description"
        if not column.get("data_type"):
            yield "no data_type"
        yield from (f"no {name}" for name in REQUIRED if not meta.get(name))
        for source in meta.get("sources", ()):
            in_folder = source.startswith(("seeds/", "docs/"))
            if not ((PROJECT_ROOT / source).exists() if in_folder else source in known):
                yield f"source {source} is unknown"

    columns = [(mart, column) for mart, model in documented().items() for column in model["columns"]]
    none_of(f"{mart}.{column['name']}: {what}" for mart, column in columns for what in wrong(column))


def test_contracts_are_enforced() -> None:
    project = yaml.safe_load((PROJECT_ROOT / "dbt_models" / "dbt_project.yml").read_text(encoding="utf-8"))
    marts = project["models"]["data_et_quartiers"]["marts"]
    contract = marts.get("+contract", marts.get("contract"))
    assert contract == {"enforced": True}
    for path in MARTS_DIR.rglob("*.sql"):
        assert not re.search(r"enforced\W+false", path.read_text(encoding="utf-8"), re.IGNORECASE)
