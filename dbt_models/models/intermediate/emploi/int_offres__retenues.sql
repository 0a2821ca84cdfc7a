{#
    Open offers, each once. A group of duplicates is its smallest offer (source, then identifier), at the most precise
    place that the group knows.
#}
with

open_offer as (
    select
        offer.*,
        coalesce(duplicate.groupe_cle, offer.offre_cle) as groupe_cle
    from {{ ref('int_offres__recues') }} as offer
    left join {{ ref('int_offres__doublons') }} as duplicate using (vintage, offre_cle)
    where offer.etat = 'ouverte'
),

place as (
    select vintage, groupe_cle, lieu_id, lon, lat, precision
    from open_offer
    qualify row_number() over (
        partition by vintage, groupe_cle
        order by precision = 'adresse' desc nulls last, lieu_id is null, offre_cle
    ) = 1
),

board as (
    select
        vintage,
        groupe_cle,
        count(*) as n_offres_groupe,
        count(distinct source) as n_sources
    from open_offer
    group by vintage, groupe_cle
)

select
    kept.dataset,
    kept.vintage,
    kept.source,
    kept.offre_id,
    kept.offre_cle,
    kept.code_rome,
    kept.code_rome_source,
    kept.version_rome,
    kept.nb_postes,
    kept.nb_postes_source,
    kept.type_contrat,
    kept.commune,
    place.lieu_id,
    place.lon,
    place.lat,
    place.precision,
    board.n_offres_groupe,
    board.n_sources,
    kept.source_sha256,
    kept.source_member,
    kept.source_row,
    kept.source_column
from open_offer as kept
inner join place using (vintage, groupe_cle)
inner join board using (vintage, groupe_cle)
where kept.offre_cle = kept.groupe_cle
