"""The whole graph on the real files, Bretagne and Pays de la Loire, against the files themselves.

Expected numbers were read by hand in the producers' files; every other figure is compared with the csv module's view.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from dagster_project.settings import WEST
from tests.graph_runs import Home

pytestmark = [pytest.mark.real_data, pytest.mark.end_to_end, pytest.mark.xdist_group("graph")]

QP2015 = {"22": 7, "29": 9, "35": 7, "44": 19, "49": 13, "53": 3, "56": 9, "72": 7, "85": 4}
QN2024 = {**QP2015, "35": 6, "49": 15}
LE_BLOSNE = "QP035005"


@pytest.fixture(scope="module")
def figures(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """Views of the release: `indicator_value` and `dim_zone`."""
    home = Home(tmp_path_factory.mktemp("real") / "home")
    ran = home.dq("run", "--sources", "mirror", "--mirror", str(real_data), "--territory", "west", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["released"] == home.release.name
    db = duckdb.connect()
    for table in ("indicator_value", "dim_zone"):
        db.execute(f"create view {table} as from read_parquet('{home.release}/{table}.parquet')")
    return db


def cells(path: Path, column: str) -> dict[str, float]:
    """Numbers of a column by QPV of the territory, read without the product's readers."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    of_the_west = (row for row in rows if row["CODGEO"][2:5].removeprefix("0") in WEST)
    return {row["CODGEO"]: number(row[column]) for row in of_the_west if row[column].strip()}


def number(text: str) -> float:
    return float("".join(text.split()).replace(",", "."))


def published(figures: duckdb.DuckDBPyConnection, indicator: str, vintage: str) -> dict[str, float]:
    query = """
        select zone_code, value from indicator_value
        where indicator_code = ? and vintage = ? and zone_level = 'QPV' and generation = 'QP2015' and status = 'ok'
    """
    return dict(figures.execute(query, [indicator, vintage]).fetchall())


@pytest.mark.parametrize(("generation", "expected"), [("QP2015", QP2015), ("QN2024", QN2024)])
def test_every_neighbourhood_is_there(figures, generation: str, expected: dict[str, int]) -> None:
    query = "select departement from dim_zone where zone_level = 'QPV' and generation = ?"
    found = Counter(code for (code,) in figures.execute(query, [generation]).fetchall())
    assert found == expected
    assert found.total() == {"QP2015": 78, "QN2024": 79}[generation]


def test_the_figures_of_le_blosne(figures) -> None:
    query = """
        select indicator_code, round(value, 2), numerator, denominator from indicator_value
        where zone_code = ? and vintage = '2021' and dataset != 'anct_analyse_qpv'
            and indicator_code in ('REV_TP60', 'REV_MED', 'C2S_TX', 'DE_ABC', 'EMP_TX')
        order by indicator_code
    """
    assert figures.execute(query, [LE_BLOSNE]).fetchall() == [
        ("C2S_TX", 31.45, 3530.0, 11224.0),
        ("DE_ABC", 1815.0, None, None),
        ("EMP_TX", 47.3, None, None),
        ("REV_MED", 13060.0, None, None),
        ("REV_TP60", 46.8, None, None),
    ]


@pytest.mark.parametrize("edition", ["2017", "2018", "2019", "2021"])
def test_poverty_is_known_for_all_and_is_the_producers(figures, real_data: Path, edition: str) -> None:
    rates = published(figures, "REV_TP60", edition)
    assert len(rates) == 78
    assert rates == cells(real_data / "insee" / f"REVN_{edition}.csv", "TP60")


def test_population_adds_up(figures, real_data: Path) -> None:
    people = published(figures, "DEM_POP", "2021")
    assert people == cells(real_data / "insee" / "DEMO_2021.csv", "POP_MUN")
    assert (len(people), sum(people.values())) == (78, 240_510)


@pytest.mark.parametrize(
    ("indicator", "table", "column"),
    [
        ("REV_MED", "REVN_2021", "DISP_Q2"),
        ("C2S_NB", "REVN_2021", "CC2S"),
        ("CAF_ALLOC", "DEMO_2021", "A"),
        ("DE_ABC", "IPRO_2021", "ABC"),
        ("EMP_TX", "IPRO_2021", "TX_TOT_EMPL"),
    ],
)
def test_published_columns_are_the_producers(figures, real_data, indicator: str, table: str, column: str) -> None:
    values = published(figures, indicator, "2021")
    assert values == cells(real_data / "insee" / f"{table}.csv", column)
    assert len(values) > 60
