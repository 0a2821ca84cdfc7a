{#
    Offers of the API, as pages of JSON and as a flat table, one row per offer and snapshot.
    Precision: no offer says whether its coordinates are those of the workplace or of its commune. In the page of JSON
    each commune has one point; in the flat table some large communes have several (Nantes 8, Toulouse 10), under the
    same label, without an address. Every position is therefore taken for that of the commune, which never claims more
    than the source says.
    Version: codes of the list of ROME 3 are said v3; ROME 4 keeps them, with the same family.
    `entreprise` only serves to recognise an offer published twice: it enters no release.
#}
with

page as (
    select
        'francetravail_offres' as dataset,
        'nombrePostes' as colonne_postes,
        id as offre_id,
        "romeCode" as code_rome,
        intitule,
        "nombrePostes" as nb_postes,
        "typeContrat" as type_contrat,
        json_extract_string("lieuTravail", '$.commune') as commune,
        json_extract_string("lieuTravail", '$.longitude') as lon,
        json_extract_string("lieuTravail", '$.latitude') as lat,
        "dateCreation" as date_creation,
        json_extract_string(entreprise, '$.nom') as entreprise,
        1 as preference,
        _vintage,
        _source_sha256,
        _source_member,
        _source_row
    from {{ source('raw', 'francetravail_offres') }}
),

{# A spreadsheet read codes as numbers: "6152.0" stands for 06152. #}
plat as (
    select
        'francetravail_offres_plat' as dataset,
        'nombre_postes' as colonne_postes,
        id as offre_id,
        rome_code as code_rome,
        intitule,
        nombre_postes as nb_postes,
        type_contrat,
        {{ code_lu_comme_nombre('commune') }} as commune,
        longitude as lon,
        latitude as lat,
        date_creation,
        nom_entreprise as entreprise,
        2 as preference,
        _vintage,
        _source_sha256,
        _source_member,
        _source_row
    from {{ source('raw', 'francetravail_offres_plat') }}
),

offer as (
    select * from page
    union all
    select * from plat
),

unique_offer as (
    select * from offer
    qualify row_number() over (partition by _vintage, offre_id order by preference, _source_member, _source_row) = 1
)

select
    unique_offer.dataset,
    unique_offer.colonne_postes,
    unique_offer.offre_id,
    'francetravail' as source,
    unique_offer.code_rome,
    case when v3.code_rome is null then 'v4' else 'v3' end as rome_version,
    unique_offer.intitule,
    try_cast(try_cast(unique_offer.nb_postes as double) as integer) as nb_postes,
    unique_offer.type_contrat,
    nullif(unique_offer.commune, '') as commune,
    {{ degres('unique_offer.lon', 180) }} as lon,
    {{ degres('unique_offer.lat', 90) }} as lat,
    'commune' as precision,
    try_cast(left(unique_offer.date_creation, 10) as date) as date_creation,
    cast(null as date) as date_fin,
    nullif({{ cle_nom('unique_offer.entreprise') }}, '') as entreprise,
    unique_offer._vintage as vintage,
    unique_offer._source_sha256 as source_sha256,
    unique_offer._source_member as source_member,
    unique_offer._source_row as source_row
from unique_offer
left join (select distinct code_rome from {{ source('raw', 'francetravail_rome_v3') }}) as v3
    on unique_offer.code_rome = v3.code_rome
