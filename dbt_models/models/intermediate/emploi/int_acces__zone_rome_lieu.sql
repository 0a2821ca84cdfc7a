{# The offers that the job seekers of a zone look for, by place, in its catchment (road distance). #}
select
    {{ cle_zone('demand') }},
    place.vintage,
    demand.code_rome,
    demand.poids,
    demand.n_demandeurs,
    place.lieu_id,
    place.commune,
    place.postes,
    reach.km,
    reach.part_voiture,
    reach.part_tc
from {{ ref('int_demande__rome') }} as demand
inner join {{ ref('int_offres__lieux') }} as place using (code_rome)
inner join {{ ref('int_acces__zone_lieu') }} as reach using (zone_level, zone_code, generation, lieu_id)
where demand.poids > 0 and reach.km <= {{ var('bassin_km') }}
