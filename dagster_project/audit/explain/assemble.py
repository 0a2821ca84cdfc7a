"""The explanation of a figure, gathered from its release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dagster_project.audit.explain.absence import modelled_absence
from dagster_project.audit.explain.context import breaks_of, checks_of, models_of, run_of
from dagster_project.audit.explain.crossed import crossed_of
from dagster_project.audit.explain.figure import Figure, Input
from dagster_project.audit.explain.formula import DECIMALS, formula_of
from dagster_project.audit.explain.model import (
    Comparison,
    Correction,
    Definition,
    Edition,
    Explanation,
    FigureInfo,
    InputInfo,
    ModelUsed,
    ReleaseInfo,
)
from dagster_project.audit.explain.weighted import weighted_of
from dagster_project.audit.reference import status_labels
from dagster_project.audit.release_folder import ReleaseFolder, ask, records
from dagster_project.pages.french import COPIES, LEVELS, METHODS, OF_MODELS, ROLES, SOURCES, visible
from dagster_project.pages.numbers import quantity

if TYPE_CHECKING:
    import duckdb

COMPARISONS = """
select comparison_level, comparison_code, zone.name, comparison_value, comparison_status, difference,
    comparison_figure_id
from mart_comparaison
left join dim_zone as zone
    on
        comparison_level = zone.zone_level and comparison_code = zone.zone_code
        and zone.generation in (mart_comparaison.generation, 'COG')
where indicator_code = ? and figure_id = ?
"""
# What is said of a value that no producer published for the zone.
CROSSED = "Valeur reportée depuis des unités qui rendent bien la zone"
# What is said of a value that a model made.
MODELLED = {"ok": "Valeur calculée par un modèle", "estime": "Valeur estimée par un modèle, sans intervalle"}
LEVEL_ORDER = tuple(LEVELS)


def explain(connection: duckdb.DuckDBPyConnection, release: ReleaseFolder, figure: Figure) -> Explanation:
    """All that the release says of a figure.

    Args:
        connection: what `release.tables()` gives.
        release: the release.
        figure: the figure, from `find_figure`.
    """
    models, models_note = models_of(release, figure)
    checks, checks_note = checks_of(connection, release, figure, models)
    labels = status_labels(connection)
    indicator = figure.indicator
    inputs = tuple(_input(entry, modelled=figure.row["method"] == "M4") for entry in figure.inputs)
    return Explanation(
        fictitious=release.fictitious,
        release=ReleaseInfo(
            release_id=release.release_id,
            build_id=release.build_id,
            sources=release.sources_kind,
            sources_fr=SOURCES.get(release.sources_kind, release.sources_kind),
            territory=release.territory,
        ),
        figure=_figure(figure, labels),
        definition=Definition(
            label=indicator["libelle_fr"],
            text=indicator["definition_fr"],
            theme=indicator["theme"],
            misuse=indicator["mesusage_fr"],
        ),
        formula=formula_of(figure),
        reported=crossed_of(figure),
        absent_source=figure.absent_source or modelled_absence(connection, figure),
        model=_model(connection, figure),
        weighted=weighted_of(figure),
        editions=tuple(Edition(**{name: row[name] for name in Edition.model_fields}) for row in figure.editions),
        comparisons=tuple(_comparisons(connection, figure, labels)),
        inputs=inputs,
        crosswalk_weights=tuple(entry for entry in inputs if entry.role == "weight" and figure.crossed),
        corrections=tuple(_corrections(figure)),
        breaks=breaks_of(connection, figure),
        models=models,
        models_note=models_note,
        checks=checks,
        checks_note=checks_note,
        run=run_of(release, figure),
    )


def _figure(figure: Figure, labels: Mapping[str, str]) -> FigureInfo:
    row = figure.row
    named = {name: row[name] for name in FigureInfo.model_fields if name in row}
    return FigureInfo(
        **named,
        zone_name=figure.zone["name"],
        zone_level_fr=LEVELS.get(row["zone_level"], row["zone_level"]),
        value_fr=quantity(row["value"], row["unit"], DECIMALS),
        status_fr=_status(figure, labels),
        method_fr=METHODS.get(row["method"], row["method"]),
    )


def _status(figure: Figure, labels: Mapping[str, str]) -> str:
    row = figure.row
    if figure.crossed and row["status"] == "ok":
        return CROSSED
    said = MODELLED if row["method"] == "M4" and (row["status"] == "ok" or row["ci_low"] is None) else {}
    return said.get(row["status"]) or labels.get(row["status"], row["status"])


def _model(connection: duckdb.DuckDBPyConnection, figure: Figure) -> ModelUsed | None:
    row = figure.row
    if row["method"] != "M4":
        return None
    parameters = row.get("model_parameters")
    query = "select component_figure_id from figure_component where figure_id = ? order by all"
    components = ask(connection, query, [row["figure_id"]]).fetchall()
    return ModelUsed(
        name=row.get("model"),
        version=row.get("model_version"),
        parameters=None if parameters is None else str(parameters),
        components=tuple(name for (name,) in components),
    )


def _comparisons(connection: duckdb.DuckDBPyConnection, figure: Figure, labels: Mapping[str, str]) -> list[Comparison]:
    rows = records(connection, COMPARISONS, [figure.row["indicator_code"], figure.row["figure_id"]])
    rows.sort(key=lambda row: (LEVEL_ORDER.index(row["comparison_level"]), row["comparison_code"]))
    return [
        Comparison(
            level=row["comparison_level"],
            level_fr=LEVELS[row["comparison_level"]],
            code=row["comparison_code"],
            name=row["name"],
            value=row["comparison_value"],
            status=row["comparison_status"],
            status_fr=labels.get(row["comparison_status"], row["comparison_status"]),
            difference=row["difference"],
            figure_id=row["comparison_figure_id"],
        )
        for row in rows
    ]


def _input(entry: Input, *, modelled: bool) -> InputInfo:
    cell, file = entry.cell, entry.file
    roles = ROLES | OF_MODELS if modelled else ROLES
    named = ("producer", "title", "citation", "licence", "licence_url", "page", "url", "fetched_at", "size", "copy_of")
    return InputInfo(
        **{name: file.get(name) for name in named},
        copy_of_fr=COPIES.get(file.get("copy_of", "")),
        file=file.get("name"),
        role=cell["role"],
        role_fr=roles.get(cell["role"], cell["role"]),
        term=cell["term"],
        variable=cell["variable"],
        weight=cell["weight"],
        value=entry.value,
        status=entry.status,
        status_fr=entry.reason,
        raw_value=cell["raw_value"],
        raw_value_visible=visible(cell["raw_value"]),
        dataset=cell["dataset"],
        sha256=cell["source_sha256"],
        member=cell["source_member"],
        row=cell["source_row"],
        column=cell["source_column"],
        correction_id=cell["correction_id"],
    )


def _corrections(figure: Figure) -> list[Correction]:
    found = {entry.correction["correction_id"]: entry.correction for entry in figure.inputs if entry.correction}
    return [
        Correction(
            correction_id=row["correction_id"],
            action=row["action"],
            corrected_value=row["corrected_value"],
            column=row["source_column"],
            reason=row["reason"],
            reported_by=row["reported_by"],
            reported_on=str(row["reported_on"]),
        )
        for row in found.values()
    ]
