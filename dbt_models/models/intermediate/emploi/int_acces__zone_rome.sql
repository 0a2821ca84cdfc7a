{#
    What each ROME weighs in the indicators of a zone: one row per zone, edition of the offers and ROME looked for, even
    where no offer stands in the catchment. Seekers and posts are whole numbers: their sums are exact in any order.
#}
with

edition as (
    select distinct vintage from {{ ref('int_offres__retenues') }}
),

{# Zones without a journey wait for one: nothing of theirs is computed. #}
demand as (
    select demand.*
    from {{ ref('int_demande__rome') }} as demand
    semi join {{ ref('int_acces__zones') }} as zone
        on
            demand.zone_level = zone.zone_level
            and demand.zone_code = zone.zone_code
            and demand.generation = zone.generation
    where demand.poids > 0
),

offer as (
    select * from {{ ref('int_acces__zone_rome_lieu') }}
),

ranked as (
    select
        *,
        sum(postes) over (
            partition by {{ cle_zone() }}, vintage, code_rome
            order by km, lieu_id, commune
            rows unbounded preceding
        ) - postes as postes_plus_proches
    from offer
),

{# A post counts as many times as it is offered: k posts, not k advertisements. #}
nearest as (
    select
        *,
        least(postes, greatest(0, {{ var('plus_proches') }} - postes_plus_proches)) as postes_k
    from ranked
),

competed as (
    select
        nearest.*,
        nearest.postes * nearest.part_voiture / nullif(rival.n_concurrents, 0) as postes_par_concurrent
    from nearest
    left join {{ ref('int_acces__concurrence') }} as rival using (generation, vintage, code_rome, lieu_id)
),

measured as (
    select
        {{ cle_zone() }},
        vintage,
        code_rome,
        sum(postes) as postes,
        {{ somme_exacte('postes * km') }} / sum(postes) as km_moyen,
        sum(postes) filter (where km <= {{ var('bassin_km_reduit') }}) as postes_reduit,
        {{ somme_exacte('postes * km', 'km <= ' ~ var('bassin_km_reduit')) }}
        / sum(postes) filter (where km <= {{ var('bassin_km_reduit') }}) as km_moyen_reduit,
        {{ somme_exacte('postes_k * km') }} / sum(postes_k) as km_k,
        {{ somme_exacte('postes * part_tc') }} as postes_tc,
        {{ somme_exacte('postes_par_concurrent', decimales=12) }} as postes_par_concurrent
    from competed
    group by {{ cle_zone() }}, vintage, code_rome
),

{# A commune stands in one zone d'emploi: no post counts twice. #}
in_zone_emploi as (
    select
        {{ cle_zone() }},
        vintage,
        code_rome,
        sum(postes) as postes,
        {{ somme_exacte('postes * km') }} / sum(postes) as km_moyen
    from {{ ref('int_acces__zone_emploi') }}
    group by {{ cle_zone() }}, vintage, code_rome
),

{# The market of a catchment: the communes of which an offer, of whatever ROME, stands in it. #}
place as (
    select distinct vintage, lieu_id, commune from {{ ref('int_offres__lieux') }}
),

commune_in_reach as (
    select distinct {{ cle_zone('reach') }}, place.vintage, place.commune
    from {{ ref('int_acces__zone_lieu') }} as reach
    inner join place using (lieu_id)
    where reach.km <= {{ var('bassin_km') }}
),

market as (
    select
        {{ cle_zone('near') }},
        near.vintage,
        commune.code_rome,
        sum(commune.n_demandeurs) as n_demandeurs
    from commune_in_reach as near
    inner join {{ ref('int_demande__marche') }} as commune
        on near.commune = commune.zone_code and commune.zone_level = 'COM' and commune.maille = 'COM'
    group by all
),

{# How much of what the département offers could be measured: offers without a place count in it. #}
offered as (
    select
        vintage,
        {{ departement_de_commune('commune') }} as departement,
        code_rome,
        lieu_id,
        sum(nb_postes) as postes
    from {{ ref('int_offres__retenues') }}
    where code_rome is not null and commune is not null
    group by all
),

offered_in_all as (
    select vintage, departement, code_rome, sum(postes) as postes
    from offered
    group by all
),

{# Kept whole: otherwise every zone would meet every offer of its département before places are compared. #}
measured_place as materialized (
    select {{ cle_zone('reach') }}, reach.lieu_id, zone.departement
    from {{ ref('int_acces__zone_lieu') }} as reach
    inner join {{ ref('dim_zone') }} as zone using (zone_level, zone_code, generation)
),

offered_within_measure as (
    select
        {{ cle_zone('measured_place') }},
        offered.vintage,
        offered.code_rome,
        sum(offered.postes) as postes
    from measured_place
    inner join offered using (lieu_id, departement)
    group by all
)

select
    demand.zone_level,
    demand.zone_code,
    demand.generation,
    edition.vintage,
    demand.code_rome,
    demand.poids,
    demand.n_demandeurs,
    coalesce(measured.postes, 0) as postes,
    measured.km_moyen,
    coalesce(measured.postes_reduit, 0) as postes_reduit,
    measured.km_moyen_reduit,
    measured.km_k,
    coalesce(in_zone_emploi.postes, 0) as postes_zone_emploi,
    in_zone_emploi.km_moyen as km_moyen_zone_emploi,
    coalesce(measured.postes_tc, 0) as postes_tc,
    {# Never fewer seekers than the zone's own; a market that nobody counted stays unknown. #}
    case
        when market.n_demandeurs is not null then greatest(market.n_demandeurs, demand.n_demandeurs)
    end as demandeurs_bassin,
    coalesce(measured.postes_par_concurrent, 0) as postes_par_concurrent,
    coalesce(offered_in_all.postes, 0) as postes_departement,
    coalesce(offered_within_measure.postes, 0) as postes_departement_mesures
from demand
cross join edition
left join measured using (zone_level, zone_code, generation, vintage, code_rome)
left join in_zone_emploi using (zone_level, zone_code, generation, vintage, code_rome)
left join market using (zone_level, zone_code, generation, vintage, code_rome)
inner join {{ ref('dim_zone') }} as zone using (zone_level, zone_code, generation)
left join offered_in_all
    on
        zone.departement = offered_in_all.departement
        and edition.vintage = offered_in_all.vintage
        and demand.code_rome = offered_in_all.code_rome
left join offered_within_measure using (zone_level, zone_code, generation, vintage, code_rome)
