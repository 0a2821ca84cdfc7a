"""The whole suite with full draws, in parts: `python -m tests.parts`, or `make test-all`.

A part that passed leaves a stamp named after the code that it passed on, and is not run again on that code: an
interrupted or failed session goes on where it stopped. Each part is pytest on some files of tests, and can be run alone
(`python -m tests.parts graph`).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.conftest import REAL_DATA

ROOT = Path(__file__).parents[1]
STAMPS = ROOT / ".pytest_cache" / "parts"
WORKERS = "2"
MUTATION, REAL = "integration/test_mutation.py", "integration/test_real_sources.py"
# What no test reads, or what tests leave behind.
NOT_CODE = {".git", ".venv", ".pytest_cache", ".hypothesis", ".mypy_cache", ".ruff_cache", ".import_linter_cache"}
NOT_CODE |= {"__pycache__", "target", "logs", "var", "build"}


def parts(tests: Path) -> dict[str, list[str]]:
    """Files of tests, from the root, by part; each file is in one part."""
    found = {path.relative_to(tests).as_posix() for path in tests.rglob("test_*.py")}
    unit = {name for name in found if name.startswith("unit/")}
    alone = {MUTATION, REAL}
    named = {
        "unit": unit,
        "graph": found - unit - alone,
        "west": {REAL},
        "mutation": {MUTATION},
    }
    return {part: [f"{tests.name}/{name}" for name in sorted(names)] for part, names in named.items()}


def code_digest(root: Path) -> str:
    """Digest of every file of the project that a test may read, and of what tests skip without."""
    digest = hashlib.sha256(f"{REAL_DATA.is_dir()} {shutil.which('chromium')}".encode())
    for path in sorted(_files(root)):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(root: Path) -> Iterable[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_CODE and not name.endswith(".egg-info")]
        yield from (Path(folder) / name for name in names if not name.endswith(".pyc"))


def run_part(files: list[str]) -> int:
    """Run pytest on these files with full draws: its status."""
    command = [sys.executable, "-m", "pytest", "-n", WORKERS, *files]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"DQ_TEST_DRAWS": "full"}, check=False).returncode


def main() -> int:
    """Run the parts named, or all; stop at the first that fails. 0 when all have passed on this code."""
    known = parts(ROOT / "tests")
    parser = argparse.ArgumentParser(prog="python -m tests.parts", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"of {', '.join(known)}; default: all")
    asked = parser.parse_args().part or list(known)
    if unknown := set(asked) - set(known):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    STAMPS.mkdir(parents=True, exist_ok=True)
    for part in asked:
        code, stamp = code_digest(ROOT), STAMPS / part
        if stamp.exists() and stamp.read_text(encoding="utf-8") == code:
            print(f"{part}: passed already on this code")
            continue
        began = time.monotonic()
        if status := run_part(known[part]):
            print(f"{part}: failed; run the same command again once it is mended")
            return status
        stamp.write_text(code, encoding="utf-8")
        print(f"{part}: passed in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
