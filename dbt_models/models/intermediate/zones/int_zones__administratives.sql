{# Communes, EPCI, départements, régions and metropolitan France, with their legal populations. #}
with

arrondissement as (
    select commune_code, any_value(parent_commune_code) as parent_commune_code
    from {{ ref('stg_insee__cog_communes') }}
    where commune_type = 'ARM'
    group by commune_code
),

{# Paris, Lyon and Marseille are listed by arrondissement. #}
population as (
    select
        coalesce(arrondissement.parent_commune_code, legal.zone_code) as commune_code,
        sum({{ nombre('legal."PMUN"') }}) as population_hab
    from {{ ref('stg_insee__populations_communes') }} as legal
    left join arrondissement on legal.zone_code = arrondissement.commune_code
    group by all
),

commune as (
    select commune.*, population.population_hab
    from {{ ref('int_zones__communes') }} as commune
    left join population using (commune_code)
),

epci as (
    select
        epci.epci_code,
        any_value(epci.epci_name) as epci_name,
        any_value(epci.seat_departement_code) as departement_code,
        list(epci.commune_code order by epci.commune_code) as communes,
        list(distinct commune.departement_code order by commune.departement_code) as departements,
        sum(commune.population_hab) as population_hab,
        any_value(epci.source_sha256) as source_sha256,
        any_value(epci.source_member) as source_member,
        {# An EPCI has a row per commune: the first one names it. #}
        min(epci.source_row) as source_row
    from {{ ref('stg_dgcl__epci') }} as epci
    left join commune using (commune_code)
    group by epci.epci_code
),

departement as (
    select
        departement.departement_code,
        any_value(departement.departement_name) as departement_name,
        any_value(departement.region_code) as region_code,
        sum(commune.population_hab) as population_hab,
        any_value(departement.source_sha256) as source_sha256,
        any_value(departement.source_member) as source_member,
        min(departement.source_row) as source_row
    from {{ ref('stg_insee__cog_departements') }} as departement
    left join commune using (departement_code)
    group by departement.departement_code
),

region as (
    select
        region.region_code,
        any_value(region.region_name) as region_name,
        list(departement.departement_code order by departement.departement_code) as departements,
        sum(departement.population_hab) as population_hab,
        any_value(region.source_sha256) as source_sha256,
        any_value(region.source_member) as source_member,
        min(region.source_row) as source_row
    from {{ ref('stg_insee__cog_regions') }} as region
    left join departement using (region_code)
    group by region.region_code
)

select
    'COM' as zone_level,
    commune_code as zone_code,
    commune_name as name,
    [commune_code] as communes,
    epci_code as epci,
    departement_code as departement,
    region_code as region,
    [departement_code] as departements,
    population_hab,
    'insee_cog_communes' as source_dataset,
    source_sha256,
    source_member,
    source_row,
    'COM' as source_column,
    commune_code as zone_key
from commune
union all
select
    'EPCI' as zone_level,
    epci.epci_code as zone_code,
    epci.epci_name as name,
    epci.communes,
    epci.epci_code as epci,
    epci.departement_code as departement,
    departement.region_code as region,
    epci.departements,
    epci.population_hab,
    'dgcl_epci' as source_dataset,
    epci.source_sha256,
    epci.source_member,
    epci.source_row,
    'siren' as source_column,
    epci.epci_code as zone_key
from epci
left join departement using (departement_code)
union all
select
    'DEP' as zone_level,
    departement_code as zone_code,
    departement_name as name,
    null as communes,
    null as epci,
    departement_code as departement,
    region_code as region,
    [departement_code] as departements,
    population_hab,
    'insee_cog_departements' as source_dataset,
    source_sha256,
    source_member,
    source_row,
    'DEP' as source_column,
    departement_code as zone_key
from departement
union all
select
    'REG' as zone_level,
    region_code as zone_code,
    region_name as name,
    null as communes,
    null as epci,
    null as departement,
    region_code as region,
    departements,
    population_hab,
    'insee_cog_regions' as source_dataset,
    source_sha256,
    source_member,
    source_row,
    'REG' as source_column,
    region_code as zone_key
from region
union all
select
    'FRM', 'FRM', 'France métropolitaine', null, null, null, null, null,
    sum(population_hab) filter (where departement_code not like '97%'),
    null, null, null, null, null, null
from departement
