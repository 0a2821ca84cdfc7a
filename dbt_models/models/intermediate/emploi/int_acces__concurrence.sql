{#
    Posts per competing job seeker, by place and ROME: R(o) = n(o) / Σ D(k) f(k, o), f the share of a zone's inhabitants
    who are there by car within the threshold (a step: beyond it nobody competes). Competitors are the QPV and the rest
    of their communes, less what the QPV already count, within one generation; those of other communes are not known by
    point of departure, so that what is read is an upper bound near the edge.
#}
with

demand as (
    select * from {{ ref('int_demande__rome') }}
    where n_demandeurs > 0
),

in_qpv as (
    select
        'HQPV' as zone_level,
        array_to_string(zone.communes, '+') as zone_code,
        demand.generation,
        demand.code_rome,
        {{ somme_exacte('demand.n_demandeurs') }} as n_demandeurs
    from demand
    inner join {{ ref('dim_zone') }} as zone using (zone_level, zone_code, generation)
    where demand.zone_level = 'QPV'
    group by all
),

competitor as (
    select
        {{ cle_zone('demand') }},
        demand.code_rome,
        greatest(0, demand.n_demandeurs - coalesce(in_qpv.n_demandeurs, 0)) as n_concurrents
    from demand
    left join in_qpv using (zone_level, zone_code, generation, code_rome)
),

{# A place may stand under two commune codes: its competitors count once. #}
offer as (
    select distinct {{ cle_zone() }}, vintage, code_rome, lieu_id, part_voiture
    from {{ ref('int_acces__zone_rome_lieu') }}
    where part_voiture > 0
)

select
    offer.generation,
    offer.vintage,
    offer.code_rome,
    offer.lieu_id,
    {{ somme_exacte('competitor.n_concurrents * offer.part_voiture') }} as n_concurrents
from offer
inner join competitor using (zone_level, zone_code, generation, code_rome)
group by offer.generation, offer.vintage, offer.code_rome, offer.lieu_id
