"""A partner's file: held to its convention before anything is replaced, absent without it, dropped in the inbox."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dagster_project.settings import Settings
from dagster_project.sources.catalogue import Dataset, load_catalogue
from dagster_project.sources.raw import RawError, RawResult, build_raw
from dagster_project.sources.raw_files import load_manifest
from tests.geography_files import AGES, IRIS, ORS, ORS_HEADER, ors_rows, write_contours, write_ors

CONTOURS = load_catalogue()["ign_contours_iris"]
FEW_ROWS = {"rows": {"minimum": 1, "maximum": 10_000}, "bytes": {"minimum": 1, "maximum": 1_000_000}}


def small(dataset: Dataset) -> Dataset:
    """The entry of the catalogue, whose bounds and digests are those of real files, for files of a few rows."""
    entry = dataset.model_dump() | FEW_ROWS
    for vintage in entry["vintages"]:
        for file in vintage["files"]:
            file["sha256"] = None
    return Dataset.model_validate(entry)


PARTNER = small(load_catalogue()["ors_sante_iris"])


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    write_contours(tmp_path / "mirror")
    return tmp_path / "mirror"


@pytest.fixture
def home(tmp_path: Path, mirror: Path) -> Settings:
    """A home where the contours of IRIS are built."""
    settings = Settings(home=tmp_path / "home", sources="mirror", mirror=str(mirror))
    build_raw(small(CONTOURS), settings)
    return settings


def refused(home: Settings, rows: list[str], header: str = ORS_HEADER) -> str:
    """Why a delivery is refused; the table made of the delivery before it stays as it was."""
    write_ors(home.inbox_dir / "ors_sante_iris.csv")
    before = build_raw(PARTNER, home).path.read_bytes()
    write_ors(home.inbox_dir / "ors_sante_iris.csv", rows, header)
    with pytest.raises(RawError) as caught:
        build_raw(PARTNER, home)
    assert (home.raw_dir / "ors_sante_iris.parquet").read_bytes() == before
    return str(caught.value)


def failing(message: str) -> set[str]:
    return set(re.findall(r"\[([a-z_]+)\]", message))


def changed(row: int, text: str) -> list[str]:
    rows = ors_rows()
    rows[row] = text
    return rows


def test_a_sound_delivery_becomes_a_table_as_it_was_written(home: Settings, mirror: Path) -> None:
    write_ors(mirror / ORS)
    result = build_raw(PARTNER, home)
    assert (result.rows, result.absent) == (len(ors_rows()), {})
    assert [(v.name, v.passed, v.required) for _, v in result.validations][-7:] == [
        (name, True, True)
        for name in (
            "colonnes_prevues",
            "valeurs_permises",
            "seuil_effectifs",
            "numerateurs",
            "codes_connus",
            "forme_des_lignes",
            "cle_unique",
        )
    ]
    table = pq.read_table(result.path)
    assert table.column("n_diabete")[0].as_py() == "ns"
    assert table.column("_source_row")[0].as_py() == 2


@pytest.mark.parametrize("count", ["1", "10"])
def test_a_count_under_the_threshold_stops_the_file_and_names_the_cell(home: Settings, count: str) -> None:
    message = refused(home, changed(1, f"IRIS;960010102;2022;9;tsage;1200;{count};ns;150"))
    assert failing(message) == {"seuil_effectifs"}
    assert f"ligne 3 (IRIS / 960010102 / 2022 / 9 / tsage) : n_asthme = {count} ;" in message
    assert "un effectif de 1 à 10 ne peut pas être remis" in message


@pytest.mark.parametrize("count", ["0", "11", "ns"])
def test_zero_the_threshold_and_the_mark_are_delivered(home: Settings, count: str) -> None:
    rows = changed(1, f"IRIS;960010102;2022;9;tsage;1200;{count};0;150")
    write_ors(home.inbox_dir / "ors_sante_iris.csv", rows)
    assert build_raw(PARTNER, home).rows == len(rows)


@pytest.mark.parametrize("count", ["-12", "12,5", "<11", "NS", "1 200", "0012", "007"])
def test_a_count_that_is_no_whole_number_is_refused(home: Settings, count: str) -> None:
    message = refused(home, changed(0, f"IRIS;960010101;2022;9;tsage;1200;{count};ns;150"))
    assert failing(message) == {"seuil_effectifs"}
    assert f"n_asthme = « {count} » n’est ni un entier ni « ns »" in message


def test_an_unknown_iris_is_refused(home: Settings) -> None:
    message = refused(home, [*ors_rows(), "IRIS;969990101;2022;9;tsage;1200;80;ns;150"])
    assert failing(message) == {"codes_connus"}
    assert "code = « 969990101 » est inconnu de ign_contours_iris" in message


def test_codes_that_lost_their_zero_are_said_to_have_lost_it(tmp_path: Path, home: Settings, mirror: Path) -> None:
    write_contours(mirror, ["010040101", *IRIS])
    build_raw(small(CONTOURS), home)
    message = refused(home, [*ors_rows(), "IRIS;10040101;2022;9;tsage;1200;80;ns;150"])
    assert failing(message) == {"valeurs_permises", "codes_connus"}
    assert "code = « 10040101 » est inconnu de ign_contours_iris : le zéro de tête du code est perdu" in message


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("IRIS;960010101;2022;9;tous;1200;80;ns;150", "cla_age_5"),
        ("IRIS;960010101;2022;1;0-4;35;;;", "cla_age_5"),
        ("IRIS;960010101;2022;3;00-04;35;;;", "sexe"),
        ("COMMUNE;96001;2022;9;tsage;1200;80;ns;150", "niveau"),
        ("IRIS;960010101;22;9;tsage;1200;80;ns;150", "annee"),
        ("REGION;5;2022;9;tsage;1200;80;ns;150", "code"),
    ],
)
def test_a_value_that_is_not_in_the_schema_is_refused(home: Settings, row: str, column: str) -> None:
    message = refused(home, [*ors_rows(), row])
    assert "valeurs_permises" in failing(message)
    assert re.search(rf"ligne {len(ors_rows()) + 2} .* : {column} = « [^»]+ » n’est pas permis", message)


def test_an_empty_part_of_the_key_is_refused(home: Settings) -> None:
    message = refused(home, [*ors_rows(), "IRIS;960010101;;9;tsage;1200;80;ns;150"])
    assert "(IRIS / 960010101 / (vide) / 9 / tsage) : annee est vide" in message


@pytest.mark.parametrize("counts", ["100;120;0;0", "ns;11;0;0", "0;0;0;11"])
def test_a_numerator_above_its_denominator_is_refused(home: Settings, counts: str) -> None:
    message = refused(home, changed(0, f"IRIS;960010101;2022;9;tsage;{counts}"))
    assert failing(message) == {"numerateurs"}
    assert "dépasse n_beneficiaires" in message


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("IRIS;960010101;2022;9;tsage;1200;80;;150", "n_diabete doit être rempli (IRIS, tous sexes et tous âges"),
        (f"IRIS;960010101;2022;1;{AGES[0]};35;12;;", "n_asthme doit être vide (IRIS par sexe ou par âge"),
        (f"REGION;53;2022;1;{AGES[0]};40000;2000;1500;", "n_ald doit être rempli (région, par sexe et âge"),
    ],
)
def test_each_kind_of_row_carries_its_counts(home: Settings, row: str, problem: str) -> None:
    key = row.split(";")[:5]
    rows = [other for other in ors_rows() if other.split(";")[:5] != key]
    message = refused(home, [*rows, row])
    assert failing(message) == {"forme_des_lignes"}
    assert problem in message


def test_a_row_delivered_twice_is_refused(home: Settings) -> None:
    message = refused(home, [*ors_rows(), ors_rows()[0]])
    assert failing(message) == {"cle_unique"}
    assert f"ligne {len(ors_rows()) + 2} " in message


def test_a_missing_column_is_refused_by_name(home: Settings) -> None:
    header = ORS_HEADER.replace(";n_ald", "")
    assert "'n_ald'" in refused(home, [row.rsplit(";", 1)[0] for row in ors_rows()], header)


def test_many_breaches_are_counted_and_a_few_shown(home: Settings) -> None:
    message = refused(home, [row.replace(";80;", ";3;") for row in ors_rows([*IRIS])] + ["IRIS;x;2022;9;tsage;4;4;4;4"])
    assert "et 2 autre(s)" in message


def test_without_the_list_of_codes_nothing_passes(tmp_path: Path, mirror: Path) -> None:
    write_ors(mirror / ORS)
    settings = Settings(home=tmp_path / "empty", sources="mirror", mirror=str(mirror))
    with pytest.raises(RawError, match="ign_contours_iris\\) n’est pas construite"):
        build_raw(PARTNER, settings)


def test_new_contours_are_a_reason_to_look_again(home: Settings, mirror: Path) -> None:
    write_ors(mirror / ORS)
    build_raw(PARTNER, home)
    assert not build_raw(PARTNER, home).changed
    write_contours(mirror, IRIS[:2])
    build_raw(small(CONTOURS), home)
    with pytest.raises(RawError, match="960020000"):
        build_raw(PARTNER, home)


# --- absent or there ----------------------------------------------------------------------------------------------


def presence(result: RawResult) -> list[tuple[str, bool, bool, str]]:
    return [(where, v.passed, v.required, v.message) for where, v in result.validations if v.name == "presence"]


@pytest.mark.parametrize("sources", ["mirror", "live"])
def test_a_file_that_may_be_absent_is_an_empty_table_that_says_why(home: Settings, sources: str) -> None:
    result = build_raw(PARTNER, home.model_copy(update={"sources": sources}))
    assert (result.rows, result.absent, result.files) == (0, {"2022": "convention"}, [])
    table = pq.read_table(result.path)
    assert table.num_rows == 0
    assert table.column_names == [
        *ORS_HEADER.split(";"),
        *("_vintage", "_source_sha256", "_source_member", "_source_row"),
    ]
    assert {str(table.schema.field(name).type) for name in ORS_HEADER.split(";")} == {"string"}
    [(where, passed, required, message)] = presence(result)
    assert (where, passed, required) == ("2022", False, False)
    assert "convention" in message
    assert "ors_sante_iris.csv" in message


def test_absence_is_the_same_table_whatever_the_place(home: Settings, tmp_path: Path) -> None:
    there = build_raw(PARTNER, home)
    elsewhere = home.model_copy(update={"home": tmp_path / "other", "sources": "live"})
    here = build_raw(PARTNER, elsewhere)
    assert (here.data_version, here.path.read_bytes()) == (there.data_version, there.path.read_bytes())


@pytest.mark.parametrize("sources", ["mirror", "live"])
def test_a_file_in_the_inbox_always_wins(home: Settings, sources: str) -> None:
    settings = home.model_copy(update={"sources": sources})
    assert build_raw(PARTNER, settings).absent == {"2022": "convention"}
    write_ors(settings.inbox_dir / "ors_sante_iris.csv")
    result = build_raw(PARTNER, settings)
    assert (result.changed, result.rows, result.absent) == (True, len(ors_rows()), {})
    [(_, passed, _, _)] = presence(result)
    assert passed


def test_a_file_taken_away_is_absent_again(home: Settings, mirror: Path) -> None:
    write_ors(mirror / ORS)
    assert build_raw(PARTNER, home).rows > 0
    (mirror / ORS).unlink()
    assert (build_raw(PARTNER, home).rows, build_raw(PARTNER, home).changed) == (0, False)
    manifest = load_manifest(home.raw_dir / "ors_sante_iris.json")
    assert manifest is not None
    assert manifest["absent"] == {"2022": "convention"}
