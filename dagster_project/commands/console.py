"""What commands share: settings or a clear refusal, tables, failures."""

from __future__ import annotations

import json
from typing import Annotated, NoReturn

import typer

from dagster_project.settings import Settings, SettingsError, load_settings

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output")]
Sources = Annotated[str | None, typer.Option(help="demo, mirror or live")]
MirrorOption = Annotated[str | None, typer.Option(help="Folder or http(s) address that holds copies of the sources")]
Territory = Annotated[str | None, typer.Option(help="france, west, or dep:35,44")]


def settings_or_exit(**explicit: object) -> Settings:
    """Settings of the command; what contradicts itself ends it with a sentence."""
    try:
        return load_settings(**explicit)
    except (SettingsError, ValueError) as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """Say what is wrong and end the command with code 1."""
    typer.secho(f"dq: {message}", err=True, fg="red")
    raise typer.Exit(1)


def table(rows: list[dict[str, str]], as_json: bool, columns: tuple[str, ...]) -> None:
    """Print rows aligned, or as JSON."""
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    widths = [max([len(column), *(len(row[column]) for row in rows)]) for column in columns[:-1]]
    for row in rows:
        cells = [row[column].ljust(width) for column, width in zip(columns, widths, strict=False)]
        typer.echo("  ".join([*cells, row[columns[-1]]]).rstrip())
