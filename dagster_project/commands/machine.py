"""`dq doctor` and `dq ui`: this machine, and the Dagster UI on it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.commands.console import Json, fail, settings_or_exit


def doctor(as_json: Json = False) -> None:
    """What is missing on this machine, in plain words."""
    from dagster_project.commands.doctor import examine

    findings = examine(settings_or_exit())
    if as_json:
        typer.echo(json.dumps([finding.__dict__ for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            typer.echo(f"{'ok' if finding.ok else 'MANQUE':7} {finding.subject}: {finding.advice}")
    if not all(finding.ok or finding.optional for finding in findings):
        raise typer.Exit(1)


def ui(
    port: int = 3000,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="For auditors: everything can be seen, nothing can be launched")
    ] = False,
) -> None:
    """The Dagster UI on this machine only, with the schedule and sensors running."""
    import os

    from dagster_project.runner import RunError, prepare_home
    from dagster_project.settings import PROJECT_ROOT

    try:
        prepare_home(settings_or_exit())
    except RunError as error:
        fail(str(error))
    programs, workspace = Path(sys.executable).parent, str(PROJECT_ROOT / "workspace.yaml")
    place = ["-h", "127.0.0.1", "-p", str(port), "-w", workspace]
    if read_only:  # without the daemon: schedules and sensors launch runs
        program, command = programs / "dagster-webserver", ["--read-only", *place]
    else:
        program, command = programs / "dagster", ["dev", *place]
    os.execv(program, [str(program), *command])
