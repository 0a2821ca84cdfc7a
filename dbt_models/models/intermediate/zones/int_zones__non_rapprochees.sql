{# Zones that a statistical file names and no list of zones knows: reported, never dropped in silence. #}
with

named as (
    {% for dataset, table in tables_statistiques().items() if not table.units %}
        select '{{ dataset }}' as dataset, vintage, zone_level, zone_code, generation
        from {{ ref(table.staging) }}
        where zone_level != 'ENSQPV'
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

known as (
    select 'QPV' as zone_level, qpv_code as zone_code, generation from {{ ref('int_zones__qpv') }}
    union all
    select zone_level, zone_code, 'COG' as generation from {{ ref('int_zones__administratives') }}
    union all
    select 'IRIS', iris_code, 'COG' from {{ ref('int_zones__iris') }}
),

{# IRIS are drawn for some départements only: those of the others are not unknown, they are elsewhere. #}
drawn as (
    select distinct left(iris_code, 2) as departement from {{ ref('int_zones__iris') }}
)

select named.*
from named
anti join known using (zone_level, zone_code, generation)
where named.zone_level != 'IRIS' or left(named.zone_code, 2) in (select drawn.departement from drawn)
order by all
