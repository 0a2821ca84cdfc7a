"""The demonstration territory: a fictitious mirror of the producers' files, from a seed, with its true values.

Nothing in it is real, and every folder that it writes says so. See `territory` for what it holds.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from dagster_project.settings import Settings
from dagster_project.sources.http import FetchError

MARKER = "generateur.json"


def _own_code() -> str:
    """Digest of the generator's own modules: what it writes is made again when any of them changed."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


GENERATOR_VERSION = _own_code()


class DemoError(RuntimeError):
    """The demonstration mirror cannot be written; the message says what to do."""


def is_current(folder: Path, seed: int) -> bool:
    """Whether the folder holds the whole demonstration mirror of this generator and this seed."""
    try:
        found = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return False
    return bool(found == {"version": GENERATOR_VERSION, "seed": seed})


def ensure_demo(settings: Settings) -> None:
    """Have the files of the demonstration where `sources.fetch` looks for them, when settings ask for these sources.

    They are written when absent, or made by another generator or seed; a rebuild reads the archive alone.

    Raises:
        FetchError: they cannot be written; the message says what to do.
    """
    if settings.sources != "demo" or settings.rebuild_lock:
        return
    folder = settings.demo_mirror
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / f".{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # several processes may start with an empty home
            write_demo(folder, settings.demo_seed)
    except DemoError as error:
        raise FetchError(str(error)) from error
    except OSError as error:
        raise FetchError(f"{folder} cannot be written ({error}): name another folder by DQ_HOME") from error


def write_demo(folder: Path, seed: int) -> None:
    """Write the mirror of the demonstration territory; does nothing when it is already there.

    Files are written beside, then the folder is put in place at once: a reader never sees half of it.

    Args:
        folder: becomes the root of the mirror; an older demonstration in it is replaced.
        seed: the same seed gives the same bytes.

    Raises:
        DemoError: the folder holds something else than a demonstration, which must not be lost.
    """
    if is_current(folder, seed):
        return
    if folder.exists() and not (folder.is_dir() and ((folder / MARKER).is_file() or not any(folder.iterdir()))):
        raise DemoError(f"{folder} holds files that are not a demonstration mirror (no {MARKER}): use another folder")
    from dagster_project.demo_territory.mirror import build_files

    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        fresh = aside / "new"
        fresh.mkdir()  # mkdtemp's own folder is private; the mirror keeps ordinary rights
        for path, content in build_files(seed).items():
            target = fresh / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        marker = json.dumps({"version": GENERATOR_VERSION, "seed": seed}) + "\n"
        (fresh / MARKER).write_text(marker, encoding="utf-8")
        _put_in_place(fresh, folder, aside / "old")
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _put_in_place(fresh: Path, folder: Path, old: Path) -> None:
    if folder.exists():
        folder.replace(old)
    fresh.replace(folder)
