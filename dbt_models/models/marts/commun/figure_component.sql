{# Figures that a modelled figure is made of: each leads on to its own cells. #}
with

made as (
    select * from {{ ref('indicator_value') }}
    where method = 'M4'
),

recipe as (
    select distinct index_code as indicator_code, component || if(index_code = 'A_SANTE', '_ICM', '') as component
    from {{ ref('int_sante__composantes') }}
    union
    select indicator_code, regexp_replace(indicator_code, '_ICM$', '')
    from {{ ref('indicator') }}
    where indicator_code like '%\_ICM' escape '\'
)

select
    made.figure_id,
    component.figure_id as component_figure_id
from made
inner join recipe using (indicator_code)
inner join {{ ref('indicator_value') }} as component
    on
        recipe.component = component.indicator_code
        and made.zone_level = component.zone_level
        and made.zone_code = component.zone_code
        and made.generation = component.generation
        and made.vintage = component.vintage
union
select access.*
from {{ ref('int_composants__acces_emploi') }} as access
semi join {{ ref('indicator_value') }} as component on access.component_figure_id = component.figure_id
union
select nonrecours.*
from {{ ref('int_composants__non_recours') }} as nonrecours
semi join {{ ref('indicator_value') }} as component on nonrecours.component_figure_id = component.figure_id
order by all
