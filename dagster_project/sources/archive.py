"""The archive: every byte ever received, kept once under its SHA-256, with the log of its downloads.

A write goes to a temporary name while it is hashed, is synced, then moved to `objects/ab/<sha256>`; only
then does a line enter `log.jsonl`. Whatever stops the process in between (kill, full disk, power cut), the
log never names bytes that are not there, and nothing that was there is touched.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster_project.sources import disk
from dagster_project.sources.redaction import loggable_headers, redact

_log = logging.getLogger(__name__)


class ArchiveError(RuntimeError):
    """The archive could not keep a file. It is as it was before; the message says what to do."""


@dataclass(frozen=True)
class ArchivedFile:
    """One received file: where its bytes are, and how they came."""

    sha256: str
    size: int
    path: Path
    name: str
    key: str
    url: str
    final_url: str
    fetched_at: str
    headers: dict[str, str]
    origin: str
    unchanged: bool


class Archive:
    """The archive under one folder. Several processes may write to it at the same time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log_path = root / "log.jsonl"
        self.damaged: dict[int, str] = {}  # byte offset in the log -> what could not be read there
        self._entries: list[ArchivedFile] = []
        self._offset = self._inode = 0
        self._reading = threading.Lock()

    def object_path(self, sha256: str) -> Path:
        """Where the bytes with this digest are, or would be."""
        return self.root / "objects" / sha256[:2] / sha256

    def is_intact(self, sha256: str) -> bool:
        """Whether the object is there and its bytes still have the digest it is named after."""
        path = self.object_path(sha256)
        return path.is_file() and disk.sha256_of(path) == sha256

    def latest(self, key: str, origin: str) -> ArchivedFile | None:
        """The last reception logged under this key from this origin."""
        return next((entry for entry in reversed(self._read_log()) if (entry.key, entry.origin) == (key, origin)), None)

    def history(self, key: str | None = None) -> list[ArchivedFile]:
        """Every reception logged under this key, or under any, oldest first."""
        return [entry for entry in self._read_log() if key in (None, entry.key)]

    def store(
        self,
        chunks: Iterable[bytes],
        *,
        key: str,
        name: str,
        url: str,
        final_url: str,
        headers: Mapping[str, str],
        origin: str,
        max_bytes: int,
        redirects: Sequence[Mapping[str, str]] = (),
    ) -> ArchivedFile:
        """Keep a stream of bytes and log its reception.

        Args:
            chunks: the bytes, in any pieces.
            key: stable logical name, such as `insee_demo/2021/DEMO_2021`.
            name: file name as received.
            url: address asked.
            final_url: address that answered, after redirects.
            headers: those of the answer; cookies and credentials are dropped.
            origin: demo, mirror, live or inbox.
            max_bytes: ceiling beyond which the stream is refused.
            redirects: hops between `url` and `final_url`, kept in the log.

        Raises:
            ArchiveError: nothing was kept (no space, no permission, ceiling passed).
            Exception: whatever `chunks` raises passes through, nothing being kept either.
        """
        with self._temporary() as (descriptor, temporary):
            sha256, size = self._spool(descriptor, chunks, name, max_bytes)
            received = ArchivedFile(
                sha256=sha256,
                size=size,
                path=self.object_path(sha256),
                name=name,
                key=key,
                url=redact(url),
                final_url=redact(final_url),
                fetched_at=_utc_now(),
                headers=loggable_headers(headers),
                origin=origin,
                unchanged=False,
            )
            return self._commit(received, temporary, redirects)

    def restore(self, entry: ArchivedFile, chunks: Iterable[bytes], **notes: str) -> ArchivedFile:
        """Keep bytes that another archive received, under the reception logged there.

        Args:
            entry: that reception; only its `path` is not taken over.
            chunks: its bytes, in any pieces.
            notes: further fields of the log line, such as where the bytes were taken from.

        Raises:
            ArchiveError: the bytes do not have the digest of `entry`, or cannot be kept; nothing was.
        """
        with self._temporary() as (descriptor, temporary):
            sha256, _ = self._spool(descriptor, chunks, entry.name, sys.maxsize)
            if sha256 != entry.sha256:
                raise ArchiveError(f"the bytes have the digest {sha256}, not {entry.sha256}")
            return self._commit(replace(entry, path=self.object_path(sha256)), temporary, (), **notes)

    def record_unchanged(
        self, previous: ArchivedFile, headers: Mapping[str, str], redirects: Sequence[Mapping[str, str]] = ()
    ) -> ArchivedFile:
        """Log that the source confirmed the bytes kept earlier; `fetched_at` stays the time they were received."""
        confirmed = replace(previous, headers={**previous.headers, **loggable_headers(headers)}, unchanged=True)
        with self._locked():
            self._append(confirmed, redirects, checked_at=_utc_now())
        return confirmed

    @contextmanager
    def _temporary(self) -> Iterator[tuple[int, Path]]:
        folder = self.root / "tmp"
        with self._locked(), self._guarded():
            folder.mkdir(parents=True, exist_ok=True)
            disk.sweep(folder)
            descriptor, name = tempfile.mkstemp(suffix=".part", dir=folder)
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # tells a temporary in use from one left by a killed process
        try:
            yield descriptor, Path(name)
        finally:
            os.close(descriptor)
            Path(name).unlink(missing_ok=True)

    def _spool(self, descriptor: int, chunks: Iterable[bytes], name: str, max_bytes: int) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise ArchiveError(
                    f"{redact(name)}: more than {max_bytes} bytes; refused. Check that the address serves the right "
                    "file; if the file really grew, raise bytes.maximum in its catalogue entry"
                )
            digest.update(chunk)
            with self._guarded():
                disk.write(descriptor, chunk)
        with self._guarded():
            os.fchmod(descriptor, 0o444)
            disk.sync(descriptor)
        return digest.hexdigest(), size

    def _commit(
        self, received: ArchivedFile, temporary: Path, redirects: Sequence[Mapping[str, str]], **notes: str
    ) -> ArchivedFile:
        with self._locked():
            last = self.latest(received.key, received.origin)
            received = replace(received, unchanged=last is not None and last.sha256 == received.sha256)
            created = self._move_in(temporary, received.path, received.sha256)
            try:
                self._append(received, redirects, **notes)
            except ArchiveError:
                if created:
                    received.path.unlink(missing_ok=True)
                raise
        return received

    def _move_in(self, temporary: Path, target: Path, sha256: str) -> bool:
        """Move the temporary to its final name unless the same bytes are there; True when it was moved."""
        with self._guarded():
            if target.exists():
                if self.is_intact(sha256):
                    return False
                aside = target.with_name(f"{sha256}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
                _log.warning("archive object %s no longer has its digest: moved to %s, replaced", sha256, aside.name)
                disk.rename(target, aside)
            target.parent.mkdir(parents=True, exist_ok=True)
            disk.rename(temporary, target)
            try:
                disk.sync_folder(target.parent)
                disk.sync_folder(target.parent.parent)
            except OSError:
                target.unlink(missing_ok=True)
                raise
            return True

    def _append(self, entry: ArchivedFile, redirects: Sequence[Mapping[str, str]], **more: str) -> None:
        """One line, whole or not at all. The lock is held by the caller."""
        fields: dict[str, Any] = {name: value for name, value in vars(entry).items() if name != "path"}
        fields["redirects"] = [{name: redact(value) for name, value in hop.items()} for hop in redirects]
        line = json.dumps({**fields, **more}, sort_keys=True).encode("ascii") + b"\n"
        with self._guarded():
            descriptor = os.open(self.log_path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                size = os.fstat(descriptor).st_size
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    line = b"\n" + line  # a killed process left its line torn: ours must not be glued to it
                try:
                    disk.write(descriptor, line)
                    disk.sync(descriptor)
                except OSError:
                    os.ftruncate(descriptor, size)
                    raise
            finally:
                os.close(descriptor)

    def _read_log(self) -> list[ArchivedFile]:
        """All entries; only what was added since the last call is read."""
        if not self.log_path.exists():
            self._entries, self._offset = [], 0
            return self._entries
        with self._reading, self.log_path.open("rb") as handle:
            stat = os.fstat(handle.fileno())
            if stat.st_size < self._offset or stat.st_ino != self._inode:  # another log took its place
                self._entries, self._offset, self._inode = [], 0, stat.st_ino
            handle.seek(self._offset)
            for line in handle:
                entry = self._parse(line, self._offset)
                if not line.endswith(b"\n"):
                    break  # torn, or being written: looked at again next time
                self._offset += len(line)
                if entry is not None:
                    self._entries.append(entry)
        return self._entries

    def _parse(self, line: bytes, offset: int) -> ArchivedFile | None:
        if not line.strip():
            return None
        try:
            fields = json.loads(line)
            names = [name for name in ArchivedFile.__dataclass_fields__ if name != "path"]
            entry = ArchivedFile(**{name: fields[name] for name in names}, path=self.object_path(fields["sha256"]))
        except (ValueError, KeyError, TypeError) as error:
            if offset not in self.damaged:
                self.damaged[offset] = f"{type(error).__name__}: {line[:80]!r}"
                _log.warning("%s: line at byte %d cannot be read, skipped (%s)", self.log_path, offset, error)
            return None
        self.damaged.pop(offset, None)  # was seen half-written
        return entry

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._guarded():
            self.root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn an error of the disk into one a person can act on."""
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                advice = "no space left: free some on this disk and run again"
            elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                advice = "writing is refused: check the owner and rights of this folder, or set DQ_HOME elsewhere"
            else:
                advice = "check this disk and run again"
            raise ArchiveError(f"cannot write to {self.root} ({error.strerror or error}): {advice}") from error


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
