{#
    Offers of a private network, in the columns of `stg_francetravail__offres`. A position without coordinates is that of
    the commune. The SIRET takes the place of the employer's name, which is never delivered.
#}
select
    offre_id,
    source,
    code_rome,
    rome_version,
    intitule,
    try_cast(nb_postes as integer) as nb_postes,
    contrat as type_contrat,
    commune_insee as commune,
    {{ degres('lon', 180) }} as lon,
    {{ degres('lat', 90) }} as lat,
    case when lat = '' then 'commune' else precision end as precision,
    try_cast(date_creation as date) as date_creation,
    try_cast(nullif(date_fin, '') as date) as date_fin,
    nullif(siret, '') as entreprise,
    _vintage as vintage,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'partenaire_offres') }}
