{# QPV whose claims are tested, those of the territory; where no population is published, that of its IRIS. #}
with

placed as (
    select to_code as qpv_code, to_generation as generation, sum(population order by from_code) as population
    from {{ ref('crosswalk') }}
    where from_level = 'IRIS' and to_level = 'QPV'
    group by all
)

select
    qpv.generation,
    qpv.zone_code as qpv_code,
    qpv.name,
    coalesce(cast(qpv.population as double), placed.population) as population
from {{ ref('dim_zone') }} as qpv
left join placed on qpv.zone_code = placed.qpv_code and qpv.generation = placed.generation
where qpv.zone_level = 'QPV'
