"""The release of the demonstration territory: rightly described, each absence explained, each format the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import geoparquet_validator
import pytest
from frictionless import Package

from dagster_project.release.absence import COMPANION_SUFFIX
from dagster_project.release.database import CONTENT, DATABASE, content_digests
from dagster_project.release.sums import SUMS, damaged_files, read_sums
from dagster_project.sources.catalogue import load_catalogue
from tests.graph_runs import Finished
from tests.harvest import harvest
from tests.release_cells import descriptor, disagreements, empty_cells

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def release(finished: Finished) -> Path:
    return finished.home.release


def test_no_cell_is_empty_and_the_three_formats_agree(release: Path) -> None:
    assert {path: count for path, count in empty_cells(release).items() if count} == {}
    found = disagreements(release)
    assert len(found) > 400
    assert {cell: count for cell, count in found.items() if count} == {}


def nullable_columns(release: Path) -> Iterator[tuple[str, str, str | None]]:
    """Parquet file, column, and SQL of why a cell may be empty."""
    for path, resource in descriptor(release).items():
        if path.endswith(".parquet"):
            for field in resource["schema"]["fields"]:
                yield path, field["name"], field.get("absenceReason")


def test_every_null_of_parquet_has_a_known_reason(release: Path) -> None:
    unexplained = {}
    with duckdb.connect() as connection:
        known = f"select label from read_parquet('{release}/absence.parquet')"
        for path, name, why in nullable_columns(release):
            explained = f"coalesce(({why or 'null'}) in ({known}), false)"
            query = f"select count(*) from '{release / path}' where \"{name}\" is null and not {explained}"
            unexplained[f"{path} {name}"] = connection.execute(query).fetchone()[0]  # type: ignore[index]
    assert len(unexplained) > 400
    assert {cell: count for cell, count in unexplained.items() if count} == {}


def test_a_status_column_speaks_for_its_neighbour(release: Path) -> None:
    """A filled cell is `ok` or `estime`, an empty one is neither; the figure's own status in the long table."""
    with duckdb.connect() as connection:
        for path, name, _ in nullable_columns(release):
            if name.endswith(COMPANION_SUFFIX):
                column = name.removesuffix(COMPANION_SUFFIX)
                query = f"""select count(*) from '{release / path}'
                            where ("{column}" is null) = ("{name}" in ('ok', 'estime'))"""
                assert connection.execute(query).fetchone() == (0,), f"{path} {name}"


def test_frictionless_finds_the_package_valid(release: Path) -> None:
    outcome = Package(str(release / "datapackage.json")).validate()
    assert outcome.valid, outcome.flatten(["type", "message"])[:5]
    assert outcome.stats["tasks"] == len(descriptor(release))


def test_the_zones_are_geoparquet(release: Path) -> None:
    verdicts = geoparquet_validator.check(str(release / "dim_zone.parquet"))
    assert geoparquet_validator.conformant(verdicts, "core"), geoparquet_validator.failed(verdicts)


def test_a_harvester_finds_each_file_with_its_digest(release: Path) -> None:
    sums = read_sums(release / SUMS)
    assert damaged_files(release) == []
    for dataset in harvest(release / "dcat.jsonld").values():
        assert dataset.title.startswith("FICTIF – ")
        for resource in dataset.resources:
            assert resource.sha256 == sums.get(resource.identifier), resource.identifier
            assert (resource.identifier == DATABASE) == (resource.sha256 is None)


def test_the_database_says_what_its_list_of_contents_says(release: Path, tmp_path: Path) -> None:
    lines = (release / CONTENT).read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    with duckdb.connect(str(release / DATABASE), read_only=True) as connection:
        assert content_digests(connection, listed, tmp_path) == listed
        figures = connection.execute("select count(*) from indicator_value").fetchone()
        assert connection.execute("select count(*) from chiffres").fetchone() == figures


def test_checks_are_those_of_the_report_each_with_its_reason(finished: Finished, release: Path) -> None:
    from dagster_project.release.checks import read_report

    report = read_report(finished.home.settings.reports_dir / "qualite.json")
    with duckdb.connect() as connection:
        checks = f"read_parquet('{release}/checks.parquet')"
        tally = dict(connection.execute(f"select kind, count(*) from {checks} group by kind").fetchall())
        assert tally["attente"] == len(report.expectations)
        assert tally["fichier reçu"] == sum(len(dataset.validations) for dataset in report.datasets)
        assert tally["test"] + tally["test unitaire"] == len(report.dbt_tests)
        key = 'kind, "table", file, "check"'
        assert connection.execute(f"select {key} from {checks} group by all having count(*) > 1").fetchall() == []
        unsaid = f'select "check" from {checks} where kind like \'test%\' and reason = "check"'
        assert connection.execute(unsaid).fetchall() == []
        blocked = f"select count(*) from {checks} where severity = 'bloquante' and not passed"
        assert connection.execute(blocked).fetchone() == (0,)


def test_attribution_names_every_file_by_its_digest(finished: Finished, release: Path) -> None:
    text = (release / "ATTRIBUTION.md").read_text(encoding="utf-8")
    objects = {path.name for path in (finished.home.settings.archive_dir / "objects").rglob("*") if path.is_file()}
    context = {name: dataset for name, dataset in load_catalogue().items() if dataset.context_only}
    for name in context:
        received = json.loads((finished.home.settings.raw_dir / f"{name}.json").read_text(encoding="utf-8"))
        objects -= {part["sha256"] for file in received["files"] for part in file["parts"]}
    assert {digest for digest in objects if f"`{digest}`" not in text} == set()
    published = [name for name in load_catalogue() if name not in context]
    assert [name for name in published if f"- Identifiant : `{name}`" not in text] == []
    assert [name for name in context if f"`{name}`" in text] == []


def test_nothing_in_the_release_tells_where_it_was_made(finished: Finished, release: Path) -> None:
    told = [path.name for path in release.iterdir() if str(finished.home.path).encode() in path.read_bytes()]
    assert told == []
