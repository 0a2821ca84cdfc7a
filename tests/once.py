"""What a test session makes once, whichever of its workers asks first: the others wait, then read it.

Makings stand in the folder that the workers of a session share, and go with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest

PATIENCE_S = 1800


class NotMadeError(RuntimeError):
    """What a test stands on could not be made; the first worker that tried said why."""


def common_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder of this session: that of pytest alone, or the one above those of xdist's workers."""
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "common"
    folder.mkdir(exist_ok=True)
    return folder


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder, which `make` creates and fills the first time in a session. Nothing may change it afterwards.

    A making that failed is not tried again: each test that stands on it is told what the first one was.

    Raises:
        NotMadeError: it failed before, here or on another worker.
    """
    done, failed = (folder.with_name(f"{folder.name}.{how}") for how in ("done", "failed"))
    with filelock.FileLock(f"{folder}.lock", timeout=PATIENCE_S):
        if failed.exists():
            raise NotMadeError(failed.read_text(encoding="utf-8"))
        if not done.exists():
            try:
                make(folder)
            except BaseException as error:
                failed.write_text(f"{folder.name}: {error}", encoding="utf-8")
                raise
            done.touch()
    return folder
