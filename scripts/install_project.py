"""Make the checkout importable and put `dq` in the environment, without a build step and its downloads."""

from __future__ import annotations

import stat
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = f"""#!{sys.executable}
from dagster_project.commands.app import main

main()
"""


def install() -> None:
    """Write a path file and the command; safe to repeat."""
    Path(sysconfig.get_path("purelib"), "data_et_quartiers.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    command = Path(sysconfig.get_path("scripts"), "dq")
    command.write_text(COMMAND, encoding="utf-8")
    command.chmod(command.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


if __name__ == "__main__":
    install()
