"""The `dq` command, put together from its families."""

from __future__ import annotations

import typer

from dagster_project.commands import build, figures, machine
from dagster_project.commands.releases import release_app
from dagster_project.commands.sources import sources_app

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Data & Quartiers: figures on priority neighbourhoods."
)
app.command()(build.run)
app.command()(build.rebuild)
app.command()(machine.doctor)
app.command()(machine.ui)
app.add_typer(sources_app, name="sources")
app.add_typer(release_app, name="release")
app.command()(figures.explain)
app.command()(figures.verify)


def main() -> None:
    """Entry point."""
    app()
