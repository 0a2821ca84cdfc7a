"""Fetching from a real local server that misbehaves, from folders, from the inbox and from the demonstration."""

from __future__ import annotations

import gzip
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from dagster_project import demo_territory as demo
from dagster_project.settings import Settings
from dagster_project.sources import disk, http, http_policy
from dagster_project.sources.archive import Archive, ArchivedFile, ArchiveError
from dagster_project.sources.catalogue import Dataset, Live
from dagster_project.sources.fetch import SourceMissing, fetch_file, open_archive, references
from dagster_project.sources.http import FetchError
from dagster_project.sources.http_policy import redirect_refusal
from dagster_project.sources.validation import validate_file
from tests.fetch_samples import CSV, first, sample_dataset, sample_file
from tests.http_server import Asked, Reply, ScriptedServer, serve_file

PATH = "/insee/TABLE_2021.csv"
BIG = bytes(range(256)) * 2000  # 512 kB: several reads
MONDAY = "Mon, 05 Jan 2026 10:00:00 GMT"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedServer() as started:
        yield started


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits asked for, none of which happens."""
    asked: list[float] = []
    monkeypatch.setattr(http_policy, "_sleep", asked.append)
    return asked


@dataclass
class Place:
    """A home whose sources are the scripted server, seen as a mirror."""

    settings: Settings
    dataset: Dataset = field(default_factory=sample_dataset)

    @property
    def archive(self) -> Archive:
        return open_archive(self.settings.archive_dir)

    def fetch(self) -> ArchivedFile:
        return self.fetch_all()[0]

    def fetch_all(self) -> tuple[ArchivedFile, ...]:
        return fetch_file(*first(self.dataset), self.settings)

    def failing(self) -> list[str]:
        parts = self.fetch_all()
        results = validate_file(*first(self.dataset), parts, None)
        return [result.name for result in results if not result.passed]

    def log(self) -> list[dict[str, Any]]:
        path = self.archive.log_path
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def kept(self) -> dict[str, bytes]:
        """Objects and log, whole: what a failure must leave as it was. No temporary may be left either."""
        found = {p: p.read_bytes() for p in self.archive.root.rglob("*") if p.is_file() and p.name != ".lock"}
        return {str(path.relative_to(self.archive.root)): content for path, content in found.items()}


@pytest.fixture
def place(tmp_path: Path, server: ScriptedServer, waits: list[float]) -> Place:
    return Place(
        Settings(
            home=tmp_path / "home",
            sources="mirror",
            mirror=server.address,
            connect_timeout_s=5,
            read_timeout_s=5,
            max_retries=3,
        )
    )


def hurried(place: Place, **changes: Any) -> Place:
    return Place(place.settings.model_copy(update={"read_timeout_s": 0.1, "max_retries": 1, **changes}), place.dataset)


def live(place: Place, url: str) -> Place:
    """The same home fetching from an official address (that of the server, which the catalogue would refuse)."""
    official = Live.model_construct(url=url, member=None, note=None)
    file = sample_file().model_copy(update={"live": official})
    vintage = place.dataset.vintages[0].model_copy(update={"files": (file,)})
    dataset = place.dataset.model_copy(update={"vintages": (vintage,)})
    return Place(place.settings.model_copy(update={"sources": "live"}), dataset)


# --- plain downloads and conditional requests ---------------------------------------------------------------------


def test_a_download_is_archived_with_how_it_came(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, serve_file(CSV, last_modified=MONDAY, headers={"Set-Cookie": "session=1"}))
    fetched = place.fetch()
    assert fetched.path.read_bytes() == CSV
    assert (fetched.key, fetched.origin) == ("insee_exemple/2021/TABLE_2021", "mirror")
    assert (fetched.name, fetched.url, fetched.final_url) == ("TABLE_2021.csv", server.url(PATH), server.url(PATH))
    assert (fetched.headers["etag"], fetched.headers["last-modified"]) == ('"v1"', MONDAY)
    assert "set-cookie" not in place.archive.log_path.read_text().lower()
    assert server.requests(PATH)[0].headers["accept-encoding"] == "identity"
    assert "if-none-match" not in server.requests(PATH)[0].headers


@pytest.mark.parametrize(
    ("validators", "sent"),
    [
        ({"etag": '"v1"', "last_modified": MONDAY}, {"if-none-match": '"v1"', "if-modified-since": MONDAY}),
        ({"etag": None, "last_modified": MONDAY}, {"if-modified-since": MONDAY}),
        ({"etag": 'W/"v1"'}, {"if-none-match": 'W/"v1"'}),
    ],
)
def test_an_unchanged_file_is_not_sent_again(
    place: Place, server: ScriptedServer, validators: dict[str, Any], sent: dict[str, str]
) -> None:
    server.script(PATH, serve_file(CSV, **validators))
    before = place.fetch()
    again = place.fetch()
    assert (before.unchanged, again.unchanged) == (False, True)
    assert (again.sha256, again.fetched_at) == (before.sha256, before.fetched_at)
    asked = server.requests(PATH)[1].headers
    assert {name: asked[name] for name in asked if name.startswith("if-")} == sent
    assert [line["unchanged"] for line in place.log()] == [False, True]
    assert place.fetch().unchanged


def test_a_changed_file_is_kept_beside_the_earlier_one(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, serve_file(CSV), serve_file(CSV + b"x", etag='"v2"'))
    before, after = place.fetch(), place.fetch()
    assert not after.unchanged
    assert (before.path.read_bytes(), after.path.read_bytes()) == (CSV, CSV + b"x")
    assert references(*first(place.dataset), (after,), place.settings) == (before,)


def test_the_same_bytes_without_validators_are_unchanged(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, Reply(body=CSV))
    assert [place.fetch().unchanged, place.fetch().unchanged] == [False, True]


def test_nothing_is_conditional_once_the_object_is_lost(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, serve_file(CSV))
    place.fetch().path.unlink()
    assert place.fetch().path.read_bytes() == CSV
    assert "if-none-match" not in server.requests(PATH)[1].headers


def test_a_304_that_was_not_asked_for_is_an_error(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, Reply(304))
    with pytest.raises(FetchError, match="HTTP 304"):
        place.fetch()


def test_a_chunked_and_a_compressed_answer(place: Place, server: ScriptedServer) -> None:
    packed = gzip.compress(CSV, mtime=0)
    server.script(PATH, Reply(body=CSV, chunked=True), Reply(body=packed, headers={"Content-Encoding": "gzip"}))
    assert place.fetch().path.read_bytes() == CSV
    assert place.fetch().path.read_bytes() == CSV


def test_the_name_given_by_the_server_loses_its_folders(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, Reply(body=CSV, headers={"Content-Disposition": 'attachment; filename="../../a b.csv"'}))
    assert place.fetch().name == "a b.csv"


# --- errors and waits ---------------------------------------------------------------------------------------------


def test_a_500_then_success(place: Place, server: ScriptedServer, waits: list[float]) -> None:
    server.script(PATH, Reply(500), Reply(503), serve_file(CSV))
    assert place.fetch().path.read_bytes() == CSV
    assert len(waits) == 1  # urllib3 tries once at once, then backs off
    assert 2.0 <= waits[0] <= 2.25


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_honoured(
    place: Place, server: ScriptedServer, waits: list[float], status: int
) -> None:
    server.script(PATH, Reply(status, headers={"Retry-After": "7"}), serve_file(CSV))
    assert place.fetch().path.read_bytes() == CSV
    assert waits == [7]


def test_retry_after_as_a_date_is_honoured(
    place: Place, server: ScriptedServer, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_770_000_000.0
    monkeypatch.setattr("urllib3.util.retry.time", _Clock(now))
    server.script(PATH, Reply(429, headers={"Retry-After": formatdate(now + 30, usegmt=True)}), serve_file(CSV))
    place.fetch()
    assert waits == [30]


@dataclass
class _Clock:
    now: float

    def time(self) -> float:
        return self.now


def test_a_retry_after_beyond_reason_fails_at_once(place: Place, server: ScriptedServer, waits: list[float]) -> None:
    server.script(PATH, Reply(429, headers={"Retry-After": "86400"}))
    with pytest.raises(FetchError, match=r"asks to wait \d+ s .*Retry-After.*run again later") as caught:
        place.fetch()
    assert caught.value.transient
    assert (waits, len(server.requests(PATH)), place.kept()) == ([], 1, {})


def test_a_retry_after_that_means_nothing_is_ignored(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, Reply(429, headers={"Retry-After": "bientôt".encode().decode("latin-1")}), serve_file(CSV))
    assert place.fetch().path.read_bytes() == CSV


@pytest.mark.parametrize(("status", "transient"), [(500, True), (429, True), (403, False), (404, False), (204, False)])
def test_a_status_that_stays_is_an_error_that_advises(
    place: Place, server: ScriptedServer, status: int, transient: bool
) -> None:
    server.script(PATH, serve_file(CSV), Reply(status))
    place.fetch()
    before = place.kept()
    with pytest.raises(FetchError, match=rf"TABLE_2021\.csv: HTTP {status} .*; ") as caught:
        place.fetch()
    assert caught.value.transient is transient
    assert place.kept() == before
    assert len(server.requests(PATH)) == 1 + (4 if transient else 1)


def test_a_live_failure_says_how_to_do_it_by_hand(place: Place, server: ScriptedServer) -> None:
    server.script("/fichier", Reply(403))
    with pytest.raises(FetchError) as caught:
        live(place, server.url("/fichier")).fetch()
    assert "insee_exemple 2021, TABLE_2021" in str(caught.value)
    assert "by hand from https://exemple.invalid/page" in str(caught.value)
    assert str(place.settings.inbox_dir / "TABLE_2021.csv") in str(caught.value)


def test_a_live_download(place: Place, server: ScriptedServer) -> None:
    server.script("/fichier", serve_file(CSV))
    fetched = live(place, server.url("/fichier")).fetch()
    assert (fetched.origin, fetched.name) == ("live", "fichier")


def test_nobody_listening_is_transient(place: Place, waits: list[float]) -> None:
    place.settings = place.settings.model_copy(update={"mirror": "http://127.0.0.1:1", "max_retries": 2})
    with pytest.raises(FetchError, match=r"http://127\.0\.0\.1:1/insee/TABLE_2021\.csv: .*refused.*network") as caught:
        place.fetch()
    assert caught.value.transient
    assert len(waits) == 1


def test_an_address_that_is_none(place: Place) -> None:
    place.settings = place.settings.model_copy(update={"mirror": "http://[x"})
    with pytest.raises(FetchError, match="not an address"):
        place.fetch()


# --- cut and stalled bodies ---------------------------------------------------------------------------------------


def test_a_cut_body_is_resumed_where_it_stopped(place: Place, server: ScriptedServer, waits: list[float]) -> None:
    server.script(PATH, serve_file(BIG, cuts=[200_000, 100_000]))
    assert place.fetch().path.read_bytes() == BIG
    resumed = server.requests(PATH)[1:]
    assert [asked.headers["range"] for asked in resumed] == ["bytes=200000-", "bytes=300000-"]
    assert {asked.headers["if-range"] for asked in resumed} == {'"v1"'}
    assert 1.0 <= waits[0] <= 1.25
    assert 2.0 <= waits[1] <= 2.25


def test_a_cut_body_is_resumed_with_last_modified(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, serve_file(BIG, etag=None, last_modified=MONDAY, cuts=[200_000]))
    assert place.fetch().path.read_bytes() == BIG
    assert server.requests(PATH)[1].headers["if-range"] == MONDAY


def test_a_server_without_ranges_sends_it_whole(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, serve_file(BIG, ranges=False, cuts=[200_000]))
    assert place.fetch().path.read_bytes() == BIG
    assert len(server.requests(PATH)) == 2  # the whole answer to the range request is used, not asked again


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_validator_nothing_is_glued(place: Place, server: ScriptedServer, etag: str | None) -> None:
    server.script(PATH, serve_file(BIG, etag=etag, cuts=[200_000]))
    assert place.fetch().path.read_bytes() == BIG
    assert "range" not in server.requests(PATH)[1].headers


def test_a_file_that_changed_in_between_is_not_glued(place: Place, server: ScriptedServer) -> None:
    new = b"new" + BIG
    server.script(PATH, serve_file(BIG, cuts=[200_000]), serve_file(new, etag='"v2"'))
    fetched = place.fetch()
    assert fetched.path.read_bytes() == new
    assert fetched.headers["etag"] == '"v2"'
    assert len(place.log()) == 1


@pytest.mark.parametrize(
    "part",
    [
        {"Content-Range": "bytes 0-511999/512000", "ETag": '"v1"'},
        {"Content-Range": "bytes 200000-511999/999999", "ETag": '"v1"'},
        {"Content-Range": "bytes 200000-511999/512000", "ETag": '"v2"'},
        {"ETag": '"v1"'},
    ],
    ids=["other start", "other size", "other version", "no range"],
)
def test_a_part_that_does_not_fit_is_thrown_away(place: Place, server: ScriptedServer, part: dict[str, str]) -> None:
    wrong = Reply(206, b"x" * 312_000, part)
    server.script(PATH, serve_file(BIG, cuts=[200_000]), wrong, serve_file(BIG))
    assert place.fetch().path.read_bytes() == BIG


def test_a_cut_chunked_body_starts_again(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, Reply(body=BIG, chunked=True, cut_after=100), Reply(body=BIG, chunked=True))
    assert place.fetch().path.read_bytes() == BIG


@pytest.mark.parametrize("ranges", [True, False])
def test_a_body_cut_every_time_is_an_error(place: Place, server: ScriptedServer, ranges: bool) -> None:
    server.script(PATH, serve_file(BIG, ranges=ranges, cuts=[1000] * 20))
    with pytest.raises(FetchError, match=r"cut after \d+ bytes of 512000, 4 times in all") as caught:
        place.fetch()
    assert caught.value.transient
    assert place.kept() == {}


def test_a_length_that_is_never_reached_is_an_error(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, Reply(body=CSV, announced=len(CSV) + 10, headers={"ETag": '"v1"'}))
    with pytest.raises(FetchError, match=f"after {len(CSV)} bytes of {len(CSV) + 10}"):
        place.fetch()


def test_an_error_while_resuming_keeps_nothing(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, serve_file(BIG, cuts=[1000]), Reply(404))
    with pytest.raises(FetchError, match="HTTP 404"):
        place.fetch()
    assert place.kept() == {}


def test_a_stalled_body_times_out_and_is_resumed(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, Reply(body=BIG, headers={"ETag": '"v1"'}, stall_after=1000), serve_file(BIG))
    assert hurried(place).fetch().path.read_bytes() == BIG
    assert server.requests(PATH)[1].headers["range"] == "bytes=1000-"


def test_a_body_that_stalls_every_time_is_transient(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, Reply(body=BIG, stall_after=1000))
    with pytest.raises(FetchError, match="timed out") as caught:
        hurried(place).fetch()
    assert caught.value.transient
    assert place.kept() == {}


def test_a_trickle_is_given_up(place: Place, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 10**9, 3600))
    monkeypatch.setattr(http, "_now", lambda: float(next(ticks)))
    server.script(PATH, serve_file(CSV))
    with pytest.raises(FetchError, match="bytes in 3600 s") as caught:
        place.fetch()
    assert caught.value.transient


# --- size, content, redirects -------------------------------------------------------------------------------------


def test_an_endless_body_stops_at_the_ceiling(
    place: Place, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.sources.fetch._SMALLEST_CEILING", 0)
    server.script(PATH, Reply(endless=True))
    with pytest.raises(FetchError, match=r"more than the 8000000 bytes allowed.*bytes\.maximum") as caught:
        place.fetch()
    assert not caught.value.transient
    assert place.kept() == {}


def test_an_announced_length_over_the_ceiling_is_refused_unread(
    place: Place, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Archive, "store", lambda *_, **__: pytest.fail("was read"))
    server.script(PATH, Reply(announced=1 << 40))
    with pytest.raises(FetchError, match="bytes allowed"):
        place.fetch()


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(body=b"<!DOCTYPE html><title>Erreur</title>" * 9, headers={"Content-Type": "text/html"}), "page_html"),
        (Reply(), "fichier_vide"),
    ],
)
def test_a_page_or_nothing_with_status_200_fails_a_validation(
    place: Place, server: ScriptedServer, reply: Reply, expected: str
) -> None:
    server.script(PATH, serve_file(CSV), reply, serve_file(CSV))
    good = place.fetch()
    before = place.kept()
    assert expected in place.failing()
    after = place.kept()
    assert after.pop("log.jsonl").startswith(before.pop("log.jsonl"))  # only added to
    assert before.items() <= after.items()
    assert place.failing() == []
    assert place.fetch().sha256 == good.sha256


def test_redirects_are_followed_and_logged(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, Reply(302, headers={"Location": "/b?token=s3cr3t"}))
    server.script("/b", Reply(308, headers={"Location": server.url("/c/autre.csv")}))
    server.script("/c/autre.csv", serve_file(CSV))
    fetched = place.fetch()
    assert (fetched.url, fetched.final_url) == (server.url(PATH), server.url("/c/autre.csv"))
    assert fetched.name == "autre.csv"
    assert place.log()[0]["redirects"] == [
        {"status": "302", "from": server.url(PATH), "to": server.url("/b?token=***")},
        {"status": "308", "from": server.url("/b?token=***"), "to": server.url("/c/autre.csv")},
    ]
    assert place.fetch().unchanged  # the conditions reach the last address


def test_a_redirect_loop_is_an_error(place: Place, server: ScriptedServer) -> None:
    server.script(PATH, Reply(301, headers={"Location": PATH}))
    with pytest.raises(FetchError, match="more than 10 redirects"):
        place.fetch()
    assert len(server.requests(PATH)) == 11


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://exemple.invalid/x", "http://[bad", "javascript:x"])
def test_a_redirect_elsewhere_is_refused(place: Place, server: ScriptedServer, target: str) -> None:
    server.script(PATH, Reply(302, headers={"Location": target}))
    with pytest.raises(FetchError, match=r"redirect to .* refused"):
        place.fetch()


@pytest.mark.parametrize(
    ("url", "target", "refused"),
    [
        ("https://a.invalid/x", "http://a.invalid/x", True),
        ("https://a.invalid/x", "https://b.invalid/x", False),
        ("http://a.invalid/x", "https://a.invalid/x", False),
        ("https://a.invalid/x", "https://127.0.0.1/x", True),
        ("https://a.invalid/x", "https://localhost:8080/x", True),
        ("https://a.invalid/x", "https://169.254.169.254/latest", True),
        ("https://a.invalid/x", "https://[::1]/x", True),
        ("http://127.0.0.1/x", "http://localhost/x", False),
    ],
)
def test_which_redirects_are_refused(url: str, target: str, refused: bool) -> None:
    assert (redirect_refusal(url, target) is not None) is refused


def test_secrets_of_an_address_reach_no_log_and_no_message(
    place: Place, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keyed = live(place, server.url("/data?apikey=s3cr3t"))
    server.script("/data", Reply(500), serve_file(CSV, cuts=[10]), serve_file(CSV), Reply(404))
    assert keyed.fetch().url == server.url("/data?apikey=***")
    assert server.asked[0].path == "/data?apikey=s3cr3t"
    with pytest.raises(FetchError) as caught:
        keyed.fetch()
    nobody = live(place, "http://127.0.0.1:1/data?apikey=s3cr3t")
    with pytest.raises(FetchError) as refused:
        nobody.fetch()
    everything = [str(caught.value), str(refused.value), caplog.text, place.archive.log_path.read_text()]
    assert all("s3cr3t" not in text for text in everything)
    assert refused.value.__suppress_context__


# --- a full disk --------------------------------------------------------------------------------------------------


def test_a_full_disk_during_a_download(place: Place, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.script(PATH, serve_file(CSV), serve_file(BIG, etag='"v2"'))
    place.fetch()
    before = place.kept()
    real, seen = disk.write, [0]

    def full(descriptor: int, data: bytes) -> None:
        seen[0] += 1
        if seen[0] == 2:
            real(descriptor, data[: len(data) // 2])
            raise OSError(28, "No space left on device")
        real(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr(disk, "write", full)
        with pytest.raises(ArchiveError, match="no space left: free some"):
            place.fetch()
    assert place.kept() == before
    assert place.fetch().path.read_bytes() == BIG


# --- folders, inbox, demonstration --------------------------------------------------------------------------------


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    (folder / "insee").mkdir(parents=True)
    (folder / "insee" / "TABLE_2021.csv").write_bytes(CSV)
    return folder


@pytest.fixture
def local(tmp_path: Path, mirror: Path) -> Place:
    return Place(Settings(home=tmp_path / "home", sources="mirror", mirror=str(mirror)))


def test_a_folder_mirror(local: Place, mirror: Path) -> None:
    fetched = local.fetch()
    assert fetched.path.read_bytes() == CSV
    assert (fetched.url, fetched.origin) == ("mirror:insee/TABLE_2021.csv", "mirror")
    assert fetched.final_url == (mirror / "insee" / "TABLE_2021.csv").as_uri()


def test_an_unchanged_copy_is_neither_written_nor_logged_again(local: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    local.fetch()
    before = local.kept()
    with monkeypatch.context() as patch:
        patch.setattr(disk, "write", lambda *_: pytest.fail("written again"))
        assert local.fetch().unchanged
    assert local.kept() == before


def test_a_copy_changed_under_the_same_size_and_date_is_seen(local: Place, mirror: Path) -> None:
    before, path = local.fetch(), mirror / "insee" / "TABLE_2021.csv"
    stat = path.stat()
    path.write_bytes(CSV.replace(b"1200", b"1300"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    after = local.fetch()
    assert (after.unchanged, after.size) == (False, before.size)
    assert after.sha256 != before.sha256


def test_a_copy_missing_from_the_mirror(local: Place, mirror: Path) -> None:
    (mirror / "insee" / "TABLE_2021.csv").unlink()
    with pytest.raises(
        SourceMissing, match=r"has no insee/TABLE_2021\.csv.*exemple\.invalid/page.*inbox/TABLE_2021\.csv"
    ):
        local.fetch()


def test_a_mirror_that_is_not_there(local: Place, tmp_path: Path) -> None:
    for place, expected in ((str(tmp_path / "absent"), "no such folder"), ("ftp://x.invalid/y", "not ftp://")):
        local.settings = local.settings.model_copy(update={"mirror": place})
        with pytest.raises(FetchError, match=expected):
            local.fetch()


def test_a_copy_over_the_ceiling(local: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_project.sources.fetch._SMALLEST_CEILING", 0)
    local.dataset = sample_dataset(bytes={"minimum": 1, "maximum": 2})
    with pytest.raises(FetchError, match="more than the 16 allowed"):
        local.fetch()


def test_no_copy_and_no_address_say_what_to_do(local: Place) -> None:
    nowhere = sample_file(live={"note": "à demander au producteur"}, mirror=None)
    local.dataset = sample_dataset({"2021": (nowhere,)})
    with pytest.raises(SourceMissing, match="names no copy"):
        local.fetch()
    local.settings = local.settings.model_copy(update={"sources": "live"})
    with pytest.raises(SourceMissing, match=r"no direct address .à demander au producteur.*inbox"):
        local.fetch()


def test_a_shapefile_comes_with_its_companions(local: Place, mirror: Path) -> None:
    paths = ["qpv/Q.shp", "qpv/Q.dbf", "qpv/Q.shx", "qpv/Q.prj"]
    file = sample_file("QP", crs="EPSG:2154", mirror={"paths": paths, "copy_of": "producer_bytes"})
    local.dataset = sample_dataset({"2015": (file,)}, format="shapefile")
    (mirror / "qpv").mkdir()
    for path in paths:
        (mirror / path).write_bytes(path.encode())
    parts = local.fetch_all()
    assert [part.path.read_bytes().decode() for part in parts] == paths
    key = "insee_exemple/2015/QP"
    assert [part.key for part in parts] == [key, f"{key}/dbf", f"{key}/shx", f"{key}/prj"]
    inbox = local.settings.inbox_dir
    inbox.mkdir(parents=True)
    for name in ("QP.dbf", "QP.shp", "qp.SHX"):
        (inbox / name).write_bytes(b"dropped")
    assert [part.name for part in local.fetch_all()] == ["QP.shp", "QP.dbf", "qp.SHX"]
    (inbox / "QP.shp").unlink()
    with pytest.raises(FetchError, match=r"no \.shp"):
        local.fetch_all()


@pytest.mark.parametrize("name", ["TABLE_2021.csv", "TABLE_2021.zip", "table_2021.CSV", "publication.csv"])
def test_the_inbox_comes_first(local: Place, name: str) -> None:
    file = sample_file(live={"url": "https://exemple.invalid/fichier/publication.csv"})
    local.dataset = sample_dataset({"2021": (file,)})
    local.settings.inbox_dir.mkdir(parents=True)
    (local.settings.inbox_dir / name).write_bytes(b"dropped")
    for kind in ("mirror", "live"):
        local.settings = local.settings.model_copy(update={"sources": kind})
        fetched = local.fetch()
        assert (fetched.origin, fetched.name, fetched.url) == ("inbox", name, f"inbox:{name}")
        assert fetched.path.read_bytes() == b"dropped"


def test_unfinished_and_foreign_files_in_the_inbox_are_left_alone(local: Place) -> None:
    inbox = local.settings.inbox_dir
    inbox.mkdir(parents=True)
    for name in ("TABLE_2021.part", "TABLE_2021.crdownload", ".TABLE_2021.csv", "TABLE_20211.csv", "AUTRE.csv"):
        (inbox / name).write_bytes(b"x")
    assert local.fetch().origin == "mirror"


def test_two_candidates_in_the_inbox_are_refused(local: Place) -> None:
    inbox = local.settings.inbox_dir
    inbox.mkdir(parents=True)
    for name in ("TABLE_2021.csv", "TABLE_2021.zip"):
        (inbox / name).write_bytes(b"x")
    with pytest.raises(FetchError, match=r"TABLE_2021\.csv, TABLE_2021\.zip; leave only one"):
        local.fetch()


def test_references_are_the_earlier_bytes_and_the_earlier_vintage(local: Place, mirror: Path) -> None:
    years = ("2018", "2019", "2021")
    local.dataset = sample_dataset({year: (sample_file(f"TABLE_{year}"),) for year in years})
    fetched: dict[str, tuple[ArchivedFile, ...]] = {}
    for year in years:
        (mirror / "insee" / f"TABLE_{year}.csv").write_bytes(CSV + year.encode())
    for vintage in local.dataset.vintages:
        fetched[vintage.vintage] = fetch_file(local.dataset, vintage, vintage.files[0], local.settings)
    last = local.dataset.vintages[-1]
    assert references(local.dataset, last, last.files[0], fetched["2021"], local.settings) == fetched["2019"]
    (mirror / "insee" / "TABLE_2021.csv").write_bytes(CSV)
    again = fetch_file(local.dataset, last, last.files[0], local.settings)
    found = references(local.dataset, last, last.files[0], again, local.settings)
    assert found == (*fetched["2021"], *fetched["2019"])
    assert references(*first(local.dataset), fetched["2018"], local.settings) == ()


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A stand-in for the generator of the demonstration; returns the seeds it was called with."""
    seeds: list[int] = []

    def write_demo(folder: Path, seed: int) -> None:
        seeds.append(seed)
        (folder / "insee").mkdir(parents=True, exist_ok=True)
        (folder / "insee" / "TABLE_2021.csv").write_bytes(CSV + b"%d" % seed)

    monkeypatch.setattr(demo, "write_demo", write_demo)
    return seeds


