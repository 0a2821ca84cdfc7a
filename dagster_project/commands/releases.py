"""`dq release`: which releases there are, what one is made of, what another one changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dagster_project.commands.console import Json, fail, settings_or_exit, table

if TYPE_CHECKING:
    from dagster_project.audit.release_folder import ReleaseFolder

release_app = typer.Typer(no_args_is_help=True, help="Releases: which there are, what they hold, what one changes.")

Name = Annotated[str, typer.Argument(help="current, previous, an id or its beginning, or a release folder")]


@release_app.command("list")
def release_list(as_json: Json = False) -> None:
    """Every release of the home, oldest first."""
    from dagster_project.audit.release_folder import UnknownReleaseError, current_release, releases_of

    settings = settings_or_exit()
    current = current_release(settings)
    rows, refused = [], []
    for release in releases_of(settings):
        try:
            rows.append(_row(release, current))
        except UnknownReleaseError as error:
            refused.append(str(error))
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        shown = [
            {**row, "figures": f"{row['figures']}", "current": "current" if row["current"] else ""} for row in rows
        ]
        table(shown, False, ("release", "published_at", "sources", "territory", "figures", "current"))
    if refused:
        fail("\ndq: ".join(refused))


def _row(release: ReleaseFolder, current: ReleaseFolder | None) -> dict[str, Any]:
    from dagster_project.audit.inventory import count_figures

    moment = release.published_at
    return {
        "release": release.release_id,
        "published_at": moment.isoformat(timespec="seconds") if moment else "",
        "sources": release.sources_kind,
        "territory": release.territory,
        "figures": count_figures(release),
        "current": release == current,
    }


@release_app.command("show")
def release_show(name: Name = "current", as_json: Json = False) -> None:
    """What a release is made of: figures, zones, sources with their licences, corrections, program."""
    from dagster_project.audit.inventory import describe_contents, in_words
    from dagster_project.audit.release_folder import UnknownReleaseError, find_release

    settings = settings_or_exit()
    try:
        contents = describe_contents(find_release(settings, name))
    except UnknownReleaseError as error:
        fail(str(error))
    typer.echo(contents.model_dump_json() if as_json else in_words(contents), nl=as_json)


@release_app.command("diff")
def release_diff(
    old: Name = "previous",
    new: Name = "current",
    as_json: Json = False,
    output: Annotated[
        Path | None, typer.Option(help="A folder for the page, the summary and the table of all changes")
    ] = None,
    fail_on_residual: Annotated[
        bool, typer.Option("--fail-on-residual", help="Exit with code 1 when a change has no cause")
    ] = False,
) -> None:
    """What a release changes from another one, each changed figure attributed to its cause."""
    from dagster_project.audit.diff.compare import compare
    from dagster_project.audit.diff.page import write_comparison
    from dagster_project.audit.diff.words import in_words, residual_sentence
    from dagster_project.audit.release_folder import UnknownReleaseError, find_release

    settings = settings_or_exit()
    try:
        before, after = (find_release(settings, name) for name in (old, new))
        comparison = compare(before, after)
    except UnknownReleaseError as error:
        fail(str(error))
    summary = comparison.summary
    content: dict[str, Any] = summary.model_dump(mode="json")
    typer.echo(json.dumps(content, ensure_ascii=False) if as_json else in_words(summary), nl=as_json)
    if output:
        typer.secho(str(write_comparison(output, comparison)), err=True)
    if fail_on_residual and summary.residual:
        fail(residual_sentence(summary))
