{#
    From a zone to a place where there are offers: d(q, o) = Σ π d(p, o), road distance over the points p where its
    inhabitants live, of weight π, that reach the place. Shares of inhabitants, not a mean time, say who is there in
    half an hour: a mean over those who can reach a place would forget those who cannot.
    One row per zone and place: travel times are read once, and offers join after.
#}
with

journey as (
    select
        {{ cle_zone('journey') }},
        journey.origin_rank,
        journey.destination_id as lieu_id,
        journey.mode,
        journey.seconds,
        journey.metres,
        origin.weight
    from {{ source('derived', 'travel_times') }} as journey
    inner join {{ source('derived', 'origins') }} as origin using (zone_level, zone_code, generation, origin_rank)
    where journey.kind = 'offres' and coalesce(journey.moment, 'aller') = 'aller'
),

by_car as (
    select
        {{ cle_zone() }},
        lieu_id,
        round({{ somme_exacte('weight * metres') }} / {{ somme_exacte('weight') }} / 1000, 6) as km,
        {{ somme_exacte('weight') }} as part_atteinte,
        coalesce({{ somme_exacte('weight', 'seconds <= 60 * ' ~ var('bassin_minutes_voiture')) }}, 0) as part_voiture
    from journey
    where mode = 'voiture' and metres is not null
    group by all
),

near_on_foot_or_transit as (
    select distinct {{ cle_zone() }}, lieu_id, origin_rank, weight
    from journey
    where mode in ('marche', 'tc') and seconds <= 60 * {{ var('acces_minutes_tc') }}
),

on_foot_or_transit as (
    select {{ cle_zone() }}, lieu_id, {{ somme_exacte('weight') }} as part_tc
    from near_on_foot_or_transit
    group by all
)

select
    {{ cle_zone('by_car') }},
    by_car.lieu_id,
    by_car.km,
    by_car.part_atteinte,
    by_car.part_voiture,
    coalesce(on_foot_or_transit.part_tc, 0) as part_tc
from by_car
left join on_foot_or_transit using (zone_level, zone_code, generation, lieu_id)
