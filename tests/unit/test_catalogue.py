"""The catalogue loads, refuses what is misspelt, explains itself, and agrees with the real files."""

from __future__ import annotations

import copy
import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyarrow.parquet as pq
import pytest
import yaml
from pydantic import ValidationError
from python_calamine import CalamineWorkbook
from syrupy.assertion import SnapshotAssertion

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
from tests.failures import none_of

ENTRY: dict[str, Any] = {
    "id": "essai_table",
    "producer": "essai",
    "role": "context",
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


def of_each_dataset(wrong: Callable[[Dataset], Iterator[str]]) -> Iterator[str]:
    """What a rule finds wrong, dataset by dataset."""
    for dataset in all_datasets():
        yield from (f"{dataset.id}: {what}" for what in wrong(dataset))


def mirror_paths(file: SourceFile) -> tuple[str, ...]:
    assert file.mirror is not None, f"{file.name} has no mirror copy"
    return file.mirror.paths


def copies(dataset: Dataset) -> list[tuple[Vintage, SourceFile]]:
    """Files that the mirror has a copy of; a live snapshot has none."""
    return [(vintage, file) for vintage, file in files(dataset) if file.sha256]


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


def line_of(dataset: Dataset) -> str:
    """A dataset as a reviewer reads it."""
    origin, convention = dataset.origin, dataset.convention
    said = {
        f"threshold {convention.threshold if convention else None}": bool(convention and convention.threshold),
        "personal data": dataset.personal_data == "personal",
        "context only": dataset.context_only,
        "further columns": dataset.further_columns,
        "repeated keys": dataset.repeated_keys,
    }
    parts = [
        f"{dataset.id}: {dataset.role}",
        dataset.format,
        *([dataset.generation] if dataset.generation else []),
        f"editions {', '.join(edition_of(vintage) for vintage in dataset.vintages)}",
        f"absent: {dataset.when_absent}",
        *(what for what, holds in said.items() if holds),
        f"{origin.access}, {origin.licence.name} <{origin.licence.url}>",
    ]
    return "; ".join(parts)


def edition_of(vintage: Vintage) -> str:
    apart = {
        "no copy": not any(file.sha256 for file in vintage.files),
        "not in the demonstration": not vintage.in_demo,
        f"columns absent: {len(vintage.columns_absent)}": bool(vintage.columns_absent),
        **{file.mirror.extent: file.mirror.extent != "whole" for file in vintage.files if file.mirror},
    }
    marks = ", ".join(what for what, holds in apart.items() if holds)
    return f"{vintage.vintage} ({marks})" if marks else vintage.vintage


def test_the_catalogue_is_the_one_that_was_reviewed(snapshot: SnapshotAssertion) -> None:
    """`pytest tests/unit/test_catalogue.py --snapshot-update` writes it again; its diff is what a reviewer reads."""
    assert "\n".join(map(line_of, all_datasets())) == snapshot


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


def test_datasets_say_what_they_are_in_french() -> None:
    def wrong(dataset: Dataset) -> Iterator[str]:
        description = dataset.origin.description
        if not 80 <= len(description) <= 600:
            yield f"a description of {len(description)} characters"
        if "\n" in description or not description.endswith("."):
            yield "a description is one paragraph that ends with a full stop"
        if not {"de", "et", "la", "les", "des", "par"} & set(description.lower().split()):
            yield "a description is in French"
        if len(dataset.secrecy) < 20:
            yield f"secrecy in {len(dataset.secrecy)} characters"

    none_of(of_each_dataset(wrong))


def test_columns_have_one_meaning_each() -> None:
    def wrong(dataset: Dataset) -> Iterator[str]:
        names = [column.name for column in dataset.columns]
        if len({name.lower() for name in names}) < len(names):
            yield "names that differ only by case cannot stand in one table"
        yield from (f"a name with spaces around it: {name!r}" for name in names if name != name.strip())
        yield from (f"{column.name}: too short a meaning" for column in dataset.columns if len(column.meaning) < 10)

    none_of(of_each_dataset(wrong))


def test_key_and_absent_columns_are_declared_columns() -> None:
    def wrong(dataset: Dataset) -> Iterator[str]:
        names = {column.name for column in dataset.columns}
        if not set(dataset.key) <= names:
            yield f"key {dataset.key} is not declared"
        for vintage in dataset.vintages:
            if not set(vintage.columns_absent) < names:
                yield f"{vintage.vintage}: absent columns are some of those declared, not others and not all"
            if set(vintage.columns_absent) & set(dataset.key):
                yield f"{vintage.vintage}: the key is absent"
            if len(set(vintage.columns_absent)) < len(vintage.columns_absent):
                yield f"{vintage.vintage}: a column is absent twice"

    none_of(of_each_dataset(wrong))


def test_every_column_is_in_some_vintage() -> None:
    def wrong(dataset: Dataset) -> Iterator[str]:
        nowhere = set.intersection(*(set(vintage.columns_absent) for vintage in dataset.vintages))
        yield from (f"{name} is in no edition" for name in sorted(nowhere))

    none_of(of_each_dataset(wrong))


def test_bounds_are_bounds() -> None:
    def wrong(dataset: Dataset) -> Iterator[str]:
        if dataset.rows.minimum > dataset.rows.maximum or dataset.bytes.minimum >= dataset.bytes.maximum:
            yield f"rows {dataset.rows}, bytes {dataset.bytes}"

    none_of(of_each_dataset(wrong))


def test_a_file_without_address_says_what_to_drop_where() -> None:
    def wrong(dataset: Dataset) -> Iterator[str]:
        for _, file in files(dataset):
            note = file.live.note or ""
            if file.live.url is None and not ("dossier de dépôt" in note and f"sous le nom {file.name}." in note):
                yield f"{file.name}: the note names neither the « dossier de dépôt » nor the file ({note!r})"

    none_of(of_each_dataset(wrong))


def test_an_archive_address_names_its_member() -> None:
    def wrong(dataset: Dataset) -> Iterator[str]:
        for _, file in files(dataset):
            if file.live.url and file.live.url.endswith(".zip") and not file.live.member:
                yield f"{file.name}: which member of the zip?"

    none_of(of_each_dataset(wrong))


def test_a_copy_is_told_from_the_original() -> None:
    def wrong(dataset: Dataset) -> Iterator[str]:
        for _, file in files(dataset):
            if not (file.mirror and file.mirror.note):
                yield f"{file.name}: where does the copy come from?"
            if file.sha256 is None and dataset.when_absent == "stop":
                yield f"{file.name}: without a copy, whose digest stands here, the dataset may be absent"
            if file.sha256 and file.live.client:
                yield f"{file.name}: a live snapshot has no digest"
        if len({bool(file.sha256) for _, file in files(dataset) if not file.live.client}) > 1:
            yield "some files have the digest of their copy, others not"

    none_of(of_each_dataset(wrong))


def test_a_shapefile_has_its_companions() -> None:
    def wrong(dataset: Dataset) -> Iterator[str]:
        for _, file in files(dataset):
            paths = [Path(path) for path in mirror_paths(file)]
            if dataset.format == "shapefile":
                whole = [path.suffix for path in paths] == [".shp", ".dbf", ".shx", ".prj"]
                sound = whole and len({path.stem for path in paths}) == 1
            elif dataset.format == "bundle":
                sound = len({path.parent for path in paths}) == 1
            else:
                sound = len(paths) == 1
            if not sound:
                yield f"{file.name}: {mirror_paths(file)}"

    none_of(of_each_dataset(wrong))


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


def test_role_and_place_in_the_release_agree(tmp_path: Path, entry: dict[str, Any]) -> None:
    with pytest.raises(CatalogueError, match="role statistics needs a column of type count"):
        load_file(written(tmp_path, {**entry, "role": "statistics"}))
    with pytest.raises(CatalogueError, match="`context_only` goes with role: context"):
        load_file(written(tmp_path, {**entry, "role": "model", "context_only": True}))
    without = {key: value for key, value in entry.items() if key != "role"}
    with pytest.raises(CatalogueError, match=r"(?s)role.*Field required"):
        load_file(written(tmp_path, without))


@pytest.mark.parametrize(
    ("when_absent", "in_demo", "real", "demo", "status"),
    [
        ("stop", True, False, False, "non_couvert"),
        ("stop", False, False, True, "non_couvert"),
        ("non_couvert", True, True, True, "non_couvert"),
        ("convention", False, True, True, "convention"),
    ],
)
def test_an_edition_may_be_lacking_where_the_catalogue_says_so(
    when_absent: str, in_demo: bool, real: bool, demo: bool, status: str
) -> None:
    dataset = Dataset.model_validate(
        {**ENTRY, "when_absent": when_absent, "vintages": [{**ENTRY["vintages"][0], "in_demo": in_demo}]}
    )
    (vintage,) = dataset.vintages
    assert (dataset.may_lack(vintage, demo=False), dataset.may_lack(vintage, demo=True)) == (real, demo)
    assert dataset.absence == status


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
def test_real_files_are_where_the_catalogue_says(real_data: Path) -> None:
    def wrong(dataset: Dataset) -> Iterator[str]:
        for _, file in copies(dataset):
            for size in sizes(dataset, file, real_data):
                if not dataset.bytes.minimum <= size <= dataset.bytes.maximum:
                    yield f"{file.name}: {size} bytes, not within {dataset.bytes}"
            if hashlib.sha256((real_data / mirror_paths(file)[0]).read_bytes()).hexdigest() != file.sha256:
                yield f"{file.name}: not the digest of the catalogue"

    none_of(of_each_dataset(wrong))


@pytest.mark.real_data
def test_size_bounds_refuse_the_largest_doubled_and_the_smallest_halved(real_data: Path) -> None:
    def wrong(dataset: Dataset) -> Iterator[str]:
        found = [size for _, file in copies(dataset) for size in sizes(dataset, file, real_data)]
        if found and min(found) // 2 >= dataset.bytes.minimum:
            yield f"half of {min(found)} bytes would pass"
        if found and "whole" in extents(dataset) and 2 * max(found) <= dataset.bytes.maximum:
            yield f"twice {max(found)} bytes would pass"

    none_of(of_each_dataset(wrong))


@pytest.mark.real_data
def test_columns_are_those_of_the_real_headers(real_data: Path) -> None:
    """Every named column of every edition is declared; `columns_absent` is exactly what the edition lacks."""

    def wrong(dataset: Dataset) -> Iterator[str]:
        declared = {column.name.lower() for column in dataset.columns}
        further: set[str] = set()
        for vintage, file in copies(dataset):
            found = {name.lower() for name in real_names(dataset, file, real_data)}
            further |= found - declared
            if found - declared and not dataset.further_columns:
                yield f"{file.name}: no meaning for {sorted(found - declared)}"
            if (absent := {name.lower() for name in vintage.columns_absent}) != declared - found:
                yield f"{file.name}: {sorted(absent ^ (declared - found))} absent or not?"
        if dataset.further_columns and copies(dataset) and not further:
            yield "`further_columns`, and every column is declared"

    none_of(of_each_dataset(wrong))


@pytest.mark.real_data
def test_row_bounds_hold_for_each_vintage(real_data: Path) -> None:
    """Bounds count the rows of all the files of a vintage together."""

    def wrong(dataset: Dataset) -> Iterator[str]:
        for vintage in dataset.vintages:
            if not (copied := [file for file in vintage.files if file.sha256]):
                continue
            rows = sum(real_count(dataset, file, real_data) for file in copied)
            if not dataset.rows.minimum <= rows <= dataset.rows.maximum:
                yield f"{vintage.vintage}: {rows} rows, not within {dataset.rows}"
            if dataset.rows.maximum > 1 and rows // 2 >= dataset.rows.minimum:
                yield f"{vintage.vintage}: half of {rows} rows would pass"
            if dataset.rows.maximum > 1 and "extract" not in extents(dataset) and 2 * rows <= dataset.rows.maximum:
                yield f"{vintage.vintage}: twice {rows} rows would pass"

    none_of(of_each_dataset(wrong))


@pytest.mark.real_data
def test_the_key_identifies_a_row(real_data: Path) -> None:
    """In text formats; where a few rows bear the key of another, the catalogue says so."""

    def wrong(dataset: Dataset) -> Iterator[str]:
        repeated = 0
        for _, file in copies(dataset) if dataset.format in {"csv", "json", "geojson"} else ():
            seen = [tuple(record[name] for name in dataset.key) for record in text_records(dataset, file, real_data)]
            repeated += len(seen) - len(set(seen))
        if (repeated > 0) != dataset.repeated_keys:
            yield f"{repeated} rows have the key of another, and `repeated_keys` is {dataset.repeated_keys}"

    none_of(of_each_dataset(wrong))


def extents(dataset: Dataset) -> set[str]:
    """What the copies of a dataset are of the producer's files; they are not whole and partial at once."""
    found = {file.mirror.extent for _, file in copies(dataset) if file.mirror}
    assert len(found) <= 1, dataset.id
    return set(found)


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
