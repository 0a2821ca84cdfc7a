"""The commands of auditors: how a figure was built, and whether a release is what it says. They answer in French."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.commands.console import Json, fail, settings_or_exit

ReleaseOption = Annotated[
    str | None,
    typer.Option(help="current, previous, an id or its beginning, or a release folder", show_default="current"),
]


def explain(
    indicator: Annotated[str, typer.Argument(help="Indicator code, such as REV_TP60", show_default=False)],
    zone: Annotated[str, typer.Argument(help="Zone code, such as QP035005", show_default=False)],
    vintage: Annotated[str | None, typer.Option(help="Edition; default the latest that has a value")] = None,
    generation: Annotated[str | None, typer.Option(help="QP2015, QN2024 or COG")] = None,
    level: Annotated[str | None, typer.Option(help="QPV, COM, EPCI, DEP, REG, FRM… when a code has several")] = None,
    release: ReleaseOption = None,
    proof: Annotated[Path | None, typer.Option(help="Also write the proof of the figure to this file")] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Show the SQL of each model")] = False,
    as_json: Json = False,
) -> None:
    """How one figure was built, down to the rows of its source files."""
    import duckdb

    from dagster_project.audit.explain.assemble import explain as explain_figure
    from dagster_project.audit.explain.find import Asked, UnknownFigureError, find_figure
    from dagster_project.audit.explain.text import render
    from dagster_project.audit.proof import UnprovableFigureError, build_proof, write_proof
    from dagster_project.audit.release_folder import UnknownReleaseError, open_release

    try:
        folder = open_release(settings_or_exit(), release)
        with folder.tables() as connection:
            figure = find_figure(connection, Asked(indicator, zone, vintage, generation, level))
            explanation = explain_figure(connection, folder, figure)
        if proof:
            write_proof(proof, build_proof(folder, figure))
    except (UnknownReleaseError, UnknownFigureError, UnprovableFigureError, OSError) as error:
        fail(str(error))
    except duckdb.Error as error:
        fail(f"une table de la version ne peut être lue ; « dq verify » dit laquelle\n{error}")
    typer.echo(explanation.model_dump_json(indent=1) if as_json else render(explanation, sql=sql).rstrip("\n"))
    if proof:
        typer.secho(f"Preuve écrite : {proof} (la vérifier : python3 verifier_preuve.py {proof})", err=True)


def verify(
    release: Annotated[str | None, typer.Argument(help="Release id or folder; default the current release")] = None,
    sample: Annotated[int, typer.Option(min=1, help="Figures to recompute from raw bytes, drawn at random")] = 500,
    every: Annotated[bool, typer.Option("--all", help="Recompute every figure")] = False,
    seed: Annotated[int, typer.Option(help="Which figures are drawn")] = 1,
    report: Annotated[Path | None, typer.Option(help="Where to write the page; default DQ_HOME/reports")] = None,
    as_json: Json = False,
) -> None:
    """Re-hash archive and outputs, recompute figures from raw bytes, and write a report that can be filed."""
    from dagster_project.audit.release_folder import UnknownReleaseError, open_release
    from dagster_project.audit.verify import verify as verify_release
    from dagster_project.audit.verify.report import write_report
    from dagster_project.pages.french import typeset

    settings = settings_or_exit()
    try:
        folder = open_release(settings, release)
    except UnknownReleaseError as error:
        fail(str(error))
    verification = verify_release(
        folder,
        sample=None if every else sample,
        seed=seed,
        progress=lambda title: typer.secho(f"  {title}", err=True),
    )
    path = report or settings.reports_dir / f"verification-{folder.release_id}.html"
    write_report(path, verification)
    if as_json:
        typer.echo(json.dumps(verification.as_dict(), ensure_ascii=False))
    else:
        for finding in verification.findings:
            typer.echo(str(finding))
        for chapter in verification.chapters:
            seen = ", ".join(f"{name} : {count}" for name, count in chapter.counts.items())
            verdict = "conforme" if not chapter.total else "NON CONFORME"
            typer.echo(typeset(f"{verdict:12} {chapter.title} ({seen})"))
        typer.echo(typeset(f"Rapport : {path}"))
    if not verification.conforms:
        fail(f"{folder.release_id} : {verification.total} constat(s)")
