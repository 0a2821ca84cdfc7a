{#
    The offers that the job seekers of a zone look for in its zone d'emploi, the other catchment: its border takes the
    place of a distance, so that an offer counts however far, if a journey to it is known, and a near one beyond the
    border does not.
#}
with

place as (
    select
        offered.*,
        home.zone_emploi
    from {{ ref('int_offres__lieux') }} as offered
    inner join {{ ref('int_communes__zone_emploi') }} as home using (commune)
)

select
    {{ cle_zone('demand') }},
    place.vintage,
    demand.code_rome,
    demand.poids,
    place.lieu_id,
    place.commune,
    place.postes,
    reach.km
from {{ ref('int_demande__rome') }} as demand
inner join {{ ref('int_acces__zones_emploi') }} using (zone_level, zone_code, generation)
inner join place using (code_rome, zone_emploi)
inner join {{ ref('int_acces__zone_lieu') }} as reach using (zone_level, zone_code, generation, lieu_id)
where demand.poids > 0
