select
    _vintage as vintage,
    "DEP" as departement_code,
    "REG" as region_code,
    "LIBELLE" as departement_name,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'insee_cog_departements') }}
