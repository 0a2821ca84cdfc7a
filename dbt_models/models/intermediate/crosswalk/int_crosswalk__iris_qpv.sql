{#
    Share of each IRIS's inhabitants who live in each QPV, from the best of what is known: dwellings, else inhabited
    tiles, else the area, set to the QPV's published population, else the bare area.

    Setting to the published population: inhabitants are spread by area, then multiplied in each QPV so that it holds
    its published population. An IRIS cannot give more than it has: what overflows goes to the other IRIS of the QPV,
    twice, then is lost. Several QPV of one generation never take more than the whole IRIS.

    Windows are ordered although they are whole: floating sums depend on order, and a release must be the same twice.
#}
with

inside as (
    select
        iris_code,
        coalesce(qp2015_code, qn2024_code) as qpv_code,
        case when qn2024_code is null then 'QP2015' else 'QN2024' end as generation,
        area_m2,
        dwellings,
        tile_population
    from {{ source('derived', 'overlaps') }}
    where iris_code is not null and (qp2015_code is null) != (qn2024_code is null)
),

whole as (
    select iris_code, area_m2, dwellings, tile_population
    from {{ source('derived', 'overlaps') }}
    where iris_code is not null and qp2015_code is null and qn2024_code is null
),

share as (
    select
        inside.iris_code,
        inside.qpv_code,
        inside.generation,
        inside.area_m2 / whole.area_m2 as area_share,
        inside.dwellings / nullif(whole.dwellings, 0) as dwelling_share,
        inside.tile_population / nullif(whole.tile_population, 0) as tile_share,
        iris.population_hab as iris_population,
        qpv.population_hab as qpv_population
    from inside
    inner join whole using (iris_code)
    inner join {{ ref('int_zones__iris') }} as iris using (iris_code)
    inner join {{ ref('int_zones__qpv') }} as qpv using (qpv_code, generation)
),

first_pass as (
    select
        *,
        least(1, area_share * qpv_population / nullif(sum(area_share * iris_population) over qpv, 0)) as spread
    from share
    window qpv as (
        partition by qpv_code, generation
        order by iris_code rows between unbounded preceding and unbounded following
    )
),

{% for pass in ('second', 'third') %}
    {{ pass }}_pass as (
        select
            * exclude (spread),
            least(1, spread * coalesce(
                (qpv_population - sum(iris_population) filter (where spread = 1) over qpv)
                / nullif(sum(spread * iris_population) filter (where spread < 1) over qpv, 0),
                (qpv_population / nullif(sum(spread * iris_population) over qpv, 0)),
                1
            )) as spread
        from {{ 'first' if pass == 'second' else 'second' }}_pass
        window qpv as (
            partition by qpv_code, generation
            order by iris_code rows between unbounded preceding and unbounded following
        )
    ),
{% endfor %}

limited as (
    select
        *,
        spread / greatest(1, sum(spread) over iris) as population_share
    from third_pass
    window iris as (
        partition by iris_code, generation
        order by qpv_code rows between unbounded preceding and unbounded following
    )
),

based as (
    select
        *,
        case
            when dwelling_share is not null then 'dwellings'
            when tile_share is not null then 'tiles'
            when population_share is not null then 'population'
            else 'area'
        end as basis
    from limited
)

select
    iris_code,
    qpv_code,
    generation,
    basis,
    case basis
        when 'dwellings' then dwelling_share
        when 'tiles' then tile_share
        when 'population' then population_share
        else area_share
    end as weight,
    area_share,
    iris_population
from based
