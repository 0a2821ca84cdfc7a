{# Share of each QPV's inhabitants who live in each zone of a mesh. #}
with

link as (
    select
        crosswalk.to_code as qpv_code,
        crosswalk.to_generation as generation,
        crosswalk.from_code as iris_code,
        crosswalk.population
    from {{ ref('crosswalk') }} as crosswalk
    where crosswalk.from_level = 'IRIS' and crosswalk.to_level = 'QPV' and crosswalk.population > 0
),

placed as (
    select 'IRIS' as mesh, generation, qpv_code, iris_code as zone_code, population
    from link
    union all
    select 'COM', link.generation, link.qpv_code, iris.commune_code, sum(link.population order by iris_code)
    from link
    inner join {{ ref('int_zones__iris') }} as iris using (iris_code)
    group by all
)

select
    mesh,
    generation,
    qpv_code,
    zone_code,
    population / sum(population) over qpv as share
from placed
window qpv as (
    partition by mesh, generation, qpv_code
    order by zone_code rows between unbounded preceding and unbounded following
)
