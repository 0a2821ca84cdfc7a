"""The descriptions of a release: fit for frictionless, for a harvester, for search engines, and for people."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import rdflib
from frictionless import Package
from rdflib import namespace

from dagster_project.release.checks import DEMANDS
from dagster_project.release.contract import load_contents
from dagster_project.release.database import CONTENT, DATABASE, VIEWS, content_digests
from dagster_project.release.plan import CHECKS, derived_tables
from dagster_project.release.promote import promote
from dagster_project.settings import PROJECT_ROOT, Settings
from tests.harvest import harvest
from tests.release_cells import descriptor
from tests.release_home import MARTS, TABLES, lock, open_datasets, write_home

SCHEMA = PROJECT_ROOT / "tests" / "schemas" / "schema_org_dataset.json"
RELEASED = {*(table.name for table in TABLES), *derived_tables(), CHECKS}
DESCRIPTIONS = {"datapackage.json", "dcat.jsonld", "dataset.jsonld", "SHA256SUMS"}


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_frictionless_finds_the_package_valid_and_honours_the_labels(small_release: Path) -> None:
    package = Package(str(small_release / "datapackage.json"))
    outcome = package.validate()
    assert outcome.valid, outcome.flatten(["type", "message"])
    figures = {row["figure_id"]: row for row in package.get_resource("indicator_value").read_rows()}
    secret = figures["REV_TP60.QPV.QP096002.QP2015.2019"]
    assert secret["value"] is None
    assert secret["status"] == "secret_primaire"
    assert figures["REV_TP60.QPV.QP096001.QP2015.2019"]["value"] == Decimal("46.8")
    field = package.get_resource("mart_revenus").schema.get_field("taux_pauvrete_pct")
    labels = {entry["value"]: entry["label"] for entry in field.to_descriptor()["missingValues"]}
    assert labels["secret_primaire"].startswith("Secret statistique")
    assert "non_publie" in labels


def test_the_package_describes_every_file_by_size_and_digest(small_release: Path) -> None:
    resources = descriptor(small_release)
    assert set(resources) == {path.name for path in small_release.iterdir()} - DESCRIPTIONS
    for name, resource in resources.items():
        path = small_release / name
        if name == DATABASE:
            assert not {"hash", "bytes"} & set(resource)
        else:
            assert (resource["hash"], resource["bytes"]) == (f"sha256:{sha256(path)}", path.stat().st_size), name
        assert resource["title"]
        assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", resource["mediatype"])
    package = read(small_release / "datapackage.json")
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert len({resource["name"] for resource in package["resources"]}) == len(resources)
    assert {source["path"] for source in package["sources"]} == {d.origin.page for d in open_datasets().values()}
    assert all(source["version"] for source in package["sources"])


def test_every_column_has_a_type_a_title_and_a_meaning(small_release: Path) -> None:
    for path, resource in descriptor(small_release).items():
        for field in resource.get("schema", {}).get("fields", ()):
            assert {"name", "type", "title", "description"} <= set(field), f"{path} {field['name']}"
            assert len(field["title"]) > 3
    fields = {f["name"]: f for f in descriptor(small_release)["mart_revenus.csv"]["schema"]["fields"]}
    assert fields["taux_pauvrete_pct"]["title"] == "Taux de pauvreté à 60 %"
    assert fields["taux_pauvrete_pct"]["unit"] == "%"


def test_keys_and_references_are_declared(small_release: Path) -> None:
    resources = descriptor(small_release)
    assert resources["indicator_value.csv"]["schema"]["primaryKey"] == [
        *("indicator_code", "zone_level", "zone_code", "generation", "vintage")
    ]
    targets = {
        tuple(key["fields"]): key["reference"]["resource"]
        for key in resources["indicator_value.csv"]["schema"]["foreignKeys"]
    }
    assert targets == {("indicator_code",): "indicator", ("zone_level", "zone_code", "generation"): "dim_zone"}
    assert "primaryKey" not in resources["note_status.csv"]["schema"], "a key that may be absent names no row"


def test_a_harvester_finds_all_it_needs(small_release: Path) -> None:
    datasets = harvest(small_release / "dcat.jsonld")
    assert len(datasets) == len(load_contents().datasets)
    for identifier, dataset in datasets.items():
        assert identifier.startswith("data-et-quartiers-")
        assert dataset.uri == f"urn:data-et-quartiers:{identifier.removeprefix('data-et-quartiers-')}"
        assert dataset.title.startswith("FICTIF – ")
        assert dataset.description.startswith("DONNÉES FICTIVES.")
        assert dataset.frequency == "ANNUAL"
        assert "données fictives" in dataset.tags
        assert dataset.temporal == (date(2019, 1, 1), date(2019, 12, 31))
        assert len(dataset.polygons) == 1
        assert "Insee" in dataset.provenance
        assert dataset.resources
        for resource in dataset.resources:
            path = small_release / resource.identifier
            assert resource.url == f"urn:data-et-quartiers:{small_release.name}:{path.name}"
            assert resource.licence == "https://www.etalab.gouv.fr/licence-ouverte-open-licence/"
            assert resource.title
            if path.name != DATABASE:
                assert (resource.sha256, resource.size) == (sha256(path), path.stat().st_size)
    shared = [resource.identifier for dataset in datasets.values() for resource in dataset.resources]
    assert len(shared) == len(set(shared)), "a file belongs to one dataset"


def test_the_extent_is_a_closed_counter_clockwise_ring(small_release: Path) -> None:
    (ring,) = harvest(small_release / "dcat.jsonld")["data-et-quartiers-zones"].polygons[0]
    assert ring[0] == ring[-1]
    area = sum(x * v - u * y for (x, y), (u, v) in itertools.pairwise(ring))
    assert area > 0
    assert all(-2 < longitude < -1 and 47 < latitude < 49 for longitude, latitude in ring)


def test_the_catalogue_has_what_dcat_ap_demands(small_release: Path) -> None:
    dcat, dct = namespace.DCAT, namespace.DCTERMS
    graph = rdflib.Graph().parse(small_release / "dcat.jsonld", format="json-ld")
    (catalogue,) = graph.subjects(rdflib.RDF.type, dcat.Catalog)
    for term in (dct.title, dct.description, dct.publisher, dct.license, dct.modified):
        assert len(list(graph.objects(catalogue, term))) == 1
    assert set(graph.objects(catalogue, dcat.dataset)) == set(graph.subjects(rdflib.RDF.type, dcat.Dataset))
    publisher = graph.value(catalogue, dct.publisher)
    assert (publisher, rdflib.RDF.type, namespace.FOAF.Agent) in graph
    for distribution in graph.subjects(rdflib.RDF.type, dcat.Distribution):
        for term in (dcat.accessURL, dcat.downloadURL, dct.license, dct.description):
            assert len(list(graph.objects(distribution, term))) == 1
        licence = graph.value(distribution, dct.license)
        assert (licence, rdflib.RDF.type, dct.LicenseDocument) in graph


def test_the_schema_org_block_is_what_search_engines_ask_for(small_release: Path) -> None:
    schema = read(SCHEMA)
    jsonschema.Draft202012Validator.check_schema(schema)
    block = read(small_release / "dataset.jsonld")
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(block)
    measured = {variable["propertyID"] for variable in block["variableMeasured"]}
    assert measured == {"REV_TP60", "REV_MED", "C2S_TX", "DEM_POP", "DE_ABC"}
    assert {source["name"] for source in block["isBasedOn"]} == {d.origin.title for d in open_datasets().values()}


def test_attribution_cites_each_dataset_and_each_file(small_release: Path) -> None:
    text = (small_release / "ATTRIBUTION.md").read_text(encoding="utf-8")
    sections = {section.partition("\n")[0]: section for section in text.split("\n## ")[1:]}
    assert len(sections) == len(open_datasets())
    for dataset in open_datasets().values():
        section = sections[dataset.origin.title]
        for told in (
            dataset.origin.producer,
            dataset.origin.citation,
            f"<{dataset.origin.page}>",
            f"[{dataset.origin.licence.name}]({dataset.origin.licence.url})",
            f"`{dataset.id}`",
        ):
            assert told in section
        names = [file.name for vintage in dataset.vintages for file in vintage.files]
        assert section.count(f"`{'ab' * 32}`") == len(names)
        assert [name for name in names if f"| {name}.csv |" not in section] == []
    assert "fichier fictif" in text
    assert text.index("DONNÉES FICTIVES") < 150


def test_the_readme_says_what_each_file_is(small_release: Path) -> None:
    text = (small_release / "LISEZMOI.txt").read_text(encoding="utf-8")
    assert text.startswith("DONNÉES FICTIVES")
    named = {line.partition("\u00a0:")[0] for line in text.splitlines()}
    tables = RELEASED
    others = {path.name for path in small_release.iterdir() if path.stem not in tables}
    assert tables | others - {"LISEZMOI.txt", "SHA256SUMS"} <= named
    assert {"ok", "secret_primaire", "non_publie"} <= named
    assert "formule" in text, "what a spreadsheet would run is left as it is, and said"


def test_models_show_the_sql_that_ran_and_no_folder_of_this_machine(small_release: Path) -> None:
    models = {model["name"]: model for model in read(small_release / "models.json")}
    assert set(models) == set(MARTS)
    assert models["dim_zone"]["compiled_sql"] == "select * from read_parquet('raw/insee_revn.parquet')"
    assert models["dim_zone"]["depends_on"] == ["raw.insee_revn"]
    assert models["dim_zone"]["code_version"] == "c" * 64
    for path in small_release.glob("*.json*"):
        assert str(small_release.parents[1]) not in path.read_text(encoding="utf-8"), path.name


def test_the_database_opens_anywhere_and_says_what_the_list_of_contents_says(
    small_release: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "autre nom.duckdb"
    copy.write_bytes((small_release / DATABASE).read_bytes())
    copy.chmod(0o444)
    listed = dict(
        reversed(line.split("  ")) for line in (small_release / CONTENT).read_text(encoding="utf-8").splitlines()
    )
    with duckdb.connect(str(copy), read_only=True) as connection:
        tables = [row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()]
        assert content_digests(connection, tables, tmp_path) == listed
        assert set(tables) == RELEASED
        undocumented = "select count(*) from duckdb_columns() where not internal and comment is null"
        assert connection.execute(f"{undocumented} and table_name not in {tuple(VIEWS)}").fetchone() == (0,)
        for view in VIEWS:
            assert connection.execute(f"select count(*) from {view}").fetchone()[0] > 0  # type: ignore[index]
        latest = (
            "select vintage, statut_en_clair from derniers_chiffres where figure_id like 'REV_TP60%' order by zone_code"
        )
        assert connection.execute(latest).fetchall()[0] == (
            "2021",
            "Valeur estimée par un calcul, donnée avec son intervalle",
        )
    assert [path.name for path in tmp_path.iterdir()] == ["autre nom.duckdb"], "opening it leaves nothing behind"


def test_an_address_makes_links_that_can_be_followed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", sources="demo", public_base_url="https://data.exemple.fr/qpv/")
    write_home(settings)
    release = promote(settings, lock("a", "mirror", base_url=settings.public_base_url), {})
    datasets = harvest(release / "dcat.jsonld")
    zones = datasets["data-et-quartiers-zones"]
    assert zones.uri == "https://data.exemple.fr/qpv/current/dcat.jsonld#zones"
    assert {resource.url for resource in zones.resources} >= {
        f"https://data.exemple.fr/qpv/{release.name}/dim_zone.parquet"
    }
    assert not zones.title.startswith("FICTIF")
    assert read(release / "datapackage.json")["homepage"] == "https://data.exemple.fr/qpv/current/"


def test_files_and_datasets_of_the_contents_are_known(small_release: Path) -> None:
    tables = RELEASED
    contents = load_contents()
    grouped = [table for dataset in contents.datasets for table in dataset.tables]
    assert sorted(grouped) == sorted(tables), "each table belongs to one dataset"
    assert {name for dataset in contents.datasets for name in dataset.files} <= set(contents.files)
    unknown = {path.name for path in small_release.iterdir() if path.stem not in tables} - {"SHA256SUMS"}
    assert unknown <= set(contents.files)


def test_every_generic_test_says_what_it_demands() -> None:
    ours = {path.stem for path in (PROJECT_ROOT / "dbt_models" / "tests" / "generic").glob("*.sql")}
    assert ours <= set(DEMANDS)
