select
    _vintage as vintage,
    "DEP" as departement_code,
    "REG" as region_code,
    "LIBELLE" as departement_name
from {{ source('raw', 'insee_cog_departements') }}
