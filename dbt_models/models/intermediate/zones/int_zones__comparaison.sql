{#
    Zones to compare a QPV with, made of IRIS less the QPV of the generation: the rest of its communes (HQPV, named by
    their codes), the rest of its unité urbaine (UUENV). They exist through the QPV whose surroundings they are.
#}
with

surrounded as (
    select
        'HQPV' as zone_level,
        array_to_string(communes, '+') as zone_code,
        generation,
        communes,
        min(qpv_code) as first_qpv_code
    from {{ ref('int_zones__qpv') }}
    where len(communes) > 0
    group by all
),

{# The unités urbaines that have a QPV. #}
urban as (
    select
        'UUENV' as zone_level,
        iris.unite_urbaine_code as zone_code,
        qpv.generation,
        min(qpv.qpv_code) as first_qpv_code
    from {{ ref('int_zones__qpv') }} as qpv
    inner join {{ ref('int_zones__iris') }} as iris on list_contains(qpv.communes, iris.commune_code)
    where iris.unite_urbaine_code is not null
    group by all
),

member as (
    select surrounded.zone_level, surrounded.zone_code, surrounded.generation, surrounded.first_qpv_code, iris.*
    from surrounded
    inner join {{ ref('int_zones__iris') }} as iris on list_contains(surrounded.communes, iris.commune_code)
    union all
    select urban.zone_level, urban.zone_code, urban.generation, urban.first_qpv_code, iris.*
    from urban
    inner join {{ ref('int_zones__iris') }} as iris on urban.zone_code = iris.unite_urbaine_code
),

in_qpv as (
    select iris_code, generation, least(1, sum(weight order by qpv_code)) as weight, min(basis) as basis
    from {{ ref('int_crosswalk__iris_qpv') }}
    group by iris_code, generation
)

select
    member.zone_level,
    member.zone_code,
    member.generation,
    member.first_qpv_code,
    member.iris_code,
    member.commune_code,
    member.departement_code,
    member.region_code,
    member.epci_code,
    member.population_hab as iris_population,
    greatest(0, 1 - coalesce(in_qpv.weight, 0)) as weight,
    coalesce(in_qpv.basis, 'nested') as basis
from member
left join in_qpv using (iris_code, generation)
