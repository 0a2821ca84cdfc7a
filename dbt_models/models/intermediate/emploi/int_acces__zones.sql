{# Zones from which journeys to offers were computed: with a road network, and with public transport. #}
select
    {{ cle_zone() }},
    bool_or(mode = 'voiture' and metres is not null) as route,
    bool_or(mode = 'tc' and seconds is not null) as transports
from {{ source('derived', 'travel_times') }}
where kind = 'offres' and coalesce(moment, 'aller') = 'aller'
group by all
