{# What became of the offers of each source, for the quality report: offers and posts. #}
with

measure as (
    select vintage, source, 'recues' as mesure, nb_postes from {{ ref('int_offres__recues') }}
    union all
    select vintage, source, etat, nb_postes from {{ ref('int_offres__recues') }}
    where etat != 'ouverte'
    union all
    {# The offer that a group keeps bears its name. #}
    select
        offer.vintage,
        offer.source,
        if(starts_with(duplicate.groupe_cle, offer.source || ':'), 'republiee', 'doublon_entre_sources'),
        offer.nb_postes
    from {{ ref('int_offres__recues') }} as offer
    inner join {{ ref('int_offres__doublons') }} as duplicate using (vintage, offre_cle)
    where offer.etat = 'ouverte' and offer.offre_cle != duplicate.groupe_cle
    union all
    select vintage, source, 'retenues', nb_postes from {{ ref('int_offres__retenues') }}
    union all
    select vintage, source, 'sans_rome', nb_postes from {{ ref('int_offres__retenues') }}
    where code_rome is null
    union all
    select vintage, source, coalesce('precision_' || precision, 'sans_localisation'), nb_postes
    from {{ ref('int_offres__retenues') }}
)

select
    vintage,
    source,
    mesure,
    cast(sum(1) as bigint) as n_offres,
    cast(sum(nb_postes) as bigint) as n_postes
from measure
group by vintage, source, mesure
order by vintage, source, mesure
