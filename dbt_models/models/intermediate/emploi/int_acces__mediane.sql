{#
    Exact weighted median of distances over (ROME, offer), of weights w · n / Σ n, the ROME with offers sharing all the
    weight: half of it lies below and half above. Where the half falls between two distances, their middle.
#}
with

weighted as (
    select
        {{ cle_zone() }},
        vintage,
        km,
        sum(cast(poids * part_postes as decimal(18, 12))) as poids
    from (
        select
            *,
            postes / sum(postes) over (partition by {{ cle_zone() }}, vintage, code_rome) as part_postes
        from {{ ref('int_acces__zone_rome_lieu') }}
    ) as offer
    group by all
),

cumulated as (
    select
        *,
        sum(poids) over (partition by {{ cle_zone() }}, vintage order by km rows unbounded preceding) as below,
        sum(poids) over (
            partition by {{ cle_zone() }}, vintage
            order by km
            rows between unbounded preceding and unbounded following
        ) / 2 as half
    from weighted
)

select
    {{ cle_zone() }},
    vintage,
    {# A billionth: the rounding of weights whose sum is exactly half. #}
    (min(km) filter (where below >= half - 1e-9) + min(km) filter (where below > half + 1e-9)) / 2 as km_median
from cumulated
group by all
