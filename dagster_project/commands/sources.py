"""`dq sources`: the catalogue, what changed upstream, what is late."""

from __future__ import annotations

import json

import typer

from dagster_project.commands.console import Json, MirrorOption, Sources, fail, settings_or_exit, table

sources_app = typer.Typer(no_args_is_help=True, help="The catalogue; what changed upstream; what is late.")


@sources_app.command("list")
def sources_list(as_json: Json = False) -> None:
    """Every dataset of the catalogue: vintages, format, licence, official page."""
    from dagster_project.sources.catalogue import load_catalogue

    datasets = load_catalogue().values()
    if as_json:
        typer.echo(json.dumps([dataset.model_dump(mode="json") for dataset in datasets], ensure_ascii=False))
        return
    for dataset in datasets:
        vintages = ", ".join(vintage.vintage for vintage in dataset.vintages)
        typer.echo(f"{dataset.id:32} {dataset.format:9} {vintages:30} {dataset.origin.page}")


@sources_app.command("check")
def sources_check(sources: Sources = None, mirror: MirrorOption = None, as_json: Json = False) -> None:
    """Fetch every file into the archive and validate it, without building anything."""
    from dagster_project.demo_territory import ensure_demo
    from dagster_project.sources.http import FetchError
    from dagster_project.sources.status import check_sources

    settings = settings_or_exit(sources=sources, mirror=mirror)
    try:
        ensure_demo(settings)
    except FetchError as error:
        fail(str(error))
    rows = check_sources(settings, progress=lambda text: typer.secho(f"  {text}", err=True))
    table(rows, as_json, ("file", "state", "detail"))
    if any(row["state"] in {"absent", "refused"} for row in rows):
        raise typer.Exit(1)


@sources_app.command("status")
def sources_status(as_json: Json = False) -> None:
    """What the archive holds of each dataset, and what is later than its producer's rhythm."""
    from dagster_project.sources.status import source_status

    table(source_status(settings_or_exit()), as_json, ("dataset", "state", "last_fetched", "detail"))
