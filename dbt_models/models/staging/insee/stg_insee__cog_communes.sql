select
    _vintage as vintage,
    "TYPECOM" as commune_type,
    "COM" as commune_code,
    "LIBELLE" as commune_name,
    nullif("DEP", '') as departement_code,
    nullif("REG", '') as region_code,
    nullif("COMPARENT", '') as parent_commune_code
from {{ source('raw', 'insee_cog_communes') }}
