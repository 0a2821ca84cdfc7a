"""A new edition of an INSEE table: a catalogue entry and one line of mapping, in a copy of the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from benchmarks.sandbox import Sandbox
from tests.graph_runs import Finished, Home
from tests.mirror_files import read_table, write_table

pytestmark = pytest.mark.end_to_end

LAST, NEW = "2021", "2022"
# Dataset: the column that the new edition renames, its new name, and what the mapping says of it.
RENAMED = {
    "insee_ipro": ("ABC", "DEFM_ABC", "de_abc,PE,NOTE_PE"),
    "insee_revn": ("TP60", "TX_PAUV", "rev_tp60,FILO,NOTE_FILO"),
}
FILES = {"insee_ipro": "IPRO", "insee_revn": "REVN"}


def write_edition(folder: Path, dataset: str) -> None:
    """The figures of the last edition, as another workbook would give them.

    Columns stand in reverse order, the code last; unnamed empty ones stand between them and not only at the end; one
    has another name, others another case.
    """
    old, new, _ = RENAMED[dataset]
    header, *rows = read_table(folder / f"{FILES[dataset]}_{LAST}.csv")
    kept = [position for position, name in enumerate(header) if name]
    names = {name: new if name == old else name.swapcase() if name.startswith("TX_") else name for name in header}
    table = [[names[header[position]] for position in reversed(kept)]]
    table += [[row[position] for position in reversed(kept)] for row in rows if any(row)]
    write_table(folder / f"{FILES[dataset]}_{NEW}.csv", [["", *row[:3], "", "", *row[3:], *[""] * 7] for row in table])


def declare_edition(entry: dict[str, Any]) -> None:
    """What the message about a missing column asks for: the new name declared, the old one absent from now on."""
    old, new, _ = RENAMED[entry["id"]]
    (last,) = (vintage for vintage in entry["vintages"] if vintage["vintage"] == LAST)
    (column,) = (column for column in entry["columns"] if column["name"] == old)
    absent = [*last.get("columns_absent", []), old]
    for vintage in entry["vintages"]:
        vintage.setdefault("columns_absent", []).append(new)
    entry["columns"].append({**column, "name": new})
    name = f"{FILES[entry['id']]}_{NEW}"
    file = {"name": name, "live": {"url": None, "note": "À déposer dans la boîte de dépôt."}}
    file["mirror"] = {"paths": [f"insee/{name}.csv"], "copy_of": "third_party"}
    entry["vintages"].append({"vintage": NEW, "columns_absent": absent, "files": [file]})


@pytest.fixture(scope="module")
def home(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home where a copy of the project, told of two new editions, has run."""
    folder = tmp_path_factory.mktemp("edition")
    home = finished.copy(folder / "home")
    sandbox = Sandbox(folder)
    catalogue = sandbox.root / "dagster_project" / "sources" / "catalogue" / "insee.yml"
    content = yaml.safe_load(catalogue.read_text(encoding="utf-8"))
    for entry in content["datasets"]:
        if entry["id"] in RENAMED:
            write_edition(home.demo / "insee", entry["id"])
            declare_edition(entry)
    catalogue.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    with (sandbox.root / "seeds" / "variable_column.csv").open("a", encoding="utf-8") as seed:
        seed.writelines(f"{dataset},{NEW},{new},{rest}\n" for dataset, (_, new, rest) in RENAMED.items())
    sandbox.dq(home.settings)
    return home


@pytest.mark.parametrize("dataset", RENAMED)
def test_every_figure_of_the_new_edition_is_there(finished: Finished, home: Home, dataset: str) -> None:
    with duckdb.connect() as db:
        for name, release, vintage in (("last", finished.home.release, LAST), ("new", home.release, NEW)):
            db.execute(f"""
                create view {name} as
                select indicator_code, zone_level, zone_code, value, numerator, denominator, status
                from read_parquet('{release}/indicator_value.parquet')
                where dataset = '{dataset}' and vintage = '{vintage}' and method != 'M4'
            """)
        assert db.sql("from last except all from new").fetchall() == []
        assert db.sql("from new except all from last").fetchall() == []
        counts = db.sql("select count(*), count(value), count(distinct status) from new").fetchone()
    assert counts is not None
    figures, values, statuses = counts
    assert figures > values > 500
    assert statuses > 1, "absent values keep their reasons"


@pytest.mark.parametrize("dataset", RENAMED)
def test_figures_come_from_the_renamed_column_of_the_new_file(home: Home, dataset: str) -> None:
    _, new, mapping = RENAMED[dataset]
    table = read_table(home.demo / "insee" / f"{FILES[dataset]}_{NEW}.csv")
    code, column = table[0].index("CODGEO"), table[0].index(new)
    written = {(line, row[code], row[column]) for line, row in enumerate(table[1:], 2) if any(row)}
    with duckdb.connect(str(home.settings.warehouse), read_only=True) as db:
        observed = db.execute(
            """
            select source_row, zone_code, raw_value from intermediate.observation
            where dataset = ? and vintage = ? and variable = ? and source_column = ? and zone_level = 'QPV'
            """,
            [dataset, NEW, mapping.split(",")[0], new],
        ).fetchall()
    assert set(observed) == {row for row in written if row[1].startswith("QP")}


def test_former_editions_are_as_they_were(finished: Finished, home: Home) -> None:
    was, now = finished.home.release, home.release
    assert was.name != now.name
    # Non-take-up of that year is estimated anew: its counts were brought from IRIS, and are now published.
    figures = """
        select * exclude (run_id) from read_parquet('{}/indicator_value.parquet')
        where model is distinct from 'non-recours-c2s'
    """
    with duckdb.connect() as db:
        db.execute(f"create view was as {figures.format(was)}")
        added = ", ".join(f"'{dataset}'" for dataset in RENAMED)
        db.execute(f"create view now as {figures.format(now)} and (vintage != '{NEW}' or dataset not in ({added}))")
        assert db.sql("from was except all from now").fetchall() == []
        assert db.sql("from now except all from was").fetchall() == []
