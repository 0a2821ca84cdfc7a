"""One thing changed in a copy of the project: exactly the assets that depend on it get another code version.

Data are not code: what a seed's rows or a raw table's cells change further down, Dagster follows by data versions
(`test_staleness.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from dataclasses import replace as but
from pathlib import Path
from typing import Any

import grimp
import pytest

from dagster_project import closure
from dagster_project.identity import dbt_code
from dagster_project.settings import PROJECT_ROOT, Settings
from dagster_project.sources import catalogue
from dagster_project.text_files import read_json
from scripts.generate import themes
from tests.project_copies import (
    Copy,
    Edit,
    Manifest,
    append,
    copy_project,
    parsed_by_dbt,
    replace,
    write_taken,
)

MODELS = PROJECT_ROOT / "dbt_models" / "models"
PYTHON_CODE = "\nCHANGED = True\n"


def python(module: str, text: str = PYTHON_CODE) -> Edit:
    return append(f"dagster_project/{module}.py", text)


def template(name: str) -> Edit:
    return append(f"dagster_project/pages/templates/{name}", "\n")


def macro(name: str, path: str) -> Edit:
    return replace(
        f"dbt_models/macros/{path}.sql", rf"(\{{% (?:macro|test) {name}\b[^%]*%\}})", r"\1{%- set changed = 1 -%}"
    )


def source_entry(dataset: str, key: str, text: str) -> Edit:
    """Another value for a key of a catalogue entry."""
    producer = catalogue.load_catalogue()[dataset].producer
    path = f"dagster_project/sources/catalogue/{producer}.yml"
    return replace(path, rf"(?s)(- id: {dataset}\n.*?\n +{key}: )[^\n]+", rf"\g<1>{text}")


# Edits of the dbt project, parsed once all together; each case then takes what it changed from that one manifest.
DBT_EDITS: dict[str, Edit] = {
    "a macro": macro("nombre", "textes"),
    "a macro that reads the territory": macro("dans_le_territoire", "territoire"),
    "a macro that writes from the contract": macro("table_large", "large"),
    "a macro that replaces one of dbt": macro("generate_schema_name", "schema"),
    "a test": replace(
        "dbt_models/tests/generic/valeur_et_statut.sql", r"\{% test \w+\(model\) %\}", r"\g<0>\n-- changed"
    ),
    "a comment above a macro": append("dbt_models/macros/staging.sql", "\n{# Another word. #}\n"),
    "a model": append("dbt_models/models/intermediate/zones/int_zones__qpv.sql", "\n-- changed\n"),
    "a type in a contract": replace(
        "dbt_models/models/marts/commun/marts_commun.yml", r"(name: ci_low, data_type: )double", r"\1float"
    ),
    "an indicator in a wide contract": replace(
        "dbt_models/models/marts/emploi/mart_emploi.yml", r"(indicator: )\w+", r"\1REV_MED"
    ),
    "a description": replace(
        "dbt_models/models/marts/population/mart_population.yml", r"(description: )Code officiel", r"\1Code"
    ),
    "a row of a seed": append("seeds/note_status.csv", "*,essai,nd,essai\n"),
}


@pytest.fixture(scope="module")
def project(dbt_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    settings = Settings(home=tmp_path_factory.mktemp("home"), sources="mirror", mirror="/nowhere")
    return Copy(copy_project(tmp_path_factory.mktemp("copy")), dbt_manifest, settings)


@pytest.fixture(scope="module")
def known(project: Copy) -> dict[str, str]:
    return project.versions()


@pytest.fixture(scope="module")
def known_build(project: Copy) -> str:
    return project.build_code()


@pytest.fixture(scope="module")
def all_edited(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """What dbt makes of the project with all of DBT_EDITS."""
    root = copy_project(tmp_path_factory.mktemp("edited"))
    for edit in DBT_EDITS.values():
        edit.apply(root)
    return parsed_by_dbt(root)


def changed(known: dict[str, str], now: dict[str, str]) -> set[str]:
    assert set(now) == set(known)
    return {name for name in known if now[name] != known[name]}


def raw(*formats: str) -> set[str]:
    """Raw tables of these formats; all when none is named."""
    datasets = catalogue.load_catalogue().values()
    return {f"raw/{dataset.id}" for dataset in datasets if not formats or dataset.format in formats}


def calling(*names: str) -> set[str]:
    """Models whose own text calls one of these macros."""
    call = re.compile(rf"\b(?:{'|'.join(names)})\(")
    return {model(path) for path in MODELS.rglob("*.sql") if call.search(path.read_text(encoding="utf-8"))}


def model(path: Path) -> str:
    return f"{path.relative_to(MODELS).parts[0]}/{path.stem}"


def of_dbt() -> set[str]:
    seeds = {f"reference/{path.stem}" for path in (PROJECT_ROOT / "seeds").glob("*.csv")}
    return seeds | {model(path) for path in MODELS.rglob("*.sql")} | {model(path) for path in MODELS.rglob("*.py")}


REPORTS = {"reports/quality", "reports/data_docs"}
COMPARED, AUDITED, LINEAGE = "reports/comparaison", "reports/audit", "reports/lignage"
LOCK = "releases/lock"
DERIVED = {
    f"derived/{name}" for name in ("zone_geometries", "catalogue", "source_file", "source_presence", "corrections")
}
RECEIVED = {"derived/source_file", "derived/source_presence"}
OVERLAPS = {f"derived/{name}" for name in ("overlaps", "tile_overlaps")}
HOMES = {"derived/origins", "derived/transit_supply"}
OF_CONTOURS = OVERLAPS | {"derived/dwelling_zones", "derived/neighbours"}
WIDE = {f"marts/mart_{theme}" for theme in themes()["all"]}


@dataclass(frozen=True)
class Case:
    """An edit and the assets whose code it changes. `rebuilds`: whether a run must build the figures again."""

    edit: Edit
    expected: set[str] = field(default_factory=set)
    rebuilds: bool = True


CASES = {
    "a reader": Case(python("sources/readers/csv"), raw("csv") | {LOCK}, rebuilds=False),
    "what two readers share": Case(
        python("sources/readers/geometry"), raw("shapefile", "geojson") | {LOCK}, rebuilds=False
    ),
    "what all readers share": Case(python("sources/readers/base"), raw() | {LOCK}, rebuilds=False),
    "how raw tables are put together": Case(python("sources/raw_files"), raw(), rebuilds=False),
    "how files travel": Case(python("sources/http_policy"), rebuilds=False),
    "contours": Case(python("geo/contours"), {"derived/zone_geometries"}),
    "what zones share": Case(python("geo/overlay"), {"derived/overlaps"}),
    "shares of cells": Case(python("geo/grid"), OVERLAPS | HOMES),
    "places of dwellings": Case(python("geo/dwellings"), OVERLAPS | HOMES | {"derived/dwelling_zones"}),
    "lineage of a table made by Python": Case(
        replace("dbt_models/models/derived.yml", r"(values: )\[offers, ", r"\1["), {LINEAGE, "releases/current"}
    ),
    "bodies of the overlaps": Case(python("defs/overlaps"), OF_CONTOURS),
    "bodies of the derived assets": Case(python("defs/geography"), DERIVED),
    "days of offers": Case(python("sources/clients/snapshot"), {"derived/offres_vues"}),
    "corrections as code": Case(python("quality/corrections"), {"derived/corrections"}),
    "a correction": Case(replace("corrections/anct.yml", r"(reported_by: )", r"\1nous, et "), {"derived/corrections"}),
    "the quality report": Case(python("quality/report_model"), {"reports/quality", "releases/current"}),
    "the comparison": Case(python("audit/diff/pairs"), {COMPARED}, rebuilds=False),
    "a template": Case(template("quality/report.html.j2"), {"reports/quality"}),
    "the style sheet": Case(template("style.css"), {"reports/quality", COMPARED, AUDITED, LINEAGE}),
    "the template of a page that no release holds": Case(template("run/run.html.j2"), {AUDITED}, rebuilds=False),
    "how numbers are written": Case(
        python("pages/numbers"), {*REPORTS, COMPARED, AUDITED, LINEAGE, "releases/current"}
    ),
    "the lineage page": Case(python("lineage/page_model"), {LINEAGE, "releases/current"}),
    "its template": Case(template("lineage/lineage.html.j2"), {LINEAGE}),
    "an expectation": Case(replace("expectations/insee_revn.json", '"reason": "', '"reason": "Oui. '), REPORTS),
    "data docs": Case(python("quality/data_docs"), {"reports/data_docs"}),
    "the release": Case(python("release/promote"), {"releases/current"}),
    "where releases are": Case(python("release/places"), {*REPORTS, COMPARED, "releases/current"}),
    "what a release says": Case(
        replace("dagster_project/release/contents.yml", "Producteur", "Producteurs"), {"releases/current"}
    ),
    "the command line": Case(python("commands/build"), rebuilds=False),
    "when things run": Case(python("defs/automation"), rebuilds=False),
    "the demonstration": Case(python("demo_territory/territory"), rebuilds=False),
    "a comment in a reader": Case(python("sources/readers/csv", "\n# Why.\n"), rebuilds=False),
    "a docstring": Case(replace("dagster_project/geo/contours.py", r'\A"""Valid', '"""Always valid'), rebuilds=False),
    "a comment in the catalogue": Case(
        append("dagster_project/sources/catalogue/insee.yml", "\n# A word.\n"), rebuilds=False
    ),
    "a title": Case(
        source_entry("insee_revn", "title", '"Revenus"'),
        {"raw/insee_revn", "derived/catalogue", *RECEIVED, "reports/quality", "reports/lignage"},
        rebuilds=False,
    ),
    "bounds of a raw table": Case(
        source_entry("insee_revn", "rows", "{minimum: 1, maximum: 2}"),
        {"raw/insee_revn", *RECEIVED, "reports/quality", "reports/lignage"},
        rebuilds=False,
    ),
}

DBT_CASES: dict[str, set[str]] = {
    "a macro": calling("nombre", "observation"),
    "a macro that reads the territory": calling("dans_le_territoire"),
    "a macro that writes from the contract": WIDE,
    "a macro that replaces one of dbt": of_dbt(),
    "a test": set(),
    "a comment above a macro": set(),
    "a model": {"intermediate/int_zones__qpv"},
    # A release describes its tables, from the same files.
    "a type in a contract": {"marts/indicator_value", "releases/current"},
    "an indicator in a wide contract": {"marts/mart_emploi", "releases/current"},
    "a description": {"releases/current"},
    "a row of a seed": {"reference/note_status"},
}


@pytest.mark.parametrize("name", CASES)
def test_python_files_and_catalogue(project: Copy, known: dict[str, str], known_build: str, name: str) -> None:
    case = CASES[name]
    with project.edited(case.edit):
        assert changed(known, project.versions()) == case.expected
        assert (project.build_code() != known_build) == case.rebuilds


@pytest.mark.parametrize("name", DBT_CASES)
def test_the_dbt_project(
    tmp_path: Path, project: Copy, all_edited: Manifest, known: dict[str, str], known_build: str, name: str
) -> None:
    edit = DBT_EDITS[name]
    parsed = write_taken(read_json(project.parsed), all_edited, edit, tmp_path / "manifest.json")
    with project.edited(edit):
        assert changed(known, but(project, parsed=parsed).versions()) == DBT_CASES[name]
        assert project.build_code() != known_build


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"territory": "west"}, calling("dans_le_territoire")),
        ({"home": Path("/elsewhere")}, set()),
        ({"mirror": "/other", "inbox": Path("/inbox"), "max_retries": 9}, set()),
        ({"sources": "demo"}, {"derived/corrections"}),
    ],
    ids=["territory", "home", "how files travel", "demonstration"],
)
def test_settings(project: Copy, known: dict[str, str], change: dict[str, Any], expected: set[str]) -> None:
    settings = Settings(**(project.settings.model_dump() | change))
    assert changed(known, but(project, settings=settings).versions()) == expected


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        (
            "duckdb",
            of_dbt()
            | REPORTS
            | OF_CONTOURS
            | HOMES
            | {"derived/destinations"}
            | {COMPARED, LINEAGE, "derived/zone_geometries", "derived/corrections", "releases/current"}
            | {f"raw/{dataset.id}" for dataset in catalogue.load_catalogue().values() if dataset.convention},
        ),
        ("python_calamine", raw("xlsx") | {LOCK}),
        ("jinja2", {"reports/quality", COMPARED, AUDITED, LINEAGE, "releases/current"}),
        ("sqlglot", {LINEAGE, "releases/current"}),
    ],
)
def test_libraries(
    monkeypatch: pytest.MonkeyPatch, project: Copy, known: dict[str, str], library: str, expected: set[str]
) -> None:
    for module, name in ((closure, "_installed"), (dbt_code, "version")):
        installed = getattr(module, name)
        monkeypatch.setattr(module, name, lambda other, now=installed: "99" if other == library else now(other))
    assert changed(known, project.versions()) == expected


@pytest.mark.parametrize("name", ["geography", "lineage", "offers", "overlaps", "release", "routing"])
def test_the_versions_of_assets_cover_what_their_bodies_call(
    monkeypatch: pytest.MonkeyPatch, project: Copy, name: str
) -> None:
    """A body counts by its own text: each module that it imports must be in the closure of an asset it defines."""
    module = f"dagster_project.defs.{name}"
    reached: set[str] = set()

    def recorded(*entries: str, own: list[str], **_: Any) -> str:
        assert own == [module]
        reached.update(closure.closure(*entries).modules)
        return "recorded"

    monkeypatch.setattr(f"{module}.code_version", recorded)
    project.versions()
    imported = grimp.build_graph("dagster_project", cache_dir=None).find_modules_directly_imported_by(module)
    beside = {closure.__name__, "dagster_project.identity.content", "dagster_project.settings"}
    # These make versions; settings count by their values.
    beside |= {"dagster_project.sources.code", "dagster_project.pages.files"}
    assert {other for other in imported - reached - beside if not other.startswith("dagster_project.defs")} == set()
