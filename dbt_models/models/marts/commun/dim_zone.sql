{# The territory of the run is decided here, and only here. #}
with

qpv as (
    select
        'QPV' as zone_level,
        qpv_code as zone_code,
        generation,
        qpv_name as name,
        communes,
        epci_code as epci,
        departement_code as departement,
        region_code as region,
        population_hab,
        source_dataset, source_sha256, source_member, source_row, source_column, zone_key
    from {{ ref('int_zones__qpv') }}
    where {{ dans_le_territoire('departement_code') }}
),

administrative as (
    select
        zone_level, zone_code, 'COG' as generation, name, communes, epci, departement, region, population_hab,
        source_dataset, source_sha256, source_member, source_row, source_column, zone_key
    from {{ ref('int_zones__administratives') }}
    where
        departements is null
        or len(list_filter(departements, lambda code: {{ dans_le_territoire('code') }})) > 0
),

all_qpv as (
    select
        'ENSQPV' as zone_level, 'ENSEMBLE' as zone_code, 'QP2015' as generation,
        'Ensemble des quartiers prioritaires' as name,
        null as communes, null as epci, null as departement, null as region,
        sum(population_hab) as population_hab,
        null as source_dataset, null as source_sha256, null as source_member, null as source_row,
        null as source_column, null as zone_key
    from {{ ref('int_zones__qpv') }}
    where generation = 'QP2015'
),

zone as (
    select * from qpv
    union all
    select * from administrative
    union all
    select * from all_qpv
)

select
    zone.zone_level,
    zone.zone_code,
    zone.generation,
    zone.name,
    zone.communes,
    zone.epci,
    zone.departement,
    zone.region,
    cast(zone.population_hab as bigint) as population,
    contour.geometry_wkb as geometry,
    zone.source_dataset,
    zone.source_sha256,
    zone.source_member,
    zone.source_row,
    zone.source_column,
    zone.zone_key
from zone
left join {{ source('derived', 'zone_geometries') }} as contour
    on
        zone.zone_level = contour.zone_level
        and zone.zone_code = contour.zone_code
        and zone.generation = contour.generation
order by zone.zone_level, zone.zone_code, zone.generation
