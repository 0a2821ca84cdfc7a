{# Zones that a statistical file names and no list of zones knows: reported, never dropped in silence. #}
with

named as (
    {% for dataset, table in tables_statistiques().items() %}
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
)

select named.*
from named
anti join known using (zone_level, zone_code, generation)
order by all
