{# How many journeys were computed, and how many have no way: what the figures of access leave out. #}
select
    kind,
    mode,
    moment,
    count(*) as n_trajets,
    count(*) filter (where seconds is null) as n_hors_atteinte
from {{ source('derived', 'travel_times') }}
group by kind, mode, moment
order by kind, mode, moment
