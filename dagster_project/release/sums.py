"""Digests of a release folder: written once, checked as often as one likes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from dagster_project.release.errors import ReleaseError
from dagster_project.sources import disk

SUMS = "SHA256SUMS"
_SUM = re.compile(r"^([0-9a-f]{64}) [ *](\S.*)$")


def digest_files(folder: Path, known: Mapping[str, str], *, without: Collection[str] = ()) -> dict[str, str]:
    """SHA-256 of each file by name, in order; those already known are not read again."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name not in without)
    return {name: known.get(name) or disk.sha256_of(folder / name) for name in names}


def write_sums(folder: Path, digests: Mapping[str, str]) -> None:
    """Write SHA256SUMS in the form that `sha256sum -c` reads."""
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    (folder / SUMS).write_text(text, encoding="utf-8")


def read_sums(path: Path) -> dict[str, str]:
    """Digest of each file that a `SHA256SUMS` names; raises ReleaseError naming the line that is not one."""
    sums = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = _SUM.match(line)
        if match is None:
            raise ReleaseError(f"{path}, line {number}: expected a SHA-256, two spaces and a file name")
        sums[match[2]] = match[1]
    return sums


def damaged_files(folder: Path) -> list[str]:
    """Names in SHA256SUMS whose file is absent or has other bytes."""
    return [
        name
        for name, digest in read_sums(folder / SUMS).items()
        if not (folder / name).is_file() or disk.sha256_of(folder / name) != digest
    ]
