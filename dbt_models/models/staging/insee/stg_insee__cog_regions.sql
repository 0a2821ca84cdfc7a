select
    _vintage as vintage,
    "REG" as region_code,
    "LIBELLE" as region_name
from {{ source('raw', 'insee_cog_regions') }}
