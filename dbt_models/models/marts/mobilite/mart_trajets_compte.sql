{# How many journeys were computed, and how many have no way: what the figures of access leave out. #}
select
    kind,
    mode,
    moment,
    cast(sum(1) as bigint) as n_trajets,
    cast(sum(if(seconds is null, 1, 0)) as bigint) as n_hors_atteinte
from {{ source('derived', 'travel_times') }}
group by kind, mode, moment
order by kind, mode, moment
