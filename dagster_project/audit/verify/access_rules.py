"""What figures of the models of access to work must agree on: networks that were kept, and a reason to have no cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster_project.audit.recompute.weighted import OFFERS, SUPPLY, TRIPS
from dagster_project.audit.release_folder import ask, records
from dagster_project.audit.verify.prelude import Rule

if TYPE_CHECKING:
    import duckdb

WITHOUT_VALUE = ("non_couvert", "convention", "nd")

# A figure of these models has no cell for one of three reasons: no network, offer or demand to make it of; nothing
# within reach, and it is zero; it is counted in a timetable. Whatever else it holds must say the same.
SANS_CELLULE = f"""
create or replace table sans_cellule as
select figure_id
from indicator_value
where method = 'M4' and (
    (
        model in ('{TRIPS}', '{OFFERS}') and status in {WITHOUT_VALUE}
        and value is null and numerator is null and denominator is null
    )
    or (model in ('{TRIPS}', '{OFFERS}') and value = 0 and coalesce(numerator, 0) = 0)
    or (model = '{TRIPS}' and indicator_code in {SUPPLY} and contains(model_parameters, 'horaires '))
);

create or replace table trajet as
select figure_id, regexp_extract_all(model_parameters, '(rues|horaires) [^ ,;]+') as reseaux
from indicator_value
where method = 'M4' and model = '{TRIPS}' and value is not null;
"""
NO_MODEL = """
create or replace table sans_cellule (figure_id varchar);
create or replace table trajet (figure_id varchar, reseaux varchar[]);
"""

NETWORKS = Rule(
    "Les réseaux que cite un temps de trajet sont ceux que mart_reseau.parquet dit retenus",
    """
    with

    retenu as (
        select concat(kind, ' ', if(kind = 'rues', file, dataset), '_', vintage) as cite
        from mart_reseau where status = 'retenu'
    )

    select figure_id, 'mart_reseau.parquet ne dit pas retenu ce qu’il cite : ' || cite
    from (select figure_id, unnest(reseaux) as cite from trajet) anti join retenu using (cite)
    union all
    select figure_id, 'ses paramètres ne citent aucun réseau' from trajet where coalesce(len(reseaux), 0) = 0
    """,
)


def list_modelled(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables `sans_cellule` and `trajet`: empty in releases made before figures named their model."""
    known = {row["column_name"] for row in records(connection, "describe indicator_value")}
    ask(connection, SANS_CELLULE if {"model", "model_parameters"} <= known else NO_MODEL)
