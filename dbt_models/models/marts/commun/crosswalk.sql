{#
    The only bridge between geographies: which share of a unit (an IRIS, a tile, a building, a QPV of 2015) counts in a
    zone. Counts cross it, numerators beside their denominators; rates are divided after.
    `coverage` says how well IRIS render the zone: the share of its inhabitants who live in IRIS that are for the most
    part inside it.
#}
with

iris_to_zone as (
    select
        'IRIS' as from_level, iris_code as from_code, 'COG' as from_generation,
        'QPV' as to_level, qpv_code as to_code, generation as to_generation,
        weight, basis, iris_population as unit_population, area_share
    from {{ ref('int_crosswalk__iris_qpv') }}
    union all
    select
        'IRIS', iris_code, 'COG', zone_level, zone_code, generation,
        weight, basis, iris_population, null
    from {{ ref('int_zones__comparaison') }}
    {% for level, column in [
        ('COM', 'commune_code'), ('EPCI', 'epci_code'), ('DEP', 'departement_code'), ('REG', 'region_code')
    ] %}
        union all
        select
            'IRIS', iris_code, 'COG', '{{ level }}', {{ column }}, 'COG',
            1, 'nested', population_hab, null
        from {{ ref('int_zones__iris') }}
        where {{ column }} is not null
    {% endfor %}
),

zone_coverage as (
    select
        to_level,
        to_code,
        to_generation,
        sum(weight * unit_population order by from_code) filter (where weight >= 0.5)
        / nullif(sum(weight * unit_population order by from_code), 0) as coverage
    from iris_to_zone
    group by all
),

iris_link as (
    select
        iris_to_zone.from_level,
        iris_to_zone.from_code,
        iris_to_zone.from_generation,
        iris_to_zone.to_level,
        iris_to_zone.to_code,
        iris_to_zone.to_generation,
        iris_to_zone.weight,
        iris_to_zone.basis,
        iris_to_zone.area_share,
        iris_to_zone.weight * iris_to_zone.unit_population as population,
        null as jaccard,
        null as comparable,
        null as statut,
        coalesce(zone_coverage.coverage, 0) as coverage
    from iris_to_zone
    left join zone_coverage using (to_level, to_code, to_generation)
),

tile_link as (
    select
        'CARREAU' as from_level, overlap.tile_id as from_code, 'COG' as from_generation,
        'QPV' as to_level, overlap.zone_code as to_code, overlap.generation as to_generation,
        coalesce(overlap.dwelling_share, overlap.area_share) as weight,
        case when overlap.dwelling_share is null then 'area' else 'dwellings' end as basis,
        overlap.area_share,
        coalesce(overlap.dwelling_share, overlap.area_share) * {{ nombre('tile."ind"') }} as population,
        null as jaccard, null as comparable, null as statut, 1 as coverage
    from {{ source('derived', 'tile_overlaps') }} as overlap
    inner join {{ ref('stg_insee__filosofi_carreaux') }} as tile on overlap.tile_id = tile.zone_code
    where overlap.zone_level = 'QPV' and overlap.mesh = '200m'
),

dwelling_link as (
    select
        'LOGEMENT' as from_level, batiment_groupe_id as from_code, 'COG' as from_generation,
        'QPV' as to_level, zone_code as to_code, generation as to_generation,
        1 as weight, 'dwellings' as basis, null as area_share, null as population,
        null as jaccard, null as comparable, null as statut, 1 as coverage
    from {{ source('derived', 'dwelling_zones') }}
),

generation_link as (
    select
        'QPV' as from_level, qp2015_code as from_code, 'QP2015' as from_generation,
        'QPV' as to_level, qn2024_code as to_code, 'QN2024' as to_generation,
        weight, basis, area_share, population_hab as population,
        jaccard, jaccard >= 0.9 as comparable, statut, weight as coverage
    from {{ ref('int_crosswalk__generations') }}
),

link as (
    select * from iris_link
    union all
    select * from tile_link
    union all
    select * from dwelling_link
    union all
    select * from generation_link
)

select
    link.from_level,
    link.from_code,
    link.from_generation,
    link.to_level,
    link.to_code,
    link.to_generation,
    cast(link.weight as double) as weight,
    link.basis,
    cast(link.population as double) as population,
    cast(link.area_share as double) as area_share,
    cast(link.jaccard as double) as jaccard,
    cast(link.comparable as boolean) as comparable,
    link.statut,
    cast(link.coverage as double) as coverage
from link
semi join {{ ref('dim_zone') }} as zone
    on link.to_level = zone.zone_level and link.to_code = zone.zone_code and link.to_generation = zone.generation
{# Less than a billionth of a unit is the rounding of what is left of one. #}
where link.weight > 1e-9
order by all
