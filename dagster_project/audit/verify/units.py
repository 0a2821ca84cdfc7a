"""The rule of figures made of other units than their zone."""

from __future__ import annotations

from dagster_project.audit.verify.prelude import Rule
from dagster_project.release.verifier_preuve import ECARTEE

UNITS = Rule(
    "Une unité reportée a toutes les cellules de la formule, sous coefficient × poids de passage",
    f"""
    with

    passage as (
        select figure.figure_id, figure.indicator_code, chemin.path, link.from_code as unite, link.weight
        from indicator_value as figure
        inner join chemin using (figure_id)
        inner join depart using (method)
        inner join crosswalk as link
            on
                depart.depart = link.from_level and figure.zone_level = link.to_level
                and figure.zone_code = link.to_code and figure.generation = link.to_generation
    ),

    comptee as (
        select distinct figure_id, unite from cellule where reporte and role != '{ECARTEE}'
    ),

    attendu as (
        select
            passage.figure_id, passage.unite, terme.role, terme.variable as terme, terme.cellule as variable,
            if(terme.base, 1, terme.coefficient * passage.weight) as weight
        from passage
        inner join comptee using (figure_id, unite)
        inner join terme_de_cellule as terme using (indicator_code, path)
    ),

    present as (
        select figure_id, unite, role, terme, variable, weight
        from cellule where reporte and role != '{ECARTEE}'
    )

    select
        figure_id,
        'unité ' || unite || ' : ' || variable || ' (' || role || '), de poids ' || weight
            || ', n’est pas de la formule et de crosswalk.parquet'
    from (from present except all from attendu)
    union all
    select
        figure_id,
        'unité ' || unite || ' : il manque ' || variable || ' (' || role || '), de poids ' || weight
    from (from attendu except all from present)
    union all
    select distinct figure_id, 'unité ' || unite || ' : écartée, elle n’est pas dans la zone'
    from (select figure_id, unite from cellule where reporte and role = '{ECARTEE}')
    anti join passage using (figure_id, unite)
    union all
    select distinct figure_id, 'unité ' || unite || ' : elle est à la fois comptée et écartée'
    from (select figure_id, unite from cellule where reporte and role = '{ECARTEE}')
    semi join comptee using (figure_id, unite)
    """,
)
