"""The `dq` command. Heavy imports wait inside the commands, so that `dq --help` answers at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from dagster_project import audit_cli
from dagster_project.console import Json
from dagster_project.console import fail as _fail
from dagster_project.console import settings_or_exit as _settings
from dagster_project.console import table as _table
from dagster_project.release_cli import release_app

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Data & Quartiers: figures on priority neighbourhoods."
)
sources_app = typer.Typer(no_args_is_help=True, help="The catalogue; what changed upstream; what is late.")
app.add_typer(sources_app, name="sources")
app.add_typer(release_app, name="release")
app.command()(audit_cli.explain)
app.command()(audit_cli.verify)

Sources = Annotated[str | None, typer.Option(help="demo, mirror or live")]
MirrorOption = Annotated[str | None, typer.Option(help="Folder or http(s) address that holds copies of the sources")]
Territory = Annotated[str | None, typer.Option(help="france, west, or dep:35,44")]


@app.command()
def run(
    sources: Sources = None,
    mirror: MirrorOption = None,
    territory: Territory = None,
    select: Annotated[str | None, typer.Option(help="Only these assets (Dagster selection syntax)")] = None,
    force: Annotated[bool, typer.Option("--force", help="Run the graph even when nothing changed")] = False,
    as_json: Json = False,
) -> None:
    """From the sources to a published release; publishes only what passed every blocking check."""
    settings = _settings(sources=sources, mirror=mirror, territory=territory)
    typer.secho(f"Sources: {settings.sources}; territory: {settings.territory}; home: {settings.home}", err=True)
    from dagster_project.runner import RunError, run_graph

    try:
        outcome = run_graph(settings, select, force=force)
    except (RunError, RuntimeError) as error:
        _fail(str(error))
        return
    if as_json:
        typer.echo(json.dumps({**outcome.__dict__, "home": str(settings.home)}, ensure_ascii=False))
    if not outcome.succeeded:
        _fail(
            "the run failed; archive, warehouse and the current release are as they were\n" + "\n".join(outcome.errors)
        )
    if not as_json:
        where = settings.releases_dir / "current"
        typer.echo(
            f"Published: {where} -> {outcome.released}" if outcome.released else f"Nothing changed: {where} stands"
        )


@app.command()
def rebuild(
    lock: Annotated[Path, typer.Argument(help="A release folder, or its build.lock.json", show_default=False)],
    archive: Annotated[Path | None, typer.Option(help="Where the bytes are; default the lock's own home")] = None,
    home: Annotated[Path | None, typer.Option(help="An empty folder to build in; default DQ_HOME")] = None,
    allow_other_code: Annotated[
        bool, typer.Option("--allow-other-code", help="Go on when code or libraries are not those of the lock")
    ] = False,
    as_json: Json = False,
) -> None:
    """The same release again from its lock and the archive alone, compared byte for byte with the original."""
    from dagster_project.provenance.lock import LockError
    from dagster_project.rebuild import RebuildError
    from dagster_project.rebuild import rebuild as rebuild_release
    from dagster_project.release.errors import ReleaseError
    from dagster_project.runner import RunError
    from dagster_project.settings import SettingsError
    from dagster_project.sources.archive import ArchiveError
    from dagster_project.sources.locked import LockedBytesError

    refusals = (LockError, LockedBytesError, RebuildError, ReleaseError, RunError, ArchiveError, SettingsError)
    try:
        done = rebuild_release(
            lock,
            archive=archive,
            home=home,
            allow_other_code=allow_other_code,
            progress=lambda text: typer.secho(text, err=True),
        )
    except refusals as error:
        _fail(str(error))
        return
    if as_json:
        content = {"release": str(done.path), "compared": done.compared, "identical": done.identical}
        differences = [{"file": d.file, "difference": str(d)} for d in done.differences]
        typer.echo(json.dumps({**content, "differences": differences}, ensure_ascii=False))
    elif done.identical:
        typer.echo(f"Identical, byte for byte: {done.path}")
    elif not done.compared:
        typer.echo(f"Made, and compared with nothing: put the original's SHA256SUMS beside its lock\n{done.path}")
    if done.differences:
        _fail("\n  ".join([f"{len(done.differences)} file(s) differ from the original", *map(str, done.differences)]))


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
    from dagster_project.sources.status import check_sources

    settings = _settings(sources=sources, mirror=mirror)
    rows = check_sources(settings, progress=lambda text: typer.secho(f"  {text}", err=True))
    _table(rows, as_json, ("file", "state", "detail"))
    if any(row["state"] in {"absent", "refused"} for row in rows):
        raise typer.Exit(1)


@sources_app.command("status")
def sources_status(as_json: Json = False) -> None:
    """What the archive holds of each dataset, and what is later than its producer's rhythm."""
    from dagster_project.sources.status import source_status

    _table(source_status(_settings()), as_json, ("dataset", "state", "last_fetched", "detail"))


@app.command()
def doctor(as_json: Json = False) -> None:
    """What is missing on this machine, in plain words."""
    from dagster_project.doctor import examine

    findings = examine(_settings())
    if as_json:
        typer.echo(json.dumps([finding.__dict__ for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            typer.echo(f"{'ok' if finding.ok else 'MANQUE':7} {finding.subject}: {finding.advice}")
    if not all(finding.ok or finding.optional for finding in findings):
        raise typer.Exit(1)


@app.command()
def ui(
    port: int = 3000,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="For auditors: everything can be seen, nothing can be launched")
    ] = False,
) -> None:
    """The Dagster UI on this machine only, with the schedule and sensors running."""
    import os

    from dagster_project.runner import prepare_home
    from dagster_project.settings import PROJECT_ROOT

    prepare_home(_settings())
    programs, workspace = Path(sys.executable).parent, str(PROJECT_ROOT / "workspace.yaml")
    place = ["-h", "127.0.0.1", "-p", str(port), "-w", workspace]
    if read_only:  # without the daemon: schedules and sensors launch runs
        program, command = programs / "dagster-webserver", ["--read-only", *place]
    else:
        program, command = programs / "dagster", ["dev", *place]
    os.execv(program, [str(program), *command])


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
