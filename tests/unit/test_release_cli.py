"""`dq release`: releases are listed, described and compared; the page of each run's comparison."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from dagster_project.audit.diff import nightly
from dagster_project.audit.diff.nightly import compare_with_previous, comparison_page
from dagster_project.audit.diff.page import DATA, TABLE
from dagster_project.audit.diff.program import differing_program
from dagster_project.audit.diff.words import signed
from dagster_project.audit.release_folder import UnknownReleaseError, find_release
from dagster_project.commands.releases import release_app
from dagster_project.identity.lock import LOCK_NAME
from dagster_project.pages.numbers import measure
from dagster_project.settings import Settings
from tests.release_folders import VINTAGE, Cell, Indicator, World, figure_id

FIRST, SECOND, THIRD = "20260101T020000Z-aaaaaaaaaaaa", "20260102T020000Z-bbbbbbbbbbbb", "20260103T020000Z-cccccccccccc"
WORLD = World(
    indicators={"REV_TAUX": Indicator({("value", "taux"): 1.0}, label="Taux <b>&</b>")},
    zones={"QP096001": "Les Vignes", "QP096002": "Le <i>Port</i>"},
    cells={(VINTAGE, "QP096001", "taux"): Cell("44,1"), (VINTAGE, "QP096002", "taux"): Cell("50,0")},
    columns={"taux": "TP60"},
)
REVISED = WORLD.revise({(VINTAGE, "QP096002", "taux"): "53,5"})
BROKEN = WORLD.reprogram({figure_id("REV_TAUX", "QP096002"): 2.0}, program=WORLD.program)


@pytest.fixture
def releases(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DQ_HOME", str(settings.home))
    publish(settings.releases_dir, FIRST, WORLD)
    return publish(settings.releases_dir, SECOND, REVISED)


def publish(releases_dir: Path, release_id: str, world: World) -> Path:
    """A release folder of this world, with what `dq release show` reads besides, made current."""
    folder = world.write(releases_dir / release_id)
    for name, added in (("source_file", ("producer", "licence")), ("lineage", ("source_member",))):
        table = pq.read_table(folder / f"{name}.parquet")
        for column in added:
            table = table.append_column(column, pa.array(["Insee"] * table.num_rows))
        pq.write_table(table, folder / f"{name}.parquet")
    link = releases_dir / "current"
    link.unlink(missing_ok=True)
    link.symlink_to(release_id)
    return releases_dir


def dq(*arguments: str) -> Result:
    return CliRunner().invoke(release_app, arguments)


def plain(text: str) -> str:
    return re.sub(r"[\u202f\u00a0]", " ", text)


# Names


def test_releases_are_listed_oldest_first(releases: Path) -> None:
    (releases / ".20260104T020000Z-dddddddddddd.partial").mkdir()
    (releases / "notes").mkdir()
    rows = json.loads(dq("list", "--json").stdout)
    assert [(row["release"], row["published_at"], row["figures"], row["current"]) for row in rows] == [
        (FIRST, "2026-01-01T02:00:00+00:00", 2, False),
        (SECOND, "2026-01-02T02:00:00+00:00", 2, True),
    ]
    assert [line.split()[0] for line in dq("list").stdout.splitlines()] == [FIRST, SECOND]


def test_a_home_without_releases_lists_none(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DQ_HOME", str(settings.home))
    assert (dq("list", "--json").stdout, dq("list").exit_code) == ("[]\n", 0)
    done = dq("show")
    assert done.exit_code == 1
    assert "aucune version publiée" in done.stderr


@pytest.mark.parametrize(
    ("name", "found"), [("current", SECOND), ("previous", FIRST), (FIRST, FIRST), ("20260102", SECOND)]
)
def test_a_release_has_several_names(releases: Path, settings: Settings, name: str, found: str) -> None:
    assert find_release(settings, name).release_id == found
    assert find_release(settings, str(releases / found)).release_id == found


@pytest.mark.parametrize(
    ("name", "message"), [("2026", "2 versions"), ("2027", f"pas de version 2027.*{FIRST}"), ("", "pas de version")]
)
@pytest.mark.usefixtures("releases")
def test_a_name_that_is_none_or_several_is_refused(settings: Settings, name: str, message: str) -> None:
    with pytest.raises(UnknownReleaseError, match=message):
        find_release(settings, name)


def test_a_damaged_release_is_named(releases: Path) -> None:
    (releases / FIRST / LOCK_NAME).write_text('{"build_id": "a"}', encoding="utf-8")
    done = dq("list")
    assert done.exit_code == 1
    assert f"{FIRST}/{LOCK_NAME}" in done.stderr


def test_a_lock_tells_code_that_figures_depend_on_from_the_rest(releases: Path, settings: Settings) -> None:
    def lock(release: str, **files: str) -> None:
        content = {
            "build_id": "a" * 64,
            "settings": {"sources": "demo", "territory": "france"},
            "code": {"files": {"dbt_models/macros/textes.sql": "1", **files}},
            "libraries": {"duckdb": "1.5.6"},
            "python": "3.12.3",
        }
        (releases / release / LOCK_NAME).write_text(json.dumps(content), encoding="utf-8")

    lock(FIRST, **{"dagster_project/release/promote.py": "1", "dagster_project/geo/contours.py": "1"})
    lock(SECOND, **{"dagster_project/release/promote.py": "2", "dagster_project/geo/contours.py": "2"})
    old, new = (find_release(settings, name) for name in (FIRST, SECOND))
    assert differing_program(old, new) == ["dagster_project/geo/contours.py"]


def test_a_release_of_another_format_is_refused_in_one_line(releases: Path) -> None:
    path = releases / FIRST / LOCK_NAME
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "release_format": 99}))
    done = dq("show", FIRST)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert f"{FIRST} est au format 99, que ce programme ne lit pas" in done.stderr


@pytest.mark.parametrize("number", [[], {}, "1", None], ids=repr)
def test_a_format_that_is_no_number_is_refused_in_one_line(releases: Path, number: object) -> None:
    path = releases / FIRST / LOCK_NAME
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "release_format": number}))
    done = dq("show", FIRST)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "ne peut être lu" in done.stderr or f"au format {number!r}, que ce programme ne lit pas" in done.stderr


def test_a_release_made_before_formats_were_numbered_is_of_the_first(releases: Path) -> None:
    path = releases / FIRST / LOCK_NAME
    lock = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({name: said for name, said in lock.items() if name != "release_format"}))
    assert dq("show", FIRST).exit_code == 0


def test_a_folder_without_a_lock_is_refused_in_one_line(releases: Path) -> None:
    (releases / FIRST / LOCK_NAME).rename(releases / FIRST / "build.json")  # as before there were locks
    done = dq("show", str(releases / FIRST))
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert f"pas de {LOCK_NAME}" in done.stderr


# What a release holds


def test_a_release_says_what_it_is_made_of(releases: Path) -> None:
    contents = json.loads(dq("show", FIRST, "--json").stdout)
    assert (contents["figures"], contents["indicators"], contents["corrections"]) == (2, 1, 0)
    assert contents["figures_by_theme"] == {"revenus": 2}
    assert contents["zones_by_level"] == {"QPV QP2015": 2}
    assert contents["source_cells"] == 4
    assert [(source["dataset"], source["vintage"], source["files"]) for source in contents["sources"]] == [
        ("insee_revn", "2021", 1)
    ]
    words = plain(dq("show", FIRST).stdout)
    assert "DONNÉES FICTIVES" in words
    assert "01/01/2026 à 02 h 00" in words
    assert "insee_revn  2021" in words


# What a release changes


def test_the_current_release_is_compared_with_the_one_before(releases: Path, tmp_path: Path) -> None:
    done = dq("diff", "--output", str(tmp_path / "out"), "--fail-on-residual")
    assert done.exit_code == 0, done.stderr
    assert "1 chiffre inchangé, 1 changement\n" in plain(done.stdout)
    assert "REV_TAUX.QPV.QP096002.QP2015.2021 : 50 → 53,5 % (source +3,5)" in plain(done.stdout)
    assert pq.read_table(tmp_path / "out" / TABLE)["figure_id"].to_pylist() == [figure_id("REV_TAUX", "QP096002")]
    assert json.loads((tmp_path / "out" / DATA).read_text(encoding="utf-8")) == json.loads(dq("diff", "--json").stdout)


def test_the_way_back_is_the_opposite(releases: Path) -> None:
    (there,), (back,) = (
        json.loads(dq("diff", *names, "--json").stdout)["most_moved"] for names in ((FIRST, SECOND), (SECOND, FIRST))
    )
    assert there["contributions"] == {"vintage": 3.5}
    assert back["contributions"] == {"vintage": -3.5}


def test_a_residual_fails_the_command_that_asks_for_it(releases: Path) -> None:
    publish(releases, THIRD, BROKEN)
    assert dq("diff", FIRST, THIRD).exit_code == 0
    done = dq("diff", FIRST, THIRD, "--fail-on-residual")
    assert done.exit_code == 1
    assert figure_id("REV_TAUX", "QP096002") in done.stderr


# The comparison of each run


def test_a_first_release_is_compared_with_nothing_and_says_so(settings: Settings) -> None:
    publish(settings.releases_dir, FIRST, WORLD)
    outcome = compare_with_previous(settings)
    assert (outcome.comparison, outcome.passed) == (None, True)
    assert f"La version {FIRST} est la première" in comparison_page(settings).read_text(encoding="utf-8")


def test_the_page_of_a_run_shows_causes_and_stays_offline(releases: Path, settings: Settings) -> None:
    outcome = compare_with_previous(settings)
    page = outcome.page.read_text(encoding="utf-8")
    assert outcome.passed
    assert "Chaque changement a sa cause." in page
    assert "source +3,5" in page
    assert "Le &lt;i&gt;Port&lt;/i&gt;" in page
    assert "Taux &lt;b&gt;&amp;&lt;/b&gt;" in page
    assert re.findall(r"""(?:src|href)=["'](?!#|data:|changements\.)[^"']*""", page) == []
    assert sorted(path.name for path in settings.reports_dir.iterdir()) == [DATA, TABLE, outcome.page.name]
    first = {path: path.read_bytes() for path in settings.reports_dir.iterdir()}
    compare_with_previous(settings)
    assert {path: path.read_bytes() for path in settings.reports_dir.iterdir()} == first, "the same bytes twice"


def test_a_residual_shows_and_does_not_pass(settings: Settings) -> None:
    publish(settings.releases_dir, FIRST, WORLD)
    publish(settings.releases_dir, SECOND, BROKEN)
    outcome = compare_with_previous(settings)
    assert not outcome.passed
    assert figure_id("REV_TAUX", "QP096002") in outcome.said
    assert "1 changement sans cause" in plain(outcome.page.read_text(encoding="utf-8"))


def test_releases_that_cannot_be_compared_do_not_fail_the_run(releases: Path, settings: Settings) -> None:
    compare_with_previous(settings)
    (releases / FIRST / "lineage.parquet").unlink()
    outcome = compare_with_previous(settings)
    assert (outcome.passed, outcome.comparison) == (False, None)
    assert "lineage.parquet" in outcome.page.read_text(encoding="utf-8")
    assert [path.name for path in settings.reports_dir.iterdir()] == [outcome.page.name], "older tables would mislead"


def test_an_unforeseen_error_does_not_fail_the_run_either(
    releases: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unforeseen(*_: object) -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr(nightly, "compare", unforeseen)
    outcome = compare_with_previous(settings)
    assert not outcome.passed
    assert "unforeseen" in outcome.said
    assert "ZeroDivisionError" in caplog.text


def test_zones_and_indicators_that_come_and_go_are_on_the_page(settings: Settings) -> None:
    publish(settings.releases_dir, FIRST, WORLD)
    gained = replace(
        WORLD,
        zones={"QP096001": "Les Vignes", "QP096003": "La Gare"},
        indicators={**WORLD.indicators, "REV_NEUF": Indicator({("value", "taux"): 2.0}, label="Indicateur neuf")},
    )
    publish(settings.releases_dir, SECOND, gained)
    page = compare_with_previous(settings).page.read_text(encoding="utf-8")
    assert "La Gare" in page
    assert "Indicateur neuf" in page
    assert "Zones disparues : 1" in page


@pytest.mark.parametrize(
    ("number", "written"),
    [(None, "—"), (0.0, "0"), (12345.678, "12\u202f345,68"), (0.00123, "0,00123"), (-0.5, "−0,5")],
)
def test_measures_are_written_in_french(number: float | None, written: str) -> None:
    assert measure(number) == written
    assert signed(number) == (f"+{written}" if number and number > 0 else written)
