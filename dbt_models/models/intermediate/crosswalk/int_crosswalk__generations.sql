{#
    QP2015 to QN2024: the share of the inhabitants of the old perimeter who live in the new one. Inhabitants of an
    IRIS are placed by its dwellings, else its tiles, else by area within the part that it shares with the old QPV.
#}
with

three_way as (
    select
        iris_code, qp2015_code, qn2024_code, area_m2, dwellings, tile_population
    from {{ source('derived', 'overlaps') }}
    where iris_code is not null and qp2015_code is not null
),

old_part as (
    select
        part.iris_code,
        part.qp2015_code,
        part.area_m2,
        part.dwellings,
        part.tile_population,
        link.basis,
        link.weight * link.iris_population as inhabitants
    from three_way as part
    inner join {{ ref('int_crosswalk__iris_qpv') }} as link
        on part.iris_code = link.iris_code and part.qp2015_code = link.qpv_code and link.generation = 'QP2015'
    where part.qn2024_code is null
),

shared as (
    select
        three_way.qp2015_code,
        three_way.qn2024_code,
        sum(old_part.inhabitants * case old_part.basis
            when 'dwellings' then three_way.dwellings / nullif(old_part.dwellings, 0)
            when 'tiles' then three_way.tile_population / nullif(old_part.tile_population, 0)
            else three_way.area_m2 / nullif(old_part.area_m2, 0)
        end order by three_way.iris_code) as inhabitants,
        min(old_part.basis) as basis
    from three_way
    inner join old_part using (iris_code, qp2015_code)
    where three_way.qn2024_code is not null
    group by all
),

old_total as (
    select qp2015_code, sum(inhabitants order by iris_code) as inhabitants
    from old_part
    group by qp2015_code
),

pair as (
    select
        common.qp2015_code,
        common.qn2024_code,
        common.area_m2 as shared_area_m2,
        old.area_m2 as old_area_m2,
        new.area_m2 as new_area_m2
    from {{ source('derived', 'overlaps') }} as common
    inner join {{ source('derived', 'overlaps') }} as old
        on common.qp2015_code = old.qp2015_code and old.iris_code is null and old.qn2024_code is null
    inner join {{ source('derived', 'overlaps') }} as new
        on common.qn2024_code = new.qn2024_code and new.iris_code is null and new.qp2015_code is null
    where common.iris_code is null and common.qp2015_code is not null and common.qn2024_code is not null
),

declared as (
    select qn2024_code, qp2015_code, statut, true as declared
    from {{ ref('stg_anct__qpv_correspondance') }}
)

select
    pair.qp2015_code,
    pair.qn2024_code,
    coalesce(shared.basis, 'area') as basis,
    coalesce(
        least(1, shared.inhabitants / nullif(old_total.inhabitants, 0)), pair.shared_area_m2 / pair.old_area_m2
    ) as weight,
    coalesce(
        shared.inhabitants, pair.shared_area_m2 / pair.old_area_m2 * qpv.population_hab
    ) as population_hab,
    pair.shared_area_m2 / pair.old_area_m2 as area_share,
    pair.shared_area_m2 / (pair.old_area_m2 + pair.new_area_m2 - pair.shared_area_m2) as jaccard,
    declared.statut,
    coalesce(declared.declared, false) as declared
from pair
left join shared using (qp2015_code, qn2024_code)
left join old_total using (qp2015_code)
left join {{ ref('int_zones__qpv') }} as qpv on pair.qp2015_code = qpv.qpv_code and qpv.generation = 'QP2015'
left join declared using (qp2015_code, qn2024_code)
