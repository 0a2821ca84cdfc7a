{#
    Every offer as received, of every source, in one shape: ROME brought to version 3, posts at least 1, the place as
    travel times name it. Nothing is dropped here: `etat` says what becomes of the offer, and the counts are published.
    Its edition is the year in which it was created: offers of several files compete, and are the same, by their dates.
    An offer gone from the board by the day of the snapshot is no longer open, whatever older file still holds it.
    An offer without coordinates, or whose precision is unknown, has no place: it is never put at 0 km.
#}
with

received as (
    select
        dataset, colonne_postes as source_column,
        offre_id, source, code_rome, rome_version, intitule, nb_postes, type_contrat, commune, lon, lat,
        precision, date_creation, cast(null as date) as date_fin, entreprise, vintage,
        source_sha256, source_member, source_row
    from {{ ref('stg_francetravail__offres') }}
    union all
    select
        'partenaire_offres', 'nb_postes',
        offre_id, source, code_rome, rome_version, intitule, nb_postes, type_contrat, commune, lon, lat,
        precision, date_creation, date_fin, entreprise, vintage,
        source_sha256, source_member, source_row
    from {{ ref('stg_partenaire__offres') }}
),

typed as (
    select
        received.dataset,
        {{ edition_offre() }} as vintage,
        received.source,
        received.offre_id,
        concat_ws(':', received.source, received.offre_id) as offre_cle,
        received.code_rome as code_rome_source,
        {{ version_rome('received.rome_version') }} as version_rome,
        passage.code_rome_v3 as code_rome,
        {{ cle_titre('received.intitule') }} as titre_cle,
        nullif({{ cle_nom('received.entreprise') }}, '') as employeur_cle,
        cast(greatest(1, coalesce(received.nb_postes, 1)) as bigint) as nb_postes,
        cast(received.nb_postes as bigint) as nb_postes_source,
        received.type_contrat,
        nullif(trim(received.commune), '') as commune,
        received.precision in ('adresse', 'commune') and received.lon is not null and received.lat is not null
            as localisee,
        received.lon,
        received.lat,
        received.precision,
        cast(received.date_creation as date) as date_creation,
        cast(received.date_fin as date) as date_fin,
        received.source_sha256,
        received.source_member,
        received.source_row,
        received.source_column,
        vue.disparue_le,
        row_number() over (
            partition by {{ edition_offre() }}, received.source, received.offre_id
            order by
                received.vintage desc, received.source_sha256 asc, received.source_member asc, received.source_row asc
        ) as rang
    from received
    left join {{ ref('int_rome__passage') }} as passage
        on
            received.code_rome = passage.code_rome
            and {{ version_rome('received.rome_version') }} = passage.version
    left join {{ source('derived', 'offres_vues') }} as vue
        on received.source = 'francetravail' and received.offre_id = vue.offre_id
),

{# The day of the snapshot: the last day on which an offer of it was created. #}
dated as (
    select *, max(date_creation) over (partition by vintage) as instantane from typed
)

select
    dataset,
    vintage,
    source,
    offre_id,
    offre_cle,
    code_rome_source,
    version_rome,
    code_rome,
    titre_cle,
    employeur_cle,
    nb_postes,
    nb_postes_source,
    type_contrat,
    commune,
    case when localisee then printf('point:%.5f,%.5f', lon, lat) end as lieu_id,
    case when localisee then lon end as lon,
    case when localisee then lat end as lat,
    case when localisee then precision end as precision,
    date_creation,
    date_fin,
    case
        when rang > 1 then 'doublon_meme_source'
        when date_fin < instantane then 'close'
        when disparue_le <= instantane then 'disparue'
        else 'ouverte'
    end as etat,
    source_sha256,
    source_member,
    source_row,
    source_column
from dated
