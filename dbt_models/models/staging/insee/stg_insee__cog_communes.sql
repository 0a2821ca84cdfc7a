select
    _vintage as vintage,
    "TYPECOM" as commune_type,
    "COM" as commune_code,
    "LIBELLE" as commune_name,
    nullif("DEP", '') as departement_code,
    nullif("REG", '') as region_code,
    nullif("COMPARENT", '') as parent_commune_code,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'insee_cog_communes') }}
