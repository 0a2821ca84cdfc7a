"""The catalogue loads, refuses what is misspelt, explains itself, and agrees with the real files."""

from __future__ import annotations

import copy
import csv
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyarrow.parquet as pq
import pytest
import yaml
from pydantic import ValidationError
from python_calamine import CalamineWorkbook

from dagster_project.sources.catalogue import (
    CATALOGUE_DIR,
    CatalogueError,
    Dataset,
    SourceFile,
    Vintage,
    json_schema,
    load_catalogue,
    load_file,
)

LEVELS = ("com", "epci", "dep", "reg", "metropole")
POSTS = ("2020", "2021", "2022")
EXPECTED_VINTAGES = {
    "insee_demo": ("2017", "2018", "2019", "2021"),
    "insee_revn": ("2017", "2018", "2019", "2021"),
    "insee_ipro": ("2017", "2018", "2019", "2020", "2021"),
    "insee_filosofi_qpv": ("2016", "2017", "2018"),
    "insee_demo_plat": ("2019", "2020", "2021"),
    **{f"insee_filosofi_{level}": ("2018", "2019") for level in LEVELS},
    "insee_cog_communes": ("2021", "2024"),
    "insee_cog_departements": ("2024",),
    "insee_cog_regions": ("2024",),
    "insee_cog_mouvements": ("2024",),
    "insee_populations_communes": ("2021",),
    "dgcl_epci": ("2024",),
    "anct_qpv_2015": ("2015",),
    "anct_qpv_2024": ("2024",),
    "anct_adultes_relais": POSTS,
    "anct_fonjep": POSTS,
    "anct_analyse_qpv": ("2024",),
    **{f"etalab_contours_{layer}": ("2024",) for layer in ("communes", "epci", "departements")},
    "ign_contours_iris": ("2022",),
    "insee_iris_synthese": ("2022",),
    "insee_filosofi_iris": ("2017", "2018", "2019"),
    "insee_caf_iris": ("2016", "2017", "2018", "2019", "2020"),
    "insee_iris_reference": ("2021",),
    "insee_filosofi_carreaux": ("2021",),
    "insee_filosofi_carreaux_nat": ("2021",),
    "insee_cnam_iris": ("2022",),
    "anct_qpv_correspondance": ("2024",),
    "cnam_pathologies": ("2023",),
    "cstb_bdnb_logements": ("2022",),
    "ors_sante_iris": ("2022",),
    "drees_c2s_national": ("2022",),
    "insee_parts_modales": ("2021",),
    "francetravail_offres": ("2024", "2026"),
    "francetravail_offres_plat": ("2026",),
    "francetravail_marche": ("2025",),
    "francetravail_rome_v3": ("2021",),
    "francetravail_rome_v4": ("2025",),
    "francetravail_rome_appellations": ("2021",),
    "francetravail_bmo": ("2024",),
    "francetravail_bassins": ("2024",),
    "partenaire_offres": ("2025",),
    "partenaire_demande_rome": ("2025",),
    "partenaire_c2s_profils": ("2021",),
    "osm_reseau": ("2013", "2019"),
    "star_gtfs": ("2012",),
    "sncf_gtfs": ("2013", "2021", "2025"),
}
CONVENTIONS = ("ors_sante_iris", "partenaire_offres", "partenaire_demande_rome", "partenaire_c2s_profils")
# datasets of which no real copy is given: they may be absent
ABSENT = {
    **dict.fromkeys(("insee_filosofi_carreaux", "insee_filosofi_carreaux_nat", "insee_cnam_iris"), "non_couvert"),
    **dict.fromkeys(("anct_qpv_correspondance", "cstb_bdnb_logements", "francetravail_marche"), "non_couvert"),
    "drees_c2s_national": "non_couvert",
    **dict.fromkeys(CONVENTIONS, "convention"),
}
# those of access to work may be absent too, although copies are given: not every territory has them
OPTIONAL = {
    *("insee_parts_modales", "osm_reseau", "star_gtfs", "sncf_gtfs"),
    *("francetravail_offres", "francetravail_offres_plat", "francetravail_bmo", "francetravail_bassins"),
    *("francetravail_rome_v3", "francetravail_rome_v4", "francetravail_rome_appellations"),
}
OPEN_LICENCE = ("Licence Ouverte 2.0 (Etalab)", "https://www.etalab.gouv.fr/licence-ouverte-open-licence/")
CONVENTION = "Convention de mise à disposition, sans republication du fichier"
AGGREGATES = "Convention de mise à disposition : effectifs de 11 personnes ou plus publiables, fichier non republié"
ODBL = ("Open Database License 1.0 (ODbL)", "https://opendatacommons.org/licenses/odbl/1-0/")
API_TERMS = ("Conditions générales d'utilisation des API de France Travail", "https://francetravail.io/")
OTHER_LICENCES = {
    **dict.fromkeys(("cnam_pathologies", "osm_reseau", "star_gtfs", "sncf_gtfs"), ODBL),
    **dict.fromkeys(("francetravail_offres", "francetravail_offres_plat", "francetravail_marche"), API_TERMS),
    "ors_sante_iris": (CONVENTION, "https://www.fnors.org/"),
    "partenaire_offres": (CONVENTION, "https://www.francetravail.fr/"),
    "partenaire_demande_rome": (CONVENTION, "https://www.francetravail.org/"),
    "partenaire_c2s_profils": (AGGREGATES, "https://www.ameli.fr/"),
}
ACCESS = {
    **dict.fromkeys(CONVENTIONS, "convention"),
    **dict.fromkeys(("francetravail_offres", "francetravail_offres_plat", "francetravail_marche"), "key"),
}
# third-party compilation of 264 columns, and records whose members are left out where they are empty: only those
# relied on are declared
PARTLY_DECLARED = {"insee_iris_synthese", "francetravail_offres"}
# a few records stand twice in the copy, identical in every field
REPEATED = {"anct_fonjep", "cnam_pathologies"}
# copies that are simplified, or cut to a place or a day: the bounds leave room for the official file
WIDE_ROWS = {"francetravail_offres", "francetravail_offres_plat", "francetravail_bmo"}
WIDE_BYTES = {"anct_qpv_2024", "osm_reseau", "star_gtfs", "sncf_gtfs", *WIDE_ROWS}