def fetch_demo(settings: Settings) -> ArchivedFile:
    """As a run does: who runs the sources writes the demonstration first."""
    demo.ensure_demo(settings)
    return Place(settings).fetch()


def test_the_demonstration_is_read_like_a_mirror(settings: Settings, generator: list[int]) -> None:
    fetched = fetch_demo(settings)
    assert (fetched.origin, fetched.url) == ("demo", "demo:insee/TABLE_2021.csv")
    assert fetch_demo(settings).unchanged
    assert set(generator) == {settings.demo_seed}


def test_another_seed_gives_another_demonstration(settings: Settings, generator: list[int]) -> None:
    fetch_demo(settings)
    other = fetch_demo(settings.model_copy(update={"demo_seed": 7}))
    assert not other.unchanged
    assert other.path.read_bytes() == CSV + b"7"


def test_a_folder_that_is_no_demonstration_is_left_alone(settings: Settings) -> None:
    settings.demo_mirror.mkdir(parents=True)
    (settings.demo_mirror / "mine.csv").write_bytes(CSV)
    with pytest.raises(FetchError, match="use another folder"):
        fetch_demo(settings)
    assert (settings.demo_mirror / "mine.csv").read_bytes() == CSV


def test_the_demonstration_never_reads_the_inbox(settings: Settings, generator: list[int]) -> None:
    settings.inbox_dir.mkdir(parents=True)
    (settings.inbox_dir / "TABLE_2021.csv").write_bytes(b"real")
    assert fetch_demo(settings).origin == "demo"


def test_the_server_records_what_it_was_asked(server: ScriptedServer) -> None:
    assert server.requests("/x") == []
    assert server.answer(Asked("/x", {})).status == 404
