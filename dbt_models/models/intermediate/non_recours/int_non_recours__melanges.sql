{#
    What the rest of communes outside QPV is made of: persons of its communes, less those of every QPV of the generation
    that lives in them. The crosswalk of IRIS tells in which commune the people of a QPV live.
#}
with

rest as (
    select
        zone_level,
        zone_code,
        generation,
        unnest(communes) as commune_code
    from {{ ref('dim_zone') }}
    where zone_level = 'HQPV'
),

in_commune as (
    select
        link.to_code as qpv_code,
        link.to_generation as generation,
        iris.commune_code,
        sum(link.population order by link.from_code) as inhabitants
    from {{ ref('crosswalk') }} as link
    inner join {{ ref('int_zones__iris') }} as iris on link.from_code = iris.iris_code
    where link.from_level = 'IRIS' and link.to_level = 'QPV'
    group by all
),

spread as (
    select
        *,
        inhabitants / nullif(sum(inhabitants) over qpv, 0) as share
    from in_commune
    window qpv as (
        partition by qpv_code, generation
        order by commune_code rows between unbounded preceding and unbounded following
    )
),

{# Most QPV lie in one commune; one whose IRIS are unknown is given to it whole. #}
located as (
    select qpv_code, generation, commune_code, share from spread
    where share is not null
    union all
    select zone.zone_code, zone.generation, zone.communes[1], 1
    from {{ ref('dim_zone') }} as zone
    anti join spread
        on
            zone.zone_code = spread.qpv_code
            and zone.generation = spread.generation
            and spread.share is not null
    where zone.zone_level = 'QPV' and len(zone.communes) = 1
),

part as (
    select
        {{ cle_zone('rest') }},
        'COM' as part_level,
        rest.commune_code as part_code,
        'COG' as part_generation,
        cast(commune.population as double) as persons
    from rest
    left join {{ ref('dim_zone') }} as commune
        on commune.zone_level = 'COM' and rest.commune_code = commune.zone_code
    union all
    select
        {{ cle_zone('rest') }},
        'QPV',
        located.qpv_code,
        located.generation as qpv_generation,
        -sum(qpv.population * located.share order by located.commune_code)
    from rest
    inner join located using (commune_code, generation)
    inner join {{ ref('dim_zone') }} as qpv
        on qpv.zone_level = 'QPV' and located.qpv_code = qpv.zone_code and located.generation = qpv.generation
    where located.share > 0
    group by all
)

{# A mixture of which one part is unknown, or that takes out more people than it holds, is none. #}
select * from part
qualify
    bool_and(persons is not null) over (partition by zone_level, zone_code, generation)
    and sum(persons) over (partition by zone_level, zone_code, generation) > 0
