"""Digests of a release folder: written once, checked as often as one likes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from dagster_project.sources import disk

SUMS = "SHA256SUMS"


def digest_files(folder: Path, known: Mapping[str, str], *, without: Collection[str] = ()) -> dict[str, str]:
    """SHA-256 of each file by name, in order; those already known are not read again."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name not in without)
    return {name: known.get(name) or disk.sha256_of(folder / name) for name in names}


def write_sums(folder: Path, digests: Mapping[str, str]) -> None:
    """Write SHA256SUMS in the form that `sha256sum -c` reads."""
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    (folder / SUMS).write_text(text, encoding="utf-8")


def read_sums(folder: Path) -> dict[str, str]:
    """Digests by name, as SHA256SUMS has them."""
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def damaged_files(folder: Path) -> list[str]:
    """Names in SHA256SUMS whose file is absent or has other bytes."""
    return [
        name
        for name, digest in read_sums(folder).items()
        if not (folder / name).is_file() or disk.sha256_of(folder / name) != digest
    ]
