{#
    How much of each zone the networks know: the share of its people whose origin reaches at least one workplace place by
    each mode, and the share of the workplaces of its zone d'emploi that lie inside the networks. Dates of the networks
    are those of its trips.
#}
with

origin_mode as (
    select
        zone_level,
        zone_code,
        generation,
        origin_rank,
        mode,
        bool_or(seconds is not null) as reaches,
        max(road_vintage) as road_vintage,
        max(transit_vintage) as transit_vintage,
        max(service_date) as service_date
    from {{ source('derived', 'travel_times') }}
    where kind = 'lieux_emploi' and moment = 'aller'
    group by all
),

zone_mode as (
    select
        origin_mode.zone_level,
        origin_mode.zone_code,
        origin_mode.generation,
        origin_mode.mode,
        least(
            1, coalesce(sum(origin.weight order by origin.origin_rank) filter (where origin_mode.reaches), 0)
        ) as coverage,
        max(origin_mode.road_vintage) as road_vintage,
        max(origin_mode.transit_vintage) as transit_vintage,
        max(origin_mode.service_date) as service_date
    from origin_mode
    inner join {{ source('derived', 'origins') }} as origin using (zone_level, zone_code, generation, origin_rank)
    group by all
),

workplace as (
    select * from {{ ref('int_mobilite__lieux') }}
),

zone_emploi as (
    select
        zone_emploi,
        sum(employeurs_nb) as employeurs_nb
    from workplace
    group by zone_emploi
),

{# The zone d'emploi of a zone is that of its nearest workplace place, by the minutes of those who can walk there. #}
home_zone as (
    select
        trip.zone_level,
        trip.zone_code,
        trip.generation,
        arg_min(workplace.zone_emploi, (trip.marche_min / trip.marche_part, trip.voiture_min, trip.iris_code))
            as zone_emploi
    from {{ ref('int_trajets__zones') }} as trip
    inner join workplace using (iris_code)
    where trip.marche_part > 0 and workplace.zone_emploi is not null
    group by all
),

known as (
    select
        trip.zone_level,
        trip.zone_code,
        trip.generation,
        home_zone.zone_emploi,
        sum(workplace.employeurs_nb) as employeurs_nb
    from {{ ref('int_trajets__zones') }} as trip
    inner join workplace using (iris_code)
    inner join home_zone
        on
            trip.zone_level = home_zone.zone_level
            and trip.zone_code = home_zone.zone_code
            and trip.generation = home_zone.generation
            and workplace.zone_emploi = home_zone.zone_emploi
    group by all
)

select
    zone_mode.*,
    known.zone_emploi,
    known.employeurs_nb / nullif(zone_emploi.employeurs_nb, 0) as zone_emploi_part
from zone_mode
left join known using (zone_level, zone_code, generation)
left join zone_emploi using (zone_emploi)
