select
    cast("DATE_EFF" as date) as effective_date,
    "TYPECOM_AV" as commune_type_before,
    "COM_AV" as commune_code_before,
    "LIBELLE_AV" as commune_name_before,
    "TYPECOM_AP" as commune_type_after,
    "COM_AP" as commune_code_after
from {{ source('raw', 'insee_cog_mouvements') }}
