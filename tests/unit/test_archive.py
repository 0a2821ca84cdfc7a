"""The archive keeps every byte once, logs after it keeps, and survives full disks and kills at every write."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dagster_project.sources import disk
from dagster_project.sources.archive import Archive, ArchivedFile, ArchiveError
from dagster_project.sources.redaction import redact

EFFECTS = ("write", "sync", "rename")
# two blocks, the object, its move and the two folders that name it, then the log line
_EFFECTS_OF_A_STORE = ("write", "write", "sync", "rename", "sync", "sync", "write", "sync")


def keep(archive: Archive, *chunks: bytes, key: str = "insee_exemple/2021/T", **changes: Any) -> ArchivedFile:
    arguments: dict[str, Any] = {
        "name": "T.csv",
        "url": "https://exemple.invalid/T.csv",
        "final_url": "https://exemple.invalid/T.csv",
        "headers": {},
        "origin": "live",
        "max_bytes": 1000,
    }
    return archive.store(iter(chunks), key=key, **{**arguments, **changes})


def files(root: Path) -> dict[str, bytes]:
    """Every file of the archive with its bytes; empty ones (the lock, a log without a line) hold nothing."""
    found = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if content or name.startswith(("objects", "tmp"))}


def sabotage(monkeypatch: pytest.MonkeyPatch | None, turn: int, fail: Callable[[], None]) -> list[str]:
    """Make the turn-th effect on the disk fail, a write after half of its bytes; returns the effects seen."""
    seen: list[str] = []
    for name in EFFECTS:
        real = getattr(disk, name)

        def effect(*arguments: Any, name: str = name, real: Callable[..., None] = real) -> None:
            seen.append(name)
            if len(seen) == turn:
                if name == "write":
                    real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                fail()
            real(*arguments)

        if monkeypatch is None:
            setattr(disk, name, effect)
        else:
            monkeypatch.setattr(disk, name, effect)
    return seen


def disk_full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def test_bytes_are_kept_under_their_digest(archive: Archive) -> None:
    kept = keep(archive, b"abc", b"def")
    assert kept.sha256 == hashlib.sha256(b"abcdef").hexdigest()
    assert kept.path == archive.root / "objects" / kept.sha256[:2] / kept.sha256
    assert (kept.path.read_bytes(), kept.size, kept.unchanged) == (b"abcdef", 6, False)
    assert set(files(archive.root)) == {f"objects/{kept.sha256[:2]}/{kept.sha256}", "log.jsonl"}


def test_the_log_is_read_back_by_another_process(archive: Archive) -> None:
    kept = keep(archive, b"abc", headers={"ETag": '"v1"', "Content-Type": "text/csv"})
    again = Archive(archive.root)
    assert again.latest(kept.key, "live") == kept
    assert again.history(kept.key) == [kept]
    assert again.latest(kept.key, "mirror") is None
    assert kept.headers == {"content-type": "text/csv", "etag": '"v1"'}


def test_the_same_bytes_are_kept_once_and_logged_twice(archive: Archive) -> None:
    first, second = keep(archive, b"abc"), keep(archive, b"abc")
    assert (first.unchanged, second.unchanged) == (False, True)
    assert len(archive.history(first.key)) == 2
    assert len(files(archive.root)) == 2


def test_new_bytes_leave_the_earlier_ones_in_place(archive: Archive) -> None:
    first = keep(archive, b"abc")
    second = keep(archive, b"abcd")
    assert (first.path.read_bytes(), second.path.read_bytes(), second.unchanged) == (b"abc", b"abcd", False)
    assert archive.latest(first.key, "live") == second


def test_an_instance_sees_what_others_log(archive: Archive) -> None:
    assert archive.history("k") == []
    keep(Archive(archive.root), b"1", key="k")
    keep(Archive(archive.root), b"2", key="k")
    assert [entry.path.read_bytes() for entry in archive.history("k")] == [b"1", b"2"]


def test_objects_cannot_be_written_to(archive: Archive) -> None:
    assert keep(archive, b"abc").path.stat().st_mode & 0o222 == 0


def test_a_damaged_object_is_set_aside_and_replaced(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    kept = keep(archive, b"abc")
    kept.path.chmod(0o644)
    kept.path.write_bytes(b"abX")
    assert not archive.is_intact(kept.sha256)
    keep(archive, b"abc")
    assert archive.is_intact(kept.sha256)
    aside = [path for path in kept.path.parent.iterdir() if path != kept.path]
    assert [path.read_bytes() for path in aside] == [b"abX"]
    assert "no longer has its digest" in caplog.text


def test_a_confirmation_is_logged_and_keeps_the_time_of_reception(archive: Archive) -> None:
    kept = keep(archive, b"abc", headers={"ETag": '"v1"', "Age": "1"})
    confirmed = archive.record_unchanged(kept, {"Age": "9"})
    assert (confirmed.unchanged, confirmed.fetched_at) == (True, kept.fetched_at)
    assert confirmed.headers == {"age": "9", "etag": '"v1"'}
    lines = [json.loads(line) for line in archive.log_path.read_text().splitlines()]
    assert len(lines) == 2
    assert "checked_at" in lines[1]


@pytest.mark.parametrize("before", [False, True], ids=["first file", "after another"])
def test_a_full_disk_at_any_point_leaves_the_archive_as_it_was(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    if before:
        keep(archive, b"earlier")
    snapshot = files(archive.root) if before else {}
    seen: list[str] = []
    kept: ArchivedFile | None = None
    for turn in range(1, 50):
        with monkeypatch.context() as patch:
            seen = sabotage(patch, turn, disk_full)
            if turn > len(_EFFECTS_OF_A_STORE):
                kept = keep(archive, b"abc", b"def")
                break
            with pytest.raises(ArchiveError, match="no space left: free some"):
                keep(archive, b"abc", b"def")
        assert files(archive.root) == snapshot, f"turn {turn}: {seen}"
    assert kept is not None
    assert tuple(seen) == _EFFECTS_OF_A_STORE
    assert archive.latest(kept.key, "live") == kept
    assert kept.path.read_bytes() == b"abcdef"


def test_the_object_is_durable_before_the_log_names_it(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[int, int]] = []
    fsync, append = os.fsync, Archive._append

    def spy_on_disk(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(_inode_and_size(os.fstat(descriptor)))

    def spy_on_log(self: Archive, entry: ArchivedFile, *arguments: Any, **more: Any) -> None:
        assert archive.is_intact(entry.sha256)
        steps = [entry.path, entry.path.parent, entry.path.parent.parent]
        assert synced == [_inode_and_size(path.stat()) for path in steps]
        append(self, entry, *arguments, **more)

    monkeypatch.setattr(os, "fsync", spy_on_disk)
    monkeypatch.setattr(Archive, "_append", spy_on_log)
    keep(archive, b"abc")
    assert synced[3:] == [_inode_and_size(archive.log_path.stat())]


def _inode_and_size(stat: os.stat_result) -> tuple[int, int]:
    """Which file, and how much of it was there."""
    return stat.st_ino, stat.st_size


def _store_and_die(root: Path, turn: int) -> None:
    sabotage(None, turn, lambda: os.kill(os.getpid(), signal.SIGKILL))
    keep(Archive(root), b"abc", b"def", key="killed")


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_kill_at_any_point_is_recovered_from(archive: Archive) -> None:
    earlier = keep(archive, b"earlier")
    for turn in range(1, 50):
        process = multiprocessing.get_context("fork").Process(target=_store_and_die, args=(archive.root, turn))
        process.start()
        process.join()
        opened = Archive(archive.root)
        assert opened.latest(earlier.key, "live") == earlier
        assert all(opened.is_intact(entry.sha256) for entry in opened.history("killed"))
        again = keep(opened, b"abc", b"def", key=f"again {turn}")
        assert again.path.read_bytes() == b"abcdef"
        assert not list((archive.root / "tmp").iterdir())
        assert Archive(archive.root).history(again.key) == [again]
        again.path.unlink()  # so that the next turn writes it anew
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
    assert turn == 1 + len(_EFFECTS_OF_A_STORE)


def test_an_error_of_the_source_keeps_nothing(archive: Archive) -> None:
    def broken() -> Iterator[bytes]:
        yield b"abc"
        raise ConnectionError("cut")

    with pytest.raises(ConnectionError, match="cut"):
        archive.store(broken(), key="k", name="n", url="u", final_url="u", headers={}, origin="live", max_bytes=9)
    assert files(archive.root) == {}


def test_a_stream_beyond_the_ceiling_is_refused(archive: Archive) -> None:
    with pytest.raises(ArchiveError, match=r"T\.csv: more than 5 bytes.*bytes\.maximum"):
        keep(archive, b"abc", b"def", max_bytes=5)
    assert files(archive.root) == {}
    assert keep(archive, b"abcde", max_bytes=5).size == 5


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.EACCES, "check the owner and rights"), (errno.EROFS, "check the owner"), (errno.EIO, "check this disk")],
)
def test_errors_of_the_disk_say_what_to_do(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(disk, "rename", fail)
    with pytest.raises(ArchiveError, match=advice):
        keep(archive, b"abc")


def test_a_torn_last_line_is_reported_and_not_glued_to(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    first = keep(archive, b"abc")
    with archive.log_path.open("ab") as handle:
        handle.write(b'{"sha256": "0')
    torn = Archive(archive.root)
    assert torn.history(first.key) == [first]
    assert list(torn.damaged) == [archive.log_path.read_bytes().index(b"\n") + 1]
    assert "cannot be read, skipped" in caplog.text
    second = keep(torn, b"abcd")
    assert Archive(archive.root).history(first.key) == [first, second]


def test_a_line_of_something_else_is_skipped(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    first = keep(archive, b"abc")
    with archive.log_path.open("ab") as handle:
        handle.write(b'\n[1, 2]\n{"sha256": 3}\nnot json\n')
    opened = Archive(archive.root)
    assert opened.history(first.key) == [first]
    assert len(opened.damaged) == 3


def test_a_replaced_log_is_read_afresh(archive: Archive) -> None:
    keep(archive, b"abc", key="old")
    assert archive.history("old")
    archive.log_path.unlink()
    assert archive.history("old") == []
    keep(archive, b"abc", key="new")
    assert (archive.history("old"), len(archive.history("new"))) == ([], 1)


def test_a_temporary_in_use_is_left_alone(archive: Archive) -> None:
    keep(archive, b"abc")
    used, left = archive.root / "tmp" / "used.part", archive.root / "tmp" / "left.part"
    left.write_bytes(b"from a killed process")
    with used.open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        keep(archive, b"abcd")
        assert [path.name for path in (archive.root / "tmp").iterdir()] == ["used.part"]


def test_a_temporary_that_vanishes_during_the_sweep_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "gone.part").symlink_to(tmp_path / "nowhere")  # listed, yet cannot be opened
    disk.sweep(tmp_path)


def test_the_log_is_written_by_one_at_a_time(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    append, tried = Archive._append, []

    def spy(self: Archive, *arguments: Any, **more: Any) -> None:
        with (archive.root / ".lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                tried.append("free")
            except BlockingIOError:
                tried.append("held")
        append(self, *arguments, **more)

    monkeypatch.setattr(Archive, "_append", spy)
    entry = keep(archive, b"abc")
    archive.record_unchanged(entry, {})
    assert tried == ["held", "held"]


def test_many_writers_lose_no_line(archive: Archive) -> None:
    def write(number: int) -> None:
        keep(Archive(archive.root), b"same" if number % 2 else b"%d" % number, key=f"k{number}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(24)))
    assert all(len(archive.history(f"k{number}")) == 1 for number in range(24))
    assert archive.damaged == {}


def test_the_log_holds_no_secret(archive: Archive) -> None:
    address = "https://jean:motdepasse@exemple.invalid/T.csv?format=csv&apikey=s3cr3t1&Token=s3cr3t2#x"
    kept = keep(
        archive,
        b"abc",
        url=address,
        final_url=address,
        headers={"Set-Cookie": "s3cr3t3", "Authorization": "s3cr3t4", "Link": f"<{address}>"},
        redirects=[{"status": "302", "from": address, "to": address}],
    )
    logged = archive.log_path.read_text()
    assert "s3cr3t" not in logged
    assert "motdepasse" not in logged
    assert kept.url == "https://***@exemple.invalid/T.csv?format=csv&apikey=***&Token=***#x"
    assert json.loads(logged)["redirects"][0]["to"] == kept.url
    assert list(kept.headers) == ["link"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/data?key=abc", "/data?key=***"),
        ("/data?a=1;access_token=abc&b=2", "/data?a=1;access_token=***&b=2"),
        ("url: /x?X-Amz-Signature=abc (Caused by y)", "url: /x?X-Amz-Signature=*** (Caused by y)"),
        ("/data?monkey=abc&keyword=x", "/data?monkey=abc&keyword=x"),
        ("https://exemple.invalid/@page?x=1", "https://exemple.invalid/@page?x=1"),
    ],
)
def test_redaction(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_a_hostile_name_cannot_forge_a_log_line(archive: Archive) -> None:
    keep(archive, b"abc", name='x\n{"key": "forged"}\x1b[31m')
    assert len(archive.log_path.read_bytes().splitlines()) == 1
    assert archive.history("forged") == []


def test_nothing_is_logged_at_warning_level_when_all_is_well(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        keep(archive, b"abc")
    assert caplog.records == []
