"""`dq run` and `dq rebuild`: from sources to a release, and the same release again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.commands.console import Json, MirrorOption, Sources, Territory, fail, settings_or_exit


def run(
    sources: Sources = None,
    mirror: MirrorOption = None,
    territory: Territory = None,
    select: Annotated[str | None, typer.Option(help="Only these assets (Dagster selection syntax)")] = None,
    force: Annotated[bool, typer.Option("--force", help="Run the graph even when nothing changed")] = False,
    as_json: Json = False,
) -> None:
    """From the sources to a published release; publishes only what passed every blocking check."""
    settings = settings_or_exit(sources=sources, mirror=mirror, territory=territory)
    typer.secho(f"Sources: {settings.sources}; territory: {settings.territory}; home: {settings.home}", err=True)
    from dagster_project.runner import RunError, run_graph

    try:
        outcome = run_graph(settings, select, force=force)
    except (RunError, RuntimeError) as error:
        fail(str(error))
        return
    if as_json:
        typer.echo(json.dumps({**outcome.__dict__, "home": str(settings.home)}, ensure_ascii=False))
    if not outcome.succeeded:
        fail(
            "the run failed; archive, warehouse and the current release are as they were\n" + "\n".join(outcome.errors)
        )
    if not as_json:
        where = settings.releases_dir / "current"
        typer.echo(
            f"Published: {where} -> {outcome.released}" if outcome.released else f"Nothing changed: {where} stands"
        )


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
    from dagster_project.identity.lock import LockError
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
        fail(str(error))
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
        fail("\n  ".join([f"{len(done.differences)} file(s) differ from the original", *map(str, done.differences)]))
