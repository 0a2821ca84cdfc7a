{# Zones and editions to estimate, with what is known of their inhabitants. #}
with

edition as (
    select distinct {{ cle_zone() }}, vintage, serie from {{ ref('int_non_recours__taux') }}
),

year as (
    select max(income_year) as income_year from {{ ref('int_non_recours__quantiles') }}
),

margin as (
    select
        {{ cle_zone() }},
        max(value) filter (where indicator_code = 'DEM_MEN1') as men1,
        max(value) filter (where indicator_code = 'DEM_MEN6') as men6,
        max(value) filter (where indicator_code = 'DEM_MOINS25') as moins25,
        max(value) filter (where indicator_code = 'DEM_60PLUS') as plus60,
        max(value) filter (where indicator_code = 'A_HLM') as hlm
    from {{ ref('int_non_recours__marges') }}
    group by all
)

select
    {{ cle_zone('edition') }},
    edition.vintage,
    edition.serie,
    year.income_year,
    cast(nullif(zone.population, 0) as double) as population,
    margin.men1,
    margin.men6,
    margin.moins25,
    margin.plus60,
    margin.hlm
from edition
cross join year
inner join {{ ref('dim_zone') }} as zone using (zone_level, zone_code, generation)
left join margin using (zone_level, zone_code, generation)