ENTRY: dict[str, Any] = {
    "id": "essai_table",
    "producer": "essai",
    "origin": {
        "producer": "Institut d'essai",
        "title": "Table d'essai",
        "description": "Une table inventée, qui sert seulement à vérifier la lecture du catalogue.",
        "citation": "Institut d'essai, table d'essai",
        "page": "https://exemple.invalid/table",
        "licence": {"name": "Licence d'essai", "url": "https://exemple.invalid/licence"},
        "access": "open",
    },
    "format": "csv",
    "key": ["CODE"],
    "columns": [{"name": "CODE", "type": "code", "meaning": "Code de la zone"}],
    "rows": {"minimum": 1, "maximum": 10},
    "bytes": {"minimum": 1, "maximum": 1000},
    "rhythm_days": 365,
    "secrecy": "Aucun secret.",
    "vintages": [
        {"vintage": "2021", "files": [{"name": "ESSAI_2021", "live": {"url": "https://exemple.invalid/2021.csv"}}]}
    ],
}


@pytest.fixture
def entry() -> dict[str, Any]:
    return copy.deepcopy(ENTRY)


def written(folder: Path, *entries: dict[str, Any], name: str = "essai.yml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump({"datasets": list(entries)}, allow_unicode=True), encoding="utf-8")
    return path


def all_datasets() -> list[Dataset]:
    return list(load_catalogue().values())


def files(dataset: Dataset) -> Iterator[tuple[Vintage, SourceFile]]:
    for vintage in dataset.vintages:
        for file in vintage.files:
            yield vintage, file


def mirror_paths(file: SourceFile) -> tuple[str, ...]:
    assert file.mirror is not None, f"{file.name} has no mirror copy"
    return file.mirror.paths


each_dataset = pytest.mark.parametrize("dataset", all_datasets(), ids=lambda dataset: dataset.id)
each_copied_dataset = pytest.mark.parametrize(
    "dataset", [d for d in all_datasets() if d.id not in ABSENT], ids=lambda dataset: dataset.id
)


# --- what the loader refuses ---------------------------------------------------------------------------------------


def test_a_valid_entry_loads(tmp_path: Path, entry: dict[str, Any]) -> None:
    (dataset,) = load_file(written(tmp_path, entry))
    assert dataset.id == "essai_table"
    assert dataset.delimiter == ";"
    assert dataset.header_row == 1
    assert dataset.rejects_tolerated == 0


@pytest.mark.parametrize(
    "place",
    [(), ("origin",), ("origin", "licence"), ("columns", 0), ("rows",), ("vintages", 0), ("vintages", 0, "files", 0)],
    ids=str,
)
def test_an_unknown_key_is_refused_with_the_file_and_the_key(
    tmp_path: Path, entry: dict[str, Any], place: tuple[str | int, ...]
) -> None:
    target: Any = entry
    for step in place:
        target = target[step]
    target["encodage"] = "utf-8"
    with pytest.raises(CatalogueError, match=r"(?s)essai\.yml.*encodage"):
        load_file(written(tmp_path, entry))


def test_a_vintage_declared_twice_is_refused(tmp_path: Path, entry: dict[str, Any]) -> None:
    again = copy.deepcopy(entry["vintages"][0])
    again["files"][0]["name"] = "ESSAI_AUTRE"
    entry["vintages"].append(again)
    with pytest.raises(CatalogueError, match=r"(?s)essai\.yml.*vintage is declared twice"):
        load_file(written(tmp_path, entry))


def test_a_file_name_used_twice_is_refused(tmp_path: Path, entry: dict[str, Any]) -> None:
    again = copy.deepcopy(entry["vintages"][0])
    again["vintage"] = "2022"
    entry["vintages"].append(again)
    with pytest.raises(CatalogueError, match="file names must be unique"):
        load_file(written(tmp_path, entry))


def test_a_dataset_declared_in_two_files_is_refused(tmp_path: Path, entry: dict[str, Any]) -> None:
    written(tmp_path, entry, name="un.yml")
    written(tmp_path, entry, name="zz.yml")
    with pytest.raises(CatalogueError, match=r"zz\.yml.*essai_table is declared twice"):
        load_catalogue(tmp_path)


def test_a_file_without_address_needs_a_note(tmp_path: Path, entry: dict[str, Any]) -> None:
    entry["vintages"][0]["files"][0]["live"] = {"url": None}
    with pytest.raises(CatalogueError, match="needs a note"):
        load_file(written(tmp_path, entry))


@pytest.mark.parametrize(
    ("live", "refusal"),
    [
        ({"client": "francetravail_offres"}, "needs a note"),
        ({"client": "francetravail_offres", "url": "https://exemple.invalid/a"}, "not both"),
        ({"client": "inconnu", "note": "Accès sur clé."}, "francetravail_offres"),
    ],
)
def test_a_client_stands_in_place_of_an_address(
    tmp_path: Path, entry: dict[str, Any], live: dict[str, str], refusal: str
) -> None:
    entry["vintages"][0]["files"][0]["live"] = live
    with pytest.raises(CatalogueError, match=refusal):
        load_file(written(tmp_path, entry))


def test_a_geographic_file_needs_a_crs(tmp_path: Path, entry: dict[str, Any]) -> None:
    entry["format"] = "geojson"
    with pytest.raises(CatalogueError, match="need a crs"):
        load_file(written(tmp_path, entry))


def test_broken_yaml_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "casse.yml"
    path.write_text("datasets: [", encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"casse\.yml"):
        load_file(path)


def test_datasets_are_frozen() -> None:
    dataset = all_datasets()[0]
    with pytest.raises(ValidationError):
        dataset.id = "autre"


# --- what the catalogue declares -----------------------------------------------------------------------------------


def test_the_catalogue_holds_these_datasets_and_vintages() -> None:
    declared = {dataset.id: tuple(vintage.vintage for vintage in dataset.vintages) for dataset in all_datasets()}
    assert declared == EXPECTED_VINTAGES


def test_each_file_of_the_catalogue_is_named_after_its_producer() -> None:
    for path in sorted(CATALOGUE_DIR.glob("*.yml")):
        for dataset in load_file(path):
            assert dataset.producer == path.stem
            assert dataset.id.startswith(f"{dataset.producer}_")


def test_mirror_paths_and_file_names_are_unique() -> None:
    every = [file for dataset in all_datasets() for _, file in files(dataset)]
    paths = [path for file in every for path in mirror_paths(file)]
    assert len(paths) == len(set(paths))
    names = [file.name.lower() for file in every]  # the inbox may sit on a disk that ignores case
    assert len(names) == len(set(names))


def test_mirror_paths_stay_inside_the_mirror() -> None:
    for dataset in all_datasets():
        for _, file in files(dataset):
            for path in mirror_paths(file):
                parts = Path(path).parts
                assert not Path(path).is_absolute()
                assert ".." not in parts
                assert "\\" not in path


@each_dataset
def test_a_dataset_says_what_it_is_in_french(dataset: Dataset) -> None:
    origin = dataset.origin
    assert 80 <= len(origin.description) <= 600
    assert "\n" not in origin.description
    assert origin.description.endswith(".")
    assert {"de", "et", "la", "les", "des", "par"} & set(origin.description.lower().split())
    assert (origin.licence.name, origin.licence.url) == OTHER_LICENCES.get(dataset.id, OPEN_LICENCE)
    assert origin.access == ACCESS.get(dataset.id, "open")
    assert len(dataset.secrecy) >= 20


@each_dataset
def test_columns_have_one_meaning_each(dataset: Dataset) -> None:
    names = [column.name for column in dataset.columns]
    # names that differ only by case cannot stand in one table
    assert len({name.lower() for name in names}) == len(names)
    assert all(name == name.strip() for name in names)
    assert all(len(column.meaning) >= 10 for column in dataset.columns)


@each_dataset
def test_key_and_absent_columns_are_declared_columns(dataset: Dataset) -> None:
    names = {column.name for column in dataset.columns}
    assert set(dataset.key) <= names
    for vintage in dataset.vintages:
        assert set(vintage.columns_absent) < names
        assert not set(vintage.columns_absent) & set(dataset.key)
        assert len(set(vintage.columns_absent)) == len(vintage.columns_absent)


@each_dataset
def test_every_column_is_in_some_vintage(dataset: Dataset) -> None:
    absent = [set(vintage.columns_absent) for vintage in dataset.vintages]
    assert not set.intersection(*absent)


@each_dataset
def test_bounds_are_bounds(dataset: Dataset) -> None:
    assert dataset.rows.minimum <= dataset.rows.maximum
    assert dataset.bytes.minimum < dataset.bytes.maximum


@each_dataset
def test_a_file_without_address_says_what_to_drop_where(dataset: Dataset) -> None:
    for _, file in files(dataset):
        if file.live.url is None:
            assert file.live.note is not None
            assert "dossier de dépôt" in file.live.note
            assert f"sous le nom {file.name}." in file.live.note


@each_dataset
def test_an_archive_address_names_its_member(dataset: Dataset) -> None:
    for _, file in files(dataset):
        if file.live.url and file.live.url.endswith(".zip"):
            assert file.live.member, f"{file.name}: which member of the zip?"


@each_dataset
def test_a_copy_is_told_from_the_original(dataset: Dataset) -> None:
    for _, file in files(dataset):
        note = file.mirror.note if file.mirror else None
        assert note, f"{file.name}: where does the copy come from?"
        assert (file.sha256 is None) == (dataset.id in ABSENT or file.live.client is not None)


@each_dataset
def test_a_shapefile_has_its_companions(dataset: Dataset) -> None:
    for _, file in files(dataset):
        if dataset.format == "shapefile":
            assert [Path(path).suffix for path in mirror_paths(file)] == [".shp", ".dbf", ".shx", ".prj"]
            assert len({Path(path).stem for path in mirror_paths(file)}) == 1
        elif dataset.format == "bundle":
            assert len({Path(path).parent for path in mirror_paths(file)}) == 1
        else:
            assert len(mirror_paths(file)) == 1


def test_generation_marks_the_tables_by_quartier() -> None:
    generations = {dataset.id: dataset.generation for dataset in all_datasets() if dataset.generation}
    qp2015 = ("insee_demo", "insee_revn", "insee_ipro", "insee_filosofi_qpv", "insee_demo_plat", "anct_qpv_2015")
    qn2024 = ("anct_qpv_2024", "anct_analyse_qpv", "anct_qpv_correspondance")
    assert generations == {**dict.fromkeys(qp2015, "QP2015"), **dict.fromkeys(qn2024, "QN2024")}


def test_the_json_schema_describes_a_catalogue_file() -> None:
    schema = json_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert schema["additionalProperties"] is False
    definitions = schema["$defs"]
    assert isinstance(definitions, dict)
    assert {"Dataset", "Vintage", "SourceFile", "Column", "Origin"} <= definitions.keys()
    assert {"id", "origin", "vintages", "columns"} <= set(definitions["Dataset"]["required"])


@pytest.mark.parametrize("change", [{"access": "convention"}, {"convention": {"threshold": 11}}], ids=str)
def test_a_convention_goes_with_the_access(tmp_path: Path, entry: dict[str, Any], change: dict[str, Any]) -> None:
    entry["origin"]["access"] = change.get("access", "open")
    if "convention" in change:
        entry["convention"] = {"threshold": 11, "masked": "ns", "denominator": "CODE", "numerators": ["CODE"]}
    with pytest.raises(CatalogueError, match="goes with access: convention"):
        load_file(written(tmp_path, entry))


def test_a_convention_names_declared_columns(tmp_path: Path, entry: dict[str, Any]) -> None:
    entry["origin"]["access"] = "convention"
    entry["convention"] = {"threshold": 11, "masked": "ns", "denominator": "CODE", "numerators": ["N_AUTRE"]}
    with pytest.raises(CatalogueError, match=r"not declared \(\['N_AUTRE'\]\)"):
        load_file(written(tmp_path, entry))


def test_datasets_without_a_copy_say_what_their_absence_means() -> None:
    declared = {dataset.id: dataset.when_absent for dataset in all_datasets() if dataset.when_absent != "stop"}
    assert declared == ABSENT | dict.fromkeys(OPTIONAL, "non_couvert")


def test_lists_of_codes_of_a_convention_are_columns_of_the_catalogue() -> None:
    for dataset in all_datasets():
        for code in dataset.convention.codes if dataset.convention else ():
            for name in code.datasets:
                assert code.dataset_column in {column.name for column in load_catalogue()[name].columns}


@pytest.mark.parametrize(
    ("convention", "problem"),
    [
        ({"denominator": "CODE", "threshold": 5, "masked": "ns"}, "a denominator needs numerators"),
        ({"numerators": ["CODE"]}, "go together"),
        ({"threshold": 5, "masked": "ns"}, "go together"),
        ({"required": ["N_AUTRE"]}, "not declared"),
        ({"together": [["CODE", "N_AUTRE"]]}, "not declared"),
    ],
)
def test_a_convention_without_meaning_is_refused(
    tmp_path: Path, entry: dict[str, Any], convention: dict[str, Any], problem: str
) -> None:
    entry["origin"]["access"] = "convention"
    entry["convention"] = convention
    with pytest.raises(CatalogueError, match=problem):
        load_file(written(tmp_path, entry))


def test_a_column_is_not_both_declared_and_dropped(tmp_path: Path, entry: dict[str, Any]) -> None:
    entry["dropped_columns"] = ["CODE"]
    with pytest.raises(CatalogueError, match=r"both declared and dropped \(\['CODE'\]\)"):
        load_file(written(tmp_path, entry))


def test_records_are_those_of_a_json_object(tmp_path: Path, entry: dict[str, Any]) -> None:
    entry["records"] = "resultats"
    with pytest.raises(CatalogueError, match="`records` goes with format json"):
        load_file(written(tmp_path, entry))


def test_what_is_personal_is_dropped_at_the_door() -> None:
    for dataset in all_datasets():
        if dataset.personal_data == "personal":
            assert {"contact", "agence", "description"} <= set(dataset.dropped_columns)
            assert not set(dataset.dropped_columns) & {column.name for column in dataset.columns}


# --- the catalogue against the real files --------------------------------------------------------------------------


@pytest.mark.real_data
@each_copied_dataset
def test_real_files_are_where_the_catalogue_says(dataset: Dataset, real_data: Path) -> None:
    for _, file in copies(dataset):
        for size in sizes(dataset, file, real_data):
            assert dataset.bytes.minimum <= size <= dataset.bytes.maximum, file.name
        assert hashlib.sha256((real_data / mirror_paths(file)[0]).read_bytes()).hexdigest() == file.sha256


@pytest.mark.real_data
@each_copied_dataset
def test_size_bounds_refuse_the_largest_doubled_and_the_smallest_halved(dataset: Dataset, real_data: Path) -> None:
    found = [size for _, file in copies(dataset) for size in sizes(dataset, file, real_data)]
    assert min(found) // 2 < dataset.bytes.minimum
    if dataset.id not in WIDE_BYTES:
        assert 2 * max(found) > dataset.bytes.maximum


@pytest.mark.real_data
@each_copied_dataset
def test_columns_are_those_of_the_real_headers(dataset: Dataset, real_data: Path) -> None:
    """Every named column of every edition is declared; `columns_absent` is exactly what the edition lacks."""
    for vintage, file in copies(dataset):
        found = {name.lower() for name in real_names(dataset, file, real_data)}
        declared = {column.name.lower() for column in dataset.columns}
        if dataset.id in PARTLY_DECLARED:
            found &= declared
        assert found <= declared, f"{file.name}: no meaning for {sorted(found - declared)}"
        assert {name.lower() for name in vintage.columns_absent} == declared - found, file.name


@pytest.mark.real_data
@each_copied_dataset
def test_row_bounds_hold_for_each_vintage(dataset: Dataset, real_data: Path) -> None:
    """Bounds count the rows of all the files of a vintage together."""
    for vintage in dataset.vintages:
        if not (copied := [file for file in vintage.files if file.sha256]):
            continue
        rows = sum(real_count(dataset, file, real_data) for file in copied)
        assert dataset.rows.minimum <= rows <= dataset.rows.maximum, (vintage.vintage, rows)
        if dataset.rows.maximum > 1:
            assert rows // 2 < dataset.rows.minimum
            assert 2 * rows > dataset.rows.maximum or dataset.id in WIDE_ROWS


@pytest.mark.real_data
@each_copied_dataset
def test_the_key_identifies_a_row(dataset: Dataset, real_data: Path) -> None:
    if dataset.format not in {"csv", "json", "geojson"}:
        pytest.skip("this test reads text formats only")
    if dataset.id in REPEATED:
        pytest.skip("records identical in every field are repeated")
    for _, file in copies(dataset):
        seen = [tuple(record[name] for name in dataset.key) for record in text_records(dataset, file, real_data)]
        assert len(seen) == len(set(seen)), file.name


def copies(dataset: Dataset) -> list[tuple[Vintage, SourceFile]]:
    """Files that the mirror has a copy of; a live snapshot has none."""
    return [(vintage, file) for vintage, file in files(dataset) if file.sha256]


def text_records(dataset: Dataset, file: SourceFile, mirror: Path) -> list[dict[str, str]]:
    """Records of a CSV, JSON or GeoJSON file; CSV names are read whatever their case, as the readers do."""
    columns = tuple(column.name for column in dataset.columns)
    path = mirror / mirror_paths(file)[0]
    if dataset.format == "csv":
        return records_of_csv(path, dataset.delimiter, dataset.header_row, columns)
    return records_of_json(path, dataset.format, dataset.records)


def sizes(dataset: Dataset, file: SourceFile, mirror: Path) -> list[int]:
    """Sizes of the files; those of a bundle count together."""
    found = [(mirror / path).stat().st_size for path in mirror_paths(file)]
    return [sum(found)] if dataset.format == "bundle" else found


@cache
def records_of_csv(path: Path, delimiter: str, header_row: int, columns: tuple[str, ...]) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for _ in range(header_row - 1):
            next(stream)
        table = csv.reader(stream, delimiter=delimiter)
        declared = {name.lower(): name for name in columns}
        header = [declared.get(cell.strip().lower(), cell.strip()) for cell in next(table)]
        return [{name: cell for name, cell in zip(header, row, strict=True) if name} for row in table]


@cache
def records_of_json(path: Path, form: str, member: str | None) -> list[dict[str, str]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if member:
        content = content[member]
    records = [feature["properties"] for feature in content["features"]] if form == "geojson" else content
    return [{name: str(value) for name, value in record.items()} for record in records]


def dbf_head(path: Path) -> tuple[int, list[str]]:
    """Record count and field names of a dBase file."""
    content = path.read_bytes()
    end = int.from_bytes(content[8:10], "little")
    names = [content[at : at + 11].split(b"\0")[0].decode("ascii") for at in range(32, end - 1, 32)]
    return int.from_bytes(content[4:8], "little"), names


def sheet_rows(dataset: Dataset, path: Path) -> list[list[str]]:
    assert dataset.sheet is not None
    rows = CalamineWorkbook.from_path(path).get_sheet_by_name(dataset.sheet).to_python()
    return [[str(cell) for cell in row] for row in rows]


def real_names(dataset: Dataset, file: SourceFile, mirror: Path) -> list[str]:
    path = mirror / mirror_paths(file)[0]
    if dataset.format == "shapefile":
        return dbf_head(path.with_suffix(".dbf"))[1]
    if dataset.format == "xlsx":
        return sheet_rows(dataset, path)[dataset.header_row - 1]
    if dataset.format == "parquet":
        return pq.read_schema(path).names
    if dataset.format == "bundle":
        return ["membre", "octets", "empreinte", "lignes"]
    return list(text_records(dataset, file, mirror)[0])


def real_count(dataset: Dataset, file: SourceFile, mirror: Path) -> int:
    path = mirror / mirror_paths(file)[0]
    if dataset.format == "shapefile":
        return dbf_head(path.with_suffix(".dbf"))[0]
    if dataset.format == "xlsx":
        return len(sheet_rows(dataset, path)) - dataset.header_row
    if dataset.format == "parquet":
        return pq.read_metadata(path).num_rows
    if dataset.format == "bundle":
        paths = mirror_paths(file)
        return len(ZipFile(path).namelist()) if path.suffix == ".zip" else len(paths)
    return len(text_records(dataset, file, mirror))
