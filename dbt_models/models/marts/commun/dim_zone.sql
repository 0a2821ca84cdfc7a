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

iris as (
    select
        'IRIS' as zone_level, iris_code as zone_code, 'COG' as generation, iris_name as name,
        [commune_code] as communes, epci_code as epci, departement_code as departement, region_code as region,
        population_hab,
        'ign_contours_iris' as source_dataset, source_sha256, source_member, source_row,
        'code_iris' as source_column, iris_code as zone_key
    from {{ ref('int_zones__iris') }}
    where {{ dans_le_territoire('departement_code') }}
),

member as (
    select
        *,
        sum(iris_population) over (partition by zone_level, zone_code, generation, commune_code) as commune_population
    from {{ ref('int_zones__comparaison') }}
    where {{ dans_le_territoire('departement_code') }}
),

{# Named by their largest commune; they stand in no list of zones. #}
comparison as (
    select
        member.zone_level, member.zone_code, member.generation,
        case member.zone_level when 'HQPV' then '' else 'Unité urbaine de ' end
        || arg_max(commune.commune_name, member.commune_population) || ', hors quartiers prioritaires' as name,
        list(distinct member.commune_code order by member.commune_code) as communes,
        case when count(distinct member.epci_code) = 1 then min(member.epci_code) end as epci,
        case when count(distinct member.departement_code) = 1 then min(member.departement_code) end as departement,
        case when count(distinct member.region_code) = 1 then min(member.region_code) end as region,
        sum(member.weight * member.iris_population order by member.iris_code) as population_hab,
        null as source_dataset, null as source_sha256, null as source_member, null as source_row,
        null as source_column, null as zone_key
    from member
    left join {{ ref('int_zones__communes') }} as commune using (commune_code)
    group by member.zone_level, member.zone_code, member.generation
),

zone as (
    select * from qpv
    union all
    select * from administrative
    union all
    select * from iris
    union all
    select * from comparison
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
