"""The few effects on the disk that can fail half-way, apart so that tests can make each one fail in turn."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

_log = logging.getLogger(__name__)

CHUNK = 1 << 20


def file_chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a mebibyte at a time."""
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK):
            yield chunk


def sha256_of(path: Path) -> str:
    """Digest of a file, computed from its bytes."""
    digest = hashlib.sha256()
    for chunk in file_chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def write(descriptor: int, data: bytes) -> None:
    """Write all of `data`: the system may take only part of it at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync(descriptor: int) -> None:
    """Force to the disk what was written."""
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Force to the disk the names in a folder, without which a rename may be lost in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def rename(source: Path, target: Path) -> None:
    """Move within one file system, at once."""
    source.rename(target)


def sweep(folder: Path) -> None:
    """Remove `*.part` files whose writer (which holds a lock on its own) was killed."""
    for path in folder.glob("*.part"):
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # its writer has just finished with it
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except BlockingIOError:
            _log.debug("%s is being written by another process", path)
        finally:
            os.close(descriptor)
