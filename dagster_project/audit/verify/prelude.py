"""What the rules read: cells beside their figure, and which path of the formula each figure takes."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.release.verifier_preuve import COMPTABLES, NIVEAUX

# `place` is the zone or the unit that a cell speaks of. A formula has one path for each kind of units (`depart`, null
# for the zone itself) or several, of which the one that has all the variables of the cells.
PRELUDE = f"""
create view cellule as
select
    lineage.*, figure.indicator_code, figure.method, figure.zone_code, figure.zone_level, figure.generation,
    figure.vintage, figure.method in {tuple(NIVEAUX)} as reporte,
    regexp_replace(term, ':[^:]*$', '') as unite,
    regexp_extract(term, '[^:]*$') as terme,
    coalesce(regexp_replace(term, ':[^:]*$', ''), figure.zone_code) as place
from lineage inner join indicator_value as figure using (figure_id)
where lineage.role in {COMPTABLES};

create view depart as
select * from (values ('M0', null), {", ".join(f"('{m}', '{u}')" for m, u in NIVEAUX.items())}) as t (method, depart);

create view terme_de_cellule as
select indicator_code, path, from_level, role, variable, variable as cellule, coefficient, false as base
from indicator_term
union all
select indicator_code, path, from_level, role, variable, base_variable, 1, true
from indicator_term where base_variable is not null;

create table chemin as
with

porte as (
    select
        figure_id, indicator_code, method, bool_or(role = 'value') as direct,
        list(distinct variable order by variable) as variables
    from cellule group by all
),

-- Figures are many, and the sets of variables that they are made of few.
cas as (
    select distinct indicator_code, method, direct, variables from porte
),

voie as (
    select
        indicator_code, path, from_level, bool_or(role = 'value') as direct,
        list(distinct cellule order by cellule) as variables
    from terme_de_cellule group by all
),

choix as (
    select cas.*, voie.path
    from cas
    inner join depart using (method)
    inner join voie on cas.indicator_code = voie.indicator_code and depart.depart is not distinct from voie.from_level
    qualify row_number() over (
        partition by cas.indicator_code, cas.method, cas.direct, cas.variables
        order by cas.direct != voie.direct, cas.variables != voie.variables, voie.path
    ) = 1
)

select porte.figure_id, choix.path
from porte inner join choix using (indicator_code, method, direct, variables);
"""


@dataclass(frozen=True)
class Rule:
    """A rule. `broken` selects what breaks it: a figure or a zone, and a French sentence."""

    title: str
    broken: str
