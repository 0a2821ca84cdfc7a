"""`dq verify`: a whole release has nothing against it; whatever is changed is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from dagster_project.audit.verify import Verification, verify
from dagster_project.audit.verify.agreement import verify_agreement
from dagster_project.audit.verify.files import verify_sums
from dagster_project.audit.verify.report import write_report
from dagster_project.audit.verify.result import SHOWN, Chapter
from dagster_project.commands.app import app
from tests.release_samples import (
    FIGURES,
    RELEASE_ID,
    SOURCE,
    ZONES,
    Sample,
    copy_sample,
    figure_key,
    make_sample,
    sha,
    write_sums,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = figure_key("PART", "QP001")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_sample(tmp_path_factory.mktemp("release") / "home")


@pytest.fixture
def spoilt(sample: Sample, tmp_path: Path) -> Sample:
    return copy_sample(sample, tmp_path / "home")


def verified(spoilt: Sample, **more: Any) -> Verification:
    return verify(spoilt.release, **{"sample": None, "now": NOW, **more})


def said(verification: Verification, chapter: str | None = None) -> list[str]:
    """Findings as lines, of one chapter or of all."""
    return [str(f) for c in verification.chapters if chapter in {None, c.key} for f in c.findings]


def agreement(spoilt: Sample) -> list[str]:
    """Findings of the chapter on lineage alone."""
    with spoilt.release.tables() as connection:
        return [str(finding) for finding in verify_agreement(connection, spoilt.release).findings]


def test_a_whole_release_has_nothing_against_it(sample: Sample) -> None:
    verification = verified(sample)
    assert said(verification) == []
    assert verification.conforms
    assert [chapter.notes for chapter in verification.chapters] == [[]] * 5
    counts = {chapter.key: chapter.counts for chapter in verification.chapters}
    assert counts["archive"] == {"fichiers cités par la version": 2, "fichiers du journal": 2}
    assert counts["formats"] == {"tables CSV": 11}
    assert counts["lignage"]["chiffres"] == counts["recalcul"]["recalculés"] == len(FIGURES)


def test_a_sample_is_drawn_from_the_seed_alone(sample: Sample) -> None:
    verification = verified(sample, sample=3, seed=7)
    assert verification.conforms
    assert verification.seed == 7
    assert verification.chapters[-1].counts["chiffres demandés"] == 3
    again = verified(sample, sample=3, seed=7)
    assert again.chapters[-1].counts == verification.chapters[-1].counts


# What a removed line of lineage.parquet leaves behind, whatever its role.
REMOVED = {
    "value": ("figure_id = 'TAUX.QPV.QP001.QP2015.2021' and role = 'value'",
              "TAUX.QPV.QP001.QP2015.2021 : aucune ligne de lineage.parquet n’entre dans son calcul"),
    "term": (f"figure_id = '{KEY}' and role = 'denominator'", f"{KEY} : aucune cellule pour le terme b (denominator)"),
    "key": (f"figure_id = '{KEY}' and role = 'key'", f"{KEY} : aucune cellule-clé pour la ligne 2 de taux.csv"),
    "note": ("role = 'note'", "TAUX.QPV.QP002.QP2015.2021 : tx : la note NOTE de la ligne 3 manque"),
    "all of a figure": (f"figure_id = '{KEY}'",
                        f"{KEY} : aucune ligne de lineage.parquet n’entre dans son calcul"),
}  # fmt: skip


@pytest.mark.parametrize("sums", [False, True], ids=["as it is", "sums too"])
@pytest.mark.parametrize(("where", "message"), REMOVED.values(), ids=REMOVED)
def test_a_row_removed_from_the_lineage_is_found(spoilt: Sample, where: str, message: str, sums: bool) -> None:
    spoilt.rewrite("lineage", f"select * from lineage where not ({where})", sums=sums)
    assert message in agreement(spoilt)
    changed = [str(finding) for finding in verify_sums(spoilt.release).findings]
    assert [line.partition(", ses octets")[0] for line in changed] == (
        [] if sums else [f"lineage.parquet : ce fichier a changé : SHA256SUMS dit {listed(spoilt)['lineage.parquet']}"]
    )


def listed(spoilt: Sample) -> dict[str, str]:
    """SHA256SUMS, by name."""
    lines = (spoilt.folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


CHANGED = {
    "orphan": ("lineage", "select * replace (replace(figure_id, 'QP001', 'QP009') as figure_id) from lineage",
               "PART.QPV.QP009.QP2015.2021 : lineage.parquet cite ce chiffre, qui n’est pas dans "
               "indicator_value.parquet"),
    "repeated": ("lineage", f"from lineage union all from lineage where figure_id = '{KEY}' and role = 'key'",
                 f"{KEY} : une ligne est répétée 2 fois : key , ligne 2 de taux.csv"),
    "weight": ("lineage", "select * replace (if(variable = 'b', 3, weight) as weight) from lineage",
               f"{KEY} : le poids de b est 3.0, son coefficient 1"),
    "foreign term": ("lineage", "select * replace (if(variable = 'b', 'tx', variable) as variable) from lineage",
                     f"{KEY} : tx (denominator) n’est pas dans la formule"),
    "column": ("lineage", "select * replace (if(variable = 'b', 'A', source_column) as source_column) from lineage",
               f"{KEY} : b ne vient pas de la colonne A de taux.csv"),
    "other zone": ("lineage", "select * replace (if(role = 'key', 'QP009', raw_value) as raw_value) from lineage",
                   f"{KEY} : la cellule-clé porte « QP009 », non la zone QP001"),
    "zone row": ("zone_input",
                 "select * replace (if(zone_code = 'QP001', 9, source_row) as source_row) from zone_input",
                 "QPV.QP001.QP2015 : cette cellule n’est pas de la ligne de la zone : ligne 9 de zones.csv"),
    "zone removed": ("zone_input", "from zone_input where zone_code != 'QP001' or source_column != 'code'",
                     "QPV.QP001.QP2015 : la cellule par laquelle la zone existe manque à zone_input.parquet : ligne 2 "
                     "de zones.csv"),
    "zone type removed": ("zone_input", "from zone_input where zone_code != 'QP001' or source_column != 'type'",
                          "QPV.QP001.QP2015 : zone_input.parquet n’a pas de cellule type pour cette zone"),
    "zone unknown": ("dim_zone", "from dim_zone where zone_code != 'QP001'",
                     f"{KEY} : dim_zone.parquet ne connaît pas sa zone"),
    "zone file": ("zone_input", "select * replace ('autre' as dataset) from zone_input",
                  "QPV.QP001.QP2015 : source_file.parquet ne décrit pas zones.csv (autre)"),
    "correction": ("lineage", "select * replace (cast(null as varchar) as correction_id) from lineage",
                   "TAUX.QPV.QP004.QP2015.2021 : colonne TX : correction aucune dans lineage.parquet, "
                   "taux-qp004 dans corrections.parquet"),
    "file": ("lineage", "select * replace ('autre' as dataset) from lineage",
             f"{KEY} : source_file.parquet ne décrit pas taux.csv (autre)"),
    "edition": ("source_file", "select * replace ('1999' as vintage) from source_file",
                f"{KEY} : taux.csv n’est pas de l’édition 2021"),
    "name": ("indicator_value", "select * replace ('1999' as vintage) from indicator_value",
             f"{KEY} : ce nom n’est pas la clé de sa ligne dans indicator_value.parquet"),
    "status": ("indicator_value", "select * replace ('ok' as status) from indicator_value",
               "PART.QPV.QP002.QP2015.2021 : statut ok, valeur absente"),
    "twice": ("indicator_value", "from indicator_value union all from indicator_value",
              f"{KEY} : ce chiffre figure 2 fois dans indicator_value.parquet"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "query", "message"), CHANGED.values(), ids=CHANGED)
def test_whatever_contradicts_the_lineage_is_found(spoilt: Sample, table: str, query: str, message: str) -> None:
    spoilt.rewrite(table, query, sums=True)
    assert message in agreement(spoilt)


@pytest.mark.parametrize("sums", [False, True], ids=["as it is", "sums too"])
def test_a_cell_changed_in_a_parquet_file_is_found(spoilt: Sample, sums: bool) -> None:
    query = f"select * replace (if(figure_id = '{KEY}', 24.69, value) as value) from indicator_value"
    spoilt.rewrite("indicator_value", query, sums=sums)
    verification = verified(spoilt)
    assert said(verification, "recalcul") == [
        f"{KEY} : la valeur ne se retrouve pas (la version dit 24.69, on trouve 24.68)"
    ]
    assert said(verification, "formats") == [
        f"indicator_value.parquet : ligne 3 ({KEY}), colonne value : '24.69', mais '24.68' dans indicator_value.csv"
    ]
    assert len(said(verification, "fichiers")) == (0 if sums else 1)


@pytest.mark.parametrize(
    ("table", "query", "message"),
    [
        ("dim_zone", "select * replace (if(zone_code = 'QP002', 'X', name) as name) from dim_zone",
         "dim_zone.parquet : ligne 2, colonne name : 'X', mais 'Quartier QP002' dans dim_zone.csv"),
        ("dim_zone", "select * replace (['1'] as communes) from dim_zone where zone_code != 'ENSEMBLE'",
         "dim_zone.parquet : 5 lignes, mais 6 dans dim_zone.csv"),
        ("mart_comparaison", "select * replace (null as comparison_value) from mart_comparaison",
         "mart_comparaison.parquet : ligne 1 (TAUX.QPV.QP001.QP2015.2021), colonne comparison_value : None, "
         "mais '30.0' dans mart_comparaison.csv"),
    ],
)  # fmt: skip
def test_the_formats_of_a_table_must_agree(spoilt: Sample, table: str, query: str, message: str) -> None:
    spoilt.rewrite(table, query, sums=True)
    assert message in said(verified(spoilt, sample=1), "formats")


def test_words_that_say_why_a_cell_is_empty_agree_with_an_empty_cell(spoilt: Sample) -> None:
    spoilt.write("absence", [{"label": "secret_primaire"}, {"label": "nd"}, {"label": "non_couvert"}])
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace (coalesce(cast(value as varchar), status) as value) "
            f"from '{spoilt.folder}/indicator_value.parquet') to '{spoilt.folder}/indicator_value.csv' "
            "(header, delimiter ';')"
        )
    write_sums(spoilt.folder)
    assert said(verified(spoilt, sample=1)) == []
    spoilt.write("absence", [{"label": "nd"}])
    write_sums(spoilt.folder)
    assert any("'secret_primaire' dans indicator_value.csv" in line for line in said(verified(spoilt, sample=1)))


def test_the_database_must_agree_with_the_parquet_tables(spoilt: Sample) -> None:
    tables = sorted(path.stem for path in spoilt.folder.glob("*.parquet"))
    with duckdb.connect(str(spoilt.folder / "quartiers.duckdb")) as connection:
        for name in tables:
            connection.execute(f"create table {name} as from '{spoilt.folder}/{name}.parquet'")
    verification = verified(spoilt, sample=1)
    assert said(verification) == []
    assert verification.chapters[2].counts["tables DuckDB"] == len(tables)
    with duckdb.connect(str(spoilt.folder / "quartiers.duckdb")) as connection:
        connection.execute("update lineage set raw_value = '0' where raw_value = 'QP003'")
        connection.execute("update indicator_value set value = null")
        connection.execute("drop table known_break")
    lines = said(verified(spoilt, sample=1), "formats")
    assert "quartiers.duckdb : la table known_break y manque" in lines
    assert any("colonne raw_value : 'QP003', mais '0' dans quartiers.duckdb" in line for line in lines)
    assert any("colonne value : " in line and "mais None dans quartiers.duckdb" in line for line in lines)


def flip(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (flip, "est altéré : ses octets ont l’empreinte"),
        (cut, f" ; {len(SOURCE) - 1} octets au lieu de {len(SOURCE)}"),
        (Path.unlink, f"l’archive n’a pas l’objet {sha(SOURCE)}"),
    ],
)
def test_a_damaged_archive_object_is_named(spoilt: Sample, damage: Callable[[Path], None], message: str) -> None:
    damage(spoilt.object(SOURCE))
    verification = verified(spoilt, sample=1)
    (line,) = said(verification, "archive")
    assert line.startswith("taux.csv (essai_taux, 2021) : ")
    assert message in line
    assert sha(SOURCE) in line


def test_what_the_log_alone_names_is_hashed_too(spoilt: Sample) -> None:
    with (spoilt.home / "archive" / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps({"sha256": "0" * 64, "name": "ancien.csv", "key": "essai/2001"}) + "\nillisible\n")
    spoilt.object(ZONES).with_name("autre").write_bytes(b"")
    verification = verified(spoilt, sample=1)
    assert said(verification, "archive") == [
        "log.jsonl : la ligne 4 du journal de l’archive est illisible",
        f"ancien.csv (essai/2001) : l’archive n’a pas l’objet {'0' * 64}",
    ]
    assert "1 objet(s) de l’archive que ni le journal ni la version ne citent" in verification.chapters[1].notes[0]


def test_what_the_release_says_of_a_reception_is_what_the_log_says(spoilt: Sample) -> None:
    spoilt.rewrite("source_file", "select * replace ('mirror:ailleurs' as url) from source_file", sums=True)
    lines = said(verified(spoilt, sample=1), "archive")
    assert lines[0] == (
        "taux.csv (essai_taux, 2021) : source_file.parquet et le journal de l’archive ne disent pas la même chose : "
        "url = 'mirror:ailleurs'"
    )
    (spoilt.home / "archive" / "log.jsonl").unlink()
    assert "le journal de l’archive ne dit rien" in said(verified(spoilt, sample=1), "archive")[0]


def test_files_that_are_missing_added_truncated_or_badly_listed_are_named(spoilt: Sample) -> None:
    (spoilt.folder / "known_break.csv").unlink()
    (spoilt.folder / "ajoute.txt").write_text("ajouté", encoding="utf-8")
    cut(spoilt.folder / "build.lock.json")
    with (spoilt.folder / "SHA256SUMS").open("a", encoding="utf-8") as sums:
        sums.write("pas une empreinte\n")
    line = len((spoilt.folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    lines = said(verified(spoilt, sample=1), "fichiers")
    assert lines[0] == f"SHA256SUMS : la ligne {line} n’est pas « empreinte  nom »"
    assert lines[1].startswith("build.lock.json : ce fichier a changé : SHA256SUMS dit ")
    assert lines[2:] == [
        "known_break.csv : ce fichier manque à la version",
        "ajoute.txt : ce fichier n’est pas dans SHA256SUMS : il a été ajouté",
    ]
    (spoilt.folder / "SHA256SUMS").unlink()
    assert said(verified(spoilt, sample=1), "fichiers") == [
        "SHA256SUMS : ce fichier manque : rien ne dit quels octets la version avait"
    ]


def test_a_truncated_table_is_named_even_if_it_cannot_be_read(spoilt: Sample) -> None:
    cut(spoilt.folder / "lineage.parquet")
    lines = said(verified(spoilt, sample=1))
    assert lines[0].startswith("lineage.parquet : ce fichier a changé")
    assert [
        line for line in lines[1:] if "une table ne peut être lue" not in line or "lineage.parquet" not in line
    ] == []
    assert len(lines) == 5
    done = dq(spoilt, "explain", "TAUX", "QP001")
    assert done.exit_code == 1
    assert "dq verify" in done.stderr


def test_many_findings_are_counted_and_the_first_kept() -> None:
    chapter = Chapter("k", "t", "d")
    for number in range(SHOWN + 2):
        chapter.found(str(number), "non")
    assert (len(chapter.findings), chapter.more, chapter.total) == (SHOWN, 2, SHOWN + 2)


def test_the_report_can_be_filed(spoilt: Sample, tmp_path: Path) -> None:
    flip(spoilt.object(SOURCE))
    verification = verified(spoilt, sample=2, seed=5)
    path = tmp_path / "rapports" / "verification.html"
    write_report(path, verification)
    page = path.read_text(encoding="utf-8")
    assert '<html lang="fr">' in page
    assert "Non conforme" in page
    assert RELEASE_ID in page
    assert sha(SOURCE) in page
    assert "--sample 2 --seed 5" in page
    assert "http" not in page.replace("http-equiv", ""), "the page loads nothing from elsewhere"
    content = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert content["format"] == "data-et-quartiers/verification/1"
    assert (content["conforms"], content["verified_at"]) == (False, "2026-01-02T03:04:05+00:00")
    assert [chapter["key"] for chapter in content["chapters"]] == [
        *("fichiers", "archive", "formats", "lignage", "recalcul")
    ]


runner = CliRunner()


def dq(sample: Sample, *arguments: str) -> Any:
    return runner.invoke(app, list(arguments), env={"DQ_HOME": str(sample.home)})


def test_the_command_says_that_all_is_well(spoilt: Sample) -> None:
    done = dq(spoilt, "verify", "--all")
    assert done.exit_code == 0
    assert "conforme     Archive des sources" in done.stdout
    assert (spoilt.home / "reports" / f"verification-{RELEASE_ID}.html").is_file()
    data = dq(spoilt, "verify", RELEASE_ID, "--json", "--sample", "2", "--report", str(spoilt.home / "autre.html"))
    assert data.exit_code == 0
    assert json.loads(data.stdout)["conforms"] is True
    assert (spoilt.home / "autre.json").is_file()


def test_the_command_fails_with_one_line_per_finding(spoilt: Sample) -> None:
    flip(spoilt.object(ZONES))
    spoilt.rewrite("lineage", "select * from lineage where role != 'note'", sums=True)
    done = dq(spoilt, "verify")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert "TAUX.QPV.QP002.QP2015.2021 : tx : la note NOTE de la ligne 3 manque" in lines
    assert any(line.startswith("zones.csv (essai_zones, 2021) : l’objet d’archive") for line in lines)
    assert "NON CONFORME Archive des sources" in done.stdout
    assert f"{RELEASE_ID} : " in done.stderr
    assert dq(spoilt, "verify", "autre").exit_code == 1
