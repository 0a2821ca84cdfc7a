select
    trim(code_commune_insee) as commune_code,
    lpad(trim(dep), 2, '0') as departement_code,
    "code_bassin_BMO" as code_bassin,
    "lib_bassin_BMO" as bassin,
    _vintage as vintage,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'francetravail_bassins') }}
